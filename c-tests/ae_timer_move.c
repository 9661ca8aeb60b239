/* Time events that get another deadline, those at even distances, and loops that end when nothing is left. */
#include "ae_test.h"

#include <libae.h>

static int finalized;

static void count_final(aeEventLoop *el, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(data);
    finalized++;
}

static TIME_RESULT note_once(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    test_note(*(const char *)data);
    return AE_NOMORE;
}

static TIME_RESULT note_each_pass(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    test_note(*(const char *)data);
    return 0;
}

static int run_due(aeEventLoop *el) { return aeProcessEvents(el, AE_TIME_EVENTS | AE_DONT_WAIT); }

/* ---- Moving ---- */

static void an_event_moves_to_and_fro(void) {
    aeEventLoop *el = new_loop();
    long long id = aeCreateTimeEvent(el, 3600000, note_once, "a", count_final);
    int i;

    CHECK_INT(run_due(el), 0);
    CHECK_KEEPS_ERRNO(aeResetTimeEvent(el, id, 0), AE_OK);
    CHECK_INT(aeResetTimeEvent(el, id, 3600000), AE_OK);
    CHECK_INT(run_due(el), 0);
    for (i = 0; i < 1000; i++) CHECK_INT(aeResetTimeEvent(el, id, i % 2 ? 1800000 : 3600000), AE_OK);
    CHECK_INT(run_due(el), 0);
    CHECK(aeGetTimeout(el) > 1000000);
    CHECK_INT(aeResetTimeEvent(el, id, 0), AE_OK);
    CHECK_INT(aeGetTimeout(el), 0);
    CHECK_INT(run_due(el), 1);
    CHECK_TEXT(test_noted(), "a");
    run_due(el);
    CHECK_INT(finalized, 1);
    CHECK_FAILS(aeResetTimeEvent(el, id, 0), AE_ERR, ENOENT);
    CHECK_INT(aeGetTimeout(el), -1);
    aeDeleteEventLoop(el);
}

static void a_moved_event_that_runs_again_runs_once_a_pass(void) {
    aeEventLoop *el = new_loop();
    long long id = aeCreateTimeEvent(el, 0, note_each_pass, "a", NULL);
    int i;

    for (i = 0; i < 5; i++) CHECK_INT(aeResetTimeEvent(el, id, 0), AE_OK);
    for (i = 0; i < 3; i++) CHECK_INT(run_due(el), 1);
    CHECK_INT(aeResetTimeEvent(el, id, 0), AE_OK);
    CHECK_INT(run_due(el), 1);
    CHECK_TEXT(test_noted(), "aaaa");
    CHECK_INT(aeDeleteTimeEvent(el, id), AE_OK);
    CHECK_INT(run_due(el), 0);
    CHECK_FAILS(aeDeleteTimeEvent(el, id), AE_ERR, ENOENT);
    aeDeleteEventLoop(el);
}

static void others_keep_their_order(void) {
    aeEventLoop *el = new_loop();
    long long first = aeCreateTimeEvent(el, 0, note_once, "1", NULL);

    CHECK(aeCreateTimeEvent(el, 0, note_once, "2", NULL) != AE_ERR);
    CHECK(aeCreateTimeEvent(el, 1, note_once, "3", NULL) != AE_ERR);
    CHECK_INT(aeResetTimeEvent(el, first, 2), AE_OK);
    while (strlen(test_log) < 3) CHECK(aeProcessEvents(el, AE_ALL_EVENTS) >= 0);
    CHECK_TEXT(test_noted(), "231");
    aeDeleteEventLoop(el);
}

enum { IN_ORDER = 1000 };

static int in_order;

static TIME_RESULT check_order(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    CHECK_INT(*(int *)data, in_order);
    in_order++;
    return AE_NOMORE;
}

