/* What a look-up of a name leaves in the process: nothing of its threads, and the signals of whoever asked as they were. */
#include "ae_test.h"
#include "names_test.h"

#include <libae.h>

static int told;

static void on_resolved(aeEventLoop *el, const libaeResolved *resolved, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(data);
    CHECK_INT(resolved->error, 0);
    told++;
}

static void ask(aeEventLoop *el, const char *name) {
    CHECK(libaeResolve(el, name, AF_UNSPEC, on_resolved, NULL) > 0);
}

static void run_until_told(aeEventLoop *el, int count) {
    while (told < count) CHECK(aeProcessEvents(el, AE_ALL_EVENTS) >= 0);
}

/* In kilobytes. */
static long address_space(void) {
    FILE *file = fopen("/proc/self/status", "r");
    char line[128];
    long size = -1;

    CHECK(file != NULL);
    while (fgets(line, sizeof(line), file) != NULL) sscanf(line, "VmSize: %ld", &size);
    fclose(file);
    CHECK(size > 0);
    return size;
}

/* A thread's stack has megabytes, which come and go with it. */
static void threads_leave_nothing(void) {
    enum { ROUNDS = 100 };
    aeEventLoop *el = new_loop();
    long before = 0;
    int i;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    SKIP("the sanitizers keep something of each thread");
#endif
    for (i = 0; i < ROUNDS; i++) {
        if (i == ROUNDS / 2) before = address_space();
        ask(el, "name");
        run_until_told(el, i + 1);
        await_no_threads();
    }
    if (address_space() - before > 200 * 1024) FAIL("%ld kB more", address_space() - before);
    aeDeleteEventLoop(el);
}

/* The threads get no signals; who asks still does. */
static void signals_of_who_asks_are_as_before(void) {
    aeEventLoop *el = new_loop();
    sigset_t before, after;
    int i;

    sigemptyset(&before);
    sigaddset(&before, SIGUSR2);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
    ask(el, "name");
    CHECK_INT(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
    for (i = 1; i < 32; i++) CHECK_INT(sigismember(&after, i), i == SIGUSR2);
    run_until_told(el, 1);
    aeDeleteEventLoop(el);
    await_no_threads();
}

/* A loop that waits for a name of its own sleeps on while another has its answer. */
static void an_answer_wakes_its_own_loop_alone(void) {
    aeEventLoop *one = new_loop(), *other = new_loop();

    ask(other, "slow");
    await_lookups(1);
    ask(one, "127.0.0.1"); /* which is there at once */
    CHECK_INT(aeGetTimeout(one), 0);
    CHECK_INT(aeGetTimeout(other), -1);
    CHECK_INT(aeProcessEvents(other, AE_ALL_EVENTS | AE_DONT_WAIT), 0);
    CHECK_INT(told, 0);
    run_until_told(one, 1);
    let_go();
    run_until_told(other, 2);
    aeDeleteEventLoop(one);
    aeDeleteEventLoop(other);
    await_no_threads();
}

TEST_MAIN(CASE(threads_leave_nothing), CASE(signals_of_who_asks_are_as_before),
          CASE(an_answer_wakes_its_own_loop_alone))
