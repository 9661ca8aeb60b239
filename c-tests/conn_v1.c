/* Connections up to redis-7.0, as far as they are not what later ones are too (conn_tcp.c, conn_handlers.c, conn_sync.c):
 * types as numbers, addresses by which end, the socket's error, and TLS that nobody has
 * configured. */
#include "test.h"
#include "conn_test.h"

#include <anet.h>

static aeEventLoop *el;
static int port, server, peer;
static connection *conn;

static void begin_listening(int family) {
    el = aeCreateEventLoop(256);
    CHECK(el != NULL);
    server = test_listen(family, 4, &port);
}

static void begin_connected(int family) {
    int fd;

    begin_listening(family);
    peer = test_connect(family, port);
    fd = test_accept(server, SOCK_NONBLOCK | SOCK_CLOEXEC);
    conn = connCreateAcceptedSocket(fd);
    CHECK(conn != NULL);
    CHECK_INT(conn->fd, fd);
    CHECK_INT(connAccept(conn, NULL), C_OK);
}

static void end_listening(void) {
    if (conn != NULL) connClose(conn);
    close(server);
    aeDeleteEventLoop(el);
}

static void end_connected(void) {
    close(peer);
    end_listening();
}

/* ---- Types ---- */

static void types_are_numbers(void) {
    CHECK_INT(CONN_TYPE_SOCKET, 1);
    CHECK_INT(CONN_TYPE_TLS, 2);
    CHECK_KEEPS_ERRNO((conn = connCreateSocket()) != NULL, 1);
    CHECK(conn->type == &CT_Socket);
    CHECK_KEEPS_ERRNO(connGetType(conn), CONN_TYPE_SOCKET);
    connClose(conn);
}

