/* The host's allocator: that it is used, that everything goes back to it, and memory that runs out.
 * (every_allocation_fails.c asks that of every function.) */
#include "test.h"
#include "conn_test.h"
#include "counted_heap.h"

#include <ae.h>
#include <libae.h>

static libaeHost host = {.size = sizeof(libaeHost), .allocator = COUNTED_HEAP};

/* ---- Work that allocates ---- */

enum { TIMERS = 2000 };

static int calls;

static TIME_RESULT on_time(aeEventLoop *el, long long id, void *data) {
    (void)el;
    (void)id;
    (void)data;
    calls++;
    return AE_NOMORE;
}

static void on_file(aeEventLoop *el, int fd, void *data, int mask) {
    (void)data;
    (void)mask;
    calls += test_drain(fd);
    CHECK(aeCreateTimeEvent(el, 0, on_time, NULL, NULL) != AE_ERR);
}

static void use_everything(void) {
    aeEventLoop *el = aeCreateEventLoop(64);
    connection *conn;
    int pair[2], i;

    CHECK(el != NULL);
    test_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_file, NULL), AE_OK);
    for (i = 0; i < TIMERS; i++) CHECK(aeCreateTimeEvent(el, i % 2 ? 0 : 3600000, on_time, NULL, NULL) != AE_ERR);
    test_send(pair[1], "x");
    for (i = 0; i < 3; i++) CHECK(aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT) >= 0);
    CHECK_INT(calls, TIMERS / 2 + 2);
    for (i = 0; i < TIMERS; i += 4) CHECK_INT(aeDeleteTimeEvent(el, FIRST_TIMER + i), AE_OK);
    CHECK_INT(aeResizeSetSize(el, 500), AE_OK);
    CHECK_INT(aeResizeSetSize(el, pair[1] + 1), AE_OK);
    conn = test_conn_create(el, TCP_TYPE);
    CHECK(conn != NULL);
    connClose(conn);
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

static void everything_goes_back(void) {
    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK_INT(test_conn_types(), C_OK);
    use_everything();
    /* 64 timers share an allocation. */
    if (heap.allocations < TIMERS / 64) FAIL("only %ld allocations came to the host", heap.allocations);
    CHECK_INT(heap.live, 0);
}

static void errno_of_the_allocator_is_not_told(void) {
    aeEventLoop *el;
    connection *conn;
    long long id;

    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK_INT(test_conn_types(), C_OK);
    el = aeCreateEventLoop(64);
    CHECK(el != NULL);
    CHECK_KEEPS_ERRNO(aeResizeSetSize(el, 128), AE_OK);
    CHECK_KEEPS_ERRNO((id = aeCreateTimeEvent(el, 0, on_time, NULL, NULL)), FIRST_TIMER);
    CHECK_KEEPS_ERRNO(aeDeleteTimeEvent(el, id), AE_OK);
    CHECK_KEEPS_ERRNO(aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT), 0);
    conn = test_conn_create(el, TCP_TYPE);
    CHECK(conn != NULL);
    CHECK_KEEPS_ERRNO((connClose(conn), 0), 0);
    CHECK_KEEPS_ERRNO((aeDeleteEventLoop(el), 0), 0);
    CHECK_INT(heap.live, 0);
}

static int both[2][2], served, rounds;

static TIME_RESULT on_round(aeEventLoop *el, long long id, void *data) {
    (void)id;
    (void)data;
    if (++rounds < 3) return 0;
    aeStop(el);
    return AE_NOMORE;
}

static void on_either(aeEventLoop *el, int fd, void *data, int mask) {
    int other = fd == both[0][0];

    (void)data;
    (void)mask;
    test_drain(fd);
    if (served++ > 0) return;
    /* The inner call polls several times and finds nothing; the outer one goes on with what it has found. */
    test_drain(both[other][0]);
    CHECK(aeCreateTimeEvent(el, 0, on_round, NULL, NULL) != AE_ERR);
    aeMain(el);
    CHECK_INT(rounds, 3);
    test_send(both[other][1], "y");
}

