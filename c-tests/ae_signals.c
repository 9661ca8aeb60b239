/* Signals and children as events of a loop. */
#include "ae_test.h"
#include "another_thread.h"
#include "failing_calls.h"

#include <libae.h>

static int calls, status_told;

static void note_signal(aeEventLoop *el, int signum, void *data) {
    AE_NOTUSED(el);
    CHECK_INT(signum, *(int *)data);
    calls++;
}

static void note_another(aeEventLoop *el, int signum, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(signum);
    AE_NOTUSED(data);
    test_note('o');
}

static int before_calls;

static void handle_before(int number) {
    AE_NOTUSED(number);
    before_calls++;
}

static void a_handler_runs_in_the_loop(void) {
    aeEventLoop *el = new_loop();
    int usr1 = SIGUSR1, usr2 = SIGUSR2;

    CHECK_KEEPS_ERRNO(aeCreateSignalEvent(el, SIGUSR1, note_signal, &usr1), AE_OK);
    CHECK_INT(aeCreateSignalEvent(el, SIGUSR2, note_signal, &usr2), AE_OK);
    CHECK_INT(raise(SIGUSR1), 0);
    CHECK_INT(calls, 0);
    CHECK(aeProcessEvents(el, AE_ALL_EVENTS) >= 0);
    CHECK_INT(calls, 1);
    /* Several are one, and each signal is its own. */
    raise(SIGUSR1);
    raise(SIGUSR1);
    raise(SIGUSR2);
    aeProcessEvents(el, AE_ALL_EVENTS);
    CHECK_INT(calls, 3);
    aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT);
    CHECK_INT(calls, 3);
    aeDeleteEventLoop(el);
}

static void what_was_there_before_comes_back(void) {
    aeEventLoop *el = new_loop(), *other = new_loop();
    int usr1 = SIGUSR1, wrong = 0;

    CHECK(signal(SIGUSR1, handle_before) != SIG_ERR);
    CHECK_INT(aeCreateSignalEvent(el, SIGUSR1, note_signal, &wrong), AE_OK);
    CHECK_INT(aeCreateSignalEvent(el, SIGUSR1, note_signal, &usr1), AE_OK); /* in place of the first */
    CHECK_FAILS(aeCreateSignalEvent(other, SIGUSR1, note_another, NULL), AE_ERR, EBUSY);
    CHECK_FAILS(aeDeleteSignalEvent(other, SIGUSR1), AE_ERR, ENOENT);
    raise(SIGUSR1);
    aeProcessEvents(el, AE_ALL_EVENTS);
    CHECK_INT(calls, 1);
    CHECK_INT(aeCreateSignalEvent(el, SIGUSR1, note_another, NULL), AE_OK);
    raise(SIGUSR1);
    aeProcessEvents(el, AE_ALL_EVENTS);
    CHECK_TEXT(test_noted(), "o");
    CHECK_INT(calls, 1);
    CHECK_KEEPS_ERRNO(aeDeleteSignalEvent(el, SIGUSR1), AE_OK);
    CHECK_FAILS(aeDeleteSignalEvent(el, SIGUSR1), AE_ERR, ENOENT);
    raise(SIGUSR1);
    CHECK_INT(before_calls, 1);
    /* Free for the other loop, and given back by its end. */
    CHECK_INT(aeCreateSignalEvent(other, SIGUSR1, note_another, NULL), AE_OK);
    raise(SIGUSR1);
    aeProcessEvents(other, AE_ALL_EVENTS);
    CHECK_TEXT(test_noted(), "o");
    aeDeleteEventLoop(other);
    raise(SIGUSR1);
    CHECK_INT(before_calls, 2);
    CHECK_INT(aeCreateSignalEvent(el, SIGUSR1, note_another, NULL), AE_OK);
    aeDeleteEventLoop(el);
    CHECK_INT(calls, 1);
}

static void one_that_came_for_another_handler_is_not_told(void) {
    aeEventLoop *el = new_loop();

    CHECK_INT(aeCreateSignalEvent(el, SIGUSR1, note_another, NULL), AE_OK);
    raise(SIGUSR1);
    CHECK_INT(aeDeleteSignalEvent(el, SIGUSR1), AE_OK);
    CHECK_INT(aeCreateSignalEvent(el, SIGUSR1, note_another, NULL), AE_OK);
    aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT);
    CHECK_TEXT(test_noted(), "");
    aeDeleteEventLoop(el);
}

/* What a signal interrupts may look at errno next. */
static void it_leaves_errno_alone(void) {
    aeEventLoop *el = new_loop();

    CHECK_INT(aeCreateSignalEvent(el, SIGUSR1, note_another, NULL), AE_OK);
    writes = (struct failures){1, {EINTR}};
    CHECK_KEEPS_ERRNO(raise(SIGUSR1), 0);
    CHECK_INT(writes.count, 0);
    aeProcessEvents(el, AE_ALL_EVENTS);
    CHECK_TEXT(test_noted(), "o");
    aeDeleteEventLoop(el);
}

