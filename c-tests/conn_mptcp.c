/* From valkey-9.0 on: sockets over MPTCP. The names of the functions are in parentheses, or the macros of profile.h
 * would leave the argument out. */
#include "test.h"
#include "conn_test.h"

#include <ae.h>
#include <anet.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static char err[ANET_ERR_LEN], here[] = "127.0.0.1";

static int protocol_of(int fd) {
    int protocol = -1;
    socklen_t size = sizeof(protocol);

    CHECK(getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0);
    return protocol;
}

/* Where the kernel has none, a socket of it is refused, and nothing falls back. */
static int is_there(void) {
    int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);

    if (fd == -1) return 0;
    close(fd);
    return 1;
}

static void system_has_it(void) { CHECK_KEEPS_ERRNO(anetHasMptcp(), 1); }

static void servers_are_of_the_protocol(void) {
    int protocols[] = {IPPROTO_TCP, IPPROTO_MPTCP}, i, fd;

    for (i = 0; i < 2; i++) {
        fd = (anetTcpServer)(err, 0, here, 5, i);
        if (i == 1 && !is_there()) {
            CHECK_INT(fd, ANET_ERR);
            SKIP("no MPTCP here");
        }
        if (fd == ANET_ERR) FAIL("%s", err);
        CHECK_INT(protocol_of(fd), protocols[i]);
        close(fd);
        fd = (anetTcp6Server)(err, 0, NULL, 5, i);
        if (fd == ANET_ERR && errno != EAFNOSUPPORT) FAIL("%s", err);
        if (fd == ANET_ERR) continue;
        CHECK_INT(protocol_of(fd), protocols[i]);
        close(fd);
    }
}

static void connects_over_it(void) {
    int port, listening = test_listen(AF_INET, 5, &port), fd;

    fd = (anetTcpNonBlockBestEffortBindConnect)(err, here, port, NULL, 0);
    CHECK(fd != ANET_ERR);
    CHECK_INT(protocol_of(fd), IPPROTO_TCP);
    close(fd);
    fd = (anetTcpNonBlockBestEffortBindConnect)(err, here, port, NULL, 1);
    if (is_there()) {
        CHECK(fd != ANET_ERR);
        CHECK_INT(protocol_of(fd), IPPROTO_MPTCP);
        close(fd);
        /* Without the source address, which cannot be bound, it is still MPTCP. */
        fd = (anetTcpNonBlockBestEffortBindConnect)(err, here, port, "192.0.2.1", 1);
        CHECK(fd != ANET_ERR);
        CHECK_INT(protocol_of(fd), IPPROTO_MPTCP);
        close(fd);
    } else {
        CHECK_INT(fd, ANET_ERR);
    }
    close(listening);
}

static int connected;

static void on_connected(connection *conn) {
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    connected++;
}

static void connections_over_it(void) {
    int port, listening = test_listen(AF_INET, 5, &port), multipath;
    aeEventLoop *el = aeCreateEventLoop(64);
    connection *conn;

    CHECK_INT(connTypeInitialize(), C_OK);
    for (multipath = 0; multipath < 2; multipath++) {
        conn = connCreate(connectionTypeTcp());
        if (multipath && !is_there()) {
            CHECK_INT((connConnect)(conn, here, port, NULL, 1, on_connected), C_ERR);
        } else {
            CHECK_INT((connConnect)(conn, here, port, NULL, multipath, on_connected), C_OK);
            CHECK_INT(protocol_of(conn->fd), multipath ? IPPROTO_MPTCP : IPPROTO_TCP);
            while (connected == multipath) aeProcessEvents(el, AE_ALL_EVENTS);
        }
        connClose(conn);
    }
    close(listening);
    aeDeleteEventLoop(el);
}

TEST_MAIN(CASE(system_has_it), CASE(servers_are_of_the_protocol), CASE(connects_over_it), CASE(connections_over_it))
