/* The loop itself: running and stopping it, the sleep hooks and the set size. */
#include "ae_test.h"

static int calls;

static void before_sleep(aeEventLoop *el) {
    AE_NOTUSED(el);
    test_note('b');
}

static AFTER_SLEEP(after_sleep) {
    AE_NOTUSED(el);
    test_note('a');
}

static void on_file(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(el);
    AE_NOTUSED(fd);
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_note('f');
    calls++;
}

static TIME_RESULT on_time(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    test_note('t');
    return AE_NOMORE;
}

static int pair[2];

/* A loop with a descriptor that is always ready. */
static aeEventLoop *busy_loop(aeFileProc *proc) {
    aeEventLoop *el = new_loop();

    test_pair(pair);
    test_send(pair[1], "x");
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, proc, NULL), AE_OK);
    return el;
}

static void finish(aeEventLoop *el) {
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

/* ---- The hooks ---- */

static void hooks_run_when_asked_for(void) {
    aeEventLoop *el = busy_loop(on_file);
    const int now = AE_ALL_EVENTS | AE_DONT_WAIT;

    aeSetBeforeSleepProc(el, before_sleep);
    aeSetAfterSleepProc(el, after_sleep);
    CHECK(el->beforesleep == before_sleep);
    CHECK(el->aftersleep == after_sleep);
    aeProcessEvents(el, now);
    CHECK_TEXT(test_noted(), "f");
    aeProcessEvents(el, now | AE_CALL_BEFORE_SLEEP);
    CHECK_TEXT(test_noted(), "bf");
    aeProcessEvents(el, now | AE_CALL_AFTER_SLEEP);
    CHECK_TEXT(test_noted(), "af");
    CHECK(aeCreateTimeEvent(el, 0, on_time, NULL, NULL) != AE_ERR);
    aeProcessEvents(el, now | AE_CALL_BEFORE_SLEEP | AE_CALL_AFTER_SLEEP);
    CHECK_TEXT(test_noted(), "baft");
    aeSetBeforeSleepProc(el, NULL);
    aeSetAfterSleepProc(el, NULL);
    aeProcessEvents(el, now | AE_CALL_BEFORE_SLEEP | AE_CALL_AFTER_SLEEP);
    CHECK_TEXT(test_noted(), "f");
    finish(el);
}

static void on_file_stop(aeEventLoop *el, int fd, void *data, int mask) {
    on_file(el, fd, data, mask);
    aeStop(el);
}

static void on_file_fail_and_stop(aeEventLoop *el, int fd, void *data, int mask) {
    on_file_stop(el, fd, data, mask);
    errno = EIO;
}

static void main_runs_both_hooks(void) {
    aeEventLoop *el = busy_loop(on_file_fail_and_stop);

    aeSetBeforeSleepProc(el, before_sleep);
    aeSetAfterSleepProc(el, after_sleep);
    errno = 4242;
    aeMain(el);
    CHECK_INT(errno, 4242); /* whatever the callbacks make of it */
    CHECK_TEXT(test_noted(), "baf");
    finish(el);
}

static TIME_RESULT on_time_note(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    test_note('t');
    return AE_NOMORE;
}

/* Who asks for file events alone waits for one, whatever time events there are. */
static void file_events_are_waited_for_alone(void) {
    aeEventLoop *el = new_loop();
    int ends[2], status;
    pid_t child;

    test_pipe(ends);
    CHECK_INT(aeCreateFileEvent(el, ends[0], AE_READABLE, on_file_stop, NULL), AE_OK);
    CHECK(aeCreateTimeEvent(el, 1, on_time_note, NULL, NULL) != AE_ERR);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        test_sleep_us(20000);
        _exit(write(ends[1], "x", 1) != 1);
    }
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 1);
    CHECK_TEXT(test_noted(), "f");
    CHECK_INT(aeProcessEvents(el, AE_TIME_EVENTS), 1);
    CHECK_TEXT(test_noted(), "t");
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(status, 0);
    aeDeleteEventLoop(el);
    test_close_pair(ends);
}

static void before_sleep_do_not_wait(aeEventLoop *el) { aeSetDontWait(el, 1); }

