/* TCP connections: connecting, accepting, their states, reading and writing, and options. */
#include "test.h"
#include "conn_test.h"

#include <ae.h>
#include <netinet/tcp.h>

static aeEventLoop *el;
static int port, server, peer;
static connection *conn;

static void begin(void) {
    CHECK_INT(test_conn_types(), C_OK);
    el = aeCreateEventLoop(256);
    CHECK(el != NULL);
    server = test_listen(AF_INET, 16, &port);
}

static void end(void) {
    if (conn != NULL) connClose(conn);
    close(server);
    aeDeleteEventLoop(el);
}

static connection *new_connection(void) {
    connection *created = test_conn_create(el, TCP_TYPE);

    CHECK(created != NULL);
    return created;
}

/* A connection as a listener would deliver it; `peer` is the client's socket. */
static void accept_peer(void) {
    int fd;

    peer = test_connect(AF_INET, port);
    fd = test_accept(server, SOCK_NONBLOCK | SOCK_CLOEXEC);
    conn = test_conn_create_accepted(el, TCP_TYPE, fd);
    CHECK(conn != NULL);
    CHECK_INT(conn->fd, fd);
}

static int connected_state;

static void on_connect(connection *c) {
    connected_state = connGetState(c);
    test_note('c');
}

static void on_write(connection *c) {
    (void)c;
    test_note('w');
}

static void run_until_noted(char event) {
    while (strchr(test_log, event) == NULL) CHECK(aeProcessEvents(el, AE_ALL_EVENTS) >= 0);
}

/* ---- Connecting ---- */

static void new_connection_is_unconnected(void) {
    begin();
    CHECK_KEEPS_ERRNO((conn = test_conn_create(el, TCP_TYPE)) != NULL, 1);
    CHECK_INT(connGetState(conn), CONN_STATE_NONE);
    CHECK_INT(conn->fd, -1);
    CHECK_INT(conn->refs, 0);
    CHECK_INT(conn->flags, 0);
    CHECK_INT(conn->last_errno, 0);
    CHECK(conn->type == TCP_TYPE);
    CHECK(test_conn_has_type(conn, "tcp"));
    CHECK_INT(connHasReadHandler(conn), 0);
    CHECK_INT(connHasWriteHandler(conn), 0);
    CHECK_NULL(connGetPrivateData(conn));
    CHECK_INT(connBlock(conn), C_ERR);
    CHECK_INT(connNonBlock(conn), C_ERR);
    CHECK_INT(connEnableTcpNoDelay(conn), C_ERR);
    CHECK_INT(connDisableTcpNoDelay(conn), C_ERR);
    CHECK_INT(connKeepAlive(conn, 10), C_ERR);
    CHECK_INT(connSendTimeout(conn, 10), C_ERR);
    CHECK_INT(connRecvTimeout(conn, 10), C_ERR);
    end();
}

static void connect_ends_in_the_handler(void) {
    begin();
    conn = new_connection();
    CHECK_INT(connConnect(conn, "127.0.0.1", port, NULL, on_connect), C_OK);
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTING);
    CHECK(conn->fd != -1);
    CHECK_TEXT(test_noted(), "");
    conn->type->ae_handler(el, conn->fd, conn, AE_READABLE); /* which tells nothing of the connect */
    CHECK_FAILS(connConnect(conn, "127.0.0.1", port, NULL, on_connect), C_ERR, EALREADY); /* nor does this end it */
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTING);
    run_until_noted('c');
    CHECK_INT(connected_state, CONN_STATE_CONNECTED);
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    /* Once: writable stays so, and nobody watches for it now. */
    CHECK_INT(aeGetFileEvents(el, conn->fd), AE_NONE);
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT), 0);
    CHECK_TEXT(test_noted(), "c");
    CHECK(conn->conn_handler == NULL);
    end();
}

static void connect_from_a_source_address(void) {
    char ip[64];

    begin();
    conn = new_connection();
    CHECK_INT(connConnect(conn, "127.0.0.1", port, "127.0.0.2", on_connect), C_OK);
    run_until_noted('c');
    CHECK_INT(test_conn_own_name(conn, ip, sizeof(ip), NULL), C_OK);
    CHECK_TEXT(ip, "127.0.0.2");
    end();
}