static void outer_call_keeps_what_it_has_found(void) {
    aeEventLoop *el;
    int i;

    CHECK_INT(libaeSetHost(&host), AE_OK);
    el = aeCreateEventLoop(64);
    CHECK(el != NULL);
    for (i = 0; i < 2; i++) {
        test_pair(both[i]);
        test_send(both[i][1], "x");
        CHECK_INT(aeCreateFileEvent(el, both[i][0], AE_READABLE, on_either, NULL), AE_OK);
    }
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS | AE_DONT_WAIT), 2);
    CHECK_INT(served, 2);
    for (i = 0; i < 2; i++) test_close_pair(both[i]);
    aeDeleteEventLoop(el);
    CHECK_INT(heap.live, 0);
}

static void calloc_may_be_missing(void) {
    aeEventLoop *el;
    int fd;

    host.allocator.calloc = NULL;
    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK_INT(test_conn_types(), C_OK);
    el = aeCreateEventLoop(64);
    CHECK(el != NULL);
    for (fd = 0; fd < 64; fd++) CHECK_INT(aeGetFileEvents(el, fd), AE_NONE);
    aeDeleteEventLoop(el);
    use_everything();
    CHECK_INT(heap.live, 0);
}

static void used_allocator_cannot_be_replaced(void) {
    libaeHost other = host;

    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK_INT(libaeSetHost(NULL), AE_OK); /* nothing was allocated yet */
    CHECK_INT(libaeSetHost(&host), AE_OK);
    aeDeleteEventLoop(aeCreateEventLoop(10));
    CHECK_FAILS(libaeSetHost(NULL), AE_ERR, EBUSY);
    other.allocator.context = NULL;
    CHECK_FAILS(libaeSetHost(&other), AE_ERR, EBUSY);
    CHECK_INT(libaeSetHost(&host), AE_OK); /* the same once more, maybe with other hooks */
    aeDeleteEventLoop(aeCreateEventLoop(10));
    CHECK_INT(heap.live, 0);
}

static void default_allocator_cannot_be_replaced_either(void) {
    aeDeleteEventLoop(aeCreateEventLoop(10));
    CHECK_FAILS(libaeSetHost(&host), AE_ERR, EBUSY);
    aeDeleteEventLoop(aeCreateEventLoop(10));
    CHECK_INT(heap.allocations, 0);
}

/* ---- Memory that runs out ---- */

static void loop_without_memory_is_enomem(void) {
    aeEventLoop *el = NULL;
    long fails;

    CHECK_INT(libaeSetHost(&host), AE_OK);
    for (fails = 0; el == NULL; fails++) {
        CHECK(fails < 100);
        heap.calls_left = fails;
        errno = 0;
        el = aeCreateEventLoop(64);
        if (el == NULL) {
            CHECK_INT(errno, ENOMEM);
            CHECK_INT(heap.live, 0);
        }
    }
    CHECK(fails > 1);
    heap.calls_left = -1;
    aeDeleteEventLoop(el);
    CHECK_INT(heap.live, 0);
}

static void timer_without_memory_is_enomem(void) {
    aeEventLoop *el;

    CHECK_INT(libaeSetHost(&host), AE_OK);
    el = aeCreateEventLoop(64);
    CHECK(el != NULL);
    heap.calls_left = 0;
    CHECK_FAILS(aeCreateTimeEvent(el, 0, on_time, NULL, NULL), AE_ERR, ENOMEM);
    heap.calls_left = -1;
    CHECK_INT(aeCreateTimeEvent(el, 0, on_time, NULL, NULL), FIRST_TIMER); /* the failure took no id */
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS), 1);
    aeDeleteEventLoop(el);
}

static void on_served(aeEventLoop *el, int fd, void *data, int mask) {
    (void)el;
    (void)fd;
    (void)mask;
    ++*(int *)data;
}

