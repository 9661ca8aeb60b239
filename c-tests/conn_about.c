/* What connections have from redis-7.2 on: addresses by "remote", writev's limit, shutdown, is_local. */
#include "test.h"
#include "conn_test.h"

static aeEventLoop *el;
static int port, peer;
static connection *conn;

/* A connected connection, and its peer's socket. */
static void begin_connected(void) {
    int server = test_listen(AF_INET, 4, &port), fd;

    CHECK_INT(connTypeInitialize(), C_OK);
    el = aeCreateEventLoop(256);
    CHECK(el != NULL);
    peer = test_connect(AF_INET, port);
    fd = test_accept(server, SOCK_NONBLOCK | SOCK_CLOEXEC);
    close(server);
    conn = test_conn_create_accepted(el, TCP_TYPE, fd);
    CHECK(conn != NULL);
    CHECK_INT(connAccept(conn, NULL), C_OK);
}

static void end_connected(void) {
    connClose(conn);
    close(peer);
    aeDeleteEventLoop(el);
}

static void new_connection_has_no_socket_to_shut_down(void) {
    CHECK_INT(connTypeInitialize(), C_OK);
    conn = test_conn_create(NULL, TCP_TYPE);
    CHECK(conn != NULL);
    CHECK_INT(conn->iovcnt, IOV_MAX);
    connShutdown(conn);
    CHECK_INT(connGetState(conn), CONN_STATE_NONE);
    connClose(conn);
}

static void shutdown_reaches_the_peer(void) {
    char buffer[8];

    begin_connected();
    connShutdown(conn);
    CHECK_INT(read(peer, buffer, sizeof(buffer)), 0);
    CHECK(conn->fd != -1);
    CHECK_INT(connWrite(conn, "x", 1), -1);
    CHECK_INT(conn->last_errno, EPIPE);
    CHECK_INT(connRead(conn, buffer, sizeof(buffer)), 0); /* though the peer has closed nothing */
    end_connected();
}

static void addresses_of_both_ends(void) {
    char ip[64], text[64], expected[64];
    int found;

    begin_connected();
    CHECK_KEEPS_ERRNO(connAddr(conn, ip, sizeof(ip), &found, 1), C_OK);
    CHECK_TEXT(ip, "127.0.0.1");
    CHECK_INT(found, test_port(peer));
    CHECK_INT(connAddrPeerName(conn, ip, sizeof(ip), &found), C_OK);
    CHECK_INT(found, test_port(peer));
    CHECK_INT(connAddrSockName(conn, ip, sizeof(ip), &found), C_OK);
    CHECK_INT(found, port);
    CHECK_INT(connAddr(conn, NULL, 0, &found, 0), C_OK);
    CHECK_INT(found, port);
    snprintf(expected, sizeof(expected), "127.0.0.1:%d", test_port(peer));
    CHECK_KEEPS_ERRNO(connFormatAddr(conn, text, sizeof(text), 1), (long long)strlen(expected));
    CHECK_TEXT(text, expected);
    snprintf(expected, sizeof(expected), "127.0.0.1:%d", port);
    CHECK_INT(connFormatAddr(conn, text, sizeof(text), 0), (long long)strlen(expected));
    CHECK_TEXT(text, expected);
    CHECK_INT(formatAddr(text, sizeof(text), (char[]){"::1"}, 80), 8);
    CHECK_TEXT(text, "[::1]:80");
    CHECK_INT(connIsLocal(conn), 1);
    end_connected();

    conn = test_conn_create(NULL, TCP_TYPE);
    CHECK_FAILS(connAddr(conn, ip, sizeof(ip), &found, 1), C_ERR, EBADF);
    CHECK_INT(conn->last_errno, EBADF);
    CHECK_INT(connIsLocal(conn), -1);
    CHECK_INT(connFormatAddr(conn, text, sizeof(text), 1), -1);
    connClose(conn);
}

/* A socket that listens on both families gives an IPv4 client an address of IPv6. */
static void ipv4_client_of_an_ipv6_socket_is_local(void) {
    struct sockaddr_in6 mapped = {.sin6_family = AF_INET6};
    socklen_t length = sizeof(mapped);
    int both, fd;

    test_needs_ipv6();
    CHECK_INT(connTypeInitialize(), C_OK);
    mapped.sin6_addr.s6_addr[10] = mapped.sin6_addr.s6_addr[11] = 255;
    mapped.sin6_addr.s6_addr[12] = 127;
    mapped.sin6_addr.s6_addr[15] = 1;
    both = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(both != -1);
    CHECK(setsockopt(both, IPPROTO_IPV6, IPV6_V6ONLY, &(int){0}, sizeof(int)) == 0);
    CHECK(bind(both, (struct sockaddr *)&mapped, length) == 0 && listen(both, 4) == 0);
    peer = test_connect(AF_INET, test_port(both));
    fd = test_accept(both, SOCK_NONBLOCK | SOCK_CLOEXEC);
    CHECK(getpeername(fd, (struct sockaddr *)&mapped, &length) == 0);
    CHECK_INT(mapped.sin6_family, AF_INET6);
    conn = test_conn_create_accepted(NULL, TCP_TYPE, fd);
    CHECK(conn != NULL);
    CHECK_INT(connIsLocal(conn), 1);
    connClose(conn);
    close(peer);
    close(both);
}

/* Whatever type somebody has given it. */
static void unix_socket_is_local(void) {
    int pair[2];

    CHECK_INT(connTypeInitialize(), C_OK);
    test_pair(pair);
    conn = test_conn_create_accepted(NULL, TCP_TYPE, pair[0]);
    CHECK(conn != NULL);
    CHECK_INT(connIsLocal(conn), 1);
    connClose(conn);
    close(pair[1]);
}

TEST_MAIN(CASE(new_connection_has_no_socket_to_shut_down), CASE(shutdown_reaches_the_peer),
          CASE(addresses_of_both_ends), CASE(ipv4_client_of_an_ipv6_socket_is_local),
          CASE(unix_socket_is_local))
