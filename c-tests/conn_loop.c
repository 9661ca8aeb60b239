/* redis-8.0: connections know their loop, leave it and get another one, also in another thread. */
#include "test.h"
#include "conn_test.h"

#include <pthread.h>
#include <semaphore.h>

static aeEventLoop *one, *two;
static connection *conn;
static int peer, conn_fd;

static void begin_loops(void) {
    CHECK_INT(connTypeInitialize(), C_OK);
    one = aeCreateEventLoop(256);
    two = aeCreateEventLoop(256); /* the newest: what a connection gets where it does not know its own */
    CHECK(one != NULL && two != NULL);
}

/* A connected connection, of loop `one` or of none. */
static void begin(int has_loop, ConnectionType *(*type)(void)) {
    int pair[2];

    begin_loops();
    test_pair(pair);
    conn_fd = pair[0];
    peer = pair[1];
    conn = connCreateAccepted(has_loop ? one : NULL, type(), conn_fd, NULL);
    CHECK(conn != NULL);
    CHECK_INT(connAccept(conn, NULL), C_OK);
}

static void end(void) {
    connClose(conn);
    close(peer);
    aeDeleteEventLoop(two);
    aeDeleteEventLoop(one);
}

static int run_once(aeEventLoop *el) { return aeProcessEvents(el, AE_FILE_EVENTS | AE_DONT_WAIT); }

static void on_read(connection *c) {
    char buffer[16];

    test_note((char)('0' + connRead(c, buffer, sizeof(buffer))));
}

static void on_write(connection *c) {
    test_note('w');
    CHECK_INT(connSetWriteHandler(c, NULL), C_OK);
}

/* ---- Knowing a loop ---- */

static void expect_handlers_in_own_loop(ConnectionType *(*type)(void)) {
    begin(1, type);
    CHECK(conn->el == one);
    CHECK_KEEPS_ERRNO(connHasEventLoop(conn), 1);
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(connSetWriteHandler(conn, on_write), C_OK);
    CHECK_INT(aeGetFileEvents(one, conn_fd), AE_READABLE | AE_WRITABLE);
    CHECK_INT(aeGetFileEvents(two, conn_fd), AE_NONE);
    test_send(peer, "abc");
    CHECK_INT(run_once(two), 0);
    CHECK_INT(run_once(one), 1);
    CHECK_TEXT(test_noted(), "3w");
    CHECK_INT(aeGetFileEvents(one, conn_fd), AE_READABLE);
    end();
}

static void handlers_are_registered_with_the_own_loop(void) {
    expect_handlers_in_own_loop(connectionTypeTcp);
    expect_handlers_in_own_loop(connectionTypeUnix);
}

static void on_connect(connection *c) { test_note(connGetState(c) == CONN_STATE_CONNECTED ? 'c' : 'e'); }

static void connect_ends_in_the_own_loop(void) {
    int port, server = test_listen(AF_INET, 4, &port);

    begin_loops();
    conn = connCreate(one, connectionTypeTcp());
    CHECK(conn->el == one);
    CHECK_INT(connConnect(conn, "127.0.0.1", port, NULL, on_connect), C_OK);
    CHECK_INT(aeGetFileEvents(one, conn->fd), AE_WRITABLE);
    CHECK_INT(aeGetFileEvents(two, conn->fd), AE_NONE);
    while (test_log[0] == '\0') CHECK(aeProcessEvents(one, AE_FILE_EVENTS) >= 0);
    CHECK_TEXT(test_noted(), "c");
    peer = dup(server);
    close(server);
    end();
}

static aeEventLoop *hosts_loop(void) { return two; }

static void own_loop_comes_before_the_hosts(void) {
    libaeHost host = {.size = sizeof(host), .current_loop = hosts_loop};

    CHECK_INT(libaeSetHost(&host), AE_OK);
    begin(1, connectionTypeTcp);
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(aeGetFileEvents(one, conn_fd), AE_READABLE);
    CHECK_INT(aeGetFileEvents(two, conn_fd), AE_NONE);
    end();
}

/* ---- Without a loop ---- */

