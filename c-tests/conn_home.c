/* Which loop a connection belongs to where it does not say so itself, and no host names one. */
#include "test.h"
#include "another_thread.h"
#include "conn_test.h"

#include <ae.h>

static aeEventLoop *one, *two;
static connection *conn;
static int peer;

static void on_read(connection *c) {
    char buffer[16];

    test_note((char)('0' + connRead(c, buffer, sizeof(buffer))));
}

static void on_nothing(connection *c) { (void)c; }

static void begin_loops(void) {
    CHECK_INT(test_conn_types(), C_OK);
    one = aeCreateEventLoop(64);
    two = aeCreateEventLoop(64);
    CHECK(one != NULL && two != NULL);
}

/* A connection that knows no loop, and its peer. */
static void begin_connection(void) {
    int pair[2];

    test_pair(pair);
    conn = test_conn_create_accepted(NULL, UNIX_TYPE, pair[0]);
    CHECK(conn != NULL);
    peer = pair[1];
    CHECK_INT(connAccept(conn, NULL), C_OK);
}

static void end_connection(void) {
    connClose(conn);
    close(peer);
}

static void end_loops(void) {
    aeDeleteEventLoop(two);
    aeDeleteEventLoop(one);
}

/* ---- Several loops of one thread ---- */

/* A moment without handlers is not a reason to move to a loop that was made meanwhile. */
static void it_stays_with_its_loop(void) {
    aeEventLoop *three;

    begin_loops();
    begin_connection();
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(aeGetFileEvents(two, conn->fd), AE_READABLE);
    three = aeCreateEventLoop(64);
    CHECK_INT(connSetWriteHandler(conn, on_nothing), C_OK);
    CHECK_INT(aeGetFileEvents(two, conn->fd), AE_READABLE | AE_WRITABLE);
    CHECK_INT(connSetWriteHandler(conn, NULL), C_OK);
    CHECK_INT(connSetReadHandler(conn, NULL), C_OK);
    CHECK_INT(aeGetFileEvents(two, conn->fd), AE_NONE);
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(aeGetFileEvents(two, conn->fd), AE_READABLE);
    CHECK_INT(aeGetFileEvents(three, conn->fd), AE_NONE);
    end_connection();
    aeDeleteEventLoop(three);
    end_loops();
}

static void the_newest_follows_a_loop_that_is_gone(void) {
    begin_loops();
    begin_connection();
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    aeDeleteEventLoop(two);
    CHECK_INT(connSetReadHandler(conn, NULL), C_OK);
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(aeGetFileEvents(one, conn->fd), AE_READABLE);
    end_connection();
    aeDeleteEventLoop(one);
}

/* Wherever the new ones are: an allocator gives memory that was freed again. */
static void a_new_loop_is_not_the_one_that_is_gone(void) {
    aeEventLoop *three, *four;

    begin_loops();
    begin_connection();
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    aeDeleteEventLoop(two);
    three = aeCreateEventLoop(64);
    four = aeCreateEventLoop(64);
    CHECK_INT(connSetWriteHandler(conn, on_nothing), C_OK);
    CHECK_INT(aeGetFileEvents(four, conn->fd), AE_WRITABLE);
    CHECK_INT(aeGetFileEvents(three, conn->fd), AE_NONE);
    end_connection();
    aeDeleteEventLoop(four);
    aeDeleteEventLoop(three);
    aeDeleteEventLoop(one);
}

#ifndef TEST_CONN_V1

static void on_accepted(connection *c, int flags, char *ip) {
    (void)flags;
    (void)ip;
    conn = c;
    CHECK_INT(connAccept(conn, NULL), C_OK);
}

static libaeHost host = {.size = sizeof(libaeHost), .accepted = on_accepted};

/* Accepts one connection in a loop's handler. */
static void accept_in(aeEventLoop *el) {
    int port, server = test_listen(AF_INET, 4, &port);

    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, server, AE_READABLE, connAcceptHandler(TCP_TYPE), NULL), AE_OK);
    peer = test_connect(AF_INET, port);
    conn = NULL;
    while (conn == NULL) CHECK(aeProcessEvents(el, AE_FILE_EVENTS) >= 0);
    aeDeleteFileEvent(el, server, AE_READABLE);
    close(server);
}

