/* Time events: when they run, in which order, and beside file events. */
#include "ae_test.h"

static int calls;

/* Runs what is due, without waiting. */
static int run_due(aeEventLoop *el) { return aeProcessEvents(el, AE_TIME_EVENTS | AE_DONT_WAIT); }

static long long create(aeEventLoop *el, long long ms, aeTimeProc *proc, void *data) {
    long long id = aeCreateTimeEvent(el, ms, proc, data, NULL);

    CHECK(id != AE_ERR);
    return id;
}

static TIME_RESULT on_once(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    if (data != NULL) test_note(*(char *)data);
    calls++;
    return AE_NOMORE;
}

static void on_readable(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(el);
    AE_NOTUSED(fd);
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_note('f');
}

/* ---- Ids and arguments ---- */

static void ids_increase_from_the_first(void) {
    aeEventLoop *el = new_loop();

    CHECK_INT(create(el, 1000, on_once, NULL), FIRST_TIMER);
    CHECK_INT(create(el, 10, on_once, NULL), FIRST_TIMER + 1);
    CHECK_INT(create(el, 0, on_once, NULL), FIRST_TIMER + 2);
    CHECK_INT(aeDeleteTimeEvent(el, FIRST_TIMER + 2), AE_OK);
    CHECK_INT(create(el, 0, on_once, NULL), FIRST_TIMER + 3); /* ids are not used again */
    CHECK_INT(el->timeEventNextId, FIRST_TIMER + 4);
    aeDeleteEventLoop(el);
}

static struct {
    aeEventLoop *el;
    long long id;
    void *data;
} seen;

static TIME_RESULT on_seen(aeEventLoop *el, long long id, void *data) {
    seen.el = el;
    seen.id = id;
    seen.data = data;
    return AE_NOMORE;
}

static void handler_gets_its_arguments(void) {
    aeEventLoop *el = new_loop();
    int data = 0;

    create(el, 3600000, on_once, NULL);
    CHECK_INT(create(el, 0, on_seen, &data), FIRST_TIMER + 1);
    CHECK_INT(run_due(el), 1);
    CHECK(seen.el == el);
    CHECK_INT(seen.id, FIRST_TIMER + 1);
    CHECK(seen.data == &data);
    aeDeleteEventLoop(el);
}

/* Departs from upstream, which trusts its callers. */
static void nonsense_is_einval(void) {
    aeEventLoop *el = new_loop();

    CHECK_FAILS(aeCreateTimeEvent(NULL, 0, on_once, NULL, NULL), AE_ERR, EINVAL);
    CHECK_FAILS(aeCreateTimeEvent(el, 0, NULL, NULL, NULL), AE_ERR, EINVAL);
    CHECK_FAILS(aeDeleteTimeEvent(NULL, 0), AE_ERR, EINVAL);
    CHECK_KEEPS_ERRNO(aeCreateTimeEvent(el, 0, on_once, NULL, NULL), FIRST_TIMER); /* failures take no id */
    CHECK_KEEPS_ERRNO(run_due(el), 1);
    aeDeleteEventLoop(el);
}

/* ---- When ---- */

static long long fired_at;

static TIME_RESULT on_stamp(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    fired_at = test_now_us();
    calls++;
    return AE_NOMORE;
}

static void never_early(void) {
    aeEventLoop *el = new_loop();
    int ms, round;

    for (round = 0; round < 3; round++) {
        for (ms = 0; ms <= 12; ms++) {
            long long before = test_now_us();

            create(el, ms, on_stamp, NULL);
            for (calls = 0; calls == 0;) aeProcessEvents(el, AE_ALL_EVENTS);
            if (fired_at - before < ms * 1000LL)
                FAIL("a timer of %d ms fired after %lld us", ms, fired_at - before);
        }
    }
    aeDeleteEventLoop(el);
}

static void waits_without_spinning(void) {
    aeEventLoop *el = new_loop();
    int iterations = 0;

    create(el, 20, on_stamp, NULL);
    while (calls == 0) {
        aeProcessEvents(el, AE_ALL_EVENTS);
        iterations++;
    }
    if (iterations > 4) FAIL("%d iterations until a timer of 20 ms fired", iterations);
    aeDeleteEventLoop(el);
}