static void resize_without_memory_changes_nothing(void) {
    aeEventLoop *el;
    long fails;
    int pair[2];

    CHECK_INT(libaeSetHost(&host), AE_OK);
    el = aeCreateEventLoop(64);
    CHECK(el != NULL);
    test_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_WRITABLE, on_file, NULL), AE_OK);
    for (fails = 0;; fails++) {
        CHECK(fails < 100);
        heap.calls_left = fails;
        errno = 0;
        if (aeResizeSetSize(el, 1000) == AE_OK) break;
        CHECK_INT(errno, ENOMEM);
        CHECK_INT(aeGetSetSize(el), 64);
        CHECK_INT(aeGetFileEvents(el, pair[0]), AE_WRITABLE);
    }
    CHECK(fails > 0);
    heap.calls_left = -1;
    CHECK_INT(aeGetSetSize(el), 1000);
    CHECK_INT(aeGetFileEvents(el, pair[0]), AE_WRITABLE);
    test_close_pair(pair);
    aeDeleteEventLoop(el);
    CHECK_INT(heap.live, 0);
}

static void connection_without_memory_is_enomem(void) {
    int pair[2];

    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK_INT(test_conn_types(), C_OK);
    test_pair(pair);
    heap.calls_left = 0;
    CHECK_FAILS_NULL(test_conn_create(NULL, TCP_TYPE), ENOMEM);
    CHECK_FAILS_NULL(test_conn_create_accepted(NULL, UNIX_TYPE, pair[0]), ENOMEM);
    heap.calls_left = -1;
    CHECK(test_is_open(pair[0])); /* it stays the caller's */
    test_close_pair(pair);
}

/* A client for whom there is no memory sees the connection closed; the loop goes on. */
static void client_without_memory_is_turned_away(void) {
#ifdef TEST_CONN_V1
    SKIP("there are no accept handlers");
#else
    int port, server = test_listen(AF_INET, 4, &port), client = test_connect(AF_INET, port);
    aeEventLoop *el;

    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK_INT(test_conn_types(), C_OK);
    el = aeCreateEventLoop(64);
    CHECK(el != NULL);
    CHECK_INT(aeCreateFileEvent(el, server, AE_READABLE, connAcceptHandler(connectionTypeTcp()), NULL), AE_OK);
    heap.calls_left = 0;
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 1);
    heap.calls_left = -1;
    CHECK_INT(read(client, &(char){0}, 1), 0);
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS | AE_DONT_WAIT), 0);
    close(client);
    close(server);
    aeDeleteEventLoop(el);
    CHECK_INT(heap.live, 0);
#endif
}

/* After the set has grown, polls have no room for all that is ready: everyone's turn comes anyway. */
static void nobody_starves_without_memory_for_what_fired(void) {
    enum { PAIRS = 12 };
    aeEventLoop *el;
    int pairs[PAIRS][2], served[2 * PAIRS] = {0}, i;

    CHECK_INT(libaeSetHost(&host), AE_OK);
    el = aeCreateEventLoop(4);
    CHECK(el != NULL);
    CHECK_INT(aeResizeSetSize(el, 64), AE_OK);
    for (i = 0; i < 2 * PAIRS; i++) {
        if (i % 2 == 0) test_pair(pairs[i / 2]);
        CHECK_INT(aeCreateFileEvent(el, pairs[i / 2][i % 2], AE_WRITABLE, on_served, &served[i]), AE_OK);
    }
    heap.calls_left = 0;
    for (i = 0; i < 2 * PAIRS; i++) CHECK(aeProcessEvents(el, AE_FILE_EVENTS | AE_DONT_WAIT) > 0);
    heap.calls_left = -1;
    for (i = 0; i < 2 * PAIRS; i++) CHECK(served[i] > 0);
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS | AE_DONT_WAIT), 2 * PAIRS);
    for (i = 0; i < PAIRS; i++) test_close_pair(pairs[i]);
    aeDeleteEventLoop(el);
    CHECK_INT(heap.live, 0);
}

/* ---- Memory that runs out at any point of a longer story ---- */

static int delivered;

static void on_accepted(connection *conn, int flags, char *ip) {
    (void)flags;
    CHECK_TEXT(ip, "127.0.0.1");
    delivered++;
    CHECK_INT(connAccept(conn, NULL), C_OK);
    connClose(conn);
}

/* The listening socket of the story, and the handler that delivers its connections: the library's own where it has
 * listeners. */
#ifdef TEST_CONN_V1

static int listen_here(char *address) {
    int port;

    CHECK_TEXT(address, "127.0.0.1");
    return test_listen(AF_INET, 4, &port);
}

