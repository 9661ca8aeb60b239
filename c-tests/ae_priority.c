/* Descriptors of high priority: served first, and soon while many others are ready. */
#include "ae_test.h"

#include <libae.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>

enum { FLOOD = 1000 };

static int high[2], served, made_at, high_served, worst;
static int flood[FLOOD], flood_pair[2];

/* A loop in which so many descriptors are readable. */
static aeEventLoop *flooded_loop(int count, aeFileProc *proc) {
    struct rlimit limit;
    aeEventLoop *el = aeCreateEventLoop(2 * FLOOD);
    int i;

    CHECK(el != NULL);
    CHECK_INT(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ready_pair(flood_pair);
    for (i = 0; i < count; i++) {
        flood[i] = fcntl(flood_pair[0], F_DUPFD_CLOEXEC, 0);
        CHECK(flood[i] != -1);
        CHECK_INT(aeCreateFileEvent(el, flood[i], AE_READABLE, proc, NULL), AE_OK);
    }
    test_pair(high);
    return el;
}

static void end_flood(aeEventLoop *el, int count) {
    int i;

    if (el != NULL) aeDeleteEventLoop(el);
    for (i = 0; i < count; i++) close(flood[i]);
    test_close_pair(flood_pair);
    test_close_pair(high);
}

static void on_high(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(el);
    AE_NOTUSED(data);
    CHECK_INT(mask, AE_READABLE);
    CHECK(test_drain(fd) > 0);
    if (served - made_at > worst) worst = served - made_at;
    high_served++;
}

/* Every tenth makes the one of high priority readable. */
static void on_ordinary(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(el);
    AE_NOTUSED(fd);
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    served++;
    if (served % 10 == 0) {
        made_at = served;
        test_send(high[1], "x");
    }
}

static void a_flood_does_not_delay_it(void) {
    aeEventLoop *el = flooded_loop(FLOOD, on_ordinary);
    int fired;

    CHECK_INT(aeCreateFileEvent(el, high[0], AE_READABLE | AE_HIGH_PRIORITY, on_high, NULL), AE_OK);
    fired = poll_once(el);
    CHECK_INT(served, FLOOD);
    /* The last one comes with the next iteration. */
    CHECK_INT(high_served, FLOOD / 10 - 1);
    CHECK_INT(fired, served + high_served);
    CHECK(worst > 0 && worst <= LIBAE_ORDINARY_PER_LOOK);
    end_flood(el, FLOOD);
}

static void of_ordinary_priority_it_waits(void) {
    aeEventLoop *el = flooded_loop(FLOOD, on_ordinary);

    CHECK_INT(aeCreateFileEvent(el, high[0], AE_READABLE | AE_HIGH_PRIORITY, on_high, NULL), AE_OK);
    aeDeleteFileEvent(el, high[0], AE_HIGH_PRIORITY);
    CHECK_INT(aeGetFileEvents(el, high[0]), AE_READABLE);
    CHECK_INT(poll_once(el), FLOOD);
    CHECK_INT(high_served, 0);
    CHECK_INT(poll_once(el), FLOOD + 1);
    CHECK_INT(high_served, 1);
    end_flood(el, FLOOD);
}

/* ---- In one iteration ---- */

static void it_comes_first(void) {
    aeEventLoop *el = new_loop();
    int ordinary[2], first[2];

    ready_pair(ordinary);
    ready_pair(first);
    CHECK_INT(aeCreateFileEvent(el, ordinary[0], AE_READABLE, note_any, NULL), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, first[0], AE_READABLE, note_readable, NULL), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, first[0], AE_WRITABLE | AE_HIGH_PRIORITY, note_writable, NULL), AE_OK);
    CHECK_INT(poll_once(el), 2);
    CHECK_TEXT(test_noted(), "rwb");
    aeDeleteEventLoop(el);
    test_close_pair(ordinary);
    test_close_pair(first);
}

static int other[2];

static void change_both(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(mask);
    AE_NOTUSED(data);
    test_note('1');
    /* The other one, which was found ready as well, gets it instead. */
    aeDeleteFileEvent(el, fd, AE_HIGH_PRIORITY);
    CHECK_INT(aeCreateFileEvent(el, other[0], AE_READABLE | AE_HIGH_PRIORITY, note_readable, NULL), AE_OK);
}

