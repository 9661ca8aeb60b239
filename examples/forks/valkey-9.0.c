/* What a valkey-9.0 server registers with libae: compile it with the server's flags, in src/, and link it
 * with the server and libae.a in place of ae.o anet.o connection.o socket.o unix.o, and of tls.o where it is built
 * with TLS; rdma.o stays. */

#include "server.h"
#include "common.h"

static void hand_over(connection *conn, int flags, char *ip) {
    struct ClientFlags client = {0};
    client.unix_socket = (flags & LIBAE_ACCEPTED_UNIX) != 0;
    if (ip != NULL && server.tcpkeepalive) connKeepAlive(conn, server.tcpkeepalive);
    acceptCommonHandler(conn, client, ip);
}
#define HOST_TYPE_NAME(type) getConnectionTypeName((type)->get_type())
#include "listeners.h"

static const char *host_unix_socket(void) { return server.unixsocket; }

/* Runs before main. */
__attribute__((constructor)) static void register_host(void) {
    static const libaeHost host = {HOST_COMMON, HOST_LISTENERS, .unix_socket = host_unix_socket};
    register_with_libae("valkey-9.0", &host);
}
