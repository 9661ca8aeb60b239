/* What the ABI profiles mean differently without a compiler noticing (src/abi/mod.rs), in each of them; and changes of
 * interest from another thread while the loop waits. */
#include "ae_test.h"

#include <pthread.h>

/* ---- Time events ---- */

enum { SECOND = 1000000 };

static TIME_RESULT again;

static TIME_RESULT on_time(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    return again;
}

/* Runs a time event that wants to run again after that many ms, and looks at when it will. */
static void expect_interval(TIME_RESULT wanted) {
    aeEventLoop *el = new_loop();
    long long before, after, when;

    again = wanted;
    CHECK_INT(aeCreateTimeEvent(el, 0, on_time, NULL, NULL), FIRST_TIMER);
    before = test_now_us();
    CHECK_INT(aeProcessEvents(el, AE_TIME_EVENTS | AE_DONT_WAIT), 1);
    after = test_now_us();
    when = (long long)el->timeEventHead->when;
    aeDeleteEventLoop(el);
    /* The loop's clock is the monotonic one, like ours. */
    CHECK(when >= before + (long long)wanted * 1000 && when <= after + (long long)wanted * 1000 + SECOND);
}

static void result_is_the_whole_interval(void) {
    expect_interval(1000);
    expect_interval(INT_MAX);
#ifdef TEST_VALKEY_8_1
    CHECK_INT(sizeof(TIME_RESULT), 8);
    expect_interval((TIME_RESULT)INT_MAX + 1); /* of which an int would be negative */
    expect_interval(5LL << 32);                /* of which an int would be 0 */
    expect_interval(100LL * 365 * 24 * 3600 * 1000);
#else
    CHECK_INT(sizeof(TIME_RESULT), 4);
#endif
}

/* -1 of either size. */
static void nomore_ends_the_event(void) {
    aeEventLoop *el = new_loop();

    again = AE_NOMORE;
    CHECK_INT(aeCreateTimeEvent(el, 0, on_time, NULL, NULL), FIRST_TIMER);
    CHECK_INT(aeProcessEvents(el, AE_TIME_EVENTS | AE_DONT_WAIT), 1);
    CHECK_NULL(el->timeEventHead);
    aeDeleteEventLoop(el);
}

static void ids_count_from_the_first(void) {
    aeEventLoop *el = new_loop();

    CHECK_INT(el->timeEventNextId, FIRST_TIMER);
    CHECK_INT(aeCreateTimeEvent(el, 1000, on_time, NULL, NULL), FIRST_TIMER);
    CHECK_INT(aeCreateTimeEvent(el, 1000, on_time, NULL, NULL), FIRST_TIMER + 1);
    CHECK_INT(el->timeEventNextId, FIRST_TIMER + 2);
    aeDeleteEventLoop(el);
}

static int finalized;
static aeEventLoop *deleted;

static void on_final(aeEventLoop *el, void *data) {
    CHECK(el == deleted);
    finalized += *(int *)data;
}

static TIME_RESULT on_delete_loop(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    deleted = el;
    aeDeleteEventLoop(el);
    return 1;
}

/* Whether the loop was running or not. */
static void loop_deletion_finalizes_the_registered(void) {
    int one = 1, ten = 10, hundred = 100;

    deleted = new_loop();
    CHECK(aeCreateTimeEvent(deleted, 3600000, on_time, &one, on_final) != AE_ERR);
    CHECK(aeCreateTimeEvent(deleted, 0, on_time, &ten, on_final) != AE_ERR);
    aeDeleteEventLoop(deleted);
    CHECK_INT(finalized, LOOP_DELETION_FINALIZES ? 11 : 0);

    finalized = 0;
    deleted = new_loop();
    CHECK(aeCreateTimeEvent(deleted, 3600000, on_time, &one, on_final) != AE_ERR);
    CHECK(aeCreateTimeEvent(deleted, 0, on_delete_loop, &ten, on_final) != AE_ERR);
    CHECK(aeCreateTimeEvent(deleted, 3600000, on_time, &hundred, on_final) != AE_ERR);
    aeMain(deleted);
    CHECK_INT(finalized, LOOP_DELETION_FINALIZES ? 111 : 0);
}

/* ---- The after-sleep hook ---- */

static int told = -1;

#ifdef TEST_VALKEY
static void on_after_sleep(aeEventLoop *el, int fired_count) {
    AE_NOTUSED(el);
    told = fired_count;
    test_note('a');
}
#else
static void on_after_sleep(aeEventLoop *el) {
    AE_NOTUSED(el);
    test_note('a');
}
#endif

static void expect_told(aeEventLoop *el, int flags, int processed, int expected) {
    told = -1;
    CHECK_INT(aeProcessEvents(el, flags | AE_DONT_WAIT | AE_CALL_AFTER_SLEEP), processed);
#ifdef TEST_VALKEY
    CHECK_INT(told, expected);
#else
    AE_NOTUSED(expected);
#endif
}

