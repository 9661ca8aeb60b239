/* Callbacks that are left otherwise than by returning: by longjmp, or by the end of their thread. The loop goes on with
 * the next call, and can be deleted: the descriptors that are open at the end tell. */
#include "ae_test.h"

#include <libae.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>

enum { WHOLE = AE_ALL_EVENTS | AE_DONT_WAIT | AE_CALL_BEFORE_SLEEP | AE_CALL_AFTER_SLEEP };

static jmp_buf out;
static aeEventLoop *el;
static int leaves, finalized;

static void leave_or_note(char event) {
    if (leaves-- > 0) longjmp(out, 1);
    test_note(event);
}

static TIME_RESULT on_time(aeEventLoop *loop, long long id, void *data) {
    AE_NOTUSED(loop);
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    leave_or_note('t');
    return AE_NOMORE;
}

static void on_readable(aeEventLoop *loop, int fd, void *data, int mask) {
    AE_NOTUSED(loop);
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    leave_or_note('r');
    test_drain(fd);
}

static void on_sleep(aeEventLoop *loop) {
    AE_NOTUSED(loop);
    leave_or_note('s');
}

static AFTER_SLEEP(on_wake) {
    AE_NOTUSED(el);
    leave_or_note('k');
}

static void on_final(aeEventLoop *loop, void *data) {
    AE_NOTUSED(loop);
    AE_NOTUSED(data);
    finalized++;
    leave_or_note('f');
}

/* Runs the loop until a callback leaves it: says whether one did. */
static int left(void (*run)(void)) {
    if (setjmp(out) != 0) return 1;
    run();
    return 0;
}

static void run_once(void) { aeProcessEvents(el, WHOLE); }
static void run_main(void) { aeMain(el); }
static void add_timer(void) { CHECK(aeCreateTimeEvent(el, 0, on_time, NULL, on_final) != AE_ERR); }

static TIME_RESULT on_end(aeEventLoop *loop, long long id, void *data) {
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    aeStop(loop);
    return AE_NOMORE;
}

static void timer_that_is_left_runs_again(void) {
    int times;

    el = new_loop();
    add_timer();
    for (times = 0; times < 3; times++) {
        leaves = 1;
        CHECK(left(run_once));
    }
    CHECK(!left(run_once));
    CHECK_CONTAINS(test_noted(), "t");
    CHECK(!left(run_once));
    CHECK_INT(finalized, 1);
    aeDeleteEventLoop(el);
}

static void main_that_is_left_runs_again(void) {
    int pair[2];

    el = new_loop();
    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_readable, NULL), AE_OK);
    add_timer();
    leaves = 2;
    CHECK(left(run_main));
    CHECK(left(run_main));
    CHECK(aeCreateTimeEvent(el, 0, on_end, NULL, NULL) != AE_ERR);
    CHECK(!left(run_main));
    CHECK_TEXT(test_noted(), "rt");
    test_close_pair(pair);
    aeDeleteEventLoop(el);
    CHECK_TEXT(test_noted(), "f");
}

static void hooks_may_be_left(void) {
    int pair[2];

    el = new_loop();
    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_readable, NULL), AE_OK);
    aeSetBeforeSleepProc(el, on_sleep);
    leaves = 1;
    CHECK(left(run_once));
    aeSetAfterSleepProc(el, on_wake);
    aeSetBeforeSleepProc(el, NULL);
    leaves = 1;
    CHECK(left(run_once));
    CHECK_TEXT(test_noted(), "");
    aeSetBeforeSleepProc(el, on_sleep);
    CHECK(!left(run_once));
    CHECK_TEXT(test_noted(), "skr");
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

static void on_readable_run(aeEventLoop *loop, int fd, void *data, int mask) {
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_drain(fd);
    aeProcessEvents(loop, WHOLE);
    FAIL("the inner call has returned");
}