static void without_a_loop_handlers_fail(void) {
    begin(0, connectionTypeTcp);
    CHECK_NULL(conn->el);
    CHECK_INT(connHasEventLoop(conn), 0);
    CHECK_FAILS(connSetReadHandler(conn, on_read), C_ERR, EINVAL);
    CHECK_FAILS(connSetWriteHandler(conn, on_write), C_ERR, EINVAL);
    CHECK_INT(connHasReadHandler(conn), 0);
    CHECK_INT(connWrite(conn, "hi", 2), 2);
    CHECK_KEEPS_ERRNO(connRebindEventLoop(conn, two), C_OK);
    CHECK(conn->el == two);
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(aeGetFileEvents(two, conn_fd), AE_READABLE);
    end();
}

/* Departs from upstream, where it is used after it has been freed. */
static void a_loop_that_is_gone_is_none(void) {
    aeEventLoop *later;

    begin(1, connectionTypeTcp);
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    aeDeleteEventLoop(one);
    later = aeCreateEventLoop(256); /* most of the time where the old one was */
    CHECK(later != NULL);
    CHECK_FAILS(connSetWriteHandler(conn, on_write), C_ERR, EINVAL);
    CHECK_NULL(conn->el);
    CHECK_INT(aeGetFileEvents(later, conn_fd), AE_NONE);
    CHECK_FAILS(connSetWriteHandler(conn, on_write), C_ERR, EINVAL); /* nor is it taken for the later one */
    CHECK_INT(connSetReadHandler(conn, NULL), C_OK);
    CHECK_INT(connRebindEventLoop(conn, later), C_OK);
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(aeGetFileEvents(later, conn_fd), AE_READABLE);
    one = later;
    end();
}

static void unbound_connection_has_no_handlers(void) {
    begin(1, connectionTypeTcp);
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(connSetWriteHandler(conn, on_write), C_OK);
    errno = 4242;
    connUnbindEventLoop(conn);
    CHECK_INT(errno, 4242);
    CHECK_NULL(conn->el);
    CHECK_INT(connHasEventLoop(conn), 0);
    CHECK_INT(connHasReadHandler(conn), 0);
    CHECK_INT(connHasWriteHandler(conn), 0);
    CHECK_INT(aeGetFileEvents(one, conn_fd), AE_NONE);
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    connUnbindEventLoop(conn); /* once more does no harm */
    CHECK_NULL(conn->el);
    test_send(peer, "x");
    CHECK_INT(run_once(one), 0);
    CHECK(test_is_open(conn_fd));
    end();
    CHECK(!test_is_open(conn_fd));
}

/* Departs from upstream, which aborts. */
static void bound_connection_cannot_be_bound(void) {
    begin(1, connectionTypeTcp);
    CHECK_FAILS(connRebindEventLoop(conn, two), C_ERR, EINVAL);
    CHECK(conn->el == one);
    CHECK_FAILS(connRebindEventLoop(conn, one), C_ERR, EINVAL);
    connUnbindEventLoop(conn);
    conn->read_handler = on_read; /* a handler that nobody has registered */
    CHECK_FAILS(connRebindEventLoop(conn, two), C_ERR, EINVAL);
    conn->read_handler = NULL;
    conn->write_handler = on_write;
    CHECK_FAILS(connRebindEventLoop(conn, two), C_ERR, EINVAL);
    conn->write_handler = NULL;
    CHECK_NULL(conn->el);
    CHECK_INT(connRebindEventLoop(conn, two), C_OK);
    end();
}

static void on_read_move(connection *c) {
    on_read(c);
    connUnbindEventLoop(c);
    CHECK_INT(connRebindEventLoop(c, two), C_OK);
    CHECK_INT(connSetReadHandler(c, on_read), C_OK);
}

/* Its write handler is gone with the loop, though it was due. */
static void handler_may_move_its_connection(void) {
    begin(1, connectionTypeTcp);
    CHECK_INT(connSetReadHandler(conn, on_read_move), C_OK);
    CHECK_INT(connSetWriteHandler(conn, on_write), C_OK);
    test_send(peer, "ab");
    CHECK_INT(run_once(one), 1);
    CHECK_TEXT(test_noted(), "2");
    test_send(peer, "c");
    CHECK_INT(run_once(one), 0);
    CHECK_INT(run_once(two), 1);
    CHECK_TEXT(test_noted(), "1");
    end();
}

