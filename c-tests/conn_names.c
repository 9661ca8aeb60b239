/* Connections connected to a host by its name while the loop goes on. The resolver is this program's. */
#include "test.h"
#include "conn_test.h"
#include "failing_calls.h"
#include "names_test.h"

#include <ae.h>
#include <anet.h>
#include <libae.h>
#include <netinet/tcp.h>

static char err[ANET_ERR_LEN];
static libaeSocketOptions options = {.size = sizeof(options)};
static aeEventLoop *el;
static connection *conn;
static int calls, state, port, listening;

static void begin(void) {
    CHECK_INT(test_conn_types(), C_OK);
    el = aeCreateEventLoop(256);
    CHECK(el != NULL);
    conn = test_conn_create(el, TCP_TYPE);
    CHECK(conn != NULL);
    listening = test_listen(AF_INET, 8, &port);
}

static void end(void) {
    close(listening);
    if (conn != NULL) connClose(conn);
    if (el != NULL) aeDeleteEventLoop(el);
    let_go();
    await_no_threads();
}

static void on_connected(connection *told) {
    CHECK(told == conn);
    calls++;
    state = connGetState(conn);
}

static void connect_to(const char *name) {
    CHECK_KEEPS_ERRNO(libaeConnConnectName(err, conn, name, port, &options, on_connected), C_OK);
    CHECK_INT(calls, 0);
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTING);
    CHECK_INT(conn->fd, -1);
}

static void run_until_told(void) {
    while (calls == 0) CHECK(aeProcessEvents(el, AE_ALL_EVENTS) >= 0);
    CHECK_INT(calls, 1);
    CHECK(conn == NULL || conn->conn_handler == NULL);
}

static void expect_failure(const char *name, int error) {
    calls = 0;
    connect_to(name);
    run_until_told();
    CHECK_INT(state, CONN_STATE_ERROR);
    CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
    CHECK_INT(conn->last_errno, error);
    CHECK_TEXT(connGetLastError(conn), strerror(error));
    CHECK_INT(conn->fd, -1);
    CHECK_INT(el->maxfd, -1);
}

/* ---- How it goes ---- */

static int ticks;

static TIME_RESULT tick(aeEventLoop *loop, long long id, void *data) {
    (void)loop;
    (void)id;
    (void)data;
    CHECK_INT(calls, 0);
    if (++ticks < 3) return 1;
    let_go();
    return AE_NOMORE;
}

static void the_loop_goes_on_meanwhile(void) {
    begin();
    options.user_timeout = 4321;
    connect_to("slow");
    CHECK(aeCreateTimeEvent(el, 1, tick, NULL, NULL) >= 0);
    run_until_told();
    CHECK_INT(ticks, 3);
    CHECK_INT(state, CONN_STATE_CONNECTED);
    CHECK(conn->fd >= 0);
    CHECK(fcntl(conn->fd, F_GETFL) & O_NONBLOCK);
    CHECK(fcntl(conn->fd, F_GETFD) & FD_CLOEXEC);
    CHECK_INT(getsockopt(conn->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &state, &(socklen_t){sizeof(state)}), 0);
    CHECK_INT(state, 4321);
    CHECK_INT(aeGetFileEvents(el, conn->fd), AE_NONE);
    CHECK_FAILS(libaeConnConnectName(err, conn, "slow", port, NULL, on_connected), C_ERR, EISCONN);
    end();
}

/* Neither a read nor a write is over before there is a socket, as while one connects. */
static void data_waits_for_the_socket(void) {
    char byte;

    begin();
    connect_to("slow");
    CHECK_FAILS(connWrite(conn, "x", 1), -1, EAGAIN);
    CHECK_FAILS(connRead(conn, &byte, 1), -1, EAGAIN);
    CHECK_INT(conn->last_errno, 0);
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTING);
    let_go();
    run_until_told();
    CHECK_INT(connWrite(conn, "x", 1), 1);
    end();
}