static void a_change_of_priority_loses_and_repeats_nothing(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    ready_pair(pair);
    ready_pair(other);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE | AE_HIGH_PRIORITY, change_both, NULL), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, other[0], AE_READABLE, note_readable, NULL), AE_OK);
    CHECK_INT(poll_once(el), 2);
    CHECK_TEXT(test_noted(), "1r");
    aeDeleteFileEvent(el, pair[0], AE_READABLE);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "r");
    aeDeleteEventLoop(el);
    test_close_pair(pair);
    test_close_pair(other);
}

static void fill_once(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(el);
    AE_NOTUSED(fd);
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    if (served++ == 0) test_send(high[1], "x");
}

static void the_barrier_holds_for_the_iteration(void) {
    aeEventLoop *el = flooded_loop(20, fill_once);

    CHECK_INT(aeCreateFileEvent(el, high[0], AE_READABLE | AE_HIGH_PRIORITY, note_readable, NULL), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, high[0], AE_WRITABLE | AE_BARRIER, note_writable, NULL), AE_OK);
    poll_once(el);
    /* Looks: after 4, 8, 12 and 16. It stays readable, and is always writable. */
    CHECK_TEXT(test_noted(), "wrrrr");
    poll_once(el);
    CHECK_TEXT(test_noted(), "wrrrrr");
    aeDeleteFileEvent(el, high[0], AE_WRITABLE);
    CHECK_INT(aeCreateFileEvent(el, high[0], AE_WRITABLE, note_writable, NULL), AE_OK);
    poll_once(el);
    CHECK_TEXT(test_noted(), "rwrwrwrwrw");
    end_flood(el, 20);
}

/* ---- What handlers do ---- */

static int second[2];

static void fill_both_once(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(el);
    AE_NOTUSED(fd);
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_note('.');
    if (served++ == 0) {
        test_send(high[1], "x");
        test_send(second[1], "x");
    }
}

/* Of two that a look finds together, the first takes the other's number for another socket, which is ready as well. */
static void replace_other(aeEventLoop *el, int fd, void *data, int mask) {
    int *theirs = fd == high[0] ? second : high, fresh[2];

    AE_NOTUSED(mask);
    AE_NOTUSED(data);
    test_note('1');
    test_drain(fd);
    aeDeleteFileEvent(el, theirs[0], AE_READABLE);
    ready_pair(fresh);
    CHECK(dup2(fresh[0], theirs[0]) == theirs[0]);
    CHECK(dup2(fresh[1], theirs[1]) == theirs[1]);
    test_close_pair(fresh);
    CHECK_INT(aeCreateFileEvent(el, theirs[0], AE_READABLE | AE_HIGH_PRIORITY, note_readable, NULL), AE_OK);
}

static void what_a_look_found_for_another_file_is_stale(void) {
    aeEventLoop *el = flooded_loop(20, fill_both_once);

    test_pair(second);
    CHECK_INT(aeCreateFileEvent(el, high[0], AE_READABLE | AE_HIGH_PRIORITY, replace_other, NULL), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, second[0], AE_READABLE | AE_HIGH_PRIORITY, replace_other, NULL), AE_OK);
    poll_once(el);
    CHECK_TEXT(test_noted(), "....1....r....r....r....");
    end_flood(el, 20);
    test_close_pair(second);
}

static void delete_loop(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(fd);
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    aeDeleteEventLoop(el);
}

static void a_look_may_end_the_loop(void) {
    aeEventLoop *el = flooded_loop(20, fill_once);

    CHECK_INT(aeCreateFileEvent(el, high[0], AE_READABLE | AE_HIGH_PRIORITY, delete_loop, NULL), AE_OK);
    aeMain(el);
    CHECK_INT(served, LIBAE_ORDINARY_PER_LOOK);
    end_flood(NULL, 20);
}

static void stop_now(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(fd);
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    served++;
    test_send(high[1], "x");
    CHECK_INT(aeStopNow(el), AE_OK);
}

