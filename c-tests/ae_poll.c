/* Valkey's aePoll, custom polls and protected polls, one thread at a time. */
#include "ae_test.h"

#include <pthread.h>

static struct timeval now = {0, 0};

static int seen_count = -1;

static void on_after_sleep(aeEventLoop *el, int count) {
    AE_NOTUSED(el);
    seen_count = count;
    test_note('a');
}

/* ---- aePoll ---- */

static void poll_tells_and_calls_nobody(void) {
    aeEventLoop *el = new_loop();
    int pair[2], other[2];

    ready_pair(pair);
    test_pair(other);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE | AE_WRITABLE, note_any, NULL), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, other[0], AE_READABLE, note_any, NULL), AE_OK);
    aeSetAfterSleepProc(el, on_after_sleep);
    CHECK_KEEPS_ERRNO(aePoll(el, &now), 1);
    CHECK_INT(el->fired[0].fd, pair[0]);
    CHECK_INT(el->fired[0].mask, AE_READABLE | AE_WRITABLE);
    CHECK_TEXT(test_noted(), "");
    CHECK_INT(aePoll(el, &now), 1); /* nothing was consumed */
    test_close_pair(pair);
    test_close_pair(other);
    aeDeleteEventLoop(el);
}

static void *send_later(void *fd) {
    test_sleep_us(30000);
    test_send(*(int *)fd, "x");
    return NULL;
}

static void poll_waits_as_long_as_it_is_told(void) {
    struct timeval short_while = {0, 30000}, second = {1, 0};
    aeEventLoop *el = new_loop();
    pthread_t thread;
    long long start;
    int pair[2];

    test_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, note_any, NULL), AE_OK);
    start = test_now_us();
    CHECK_INT(aePoll(el, &short_while), 0);
    CHECK(test_now_us() - start >= 30000);
    start = test_now_us();
    CHECK_INT(aePoll(el, &second), 0);
    CHECK(test_now_us() - start >= 1000000);
    CHECK_INT(pthread_create(&thread, NULL, send_later, &pair[1]), 0);
    CHECK_INT(aePoll(el, NULL), 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

/* ---- Custom polls ---- */

static int polls, wanted;

static int poll_now(aeEventLoop *el) {
    polls++;
    test_note('p');
    return aePoll(el, &now);
}

static void before_sleep(aeEventLoop *el) {
    AE_NOTUSED(el);
    test_note('s');
}

static void custom_poll_takes_the_polls_place(void) {
    aeEventLoop *el = new_loop();
    int pair[2], other[2];

    ready_pair(pair);
    ready_pair(other);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, note_readable, NULL), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, other[0], AE_READABLE, note_readable, NULL), AE_OK);
    aeSetBeforeSleepProc(el, before_sleep);
    aeSetAfterSleepProc(el, on_after_sleep);
    CHECK_NULL(el->custompoll);
    aeSetCustomPollProc(el, poll_now);
    CHECK(el->custompoll == poll_now);
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS | AE_CALL_BEFORE_SLEEP | AE_CALL_AFTER_SLEEP), 2);
    CHECK_TEXT(test_noted(), "sparr");
    CHECK_INT(seen_count, 2);
    /* What has fired was not asked for. */
    CHECK_INT(aeProcessEvents(el, AE_TIME_EVENTS | AE_CALL_AFTER_SLEEP), 0);
    CHECK_TEXT(test_noted(), "pa");
    CHECK_INT(seen_count, 0);
    test_drain(pair[0]);
    CHECK_INT(poll_once(el), 1);
    aeSetCustomPollProc(el, NULL);
    CHECK_INT(polls, 3);
    CHECK_INT(poll_once(el), 1);
    CHECK_INT(polls, 3);
    test_close_pair(pair);
    test_close_pair(other);
    aeDeleteEventLoop(el);
}

static TIME_RESULT on_time(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    test_note('t');
    return AE_NOMORE;
}

static int poll_nothing(aeEventLoop *el) {
    AE_NOTUSED(el);
    polls++;
    return wanted;
}

/* The loop waits for nothing: that is the custom poll's affair. Timers run anyway. */
static void loop_does_not_wait_for_a_custom_poll(void) {
    aeEventLoop *el = new_loop();
    int pair[2], i;

    test_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, note_readable, NULL), AE_OK);
    CHECK(aeCreateTimeEvent(el, 3600000, on_time, NULL, NULL) != AE_ERR);
    aeSetCustomPollProc(el, poll_nothing);
    for (i = 0; i < 10; i++) CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS), 0);
    CHECK(aeCreateTimeEvent(el, 0, on_time, NULL, NULL) != AE_ERR);
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS), 1);
    CHECK_TEXT(test_noted(), "t");
    CHECK_INT(polls, 11);
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

