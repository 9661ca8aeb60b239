/* The loop run again, stopped or deleted by its own callbacks, and the loop after fork. */
#include "ae_test.h"

enum { MANY = 12 };

static int pairs[MANY][2];
static int consumed[MANY];
static int calls, depth;

static void watch_ready(aeEventLoop *el, int count, aeFileProc *proc) {
    int i;

    for (i = 0; i < count; i++) {
        test_pair(pairs[i]);
        test_send(pairs[i][1], "x");
        CHECK_INT(aeCreateFileEvent(el, pairs[i][0], AE_READABLE, proc, &consumed[i]), AE_OK);
    }
}

static void close_pairs(int count) {
    int i;

    for (i = 0; i < count; i++) test_close_pair(pairs[i]);
}

/* ---- Re-entering ---- */

/* The first handler runs the loop again, which serves all the others. */
static void on_consume_nested(aeEventLoop *el, int fd, void *data, int mask) {
    aeFiredEvent *fired = el->fired;

    AE_NOTUSED(mask);
    *(int *)data += test_drain(fd);
    calls++;
    if (depth++ == 0) CHECK_INT(poll_once(el), MANY - 1);
    CHECK(el->fired == fired); /* the list that the outer run is reading */
}

static void nested_run_serves_the_rest(void) {
    aeEventLoop *el = new_loop();
    int i;

    watch_ready(el, MANY, on_consume_nested);
    poll_once(el);
    CHECK_INT(calls, MANY); /* the outer run calls nobody whom the nested one has served: a blocking read would hang */
    CHECK_INT(poll_once(el), 0);
    for (i = 0; i < MANY; i++) CHECK_INT(consumed[i], 1);
    close_pairs(MANY);
    aeDeleteEventLoop(el);
}

/* The first handler serves the second descriptor by hand, and then two more by the loop, run again. */
static void on_first_of_many(aeEventLoop *el, int fd, void *data, int mask) {
    int i;

    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    for (i = 0; pairs[i][0] != fd;) i++;
    test_note((char)('a' + i));
    test_drain(fd);
    if (fd != pairs[0][0]) return;
    test_drain(pairs[1][0]);
    test_send(pairs[2][1], "x");
    test_send(pairs[3][1], "x");
    CHECK_INT(poll_once(el), 2);
}

/* Departs from upstream, whose nested run leaves its own descriptors in the list that the outer one reads. */
static void outer_run_goes_on_with_what_it_found(void) {
    aeEventLoop *el = new_loop();
    int i;

    watch_ready(el, 4, on_first_of_many);
    for (i = 2; i < 4; i++) test_drain(pairs[i][0]);
    CHECK_INT(poll_once(el), 2);
    CHECK_TEXT(test_noted(), "acdb");
    close_pairs(4);
    aeDeleteEventLoop(el);
}

static void on_recurse(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    calls++;
    if (++depth < 5)
        poll_once(el); /* still readable: this very handler again */
    else
        test_drain(fd);
    depth--;
}

static void handler_reenters_for_its_own_descriptor(void) {
    aeEventLoop *el = new_loop();

    watch_ready(el, 1, on_recurse);
    CHECK_INT(poll_once(el), 1);
    CHECK_INT(calls, 5);
    CHECK_INT(poll_once(el), 0);
    close_pairs(1);
    aeDeleteEventLoop(el);
}

static void on_consume(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(el);
    AE_NOTUSED(mask);
    *(int *)data += test_drain(fd);
    calls++;
}

static AFTER_SLEEP(run_after_sleep) { CHECK_INT(poll_once(el), MANY); }

/* What was found before the hook has been served in it. */
static void after_sleep_hook_may_run_the_loop(void) {
    aeEventLoop *el = new_loop();

    watch_ready(el, MANY, on_consume);
    aeSetAfterSleepProc(el, run_after_sleep);
    aeProcessEvents(el, AE_FILE_EVENTS | AE_DONT_WAIT | AE_CALL_AFTER_SLEEP);
    CHECK_INT(calls, MANY);
    close_pairs(MANY);
    aeDeleteEventLoop(el);
}

static TIME_RESULT on_time(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    test_note('t');
    return AE_NOMORE;
}

static void on_run_all(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_drain(fd);
    test_note('(');
    aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT);
    test_note(')');
}