/* What is processed is what the poll had found, of which nobody but the first is served. */
static void after_a_stop_nobody_looks(void) {
    aeEventLoop *el = flooded_loop(20, stop_now);

    CHECK_INT(aeCreateFileEvent(el, high[0], AE_READABLE | AE_HIGH_PRIORITY, on_high, NULL), AE_OK);
    CHECK_INT(poll_once(el), 20);
    CHECK_INT(served, 1);
    CHECK_INT(high_served, 0);
    CHECK(poll_once(el) > 0);
    CHECK_INT(high_served, 1);
    end_flood(el, 20);
}

static void give_priority(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(fd);
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    if (served++ > 0) return;
    CHECK_INT(aeCreateFileEvent(el, high[0], AE_READABLE | AE_HIGH_PRIORITY, on_high, NULL), AE_OK);
}

/* The one that is served by a look, for which there is nothing left to read when it would have had its turn. */
static void whom_a_look_serves_is_not_served_again(void) {
    aeEventLoop *el = flooded_loop(20, give_priority);

    /* That there is one makes the loop look. */
    test_pair(second);
    CHECK_INT(aeCreateFileEvent(el, second[0], AE_READABLE | AE_HIGH_PRIORITY, note_any, NULL), AE_OK);
    test_send(high[1], "x");
    CHECK_INT(aeCreateFileEvent(el, high[0], AE_READABLE, on_high, NULL), AE_OK);
    poll_once(el);
    CHECK_INT(served, 20);
    CHECK_INT(high_served, 1);
    end_flood(el, 20);
    test_close_pair(second);
}

static void run_nested(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(fd);
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    served++;
    if (served > 1) return;
    test_send(high[1], "x");
    CHECK(poll_once(el) > 0);
    CHECK_INT(high_served, 1);
}

static void nested_calls_serve_it_first(void) {
    aeEventLoop *el = flooded_loop(20, run_nested);

    CHECK_INT(aeCreateFileEvent(el, high[0], AE_READABLE | AE_HIGH_PRIORITY, on_high, NULL), AE_OK);
    made_at = 1;
    poll_once(el);
    /* All in the nested call, after which the outer one has nothing left. */
    CHECK_INT(served, 21);
    CHECK_INT(high_served, 1);
    CHECK_INT(worst, 0);
    end_flood(el, 20);
}

/* ---- Registering ---- */

static void the_flag_belongs_to_the_descriptor(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    test_pair(pair);
    CHECK_FAILS(aeCreateFileEvent(el, pair[0], AE_HIGH_PRIORITY, note_any, NULL), AE_ERR, EINVAL);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, note_readable, NULL), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_HIGH_PRIORITY, note_any, NULL), AE_OK);
    CHECK_INT(aeGetFileEvents(el, pair[0]), AE_READABLE | AE_HIGH_PRIORITY);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_WRITABLE, note_writable, NULL), AE_OK);
    CHECK_INT(aeGetFileEvents(el, pair[0]), AE_READABLE | AE_WRITABLE | AE_HIGH_PRIORITY);
    aeDeleteFileEvent(el, pair[0], AE_READABLE);
    CHECK_INT(aeGetFileEvents(el, pair[0]), AE_WRITABLE | AE_HIGH_PRIORITY);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "w");
    aeDeleteFileEvent(el, pair[0], AE_WRITABLE);
    CHECK_INT(aeGetFileEvents(el, pair[0]), AE_NONE);
    CHECK_INT(el->maxfd, -1);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_WRITABLE, note_writable, NULL), AE_OK);
    CHECK_INT(aeGetFileEvents(el, pair[0]), AE_WRITABLE);
    aeDeleteEventLoop(el);
    test_close_pair(pair);
}

static void take_back_with_priority(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(fd);
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_note('b');
    if (served++ > 0) return;
    CHECK_INT(aeCreateFileEvent(el, high[0], AE_WRITABLE, note_writable, NULL), AE_OK);
    aeDeleteFileEvent(el, high[0], AE_WRITABLE);
    CHECK_INT(aeCreateFileEvent(el, high[0], AE_WRITABLE | AE_HIGH_PRIORITY, note_writable, NULL), AE_OK);
}

/* Though the backend watches for writable already: the removal before was put off. */
static void priority_comes_with_an_event_that_is_taken_back(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    ready_pair(pair);
    test_pair(high);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, take_back_with_priority, NULL), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, high[0], AE_READABLE, note_readable, NULL), AE_OK);
    CHECK_INT(poll_once(el), 1);
    CHECK_INT(poll_once(el), 2);
    CHECK_TEXT(test_noted(), "bwb");
    aeDeleteEventLoop(el);
    test_close_pair(pair);
    test_close_pair(high);
}

