/* Connection handlers: when they run, and a connection closed inside them. */
#include "test.h"
#include "conn_test.h"

#include <ae.h>
#include <libae.h>

static aeEventLoop *el;
static connection *conn;
static int peer, conn_fd;

/* A connected connection over one end of a pair of TCP sockets, with something to read. */
static void begin(void) {
    int port, server, fd;

    CHECK_INT(test_conn_types(), C_OK);
    el = aeCreateEventLoop(256);
    CHECK(el != NULL);
    server = test_listen(AF_INET, 4, &port);
    peer = test_connect(AF_INET, port);
    fd = test_accept(server, SOCK_NONBLOCK | SOCK_CLOEXEC);
    close(server);
    conn = test_conn_create_accepted(el, TCP_TYPE, fd);
    CHECK(conn != NULL);
    conn_fd = fd;
    test_send(peer, "x");
}

static void begin_connected(void) {
    begin();
    CHECK_INT(connAccept(conn, NULL), C_OK);
    test_await(conn_fd, POLLIN);
}

static void end(void) {
    if (conn != NULL) connClose(conn);
    close(peer);
    aeDeleteEventLoop(el);
}

static int run_once(void) { return aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT); }

static void on_read(connection *c) {
    (void)c;
    test_note('r');
}

static void on_write(connection *c) {
    (void)c;
    test_note('w');
}

/* Closes the connection and looks at it once more: it must be there until the handler returns. */
static void on_close(connection *c) {
    CHECK(c == conn);
    test_note('x');
    connClose(c);
    CHECK_INT(c->fd, -1);
    CHECK(c->flags & CONN_FLAG_CLOSE_SCHEDULED);
    CHECK(c->type == TCP_TYPE);
    CHECK(!test_is_open(conn_fd));
    CHECK_INT(aeGetFileEvents(el, conn_fd), AE_NONE);
    conn = NULL;
}

/* ---- Handlers ---- */

static void handlers_watch_the_descriptor(void) {
    begin_connected();
    CHECK_INT(aeGetFileEvents(el, conn_fd), AE_NONE);
    CHECK_KEEPS_ERRNO(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(connHasReadHandler(conn), 1);
    CHECK_INT(connHasWriteHandler(conn), 0);
    CHECK_INT(aeGetFileEvents(el, conn_fd), AE_READABLE);
    CHECK(aeGetFileClientData(el, conn_fd) == conn);
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(connSetWriteHandler(conn, on_write), C_OK);
    CHECK_INT(connHasWriteHandler(conn), 1);
    CHECK_INT(aeGetFileEvents(el, conn_fd), AE_READABLE | AE_WRITABLE);
    CHECK_INT(connSetReadHandler(conn, NULL), C_OK);
    CHECK_INT(connHasReadHandler(conn), 0);
    CHECK_INT(aeGetFileEvents(el, conn_fd), AE_WRITABLE);
    CHECK_INT(connSetWriteHandler(conn, NULL), C_OK);
    CHECK_INT(connSetWriteHandler(conn, NULL), C_OK);
    CHECK_INT(aeGetFileEvents(el, conn_fd), AE_NONE);
    end();
}

static void closing_stops_the_watching(void) {
    begin_connected();
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(connSetWriteHandler(conn, on_write), C_OK);
    connClose(conn);
    conn = NULL;
    CHECK(!test_is_open(conn_fd));
    CHECK_INT(aeGetFileEvents(el, conn_fd), AE_NONE);
    CHECK_INT(run_once(), 0);
    CHECK_TEXT(test_noted(), "");
    end();
}

static void read_runs_before_write(void) {
    begin_connected();
    CHECK_INT(connSetWriteHandler(conn, on_write), C_OK);
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(run_once(), 1);
    CHECK_TEXT(test_noted(), "rw");
    end();
}

static void barrier_turns_the_order_round(void) {
    begin_connected();
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(connSetWriteHandlerWithBarrier(conn, on_write, 1), C_OK);
    CHECK(conn->flags & CONN_FLAG_WRITE_BARRIER);
    CHECK_INT(run_once(), 1);
    CHECK_TEXT(test_noted(), "wr");
    /* It goes with the handler. */
    CHECK_INT(connSetWriteHandler(conn, NULL), C_OK);
    CHECK_INT(conn->flags & CONN_FLAG_WRITE_BARRIER, 0);
    CHECK_INT(connSetWriteHandlerWithBarrier(conn, on_write, 0), C_OK);
    CHECK_INT(run_once(), 1);
    CHECK_TEXT(test_noted(), "rw");
    end();
}

static void on_read_then_stop(connection *c) {
    on_read(c);
    CHECK_INT(connSetReadHandler(c, NULL), C_OK);
    CHECK_INT(connSetWriteHandler(c, NULL), C_OK);
}

static void handler_stops_itself(void) {
    begin_connected();
    CHECK_INT(connSetReadHandler(conn, on_read_then_stop), C_OK);
    CHECK_INT(run_once(), 1);
    CHECK_INT(run_once(), 0);
    CHECK_TEXT(test_noted(), "r");
    CHECK_INT(connHasReadHandler(conn), 0);
    end();
}

static void on_read_then_write(connection *c) {
    on_read(c);
    CHECK_INT(connSetReadHandler(c, NULL), C_OK);
    CHECK_INT(connSetWriteHandler(c, on_write), C_OK);
}

static void handler_hands_over_to_the_other(void) {
    begin_connected();
    CHECK_INT(connSetReadHandler(conn, on_read_then_write), C_OK);
    CHECK_INT(run_once(), 1);
    CHECK_TEXT(test_noted(), "r");
    CHECK_INT(run_once(), 1);
    CHECK_TEXT(test_noted(), "w");
    end();
}

/* A hang-up counts as writable, but the write handler that is set on its account was not waiting for it. */
static void handler_set_by_the_other_waits_for_its_own_event(void) {
    struct linger reset = {1, 0};

    begin_connected();
    CHECK_INT(connSetReadHandler(conn, on_read_then_write), C_OK);
    CHECK(setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) == 0);
    shutdown(peer, SHUT_RDWR);
    CHECK(close(peer) == 0);
    peer = dup(conn_fd);
    while (run_once() == 0) continue;
    CHECK_TEXT(test_noted(), "r");
    CHECK_INT(run_once(), 1);
    CHECK_TEXT(test_noted(), "w");
    end();
}