static void deliver(aeEventLoop *el, int fd, void *data, int mask) {
    int accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    connection *conn = connCreateAcceptedSocket(accepted);

    (void)el;
    (void)data;
    (void)mask;
    if (conn != NULL) {
        on_accepted(conn, 0, (char[]){"127.0.0.1"});
    } else {
        CHECK_INT(errno, ENOMEM);
        close(accepted);
    }
}

static aeFileProc *accept_handler(void) { return deliver; }

#else

static int listen_here(char *address) {
    connListener listener = {.bindaddr = &address, .bindaddr_count = 1, .ct = TCP_TYPE};

    return connListen(&listener) == C_OK ? listener.fd[0] : -1;
}

static aeFileProc *accept_handler(void) { return connAcceptHandler(TCP_TYPE); }

#endif

static void on_connected(connection *conn) { CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED); }

static void on_again(aeEventLoop *el, int fd, void *data, int mask) {
    (void)data;
    (void)mask;
    calls += test_drain(fd);
    /* The nested call needs memory of its own. */
    if (aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT) == AE_ERR) CHECK_INT(errno, ENOMEM);
}

/* Each step works or says ENOMEM; returns how many failed. */
static int tell_story(void) {
    static char address[] = "127.0.0.1";
    aeEventLoop *el = aeCreateEventLoop(64);
    connection *conn;
    int pair[2], server, i, failed = 0;

    if (el == NULL) {
        CHECK_INT(errno, ENOMEM);
        return 1;
    }
    test_pair(pair);
    test_send(pair[1], "x");
#define STEP(works)                                                    do {                                                                   errno = 0;                                                         if (!(works)) CHECK_INT(errno, ENOMEM), failed++;              } while (0)
    STEP(aeCreateFileEvent(el, pair[0], AE_READABLE, on_again, NULL) == AE_OK);
    for (i = 0; i < 3; i++) STEP(aeCreateTimeEvent(el, 0, on_time, NULL, NULL) != AE_ERR);
    STEP((server = listen_here(address)) != -1);
    if (server != -1) STEP(aeCreateFileEvent(el, server, AE_READABLE, accept_handler(), NULL) == AE_OK);
    STEP((conn = test_conn_create(el, TCP_TYPE)) != NULL);
    if (conn != NULL && server != -1) {
        STEP(connConnect(conn, address, test_port(server), NULL, on_connected) == C_OK);
        if (conn->fd != -1) test_await(server, POLLIN);
    }
    for (i = 0; i < 4; i++) STEP(aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT) != AE_ERR);
    STEP(aeResizeSetSize(el, 200) == AE_OK);
    STEP(aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT) != AE_ERR);
    STEP(aeResizeSetSize(el, 100) == AE_OK);
#undef STEP
    if (conn != NULL) connClose(conn);
    if (server != -1) close(server);
    test_close_pair(pair);
    aeDeleteEventLoop(el);
    return failed;
}

static void any_allocation_may_fail(void) {
    long allocations, fails;

    host.accepted = on_accepted;
    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK_INT(test_conn_types(), C_OK);
    CHECK_INT(tell_story(), 0);
    CHECK_INT(delivered, 1);
    allocations = heap.allocations;
    for (fails = 0; fails <= allocations; fails++) {
        int one;

        for (one = 0; one < 2; one++) { /* all that follow fail, or this one alone */
            int open = test_open_fds();

            heap.calls_left = fails;
            heap.fails_once = one;
            tell_story();
            heap.calls_left = -1;
            CHECK_INT(heap.live, 0);
            CHECK_INT(test_open_fds(), open);
        }
    }
}

TEST_MAIN(CASE(everything_goes_back), CASE(errno_of_the_allocator_is_not_told),
          CASE(outer_call_keeps_what_it_has_found), CASE(calloc_may_be_missing),
          CASE(used_allocator_cannot_be_replaced), CASE(default_allocator_cannot_be_replaced_either),
          CASE(loop_without_memory_is_enomem), CASE(timer_without_memory_is_enomem),
          CASE(resize_without_memory_changes_nothing), CASE(nobody_starves_without_memory_for_what_fired),
          CASE(connection_without_memory_is_enomem), CASE(client_without_memory_is_turned_away),
          CASE(any_allocation_may_fail))
