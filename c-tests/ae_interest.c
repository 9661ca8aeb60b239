/* Changes of what a descriptor is watched for, made where the loop may put them off: inside callbacks.
 *
 * What the kernel knows is read from /proc/self/fdinfo, for epoll. How many system calls the `pairs_` cases
 * cost is counted by interest_syscalls.sh. */
#include "ae_test.h"

#include <sys/epoll.h>
#include <sys/syscall.h>

enum { PAIRS = 1000 };

static int told;

/* The C library's, for the library as well. */
int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event) {
    told++;
    return (int)syscall(SYS_epoll_ctl, epoll, operation, fd, event);
}

static int first[2], second[2];
static int calls;

/* What the handler of `first` does, once. */
static void (*act)(aeEventLoop *el);

static void on_act(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_drain(fd);
    if (act != NULL) act(el);
    act = NULL;
}

/* A loop with two sockets watched for reading, of which the first will run `action`. */
static aeEventLoop *prepare(void (*action)(aeEventLoop *el)) {
    aeEventLoop *el = aeCreateEventLoop(512);

    CHECK(el != NULL);
    test_pair(first);
    test_pair(second);
    CHECK_INT(aeCreateFileEvent(el, first[0], AE_READABLE, on_act, NULL), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, second[0], AE_READABLE, note_readable, NULL), AE_OK);
    act = action;
    test_send(first[1], "x");
    return el;
}

static void finish(aeEventLoop *el) {
    CHECK(act == NULL);
    test_close_pair(first);
    test_close_pair(second);
    aeDeleteEventLoop(el);
}

static void watch(aeEventLoop *el, int fd, int mask) {
    CHECK_INT(aeCreateFileEvent(el, fd, mask, mask & AE_WRITABLE ? note_writable : note_readable, NULL), AE_OK);
}

/* What the kernel watches `fd` for: AE_ flags, -1 for a descriptor it does not know, -2 when it does not say. */
static int kernel_interest(int fd) {
    char path[64], line[256], target[64];
    int epoll, tfd, found = -2;
    unsigned events;

    for (epoll = 0; epoll < 64 && found == -2; epoll++) {
        ssize_t length;
        FILE *info;

        snprintf(path, sizeof(path), "/proc/self/fd/%d", epoll);
        length = readlink(path, target, sizeof(target) - 1);
        if (length <= 0) continue;
        target[length] = '\0';
        if (strcmp(target, "anon_inode:[eventpoll]") != 0) continue;
        snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", epoll);
        info = fopen(path, "r");
        if (info == NULL) continue;
        found = -1;
        while (fgets(line, sizeof(line), info) != NULL)
            if (sscanf(line, "tfd: %d events: %x", &tfd, &events) == 2 && tfd == fd)
                found = (events & POLLIN ? AE_READABLE : 0) | (events & POLLOUT ? AE_WRITABLE : 0);
        fclose(info);
    }
    return found;
}

static void needs_kernel_interest(aeEventLoop *el) {
    if (kernel_interest(first[0]) == AE_READABLE) return;
    act = NULL;
    finish(el);
    SKIP("only epoll tells what it watches");
}

/* ---- Inside a callback ---- */

static void add_and_remove(aeEventLoop *el) {
    watch(el, second[0], AE_WRITABLE);
    CHECK_INT(aeGetFileEvents(el, second[0]), AE_READABLE | AE_WRITABLE);
    aeDeleteFileEvent(el, second[0], AE_WRITABLE);
    CHECK_INT(aeGetFileEvents(el, second[0]), AE_READABLE);
    watch(el, first[0], AE_WRITABLE);
    aeDeleteFileEvent(el, first[0], AE_WRITABLE);
}

static void added_and_removed_is_as_before(void) {
    aeEventLoop *el = prepare(add_and_remove);

    CHECK_INT(poll_once(el), 1);
    CHECK_INT(poll_once(el), 0);
    test_send(second[1], "y");
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "r");
    finish(el);
}

static void remove_and_add(aeEventLoop *el) {
    aeDeleteFileEvent(el, second[0], AE_WRITABLE);
    watch(el, second[0], AE_WRITABLE);
}

