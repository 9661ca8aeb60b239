/* System calls that fail or are interrupted once: what connections and listeners make of it. */
#include "test.h"
#include "conn_test.h"
#include "failing_calls.h"

#include <ae.h>
#include <libae.h>

/* ---- A connection and its peer ---- */

static aeEventLoop *el;
static int port, server, peer;
static connection *conn;

static void begin(void) {
    CHECK_INT(test_conn_types(), C_OK);
    el = aeCreateEventLoop(256);
    CHECK(el != NULL);
    server = test_listen(AF_INET, 16, &port);
}

static void begin_connected(void) {
    begin();
    peer = test_connect(AF_INET, port);
    conn = test_conn_create_accepted(el, TCP_TYPE, test_accept(server, SOCK_NONBLOCK | SOCK_CLOEXEC));
    CHECK(conn != NULL);
    CHECK_INT(connAccept(conn, NULL), C_OK);
}

static void end(void) {
    connClose(conn);
    if (peer != -1) close(peer);
    close(server);
    aeDeleteEventLoop(el);
}

/* ---- Reading and writing ---- */

static void interruption_breaks_nothing(void) {
    char buffer[8];

    begin_connected();
    reads = writes = (struct failures){1, {EINTR}};
    CHECK_FAILS(connWrite(conn, "x", 1), -1, EINTR);
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    CHECK_INT(conn->last_errno, EINTR);
    CHECK_FAILS(connRead(conn, buffer, sizeof(buffer)), -1, EINTR);
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    CHECK_INT(connRead(conn, buffer, 0), 0); /* nor is this the end */
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    CHECK_INT(connWrite(conn, "x", 1), 1);
    end();
}

static void full_buffers_are_no_error(void) {
    begin_connected();
    conn->last_errno = 0;
    writes = (struct failures){1, {EAGAIN}};
    CHECK_FAILS(connWrite(conn, "x", 1), -1, EAGAIN);
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    CHECK_INT(conn->last_errno, 0);
    end();
}

static void error_breaks_the_connection(void) {
    char buffer[8];

    begin_connected();
    reads = (struct failures){1, {EIO}};
    CHECK_FAILS(connRead(conn, buffer, sizeof(buffer)), -1, EIO);
    CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
    CHECK_INT(conn->last_errno, EIO);
    end();
}

static void error_after_the_end_leaves_it_closed(void) {
    char buffer[8];

    begin_connected();
    CHECK(shutdown(peer, SHUT_WR) == 0);
    test_await(conn->fd, POLLIN);
    CHECK_INT(connRead(conn, buffer, sizeof(buffer)), 0);
    CHECK_INT(connGetState(conn), CONN_STATE_CLOSED);
    writes = (struct failures){1, {EPIPE}};
    CHECK_FAILS(connWrite(conn, "x", 1), -1, EPIPE);
    CHECK_INT(connGetState(conn), CONN_STATE_CLOSED);
    CHECK_INT(conn->last_errno, EPIPE);
    end();
}

static void interrupted_sync_calls_go_on(void) {
    char there[] = "hello", line[8];

    begin_connected();
    writes = (struct failures){3, {EINTR, EAGAIN, EINTR}};
    polls = (struct failures){1, {EINTR}};
    CHECK_INT(connSyncWrite(conn, there, 5, TEST_PATIENCE_MS), 5);
    CHECK_INT(writes.count, 0);
    CHECK_INT(polls.count, 0);
    CHECK_INT(recv(peer, line, sizeof(line), 0), 5);
    CHECK_INT(send(peer, "ab\ncd", 5, MSG_NOSIGNAL), 5);
    test_await(conn->fd, POLLIN);
    reads = (struct failures){3, {EINTR, EAGAIN, EINTR}};
    polls = (struct failures){1, {EINTR}};
    CHECK_INT(connSyncReadLine(conn, line, sizeof(line), TEST_PATIENCE_MS), 2);
    CHECK_TEXT(line, "ab");
    CHECK_INT(reads.count, 0);
    CHECK_INT(polls.count, 0);
    reads = (struct failures){1, {EINTR}};
    CHECK_INT(connSyncRead(conn, line, 2, TEST_PATIENCE_MS), 2);
    CHECK_INT(reads.count, 0);
    polls = (struct failures){1, {ENOMEM}};
    CHECK_FAILS(connSyncRead(conn, line, 1, TEST_PATIENCE_MS), -1, ENOMEM);
    CHECK_INT(conn->last_errno, ENOMEM);
    end();
}

/* ---- Connecting ---- */

static void interrupted_blocking_connect_goes_on(void) {
    begin();
    peer = -1;
    conn = test_conn_create(el, TCP_TYPE);
    connects = (struct failures){1, {EINTR}};
    polls = (struct failures){2, {EINTR, EINTR}};
    CHECK_INT(connBlockingConnect(conn, "127.0.0.1", port, TEST_PATIENCE_MS), C_OK);
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    CHECK_INT(connects.count + polls.count, 0);
    end();
}

