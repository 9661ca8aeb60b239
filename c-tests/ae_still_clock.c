/* A clock that does not move: this program's own clock_gettime comes before the C library's. What is cheaper to
 * read may be behind. */
#include "ae_test.h"

#include <libae.h>

static long long still_us = 1000000, behind_us;

int clock_gettime(clockid_t clock, struct timespec *now) {
    long long us = clock == CLOCK_MONOTONIC ? still_us : clock == CLOCK_MONOTONIC_COARSE ? still_us - behind_us : 0;

    now->tv_sec = us / 1000000;
    now->tv_nsec = us % 1000000 * 1000;
    return 0;
}

static int calls;
static aeEventLoop *loop;

static int run_due(void) { return aeProcessEvents(loop, AE_TIME_EVENTS | AE_DONT_WAIT); }

static long long create(aeTimeProc *proc, void *data) {
    long long id = aeCreateTimeEvent(loop, 0, proc, data, NULL);

    CHECK(id != AE_ERR);
    return id;
}

static TIME_RESULT at_once_again(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    calls++;
    return 0;
}

static TIME_RESULT once(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    calls++;
    return AE_NOMORE;
}

static void zero_interval_runs_once_a_pass(void) {
    loop = new_loop();
    create(at_once_again, NULL);
    create(at_once_again, NULL);
    for (int pass = 1; pass <= 3; pass++) {
        CHECK_INT(run_due(), 2);
        CHECK_INT(calls, 2 * pass);
    }
    aeDeleteEventLoop(loop);
}

static TIME_RESULT makes_another(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    calls++;
    *(long long *)data = create(once, NULL);
    return AE_NOMORE;
}

static void timer_made_in_a_handler_waits_for_the_next_pass(void) {
    long long made;

    loop = new_loop();
    create(makes_another, &made);
    CHECK_INT(run_due(), 1);
    CHECK_INT(run_due(), 1);
    CHECK_INT(run_due(), 0);
    CHECK_INT(calls, 2);
    aeDeleteEventLoop(loop);
}

static TIME_RESULT makes_another_and_asks(aeEventLoop *el, long long id, void *data) {
    makes_another(el, id, data);
    CHECK_INT(aeGetTimeout(el), 0);
    return 0;
}

static void asking_for_the_timeout_brings_no_timer_forward(void) {
    long long made;

    loop = new_loop();
    create(makes_another_and_asks, &made);
    create(makes_another_and_asks, &made);
    CHECK_INT(run_due(), 2);
    CHECK_INT(calls, 2);
    CHECK_INT(aeGetTimeout(loop), 0);
    CHECK_INT(run_due(), 2 + 2);
    CHECK_INT(calls, 6);
    aeDeleteEventLoop(loop);
}

static TIME_RESULT asks(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(id);
    CHECK_INT(aeDeleteTimeEvent(el, *(long long *)data), AE_OK);
    CHECK_INT(aeGetTimeout(el), 7);
    return AE_NOMORE;
}

static void the_timeout_in_a_handler_is_that_of_what_is_left(void) {
    long long deleted;

    loop = new_loop();
    create(asks, &deleted);
    deleted = aeCreateTimeEvent(loop, 3, once, NULL, NULL);
    CHECK(aeCreateTimeEvent(loop, 7, once, NULL, NULL) != AE_ERR);
    CHECK_INT(run_due(), 1);
    aeDeleteEventLoop(loop);
}

static void timer_made_in_a_handler_may_be_deleted_before_it_runs(void) {
    long long made;

    loop = new_loop();
    create(makes_another, &made);
    CHECK_INT(run_due(), 1);
    CHECK_INT(aeDeleteTimeEvent(loop, made), AE_OK);
    CHECK_INT(run_due(), 0);
    CHECK_INT(calls, 1);
    create(once, NULL);
    CHECK_INT(run_due(), 1);
    aeDeleteEventLoop(loop);
}

static TIME_RESULT runs_the_loop(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    create(once, NULL);
    /* Waits for nothing: a timer is due. */
    CHECK_INT(aeProcessEvents(loop, AE_TIME_EVENTS), 1);
    CHECK_INT(calls, 1);
    return AE_NOMORE;
}

static void nested_pass_runs_what_the_outer_one_put_off(void) {
    loop = new_loop();
    create(runs_the_loop, NULL);
    CHECK_INT(run_due(), 1);
    CHECK_INT(run_due(), 0);
    aeDeleteEventLoop(loop);
}

