/* What a redis-7.2 server registers with libae: compile it with the server's flags, in src/, and link it with
 * the server and libae.a in place of ae.o anet.o connection.o socket.o unix.o. */

#include "server.h"
#include "connection.h"
#include <libae/libae.h>

static aeEventLoop *host_loop(void) { return server.el; }
static void host_log(int level, const char *message) { serverLog(level, "%s", message); }
static int host_backlog(void) { return server.tcp_backlog; }
static char *host_string(const void *bytes, size_t len) { return sdsnewlen(bytes, len); }

static void *host_malloc(size_t size, void *context) { UNUSED(context); return zmalloc(size); }
static void *host_calloc(size_t count, size_t size, void *context) { UNUSED(context); return zcalloc_num(count, size); }
static void *host_realloc(void *ptr, size_t size, void *context) { UNUSED(context); return zrealloc(ptr, size); }
static void host_free(void *ptr, void *context) { UNUSED(context); zfree(ptr); }

/* Runs before main. */
__attribute__((constructor)) static void register_host(void) {
    static const libaeHost host = {
        .size = sizeof(host),
        .current_loop = host_loop,
        .accepted = acceptCommonHandler,
        .log = host_log,
        .listen = listenToPort,
        .tcp_backlog = host_backlog,
        .new_string = host_string,
        .allocator = {host_malloc, host_calloc, host_realloc, host_free, NULL},
    };
    libaeSetHost(&host);
}

/* connection.c had this one; it stays with whoever owns the listeners. */
sds getListensInfoString(sds info) {
    for (int i = 0; i < CONN_TYPE_MAX; i++) {
        const connListener *listener = &server.listeners[i];
        if (listener->ct == NULL) continue;
        info = sdscatfmt(info, "listener%i:name=%s", i, listener->ct->get_type(NULL));
        for (int j = 0; j < listener->count; j++) info = sdscatfmt(info, ",bind=%s", listener->bindaddr[j]);
        if (listener->port) info = sdscatfmt(info, ",port=%i", listener->port);
        info = sdscatlen(info, "\r\n", 2);
    }
    return info;
}