static void removed_and_added_still_fires(void) {
    aeEventLoop *el = prepare(NULL);

    watch(el, second[0], AE_WRITABLE);
    CHECK_INT(poll_once(el), 2);
    test_noted();
    act = remove_and_add;
    test_send(first[1], "x");
    CHECK_INT(poll_once(el), 2);
    test_noted();
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "w");
    finish(el);
}

static void add_writable(aeEventLoop *el) { watch(el, second[0], AE_WRITABLE); }

static void writable_added_fires_in_the_next_iteration(void) {
    aeEventLoop *el = prepare(add_writable);

    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "");
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "w");
    finish(el);
}

static void swap_readable_for_writable(aeEventLoop *el) {
    watch(el, second[0], AE_WRITABLE);
    aeDeleteFileEvent(el, second[0], AE_READABLE);
}

static void readable_removed_is_silent(void) {
    aeEventLoop *el = prepare(swap_readable_for_writable);

    CHECK_INT(poll_once(el), 1);
    test_send(second[1], "y");
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "w");
    test_fill(second[0]);
    CHECK_INT(poll_once(el), 0);
    finish(el);
}

static void fail_to_register(aeEventLoop *el) {
    int closed = test_unused_fd();

    CHECK_FAILS(aeCreateFileEvent(el, closed, AE_READABLE, note_readable, NULL), AE_ERR, EBADF);
    CHECK_INT(aeGetFileEvents(el, closed), AE_NONE);
    if (strcmp(aeGetApiName(), "epoll") == 0) {
        FILE *file = tmpfile();

        CHECK(file != NULL);
        CHECK_FAILS(aeCreateFileEvent(el, fileno(file), AE_READABLE, note_readable, NULL), AE_ERR, EPERM);
        fclose(file);
    }
}

static void errors_of_the_first_interest_are_told_at_once(void) {
    aeEventLoop *el = prepare(fail_to_register);

    CHECK_INT(poll_once(el), 1);
    finish(el);
}

static void first_and_last(aeEventLoop *el) {
    watch(el, second[1], AE_READABLE);
    CHECK_INT(kernel_interest(second[1]), AE_READABLE);
    aeDeleteFileEvent(el, second[1], AE_READABLE);
    CHECK_INT(kernel_interest(second[1]), -1);
    /* Also after a change that was put off. */
    watch(el, second[0], AE_WRITABLE);
    aeDeleteFileEvent(el, second[0], AE_READABLE | AE_WRITABLE);
    CHECK_INT(kernel_interest(second[0]), -1);
}

static void first_and_last_reach_the_kernel_at_once(void) {
    aeEventLoop *el = prepare(first_and_last);

    needs_kernel_interest(el);
    CHECK_INT(poll_once(el), 1);
    CHECK_INT(poll_once(el), 0);
    CHECK_INT(kernel_interest(second[0]), -1);
    finish(el);
}

static void run_again(aeEventLoop *el) {
    watch(el, second[0], AE_WRITABLE);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "w");
}

static void nested_run_sees_the_change(void) {
    aeEventLoop *el = prepare(run_again);

    CHECK_INT(poll_once(el), 1);
    finish(el);
}

static TIME_RESULT on_time(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    add_writable(el);
    return AE_NOMORE;
}

static void change_in_a_time_handler_holds(void) {
    aeEventLoop *el = prepare(NULL);

    poll_once(el);
    CHECK(aeCreateTimeEvent(el, 0, on_time, NULL, NULL) != AE_ERR);
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT), 1);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "w");
    finish(el);
}

static void change_before_sleep_holds_for_this_sleep(void) {
    aeEventLoop *el = prepare(NULL);

    poll_once(el);
    aeSetBeforeSleepProc(el, add_writable);
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS | AE_DONT_WAIT | AE_CALL_BEFORE_SLEEP), 1);
    CHECK_TEXT(test_noted(), "w");
    finish(el);
}

static void remove_and_poll(aeEventLoop *el) {
    aeDeleteFileEvent(el, second[0], AE_WRITABLE);
    CHECK_INT(poll_once(el), 0);
    CHECK_INT(kernel_interest(second[0]), AE_READABLE);
}