/* As upstream from 7.2 on: what the hook says holds for this very iteration. */
static void hook_keeps_the_loop_from_waiting(void) {
    aeEventLoop *el = new_loop();

    test_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_file, NULL), AE_OK);
    aeSetBeforeSleepProc(el, before_sleep_do_not_wait);
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS | AE_CALL_BEFORE_SLEEP), 0);
    finish(el);
}

static void dont_wait_holds_until_taken_back(void) {
    aeEventLoop *el = new_loop();

    CHECK(aeCreateTimeEvent(el, 3600000, on_time, NULL, NULL) != AE_ERR);
    CHECK_INT(el->flags, 0);
    aeSetDontWait(el, 1);
    aeSetDontWait(el, 1);
    CHECK_INT(el->flags, AE_DONT_WAIT);
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS), 0);
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS), 0);
    aeSetDontWait(el, 0);
    CHECK_INT(el->flags, 0);
    CHECK(aeCreateTimeEvent(el, 30, on_time, NULL, NULL) != AE_ERR);
    while (aeProcessEvents(el, AE_ALL_EVENTS) == 0) continue;
    CHECK_TEXT(test_noted(), "t");
    aeDeleteEventLoop(el);
}

/* ---- Running and stopping ---- */

static void stop_before_sleep(aeEventLoop *el) {
    calls++;
    aeStop(el);
}

static AFTER_SLEEP(stop_after_sleep) { stop_before_sleep(el); }

static TIME_RESULT stop_on_time(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    calls++;
    aeStop(el);
    return AE_NOMORE;
}

static void every_callback_can_stop(void) {
    aeEventLoop *el = busy_loop(on_file_stop);

    aeMain(el);
    CHECK_INT(calls, 1);
    aeMain(el); /* runs again: the stop was for the last run */
    CHECK_INT(calls, 2);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_file, NULL), AE_OK);
    aeSetBeforeSleepProc(el, stop_before_sleep);
    aeMain(el); /* the iteration is finished, with its file event */
    CHECK_INT(calls, 4);
    aeSetBeforeSleepProc(el, NULL);
    aeSetAfterSleepProc(el, stop_after_sleep);
    aeMain(el);
    CHECK_INT(calls, 6);
    aeSetAfterSleepProc(el, NULL);
    aeDeleteFileEvent(el, pair[0], AE_READABLE);
    CHECK(aeCreateTimeEvent(el, 1, stop_on_time, NULL, NULL) != AE_ERR);
    aeMain(el);
    CHECK_INT(calls, 7);
    finish(el);
}

static void stop_lets_the_iteration_end(void) {
    aeEventLoop *el = busy_loop(on_file_stop);
    int second[2];

    test_pair(second);
    test_send(second[1], "x");
    CHECK_INT(aeCreateFileEvent(el, second[0], AE_READABLE, on_file_stop, NULL), AE_OK);
    CHECK(aeCreateTimeEvent(el, 0, on_time, NULL, NULL) != AE_ERR);
    aeMain(el);
    CHECK_TEXT(test_noted(), "fft");
    test_close_pair(second);
    finish(el);
}

static void signal_ends_the_wait(void) {
    aeEventLoop *el = new_loop();
    pid_t signals;

    test_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_file, NULL), AE_OK);
    signals = test_start_signals();
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 0);
    test_stop_signals(signals);
    finish(el);
}

/* ---- The set size ---- */

static void set_size_limits(void) {
    aeEventLoop *el = busy_loop(on_file);

    CHECK_INT(aeResizeSetSize(el, 256), AE_OK);
    CHECK_INT(aeGetSetSize(el), 256);
    CHECK_INT(aeResizeSetSize(el, 256), AE_OK);
    CHECK_INT(aeResizeSetSize(el, pair[0] + 1), AE_OK);
    CHECK_INT(aeGetSetSize(el), pair[0] + 1);
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 1);
    /* Departs from upstream in errno, which it leaves alone. */
    CHECK_FAILS(aeResizeSetSize(el, pair[0]), AE_ERR, ERANGE);
    CHECK_INT(aeGetSetSize(el), pair[0] + 1);
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 1);
    finish(el);
}