static void nested_run_serves_timers_once(void) {
    aeEventLoop *el = new_loop();

    watch_ready(el, 1, on_run_all);
    CHECK_INT(aeCreateTimeEvent(el, 0, on_time, NULL, NULL), FIRST_TIMER);
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT), 1);
    CHECK_TEXT(test_noted(), "(t)");
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT), 0);
    close_pairs(1);
    aeDeleteEventLoop(el);
}

static long long timers[3];

static void on_delete_timers(aeEventLoop *el, int fd, void *data, int mask) {
    int i;

    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_drain(fd);
    for (i = 0; i < 3; i++) CHECK_INT(aeDeleteTimeEvent(el, timers[i]), AE_OK);
}

static void file_handler_deletes_due_timers(void) {
    aeEventLoop *el = new_loop();
    int i;

    watch_ready(el, 1, on_delete_timers);
    for (i = 0; i < 3; i++) timers[i] = aeCreateTimeEvent(el, 0, on_time, NULL, NULL);
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT), 1);
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT), 0);
    CHECK_TEXT(test_noted(), "");
    close_pairs(1);
    aeDeleteEventLoop(el);
}

/* ---- Two loops ---- */

static aeEventLoop *inner;

static void on_run_inner(aeEventLoop *el, int fd, void *data, int mask) {
    CHECK(el != inner);
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_drain(fd);
    CHECK_INT(poll_once(inner), 1);
}

static void on_inner(aeEventLoop *el, int fd, void *data, int mask) {
    CHECK(el == inner);
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    calls += test_drain(fd);
}

static void one_loop_runs_another(void) {
    aeEventLoop *el = new_loop();

    inner = new_loop();
    watch_ready(el, 1, on_run_inner);
    test_pair(pairs[1]);
    test_send(pairs[1][1], "x");
    CHECK_INT(aeCreateFileEvent(inner, pairs[1][0], AE_READABLE, on_inner, NULL), AE_OK);
    CHECK_INT(poll_once(el), 1);
    CHECK_INT(calls, 1);
    aeDeleteEventLoop(inner);
    CHECK_INT(poll_once(el), 0);
    close_pairs(2);
    aeDeleteEventLoop(el);
}

/* ---- Deleting the loop in its own callbacks: upstream frees what it still uses ---- */

static void on_delete_loop(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(fd);
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    calls++;
    aeDeleteEventLoop(el);
}

static void loop_deleted_by_a_file_handler(void) {
    aeEventLoop *el = new_loop();

    watch_ready(el, MANY, on_delete_loop);
    aeMain(el);
    CHECK_INT(calls, 1);
    close_pairs(MANY);
}

static TIME_RESULT on_delete_loop_in_time(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    calls++;
    aeDeleteEventLoop(el);
    return 0;
}

static void loop_deleted_by_a_time_handler(void) {
    aeEventLoop *el = new_loop();
    int i;

    for (i = 0; i < 3; i++) CHECK_INT(aeCreateTimeEvent(el, 0, on_delete_loop_in_time, NULL, NULL), FIRST_TIMER + i);
    aeMain(el);
    CHECK_INT(calls, 1);
}

static void on_delete_loop_before_sleep(aeEventLoop *el) {
    calls++;
    aeDeleteEventLoop(el);
}

static void loop_deleted_before_sleep(void) {
    aeEventLoop *el = new_loop();

    watch_ready(el, 1, on_delete_loop);
    aeSetBeforeSleepProc(el, on_delete_loop_before_sleep);
    aeMain(el);
    CHECK_INT(calls, 1);
    close_pairs(1);
}

static AFTER_SLEEP(on_after_sleep) {
    AE_NOTUSED(el);
    FAIL("a hook runs after the loop was deleted");
}

/* There is nothing to wait for any more. */
static void loop_deleted_before_sleep_does_not_sleep(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    test_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_inner, NULL), AE_OK);
    aeSetBeforeSleepProc(el, on_delete_loop_before_sleep);
    aeMain(el);
    CHECK_INT(calls, 1);
    test_close_pair(pair);
}