/* Makes a connection while another is accepted: it is of the loop that does. */
static void on_accepted_make_another(connection *c, int flags, char *ip) {
    connection *other = test_conn_create(NULL, TCP_TYPE);

    on_accepted(c, flags, ip);
    EXPECT(connConnect(other, "127.0.0.1", test_closed_port(), NULL, on_nothing) == C_OK);
    EXPECT(aeGetFileEvents(two, other->fd) == AE_WRITABLE);
    connClose(other);
}

static void *accept_in_two(void *unused) {
    host.accepted = on_accepted_make_another;
    accept_in(two);
    return unused;
}

/* Also when another thread has run it before. */
static void a_loop_is_the_thread_s_that_accepts(void) {
    begin_loops();
    begin_connection();
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(aeProcessEvents(two, AE_FILE_EVENTS | AE_DONT_WAIT), 0);
    end_connection();
    in_another_thread(accept_in_two);
    end_connection();
    end_loops();
}

static void it_belongs_to_the_loop_that_accepted_it(void) {
    begin_loops();
    accept_in(one);
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(aeGetFileEvents(one, conn->fd), AE_READABLE);
    CHECK_INT(aeGetFileEvents(two, conn->fd), AE_NONE);
    test_send(peer, "abc");
    CHECK_INT(aeProcessEvents(one, AE_FILE_EVENTS), 1);
    CHECK_TEXT(test_noted(), "3");
    end_connection();
    end_loops();
}

#endif

/* ---- Threads ---- */

static int is_over;

static void *resize_one(void *unused) {
    int i;

    for (i = 0; !__atomic_load_n(&is_over, __ATOMIC_RELAXED); i++)
        EXPECT(aeResizeSetSize(one, i & 1 ? 200000 : 100000) == AE_OK);
    return unused;
}

/* A loop of this thread's making that another one uses is left alone. */
static void the_loop_of_another_thread_is_left_alone(void) {
    pthread_t thread;
    int i, times = test_slow_tool() ? 3000 : 300000;

    begin_loops();
    begin_connection();
    CHECK_INT(pthread_create(&thread, NULL, resize_one, NULL), 0);
    for (i = 0; i < times; i++) {
        CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
        CHECK_INT(connSetReadHandler(conn, NULL), C_OK);
    }
    __atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
    end_thread(thread);
    end_connection();
    end_loops();
}

static void *run_two(void *unused) {
    EXPECT(aeProcessEvents(two, AE_ALL_EVENTS | AE_DONT_WAIT) == 0);
    begin_connection();
    EXPECT(connSetReadHandler(conn, on_read) == C_OK);
    EXPECT(aeGetFileEvents(two, conn->fd) == AE_READABLE);
    end_connection();
    return unused;
}

/* One thread makes loops, another runs one: connections that it makes are that loop's, those of the first are not. */
static void a_loop_is_the_thread_s_that_runs_it(void) {
    begin_loops();
    begin_connection();
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(aeGetFileEvents(two, conn->fd), AE_READABLE);
    end_connection();
    in_another_thread(run_two);
    begin_connection();
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(aeGetFileEvents(one, conn->fd), AE_READABLE);
    end_connection();
    end_loops();
}

static TIME_RESULT on_time(aeEventLoop *el, long long id, void *unused) {
    (void)el;
    (void)id;
    (void)unused;
    return AE_NOMORE;
}

static TIME_RESULT make_in_a_timer(aeEventLoop *el, long long id, void *unused) {
    (void)id;
    (void)unused;
    begin_connection();
    EXPECT(connSetReadHandler(conn, on_read) == C_OK);
    EXPECT(aeGetFileEvents(el, conn->fd) == AE_READABLE);
    end_connection();
    aeStop(el);
    return AE_NOMORE;
}

static void *run_one(void *unused) {
    EXPECT(aeCreateTimeEvent(one, 0, make_in_a_timer, NULL, NULL) >= 0);
    aeMain(one);
    return unused;
}

/* Nor has it to be its first that a thread runs, or the newest. */
static void a_loop_that_has_run_is_the_next_thread_s(void) {
    begin_loops();
    CHECK(aeCreateTimeEvent(one, 0, on_time, NULL, NULL) >= 0);
    CHECK_INT(aeProcessEvents(one, AE_ALL_EVENTS), 1);
    in_another_thread(run_one);
    end_loops();
}