static void a_refused_address_is_followed_by_the_next(void) {
    char ip[64];
    int peer_port = 0, own = 0;

    begin();
    options.source = "127.0.0.3";
    connect_to("two");
    run_until_told();
    CHECK_INT(state, CONN_STATE_CONNECTED);
    CHECK_INT(anetFdToString(conn->fd, ip, sizeof(ip), &peer_port, REMOTE_END), 0);
    CHECK_TEXT(ip, "127.0.0.1");
    CHECK_INT(peer_port, port);
    CHECK_INT(anetFdToString(conn->fd, ip, sizeof(ip), &own, OWN_END), 0);
    CHECK_TEXT(ip, "127.0.0.3");
    end();
}

static void failures_are_told_and_may_be_tried_again(void) {
    int real_port;

    begin();
    real_port = port;
    expect_failure("none", EADDRNOTAVAIL);
    expect_failure("again", EAGAIN);
    port = test_closed_port();
    expect_failure("two", ECONNREFUSED);
    port = real_port;
    calls = 0;
    connect_to("two");
    run_until_told();
    CHECK_INT(state, CONN_STATE_CONNECTED);
    end();
}

static void no_socket_is_told(void) {
    begin();
    sockets = (struct failures){2, {EMFILE, EMFILE}};
    expect_failure("two", EMFILE);
    end();
}

static void a_set_that_is_too_small_is_told(void) {
    begin();
    connClose(conn);
    aeDeleteEventLoop(el);
    el = aeCreateEventLoop(2);
    conn = test_conn_create(el, TCP_TYPE);
    expect_failure("two", ERANGE);
    end();
}

/* ---- Handlers ---- */

static void on_read(connection *told) {
    char buffer[8];

    CHECK_INT(connRead(told, buffer, sizeof(buffer)), 1);
    test_note('r');
}

static void on_write(connection *told) {
    CHECK_INT(connSetWriteHandler(told, NULL), C_OK);
    test_note('w');
}

static void note_connected(connection *told) {
    on_connected(told);
    test_note('c');
}

static void handlers_may_be_set_before(void) {
    int accepted;

    begin();
    CHECK_INT(libaeConnConnectName(err, conn, "slow", port, NULL, note_connected), C_OK);
    CHECK_KEEPS_ERRNO(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(connSetWriteHandler(conn, on_read), C_OK);
    CHECK_INT(connSetWriteHandler(conn, NULL), C_OK);
    CHECK_INT(connSetWriteHandler(conn, on_write), C_OK);
    CHECK_INT(el->maxfd, -1);
    let_go();
    run_until_told();
    CHECK_INT(aeGetFileEvents(el, conn->fd), AE_READABLE | AE_WRITABLE);
    accepted = test_accept(listening, 0);
    test_send(accepted, "x");
    while (strchr(test_log, 'r') == NULL || strchr(test_log, 'w') == NULL) aeProcessEvents(el, AE_ALL_EVENTS);
    CHECK_INT(test_log[0], 'c');
    CHECK_INT(aeGetFileEvents(el, conn->fd), AE_READABLE);
    close(accepted);
    end();
}

/* ---- Ends ---- */

static void a_closed_connection_is_not_told(void) {
    int open;

    begin();
    CHECK_INT(aeWakeup(el), AE_OK); /* the loop's own waker is there */
    aeProcessEvents(el, AE_ALL_EVENTS);
    open = test_open_fds();
    connect_to("slow");
    await_lookups(1);
    CHECK_KEEPS_ERRNO((connClose(conn), 0), 0);
    let_go();
    await_no_threads();
    aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT);
    /* Nor is one whose socket is connecting. */
    conn = test_conn_create(el, TCP_TYPE);
    connect_to("127.0.0.1");
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS), 1);
    CHECK(el->maxfd != -1);
    CHECK_INT(test_open_fds(), open + 1);
    connClose(conn);
    conn = NULL;
    CHECK_INT(el->maxfd, -1);
    CHECK_INT(test_open_fds(), open);
    CHECK_INT(calls, 0);
    end();
}

