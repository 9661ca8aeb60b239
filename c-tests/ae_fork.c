/* A process that forks while other threads make and delete loops: the child can make its own. And the child's thread is
 * there, though it has another number than in the parent. */
#include "ae_test.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 2, FORKS = 300 };

static atomic_int ends;

static void make_and_delete(void) {
    aeEventLoop *el = aeCreateEventLoopWithBackend(16, "select");

    CHECK(el != NULL);
    aeDeleteEventLoop(el);
}

static void *churn(void *data) {
    while (!ends) make_and_delete();
    return data;
}

static void child_makes_a_loop(void) {
    pthread_t threads[THREADS];
    int i, status;

    if (test_slow_tool()) SKIP("the threads' memory is lost to a child, as the tool sees it");
    for (i = 0; i < THREADS; i++) CHECK_INT(pthread_create(&threads[i], NULL, churn, NULL), 0);
    for (i = 0; i < FORKS; i++) {
        pid_t child = fork();

        CHECK(child >= 0);
        if (child == 0) {
            alarm(TEST_WATCHDOG_SECONDS / 2);
            make_and_delete();
            _exit(0);
        }
        CHECK_INT(waitpid(child, &status, 0), child);
        CHECK_INT(status, 0);
    }
    ends = 1;
    for (i = 0; i < THREADS; i++) CHECK_INT(pthread_join(threads[i], NULL), 0);
}

/* ---- The thread that has forked ---- */

static aeEventLoop *shared;
static int runs;

static TIME_RESULT do_nothing(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    return AE_NOMORE;
}

static void *run_meanwhile(void *data) {
    aeProcessEvents(shared, AE_ALL_EVENTS | AE_DONT_WAIT);
    return data;
}

static void *delete_meanwhile(void *data) {
    aeDeleteEventLoop(shared);
    return data;
}

/* Another thread has the loop while this one is in the callback: one thread at a time. */
static TIME_RESULT lend(aeEventLoop *el, long long id, void *body) {
    pthread_t thread;
    void *(*run)(void *);

    AE_NOTUSED(id);
    CHECK_INT(++runs, 1);
    CHECK(aeCreateTimeEvent(el, 0, do_nothing, NULL, NULL) != AE_ERR);
    *(void **)&run = body;
    CHECK_INT(pthread_create(&thread, NULL, run, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    return AE_NOMORE;
}

static void lend_to(void *(*body)(void *)) {
    runs = 0;
    shared = new_loop();
    CHECK(aeCreateTimeEvent(shared, 0, lend, *(void **)&body, NULL) != AE_ERR);
    CHECK(aeProcessEvents(shared, AE_ALL_EVENTS | AE_DONT_WAIT) >= 1);
    CHECK_INT(runs, 1);
}

/* In the child of a child, too. */
static void a_callback_in_a_child_goes_on(void) {
    int depth, status;
    pid_t child = 0;

#ifdef __SANITIZE_THREAD__
    SKIP("ThreadSanitizer has no threads after a fork");
#endif
    for (depth = 0; depth < 3 && child == 0; depth++) {
        lend_to(run_meanwhile);
        aeDeleteEventLoop(shared);
        lend_to(delete_meanwhile);
        child = depth < 2 ? fork() : 1;
        CHECK(child >= 0);
    }
    if (child > 1) {
        CHECK_INT(waitpid(child, &status, 0), child);
        CHECK_INT(status, 0);
    }
    if (depth > 1) exit(0);
}

/* A child may close its parent's loop, also where it has forked: in a callback. It returns into the loop then. */
static void close_in_a_child(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(fd);
    AE_NOTUSED(mask);
    *(pid_t *)data = fork();
    CHECK(*(pid_t *)data != -1);
    if (*(pid_t *)data == 0) aeDeleteEventLoop(el);
}

static void a_child_returns_from_the_callback_that_it_began_in(void) {
    aeEventLoop *el = new_loop();
    int pair[2], status;
    pid_t child = -1;

    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, close_in_a_child, &child), AE_OK);
    CHECK_INT(poll_once(el), 1);
    if (child == 0) exit(0);
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(status, 0);
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

TEST_MAIN(CASE(a_callback_in_a_child_goes_on), CASE(a_child_returns_from_the_callback_that_it_began_in), CASE(child_makes_a_loop))
