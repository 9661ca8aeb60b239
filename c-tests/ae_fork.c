/* A process that forks while other threads make and delete loops: the child can make its own. */
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

TEST_MAIN(CASE(child_makes_a_loop))