static void peer_closing_wakes_the_reader(void) {
    char buffer[8];

    begin_connected();
    CHECK_INT(connRead(conn, buffer, sizeof(buffer)), 1);
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(run_once(), 0);
    shutdown(peer, SHUT_RDWR);
    while (run_once() == 0) continue;
    CHECK_TEXT(test_noted(), "r");
    CHECK_INT(connRead(conn, buffer, sizeof(buffer)), 0);
    end();
}

static void descriptor_out_of_range_is_told(void) {
    begin_connected();
    CHECK_INT(aeResizeSetSize(el, 1), AE_OK);
    CHECK_FAILS(connSetReadHandler(conn, on_read), C_ERR, ERANGE);
    CHECK_FAILS(connSetWriteHandler(conn, on_write), C_ERR, ERANGE);
    CHECK_INT(connHasReadHandler(conn), 0);
    CHECK_INT(connHasWriteHandler(conn), 0);
    /* The next time it works. */
    CHECK_INT(aeResizeSetSize(el, 256), AE_OK);
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(connSetWriteHandler(conn, on_write), C_OK);
    CHECK_INT(run_once(), 1);
    CHECK_TEXT(test_noted(), "rw");
    end();
}

/* ---- Closing inside ---- */

static void closed_in_the_read_handler(void) {
    begin_connected();
    CHECK_INT(connSetReadHandler(conn, on_close), C_OK);
    CHECK_INT(connSetWriteHandler(conn, on_write), C_OK);
    CHECK_INT(run_once(), 1);
    CHECK_TEXT(test_noted(), "x"); /* no longer the write handler */
    CHECK_INT(run_once(), 0);
    end();
}

static void closed_in_the_write_handler(void) {
    begin_connected();
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(connSetWriteHandlerWithBarrier(conn, on_close, 1), C_OK);
    CHECK_INT(run_once(), 1);
    CHECK_TEXT(test_noted(), "x");
    end();
}

static void on_close_twice(connection *c) {
    connClose(c);
    connClose(c);
    conn = NULL;
}

static void closed_twice_in_a_handler(void) {
    begin_connected();
    CHECK_INT(connSetReadHandler(conn, on_close_twice), C_OK);
    CHECK_INT(run_once(), 1);
    end();
}

static connection *connecting;
static int connecting_fd;

static void on_connect_close(connection *c) {
    CHECK(c == connecting);
    test_note(connGetState(c) == CONN_STATE_CONNECTED ? 'c' : 'e');
    connClose(c);
    CHECK_INT(c->fd, -1);
    CHECK(!test_is_open(connecting_fd));
}

static void connect_and_close(int port) {
    connecting = test_conn_create(el, TCP_TYPE);
    CHECK(connecting != NULL);
    if (connConnect(connecting, "127.0.0.1", port, NULL, on_connect_close) == C_ERR) {
        test_note('e');
        connClose(connecting);
        return;
    }
    connecting_fd = connecting->fd;
    CHECK_INT(connSetReadHandler(connecting, on_read), C_OK);
    CHECK_INT(connSetWriteHandler(connecting, on_write), C_OK);
    while (test_log[0] == '\0') CHECK(aeProcessEvents(el, AE_ALL_EVENTS) >= 0);
    CHECK_INT(run_once(), 0);
}