static void table_of_sockets_is_whole(void) {
    void *entries[sizeof(ConnectionType) / sizeof(void *)];
    size_t i;

    memcpy(entries, &CT_Socket, sizeof(entries));
    for (i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
        if (entries[i] == NULL) FAIL("entry %zu of %zu is NULL", i, sizeof(entries) / sizeof(entries[0]));
}

/* A type of the program's own has its own number. */
static int own_get_type(connection *c) {
    (void)c;
    return 42;
}

static void own_type_has_its_number(void) {
    ConnectionType own_type = {.get_type = own_get_type};
    connection own = {.type = &own_type};

    CHECK_INT(connGetType(&own), 42);
    CHECK_FAILS(connWrite(&own, "x", 1), -1, EINVAL); /* departs from upstream, which calls NULL */
}

static void tls_without_settings(void) {
    CHECK_INT(isTlsConfigured(), 0);
    errno = 0;
    conn = connCreateTLS();
    if (conn == NULL) {
        CHECK_INT(errno, EOPNOTSUPP); /* a library without TLS: upstream returns NULL then, too */
        CHECK_FAILS_NULL(connCreateAcceptedTLS(3, 1), EOPNOTSUPP);
    } else {
        CHECK_INT(connGetType(conn), CONN_TYPE_TLS);
        CHECK_NULL(connTLSGetPeerCert(conn));
        connClose(conn);
        conn = connCreateAcceptedTLS(-1, 1);
        CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
        connClose(conn);
    }
    CHECK_INT(tlsHasPendingData(), 0);
    CHECK_INT(tlsProcessPendingData(), 0);
    conn = connCreateSocket();
    CHECK_NULL(connTLSGetPeerCert(conn));
    connClose(conn);
}

/* ---- Addresses ---- */

static void expect_addresses(const char *ip, const char *format) {
    char found[64], text[64], expected[64];
    int found_port = -1;

    CHECK_KEEPS_ERRNO(connPeerToString(conn, found, sizeof(found), &found_port), C_OK);
    CHECK_TEXT(found, ip);
    CHECK_INT(found_port, test_port(peer));
    CHECK_KEEPS_ERRNO(connSockName(conn, found, sizeof(found), &found_port), C_OK);
    CHECK_TEXT(found, ip);
    CHECK_INT(found_port, port);
    CHECK_INT(connPeerToString(conn, NULL, 0, NULL), C_OK);

    snprintf(expected, sizeof(expected), format, test_port(peer));
    CHECK_KEEPS_ERRNO(connFormatFdAddr(conn, text, sizeof(text), FD_TO_PEER_NAME), (long long)strlen(expected));
    CHECK_TEXT(text, expected);
    CHECK_KEEPS_ERRNO(connFormatPeer(conn, text, sizeof(text)), (long long)strlen(expected));
    CHECK_TEXT(text, expected);
    CHECK_INT(anetFormatFdAddr(conn->fd, text, sizeof(text), FD_TO_PEER_NAME), (long long)strlen(expected));
    CHECK_TEXT(text, expected);
    snprintf(expected, sizeof(expected), format, port);
    CHECK_INT(connFormatFdAddr(conn, text, sizeof(text), FD_TO_SOCK_NAME), (long long)strlen(expected));
    CHECK_TEXT(text, expected);
    CHECK_INT(anetFormatFdAddr(conn->fd, text, sizeof(text), FD_TO_SOCK_NAME), (long long)strlen(expected));
    CHECK_TEXT(text, expected);
    CHECK_INT(connFormatFdAddr(conn, text, 5, FD_TO_PEER_NAME), (long long)strlen(expected));
    CHECK_INT(strlen(text), 4);
}

static void addresses_of_both_ends(void) {
    CHECK_INT(FD_TO_PEER_NAME, 0);
    CHECK_INT(FD_TO_SOCK_NAME, 1);
    begin_connected(AF_INET);
    expect_addresses("127.0.0.1", "127.0.0.1:%d");
    end_connected();
}

static void addresses_of_ipv6(void) {
    test_needs_ipv6();
    begin_connected(AF_INET6);
    expect_addresses("::1", "[::1]:%d");
    end_connected();
}

static void addresses_of_unix_sockets(void) {
    char ip[64], text[64];
    int pair[2], found = 5;

    test_pair(pair);
    conn = connCreateAcceptedSocket(pair[0]);
    CHECK_INT(connPeerToString(conn, ip, sizeof(ip), &found), C_OK);
    CHECK_TEXT(ip, "/unixsocket");
    CHECK_INT(found, 0);
    CHECK_INT(connFormatFdAddr(conn, text, sizeof(text), FD_TO_SOCK_NAME), 13);
    CHECK_TEXT(text, "/unixsocket:0");
    connClose(conn);
    close(pair[1]);
}

/* Of NULL as upstream asks it for a client that is none (but connSockName, which upstream lets crash). */
static void no_address_is_a_question_mark(void) {
    char ip[64] = "unset", text[64];
    int found = 5;

    CHECK_FAILS(connPeerToString(NULL, ip, sizeof(ip), &found), C_ERR, EBADF);
    CHECK_TEXT(ip, "?");
    CHECK_INT(found, 0);
    strcpy(ip, "unset");
    CHECK_FAILS(connSockName(NULL, ip, sizeof(ip), &found), C_ERR, EBADF);
    CHECK_TEXT(ip, "?");
    CHECK_INT(connFormatFdAddr(NULL, text, sizeof(text), FD_TO_PEER_NAME), 3);
    CHECK_TEXT(text, "?:0");
    CHECK_INT(connFormatFdAddr(NULL, text, sizeof(text), FD_TO_SOCK_NAME), 3);
    CHECK_TEXT(text, "?:0");
    conn = connCreateSocket();
    strcpy(ip, "unset");
    CHECK_FAILS(connPeerToString(conn, ip, sizeof(ip), &found), C_ERR, EBADF);
    CHECK_TEXT(ip, "?");
    CHECK_INT(conn->last_errno, EBADF);
    connClose(conn);
}

/* ---- The socket's error ---- */

static void socket_error_is_told_once(void) {
    begin_connected(AF_INET);
    CHECK_KEEPS_ERRNO(connGetSocketError(conn), 0);
    end_connected();

    conn = connCreateSocket();
    conn->fd = anetTcpNonBlockConnect(NULL, (char[]){"127.0.0.1"}, test_closed_port());
    if (conn->fd == -1) {
        connClose(conn);
        SKIP("the kernel refuses at once");
    }
    test_await(conn->fd, POLLOUT);
    CHECK_KEEPS_ERRNO(connGetSocketError(conn), ECONNREFUSED);
    CHECK_INT(connGetSocketError(conn), 0);
    connClose(conn);

    conn = connCreateSocket();
    CHECK_INT(connGetSocketError(conn), EBADF);
    connClose(conn);
}

/* ---- Without a loop ---- */

static void sync_calls_need_no_loop(void) {
    char buffer[16];

    server = test_listen(AF_INET, 4, &port);
    conn = connCreateSocket();
    CHECK_INT(connBlockingConnect(conn, "127.0.0.1", port, TEST_PATIENCE_MS), C_OK);
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    peer = test_accept(server, SOCK_CLOEXEC);
    CHECK_INT(connSyncWrite(conn, (char[]){"PING\r\n"}, 6, TEST_PATIENCE_MS), 6);
    CHECK_INT(read(peer, buffer, sizeof(buffer)), 6);
    test_send(peer, "+PONG\r\n");
    CHECK_INT(connSyncReadLine(conn, buffer, sizeof(buffer), TEST_PATIENCE_MS), 6);
    CHECK_TEXT(buffer, "+PONG");
    connClose(conn);
    close(peer);
    close(server);
}

TEST_MAIN(CASE(types_are_numbers), CASE(table_of_sockets_is_whole), CASE(own_type_has_its_number),
          CASE(tls_without_settings), CASE(addresses_of_both_ends), CASE(addresses_of_ipv6),
          CASE(addresses_of_unix_sockets), CASE(no_address_is_a_question_mark), CASE(socket_error_is_told_once),
          CASE(sync_calls_need_no_loop))