/* Or it would wake for what nobody wants any more. */
static void removed_is_told_before_the_next_poll(void) {
    aeEventLoop *el = prepare(remove_and_poll);

    needs_kernel_interest(el);
    watch(el, second[0], AE_WRITABLE);
    CHECK(poll_once(el) > 0);
    finish(el);
}

/* ---- Changes that something overtakes ---- */

static void change_and_close(aeEventLoop *el) {
    watch(el, second[0], AE_WRITABLE);
    close(second[0]);
}

static void changed_then_closed_does_no_harm(void) {
    aeEventLoop *el = prepare(change_and_close);

    CHECK_INT(poll_once(el), 1);
    test_send(first[1], "x");
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "");
    aeDeleteFileEvent(el, second[0], AE_READABLE | AE_WRITABLE);
    CHECK_INT(el->maxfd, first[0]);
    CHECK_INT(open("/dev/null", O_RDONLY | O_CLOEXEC), second[0]); /* so that it can be closed again */
    finish(el);
}

static int spare[2];

static void change_and_reuse(aeEventLoop *el) {
    watch(el, second[0], AE_WRITABLE);
    CHECK_INT(close(second[0]), 0);
    CHECK_INT(dup2(spare[0], second[0]), second[0]);
    watch(el, second[0], AE_READABLE);
}

/* Departs from upstream, whose epoll backend fails with ENOENT. */
/* The kernel is told that the number is another file's, though it seems to take a removal back. */
static void expect_registered_anew(void (*earlier)(aeEventLoop *el), void (*action)(aeEventLoop *el)) {
    aeEventLoop *el = prepare(earlier != NULL ? earlier : action);

    test_pair(spare);
    CHECK_INT(poll_once(el), 1);
    if (earlier != NULL) {
        act = action;
        test_send(first[1], "x");
        CHECK_INT(poll_once(el), 2);
        test_noted();
    }
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "w");
    test_close_pair(spare);
    finish(el);
}

static void give_number_to_spare(void) { CHECK_INT(dup2(spare[0], second[0]), second[0]); }

static void remove_and_add_for_another(aeEventLoop *el) {
    watch(el, second[0], AE_WRITABLE);
    aeDeleteFileEvent(el, second[0], AE_WRITABLE);
    give_number_to_spare();
    CHECK_INT(aeCreateFileEvent(el, second[0], AE_WRITABLE, note_writable, spare), AE_OK);
}

static void reused_for_another_user_is_registered_anew(void) {
    expect_registered_anew(NULL, remove_and_add_for_another);
}

static void add(aeEventLoop *el) { watch(el, second[0], AE_WRITABLE); }

static void remove_earlier_interest_and_add(aeEventLoop *el) {
    aeDeleteFileEvent(el, second[0], AE_WRITABLE);
    give_number_to_spare();
    watch(el, second[0], AE_WRITABLE);
}

static void reused_for_earlier_interest_is_registered_anew(void) {
    expect_registered_anew(add, remove_earlier_interest_and_add);
}

static void add_remove_all_and_add(aeEventLoop *el) {
    watch(el, second[0], AE_WRITABLE);
    aeDeleteFileEvent(el, second[0], AE_READABLE | AE_WRITABLE);
    watch(el, second[0], AE_WRITABLE);
}

static void removed_with_all_and_added_fires(void) { expect_registered_anew(NULL, add_remove_all_and_add); }

static int other;

static void change_close_and_add(aeEventLoop *el) {
    int copy = dup(second[0]);

    watch(el, second[0], AE_WRITABLE);
    aeDeleteFileEvent(el, second[0], AE_WRITABLE);
    CHECK_INT(close(second[0]), 0);
    CHECK_FAILS(aeCreateFileEvent(el, second[0], AE_WRITABLE, note_writable, &other), AE_ERR, EBADF);
    CHECK_FAILS(aeCreateFileEvent(el, second[0], AE_WRITABLE, note_writable, NULL), AE_ERR, EBADF);
    CHECK_INT(dup2(copy, second[0]), second[0]);
    CHECK_INT(close(copy), 0);
}