static void nothing_is_due_before_the_clock_moves(void) {
    loop = new_loop();
    CHECK(aeCreateTimeEvent(loop, 1, once, NULL, NULL) != AE_ERR);
    CHECK(aeCreateTimeEvent(loop, 100, once, NULL, NULL) != AE_ERR);
    CHECK_INT(run_due(), 0);
    still_us += 999;
    CHECK_INT(run_due(), 0);
    still_us += 1;
    CHECK_INT(run_due(), 1);
    still_us += 98999;
    CHECK_INT(run_due(), 0);
    still_us += 1;
    CHECK_INT(run_due(), 1);
    aeDeleteEventLoop(loop);
}

/* By the ticks of a kernel that has a hundred in a second, in any part of the second. */
static void a_coarse_clock_that_is_behind_delays_nothing(void) {
    int i;

    loop = new_loop();
    behind_us = 10000;
    for (i = 0; i < 20; i++) {
        still_us += 70000;
        create(once, NULL);
        CHECK_INT(run_due(), 1);
        CHECK_INT(run_due(), 0);
    }
    aeDeleteEventLoop(loop);
}

/* Nor by a second: who has slept until a time event looks whether it is due. */
static void a_coarse_clock_is_not_asked_after_a_sleep(void) {
    loop = new_loop();
    still_us += 2000000;
    behind_us = 1000000;
    create(once, NULL);
    CHECK_INT(aeProcessEvents(loop, AE_TIME_EVENTS), 1);
    aeDeleteEventLoop(loop);
}

/* A run that takes as long as its place among the lengths says, in milliseconds; the one after them is the last. */
static int beats_on(aeEventLoop *el, long long id, void *data) {
    const int *length = (const int *)data + calls++;

    AE_NOTUSED(el);
    CHECK(id >= 0);
    if (*length < 0) return AE_NOMORE;
    still_us += *length * 1000LL;
    return 0;
}

static void must_be_due_in(long long us) {
    CHECK_INT(run_due(), 0);
    still_us += us - 1;
    CHECK_INT(run_due(), 0);
    still_us += 1;
}

/* Neither by late runs nor by long ones; what was missed is left out. */
static void periodic_events_do_not_drift(void) {
    int lengths[] = {0, 5, 31, -1};

    loop = new_loop();
    CHECK(aeCreatePeriodicTimeEvent(loop, 3, 10, beats_on, lengths, NULL) != AE_ERR);
    must_be_due_in(3000);
    CHECK_INT(run_due(), 1); /* at 3 ms */
    must_be_due_in(10000);
    still_us += 4500;
    CHECK_INT(run_due(), 1); /* at 17.5, until 22.5 */
    must_be_due_in(1000);
    CHECK_INT(run_due(), 1); /* at 23.5, since it waits for whole milliseconds, until 54.5: 33, 43 and 53 are missed */
    must_be_due_in(9000);
    CHECK_INT(run_due(), 1); /* at 63.5 */
    CHECK_INT(run_due(), 0);
    CHECK_INT(calls, 4);
    CHECK_NULL(loop->timeEventHead);
    aeDeleteEventLoop(loop);
}

static char order[8];

static TIME_RESULT note(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    strcat(order, data);
    return AE_NOMORE;
}

/* Also behind one that is created after the move. */
static void a_moved_event_comes_last_at_its_time(void) {
    long long moved;

    loop = new_loop();
    moved = create(note, "m");
    create(note, "1");
    CHECK(aeCreateTimeEvent(loop, 5, note, "4", NULL) != AE_ERR);
    CHECK_INT(aeResetTimeEvent(loop, moved, 5), AE_OK);
    CHECK(aeCreateTimeEvent(loop, 5, note, "5", NULL) != AE_ERR);
    CHECK(aeCreateTimeEvent(loop, 4, note, "3", NULL) != AE_ERR);
    create(note, "2");
    CHECK_INT(run_due(), 2);
    still_us += 5000;
    CHECK_INT(run_due(), 4);
    CHECK_TEXT(order, "12345m");
    aeDeleteEventLoop(loop);
}

TEST_MAIN(CASE(a_moved_event_comes_last_at_its_time), CASE(zero_interval_runs_once_a_pass),
          CASE(timer_made_in_a_handler_waits_for_the_next_pass),
          CASE(asking_for_the_timeout_brings_no_timer_forward),
          CASE(the_timeout_in_a_handler_is_that_of_what_is_left),
          CASE(timer_made_in_a_handler_may_be_deleted_before_it_runs), CASE(nested_pass_runs_what_the_outer_one_put_off),
          CASE(nothing_is_due_before_the_clock_moves), CASE(a_coarse_clock_that_is_behind_delays_nothing),
          CASE(a_coarse_clock_is_not_asked_after_a_sleep), CASE(periodic_events_do_not_drift))
