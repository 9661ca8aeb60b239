/* The unix connection type. */
#include "test.h"
#include "conn_test.h"

#include <ae.h>
#include <sys/syscall.h>

static aeEventLoop *el;
static char folder[64], path[96];
static int server;
static connection *conn;

static int listen_at_path(int backlog) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    CHECK(fd != -1);
    strcpy(address.sun_path, path);
    CHECK(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    CHECK(listen(fd, backlog) == 0);
    return fd;
}

static void begin(void) {
    CHECK_INT(connTypeInitialize(), C_OK);
    el = aeCreateEventLoop(256);
    CHECK(el != NULL);
    test_folder(folder);
    snprintf(path, sizeof(path), "%s/socket", folder);
    server = listen_at_path(16);
    conn = test_conn_create(el, UNIX_TYPE);
    CHECK(conn != NULL);
}

static void end(void) {
    if (conn != NULL) connClose(conn);
    if (server != -1) close(server);
    aeDeleteEventLoop(el);
    unlink(path);
    CHECK(rmdir(folder) == 0);
}

static void on_connect(connection *c) { test_note(connGetState(c) == CONN_STATE_CONNECTED ? 'c' : 'e'); }

static void on_read(connection *c) {
    char buffer[16];

    test_note((char)('0' + connRead(c, buffer, sizeof(buffer))));
}

static void on_write(connection *c) {
    test_note('w');
    CHECK_INT(connWrite(c, "hello", 5), 5);
    CHECK_INT(connSetWriteHandler(c, NULL), C_OK);
}

static void on_close(connection *c) {
    test_note('x');
    connClose(c);
    CHECK_INT(c->fd, -1);
    conn = NULL;
}

/* A connection as a listener would deliver it; returns the client's socket. */
static int accept_client(void) {
    int pair[2];

    test_pair(pair);
    connClose(conn);
    conn = test_conn_create_accepted(el, UNIX_TYPE, pair[0]);
    CHECK(conn != NULL);
    CHECK_INT(connGetState(conn), CONN_STATE_ACCEPTING);
    CHECK_INT(connAccept(conn, on_connect), C_OK);
    CHECK_TEXT(test_noted(), "c");
    return pair[1];
}

static void new_connection_is_unconnected(void) {
    begin();
    CHECK(test_conn_has_type(conn, "unix"));
    CHECK(conn->type == connectionTypeUnix());
    CHECK_INT(connGetState(conn), CONN_STATE_NONE);
    CHECK_INT(conn->fd, -1);
    CHECK_INT(conn->iovcnt, IOV_MAX);
    CHECK_INT(connIsLocal(conn), 1);
    CHECK_INT(connIsTLS(conn), 0);
    CHECK_NULL(connGetPeerCert(conn));
    end();
}

static void accepted_connection_works_as_tcp(void) {
    struct iovec parts[2] = {{(char[]){"ab"}, 2}, {(char[]){"c"}, 1}};
    char buffer[16];
    int peer;

    begin();
    peer = accept_client();
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(connSetWriteHandler(conn, on_write), C_OK);
    test_send(peer, "abc");
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS), 1);
    CHECK_TEXT(test_noted(), "3w");
    CHECK_INT(read(peer, buffer, sizeof(buffer)), 5);
    CHECK_INT(connSetWriteHandlerWithBarrier(conn, on_write, 1), C_OK);
    test_send(peer, "abcd");
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS), 1);
    CHECK_TEXT(test_noted(), "w4");
    CHECK_INT(connWritev(conn, parts, 2), 3);
    close(peer);
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS), 1);
    CHECK(connGetState(conn) == CONN_STATE_CLOSED || connGetState(conn) == CONN_STATE_ERROR);
    end();
}

static void closed_in_a_handler(void) {
    int peer;

    begin();
    peer = accept_client();
    CHECK_INT(connSetReadHandler(conn, on_close), C_OK);
    CHECK_INT(connSetWriteHandler(conn, on_write), C_OK);
    test_send(peer, "x");
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS), 1);
    CHECK_TEXT(test_noted(), "x");
    close(peer);
    end();
}

#ifndef TEST_VALKEY_9 /* conn_address.c has it */
static void address_is_one_name(void) {
    char ip[64], text[64];
    int port = 5, peer;

    begin();
    peer = accept_client();
    CHECK_INT(connAddrPeerName(conn, ip, sizeof(ip), &port), C_OK);
    CHECK_TEXT(ip, "/unixsocket");
    CHECK_INT(port, 0);
    CHECK_INT(connAddrSockName(conn, ip, sizeof(ip), &port), C_OK);
    CHECK_TEXT(ip, "/unixsocket");
    CHECK_INT(connFormatAddr(conn, text, sizeof(text), 1), 13);
    CHECK_TEXT(text, "/unixsocket:0");
    CHECK_INT(connIsLocal(conn), 1);
    close(peer);
    end();
}
#define ADDRESS_CASE CASE(address_is_one_name),
#else
#define ADDRESS_CASE
#endif

