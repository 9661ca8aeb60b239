#include "engine_ae.h"

#include <connection.h>

const char engine_name[] = "libae";

static void serve(connection *conn) { bench_readable(conn->fd); }
static void accepted(connection *conn) { connSetReadHandler(conn, serve); }

void engine_connection(int fd) {
    connTypeInitialize();
    connAccept(connCreateAccepted(connectionTypeTcp(), fd, NULL), accepted);
}
