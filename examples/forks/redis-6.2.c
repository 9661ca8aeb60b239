/* What a redis-6.2 server registers with libae: compile it with the server's flags, in src/, and link it with the
 * server and libae.a in place of ae.o anet.o connection.o, and of tls.o where it is built with TLS. The accept handlers and
 * the listeners of this line are in networking.c and server.c, so nothing more is asked of the server. */

#include "server.h"
#include <libae.h>

static aeEventLoop *host_loop(void) { return server.el; }
static void host_log(int level, const char *message) { serverLog(level, "%s", message); }
static char *host_string(const void *bytes, size_t len) { return sdsnewlen(bytes, len); }
static int host_tls_auth_clients(void) { return server.tls_auth_clients; }

static void *host_malloc(size_t size, void *context) { UNUSED(context); return zmalloc(size); }
/* The library multiplies sizes that it has checked; 6.2 has no zcalloc_num. */
static void *host_calloc(size_t count, size_t size, void *context) { UNUSED(context); return zcalloc(count * size); }
static void *host_realloc(void *ptr, size_t size, void *context) { UNUSED(context); return zrealloc(ptr, size); }
static void host_free(void *ptr, void *context) { UNUSED(context); zfree(ptr); }

/* `setting` is a file of DH parameters. Their key exchange is not missed: every client of TLS has a better one. */
static int host_tls_meaningless(const char *setting, const char *reason) {
    serverLog(LL_WARNING, "%s has no effect: %s", setting, reason);
    return 1;
}

/* Runs before main. */
__attribute__((constructor)) static void register_host(void) {
    static const libaeHost host = {
        .size = sizeof(host),
        .current_loop = host_loop,
        .log = host_log,
        .tls_auth_clients = host_tls_auth_clients,
        .new_string = host_string,
        .allocator = {host_malloc, host_calloc, host_realloc, host_free, NULL},
        .tls_meaningless = host_tls_meaningless,
    };
    /* With another profile's library every struct would be read wrongly, and nothing else would say so. */
    if (strcmp(libaeAbiProfile(), "redis-6.2") == 0 && libaeSetHost(&host) == AE_OK) return;
    fprintf(stderr, "This server needs libae for redis-6.2; it was linked with %s\n", libaeAbiProfile());
    abort();
}
