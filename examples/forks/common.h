/* What the servers of all profiles register with libae. A glue file includes this behind server.h, fills in a libaeHost
 * that begins with HOST_COMMON, and gives it to register_with_libae() in a constructor. */

#include <libae.h>

/* 6.2 has no zcalloc_num. The library multiplies sizes that it has checked. */
#ifndef HOST_CALLOC
#define HOST_CALLOC(count, size) zcalloc_num(count, size)
#endif

static aeEventLoop *host_loop(void) { return server.el; }
static void host_log(int level, const char *message) { serverLog(level, "%s", message); }
static char *host_string(const void *bytes, size_t len) { return sdsnewlen(bytes, len); }
static int host_tls_auth_clients(void) { return server.tls_auth_clients; }
static size_t host_tls_config_size(void) { return sizeof(server.tls_ctx_config); }

static void *host_malloc(size_t size, void *context) { UNUSED(context); return zmalloc(size); }
static void *host_calloc(size_t count, size_t size, void *context) { UNUSED(context); return HOST_CALLOC(count, size); }
static void *host_realloc(void *ptr, size_t size, void *context) { UNUSED(context); return zrealloc(ptr, size); }
static void host_free(void *ptr, void *context) { UNUSED(context); zfree(ptr); }

/* `setting` is a file of DH parameters. Their key exchange is not missed: every client of TLS has a better one. */
static int host_tls_meaningless(const char *setting, const char *reason) {
    serverLog(LL_WARNING, "%s has no effect: %s", setting, reason);
    return 1;
}

#define HOST_COMMON \
    .size = sizeof(libaeHost), \
    .current_loop = host_loop, \
    .log = host_log, \
    .tls_auth_clients = host_tls_auth_clients, \
    .new_string = host_string, \
    .allocator = {host_malloc, host_calloc, host_realloc, host_free, NULL}, \
    .tls_meaningless = host_tls_meaningless, \
    .tls_config_size = host_tls_config_size

/* With another profile's library every struct would be read wrongly, and nothing else would say so. */
static void register_with_libae(const char *profile, const libaeHost *host) {
    if (strcmp(libaeAbiProfile(), profile) == 0 && libaeSetHost(host) == AE_OK) return;
    fprintf(stderr, "This server needs libae for %s; it was linked with %s\n", profile, libaeAbiProfile());
    abort();
}
