/* Time events: deleting them, their finalizers, the list of them, and the loop run inside a time handler. */
#include "ae_test.h"

static int calls, finalized;

static int run_due(aeEventLoop *el) { return aeProcessEvents(el, AE_TIME_EVENTS | AE_DONT_WAIT); }

/* A finalizer may come a pass after the deletion. */
static void run_passes(aeEventLoop *el) {
    int i;

    for (i = 0; i < 4; i++) run_due(el);
}

static TIME_RESULT on_once(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    calls++;
    return AE_NOMORE;
}

static void on_final(aeEventLoop *el, void *data) {
    CHECK(el != NULL);
    finalized++;
    if (data != NULL) *(int *)data += 1;
}

static long long create(aeEventLoop *el, long long ms, aeTimeProc *proc, void *data) {
    long long id = aeCreateTimeEvent(el, ms, proc, data, on_final);

    CHECK(id != AE_ERR);
    return id;
}

/* ---- The list ---- */

/* Checks the list's links; returns how many live events it holds, newest first. */
static int live_events(aeEventLoop *el) {
    aeTimeEvent *te, *before = NULL;
    long long newest = LLONG_MAX;
    int live = 0;

    for (te = el->timeEventHead; te != NULL; te = te->next) {
        CHECK(te->prev == before);
        before = te;
        if (te->id == AE_DELETED_EVENT_ID) continue;
        CHECK(te->id < newest);
        newest = te->id;
        live++;
    }
    return live;
}

static void list_holds_the_live_events(void) {
    aeEventLoop *el = new_loop();
    long long ids[10];
    int i, data = 0;

    CHECK_NULL(el->timeEventHead);
    for (i = 0; i < 10; i++) {
        ids[i] = create(el, 3600000 - i, on_once, &data);
        CHECK_INT(live_events(el), i + 1);
        CHECK_INT(el->timeEventHead->id, ids[i]);
    }
    CHECK(el->timeEventHead->timeProc == on_once);
    CHECK(el->timeEventHead->finalizerProc == on_final);
    CHECK(el->timeEventHead->clientData == &data);
    CHECK_INT(aeDeleteTimeEvent(el, ids[9]), AE_OK); /* the head */
    CHECK_INT(aeDeleteTimeEvent(el, ids[0]), AE_OK); /* the tail */
    CHECK_INT(aeDeleteTimeEvent(el, ids[5]), AE_OK); /* in between */
    CHECK_INT(live_events(el), 7);
    run_passes(el);
    CHECK_INT(live_events(el), 7);
    CHECK_INT(finalized, 3);
    for (i = 0; i < 10; i++) aeDeleteTimeEvent(el, ids[i]);
    run_passes(el);
    CHECK_NULL(el->timeEventHead);
    CHECK_INT(finalized, 10);
    aeDeleteEventLoop(el);
}

static void deadline_field_is_the_monotonic_clock(void) {
    aeEventLoop *el = new_loop();
    long long before = test_now_us(), when;

    create(el, 5000, on_once, NULL);
    when = (long long)el->timeEventHead->when;
    if (when < before + 5000000 || when > test_now_us() + 5000000)
        FAIL("a timer of 5 s has its deadline at %lld, now is %lld", when, before);
    aeDeleteEventLoop(el);
}

/* ---- Deleting ---- */

static void unknown_id_is_enoent(void) {
    aeEventLoop *el = new_loop();
    long long id = create(el, 3600000, on_once, NULL);

    /* Departs from upstream in errno, which it leaves alone. */
    CHECK_FAILS(aeDeleteTimeEvent(el, id + 1), AE_ERR, ENOENT);
    CHECK_FAILS(aeDeleteTimeEvent(el, LLONG_MAX), AE_ERR, ENOENT);
    CHECK_FAILS(aeDeleteTimeEvent(el, LLONG_MIN), AE_ERR, ENOENT);
    CHECK_KEEPS_ERRNO(aeDeleteTimeEvent(el, id), AE_OK);
    CHECK_FAILS(aeDeleteTimeEvent(el, id), AE_ERR, ENOENT);
    /* Departs from upstream, which takes a deleted event for the one with the id -1. */
    CHECK_FAILS(aeDeleteTimeEvent(el, AE_DELETED_EVENT_ID), AE_ERR, ENOENT);
    run_passes(el);
    CHECK_FAILS(aeDeleteTimeEvent(el, id), AE_ERR, ENOENT);
    aeDeleteEventLoop(el);
}