/* The outer one takes the inner one with it: no call is left to wait for. */
static void two_calls_that_are_left_are_gone(void) {
    int pair[2], open = test_open_fds();

    el = new_loop();
    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_readable_run, NULL), AE_OK);
    add_timer();
    leaves = 1;
    CHECK(left(run_once));
    CHECK(!left(run_once));
    CHECK_TEXT(test_noted(), "t");
    test_close_pair(pair);
    aeDeleteEventLoop(el);
    CHECK_INT(test_open_fds(), open); /* it was freed at once */
}

static jmp_buf caught;

static void on_readable_throw(aeEventLoop *loop, int fd, void *data, int mask) {
    AE_NOTUSED(loop);
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_drain(fd);
    longjmp(caught, 1);
}

static TIME_RESULT on_time_catch(aeEventLoop *loop, long long id, void *data) {
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    if (setjmp(caught) == 0) {
        aeProcessEvents(loop, AE_FILE_EVENTS | AE_DONT_WAIT);
        FAIL("the inner call has returned");
    }
    return AE_NOMORE;
}

/* What leaves the inner call does not leave the time handler: its event ends as any other. */
static void time_handler_catches_what_leaves_an_inner_call(void) {
    int pair[2];

    el = new_loop();
    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_readable_throw, NULL), AE_OK);
    CHECK(aeCreateTimeEvent(el, 0, on_time_catch, NULL, on_final) != AE_ERR);
    CHECK_INT(aeProcessEvents(el, AE_TIME_EVENTS | AE_DONT_WAIT), 1);
    CHECK_NULL(el->timeEventHead);
    CHECK_INT(aeProcessEvents(el, AE_TIME_EVENTS | AE_DONT_WAIT), 0);
    CHECK_INT(finalized, 1);
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

__attribute__((noinline)) static void run_from_further_in(void) {
    volatile char between[16384];

    between[0] = 0;
    aeProcessEvents(el, WHOLE);
    between[1] = between[0];
}

/* What cannot be told from a nested call is one: the event whose callback was left is still taken to be running. */
static void called_from_further_in(void) {
    int pair[2];

    el = new_loop();
    ready_pair(pair);
    add_timer();
    leaves = 1;
    CHECK(left(run_once));
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_readable, NULL), AE_OK);
    run_from_further_in();
    run_from_further_in();
    CHECK_TEXT(test_noted(), "r");
    run_once();
    CHECK_TEXT(test_noted(), "t");
    test_close_pair(pair);
    aeDeleteEventLoop(el);
    CHECK_INT(finalized, 1);
}

static void a_loop_that_was_left_can_be_deleted(void) {
    el = new_loop();
    add_timer();
    leaves = 1;
    CHECK(left(run_main));
    aeDeleteEventLoop(el);
}

static void finalizer_that_is_left_has_run(void) {
    int i;

    el = new_loop();
    for (i = 0; i < 3; i++) add_timer();
    CHECK(!left(run_once));
    test_noted();
    finalized = 0;
    leaves = 1;
    CHECK(left(run_once));
    CHECK(!left(run_once));
    CHECK_INT(finalized, 3);
    CHECK(!left(run_once));
    CHECK_INT(finalized, 3);
    aeDeleteEventLoop(el);
}

/* ---- An inner call that is left, while the outer one goes on ---- */

static jmp_buf into_outer;

static TIME_RESULT on_inner(aeEventLoop *loop, long long id, void *data) {
    AE_NOTUSED(loop);
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    if (leaves-- > 0) longjmp(into_outer, 1);
    test_note('i');
    return AE_NOMORE;
}

static void on_outer(aeEventLoop *loop, int fd, void *data, int mask) {
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_drain(fd);
    test_note('o');
    if (setjmp(into_outer) == 0) aeProcessEvents(loop, AE_TIME_EVENTS | AE_DONT_WAIT);
}