static void zero_and_negative_delays_run_in_the_next_pass(void) {
    aeEventLoop *el = new_loop();

    create(el, 0, on_once, NULL);
    create(el, -1, on_once, NULL);
    create(el, -100000, on_once, NULL);
    CHECK_INT(aeProcessEvents(el, AE_TIME_EVENTS), 3);
    CHECK_INT(calls, 3);
    aeDeleteEventLoop(el);
}

/* Departs from upstream, whose sum of now and the delay overflows. */
static void far_future_does_not_overflow(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    create(el, LLONG_MAX, on_once, NULL);
    create(el, LLONG_MAX / 1000, on_once, NULL);
    create(el, 1LL << 61, on_once, NULL); /* in microseconds a multiple of 2^64 */
    create(el, 1LL << 40, on_once, NULL);
    CHECK_INT(run_due(el), 0);
    /* Waiting for them is not an error either: a file event ends the wait. */
    test_pair(pair);
    test_send(pair[1], "x");
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_readable, NULL), AE_OK);
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS), 1);
    CHECK_TEXT(test_noted(), "f");
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

static TIME_RESULT on_huge_interval(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    calls++;
    return INT_MAX;
}

/* As upstream from 7.2 on; before, the multiplication overflowed. */
static void huge_interval_does_not_overflow(void) {
    aeEventLoop *el = new_loop();

    create(el, 0, on_huge_interval, NULL);
    CHECK_INT(run_due(el), 1);
    CHECK_INT(run_due(el), 0);
    CHECK_INT(calls, 1);
    aeDeleteEventLoop(el);
}

/* ---- Again ---- */

static long long ended_at;

static TIME_RESULT on_repeat(aeEventLoop *el, long long id, void *data) {
    long long now = test_now_us();

    AE_NOTUSED(el);
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    if (calls++ > 0 && now - ended_at < 5000)
        FAIL("ran again %lld us after it had returned 5 ms", now - ended_at);
    test_sleep_us(3000);
    ended_at = test_now_us();
    return 5;
}

static void interval_counts_from_the_handlers_end(void) {
    aeEventLoop *el = new_loop();

    create(el, 1, on_repeat, NULL);
    while (calls < 5) aeProcessEvents(el, AE_ALL_EVENTS);
    aeDeleteEventLoop(el);
}

static TIME_RESULT on_zero_interval(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    calls++;
    return *(int *)data;
}

static void zero_interval_runs_once_a_pass(void) {
    aeEventLoop *el = new_loop();
    int interval = 0;

    create(el, 0, on_zero_interval, &interval);
    CHECK_INT(run_due(el), 1);
    CHECK_INT(run_due(el), 1);
    CHECK_INT(calls, 2);
    /* Only AE_NOMORE ends a timer; any other negative number is an interval that is over. */
    interval = -7;
    CHECK_INT(run_due(el), 1);
    CHECK_INT(run_due(el), 1);
    CHECK_INT(calls, 4);
    interval = AE_NOMORE;
    CHECK_INT(run_due(el), 1);
    CHECK_INT(run_due(el), 0);
    aeDeleteEventLoop(el);
}

static TIME_RESULT on_create_another(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    calls++;
    create(el, 0, on_once, NULL);
    create(el, -5, on_once, NULL);
    return AE_NOMORE;
}

static void timer_made_in_a_handler_waits_for_the_next_pass(void) {
    aeEventLoop *el = new_loop();

    create(el, 0, on_create_another, NULL);
    CHECK_INT(run_due(el), 1);
    CHECK_INT(calls, 1);
    CHECK_INT(run_due(el), 2);
    CHECK_INT(calls, 3);
    aeDeleteEventLoop(el);
}

/* ---- Order ---- */

enum { MANY = 10000 };

static struct deadline {
    monotime when;
    long long id;
} deadlines[MANY];
static monotime last_deadline;

static TIME_RESULT on_deadline(aeEventLoop *el, long long id, void *data) {
    struct deadline *deadline = data;

    AE_NOTUSED(el);
    CHECK_INT(id, deadline->id);
    if (deadline->when < last_deadline) FAIL("timer %lld ran after one that was due later", id);
    last_deadline = deadline->when;
    calls++;
    return AE_NOMORE;
}