/* Makes a connection in a handler: it is of the loop that has called it. */
static void on_read_make_another(connection *c) {
    connection *other;
    int pair[2];

    on_read(c);
    test_pair(pair);
    other = test_conn_create_accepted(NULL, UNIX_TYPE, pair[0]);
    EXPECT(connSetReadHandler(other, on_read) == C_OK);
    EXPECT(aeGetFileEvents(two, pair[0]) == AE_READABLE);
    connClose(other);
    close(pair[1]);
}

static void *serve_two(void *unused) {
    EXPECT(aeProcessEvents(two, AE_FILE_EVENTS) == 1);
    return unused;
}

/* Also when the first has run the loop before. */
static void a_loop_is_the_thread_s_that_serves_its_connections(void) {
    begin_loops();
    begin_connection();
    CHECK_INT(connSetReadHandler(conn, on_read_make_another), C_OK);
    CHECK_INT(aeProcessEvents(two, AE_FILE_EVENTS | AE_DONT_WAIT), 0);
    test_send(peer, "abc");
    in_another_thread(serve_two);
    CHECK_TEXT(test_noted(), "3");
    end_connection();
    end_loops();
}

static void *run_both(void *unused) {
    EXPECT(aeProcessEvents(one, AE_ALL_EVENTS | AE_DONT_WAIT) == 0);
    EXPECT(aeProcessEvents(two, AE_ALL_EVENTS | AE_DONT_WAIT) == 0);
    return unused;
}

/* A thread whose loops all run elsewhere still has those that it made. */
static void a_loop_that_another_runs_is_better_than_none(void) {
    begin_loops();
    in_another_thread(run_both);
    begin_connection();
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(aeGetFileEvents(two, conn->fd), AE_READABLE);
    end_connection();
    end_loops();
}

static void *watch_it(void *unused) {
    aeEventLoop *own = aeCreateEventLoop(64);

    EXPECT(connSetReadHandler(conn, on_read) == C_OK);
    EXPECT(aeGetFileEvents(own, conn->fd) == AE_READABLE);
    EXPECT(aeGetFileEvents(one, conn->fd) == AE_NONE);
    EXPECT(aeGetFileEvents(two, conn->fd) == AE_NONE);
    EXPECT(connSetReadHandler(conn, NULL) == C_OK);
    aeDeleteEventLoop(own);
    return unused;
}

/* Handed over with nothing registered, a connection becomes the other thread's newest loop's. */
static void it_goes_with_a_thread_that_has_loops(void) {
    begin_loops();
#ifdef TEST_CONN_V1
    begin_connection();
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(connSetReadHandler(conn, NULL), C_OK);
#else
    accept_in(one);
#endif
    in_another_thread(watch_it);
    end_connection();
    end_loops();
}

/* ---- A host ---- */

static aeEventLoop *chosen;

static aeEventLoop *on_current_loop(void) { return chosen; }

/* What the host names counts when there is nothing registered yet. */
static void the_host_names_the_loop_of_new_events(void) {
    libaeHost naming = {.size = sizeof(naming), .current_loop = on_current_loop};

    CHECK_INT(libaeSetHost(&naming), AE_OK);
    begin_loops();
    begin_connection();
    chosen = one;
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    chosen = two;
    CHECK_INT(connSetWriteHandler(conn, on_nothing), C_OK);
    CHECK_INT(aeGetFileEvents(one, conn->fd), AE_READABLE | AE_WRITABLE);
    CHECK_INT(connSetReadHandler(conn, NULL), C_OK);
    CHECK_INT(connSetWriteHandler(conn, NULL), C_OK);
    CHECK_INT(aeGetFileEvents(one, conn->fd), AE_NONE);
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(aeGetFileEvents(one, conn->fd), AE_NONE);
    CHECK_INT(aeGetFileEvents(two, conn->fd), AE_READABLE);
    end_connection();
    end_loops();
}

/* ---- Connections in the program's own memory ---- */

/* Exactly a connection, whose padding is uninitialised: what is read there or behind it is an error that tools
 * notice. */
static connection *new_own(int fd) {
    static ConnectionType own_type;
    connection *own = malloc(sizeof(*own));

    CHECK(own != NULL);
    own_type = *UNIX_TYPE;
    own->type = &own_type;
    own->fd = fd;
    own->state = CONN_STATE_ACCEPTING;
    own->last_errno = 0;
    own->flags = own->refs = 0;
    own->private_data = NULL;
    own->conn_handler = own->read_handler = own->write_handler = NULL;
#ifndef TEST_CONN_V1
    own->iovcnt = 0;
#endif
#ifdef TEST_CONN_LOOP
    own->el = NULL;
#endif
    return own;
}