/* What the hooks use may have gone with the loop. */
static void no_hook_runs_after_the_deletion(void) {
    aeEventLoop *el = new_loop();

    watch_ready(el, 1, on_delete_loop);
    aeSetBeforeSleepProc(el, on_delete_loop_before_sleep);
    aeSetAfterSleepProc(el, on_after_sleep);
    aeMain(el);
    CHECK_INT(calls, 1);
    close_pairs(1);
}

static void before_sleep_after_the_deletion(aeEventLoop *el) {
    AE_NOTUSED(el);
    FAIL("a hook runs after the loop was deleted");
}

static void on_delete_and_run(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(fd);
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    calls++;
    aeDeleteEventLoop(el);
    aeSetBeforeSleepProc(el, before_sleep_after_the_deletion);
    /* Nor does this wait, or call anybody. */
    aeProcessEvents(el, AE_ALL_EVENTS | AE_CALL_BEFORE_SLEEP | AE_CALL_AFTER_SLEEP);
}

static void no_hook_runs_inside_a_deleted_loop(void) {
    aeEventLoop *el = new_loop();

    watch_ready(el, 1, on_delete_and_run);
    aeMain(el);
    CHECK_INT(calls, 1);
    close_pairs(1);
}

static void on_run_again(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_drain(fd);
    CHECK_INT(aeCreateFileEvent(el, pairs[1][0], AE_READABLE, on_delete_loop, NULL), AE_OK);
    poll_once(el);
}

static void loop_deleted_two_runs_deep(void) {
    aeEventLoop *el = new_loop();

    watch_ready(el, 1, on_run_again);
    test_pair(pairs[1]);
    test_send(pairs[1][1], "x");
    aeMain(el);
    CHECK_INT(calls, 1);
    close_pairs(2);
}

/* ---- Fork ---- */

static int idle[2];

/* A child that holds every descriptor of this process until `idle` is closed. */
static pid_t fork_holder(void) {
    pid_t child;
    char byte;

    CHECK(pipe2(idle, O_CLOEXEC) == 0);
    child = fork();
    CHECK(child != -1);
    if (child == 0) {
        close(idle[1]);
        _exit(read(idle[0], &byte, 1) == 0 ? 0 : 1);
    }
    close(idle[0]);
    return child;
}

static void release_holder(pid_t child) {
    close(idle[1]);
    test_reap(child);
}

static void on_close_second(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_drain(fd);
    aeDeleteFileEvent(el, pairs[1][0], AE_READABLE);
    close(pairs[1][0]);
}

static void no_event_for_what_only_a_child_holds(void) {
    aeEventLoop *el = new_loop();
    pid_t child;
    int before, round;

    watch_ready(el, 1, on_close_second);
    test_pair(pairs[1]);
    CHECK_INT(aeCreateFileEvent(el, pairs[1][0], AE_READABLE, on_inner, NULL), AE_OK);
    child = fork_holder();
    CHECK_INT(poll_once(el), 1); /* the second is deleted and closed here, and open in the child */
    before = calls;
    test_send(pairs[1][1], "y");
    for (round = 0; round < 10; round++) CHECK_INT(poll_once(el), 0);

    /* Nor when another socket has taken its number. */
    CHECK_INT(dup2(pairs[0][0], pairs[1][0]), pairs[1][0]);
    inner = el;
    CHECK_INT(aeCreateFileEvent(el, pairs[1][0], AE_READABLE, on_inner, NULL), AE_OK);
    for (round = 0; round < 10; round++) CHECK_INT(poll_once(el), 0);
    CHECK_INT(calls, before);
    release_holder(child);
    close_pairs(2);
    aeDeleteEventLoop(el);
}

TEST_MAIN(CASE(nested_run_serves_the_rest), CASE(outer_run_goes_on_with_what_it_found),
          CASE(handler_reenters_for_its_own_descriptor), CASE(after_sleep_hook_may_run_the_loop),
          CASE(nested_run_serves_timers_once), CASE(file_handler_deletes_due_timers), CASE(one_loop_runs_another),
          CASE(loop_deleted_by_a_file_handler), CASE(loop_deleted_by_a_time_handler),
          CASE(loop_deleted_before_sleep), CASE(loop_deleted_before_sleep_does_not_sleep), CASE(no_hook_runs_after_the_deletion),
          CASE(no_hook_runs_inside_a_deleted_loop), CASE(loop_deleted_two_runs_deep),
          CASE(no_event_for_what_only_a_child_holds))