/* MANY timers, due within 50 ms. */
static aeEventLoop *create_deadlines(void) {
    aeEventLoop *el = new_loop();
    unsigned random = 12345;
    int i;

    for (i = 0; i < MANY; i++) {
        random = random * 1103515245u + 12345u;
        deadlines[i].id = create(el, (random >> 16) % 50, on_deadline, &deadlines[i]);
        CHECK_INT(deadlines[i].id, FIRST_TIMER + i);
        deadlines[i].when = el->timeEventHead->when; /* the newest is the list's head */
    }
    return el;
}

/* Departs from upstream, which runs what is due from the newest to the oldest. */
static void many_timers_run_in_the_order_of_their_deadlines(void) {
    aeEventLoop *el = create_deadlines();

    while (calls < MANY) CHECK(aeProcessEvents(el, AE_ALL_EVENTS) >= 0);
    CHECK_INT(calls, MANY);
    CHECK_INT(run_due(el), 0);
    aeDeleteEventLoop(el);
}

/* Departs from upstream as above. */
static void deleting_many_keeps_the_order_of_the_rest(void) {
    aeEventLoop *el = create_deadlines();
    int i, left = MANY;

    for (i = 0; i < MANY; i++) {
        int victim = (int)((i * 7919L) % MANY); /* each once, in no order */

        if (victim % 3 == 0) continue;
        CHECK_INT(aeDeleteTimeEvent(el, FIRST_TIMER + victim), AE_OK);
        deadlines[victim].id = -1; /* its handler would notice */
        left--;
    }
    while (calls < left) CHECK(aeProcessEvents(el, AE_ALL_EVENTS) >= 0);
    test_sleep_us(5000);
    CHECK_INT(run_due(el), 0);
    CHECK_INT(calls, left);
    CHECK_NULL(el->timeEventHead);
    aeDeleteEventLoop(el);
}

/* ---- Beside file events ---- */

static void files_come_before_timers_and_both_count(void) {
    aeEventLoop *el = new_loop();
    int one[2], two[2];

    test_pair(one);
    test_pair(two);
    test_send(one[1], "x");
    test_send(two[1], "x");
    CHECK_INT(aeCreateFileEvent(el, one[0], AE_READABLE, on_readable, NULL), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, two[0], AE_READABLE, on_readable, NULL), AE_OK);
    create(el, 0, on_once, "t");
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS), 3);
    CHECK_TEXT(test_noted(), "fft");
    test_close_pair(one);
    test_close_pair(two);
    aeDeleteEventLoop(el);
}

/* As upstream from 7.2 on; before, file events ran whatever was asked for. */
static void only_what_was_asked_for_runs(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    test_pair(pair);
    test_send(pair[1], "x");
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_readable, NULL), AE_OK);
    create(el, 0, on_once, "t");
    CHECK_INT(aeProcessEvents(el, 0), 0);
    CHECK_INT(aeProcessEvents(el, AE_DONT_WAIT), 0);
    CHECK_TEXT(test_noted(), "");
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 1);
    CHECK_TEXT(test_noted(), "f");
    CHECK_INT(aeProcessEvents(el, AE_TIME_EVENTS | AE_DONT_WAIT), 1);
    CHECK_TEXT(test_noted(), "t");
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

static void not_waiting_is_not_waiting(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    create(el, 3600 * 1000, on_once, NULL);
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT), 0);
    test_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_readable, NULL), AE_OK);
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT), 0);
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS | AE_DONT_WAIT), 0);
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

TEST_MAIN(CASE(ids_increase_from_the_first), CASE(handler_gets_its_arguments), CASE(nonsense_is_einval),
          CASE(never_early), CASE(waits_without_spinning), CASE(zero_and_negative_delays_run_in_the_next_pass),
          CASE(far_future_does_not_overflow), CASE(huge_interval_does_not_overflow),
          CASE(interval_counts_from_the_handlers_end), CASE(zero_interval_runs_once_a_pass),
          CASE(timer_made_in_a_handler_waits_for_the_next_pass),
          CASE(many_timers_run_in_the_order_of_their_deadlines),
          CASE(deleting_many_keeps_the_order_of_the_rest), CASE(files_come_before_timers_and_both_count),
          CASE(only_what_was_asked_for_runs), CASE(not_waiting_is_not_waiting))