static void closed_in_the_connect_handler(void) {
    int port, server;

    begin_connected();
    server = test_listen(AF_INET, 4, &port);
    connect_and_close(port);
    CHECK_TEXT(test_noted(), "c");
    connect_and_close(test_closed_port());
    CHECK_TEXT(test_noted(), "e");
    close(server);
    end();
}

static connection *accepting;

static void on_accept_close(connection *c) {
    test_note('a');
    connClose(c);
}

/* As upstream says where it declares connAccept: on C_ERR the caller closes the connection, whether the handler
 * had closed it or not. Till then it is there: acceptCommonHandler looks at its state. (Not so in valkey-8.1.) */
static void closed_in_the_accept_handler(void) {
    begin();
    accepting = conn;
    CHECK_INT(connAccept(accepting, on_accept_close), C_ERR);
    CHECK_TEXT(test_noted(), "a");
    CHECK(!test_is_open(conn_fd));
    CHECK_INT(accepting->fd, -1);
    CHECK(accepting->flags & CONN_FLAG_CLOSE_SCHEDULED);
    CHECK(connGetState(accepting) != CONN_STATE_ERROR);
    connClose(accepting);
    conn = NULL;
    end();
}

/* A handler runs the loop, in which another handler of the same connection closes it: it stays for both. */
static void on_read_run_loop(connection *c) {
    test_note('(');
    CHECK_INT(connSetWriteHandler(c, on_close), C_OK);
    CHECK_INT(connSetReadHandler(c, NULL), C_OK);
    CHECK_INT(c->refs, 1);
    CHECK_INT(run_once(), 1);
    CHECK_INT(c->fd, -1);
    CHECK(c->flags & CONN_FLAG_CLOSE_SCHEDULED);
    CHECK_INT(c->refs, 1);
    test_note(')');
}

static void closed_by_a_handler_in_a_handler(void) {
    begin_connected();
    CHECK_INT(connSetReadHandler(conn, on_read_run_loop), C_OK);
    CHECK_INT(run_once(), 1);
    CHECK_TEXT(test_noted(), "(x)");
    end();
}

static int closes;

static void count_close(connection *c) {
    closes++;
    TCP_TYPE->close(c);
}

static void on_close_counted(connection *c) {
    connClose(c);
    conn = NULL;
}

static void on_read_run_counted(connection *c) {
    CHECK_INT(connSetWriteHandler(c, on_close_counted), C_OK);
    CHECK_INT(connSetReadHandler(c, NULL), C_OK);
    CHECK_INT(run_once(), 1);
    CHECK_INT(closes, 1);
}

/* A type may free a connection whenever it closes it, if it was not told before by a handler. */
static void type_closes_again_behind_the_last_handler(void) {
    ConnectionType own;

    begin_connected();
    own = *conn->type;
    own.close = count_close;
    conn->type = &own;
    CHECK_INT(connSetReadHandler(conn, on_read_run_counted), C_OK);
    CHECK_INT(run_once(), 1);
    CHECK_INT(closes, 2);
    end();
}

static connection *other;

static void on_close_other(connection *c) {
    (void)c;
    test_note('o');
    if (other != NULL) connClose(other);
    other = NULL;
}

/* Both fired; whichever runs first closes the other. */
static void closed_by_another_connection(void) {
    int pair[2];
    connection *third;

    begin_connected();
    test_pair(pair);
    third = test_conn_create_accepted(el, TCP_TYPE, pair[0]);
    CHECK(third != NULL);
    CHECK_INT(connAccept(third, NULL), C_OK);
    test_send(pair[1], "x");
    other = third;
    CHECK_INT(connSetReadHandler(conn, on_close_other), C_OK);
    CHECK_INT(connSetReadHandler(third, on_read), C_OK);
    run_once();
    CHECK_NULL(other);
    CHECK(!test_is_open(pair[0]));
    run_once();
    close(pair[1]);
    end();
}

/* A connection stays with the loop that it is registered with, though another has become the newest. */
static void connection_stays_with_its_loop(void) {
    aeEventLoop *newer;

    begin_connected();
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    newer = aeCreateEventLoop(256);
    CHECK(newer != NULL);
    CHECK_INT(connSetWriteHandler(conn, on_write), C_OK);
    CHECK_INT(aeGetFileEvents(el, conn_fd), AE_READABLE | AE_WRITABLE);
    CHECK_INT(aeGetFileEvents(newer, conn_fd), AE_NONE);
    CHECK_INT(connSetReadHandler(conn, NULL), C_OK);
    CHECK_INT(aeGetFileEvents(el, conn_fd), AE_WRITABLE);
    aeDeleteEventLoop(newer);
    end();
}

