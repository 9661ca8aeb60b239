/* What servers with listeners, from 7.2 on, register beside. A glue file defines hand_over(conn, flags, ip), which
 * gives an accepted connection to the server, before it includes this behind common.h. */

/* From Valkey 9 on types are numbers. */
#ifndef HOST_TYPE_NAME
#define HOST_TYPE_NAME(type) (type)->get_type(NULL)
#endif

/* 7.4 made settings of these. */
#ifdef HOST_FIXED_ACCEPTS
static int host_accepts_per_call(void) { return LIBAE_ACCEPTS_PER_CALL; }
static int host_tls_accepts_per_call(void) { return LIBAE_ACCEPTS_PER_CALL; }
#else
static int host_accepts_per_call(void) { return server.max_new_conns_per_cycle; }
static int host_tls_accepts_per_call(void) { return server.max_new_tls_conns_per_cycle; }
#endif

static int host_backlog(void) { return server.tcp_backlog; }

/* The accept handlers of socket.c, unix.c and tls.c wrote these lines. The address is asked for only when it is
 * printed. */
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
    log_accepted(conn, ip);
    hand_over(conn, flags, ip);
}

#define HOST_LISTENERS \
    .accepted = host_accepted, \
    .accepts_per_call = host_accepts_per_call, \
    .listen = listenToPort, \
    .tcp_backlog = host_backlog, \
    .tls_accepts_per_call = host_tls_accepts_per_call

/* connection.c had this one; it stays with whoever owns the listeners. */
sds getListensInfoString(sds info) {
    for (int i = 0; i < CONN_TYPE_MAX; i++) {
        const connListener *listener = &server.listeners[i];
        if (listener->ct == NULL) continue;
        info = sdscatfmt(info, "listener%i:name=%s", i, HOST_TYPE_NAME(listener->ct));
        for (int j = 0; j < listener->count; j++) info = sdscatfmt(info, ",bind=%s", listener->bindaddr[j]);
        if (listener->port) info = sdscatfmt(info, ",port=%i", listener->port);
        info = sdscatlen(info, "\r\n", 2);
    }
    return info;
}