static void ended_event_has_no_id(void) {
    aeEventLoop *el = new_loop();
    long long id = create(el, 0, on_once, NULL);

    CHECK_INT(run_due(el), 1);
    CHECK_INT(aeDeleteTimeEvent(el, id), AE_ERR);
    run_passes(el);
    CHECK_INT(calls, 1);
    CHECK_INT(finalized, 1);
    aeDeleteEventLoop(el);
}

static void deleted_event_does_not_run(void) {
    aeEventLoop *el = new_loop();

    CHECK_INT(aeDeleteTimeEvent(el, create(el, 0, on_once, NULL)), AE_OK);
    run_passes(el);
    CHECK_INT(calls, 0);
    CHECK_INT(finalized, 1);
    aeDeleteEventLoop(el);
}

static void all_deleted_leaves_a_working_loop(void) {
    enum { MANY = 500 };
    aeEventLoop *el = new_loop();
    int i;

    for (i = 0; i < MANY; i++) create(el, i % 3, on_once, NULL);
    for (i = 0; i < MANY; i++) CHECK_INT(aeDeleteTimeEvent(el, FIRST_TIMER + (i * 7LL) % MANY), AE_OK);
    run_passes(el);
    CHECK_INT(finalized, MANY);
    CHECK_INT(calls, 0);
    CHECK_NULL(el->timeEventHead);
    create(el, 0, on_once, NULL);
    CHECK_INT(run_due(el), 1);
    aeDeleteEventLoop(el);
}

static TIME_RESULT on_delete_self(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(data);
    calls++;
    CHECK_INT(aeDeleteTimeEvent(el, id), AE_OK);
    CHECK_INT(aeDeleteTimeEvent(el, id), AE_ERR);
    CHECK_INT(finalized, 0);
    return 0; /* asks to run again: too late */
}

static void handler_deletes_itself(void) {
    aeEventLoop *el = new_loop();

    create(el, 0, on_delete_self, NULL);
    run_passes(el);
    CHECK_INT(calls, 1);
    CHECK_INT(finalized, 1);
    aeDeleteEventLoop(el);
}

enum { GROUP = 20 };
static long long group[GROUP];

/* Whichever of the group runs first deletes all the others. */
static TIME_RESULT on_delete_others(aeEventLoop *el, long long id, void *data) {
    int i;

    AE_NOTUSED(data);
    calls++;
    for (i = 0; i < GROUP; i++)
        if (group[i] != id) CHECK_INT(aeDeleteTimeEvent(el, group[i]), AE_OK);
    return AE_NOMORE;
}

static void handler_deletes_all_others(void) {
    aeEventLoop *el = new_loop();
    int i;

    for (i = 0; i < GROUP; i++) group[i] = create(el, 0, on_delete_others, NULL);
    CHECK_INT(run_due(el), 1);
    run_passes(el);
    CHECK_INT(calls, 1);
    CHECK_INT(finalized, GROUP);
    CHECK_NULL(el->timeEventHead);
    aeDeleteEventLoop(el);
}

/* ---- Finalizers ---- */

/* The data is freed by the finalizer: a finalizer too early or twice is seen by valgrind. */
static TIME_RESULT on_use_data(aeEventLoop *el, long long id, void *data) {
    int *left = data;

    if (--*left == 0) aeDeleteTimeEvent(el, id);
    calls += *left >= 0;
    return 0;
}

static void on_free_data(aeEventLoop *el, void *data) {
    AE_NOTUSED(el);
    free(data);
    finalized++;
}

static void finalizer_comes_after_the_last_use(void) {
    aeEventLoop *el = new_loop();
    int i;

    for (i = 0; i < 10; i++) {
        int *left = malloc(sizeof(*left));

        CHECK(left != NULL);
        *left = i + 1;
        CHECK(aeCreateTimeEvent(el, 0, on_use_data, left, on_free_data) != AE_ERR);
    }
    for (i = 0; i < 20; i++) run_due(el);
    CHECK_INT(finalized, 10);
    CHECK_INT(calls, 55);
    aeDeleteEventLoop(el);
    CHECK_INT(finalized, 10);
}

static long long other;

static void on_final_that_acts(aeEventLoop *el, void *data) {
    finalized++;
    if (data == NULL) return;
    *(int *)data += 1;
    CHECK(aeCreateTimeEvent(el, 0, on_once, NULL, on_final_that_acts) != AE_ERR);
    CHECK_INT(aeDeleteTimeEvent(el, other), AE_OK);
}