static void own_connections_stay_with_their_loop(void) {
    aeEventLoop *three;
    int pair[2], i;

    begin_loops();
    for (i = 0; i < 2; i++) {
        test_pair(pair);
        conn = new_own(pair[0]);
        CHECK_INT(connAccept(conn, NULL), C_OK);
        CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
        CHECK_INT(aeGetFileEvents(two, pair[0]), AE_READABLE);
        three = aeCreateEventLoop(64);
        CHECK_INT(connSetWriteHandler(conn, on_nothing), C_OK);
        CHECK_INT(aeGetFileEvents(two, pair[0]), AE_READABLE | AE_WRITABLE);
        CHECK_INT(aeGetFileEvents(three, pair[0]), AE_NONE);
        test_send(pair[1], "ab");
        CHECK_INT(connSetWriteHandler(conn, NULL), C_OK);
        CHECK_INT(aeProcessEvents(two, AE_FILE_EVENTS), 1);
        CHECK_TEXT(test_noted(), "2");
        connClose(conn);
        CHECK_INT(aeGetFileEvents(two, pair[0]), AE_NONE);
        close(pair[1]);
        aeDeleteEventLoop(three);
    }
    end_loops();
}

static void own_connections_have_loops_of_their_own(void) {
    aeEventLoop *three;
    connection *other;
    int pair[2], others[2];

    begin_loops();
    test_pair(pair);
    test_pair(others);
    conn = new_own(pair[0]);
    other = new_own(others[0]);
    CHECK_INT(connAccept(conn, NULL), C_OK);
    CHECK_INT(connAccept(other, NULL), C_OK);
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    three = aeCreateEventLoop(64);
    CHECK_INT(connSetReadHandler(other, on_read), C_OK);
    CHECK_INT(aeGetFileEvents(two, pair[0]), AE_READABLE);
    CHECK_INT(aeGetFileEvents(three, others[0]), AE_READABLE);
    CHECK_INT(connSetReadHandler(conn, NULL), C_OK);
    CHECK_INT(aeGetFileEvents(two, pair[0]), AE_NONE);
    connClose(other);
    CHECK_INT(aeGetFileEvents(three, others[0]), AE_NONE);
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK); /* nothing is left of it in the other loop */
    CHECK_INT(aeGetFileEvents(three, pair[0]), AE_READABLE);
    connClose(conn);
    close(pair[1]);
    close(others[1]);
    aeDeleteEventLoop(three);
    end_loops();
}

/* A copy of a connection of the library's is the program's own, too. */
static void copies_are_own_connections(void) {
    connection *copy = malloc(sizeof(*copy));

    begin_loops();
    begin_connection();
    CHECK(copy != NULL);
    *copy = *conn;
    CHECK_INT(connSetReadHandler(copy, on_read), C_OK);
    CHECK_INT(aeGetFileEvents(two, copy->fd), AE_READABLE);
    test_send(peer, "a");
    CHECK_INT(aeProcessEvents(two, AE_FILE_EVENTS), 1);
    CHECK_TEXT(test_noted(), "1");
    connClose(copy);
    conn->fd = -1;
    end_connection();
    end_loops();
}

#ifdef TEST_CONN_V1
#define CASES_WITH_LISTENERS
#else
#define CASES_WITH_LISTENERS CASE(it_belongs_to_the_loop_that_accepted_it), CASE(a_loop_is_the_thread_s_that_accepts),
#endif

TEST_MAIN(CASE(it_stays_with_its_loop), CASE(the_newest_follows_a_loop_that_is_gone),
          CASE(a_new_loop_is_not_the_one_that_is_gone), CASES_WITH_LISTENERS
          CASE(the_loop_of_another_thread_is_left_alone), CASE(a_loop_is_the_thread_s_that_runs_it),
          CASE(a_loop_that_has_run_is_the_next_thread_s),
          CASE(a_loop_that_another_runs_is_better_than_none),
          CASE(a_loop_is_the_thread_s_that_serves_its_connections),
          CASE(it_goes_with_a_thread_that_has_loops), CASE(the_host_names_the_loop_of_new_events),
          CASE(own_connections_stay_with_their_loop), CASE(own_connections_have_loops_of_their_own),
          CASE(copies_are_own_connections))
