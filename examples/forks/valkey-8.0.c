/* What a valkey-8.0 server registers with libae: compile it with the server's flags, in src/, and link it with the
 * server and libae.a in place of ae.o anet.o connection.o socket.o unix.o, and of tls.o where it is built
 * with TLS. */

#include "server.h"
#include <libae.h>

static aeEventLoop *host_loop(void) { return server.el; }
static void host_log(int level, const char *message) { serverLog(level, "%s", message); }
static char *host_string(const void *bytes, size_t len) { return sdsnewlen(bytes, len); }
static int host_tls_auth_clients(void) { return server.tls_auth_clients; }
static int host_backlog(void) { return server.tcp_backlog; }
static int host_accepts_per_call(void) { return server.max_new_conns_per_cycle; }
static int host_tls_accepts_per_call(void) { return server.max_new_tls_conns_per_cycle; }

/* The accept handlers of socket.c, unix.c and tls.c wrote these lines. The address is asked for only when it is printed. */
static void log_accepted(connection *conn, const char *ip) {
    int port = 0;
    if (LL_VERBOSE < server.verbosity) return;
    if (ip == NULL) {
        serverLog(LL_VERBOSE, "Accepted connection to %s", server.unixsocket);
        return;
    }
    connAddrPeerName(conn, NULL, 0, &port);
    serverLog(LL_VERBOSE, "Accepted %s:%d", ip, port);
}

static void host_accepted(connection *conn, int flags, char *ip) {
    struct ClientFlags client = {0};
    client.unix_socket = (flags & LIBAE_ACCEPTED_UNIX) != 0;
    log_accepted(conn, ip);
    acceptCommonHandler(conn, client, ip);
}

static void *host_malloc(size_t size, void *context) { UNUSED(context); return zmalloc(size); }
static void *host_calloc(size_t count, size_t size, void *context) { UNUSED(context); return zcalloc_num(count, size); }
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
        .accepted = host_accepted,
        .accepts_per_call = host_accepts_per_call,
        .listen = listenToPort,
        .tcp_backlog = host_backlog,
        .tls_auth_clients = host_tls_auth_clients,
        .new_string = host_string,
        .allocator = {host_malloc, host_calloc, host_realloc, host_free, NULL},
        .tls_accepts_per_call = host_tls_accepts_per_call,
        .tls_meaningless = host_tls_meaningless,
    };
    /* With another profile's library every struct would be read wrongly, and nothing else would say so. */
    if (strcmp(libaeAbiProfile(), "valkey-8.0") == 0 && libaeSetHost(&host) == AE_OK) return;
    fprintf(stderr, "This server needs libae for valkey-8.0; it was linked with %s\n", libaeAbiProfile());
    abort();
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