static void finalizer_may_create_and_delete(void) {
    aeEventLoop *el = new_loop();
    int data = 0;

    other = create(el, 3600000, on_once, NULL);
    CHECK(aeCreateTimeEvent(el, 0, on_once, &data, on_final_that_acts) != AE_ERR);
    run_passes(el);
    run_passes(el);
    CHECK_INT(calls, 2);
    CHECK_INT(data, 1);
    CHECK_INT(finalized, 3);
    CHECK_NULL(el->timeEventHead);
    aeDeleteEventLoop(el);
}

static void loop_deletion_finalizes_the_deleted(void) {
    aeEventLoop *el = new_loop();
    int live = 0, deleted = 0;

    create(el, 3600000, on_once, &live);
    CHECK_INT(aeDeleteTimeEvent(el, create(el, 3600000, on_once, &deleted)), AE_OK);
    aeDeleteEventLoop(el);
    /* As upstream, those still registered are freed in silence in some profiles (ae_profile.c) ... */
    CHECK_INT(live, LOOP_DELETION_FINALIZES);
    /* ... those deleted are not: departs from upstream, which forgets them too. */
    CHECK_INT(deleted, 1);
}

static void on_final_delete_other(aeEventLoop *el, void *data) {
    finalized++;
    *(int *)data += 1;
    CHECK_INT(aeDeleteTimeEvent(el, other), AE_OK);
}

/* A time event that is deleted by the last finalizers is a deleted one, too. */
static void loop_deletion_finalizes_what_a_finalizer_deletes(void) {
    aeEventLoop *el = new_loop();
    int first = 0, second = 0;
    long long id;

    other = create(el, 3600000, on_once, &second);
    id = aeCreateTimeEvent(el, 3600000, on_once, &first, on_final_delete_other);
    CHECK_INT(aeDeleteTimeEvent(el, id), AE_OK);
    aeDeleteEventLoop(el);
    CHECK_INT(first, 1);
    CHECK_INT(second, 1);
}

static void on_final_create(aeEventLoop *el, void *data) {
    finalized++;
    CHECK(aeCreateTimeEvent(el, 0, on_once, data, on_final_create) != AE_ERR);
}

/* What the last finalizers create is freed in silence. */
static void loop_deletion_runs_no_finalizer_of_what_finalizers_create(void) {
    aeEventLoop *el = new_loop();

    CHECK(aeCreateTimeEvent(el, 3600000, on_once, NULL, on_final_create) != AE_ERR);
    CHECK_INT(aeDeleteTimeEvent(el, aeCreateTimeEvent(el, 3600000, on_once, NULL, on_final_create)), AE_OK);
    aeDeleteEventLoop(el);
    /* The deleted one's, and where the registered have theirs run, that of the other and of what the first created. */
    CHECK_INT(finalized, LOOP_DELETION_FINALIZES ? 3 : 1);
    CHECK_INT(calls, 0);
}

/* ---- The loop run inside a time handler ---- */

static int nesting;

static TIME_RESULT on_nest(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(data);
    if (nesting++ > 0) return AE_NOMORE;
    /* Deleted while it runs: neither freed nor finalized before it returns, however often the loop runs. */
    CHECK_INT(aeDeleteTimeEvent(el, id), AE_OK);
    run_passes(el);
    CHECK_INT(finalized, 1); /* of the other one */
    return 0;
}

static void on_final_run(aeEventLoop *el, void *data) {
    *(int *)data = aeProcessEvents(el, AE_TIME_EVENTS);
}

/* A run inside a finalizer waits as any other: that there was a finalizer to run is over. */
static void nested_run_in_a_finalizer_waits(void) {
    aeEventLoop *el = new_loop();
    int served = 0;

    CHECK(aeCreateTimeEvent(el, 30, on_once, NULL, NULL) != AE_ERR);
    CHECK_INT(aeDeleteTimeEvent(el, aeCreateTimeEvent(el, 3600000, on_once, &served, on_final_run)), AE_OK);
    CHECK_INT(run_due(el), 0);
    CHECK_INT(served, 1);
    CHECK_INT(calls, 1);
    aeDeleteEventLoop(el);
}

static TIME_RESULT on_time_run(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(id);
    *(int *)data = aeProcessEvents(el, AE_TIME_EVENTS);
    return AE_NOMORE;
}

/* As does one inside a time handler: its own event is no longer due. */
static void nested_run_in_a_time_handler_waits(void) {
    aeEventLoop *el = new_loop();
    int served = 0;

    CHECK(aeCreateTimeEvent(el, 30, on_once, NULL, NULL) != AE_ERR);
    CHECK(aeCreateTimeEvent(el, 0, on_time_run, &served, NULL) != AE_ERR);
    CHECK_INT(run_due(el), 1);
    CHECK_INT(served, 1);
    CHECK_INT(calls, 1);
    aeDeleteEventLoop(el);
}

