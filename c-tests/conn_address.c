/* From valkey-9.0 on: the address of every connection over a unix socket is the path that the host has configured. */
#include "test.h"
#include "conn_test.h"

static const char *hosts_path;
static const char *unix_socket(void) { return hosts_path; }

static void begin_address(void) {
    libaeHost host = {.size = sizeof(host), .unix_socket = unix_socket};

    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK_INT(connTypeInitialize(), C_OK);
}

static void path_of_the_host(void) {
    char ip[128], text[160];
    connection *conn;
    int port = 77;

    begin_address();
    hosts_path = "/run/valkey.sock";
    conn = connCreate(connectionTypeUnix());
    CHECK_KEEPS_ERRNO(connAddr(conn, ip, sizeof(ip), &port, 1), C_OK); /* without a socket */
    CHECK_TEXT(ip, "/run/valkey.sock:0");
    CHECK_INT(port, 0);
    CHECK_INT(connAddr(conn, ip, sizeof(ip), NULL, 0), C_OK);
    CHECK_TEXT(ip, "/run/valkey.sock:0");
    CHECK_INT(connFormatAddr(conn, text, sizeof(text), 1), 22);
    CHECK_TEXT(text, "[/run/valkey.sock:0]:0");
    CHECK_INT(connAddr(conn, ip, 8, &port, 1), C_OK);
    CHECK_TEXT(ip, "/run/va");
    CHECK_INT(connAddr(conn, NULL, 0, &port, 1), C_OK);
    CHECK_INT(connectionTypeUnix()->addr(NULL, ip, sizeof(ip), &port, 1), C_OK);
    CHECK_TEXT(ip, "/run/valkey.sock:0");
    connClose(conn);
}

static void path_of_the_socket_without_the_hosts(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char folder[64], ip[128];
    int listening = socket(AF_UNIX, SOCK_STREAM, 0), peer = socket(AF_UNIX, SOCK_STREAM, 0), accepted;
    connection *conn;

    begin_address();
    test_folder(folder);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", folder);
    CHECK(bind(listening, (struct sockaddr *)&address, sizeof(address)) == 0);
    CHECK(listen(listening, 5) == 0);
    CHECK(connect(peer, (struct sockaddr *)&address, sizeof(address)) == 0);
    accepted = test_accept(listening, SOCK_NONBLOCK);
    conn = connCreateAccepted(connectionTypeUnix(), accepted, NULL);
    CHECK_INT(connAddr(conn, ip, sizeof(ip), NULL, 1), C_OK);
    CHECK(strncmp(ip, address.sun_path, strlen(address.sun_path)) == 0);
    CHECK_TEXT(ip + strlen(address.sun_path), ":0");
    connClose(conn);
    conn = connCreateAccepted(connectionTypeUnix(), peer, NULL); /* the other end has no path of its own */
    CHECK_INT(connAddr(conn, ip, sizeof(ip), NULL, 0), C_OK);
    CHECK(strncmp(ip, address.sun_path, strlen(address.sun_path)) == 0);
    connClose(conn);
    close(listening);
    unlink(address.sun_path);
    CHECK(rmdir(folder) == 0);
}

TEST_MAIN(CASE(path_of_the_host), CASE(path_of_the_socket_without_the_hosts))
