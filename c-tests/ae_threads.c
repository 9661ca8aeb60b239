/* A loop in each of several threads: they share nothing but the library. */
#include "test.h"
#include "conn_test.h"

#include <ae.h>
#include <pthread.h>

enum { THREADS = 4, ROUNDS = 200 };

static char trouble[THREADS][128];

/* A failing check ends the process in the case's own thread alone; here it is only noted. */
#define EXPECT(condition)                                                                               \
    do {                                                                                                \
        if (!(condition)) {                                                                             \
            snprintf(trouble[number], sizeof(trouble[0]), "line %d: %s (errno %d)", __LINE__, #condition, errno); \
            return NULL;                                                                                \
        }                                                                                               \
    } while (0)

struct work {
    int ticks, echoes;
};

static TIME_RESULT on_tick(aeEventLoop *el, long long id, void *data) {
    struct work *work = data;

    (void)id;
    if (++work->ticks < 20) return 1;
    aeStop(el);
    return AE_NOMORE;
}

static void on_echo(connection *conn) {
    struct work *work = connGetPrivateData(conn);
    char buffer[16];
    int count = connRead(conn, buffer, sizeof(buffer));

    if (count > 0 && connWrite(conn, buffer, (size_t)count) == count) work->echoes++;
}

/* Without a host, connections register with the newest loop of their own thread. */
static void *run_thread(void *argument) {
    int number = (int)(intptr_t)argument, pair[2], i;
    aeEventLoop *el = aeCreateEventLoop(256);
    struct work work = {0, 0};
    connection *conn;
    char buffer[16];

    EXPECT(el != NULL);
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
    conn = test_conn_create_accepted(el, UNIX_TYPE, pair[0]);
    EXPECT(conn != NULL);
    connSetPrivateData(conn, &work);
    EXPECT(connAccept(conn, NULL) == C_OK);
    EXPECT(connSetReadHandler(conn, on_echo) == C_OK);
    EXPECT(aeGetFileEvents(el, pair[0]) == AE_READABLE);
    EXPECT(aeCreateTimeEvent(el, 0, on_tick, &work, NULL) == FIRST_TIMER);
    aeMain(el);
    EXPECT(work.ticks == 20);
    for (i = 1; i <= ROUNDS; i++) {
        EXPECT(write(pair[1], "ping", 4) == 4);
        EXPECT(aeProcessEvents(el, AE_FILE_EVENTS) == 1);
        EXPECT(work.echoes == i);
        EXPECT(read(pair[1], buffer, sizeof(buffer)) == 4);
    }
    EXPECT(connBlockingConnect(conn, "127.0.0.1", 1, 1) == C_ERR); /* connected already */
    EXPECT(strcmp(connGetLastError(conn), strerror(conn->last_errno)) == 0);
    connClose(conn);
    close(pair[1]);
    aeDeleteEventLoop(el);
    return NULL;
}

static void each_thread_has_a_loop_of_its_own(void) {
    pthread_t threads[THREADS];
    int i;

    CHECK_INT(test_conn_types(), C_OK);
    for (i = 0; i < THREADS; i++) CHECK_INT(pthread_create(&threads[i], NULL, run_thread, (void *)(intptr_t)i), 0);
    for (i = 0; i < THREADS; i++) CHECK_INT(pthread_join(threads[i], NULL), 0);
    for (i = 0; i < THREADS; i++)
        if (trouble[i][0] != '\0') FAIL("thread %d: %s", i, trouble[i]);
}

static void *run_loop(void *el) {
    aeMain(el);
    return NULL;
}

/* As redis-8.0 does for its I/O threads: one thread makes and frees the loop, another one runs it meanwhile. */
static void another_thread_may_run_the_loop(void) {
    struct work work = {0, 0};
    pthread_t thread;
    aeEventLoop *el = aeCreateEventLoop(64);

    CHECK(el != NULL);
    CHECK(aeCreateTimeEvent(el, 0, on_tick, &work, NULL) == FIRST_TIMER);
    CHECK_INT(pthread_create(&thread, NULL, run_loop, el), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(work.ticks, 20);
    aeDeleteEventLoop(el);
}

static void *delete_loop(void *el) {
    aeDeleteEventLoop(el);
    return NULL;
}

/* Made here, deleted there: this thread's other loops, and the connections on them, are none the worse. */
static void another_thread_may_delete_the_loop(void) {
    aeEventLoop *kept = aeCreateEventLoop(64), *given = aeCreateEventLoop(64);
    connection *conn;
    pthread_t thread;
    int pair[2];

    CHECK(kept != NULL && given != NULL);
    CHECK_INT(pthread_create(&thread, NULL, delete_loop, given), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(test_conn_types(), C_OK);
    test_pair(pair);
    conn = test_conn_create_accepted(kept, UNIX_TYPE, pair[0]);
    CHECK(conn != NULL);
    CHECK_INT(connSetReadHandler(conn, on_echo), C_OK);
    CHECK_INT(aeGetFileEvents(kept, pair[0]), AE_READABLE);
    aeDeleteEventLoop(aeCreateEventLoop(64));
    connClose(conn);
    close(pair[1]);
    aeDeleteEventLoop(kept);
}

TEST_MAIN(CASE(each_thread_has_a_loop_of_its_own), CASE(another_thread_may_run_the_loop),
          CASE(another_thread_may_delete_the_loop))
