/* What a redis-6.2 server registers with libae: compile it with the server's flags, in src/, and link it
 * with the server and libae.a in place of ae.o anet.o connection.o, and of tls.o where it is built
 * with TLS. The accept handlers and the listeners of this line are in networking.c and server.c, so nothing more is
 * asked of the server. */

#include "server.h"
#define HOST_CALLOC(count, size) zcalloc((count) * (size))
#include "common.h"

/* Runs before main. */
__attribute__((constructor)) static void register_host(void) {
    static const libaeHost host = {HOST_COMMON};
    register_with_libae("redis-6.2", &host);
}