static void close_it(connection *told) {
    on_connected(told);
    connClose(told);
    conn = NULL;
}

static void the_handler_may_close_it(void) {
    begin();
    CHECK_INT(libaeConnConnectName(err, conn, "two", port, NULL, close_it), C_OK);
    run_until_told();
    CHECK_INT(state, CONN_STATE_CONNECTED);
    conn = test_conn_create(el, TCP_TYPE);
    calls = 0;
    CHECK_INT(libaeConnConnectName(err, conn, "none", port, NULL, close_it), C_OK);
    run_until_told();
    CHECK_INT(state, CONN_STATE_ERROR);
    end();
}

static void connect_again(connection *told) {
    on_connected(told);
    CHECK_INT(libaeConnConnectName(err, told, "two", port, NULL, on_connected), C_OK);
}

static void the_handler_may_connect_again(void) {
    begin();
    CHECK_INT(libaeConnConnectName(err, conn, "none", port, NULL, connect_again), C_OK);
    while (calls < 2) CHECK(aeProcessEvents(el, AE_ALL_EVENTS) >= 0);
    CHECK_INT(state, CONN_STATE_CONNECTED);
    end();
}

static void a_loop_that_goes_first_says_so(void) {
    int connecting;

    for (connecting = 0; connecting < 2; connecting++) {
        begin();
        calls = 0;
        connect_to(connecting ? "127.0.0.1" : "slow");
        if (connecting) CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS), 1);
        aeDeleteEventLoop(el);
        el = NULL;
        CHECK_INT(calls, 1);
        CHECK_INT(state, CONN_STATE_ERROR);
        CHECK_INT(conn->last_errno, ECANCELED);
        CHECK_INT(conn->fd, -1);
        end();
    }
}

static void a_loop_that_goes_first_may_have_its_connections_closed(void) {
    begin();
    CHECK_INT(libaeConnConnectName(err, conn, "slow", port, NULL, close_it), C_OK);
    aeDeleteEventLoop(el);
    el = NULL;
    CHECK_INT(calls, 1);
    CHECK_INT(state, CONN_STATE_ERROR);
    end();
}

/* A connection stays with the loop that it has asked, whichever was made meanwhile. */
static void it_stays_with_its_loop(void) {
    aeEventLoop *newer;

    begin();
    connect_to("slow");
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    newer = aeCreateEventLoop(256);
    CHECK(newer != NULL);
    let_go();
    run_until_told();
    CHECK_INT(aeGetFileEvents(el, conn->fd), AE_READABLE);
    CHECK_INT(newer->maxfd, -1);
    connClose(conn);
    conn = NULL;
    aeDeleteEventLoop(newer);
    end();
}

static aeEventLoop *current;

static aeEventLoop *current_loop(void) { return current; }

/* Where it waited for its socket it has nothing registered any more: the host's hook decides again. */
static void afterwards_its_loop_is_found_as_ever(void) {
    libaeHost host = {.size = sizeof(host), .current_loop = current_loop};
    aeEventLoop *other;

    begin();
    CHECK_INT(libaeSetHost(&host), AE_OK);
    current = el;
    connect_to("slow");
    current = other = aeCreateEventLoop(256);
    CHECK(other != NULL);
    let_go();
    run_until_told();
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
#ifdef TEST_CONN_LOOP
    CHECK_INT(aeGetFileEvents(el, conn->fd), AE_READABLE); /* it knows its loop itself */
#else
    CHECK_INT(aeGetFileEvents(other, conn->fd), AE_READABLE);
#endif
    connClose(conn);
    conn = NULL;
    aeDeleteEventLoop(other);
    end();
    CHECK_INT(libaeSetHost(NULL), AE_OK);
}

/* ---- Arguments ---- */

static void expect_refused(const char *name, int error, const char *text) {
    CHECK_FAILS(libaeConnConnectName(err, conn, name, port, &options, on_connected), C_ERR, error);
    CHECK_CONTAINS(err, text);
    CHECK_INT(conn->fd, -1);
}