static int poll_fail(aeEventLoop *el) {
    AE_NOTUSED(el);
    errno = EPROTO;
    return -1;
}

/* Departs from upstream, which takes a failure for nothing and goes on. */
static void failed_custom_poll_is_told(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, note_readable, NULL), AE_OK);
    aeSetAfterSleepProc(el, on_after_sleep);
    aeSetCustomPollProc(el, poll_fail);
    CHECK_FAILS(aeProcessEvents(el, AE_ALL_EVENTS | AE_CALL_AFTER_SLEEP), AE_ERR, EPROTO);
    CHECK_TEXT(test_noted(), "a");
    CHECK_INT(seen_count, 0);
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

/* Departs from upstream, which would read behind the array. */
static void custom_poll_cannot_claim_more_than_the_set(void) {
    aeEventLoop *el = aeCreateEventLoop(64);

    CHECK(el != NULL);
    wanted = INT_MAX;
    aeSetCustomPollProc(el, poll_nothing);
    CHECK(aeProcessEvents(el, AE_FILE_EVENTS | AE_TIME_EVENTS) <= 64);
    aeDeleteEventLoop(el);
}

/* A result that another poll, in the middle of a handler, has not overwritten. */
enum { MANY = 12 };
static int pairs[MANY][2], served[MANY], nested;

static void begin_many(aeEventLoop *el, aeFileProc *proc) {
    int i;

    for (i = 0; i < MANY; i++) {
        ready_pair(pairs[i]);
        CHECK_INT(aeCreateFileEvent(el, pairs[i][0], AE_READABLE, proc, &served[i]), AE_OK);
    }
}

static void end_many(aeEventLoop *el) {
    int i;

    for (i = 0; i < MANY; i++) {
        CHECK_INT(served[i], 1);
        test_close_pair(pairs[i]);
    }
    aeDeleteEventLoop(el);
}

/* The first handler serves every other one itself, and polls again, which finds fewer and calls nobody. */
static void on_poll_inside(aeEventLoop *el, int fd, void *data, int mask) {
    int i;

    CHECK_INT(mask, AE_READABLE);
    *(int *)data += test_drain(fd);
    if (nested++ > 0) return;
    for (i = 1; i < MANY; i += 2) served[i] += test_drain(pairs[i][0]);
    CHECK(aePoll(el, &now) < MANY - 1);
}

static void poll_inside_a_handler_does_not_disturb(void) {
    aeEventLoop *el = new_loop();
    int i;

    begin_many(el, on_poll_inside);
    aeSetCustomPollProc(el, poll_now);
    CHECK_INT(poll_once(el), MANY);
    CHECK_INT(nested, MANY);
    for (i = 0; i < MANY; i++) CHECK_INT(served[i], 1); /* in this one pass */
    end_many(el);
}

/* As Valkey does while a script or a load runs: the loop, custom poll and all, inside a handler. */
static void on_process_inside(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(mask);
    *(int *)data += test_drain(fd);
    if (nested++ == 0) CHECK_INT(poll_once(el), MANY - 1);
}

static void loop_inside_a_handler_serves_the_rest(void) {
    aeEventLoop *el = new_loop();

    begin_many(el, on_process_inside);
    aeSetCustomPollProc(el, poll_now);
    CHECK_INT(poll_once(el), MANY);
    CHECK_INT(nested, MANY); /* nobody a second time */
    CHECK_INT(poll_once(el), 0);
    end_many(el);
}

static void on_count(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(el);
    AE_NOTUSED(mask);
    test_drain(fd);
    *(int *)data += 1;
}

static void run_after_sleep(aeEventLoop *el, int count) {
    CHECK_INT(count, MANY);
    CHECK_INT(poll_once(el), MANY);
    CHECK_INT(poll_once(el), 0);
}

/* What the custom poll had found before has been served in the hook. */
static void after_sleep_hook_may_run_the_loop(void) {
    aeEventLoop *el = new_loop();

    begin_many(el, on_count);
    aeSetCustomPollProc(el, poll_now);
    aeSetAfterSleepProc(el, run_after_sleep);
    aeProcessEvents(el, AE_FILE_EVENTS | AE_DONT_WAIT | AE_CALL_AFTER_SLEEP);
    end_many(el);
}

