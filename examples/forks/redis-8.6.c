/* What a redis-8.6 server registers with libae: compile it with the server's flags, in src/, and link it
 * with the server and libae.a in place of ae.o anet.o connection.o socket.o unix.o, and of tls.o where it is built
 * with TLS. */

#include "server.h"
#include "common.h"

#define hand_over acceptCommonHandler
#include "listeners.h"

/* Runs before main. */
__attribute__((constructor)) static void register_host(void) {
    static const libaeHost host = {HOST_COMMON, HOST_LISTENERS};
    register_with_libae("redis-8.6", &host);
}