static void failed_wait_for_a_connect_is_told(void) {
    begin();
    peer = -1;
    conn = test_conn_create(el, TCP_TYPE);
    polls = (struct failures){1, {ENOMEM}};
    CHECK_FAILS(connBlockingConnect(conn, "127.0.0.1", port, TEST_PATIENCE_MS), C_ERR, ENOMEM);
    CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
    CHECK_INT(conn->fd, -1);
    end();
}

static void no_socket_to_connect_with_is_told(void) {
    begin();
    peer = -1;
    conn = test_conn_create(el, TCP_TYPE);
    sockets = (struct failures){1, {EMFILE}};
    CHECK_FAILS(connConnect(conn, "127.0.0.1", port, NULL, NULL), C_ERR, EMFILE);
    CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
    CHECK_INT(conn->last_errno, EMFILE);
    CHECK_INT(conn->fd, -1);
    end();
}

/* ---- Listeners ---- */

#ifdef TEST_CONN_V1

#define LISTENER_CASES

#else

static int warnings, accepted;

static void on_log(int level, const char *message) {
    (void)message;
    warnings += level == LIBAE_LOG_WARNING;
}

static void on_accepted(connection *new, int flags, char *ip) {
    (void)flags;
    (void)ip;
    accepted++;
    connClose(new);
}

static libaeHost host = {.size = sizeof(libaeHost), .accepted = on_accepted, .log = on_log};
static char four[] = "127.0.0.1", six[] = "::1";
static char *addresses[] = {six, four};

static void begin_listener(connListener *listener) {
    CHECK_INT(libaeSetHost(&host), AE_OK);
    begin();
    *listener = (connListener){.bindaddr = addresses, .bindaddr_count = 2, .ct = TCP_TYPE};
}

/* The errors of a kernel without IPv6, whichever call has them. */
static void family_that_the_machine_has_not_is_left_out(void) {
    static const int errors[] = {EAFNOSUPPORT, EPFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT, ENOPROTOOPT};
    connListener listener;
    size_t i;

    for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        begin_listener(&listener);
        sockets = (struct failures){1, {errors[i]}};
        CHECK_INT(connListen(&listener), C_OK);
        CHECK_INT(listener.count, 1);
        CHECK_INT(warnings, 0);
        close(test_connect(AF_INET, test_port(listener.fd[0])));
        close(listener.fd[0]);
        close(server);
        aeDeleteEventLoop(el);
    }
}

static void other_failures_of_an_address_are_told(void) {
    static const int errors[] = {EMFILE, EACCES, EINVAL};
    connListener listener;
    size_t i;

    for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        begin_listener(&listener);
        warnings = 0;
        sockets = (struct failures){1, {errors[i]}};
        CHECK_FAILS(connListen(&listener), C_ERR, errors[i]);
        CHECK_INT(listener.count, 0);
        CHECK_INT(warnings, 1);
        close(server);
        aeDeleteEventLoop(el);
    }
}

/* What one of those who wait has done is no reason to rest. */
static void next_client_is_accepted_in_the_same_call(void) {
    int client;

    CHECK_INT(libaeSetHost(&host), AE_OK);
    begin();
    CHECK_INT(aeCreateFileEvent(el, server, AE_READABLE, connAcceptHandler(TCP_TYPE), NULL), AE_OK);
    client = test_connect(AF_INET, port);
    test_await(server, POLLIN);
    accepts = (struct failures){4, {EPROTO, ECONNABORTED, EINTR, EHOSTUNREACH}};
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS | AE_DONT_WAIT), 1);
    CHECK_INT(accepts.count, 0);
    CHECK_INT(accepted, 1);
    CHECK_INT(warnings, 0);
    close(client);
    close(server);
    aeDeleteEventLoop(el);
}

static void interrupted_blocking_connect_to_a_path_is_made_again(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char folder[64];
    int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    test_folder(folder);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", folder);
    CHECK(bind(listening, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(listening, 4) == 0);
    begin();
    peer = -1;
    conn = test_conn_create(el, UNIX_TYPE);
    connects = (struct failures){2, {EINTR, EINTR}};
    CHECK_INT(connBlockingConnect(conn, address.sun_path, 0, TEST_PATIENCE_MS), C_OK);
    CHECK_INT(connects.count, 0);
    CHECK_INT(connWrite(conn, "x", 1), 1);
    close(listening);
    unlink(address.sun_path);
    CHECK(rmdir(folder) == 0);
    end();
}

#define LISTENER_CASES                                                                              \
    CASE(interrupted_blocking_connect_to_a_path_is_made_again),                                     \
        CASE(family_that_the_machine_has_not_is_left_out), CASE(other_failures_of_an_address_are_told), \
        CASE(next_client_is_accepted_in_the_same_call),

#endif

TEST_MAIN(CASE(interruption_breaks_nothing), CASE(full_buffers_are_no_error), CASE(error_breaks_the_connection),
          CASE(error_after_the_end_leaves_it_closed), CASE(interrupted_sync_calls_go_on),
          LISTENER_CASES CASE(interrupted_blocking_connect_goes_on), CASE(failed_wait_for_a_connect_is_told),
          CASE(no_socket_to_connect_with_is_told))