static void what_cannot_be_watched_stays_as_it_was(void) {
    aeEventLoop *el = new_loop();
    int fd = SET_SIZE - 1;

    CHECK_FAILS(aeCreateFileEvent(el, fd, AE_READABLE | AE_HIGH_PRIORITY, note_any, NULL), AE_ERR, EBADF);
    CHECK_FAILS(aeCreateFileEvent(el, SET_SIZE, AE_READABLE | AE_HIGH_PRIORITY, note_any, NULL), AE_ERR, ERANGE);
    CHECK_INT(aeGetFileEvents(el, fd), AE_NONE);
    CHECK_INT(poll_once(el), 0);
    aeDeleteEventLoop(el);
}

static void it_follows_a_resized_set(void) {
    aeEventLoop *el = flooded_loop(20, on_ordinary);
    int moved = fcntl(high[0], F_DUPFD_CLOEXEC, 3 * FLOOD);

    CHECK_INT(aeCreateFileEvent(el, high[0], AE_READABLE | AE_HIGH_PRIORITY, on_high, NULL), AE_OK);
    CHECK_INT(aeResizeSetSize(el, 4 * FLOOD), AE_OK);
    if (moved != -1) {
        /* Above what the set had room for at first. */
        aeDeleteFileEvent(el, high[0], AE_READABLE);
        CHECK_INT(aeCreateFileEvent(el, moved, AE_READABLE | AE_HIGH_PRIORITY, on_high, NULL), AE_OK);
    }
    poll_once(el);
    CHECK_INT(high_served, 1);
    if (moved != -1) {
        CHECK_FAILS(aeResizeSetSize(el, FLOOD), AE_ERR, ERANGE);
        aeDeleteFileEvent(el, moved, AE_READABLE);
        CHECK_INT(aeCreateFileEvent(el, high[0], AE_READABLE | AE_HIGH_PRIORITY, on_high, NULL), AE_OK);
        close(moved);
    }
    CHECK_INT(aeResizeSetSize(el, FLOOD), AE_OK);
    poll_once(el);
    CHECK_INT(high_served, 3);
    end_flood(el, 20);
}

static void a_closed_one_harms_nothing(void) {
    aeEventLoop *el = flooded_loop(20, on_ordinary);
    int pair[2];

    test_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE | AE_HIGH_PRIORITY, note_any, NULL), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, high[0], AE_READABLE | AE_HIGH_PRIORITY, on_high, NULL), AE_OK);
    test_close_pair(pair);
    poll_once(el);
    CHECK_INT(high_served, 1);
    /* Another file has the number now. */
    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, note_any, NULL), AE_OK);
    CHECK_INT(aeGetFileEvents(el, pair[0]), AE_READABLE | AE_HIGH_PRIORITY);
    poll_once(el);
    /* First, and in each of four looks. */
    CHECK_TEXT(test_noted(), "bbbbb");
    end_flood(el, 20);
    test_close_pair(pair);
}

static void who_waits_elsewhere_hears_of_it(void) {
    aeEventLoop *el = new_loop();
    int fd;

    test_pair(high);
    CHECK_INT(aeCreateFileEvent(el, high[0], AE_READABLE | AE_HIGH_PRIORITY, on_high, NULL), AE_OK);
    fd = aeGetBackendFd(el);
    if (fd != -1) {
        test_send(high[1], "x");
        test_await(fd, POLLIN);
        CHECK_INT(poll_once(el), 1);
    } else {
        CHECK_INT(errno, EOPNOTSUPP);
    }
    aeDeleteEventLoop(el);
    test_close_pair(high);
}

/* ---- Custom polls ---- */

#ifdef TEST_VALKEY
static int poll_from_outside(aeEventLoop *el) {
    struct timeval now = {0, 0};

    return aePoll(el, &now);
}