static void bad_arguments_are_errors(void) {
    begin();
    CHECK_FAILS(libaeConnConnectName(NULL, NULL, "two", port, NULL, NULL), C_ERR, EINVAL);
    expect_refused(NULL, EINVAL, "name");
    CHECK_INT(connGetState(conn), CONN_STATE_NONE);
    options.source = "localhost";
    expect_refused("two", EINVAL, "source that is a name");
    CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
    options.source = NULL;
    options.backlog = 1;
    expect_refused("two", EINVAL, "backlog");
    options.backlog = 0;
    options.user_timeout = -1;
    expect_refused("two", EINVAL, "user_timeout");
    options.user_timeout = 0;
    port = 65536;
    expect_refused("two", EINVAL, "port");
    port = -1;
    expect_refused("two", EINVAL, "port");
    CHECK_INT(conn->last_errno, EINVAL);
    port = 1;
    connect_to("slow");
    CHECK_FAILS(libaeConnConnectName(err, conn, "two", port, NULL, on_connected), C_ERR, EALREADY);
    CHECK_FAILS(connConnect(conn, "127.0.0.1", port, NULL, on_connected), C_ERR, EALREADY);
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTING);
    CHECK_INT(calls, 0);
    end();
}

static void unix_sockets_have_no_host(void) {
    connection *local;

    begin();
    local = test_conn_create(el, UNIX_TYPE);
    CHECK_FAILS(libaeConnConnectName(err, local, "@name", 0, NULL, on_connected), C_ERR, EOPNOTSUPP);
    connClose(local);
    end();
}

#ifdef TEST_CONN_LOOP

/* A connection that leaves the loop while it has no socket gets none. */
static void one_that_leaves_its_loop_ends(void) {
    aeEventLoop *other;

    begin();
    connect_to("slow");
    connUnbindEventLoop(conn);
    CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
    CHECK_INT(conn->last_errno, ECANCELED);
    let_go();
    await_no_threads();
    aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT);
    CHECK_INT(calls, 0);
    other = aeCreateEventLoop(64);
    CHECK_INT(connRebindEventLoop(conn, other), C_OK);
    connect_to("two");
    aeDeleteEventLoop(el);
    el = other;
    run_until_told();
    CHECK_INT(state, CONN_STATE_CONNECTED);
    end();
}

#define LEAVING , CASE(one_that_leaves_its_loop_ends)
#else
#define LEAVING
#endif

static connection *other;
static int other_calls;

static void on_other_connected(connection *told) {
    CHECK(told == other);
    CHECK_INT(connGetState(told), CONN_STATE_CONNECTED);
    other_calls++;
}

static void closing_one_leaves_the_others(void) {
    begin();
    other = test_conn_create(el, TCP_TYPE);
    connect_to("slow");
    CHECK_INT(libaeConnConnectName(err, other, "slow", port, &options, on_other_connected), C_OK);
    await_lookups(2);
    connClose(conn);
    conn = NULL;
    let_go();
    while (other_calls == 0) CHECK(aeProcessEvents(el, AE_ALL_EVENTS) >= 0);
    CHECK_INT(calls, 0);
    connClose(other);
    end();
}

TEST_MAIN(CASE(data_waits_for_the_socket), CASE(closing_one_leaves_the_others),
          CASE(the_loop_goes_on_meanwhile), CASE(a_refused_address_is_followed_by_the_next),
          CASE(failures_are_told_and_may_be_tried_again), CASE(no_socket_is_told),
          CASE(a_set_that_is_too_small_is_told), CASE(handlers_may_be_set_before),
          CASE(a_closed_connection_is_not_told), CASE(the_handler_may_close_it), CASE(the_handler_may_connect_again),
          CASE(a_loop_that_goes_first_says_so), CASE(a_loop_that_goes_first_may_have_its_connections_closed),
          CASE(it_stays_with_its_loop), CASE(afterwards_its_loop_is_found_as_ever),
          CASE(bad_arguments_are_errors), CASE(unix_sockets_have_no_host) LEAVING)