static void after_sleep_is_told_how_many_fired(void) {
    aeEventLoop *el = new_loop();
    int pairs[3][2], i;

    aeSetAfterSleepProc(el, on_after_sleep);
    expect_told(el, AE_TIME_EVENTS, 0, -1); /* nothing to sleep for: it is not called */
    CHECK_TEXT(test_noted(), "");
    for (i = 0; i < 3; i++) {
        ready_pair(pairs[i]);
        CHECK_INT(aeCreateFileEvent(el, pairs[i][0], AE_READABLE, note_readable, NULL), AE_OK);
    }
    expect_told(el, AE_FILE_EVENTS, 3, 3);
    CHECK_TEXT(test_noted(), "arrr");
    expect_told(el, AE_TIME_EVENTS, 0, 0); /* what fires was not asked for */
    CHECK_TEXT(test_noted(), "a");
    test_drain(pairs[0][0]);
    expect_told(el, AE_ALL_EVENTS, 2, 2);
    CHECK_TEXT(test_noted(), "arr");
    test_drain(pairs[1][0]);
    test_drain(pairs[2][0]);
    expect_told(el, AE_ALL_EVENTS, 0, 0);
    CHECK_TEXT(test_noted(), "a");
    for (i = 0; i < 3; i++) test_close_pair(pairs[i]);
    aeDeleteEventLoop(el);
}

/* ---- The loop's array of events ---- */

static void events_has_an_entry_for_each_descriptor(void) {
    aeEventLoop *el = aeCreateEventLoop(5000);

    CHECK(el != NULL);
    CHECK_INT(el->setsize, 5000);
#ifdef TEST_CONN_LOOP
    CHECK_INT(el->nevents, 1024); /* ae_events_grow.c has the rest */
    CHECK_NULL(el->privdata[0]);
    CHECK_NULL(el->privdata[1]);
#else
    {
        int i; /* as a program may that walks the array */

        for (i = 0; i < el->setsize; i++) CHECK_INT(el->events[i].mask, AE_NONE);
    }
#endif
    aeDeleteEventLoop(el);
}

/* ---- Another thread changes what the waiting loop watches for ---- */

static struct {
    aeEventLoop *el;
    int fd, mask, result;
    aeFileProc *proc;
} change;

static pthread_t changer;

static void *change_interest(void *data) {
    AE_NOTUSED(data);
    test_sleep_us(50000); /* the loop waits by then, or finds the change when it begins to */
    change.result = aeCreateFileEvent(change.el, change.fd, change.mask, change.proc, NULL);
    return NULL;
}

static void start_change(void) { CHECK_INT(pthread_create(&changer, NULL, change_interest, NULL), 0); }

static void on_writable(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(fd);
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_note('w');
    aeStop(el);
}

static aeEventLoop *begin_change(int pair[2]) {
    aeEventLoop *el = new_loop();

    if (strcmp(aeGetApiName(), test_poller()) != 0) {
        aeDeleteEventLoop(el);
        SKIP("a waiting %s does not see changes", aeGetApiName());
    }
    test_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, note_readable, NULL), AE_OK);
    change.el = el;
    change.fd = pair[0];
    change.mask = AE_WRITABLE;
    change.proc = on_writable;
    return el;
}

/* Hangs when the change waits for the next poll. */
static void run_until_changed(aeEventLoop *el, const int pair[2]) {
    aeMain(el);
    CHECK_INT(pthread_join(changer, NULL), 0);
    CHECK_INT(change.result, AE_OK);
    CHECK_TEXT(test_noted(), "w");
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

/* As a program's worker threads do that have the loop send an answer. The loop waits, for the thread alone. */
static void change_of_interest_reaches_the_waiting_loop(void) {
    int pair[2];
    aeEventLoop *el = begin_change(pair);

    start_change();
    run_until_changed(el, pair);
}

/* The thread starts here: a change before the nested wait would reach the poll outside. */
static TIME_RESULT on_wait_inside(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    start_change();
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 1);
    return AE_NOMORE;
}

static void change_of_interest_reaches_the_nested_wait(void) {
    int pair[2];
    aeEventLoop *el = begin_change(pair);

    CHECK(aeCreateTimeEvent(el, 0, on_wait_inside, NULL, NULL) != AE_ERR);
    run_until_changed(el, pair);
}

static int peer;

static void *remove_interest(void *data) {
    AE_NOTUSED(data);
    test_sleep_us(50000); /* as above */
    aeDeleteFileEvent(change.el, change.fd, AE_WRITABLE);
    test_drain(peer); /* it is writable now */
    test_sleep_us(50000);
    test_send(peer, "x");
    return NULL;
}

/* Nobody has a handler for what would wake it. */
static void interest_that_is_removed_does_not_wake_the_waiting_loop(void) {
    int pair[2];
    aeEventLoop *el = begin_change(pair);

    peer = pair[1];
    test_fill(pair[0]);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_WRITABLE, on_writable, NULL), AE_OK);
    CHECK_INT(pthread_create(&changer, NULL, remove_interest, NULL), 0);
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 1);
    CHECK_INT(pthread_join(changer, NULL), 0);
    CHECK_TEXT(test_noted(), "r");
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

TEST_MAIN(CASE(result_is_the_whole_interval), CASE(nomore_ends_the_event), CASE(ids_count_from_the_first),
          CASE(loop_deletion_finalizes_the_registered), CASE(after_sleep_is_told_how_many_fired),
          CASE(events_has_an_entry_for_each_descriptor), CASE(change_of_interest_reaches_the_waiting_loop),
          CASE(change_of_interest_reaches_the_nested_wait),
          CASE(interest_that_is_removed_does_not_wake_the_waiting_loop))