static void sync_calls_work(void) {
    char buffer[16];
    int peer;

    begin();
    peer = accept_client();
    test_send(peer, "line\nrest");
    CHECK_INT(connSyncReadLine(conn, buffer, sizeof(buffer), 5000), 4);
    CHECK_TEXT(buffer, "line");
    CHECK_INT(connSyncRead(conn, buffer, 4, 5000), 4);
    CHECK_INT(connSyncWrite(conn, (char[]){"abc"}, 3, 5000), 3);
    CHECK_INT(test_drain(peer), 3);
    connShutdown(conn);
    CHECK_INT(read(peer, buffer, 1), 0);
    close(peer);
    end();
}

/* Departs from upstream, whose unix type cannot connect: its table has NULL there. */
static void connects_to_a_path(void) {
    begin();
    CHECK_INT(connConnect(conn, path, 0, NULL, on_connect), C_OK);
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTING);
    while (test_log[0] == '\0') CHECK(aeProcessEvents(el, AE_ALL_EVENTS) >= 0);
    CHECK_TEXT(test_noted(), "c");
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    connClose(conn);

    conn = test_conn_create(el, UNIX_TYPE);
    CHECK_INT(connBlockingConnect(conn, path, 0, 5000), C_OK);
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    CHECK_INT(fcntl(conn->fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    end();
}

/* Departs from upstream as above. */
static void failed_connect_is_told_at_once(void) {
    begin();
    close(server);
    server = -1;
    CHECK_FAILS(connConnect(conn, path, 0, NULL, on_connect), C_ERR, ECONNREFUSED);
    CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
    CHECK_INT(conn->last_errno, ECONNREFUSED);
    CHECK_TEXT(connGetLastError(conn), "Connection refused");
    unlink(path);
    CHECK_FAILS(connBlockingConnect(conn, path, 0, 1000), C_ERR, ENOENT);
    CHECK_INT(conn->last_errno, ENOENT);
    CHECK_TEXT(test_noted(), "");
    end();
}

/* ---- A queue that is full ---- */

static int clients[64], client_count;

static void fill_queue(void) {
    close(server);
    unlink(path);
    server = listen_at_path(1);
    for (client_count = 0; client_count < 64; client_count++) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        strcpy(address.sun_path, path);
        clients[client_count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (connect(clients[client_count], (struct sockaddr *)&address, sizeof(address)) == 0) continue;
        CHECK_INT(errno, EAGAIN);
        close(clients[client_count]);
        return;
    }
    FAIL("the queue has no end");
}

static void empty_queue(void) {
    while (client_count > 0) close(clients[--client_count]);
}

static void expect_timeout(int milliseconds) {
    long long before = test_now_us();

    CHECK_FAILS(connBlockingConnect(conn, path, 0, milliseconds), C_ERR, ETIMEDOUT);
    CHECK(test_now_us() - before >= milliseconds * 1000LL);
    CHECK_INT(conn->last_errno, ETIMEDOUT);
    CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
    CHECK_INT(conn->fd, -1);
}

/* Departs from upstream as above. */
static void blocking_connect_keeps_its_time_in_a_full_queue(void) {
    pid_t signals;

    begin();
    fill_queue();
    expect_timeout(0);
    expect_timeout(100);
    signals = test_start_signals();
    expect_timeout(150);
    test_stop_signals(signals);
    empty_queue();
    end();
}

static int connects;

int connect(int fd, const struct sockaddr *address, socklen_t length) {
    connects++;
    return (int)syscall(SYS_connect, fd, address, length);
}

/* The kernel wakes it when there is a place: it does not ask again and again. */
static void expect_place(int milliseconds) {
    struct timeval limit;
    socklen_t length = sizeof(limit);
    int i, status;
    pid_t child;

    begin();
    fill_queue();
    child = fork();
    CHECK(child != -1);
    if (child == 0) {
        test_sleep_us(50000);
        for (i = 0; i < client_count; i++) accept(server, NULL, NULL);
        _exit(0);
    }
    connects = 0;
    CHECK_INT(connBlockingConnect(conn, path, 0, milliseconds), C_OK);
    if (connects > 3) FAIL("%d connects for one", connects);
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    CHECK_INT(fcntl(conn->fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    CHECK(getsockopt(conn->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &length) == 0);
    CHECK_INT(limit.tv_sec, 0);
    CHECK_INT(limit.tv_usec, 0);
    CHECK_INT(connWrite(conn, "x", 1), 1);
    CHECK_INT(waitpid(child, &status, 0), child);
    empty_queue();
    end();
}

static void blocking_connect_waits_for_a_place(void) {
    expect_place(TEST_PATIENCE_MS);
    expect_place(-1);
}

TEST_MAIN(CASE(new_connection_is_unconnected), CASE(accepted_connection_works_as_tcp),
          CASE(closed_in_a_handler), ADDRESS_CASE CASE(sync_calls_work), CASE(connects_to_a_path),
          CASE(failed_connect_is_told_at_once),
          CASE(blocking_connect_keeps_its_time_in_a_full_queue), CASE(blocking_connect_waits_for_a_place))