/* ---- Another thread's loop ---- */

static sem_t handed_over, handed_back;
static aeEventLoop *threads_loop;
static pthread_t io_thread;
static int echoed, closes_there;
static const char *volatile trouble;

#define EXPECT(condition)                             \
    do {                                              \
        if (!(condition)) trouble = #condition;       \
    } while (0)

static void on_echo(connection *c) {
    char buffer[16];
    int count = connRead(c, buffer, sizeof(buffer));

    EXPECT(pthread_equal(pthread_self(), io_thread));
    EXPECT(count > 0 && connWrite(c, buffer, (size_t)count) == count);
    echoed++;
    if (closes_there) connClose(c);
    aeStop(threads_loop);
}

static void *run_io_thread(void *data) {
    (void)data;
    threads_loop = aeCreateEventLoop(256);
    EXPECT(threads_loop != NULL);
    for (;;) {
        while (sem_wait(&handed_over) == -1) continue;
        if (conn == NULL) break;
        EXPECT(connRebindEventLoop(conn, threads_loop) == C_OK);
        EXPECT(connSetReadHandler(conn, on_echo) == C_OK);
        EXPECT(aeGetFileEvents(threads_loop, conn_fd) == AE_READABLE);
        aeMain(threads_loop);
        if (!closes_there) connUnbindEventLoop(conn);
        EXPECT(aeGetFileEvents(threads_loop, conn_fd) == AE_NONE);
        sem_post(&handed_back);
    }
    aeDeleteEventLoop(threads_loop);
    return NULL;
}

/* As upstream's I/O threads get their clients and give them back, a few times. */
static void connection_moves_to_another_thread_and_back(void) {
    const int rounds = test_slow_tool() ? 20 : 200;
    char buffer[16];
    int round;

    begin(1, connectionTypeTcp);
    CHECK(sem_init(&handed_over, 0, 0) == 0 && sem_init(&handed_back, 0, 0) == 0);
    CHECK_INT(pthread_create(&io_thread, NULL, run_io_thread, NULL), 0);
    for (round = 1; round <= rounds; round++) {
        CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
        test_send(peer, "main");
        CHECK_INT(run_once(one), 1);
        CHECK_TEXT(test_noted(), "4");
        connUnbindEventLoop(conn);
        sem_post(&handed_over);
        test_send(peer, "thread");
        while (sem_wait(&handed_back) == -1) continue;
        if (trouble != NULL) FAIL("in the thread: %s", trouble);
        CHECK_INT(echoed, round);
        CHECK_INT(read(peer, buffer, sizeof(buffer)), 6);
        CHECK_INT(connRebindEventLoop(conn, one), C_OK);
    }
    /* Closed over there, it is gone from its loop, and its descriptor is closed. */
    closes_there = 1;
    connUnbindEventLoop(conn);
    sem_post(&handed_over);
    test_send(peer, "end");
    while (sem_wait(&handed_back) == -1) continue;
    CHECK(!test_is_open(conn_fd));
    conn = NULL;
    sem_post(&handed_over);
    CHECK_INT(pthread_join(io_thread, NULL), 0);
    if (trouble != NULL) FAIL("in the thread: %s", trouble);
    CHECK_INT(aeGetFileEvents(one, conn_fd), AE_NONE);
    sem_destroy(&handed_over);
    sem_destroy(&handed_back);
    end();
}

/* ---- Listeners ---- */

static void on_accepted(connection *accepted, int flags, char *ip) {
    (void)flags;
    (void)ip;
    conn = accepted;
}

static void expect_accepted_by(aeEventLoop **el, ConnectionType *(*type)(void), int server, int client) {
    CHECK_INT(aeCreateFileEvent(*el, server, AE_READABLE, connAcceptHandler(type()), NULL), AE_OK);
    while (conn == NULL) CHECK(aeProcessEvents(*el, AE_FILE_EVENTS) >= 0);
    CHECK(conn->el == *el);
    CHECK(conn->type == type());
    connClose(conn);
    conn = NULL;
    aeDeleteFileEvent(*el, server, AE_READABLE);
    close(client);
}