static void write_handler_set_meanwhile_runs_after_the_connect(void) {
    begin();
    conn = new_connection();
    CHECK_INT(connConnect(conn, "127.0.0.1", port, NULL, on_connect), C_OK);
    CHECK_INT(connSetWriteHandler(conn, on_write), C_OK);
    run_until_noted('w');
    CHECK_TEXT(test_noted(), "cw");
    run_until_noted('w');
    CHECK_TEXT(test_noted(), "w");
    end();
}

static void refused_connect_is_an_error_in_the_handler(void) {
    begin();
    conn = new_connection();
    if (connConnect(conn, "127.0.0.1", test_closed_port(), NULL, on_connect) == C_OK) {
        run_until_noted('c');
        CHECK_INT(connected_state, CONN_STATE_ERROR);
    }
    CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
    CHECK_INT(conn->last_errno, ECONNREFUSED);
    CHECK_TEXT(connGetLastError(conn), "Connection refused");
    CHECK_INT(connLastErrorRetryable(conn), 0);
    conn->last_errno = 9999; /* which is none */
    CHECK_TEXT(connGetLastError(conn), strerror(9999));
    end();
}

static void failure_at_once_does_not_reach_the_handler(void) {
    begin();
    conn = new_connection();
    CHECK_INT(connConnect(conn, ":::", 80, NULL, on_connect), C_ERR);
    CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
    CHECK_INT(conn->fd, -1);
    CHECK(conn->last_errno != 0); /* departs from upstream, where the resolver leaves errno alone */
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT), 0);
    CHECK_TEXT(test_noted(), "");
    end();
}

static void on_connect_try_again(connection *c) {
    CHECK_INT(connGetState(c), CONN_STATE_ERROR);
    test_note('e');
    CHECK_INT(connConnect(c, "127.0.0.1", port, NULL, on_connect), C_OK);
}

/* Departs from upstream, which forgets the second handler and the first descriptor. */
static void handler_may_connect_again(void) {
    begin();
    conn = new_connection();
    if (connConnect(conn, "127.0.0.1", test_closed_port(), NULL, on_connect_try_again) == C_ERR) {
        end();
        SKIP("the kernel refuses at once");
    }
    run_until_noted('c');
    CHECK_TEXT(test_noted(), "ec");
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    end();
}

static void on_read_end(connection *c) {
    char buffer[8];

    test_note(connRead(c, buffer, sizeof(buffer)) == 0 ? 'e' : 'r');
}

/* The handlers belonged to the descriptor that is gone: set again, they work again. */
static void handlers_are_set_anew_after_another_connect(void) {
    int round;

    begin();
    conn = new_connection();
    for (round = 0; round < 2; round++) {
        CHECK_INT(connConnect(conn, "127.0.0.1", port, NULL, on_connect), C_OK);
        CHECK_INT(connHasReadHandler(conn), 0);
        CHECK_INT(connHasWriteHandler(conn), 0);
        run_until_noted('c');
        CHECK_TEXT(test_noted(), "c");
        CHECK_INT(connSetReadHandler(conn, on_read_end), C_OK);
        peer = test_accept(server, SOCK_CLOEXEC);
        CHECK_INT(connSetWriteHandler(conn, on_write), C_OK);
        run_until_noted('w');
        CHECK_TEXT(test_noted(), "w");
        close(peer);
        run_until_noted('e');
        test_noted();
        CHECK_INT(connGetState(conn), CONN_STATE_CLOSED);
    }
    end();
}

/* Departs from upstream, where the connection stays CONN_STATE_CONNECTING for ever. */
static void write_handler_taken_away_does_not_lose_the_connect(void) {
    begin();
    conn = new_connection();
    CHECK_INT(connConnect(conn, "127.0.0.1", port, NULL, on_connect), C_OK);
    CHECK_INT(connSetWriteHandler(conn, on_write), C_OK);
    CHECK_INT(connSetWriteHandler(conn, NULL), C_OK);
    CHECK_INT(aeGetFileEvents(el, conn->fd), AE_WRITABLE);
    run_until_noted('c');
    CHECK_TEXT(test_noted(), "c");
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    CHECK_INT(aeGetFileEvents(el, conn->fd), AE_NONE);
    end();
}