/* Departs from upstream, which trusts its callers. */
static void nonsensical_set_size_is_einval(void) {
    aeEventLoop *el = new_loop();

    CHECK_FAILS(aeResizeSetSize(el, 0), AE_ERR, EINVAL);
    CHECK_FAILS(aeResizeSetSize(el, -1), AE_ERR, EINVAL);
    CHECK_FAILS(aeResizeSetSize(NULL, 10), AE_ERR, EINVAL);
    CHECK_INT(aeGetSetSize(el), SET_SIZE);
    CHECK_FAILS(aeGetSetSize(NULL), AE_ERR, EINVAL);
    CHECK_FAILS_NULL(aeCreateEventLoop(0), EINVAL);
    CHECK_FAILS_NULL(aeCreateEventLoop(-5), EINVAL);
    aeDeleteEventLoop(el);
}

static long resident_kib(void) {
    char line[256];
    long size = -1;
    FILE *status = fopen("/proc/self/status", "r");

    CHECK(status != NULL);
    while (fgets(line, sizeof(line), status) != NULL)
        if (strncmp(line, "VmRSS:", 6) == 0) size = strtol(line + 6, NULL, 10);
    fclose(status);
    return size;
}

/* Departs from upstream, which writes to every slot. */
static void large_set_is_untouched_memory(void) {
    aeEventLoop *el;
    long before;

    if (test_slow_tool()) SKIP("memory is not the system's own under this tool");
    before = resident_kib();
    CHECK(before > 0);
    el = aeCreateEventLoop(1000000);
    CHECK(el != NULL);
    test_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_WRITABLE, on_file, NULL), AE_OK);
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 1);
    CHECK_INT(aeGetFileEvents(el, 999999), AE_NONE);
    CHECK_INT(aeResizeSetSize(el, 2000000), AE_OK);
    CHECK_INT(aeGetFileEvents(el, 1999999), AE_NONE);
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 1);
    if (resident_kib() - before > 4096)
        FAIL("a set of 2000000 descriptors takes %ld KiB", resident_kib() - before);
    finish(el);
}

static void shrunk_and_grown_slots_are_empty(void) {
    aeEventLoop *el = busy_loop(on_file);
    int high = fcntl(pair[0], F_DUPFD_CLOEXEC, 100);

    CHECK_INT(high, 100);
    CHECK_INT(aeCreateFileEvent(el, high, AE_READABLE, on_file, NULL), AE_OK);
    aeDeleteFileEvent(el, high, AE_READABLE);
    CHECK_INT(aeResizeSetSize(el, 64), AE_OK);
    CHECK_INT(aeGetFileEvents(el, high), AE_NONE);
    CHECK_FAILS(aeCreateFileEvent(el, high, AE_READABLE, on_file, NULL), AE_ERR, ERANGE);
    CHECK_INT(aeResizeSetSize(el, 128), AE_OK);
    CHECK_INT(aeGetFileEvents(el, high), AE_NONE);
    CHECK_INT(aeCreateFileEvent(el, high, AE_READABLE, on_file, NULL), AE_OK);
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 2);
    close(high);
    finish(el);
}

static aeEventLoop *kept;

static TIME_RESULT on_never(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    return AE_NOMORE;
}

/* For valgrind, which looks for pointers to all that has not been freed. The backend has no descriptor. */
static void timer_at_the_end_of_the_program_is_no_leak(void) {
    int i, before = test_open_fds(), waker = test_unused_fd();

    kept = aeCreateEventLoopWithBackend(64, "poll");
    CHECK(kept != NULL);
    /* What it has is its waker, an eventfd or the two ends of a pipe; it is not run any more. */
    CHECK(test_is_open(waker));
    for (; test_open_fds() > before; waker++) close(waker);
    for (i = 0; i < 1000; i++) CHECK(aeCreateTimeEvent(kept, 3600000, on_never, NULL, NULL) != AE_ERR);
}

TEST_MAIN(CASE(hooks_run_when_asked_for), CASE(main_runs_both_hooks), CASE(file_events_are_waited_for_alone),
          CASE(hook_keeps_the_loop_from_waiting),
          CASE(dont_wait_holds_until_taken_back), CASE(every_callback_can_stop),
          CASE(stop_lets_the_iteration_end), CASE(signal_ends_the_wait), CASE(set_size_limits),
          CASE(nonsensical_set_size_is_einval), CASE(large_set_is_untouched_memory),
          CASE(shrunk_and_grown_slots_are_empty), CASE(timer_at_the_end_of_the_program_is_no_leak))
