/* What a valkey-9.0 server registers with libae: compile it with the server's flags, in src/, and link it
 * with the server and libae.a in place of ae.o anet.o connection.o socket.o unix.o, and of tls.o where it is built
 * with TLS; rdma.o stays. */

#include "server.h"
#include "valkey-9.h"

/* Runs before main. */
__attribute__((constructor)) static void register_host(void) {
    static const libaeHost host = {HOST_VALKEY_9};
    register_with_libae("valkey-9.0", &host);
}