/* ---- Accepting ---- */

static void accept_ends_at_once(void) {
    begin();
    accept_peer();
    CHECK_INT(connGetState(conn), CONN_STATE_ACCEPTING);
    CHECK_KEEPS_ERRNO(connAccept(conn, on_connect), C_OK);
    CHECK_TEXT(test_noted(), "c");
    CHECK_INT(connected_state, CONN_STATE_CONNECTED);
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    CHECK_INT(connAccept(conn, on_connect), C_ERR); /* no longer accepting */
    CHECK_TEXT(test_noted(), "");
    connClose(conn);
    close(peer);
    accept_peer();
    CHECK_INT(connAccept(conn, NULL), C_OK);
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    close(peer);
    end();
}

/* ---- Reading and writing ---- */

static void begin_connected(void) {
    begin();
    accept_peer();
    CHECK_INT(connAccept(conn, NULL), C_OK);
}

static void end_connected(void) {
    if (peer != -1) close(peer);
    end();
}

/* Several buffers at once, where there is a function for that. */
static int write_parts(const struct iovec *parts, int count) {
#ifdef LIBAE_ABI_REDIS_6_2
    return (int)writev(conn->fd, parts, count);
#else
    return connWritev(conn, parts, count);
#endif
}

static void data_goes_both_ways(void) {
    struct iovec parts[3] = {{(char[]){"one "}, 4}, {(char[]){"two "}, 4}, {(char[]){"three"}, 5}};
    char buffer[64];

    begin_connected();
    CHECK_KEEPS_ERRNO(connWrite(conn, "hello", 5), 5);
    CHECK_INT(read(peer, buffer, sizeof(buffer)), 5);
    CHECK_KEEPS_ERRNO(write_parts(parts, 3), 13);
    CHECK_INT(read(peer, buffer, sizeof(buffer)), 13);
    CHECK(memcmp(buffer, "one two three", 13) == 0);
    test_send(peer, "there");
    test_await(conn->fd, POLLIN);
    CHECK_KEEPS_ERRNO(connRead(conn, buffer, 2), 2);
    CHECK_INT(connRead(conn, buffer, sizeof(buffer)), 3);
    CHECK(memcmp(buffer, "ere", 3) == 0);
    end_connected();
}

/* Over a unix socket: what fills a TCP socket may trickle on to the peer. */
static void nothing_to_do_is_not_an_error(void) {
    char buffer[8];
    int pair[2];

    begin();
    test_pair(pair);
    peer = pair[1];
    conn = test_conn_create_accepted(el, TCP_TYPE, pair[0]);
    CHECK(conn != NULL);
    CHECK_INT(connAccept(conn, NULL), C_OK);
    conn->last_errno = 77;
    CHECK_FAILS(connRead(conn, buffer, sizeof(buffer)), -1, EAGAIN);
    test_fill(conn->fd);
    CHECK_FAILS(connWrite(conn, "x", 1), -1, EAGAIN);
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    CHECK_INT(conn->last_errno, 77);
    conn->last_errno = EAGAIN;
    CHECK_INT(connLastErrorRetryable(conn), 0);
    conn->last_errno = EINTR;
    CHECK_INT(connLastErrorRetryable(conn), 1);
    end_connected();
}

static void end_of_input_is_closed(void) {
    char buffer[8];

    begin_connected();
    test_send(peer, "x");
    shutdown(peer, SHUT_WR);
    test_await(conn->fd, POLLIN);
    CHECK_INT(connRead(conn, buffer, sizeof(buffer)), 1);
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    CHECK_INT(connRead(conn, buffer, sizeof(buffer)), 0);
    CHECK_INT(connGetState(conn), CONN_STATE_CLOSED);
    end_connected();
}

static void reset_peer(void) {
    struct linger now = {1, 0};

    CHECK(setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) == 0);
    close(peer);
    peer = -1;
    test_await(conn->fd, POLLIN);
}