static void accepted_connection_has_the_listeners_loop(void) {
    libaeHost host = {.size = sizeof(host), .accepted = on_accepted, .current_loop = hosts_loop};
    int port, server = test_listen(AF_INET, 4, &port);

    CHECK_INT(libaeSetHost(&host), AE_OK);
    begin_loops();
    expect_accepted_by(&one, connectionTypeTcp, server, test_connect(AF_INET, port));
    expect_accepted_by(&two, connectionTypeTcp, server, test_connect(AF_INET, port));
    /* The unix type's handler does not ask what kind of socket it is. */
    expect_accepted_by(&one, connectionTypeUnix, server, test_connect(AF_INET, port));
    close(server);
    aeDeleteEventLoop(two);
    aeDeleteEventLoop(one);
}

/* ---- What types are told ---- */

static aeEventLoop *told;
static int told_fd, unbound;
static connection own;

static const char *own_get_type(connection *c) {
    (void)c;
    return "own";
}

static connection *own_create(aeEventLoop *el) {
    told = el;
    return &own;
}

static connection *own_create_accepted(aeEventLoop *el, int fd, void *priv) {
    told = el;
    told_fd = fd;
    return priv;
}

static int own_pending(aeEventLoop *el) {
    told = el;
    return el == one ? 3 : 0;
}

static void own_unbind(connection *c) {
    CHECK(c->el == one); /* it may have something to take away there */
    unbound++;
}

static int own_rebind(connection *c, aeEventLoop *el) {
    c->el = el;
    return 7;
}

static int own_set_handler(connection *c, ConnectionCallbackFunc handler) {
    c->read_handler = handler;
    return C_OK;
}

static int own_set_write_handler(connection *c, ConnectionCallbackFunc handler, int barrier) {
    (void)barrier;
    c->write_handler = handler;
    return C_OK;
}

static ConnectionType own_type = {
    .get_type = own_get_type,
    .conn_create = own_create,
    .conn_create_accepted = own_create_accepted,
    .set_read_handler = own_set_handler,
    .set_write_handler = own_set_write_handler,
    .unbind_event_loop = own_unbind,
    .rebind_event_loop = own_rebind,
    .has_pending_data = own_pending,
    .process_pending_data = own_pending,
};

static void types_are_told_the_loop(void) {
    begin_loops();
    CHECK_INT(connTypeRegister(&own_type), C_OK);
    CHECK(connCreate(two, &own_type) == &own);
    CHECK(told == two);
    CHECK(connCreateAccepted(one, &own_type, 42, &own) == &own);
    CHECK(told == one);
    CHECK_INT(told_fd, 42);
    CHECK_INT(connTypeHasPendingData(two), 0);
    CHECK(told == two);
    CHECK_INT(connTypeHasPendingData(one), 1);
    CHECK(told == one);
    CHECK_INT(connTypeProcessPendingData(two), 0);
    CHECK(told == two);
    CHECK_INT(connTypeProcessPendingData(one), 3);
    CHECK(told == one);

    own = (connection){.type = &own_type, .el = one, .read_handler = on_read, .write_handler = on_write};
    connUnbindEventLoop(&own);
    CHECK_INT(unbound, 1);
    CHECK(own.el == NULL && own.read_handler == NULL && own.write_handler == NULL);
    connUnbindEventLoop(&own);
    CHECK_INT(unbound, 1);
    CHECK_INT(connRebindEventLoop(&own, two), 7);
    CHECK(own.el == two);
    aeDeleteEventLoop(two);
    aeDeleteEventLoop(one);
}

TEST_MAIN(CASE(handlers_are_registered_with_the_own_loop), CASE(connect_ends_in_the_own_loop),
          CASE(own_loop_comes_before_the_hosts), CASE(without_a_loop_handlers_fail),
          CASE(a_loop_that_is_gone_is_none), CASE(unbound_connection_has_no_handlers), CASE(bound_connection_cannot_be_bound),
          CASE(handler_may_move_its_connection), CASE(connection_moves_to_another_thread_and_back),
          CASE(accepted_connection_has_the_listeners_loop), CASE(types_are_told_the_loop))