static void refuses_what_cannot_be_handled(void) {
    aeEventLoop *el = new_loop();

    CHECK_FAILS(aeCreateSignalEvent(el, 0, note_another, NULL), AE_ERR, EINVAL);
    CHECK_FAILS(aeDeleteSignalEvent(el, 0), AE_ERR, EINVAL);

    CHECK_FAILS(aeCreateSignalEvent(el, SIGSEGV, note_another, NULL), AE_ERR, EINVAL);
    CHECK_FAILS(aeCreateSignalEvent(el, SIGBUS, note_another, NULL), AE_ERR, EINVAL);
    CHECK_FAILS(aeCreateSignalEvent(el, SIGFPE, note_another, NULL), AE_ERR, EINVAL);
    CHECK_FAILS(aeCreateSignalEvent(el, SIGILL, note_another, NULL), AE_ERR, EINVAL);
    CHECK_FAILS(aeCreateSignalEvent(el, SIGKILL, note_another, NULL), AE_ERR, EINVAL);
    /* It was given up again. */
    CHECK_FAILS(aeCreateSignalEvent(el, SIGKILL, note_another, NULL), AE_ERR, EINVAL);
    CHECK_FAILS(aeDeleteSignalEvent(el, SIGKILL), AE_ERR, ENOENT);
    aeDeleteEventLoop(el);
}

static void stop_now(aeEventLoop *el, int signum, void *data) {
    AE_NOTUSED(signum);
    AE_NOTUSED(data);
    test_note('s');
    CHECK_INT(aeStopNow(el), AE_OK);
}

static void a_stop_in_one_leaves_the_other_for_the_next_call(void) {
    aeEventLoop *el = new_loop();

    CHECK_INT(aeCreateSignalEvent(el, SIGUSR1, stop_now, NULL), AE_OK);
    CHECK_INT(aeCreateSignalEvent(el, SIGUSR2, note_another, NULL), AE_OK);
    raise(SIGUSR1);
    raise(SIGUSR2);
    /* An idle loop that watches signals has not ended. */
    aeSetStopWhenIdle(el, 1);
    aeMain(el);
    CHECK_INT((int)strlen(test_log), SIGUSR1 < SIGUSR2 ? 1 : 2);
    aeProcessEvents(el, AE_ALL_EVENTS);
    CHECK_TEXT(test_noted(), SIGUSR1 < SIGUSR2 ? "so" : "os");
    aeDeleteEventLoop(el);
}

/* Each time another process sends it. */
static void stop_after_ten(aeEventLoop *el, int signum, void *data) {
    AE_NOTUSED(signum);
    AE_NOTUSED(data);
    if (++calls == 10) aeStop(el);
}

static void it_wakes_a_sleeping_loop(void) {
    aeEventLoop *el = new_loop();
    pid_t sender;

    sender = test_start_signals();
    CHECK_INT(aeCreateSignalEvent(el, SIGUSR1, stop_after_ten, NULL), AE_OK);
    aeSetStopWhenIdle(el, 1); /* which it is not */
    aeMain(el);
    CHECK_INT(calls, 10);
    test_stop_signals(sender);
    aeDeleteEventLoop(el);
}

/* ---- Children ---- */

static pid_t start_child(int status, int *gate) {
    int ends[2];
    pid_t pid;

    test_pipe(ends);
    pid = fork();
    CHECK(pid != -1);
    if (pid == 0) {
        struct pollfd one = {.fd = ends[0], .events = POLLIN};

        close(ends[1]);
        poll(&one, 1, -1);
        _exit(status);
    }
    close(ends[0]);
    *gate = ends[1];
    return pid;
}

static void note_child(aeEventLoop *el, pid_t pid, int status, void *data) {
    CHECK_INT(pid, *(pid_t *)data);
    status_told = status;
    test_note('c');
    CHECK_FAILS(aeDeleteChildEvent(el, pid), AE_ERR, ENOENT);
}

static void needs_pidfd(aeEventLoop *el, pid_t pid, int gate) {
    if (aeCreateChildEvent(el, pid, note_child, &pid) == AE_ERR && errno == ENOSYS) {
        close(gate);
        test_reap(pid);
        aeDeleteEventLoop(el);
        SKIP("no pidfd here");
    }
    CHECK_INT(aeDeleteChildEvent(el, pid), AE_OK);
}

static void wait_for_child(aeEventLoop *el, pid_t *pid, int gate) {
    needs_pidfd(el, *pid, gate);
    CHECK_KEEPS_ERRNO(aeCreateChildEvent(el, *pid, note_child, pid), AE_OK);
}

static void the_end_of_a_child_is_told_once(void) {
    aeEventLoop *el = new_loop();
    int gate;
    pid_t pid = start_child(7, &gate);

    wait_for_child(el, &pid, gate);
    CHECK_FAILS(aeCreateChildEvent(el, pid, note_child, &pid), AE_ERR, EEXIST);
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT), 0);
    close(gate);
    aeSetStopWhenIdle(el, 1);
    aeMain(el);
    CHECK_TEXT(test_noted(), "c");
    CHECK(WIFEXITED(status_told) && WEXITSTATUS(status_told) == 7);
    /* It has been waited for. */
    CHECK(waitpid(pid, NULL, 0) == -1 && errno == ECHILD);
    CHECK_INT(el->maxfd, -1);
    aeDeleteEventLoop(el);
}