static void reset_is_an_error(void) {
    char buffer[8];

    begin_connected();
    reset_peer();
    CHECK_FAILS(connRead(conn, buffer, sizeof(buffer)), -1, ECONNRESET);
    CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
    CHECK_INT(conn->last_errno, ECONNRESET);
    CHECK_TEXT(connGetLastError(conn), "Connection reset by peer");
    end_connected();
}

static void writing_after_a_reset_is_an_error(void) {
    begin_connected();
    reset_peer();
    CHECK_INT(connWrite(conn, "x", 1), -1);
    CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
    CHECK(conn->last_errno == ECONNRESET || conn->last_errno == EPIPE);
    end_connected();
}

/* ---- About a connection ---- */

static void info_is_the_descriptor(void) {
    char info[32], expected[32];

    begin_connected();
    snprintf(expected, sizeof(expected), "fd=%d", conn->fd);
    CHECK(connGetInfo(conn, info, sizeof(info)) == info);
    CHECK_TEXT(info, expected);
    CHECK(connGetInfo(NULL, info, sizeof(info)) == info);
    CHECK_TEXT(info, "fd=-1");
    connSetPrivateData(conn, info);
    CHECK(connGetPrivateData(conn) == info);
    end_connected();
}

static int option(int level, int name) {
    int value = -1;
    socklen_t length = sizeof(value);

    CHECK(getsockopt(conn->fd, level, name, &value, &length) == 0);
    return value;
}

static void options_reach_the_socket(void) {
    struct timeval timeout;
    socklen_t length = sizeof(timeout);

    begin_connected();
    CHECK_INT(connBlock(conn), C_OK);
    CHECK_INT(fcntl(conn->fd, F_GETFL) & O_NONBLOCK, 0);
    CHECK_INT(connNonBlock(conn), C_OK);
    CHECK_INT(fcntl(conn->fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    CHECK_INT(connEnableTcpNoDelay(conn), C_OK);
    CHECK(option(IPPROTO_TCP, TCP_NODELAY) != 0);
    CHECK_INT(connDisableTcpNoDelay(conn), C_OK);
    CHECK_INT(option(IPPROTO_TCP, TCP_NODELAY), 0);
    CHECK_INT(connKeepAlive(conn, 30), C_OK);
    CHECK_INT(option(IPPROTO_TCP, TCP_KEEPIDLE), 30);
    CHECK_INT(connSendTimeout(conn, 3000), C_OK);
    CHECK_INT(connRecvTimeout(conn, 4000), C_OK);
    CHECK(getsockopt(conn->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, &length) == 0);
    CHECK_INT(timeout.tv_sec, 4);
    end_connected();
}

#ifndef LIBAE_ABI_REDIS_6_2
static void writing_parts_to_nobody_is_an_error(void) {
    struct iovec part = {(char[]){"x"}, 1};
    int pair[2];

    begin();
    test_pair(pair);
    close(pair[1]);
    conn = test_conn_create_accepted(el, TCP_TYPE, pair[0]);
    CHECK_INT(connAccept(conn, NULL), C_OK);
    CHECK_FAILS(connWritev(conn, &part, 1), -1, EPIPE);
    CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
    CHECK_INT(conn->last_errno, EPIPE);
    end();
}
#define CASES_OF_PARTS , CASE(writing_parts_to_nobody_is_an_error)
#else
#define CASES_OF_PARTS
#endif

TEST_MAIN(CASE(new_connection_is_unconnected), CASE(connect_ends_in_the_handler),
          CASE(connect_from_a_source_address), CASE(write_handler_set_meanwhile_runs_after_the_connect),
          CASE(refused_connect_is_an_error_in_the_handler), CASE(failure_at_once_does_not_reach_the_handler),
          CASE(handler_may_connect_again),
          CASE(handlers_are_set_anew_after_another_connect),
          CASE(write_handler_taken_away_does_not_lose_the_connect), CASE(accept_ends_at_once), CASE(data_goes_both_ways),
          CASE(nothing_to_do_is_not_an_error), CASE(end_of_input_is_closed), CASE(reset_is_an_error),
          CASE(writing_after_a_reset_is_an_error), CASE(info_is_the_descriptor), CASE(options_reach_the_socket) CASES_OF_PARTS)