static void outer_goes_on(void (*run)(void)) {
    int pairs[3][2], i;

    el = new_loop();
    for (i = 0; i < 3; i++) {
        ready_pair(pairs[i]);
        CHECK_INT(aeCreateFileEvent(el, pairs[i][0], AE_READABLE, on_outer, NULL), AE_OK);
    }
    CHECK(aeCreateTimeEvent(el, 0, on_inner, NULL, NULL) != AE_ERR);
    CHECK(aeCreateTimeEvent(el, 0, on_end, NULL, NULL) != AE_ERR);
    leaves = 2;
    run();
    CHECK_TEXT(test_noted(), "oooi");
    for (i = 0; i < 3; i++) test_close_pair(pairs[i]);
    aeDeleteEventLoop(el);
}

static void outer_call_goes_on(void) { outer_goes_on(run_once); }
static void outer_main_goes_on(void) { outer_goes_on(run_main); }

/* The event whose callback was left in the inner call runs again at once. */
static void outer_call_runs_what_the_inner_one_has_left(void) {
    int pair[2];

    el = new_loop();
    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_outer, NULL), AE_OK);
    CHECK(aeCreateTimeEvent(el, 0, on_inner, NULL, NULL) != AE_ERR);
    leaves = 1;
    run_once();
    CHECK_TEXT(test_noted(), "oi");
    run_once();
    CHECK_TEXT(test_noted(), "");
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

static void leave_for_outer(aeEventLoop *loop, void *data) {
    AE_NOTUSED(loop);
    AE_NOTUSED(data);
    longjmp(into_outer, 1);
}

static void note_and_stop(aeEventLoop *loop, void *data) {
    AE_NOTUSED(data);
    test_note('p');
    aeStop(loop);
}

static void outer_with_posts(aeEventLoop *loop, int fd, void *data, int mask) {
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_drain(fd);
    CHECK_INT(aePost(loop, leave_for_outer, NULL, NULL), AE_OK);
    CHECK_INT(aePost(loop, note_and_stop, NULL, NULL), AE_OK);
    if (setjmp(into_outer) == 0) aeProcessEvents(loop, AE_FILE_EVENTS);
    test_note('o');
}

/* It hangs if nothing wakes it for the second post, which the inner call had taken out. */
static void outer_main_runs_the_posts_that_the_inner_call_has_left(void) {
    int pair[2];

    el = new_loop();
    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, outer_with_posts, NULL), AE_OK);
    aeMain(el);
    CHECK_TEXT(test_noted(), "op");
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

static void on_final_catch(aeEventLoop *loop, void *data) {
    AE_NOTUSED(data);
    test_note('f');
    if (setjmp(caught) == 0) {
        aeProcessEvents(loop, AE_FILE_EVENTS | AE_DONT_WAIT);
        FAIL("the inner call has returned");
    }
}

/* What runs after it in the same pass runs in the outer call. */
static void finalizer_catches_what_leaves_an_inner_call(void) {
    long long id;
    int pair[2];

    el = new_loop();
    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_readable_throw, NULL), AE_OK);
    id = aeCreateTimeEvent(el, 0, on_time, NULL, on_final_catch);
    CHECK(id != AE_ERR);
    CHECK(aeCreateTimeEvent(el, 0, on_time, NULL, NULL) != AE_ERR);
    CHECK_INT(aeDeleteTimeEvent(el, id), AE_OK);
    CHECK_INT(aeProcessEvents(el, AE_TIME_EVENTS | AE_DONT_WAIT), 1);
    CHECK_TEXT(test_noted(), "ft");
    CHECK_NULL(el->timeEventHead);
    CHECK_INT(aeProcessEvents(el, AE_TIME_EVENTS | AE_DONT_WAIT), 0);
    CHECK_TEXT(test_noted(), "");
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

/* ---- Threads that end ---- */

static sem_t sleeps;

static void on_first_sleep(aeEventLoop *loop) {
    aeSetBeforeSleepProc(loop, NULL);
    CHECK_INT(sem_post(&sleeps), 0);
}