/* Also for the user whose interest is only about to be removed. */
static void closed_descriptor_is_told_to_every_user(void) {
    aeEventLoop *el = prepare(change_close_and_add);

    CHECK_INT(poll_once(el), 1);
    finish(el);
}

static void changed_then_reused_is_registered_anew(void) {
    aeEventLoop *el = prepare(change_and_reuse);

    test_pair(spare);
    CHECK_INT(poll_once(el), 1);
    test_send(spare[1], "y");
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "rw");
    test_close_pair(spare);
    finish(el);
}

static void change_delete_and_shrink(aeEventLoop *el) {
    int high = fcntl(first[0], F_DUPFD_CLOEXEC, 400);

    CHECK(high >= 400);
    watch(el, high, AE_READABLE);
    watch(el, high, AE_WRITABLE);
    aeDeleteFileEvent(el, high, AE_READABLE | AE_WRITABLE);
    close(high);
    CHECK_INT(aeResizeSetSize(el, el->maxfd + 1), AE_OK);
}

static void changed_then_cut_off_does_no_harm(void) {
    aeEventLoop *el = prepare(change_delete_and_shrink);

    CHECK_INT(poll_once(el), 1);
    CHECK_INT(poll_once(el), 0);
    finish(el);
}

static int grown;

static void remove_writable_of_grown(aeEventLoop *el) { aeDeleteFileEvent(el, grown, AE_WRITABLE); }

/* In a set that has grown again, another file has the number: its changes are told, too. */
static void changed_then_cut_off_is_told_of_later(void) {
    aeEventLoop *el = prepare(change_delete_and_shrink);

    CHECK_INT(poll_once(el), 1);
    CHECK_INT(aeResizeSetSize(el, 512), AE_OK);
    grown = fcntl(second[0], F_DUPFD_CLOEXEC, 400);
    CHECK(grown >= 400);
    watch(el, grown, AE_READABLE);
    watch(el, grown, AE_WRITABLE);
    act = remove_writable_of_grown;
    test_send(first[1], "x");
    CHECK_INT(poll_once(el), 2);
    CHECK_INT(poll_once(el), 0); /* though it is writable still */
    aeDeleteFileEvent(el, grown, AE_READABLE);
    close(grown);
    finish(el);
}

static void changed_then_left_is_immediate_again(void) {
    aeEventLoop *el = prepare(add_writable);

    needs_kernel_interest(el);
    CHECK_INT(poll_once(el), 1);
    aeDeleteFileEvent(el, second[0], AE_READABLE);
    CHECK_INT(kernel_interest(second[0]), AE_WRITABLE);
    aeDeleteFileEvent(el, second[0], AE_WRITABLE);
    CHECK_INT(kernel_interest(second[0]), -1);
    watch(el, second[0], AE_READABLE);
    watch(el, second[0], AE_WRITABLE);
    CHECK_INT(kernel_interest(second[0]), AE_READABLE | AE_WRITABLE);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "w");
    finish(el);
}

#ifdef TEST_VALKEY
static void swap_while_protected(aeEventLoop *el) {
    aeSetPollProtect(el, 1);
    swap_readable_for_writable(el);
    CHECK_INT(kernel_interest(second[0]), AE_WRITABLE);
    aeSetPollProtect(el, 0);
}

/* The next poll may be another thread's. */
static void changed_while_protected_is_immediate(void) {
    aeEventLoop *el = prepare(swap_while_protected);

    needs_kernel_interest(el);
    CHECK_INT(poll_once(el), 1);
    finish(el);
}
#else
static void changed_while_protected_is_immediate(void) { SKIP("no protected polls in this profile"); }
#endif

static void change_and_delete_loop(aeEventLoop *el) {
    watch(el, second[0], AE_WRITABLE);
    aeDeleteEventLoop(el);
}

/* Departs from upstream, which frees what it still uses. */
static void changed_then_deleted_loop_does_no_harm(void) {
    aeEventLoop *el = prepare(change_and_delete_loop);

    poll_once(el);
    test_close_pair(first);
    test_close_pair(second);
}