/* By default connections register with the newest loop; one that is older keeps nothing of a freed connection. */
static void another_loop_does_not_keep_a_closed_connection(void) {
    aeEventLoop *newer;
    int fds[2];

    begin_connected();
    test_pair(fds);
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    newer = aeCreateEventLoop(256);
    CHECK(newer != NULL);
    connClose(conn);
    conn = NULL;
    aeDeleteEventLoop(newer);
    CHECK_INT(aeGetFileEvents(el, conn_fd), AE_NONE);
    CHECK_INT(dup2(fds[0], conn_fd), conn_fd);
    test_send(fds[1], "x");
    CHECK_INT(run_once(), 0);
    CHECK_TEXT(test_noted(), "");
    test_close_pair(fds);
    close(conn_fd);
    end();
}

static void a_full_socket_calls_the_read_handler_alone(void) {
    begin_connected();
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(connSetWriteHandler(conn, on_write), C_OK);
    test_fill(conn_fd);
    CHECK_INT(run_once(), 1);
    CHECK_TEXT(test_noted(), "r");
    end();
}

/* ---- A loop that ends between two handlers ---- */

static void delete_loop(connection *c) {
    CHECK(c == conn);
    test_note('d');
    aeDeleteEventLoop(el);
    el = NULL;
}

static void end_without_loop(void) {
    CHECK(el == NULL);
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    connClose(conn);
    close(peer);
}

/* As for plain events: what the second handler uses may be gone. */
static void nothing_follows_a_deleted_loop(void) {
    begin_connected();
    CHECK_INT(connSetReadHandler(conn, delete_loop), C_OK);
    CHECK_INT(connSetWriteHandler(conn, on_write), C_OK);
    run_once();
    CHECK_TEXT(test_noted(), "d");
    end_without_loop();
    begin_connected();
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(connSetWriteHandlerWithBarrier(conn, delete_loop, 1), C_OK);
    run_once();
    CHECK_TEXT(test_noted(), "d");
    end_without_loop();
}

static void nothing_follows_a_loop_that_the_connect_handler_deletes(void) {
    int port, server, accepted;

    begin_connected();
    close(peer);
    connClose(conn);
    server = test_listen(AF_INET, 4, &port);
    conn = test_conn_create(el, TCP_TYPE);
    CHECK_INT(connConnect(conn, "127.0.0.1", port, NULL, delete_loop), C_OK);
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(connSetWriteHandler(conn, on_write), C_OK);
    accepted = test_accept(server, 0);
    test_send(accepted, "x");
    test_await(conn->fd, POLLIN);
    run_once();
    CHECK_TEXT(test_noted(), "d");
    close(accepted);
    close(server);
    peer = -1;
    end_without_loop();
}

static void on_read_stop_now(connection *c) {
    on_read(c);
    CHECK_INT(aeStopNow(el), AE_OK);
}

/* What is left out fires again. */
static void a_loop_that_stops_at_once_leaves_the_second_for_later(void) {
    begin_connected();
    CHECK_INT(connSetReadHandler(conn, on_read_stop_now), C_OK);
    CHECK_INT(connSetWriteHandler(conn, on_write), C_OK);
    run_once();
    CHECK_TEXT(test_noted(), "r");
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    run_once();
    CHECK_TEXT(test_noted(), "rw");
    end();
}

TEST_MAIN(CASE(nothing_follows_a_deleted_loop), CASE(nothing_follows_a_loop_that_the_connect_handler_deletes),
          CASE(a_loop_that_stops_at_once_leaves_the_second_for_later), CASE(a_full_socket_calls_the_read_handler_alone),
          CASE(handlers_watch_the_descriptor), CASE(closing_stops_the_watching), CASE(read_runs_before_write),
          CASE(barrier_turns_the_order_round), CASE(handler_stops_itself), CASE(handler_hands_over_to_the_other),
          CASE(handler_set_by_the_other_waits_for_its_own_event),
          CASE(peer_closing_wakes_the_reader), CASE(descriptor_out_of_range_is_told),
          CASE(closed_in_the_read_handler), CASE(closed_in_the_write_handler), CASE(closed_twice_in_a_handler),
          CASE(closed_in_the_connect_handler), CASE(closed_in_the_accept_handler),
          CASE(closed_by_a_handler_in_a_handler), CASE(type_closes_again_behind_the_last_handler), CASE(closed_by_another_connection),
          CASE(connection_stays_with_its_loop),
          CASE(another_loop_does_not_keep_a_closed_connection))
