/* ae.c of Redis 7.0.15, compiled from Debian's source package. Its connections cannot be had without its server. */
#include "engine_ae.h"

const char engine_name[] = "stock";

/* What Redis's own sources want of its server. */
void _serverPanic(const char *file, int line, const char *message, ...);
void _serverPanic(const char *file, int line, const char *message, ...) {
    (void)file, (void)line, (void)message;
    abort();
}

void _serverAssert(const char *condition, const char *file, int line);
void _serverAssert(const char *condition, const char *file, int line) { _serverPanic(file, line, condition); }
