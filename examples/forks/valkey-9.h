/* What servers of Valkey 9 register beside what all do. A glue file includes this behind server.h, and begins its
 * libaeHost with HOST_VALKEY_9. */

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

#define HOST_VALKEY_9 HOST_COMMON, HOST_LISTENERS, .unix_socket = host_unix_socket