static void *in_thread(void *data) {
    aeMain(el);
    return data;
}

static TIME_RESULT on_exit_thread(aeEventLoop *loop, long long id, void *data) {
    AE_NOTUSED(loop);
    AE_NOTUSED(id);
    if (!pthread_equal(pthread_self(), *(pthread_t *)data)) pthread_exit(NULL);
    return AE_NOMORE;
}

/* Runs the loop in another thread, which ends inside it. */
static void run_until_thread_ends(int cancel) {
    pthread_t thread;

    CHECK_INT(sem_init(&sleeps, 0, 0), 0);
    aeSetBeforeSleepProc(el, on_first_sleep);
    CHECK_INT(pthread_create(&thread, NULL, in_thread, NULL), 0);
    CHECK_INT(sem_wait(&sleeps), 0);
    if (cancel) CHECK_INT(pthread_cancel(thread), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

static void cancelled_while_it_sleeps(void) {
    el = new_loop();
    /* Not a whole number of milliseconds from now: the sleep is the precise one. */
    CHECK(aeCreateTimeEvent(el, 3600000, on_time, NULL, NULL) != AE_ERR);
    run_until_thread_ends(1);
    CHECK(aeCreateTimeEvent(el, 0, on_end, NULL, NULL) != AE_ERR);
    aeMain(el);
    aeDeleteEventLoop(el);
}

static void cancelled_and_deleted(void) {
    el = new_loop();
    CHECK(aeCreateTimeEvent(el, 3600000, on_time, NULL, NULL) != AE_ERR);
    run_until_thread_ends(1);
    aeDeleteEventLoop(el);
}

static void callback_that_ends_its_thread(void) {
    pthread_t self = pthread_self();

    el = new_loop();
    CHECK(aeCreateTimeEvent(el, 0, on_exit_thread, &self, on_final) != AE_ERR);
    run_until_thread_ends(0);
    run_once();
    run_once();
    CHECK_INT(finalized, 1);
    aeDeleteEventLoop(el);
}

static void on_signal(aeEventLoop *loop, int signum, void *data) {
    AE_NOTUSED(loop);
    AE_NOTUSED(data);
    leave_or_note(signum == SIGUSR1 ? '1' : '2');
}

static void signal_handler_that_is_left_leaves_the_other_for_the_next_call(void) {
    el = new_loop();
    CHECK_INT(aeCreateSignalEvent(el, SIGUSR1, on_signal, NULL), AE_OK);
    CHECK_INT(aeCreateSignalEvent(el, SIGUSR2, on_signal, NULL), AE_OK);
    raise(SIGUSR1);
    raise(SIGUSR2);
    leaves = 1;
    CHECK(left(run_once));
    CHECK(!left(run_once));
    CHECK_TEXT(test_noted(), SIGUSR1 < SIGUSR2 ? "2" : "1");
    aeDeleteEventLoop(el);
}

TEST_MAIN(CASE(timer_that_is_left_runs_again), CASE(main_that_is_left_runs_again), CASE(hooks_may_be_left),
          CASE(two_calls_that_are_left_are_gone), CASE(time_handler_catches_what_leaves_an_inner_call),
          CASE(called_from_further_in), CASE(a_loop_that_was_left_can_be_deleted),
          CASE(finalizer_that_is_left_has_run), CASE(outer_call_goes_on), CASE(outer_main_goes_on),
          CASE(outer_call_runs_what_the_inner_one_has_left),
          CASE(outer_main_runs_the_posts_that_the_inner_call_has_left),
          CASE(finalizer_catches_what_leaves_an_inner_call),
          CASE(cancelled_while_it_sleeps), CASE(cancelled_and_deleted), CASE(callback_that_ends_its_thread),
          CASE(signal_handler_that_is_left_leaves_the_other_for_the_next_call))
