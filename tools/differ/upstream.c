/* What stock's files ask of the server around them. Arrays never shrink: stock looks at entries of a set that it has
 * just made smaller. */
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST = 8192 };

void *zmalloc(size_t size) { return calloc(1, size > LEAST ? size : LEAST); }
void *zcalloc(size_t size) { return zmalloc(size); }
void zfree(void *pointer) { free(pointer); }

void *zrealloc(void *pointer, size_t size) {
    size_t had = malloc_usable_size(pointer);

    if (size <= had) return pointer;
    pointer = realloc(pointer, size);
    memset((char *)pointer + had, 0, malloc_usable_size(pointer) - had);
    return pointer;
}

void _serverAssert(const char *text, const char *file, int line) {
    fprintf(stderr, "%s:%d: %s\n", file, line, text);
    abort();
}

void _serverPanic(const char *file, int line, const char *format, ...) {
    va_list arguments;

    fprintf(stderr, "%s:%d: ", file, line);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    abort();
}
