/* What a valkey-8.0 server registers with libae: compile it with the server's flags, in src/, and link it
 * with the server and libae.a in place of ae.o anet.o connection.o socket.o unix.o, and of tls.o where it is built
 * with TLS. */

#include "server.h"
#include "common.h"

static void hand_over(connection *conn, int flags, char *ip) {
    struct ClientFlags client = {0};
    client.unix_socket = (flags & LIBAE_ACCEPTED_UNIX) != 0;
    acceptCommonHandler(conn, client, ip);
}
#include "listeners.h"

/* Runs before main. */
__attribute__((constructor)) static void register_host(void) {
    static const libaeHost host = {HOST_COMMON, HOST_LISTENERS};
    register_with_libae("valkey-8.0", &host);
}