static void nested_run_serves_others_once(void) {
    aeEventLoop *el = new_loop();
    int data = 0;

    create(el, 0, on_nest, NULL);
    create(el, 1, on_once, &data);
    test_sleep_us(3000);
    run_passes(el);
    CHECK_INT(nesting, 1);
    CHECK_INT(calls, 1);
    CHECK_INT(data, 1);
    CHECK_INT(finalized, 2);
    CHECK_NULL(el->timeEventHead);
    aeDeleteEventLoop(el);
}

static TIME_RESULT on_wait_for_file(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 1);
    return AE_NOMORE;
}

static void on_writable(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    calls++;
    aeDeleteFileEvent(el, fd, AE_WRITABLE);
}

static void time_handler_waits_for_a_file(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    test_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_WRITABLE, on_writable, NULL), AE_OK);
    create(el, 0, on_wait_for_file, NULL);
    CHECK_INT(run_due(el), 1);
    CHECK_INT(calls, 1);
    run_passes(el);
    CHECK_INT(finalized, 1);
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

/* Finalizers that always leave another one behind: what is deleted in a pass waits for the next. */
static void on_final_again(aeEventLoop *el, void *data) {
    finalized++;
    CHECK_INT(aeDeleteTimeEvent(el, aeCreateTimeEvent(el, 0, on_once, data, on_final_again)), AE_OK);
}

static void finalizers_do_not_go_on_forever(void) {
    aeEventLoop *el = new_loop();

    on_final_again(el, NULL);
    finalized = 0;
    run_passes(el);
    CHECK_INT(finalized, 4);
    aeDeleteEventLoop(el);
    CHECK(finalized > 4);
}

static void on_final_of_chain(aeEventLoop *el, void *data) {
    finalized++;
    if (finalized == 100) return;
    CHECK_INT(aeDeleteTimeEvent(el, aeCreateTimeEvent(el, 0, on_once, data, on_final_of_chain)), AE_OK);
}

static void chain_of_finalizers_ends(void) {
    aeEventLoop *el = new_loop();

    CHECK_INT(aeDeleteTimeEvent(el, aeCreateTimeEvent(el, 0, on_once, NULL, on_final_of_chain)), AE_OK);
    aeDeleteEventLoop(el);
    CHECK_INT(finalized, 100);
}

enum { LONG_CHAIN = 1500 };

static long long chained[LONG_CHAIN];

static void on_final_of_long_chain(aeEventLoop *el, void *data) {
    finalized++;
    AE_NOTUSED(data);
    if (finalized < LONG_CHAIN) CHECK_INT(aeDeleteTimeEvent(el, chained[finalized]), AE_OK);
}

/* Each deletes the next: as many rounds as there are events. */
static void chain_of_many_events_ends(void) {
    aeEventLoop *el = new_loop();
    int i;

    for (i = 0; i < LONG_CHAIN; i++) {
        chained[i] = aeCreateTimeEvent(el, 3600000, on_once, NULL, on_final_of_long_chain);
        CHECK(chained[i] != AE_ERR);
    }
    CHECK_INT(aeDeleteTimeEvent(el, chained[0]), AE_OK);
    aeDeleteEventLoop(el);
    CHECK_INT(finalized, LONG_CHAIN);
}

TEST_MAIN(CASE(list_holds_the_live_events), CASE(deadline_field_is_the_monotonic_clock),
          CASE(unknown_id_is_enoent), CASE(ended_event_has_no_id), CASE(deleted_event_does_not_run),
          CASE(all_deleted_leaves_a_working_loop), CASE(handler_deletes_itself),
          CASE(handler_deletes_all_others), CASE(finalizer_comes_after_the_last_use),
          CASE(finalizer_may_create_and_delete), CASE(loop_deletion_finalizes_the_deleted),
          CASE(loop_deletion_finalizes_what_a_finalizer_deletes),
          CASE(loop_deletion_runs_no_finalizer_of_what_finalizers_create),
          CASE(finalizers_do_not_go_on_forever), CASE(chain_of_finalizers_ends),
          CASE(chain_of_many_events_ends),
          CASE(nested_run_in_a_finalizer_waits), CASE(nested_run_in_a_time_handler_waits),
          CASE(nested_run_serves_others_once), CASE(time_handler_waits_for_a_file))