static void a_child_that_is_deleted_is_the_programs(void) {
    aeEventLoop *el = new_loop();
    int gate;
    pid_t pid = start_child(3, &gate);

    wait_for_child(el, &pid, gate);
    close(gate);
    CHECK_KEEPS_ERRNO(aeDeleteChildEvent(el, pid), AE_OK);
    CHECK_FAILS(aeDeleteChildEvent(el, pid), AE_ERR, ENOENT);
    test_reap(pid);
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT), 0);
    aeDeleteEventLoop(el);
}

/* The others go on being watched. */
static void one_of_several_is_deleted(void) {
    aeEventLoop *el = new_loop();
    int gates[3], i;
    pid_t pids[3];

    for (i = 0; i < 3; i++) {
        pids[i] = start_child(i, &gates[i]);
        wait_for_child(el, &pids[i], gates[i]);
    }
    CHECK_INT(aeDeleteChildEvent(el, pids[0]), AE_OK);
    CHECK_FAILS(aeDeleteChildEvent(el, pids[0]), AE_ERR, ENOENT);
    for (i = 2; i > 0; i--) { /* the last first: it has the gates of those before it */
        siginfo_t info;

        close(gates[i]);
        CHECK(waitid(P_PID, (id_t)pids[i], &info, WEXITED | WNOWAIT) == 0);
        aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT);
        CHECK_TEXT(test_noted(), "c");
        CHECK(WIFEXITED(status_told) && WEXITSTATUS(status_told) == i);
    }
    close(gates[0]);
    test_reap(pids[0]);
    aeDeleteEventLoop(el);
}

static void one_that_another_part_has_waited_for_has_no_status(void) {
    aeEventLoop *el = new_loop();
    int gate;
    pid_t pid = start_child(3, &gate);

    wait_for_child(el, &pid, gate);
    close(gate);
    test_reap(pid);
    aeProcessEvents(el, AE_ALL_EVENTS);
    CHECK_TEXT(test_noted(), "c");
    CHECK_INT(status_told, -1);
    aeDeleteEventLoop(el);
}

static void the_loop_goes_before_the_child(void) {
    aeEventLoop *el = new_loop();
    int gate;
    pid_t pid = start_child(0, &gate);

    wait_for_child(el, &pid, gate);
    aeDeleteEventLoop(el);
    close(gate);
    test_reap(pid);
}

static void bad_children_are_refused(void) {
    aeEventLoop *el = aeCreateEventLoop(3);
    pid_t gone;
    int gate;

    CHECK(el != NULL);
    gone = start_child(0, &gate);
    CHECK_INT(aeCreateChildEvent(el, gone, note_child, NULL), AE_ERR);
    CHECK(errno == ERANGE || errno == ENOSYS);
    close(gate);
    test_reap(gone);
    CHECK_INT(aeCreateChildEvent(el, gone, note_child, NULL), AE_ERR);
    CHECK(errno == ESRCH || errno == ENOSYS);
    CHECK_FAILS(aeCreateChildEvent(el, -1, note_child, NULL), AE_ERR, EINVAL);
    aeDeleteEventLoop(el);
}

static pthread_t reader;

static void *signal_and_send(void *data) {
    EXPECT(pthread_kill(reader, SIGUSR1) == 0);
    test_sleep_us(20000); /* or else the signal might come when there is something to read */
    test_send(*(int *)data, "x");
    return NULL;
}

/* As every program that does not look for EINTR expects. */
static void calls_that_a_signal_interrupts_go_on(void) {
    aeEventLoop *el = new_loop();
    int usr1 = SIGUSR1, ends[2], i;
    char byte;

    CHECK_INT(aeCreateSignalEvent(el, SIGUSR1, note_signal, &usr1), AE_OK);
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    reader = pthread_self();
    for (i = 0; i < 3; i++) {
        pthread_t thread;

        CHECK_INT(pthread_create(&thread, NULL, signal_and_send, &ends[1]), 0);
        CHECK_INT(syscall(SYS_read, ends[0], &byte, 1), 1);
        end_thread(thread);
    }
    aeProcessEvents(el, AE_ALL_EVENTS);
    CHECK(calls >= 1);
    aeDeleteEventLoop(el);
    test_close_pair(ends);
}

TEST_MAIN(CASE(calls_that_a_signal_interrupts_go_on),
          CASE(a_handler_runs_in_the_loop), CASE(what_was_there_before_comes_back),
          CASE(one_that_came_for_another_handler_is_not_told), CASE(it_leaves_errno_alone),
          CASE(refuses_what_cannot_be_handled), CASE(a_stop_in_one_leaves_the_other_for_the_next_call),
          CASE(it_wakes_a_sleeping_loop), CASE(the_end_of_a_child_is_told_once), CASE(one_of_several_is_deleted),
          CASE(a_child_that_is_deleted_is_the_programs), CASE(one_that_another_part_has_waited_for_has_no_status),
          CASE(the_loop_goes_before_the_child), CASE(bad_children_are_refused))