/* Most of them are due in the same microsecond as their neighbours. */
static void events_that_move_to_one_time_run_in_the_order_of_the_moves(void) {
    static long long ids[IN_ORDER];
    static int numbers[IN_ORDER];
    aeEventLoop *el = new_loop();
    int i;

    for (i = 0; i < IN_ORDER; i++) {
        numbers[i] = i;
        ids[i] = aeCreateTimeEvent(el, 3600000, check_order, &numbers[i], NULL);
        CHECK(ids[i] != AE_ERR);
    }
    for (i = 0; i < IN_ORDER; i++) CHECK_INT(aeResetTimeEvent(el, ids[i], 0), AE_OK);
    CHECK_INT(run_due(el), IN_ORDER);
    CHECK_INT(in_order, IN_ORDER);
    aeDeleteEventLoop(el);
}

static TIME_RESULT reset_itself(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(data);
    test_note('s');
    CHECK_FAILS(aeResetTimeEvent(el, id, 0), AE_ERR, EBUSY);
    return AE_NOMORE;
}

static void bad_moves_are_refused(void) {
    aeEventLoop *el = new_loop();
    long long id = aeCreateTimeEvent(el, 0, reset_itself, NULL, NULL);

    CHECK_FAILS(aeResetTimeEvent(NULL, id, 0), AE_ERR, EINVAL);
    CHECK_FAILS(aeResetTimeEvent(el, id + 1, 0), AE_ERR, ENOENT);
    CHECK_FAILS(aeResetTimeEvent(el, -1, 0), AE_ERR, ENOENT);
    CHECK_INT(run_due(el), 1);
    CHECK_TEXT(test_noted(), "s");
    CHECK_FAILS(aeResetTimeEvent(el, id, 0), AE_ERR, ENOENT);
    aeDeleteEventLoop(el);
}

/* Idle time-outs: each of many is moved again and again, and few ever come. */
static void many_events_move(void) {
    enum { EVENTS = 5000, ROUNDS = 20 };
    static long long ids[EVENTS];
    aeEventLoop *el = new_loop();
    int i, round, due = 0;

    for (i = 0; i < EVENTS; i++) {
        ids[i] = aeCreateTimeEvent(el, 3600000, note_once, "m", count_final);
        CHECK(ids[i] != AE_ERR);
    }
    for (round = 0; round < ROUNDS; round++) {
        for (i = 0; i < EVENTS; i++) CHECK_INT(aeResetTimeEvent(el, ids[i], 3600000 + (i * 7919 + round) % 1000), AE_OK);
        CHECK_INT(run_due(el), 0);
    }
    for (i = 0; i < EVENTS; i += 10) {
        CHECK_INT(aeResetTimeEvent(el, ids[i], -5), AE_OK);
        due++;
    }
    for (i = 0; i < EVENTS; i += 100) {
        CHECK_INT(aeDeleteTimeEvent(el, ids[i]), AE_OK);
        due--;
    }
    CHECK_INT(run_due(el), due);
    run_due(el);
    CHECK_INT(finalized, EVENTS / 10);
    for (i = 1; i < EVENTS; i++) {
        if (i % 10 != 0) CHECK_INT(aeDeleteTimeEvent(el, ids[i]), AE_OK);
    }
    CHECK_NULL(el->timeEventHead);
    aeDeleteEventLoop(el);
    CHECK_INT(finalized, EVENTS);
}

/* ---- Even distances (how even, ae_still_clock.c shows) ---- */

static int never(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    FAIL("it was deleted");
}

static void periodic_events_are_deleted(void) {
    aeEventLoop *el = new_loop();
    long long id = aeCreatePeriodicTimeEvent(el, 0, 5, never, NULL, count_final);

    CHECK(id != AE_ERR);
    CHECK_INT(aeDeleteTimeEvent(el, id), AE_OK);
    run_due(el);
    CHECK_INT(finalized, 1);
    CHECK_FAILS(aeCreatePeriodicTimeEvent(NULL, 0, 5, never, NULL, NULL), AE_ERR, EINVAL);
    CHECK_FAILS(aeCreatePeriodicTimeEvent(el, 0, 5, NULL, NULL, NULL), AE_ERR, EINVAL);
    CHECK_FAILS(aeCreatePeriodicTimeEvent(el, 0, 0, never, NULL, NULL), AE_ERR, EINVAL);
    CHECK_FAILS(aeCreatePeriodicTimeEvent(el, 0, -1, never, NULL, NULL), AE_ERR, EINVAL);
    /* What it has goes with the loop, whether finalizers run then or not. */
    CHECK(aeCreatePeriodicTimeEvent(el, 3600000, LLONG_MAX, never, NULL, count_final) != AE_ERR);
    aeDeleteEventLoop(el);
}