static int poll_and_delete(aeEventLoop *el) {
    aeDeleteEventLoop(el);
    return 0;
}

static void no_hook_runs_after_a_custom_poll_has_deleted_the_loop(void) {
    aeEventLoop *el = new_loop();

    aeSetCustomPollProc(el, poll_and_delete);
    aeSetAfterSleepProc(el, on_after_sleep);
    aeMain(el);
    CHECK_TEXT(test_noted(), "");
}

static int poll_once_only(aeEventLoop *el) {
    aeSetCustomPollProc(el, NULL);
    return poll_now(el);
}

static void custom_poll_may_take_itself_away(void) {
    aeEventLoop *el = new_loop();

    begin_many(el, on_process_inside);
    aeSetCustomPollProc(el, poll_once_only);
    CHECK_INT(poll_once(el), MANY);
    CHECK_INT(polls, 1);
    CHECK_INT(poll_once(el), 0);
    CHECK_INT(polls, 1);
    end_many(el);
}

/* ---- Protected polls ---- */

static void protection_is_a_flag_of_its_own(void) {
    aeEventLoop *el = new_loop();

    aeSetPollProtect(el, 1);
    CHECK_INT(el->flags, AE_PROTECT_POLL);
    aeSetDontWait(el, 1);
    CHECK_INT(el->flags, AE_PROTECT_POLL | AE_DONT_WAIT);
    aeSetPollProtect(el, 0);
    CHECK_INT(el->flags, AE_DONT_WAIT);
    aeSetPollProtect(el, 7);
    aeSetDontWait(el, 0);
    CHECK_INT(el->flags, AE_PROTECT_POLL);
    aeDeleteEventLoop(el);
}

/* Departs from upstream, whose mutex is a plain one: a thread that waits for itself waits forever. */
static void own_mutex_is_a_deadlock_that_is_told(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, note_readable, NULL), AE_OK);
    aeSetPollProtect(el, 1);
    CHECK_INT(pthread_mutex_lock(&el->poll_mutex), 0);
    CHECK_FAILS(aePoll(el, &now), AE_ERR, EDEADLK);
    CHECK_FAILS(aeCreateFileEvent(el, pair[0], AE_WRITABLE, note_writable, NULL), AE_ERR, EDEADLK);
    CHECK_FAILS(aeResizeSetSize(el, 100), AE_ERR, EDEADLK);
    CHECK_INT(aeGetFileEvents(el, pair[0]), AE_READABLE);
    CHECK_INT(pthread_mutex_unlock(&el->poll_mutex), 0);
    CHECK_INT(aePoll(el, &now), 1);
    CHECK_INT(pthread_mutex_trylock(&el->poll_mutex), 0); /* each call has given it back */
    CHECK_INT(pthread_mutex_unlock(&el->poll_mutex), 0);
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

static void without_protection_the_mutex_is_left_alone(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    ready_pair(pair);
    CHECK_INT(pthread_mutex_lock(&el->poll_mutex), 0);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, note_readable, NULL), AE_OK);
    CHECK_INT(aePoll(el, &now), 1);
    CHECK_INT(poll_once(el), 1);
    CHECK_INT(aeResizeSetSize(el, 100), AE_OK);
    aeDeleteFileEvent(el, pair[0], AE_READABLE);
    CHECK_INT(pthread_mutex_unlock(&el->poll_mutex), 0);
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

TEST_MAIN(CASE(poll_tells_and_calls_nobody), CASE(poll_waits_as_long_as_it_is_told),
          CASE(custom_poll_takes_the_polls_place), CASE(loop_does_not_wait_for_a_custom_poll),
          CASE(failed_custom_poll_is_told), CASE(custom_poll_cannot_claim_more_than_the_set),
          CASE(poll_inside_a_handler_does_not_disturb), CASE(loop_inside_a_handler_serves_the_rest),
          CASE(custom_poll_may_take_itself_away), CASE(after_sleep_hook_may_run_the_loop),
          CASE(no_hook_runs_after_a_custom_poll_has_deleted_the_loop),
          CASE(protection_is_a_flag_of_its_own),
          CASE(own_mutex_is_a_deadlock_that_is_told), CASE(without_protection_the_mutex_is_left_alone))