static void a_custom_poll_knows_it(void) {
    aeEventLoop *el = flooded_loop(FLOOD, on_ordinary);

    aeSetCustomPollProc(el, poll_from_outside);
    aeSetPollProtect(el, 1);
    CHECK_INT(aeCreateFileEvent(el, high[0], AE_READABLE | AE_HIGH_PRIORITY, on_high, NULL), AE_OK);
    CHECK_INT(poll_once(el), FLOOD + FLOOD / 10 - 1);
    CHECK(worst > 0 && worst <= LIBAE_ORDINARY_PER_LOOK);
    end_flood(el, FLOOD);
}
#else
static void a_custom_poll_knows_it(void) { SKIP("no custom polls in this profile"); }
#endif

/* Those that a look before them has served do not count among the four that come between two looks. */
static void a_look_comes_after_four_ordinary_ones(void) {
    aeEventLoop *el = new_loop();
    int first[2], i, fds[2 * LIBAE_ORDINARY_PER_LOOK];

    ready_pair(first);
    ready_pair(high);
    CHECK_INT(aeCreateFileEvent(el, first[0], AE_READABLE | AE_HIGH_PRIORITY, note_any, NULL), AE_OK);
    for (i = 0; i < 2 * LIBAE_ORDINARY_PER_LOOK; i++) {
        fds[i] = fcntl(high[0], F_DUPFD_CLOEXEC, 0);
        CHECK(fds[i] > first[0]);
        CHECK_INT(aeCreateFileEvent(el, fds[i], AE_READABLE, note_readable, NULL), AE_OK);
    }
    poll_once(el);
    CHECK_TEXT(test_noted(), "brrrrbrrrr");
    aeDeleteEventLoop(el);
    for (i = 0; i < 2 * LIBAE_ORDINARY_PER_LOOK; i++) close(fds[i]);
    test_close_pair(first);
    test_close_pair(high);
}

static int first_poller = -1, changes_of_others, watched_by_first;

int epoll_ctl(int poller, int operation, int fd, struct epoll_event *event) {
    if (first_poller == -1) return (int)syscall(SYS_epoll_ctl, poller, operation, fd, event);
    if (poller == first_poller) {
        int result = (int)syscall(SYS_epoll_ctl, poller, operation, fd, event);

        if (result == 0) watched_by_first = operation == EPOLL_CTL_DEL ? 0 : (int)event->events;
        return result;
    }
    changes_of_others++;
    errno = ENOMEM;
    return -1;
}

/* Nor does the loop wake up for it. */
static void one_that_is_watched_by_half_is_not_watched(void) {
    aeEventLoop *el;
    int pair[2];

    if (strcmp(aeGetApiName(), "epoll") != 0) SKIP("of epoll alone");
    el = new_loop();
    test_pair(high);
    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, high[0], AE_READABLE | AE_HIGH_PRIORITY, note_any, NULL), AE_OK);
    first_poller = aeGetBackendFd(el);
    CHECK_FAILS(aeCreateFileEvent(el, pair[0], AE_READABLE | AE_HIGH_PRIORITY, note_any, NULL), AE_ERR, ENOMEM);
    CHECK_INT(changes_of_others, 1);
    CHECK_INT(watched_by_first, 0);
    CHECK_INT(aeGetFileEvents(el, pair[0]), AE_NONE);
    first_poller = -1;
    CHECK_INT(poll_once(el), 0);
    CHECK_TEXT(test_noted(), "");
    aeDeleteEventLoop(el);
    test_close_pair(high);
    test_close_pair(pair);
}

TEST_MAIN(CASE(a_look_comes_after_four_ordinary_ones), CASE(one_that_is_watched_by_half_is_not_watched),
          CASE(a_flood_does_not_delay_it), CASE(of_ordinary_priority_it_waits), CASE(it_comes_first),
          CASE(a_change_of_priority_loses_and_repeats_nothing), CASE(the_barrier_holds_for_the_iteration),
          CASE(what_a_look_found_for_another_file_is_stale), CASE(a_look_may_end_the_loop),
          CASE(after_a_stop_nobody_looks), CASE(whom_a_look_serves_is_not_served_again),
          CASE(priority_comes_with_an_event_that_is_taken_back),
          CASE(nested_calls_serve_it_first), CASE(the_flag_belongs_to_the_descriptor),
          CASE(what_cannot_be_watched_stays_as_it_was), CASE(it_follows_a_resized_set),
          CASE(a_closed_one_harms_nothing), CASE(who_waits_elsewhere_hears_of_it), CASE(a_custom_poll_knows_it))