/* ---- The end ---- */

static void stop_watching(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_note('f');
    aeDeleteFileEvent(el, fd, AE_READABLE);
    CHECK(aeCreateTimeEvent(el, 1, note_once, "t", NULL) != AE_ERR);
}

static void create_later(aeEventLoop *el, void *data) {
    test_note('p');
    CHECK(aeCreateTimeEvent(el, 0, note_once, data, NULL) != AE_ERR);
}

static void a_loop_ends_when_nothing_is_left(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    aeSetStopWhenIdle(NULL, 1);
    aeSetStopWhenIdle(el, 1);
    aeMain(el);
    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, stop_watching, NULL), AE_OK);
    aeMain(el);
    CHECK_TEXT(test_noted(), "ft");
    CHECK_INT(aePost(el, create_later, "l", NULL), AE_OK);
    aeMain(el);
    CHECK_TEXT(test_noted(), "pl");
    aeSetStopWhenIdle(el, 0);
    CHECK(aeCreateTimeEvent(el, 0, note_once, "x", NULL) != AE_ERR);
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS), 1);
    CHECK_TEXT(test_noted(), "x");
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

/* The first event of a loop has the number 0, in most profiles. */
static void the_first_event_runs_when_others_move(void) {
    aeEventLoop *el = new_loop();
    long long second;

    CHECK(aeCreateTimeEvent(el, 0, note_once, "1", NULL) != AE_ERR);
    second = aeCreateTimeEvent(el, 3600000, note_once, "2", NULL);
    CHECK_INT(aeResetTimeEvent(el, second, 1800000), AE_OK);
    CHECK_INT(run_due(el), 1);
    CHECK_TEXT(test_noted(), "1");
    aeDeleteEventLoop(el);
}

static int go_on(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    return 0;
}

static void a_period_is_in_milliseconds(void) {
    aeEventLoop *el = new_loop();

    CHECK(aeCreatePeriodicTimeEvent(el, 0, 1000000000, go_on, NULL, NULL) != AE_ERR);
    CHECK_INT(run_due(el), 1);
    CHECK(aeGetTimeout(el) <= 1000000000);
    CHECK(aeGetTimeout(el) > 999000000);
    aeDeleteEventLoop(el);
}

static void a_periodic_event_goes_on_from_where_it_is_moved_to(void) {
    const long long hour = 3600000;
    aeEventLoop *el = new_loop();
    long long id = aeCreatePeriodicTimeEvent(el, hour, hour, go_on, NULL, NULL);

    CHECK(id != AE_ERR);
    CHECK_INT(aeResetTimeEvent(el, id, 0), AE_OK);
    CHECK_INT(run_due(el), 1);
    CHECK(aeGetTimeout(el) <= hour);
    CHECK(aeGetTimeout(el) > hour * 9 / 10);
    aeDeleteEventLoop(el);
}

TEST_MAIN(CASE(a_period_is_in_milliseconds), CASE(a_periodic_event_goes_on_from_where_it_is_moved_to),
          CASE(events_that_move_to_one_time_run_in_the_order_of_the_moves),
          CASE(the_first_event_runs_when_others_move),
          CASE(an_event_moves_to_and_fro), CASE(a_moved_event_that_runs_again_runs_once_a_pass),
          CASE(others_keep_their_order), CASE(bad_moves_are_refused), CASE(many_events_move),
          CASE(periodic_events_are_deleted), CASE(a_loop_ends_when_nothing_is_left))