/* ---- Many ---- */

static void toggle(aeEventLoop *el) {
    int i;

    for (i = 0; i < PAIRS; i++) {
        watch(el, second[0], AE_WRITABLE);
        aeDeleteFileEvent(el, second[0], AE_WRITABLE);
    }
    calls++;
}

static void pairs_inside_a_callback(void) {
    aeEventLoop *el = prepare(toggle);

    CHECK_INT(poll_once(el), 1);
    CHECK_INT(calls, 1);
    CHECK_INT(poll_once(el), 0);
    finish(el);
}

static void needs_epoll(aeEventLoop *el) {
    if (strcmp(aeGetLoopApiName(el), "epoll") == 0) return;
    aeDeleteEventLoop(el);
    SKIP("it is epoll_ctl that is counted");
}

static void add_remove_and_add(aeEventLoop *el) {
    watch(el, second[0], AE_WRITABLE);
    aeDeleteFileEvent(el, second[0], AE_WRITABLE);
    watch(el, second[0], AE_WRITABLE);
}

static void removal_that_is_taken_back_reaches_no_kernel(void) {
    aeEventLoop *el = prepare(add_remove_and_add);

    needs_epoll(el);
    told = 0;
    CHECK_INT(poll_once(el), 1);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "w");
    CHECK_INT(told, 1); /* when writable was added */
    finish(el);
}

static void barrier_is_not_the_kernels_business(void) {
    aeEventLoop *el = prepare(NULL);

    needs_epoll(el);
    watch(el, second[0], AE_WRITABLE | AE_BARRIER);
    told = 0;
    aeDeleteFileEvent(el, second[0], AE_BARRIER);
    CHECK_INT(told, 0);
    CHECK_INT(aeGetFileEvents(el, second[0]), AE_READABLE | AE_WRITABLE);
    finish(el);
}

/* Closed before it was deleted: the loop knows that it is gone. */
static void number_of_a_closed_file_costs_one_call(void) {
    aeEventLoop *el = prepare(NULL);

    needs_epoll(el);
    CHECK_INT(poll_once(el), 1);
    CHECK_INT(close(second[0]), 0);
    aeDeleteFileEvent(el, second[0], AE_READABLE);
    CHECK_INT(dup2(first[0], second[0]), second[0]);
    told = 0;
    watch(el, second[0], AE_WRITABLE);
    CHECK_INT(told, 1);
    CHECK_INT(poll_once(el), 1);
    finish(el);
}

static void pairs_outside_callbacks(void) {
    aeEventLoop *el = prepare(NULL);

    poll_once(el);
    toggle(el);
    CHECK_INT(poll_once(el), 0);
    finish(el);
}

TEST_MAIN(CASE(added_and_removed_is_as_before), CASE(removed_and_added_still_fires),
          CASE(writable_added_fires_in_the_next_iteration), CASE(readable_removed_is_silent),
          CASE(errors_of_the_first_interest_are_told_at_once), CASE(first_and_last_reach_the_kernel_at_once),
          CASE(nested_run_sees_the_change), CASE(change_in_a_time_handler_holds),
          CASE(change_before_sleep_holds_for_this_sleep), CASE(removed_is_told_before_the_next_poll),
          CASE(changed_then_closed_does_no_harm),
          CASE(changed_then_reused_is_registered_anew), CASE(reused_for_another_user_is_registered_anew),
          CASE(reused_for_earlier_interest_is_registered_anew), CASE(removed_with_all_and_added_fires),
          CASE(closed_descriptor_is_told_to_every_user), CASE(changed_then_cut_off_does_no_harm),
          CASE(changed_then_cut_off_is_told_of_later),
          CASE(changed_then_left_is_immediate_again), CASE(changed_while_protected_is_immediate),
          CASE(changed_then_deleted_loop_does_no_harm),
          CASE(removal_that_is_taken_back_reaches_no_kernel), CASE(number_of_a_closed_file_costs_one_call),
          CASE(barrier_is_not_the_kernels_business), CASE(pairs_inside_a_callback), CASE(pairs_outside_callbacks))
