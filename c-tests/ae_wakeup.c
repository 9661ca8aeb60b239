/* What other threads and signal handlers do with a loop: wake it, leave it work, stop it. */
#include "ae_test.h"
#include "another_thread.h"

#include <libae.h>
#include <sys/resource.h>

enum { THREADS = 8, POSTS = 2000 };

static aeEventLoop *loop;
static int ran, dropped;

static void count(aeEventLoop *el, void *data) {
    CHECK(el == loop);
    if (data != NULL) CHECK_INT(*(int *)data, ran);
    ran++;
}

static void stop(aeEventLoop *el, void *data) {
    AE_NOTUSED(data);
    aeStop(el);
}

static void count_drop(aeEventLoop *el, void *data) {
    CHECK(el == loop);
    AE_NOTUSED(data);
    dropped++;
}

static void note_post(aeEventLoop *el, void *data) {
    AE_NOTUSED(el);
    test_note(*(const char *)data);
}

static TIME_RESULT note_time(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    test_note('t');
    return AE_NOMORE;
}

/* ---- Wake-ups ---- */

static void *wake_when_asleep(void *unused) {
    AE_NOTUSED(unused);
    test_sleep_us(20000);
    EXPECT(aeWakeup(loop) == AE_OK);
    return NULL;
}

static void a_sleeping_loop_wakes(void) {
    pthread_t thread;

    loop = new_loop();
    CHECK_INT(pthread_create(&thread, NULL, wake_when_asleep, NULL), 0);
    /* There is nothing else that would end this. */
    CHECK(aeProcessEvents(loop, AE_ALL_EVENTS) >= 0);
    end_thread(thread);
    aeDeleteEventLoop(loop);
}

static void many_wakeups_are_one(void) {
    int i;

    loop = new_loop();
    for (i = 0; i < 1000; i++) CHECK_KEEPS_ERRNO(aeWakeup(loop), AE_OK);
    CHECK_INT(aeGetTimeout(loop), 0);
    aeProcessEvents(loop, AE_ALL_EVENTS);
    CHECK_INT(aeGetTimeout(loop), -1);
    /* Nothing is left of them. */
    CHECK_INT(aeProcessEvents(loop, AE_ALL_EVENTS | AE_DONT_WAIT), 0);
    CHECK_INT(aeWakeup(loop), AE_OK);
    aeProcessEvents(loop, AE_ALL_EVENTS);
    aeDeleteEventLoop(loop);
}

static void the_program_does_not_see_the_waker(void) {
    int pair[2], maxfd;

    loop = aeCreateEventLoop(8);
    CHECK(loop != NULL);
    CHECK_INT(aeWakeup(loop), AE_OK);
    CHECK_INT(aeProcessEvents(loop, AE_ALL_EVENTS), 1);
    CHECK_INT(loop->maxfd, -1);
    CHECK_INT(aeResizeSetSize(loop, 2), AE_OK);
    CHECK_INT(aeWakeup(loop), AE_OK);
    CHECK_INT(aeProcessEvents(loop, AE_ALL_EVENTS), 1);
    CHECK_INT(aeResizeSetSize(loop, SET_SIZE), AE_OK);
    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(loop, pair[0], AE_READABLE, note_readable, NULL), AE_OK);
    maxfd = loop->maxfd;
    CHECK_INT(maxfd, pair[0]);
    CHECK_INT(aeWakeup(loop), AE_OK);
    aeProcessEvents(loop, AE_ALL_EVENTS);
    CHECK_TEXT(test_noted(), "r");
    aeDeleteFileEvent(loop, pair[0], AE_READABLE);
    CHECK_INT(loop->maxfd, -1);
    test_close_pair(pair);
    aeDeleteEventLoop(loop);
}

/* In a program that has more descriptors open than the loop's set, or a C fd_set, has room for. */
static void the_waker_may_be_any_descriptor(void) {
    struct rlimit limit;
    int copies[FD_SETSIZE + 64], sizes[] = {8, SET_SIZE, 64}, count = 0, i;

    CHECK_INT(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < FD_SETSIZE + 128) SKIP("a limit of %lld descriptors", (long long)limit.rlim_cur);
    do {
        copies[count] = fcntl(0, F_DUPFD_CLOEXEC, 0);
        CHECK(copies[count] != -1);
    } while (copies[count++] < FD_SETSIZE + 32);
    loop = aeCreateEventLoop(16);
    CHECK(loop != NULL);
    for (i = 0; i < 3; i++) {
        CHECK_INT(aeWakeup(loop), AE_OK);
        CHECK_INT(aeProcessEvents(loop, AE_ALL_EVENTS), 1);
        CHECK_INT(aeResizeSetSize(loop, sizes[i]), AE_OK);
    }
    CHECK_INT(aeWakeup(loop), AE_OK);
    CHECK_INT(aeProcessEvents(loop, AE_ALL_EVENTS), 1);
    aeDeleteEventLoop(loop);
    while (count > 0) close(copies[--count]);
}

/* The loop's only descriptor of this kind. */
static int find_waker(void) {
    char path[64], target[64];
    int fd;

    for (fd = 0; fd < SET_SIZE; fd++) {
        ssize_t length;

        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        length = readlink(path, target, sizeof(target) - 1);
        if (length <= 0) continue;
        target[length] = '\0';
        if (strcmp(target, "anon_inode:[eventfd]") == 0) return fd;
    }
    return -1;
}

/* By a program that closes what it does not know. */
static void a_waker_that_was_closed_keeps_no_loop_awake(void) {
    int pair[2], waker;

    loop = new_loop();
    CHECK_INT(aeWakeup(loop), AE_OK);
    CHECK_INT(aeProcessEvents(loop, AE_ALL_EVENTS), 1);
    waker = find_waker();
    if (waker == -1) {
        aeDeleteEventLoop(loop);
        SKIP("the waker is no eventfd");
    }
    test_pair(pair);
    CHECK_INT(aeCreateFileEvent(loop, pair[0], AE_READABLE, note_readable, NULL), AE_OK);
    close(waker);
    CHECK_INT(poll_once(loop), 0);
    /* Waits for this. */
    CHECK(aeCreateTimeEvent(loop, 50, note_time, NULL, NULL) != AE_ERR);
    CHECK_INT(aeProcessEvents(loop, AE_ALL_EVENTS), 1);
    CHECK_TEXT(test_noted(), "t");
    aeDeleteEventLoop(loop);
    test_close_pair(pair);
}

static volatile sig_atomic_t signals;

static void wake_from_handler(int number) {
    AE_NOTUSED(number);
    signals++;
    if (aeWakeup(loop) != AE_OK) _exit(1);
}

static void a_signal_handler_wakes(void) {
    struct sigaction action;
    pid_t parent = getpid(), child;
    int seen;

    loop = new_loop();
    memset(&action, 0, sizeof(action));
    action.sa_handler = wake_from_handler;
    /* Restarted, so that the call alone would not end the sleep on every system. */
    action.sa_flags = SA_RESTART;
    CHECK(sigaction(SIGUSR2, &action, NULL) == 0);
    for (seen = 0; seen < 50; seen++) {
        child = fork();
        CHECK(child != -1);
        if (child == 0) {
            kill(parent, SIGUSR2);
            _exit(0);
        }
        while (signals <= seen) aeProcessEvents(loop, AE_ALL_EVENTS);
        test_reap(child);
    }
    aeDeleteEventLoop(loop);
}

/* ---- Posts ---- */

static void posts_run_in_order_and_once(void) {
    int numbers[100], i;

    loop = new_loop();
    ran = 0;
    for (i = 0; i < 100; i++) {
        numbers[i] = i;
        CHECK_KEEPS_ERRNO(aePost(loop, count, &numbers[i], count_drop), AE_OK);
    }
    CHECK_INT(ran, 0);
    aeProcessEvents(loop, AE_ALL_EVENTS);
    CHECK_INT(ran, 100);
    aeProcessEvents(loop, AE_ALL_EVENTS | AE_DONT_WAIT);
    CHECK_INT(ran, 100);
    aeDeleteEventLoop(loop);
    CHECK_INT(dropped, 0);
}

static void bad_posts_are_refused(void) {
    loop = new_loop();
    CHECK_FAILS(aePost(NULL, count, NULL, NULL), AE_ERR, EINVAL);
    CHECK_FAILS(aePost(loop, NULL, NULL, count_drop), AE_ERR, EINVAL);
    CHECK_FAILS(aeWakeup(NULL), AE_ERR, EINVAL);
    CHECK_FAILS(aeStopNow(NULL), AE_ERR, EINVAL);
    aeDeleteEventLoop(loop);
    CHECK_INT(dropped, 0);
}

static int posted[THREADS];

struct piece {
    int thread, number;
};

static void take_piece(aeEventLoop *el, void *data) {
    struct piece *piece = data;

    CHECK(el == loop);
    CHECK_INT(piece->number, posted[piece->thread]);
    posted[piece->thread]++;
    free(piece);
    if (++ran == THREADS * POSTS) aeStop(el);
}

static void *post_many(void *data) {
    int i;

    for (i = 0; i < POSTS; i++) {
        struct piece *piece = malloc(sizeof(*piece));

        piece->thread = (int)(intptr_t)data;
        piece->number = i;
        EXPECT(aePost(loop, take_piece, piece, NULL) == AE_OK);
    }
    return NULL;
}

static void each_threads_posts_keep_their_order(void) {
    pthread_t threads[THREADS];
    int i;

    loop = new_loop();
    ran = 0;
    for (i = 0; i < THREADS; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, post_many, (void *)(intptr_t)i), 0);
    aeMain(loop);
    for (i = 0; i < THREADS; i++) {
        end_thread(threads[i]);
        CHECK_INT(posted[i], POSTS);
    }
    aeDeleteEventLoop(loop);
}

static void post_again(aeEventLoop *el, void *data) {
    AE_NOTUSED(data);
    ran++;
    CHECK_INT(aePost(el, post_again, NULL, NULL), AE_OK);
}

static void a_post_that_posts_does_not_keep_others_waiting(void) {
    int pair[2], i;

    loop = new_loop();
    ran = 0;
    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(loop, pair[0], AE_READABLE, note_readable, NULL), AE_OK);
    CHECK_INT(aePost(loop, post_again, NULL, NULL), AE_OK);
    for (i = 1; i <= 5; i++) {
        aeProcessEvents(loop, AE_ALL_EVENTS | AE_DONT_WAIT);
        CHECK_INT(ran, i);
    }
    CHECK_TEXT(test_noted(), "rrrrr");
    aeDeleteEventLoop(loop);
    test_close_pair(pair);
}

static void run_inside(aeEventLoop *el, void *data) {
    test_note('(');
    while (ran == 0) aeProcessEvents(el, AE_ALL_EVENTS);
    test_note(')');
    AE_NOTUSED(data);
}

static void a_nested_run_goes_on_with_the_posts(void) {
    loop = new_loop();
    ran = 0;
    CHECK_INT(aePost(loop, run_inside, NULL, NULL), AE_OK);
    CHECK_INT(aePost(loop, note_post, "a", NULL), AE_OK);
    CHECK_INT(aePost(loop, count, NULL, NULL), AE_OK);
    CHECK_INT(aePost(loop, note_post, "b", NULL), AE_OK);
    aeProcessEvents(loop, AE_ALL_EVENTS);
    CHECK_TEXT(test_noted(), "(ab)");
    CHECK_INT(ran, 1);
    aeDeleteEventLoop(loop);
}

static void delete_loop(aeEventLoop *el, void *data) {
    AE_NOTUSED(data);
    aeDeleteEventLoop(el);
}

static void post_while_freed(aeEventLoop *el, void *data) {
    AE_NOTUSED(data);
    dropped++;
    CHECK_FAILS(aePost(el, count, NULL, count_drop), AE_ERR, ECANCELED);
}

static void what_a_freed_loop_has_not_run_is_dropped(void) {
    loop = new_loop();
    ran = 0;
    CHECK_INT(aePost(loop, count, NULL, count_drop), AE_OK);
    CHECK_INT(aePost(loop, delete_loop, NULL, count_drop), AE_OK);
    CHECK_INT(aePost(loop, count, NULL, count_drop), AE_OK);
    CHECK_INT(aePost(loop, count, NULL, NULL), AE_OK);
    CHECK_INT(aePost(loop, count, NULL, post_while_freed), AE_OK);
    aeMain(loop);
    CHECK_INT(ran, 1);
    CHECK_INT(dropped, 2);

    dropped = 0;
    loop = new_loop();
    CHECK_INT(aePost(loop, count, NULL, count_drop), AE_OK);
    aeDeleteEventLoop(loop);
    CHECK_INT(ran, 1);
    CHECK_INT(dropped, 1);
}

/* ---- Stopping at once ---- */

static int pairs[3][2];

static void stop_now_here(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(mask);
    AE_NOTUSED(data);
    test_drain(fd);
    test_note('s');
    CHECK_KEEPS_ERRNO(aeStopNow(el), AE_OK);
}

static void stop_now_leaves_the_rest_for_the_next_call(void) {
    int i;

    loop = new_loop();
    for (i = 0; i < 3; i++) {
        ready_pair(pairs[i]);
        CHECK_INT(aeCreateFileEvent(loop, pairs[i][0], AE_READABLE, stop_now_here, NULL), AE_OK);
    }
    CHECK(aeCreateTimeEvent(loop, 0, note_time, NULL, NULL) != AE_ERR);
    aeMain(loop);
    CHECK_TEXT(test_noted(), "s");
    aeProcessEvents(loop, AE_ALL_EVENTS | AE_DONT_WAIT);
    CHECK_TEXT(test_noted(), "s");
    aeMain(loop);
    CHECK_TEXT(test_noted(), "s");
    aeProcessEvents(loop, AE_ALL_EVENTS | AE_DONT_WAIT);
    CHECK_TEXT(test_noted(), "t");
    aeDeleteEventLoop(loop);
    for (i = 0; i < 3; i++) test_close_pair(pairs[i]);
}

static TIME_RESULT stop_in_time(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    test_note('S');
    CHECK_INT(aeStopNow(el), AE_OK);
    return AE_NOMORE;
}

static void stop_now_leaves_the_time_events_that_are_due(void) {
    loop = new_loop();
    CHECK(aeCreateTimeEvent(loop, 0, stop_in_time, NULL, NULL) != AE_ERR);
    CHECK(aeCreateTimeEvent(loop, 0, note_time, NULL, NULL) != AE_ERR);
    aeMain(loop);
    CHECK_TEXT(test_noted(), "S");
    aeProcessEvents(loop, AE_ALL_EVENTS | AE_DONT_WAIT);
    CHECK_TEXT(test_noted(), "t");
    aeDeleteEventLoop(loop);
}

static void run_and_stop(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(mask);
    AE_NOTUSED(data);
    test_drain(fd);
    CHECK_INT(aePost(el, count, NULL, NULL), AE_OK);
    test_note('(');
    CHECK_INT(aeStopNow(el), AE_OK);
    aeMain(el);
    test_note(')');
}

static void stop_now_ends_all_calls_inside(void) {
    loop = new_loop();
    ran = 0;
    ready_pair(pairs[0]);
    CHECK_INT(aeCreateFileEvent(loop, pairs[0][0], AE_READABLE, run_and_stop, NULL), AE_OK);
    aeMain(loop);
    CHECK_TEXT(test_noted(), "()");
    CHECK_INT(ran, 0);
    aeProcessEvents(loop, AE_ALL_EVENTS);
    CHECK_INT(ran, 1);
    aeDeleteEventLoop(loop);
    test_close_pair(pairs[0]);
}

static void stop_at_once(aeEventLoop *el, void *data) {
    AE_NOTUSED(data);
    CHECK_INT(aeStopNow(el), AE_OK);
}

static void posts_that_were_not_run_run_in_the_next_call(void) {
    loop = new_loop();
    ran = 0;
    CHECK_INT(aePost(loop, count, NULL, NULL), AE_OK);
    CHECK_INT(aePost(loop, stop_at_once, NULL, NULL), AE_OK);
    CHECK_INT(aePost(loop, count, NULL, NULL), AE_OK);
    aeMain(loop);
    CHECK_INT(ran, 1);
    CHECK_INT(aeGetTimeout(loop), 0);
    aeProcessEvents(loop, AE_ALL_EVENTS);
    CHECK_INT(ran, 2);
    aeDeleteEventLoop(loop);
}

static void note_and_stop(aeEventLoop *el, void *data) {
    note_post(el, data);
    CHECK_INT(aeStopNow(el), AE_OK);
}

static void posts_keep_their_order_over_many_stops(void) {
    loop = new_loop();
    CHECK_INT(aePost(loop, note_and_stop, "a", note_post), AE_OK);
    CHECK_INT(aePost(loop, note_and_stop, "b", note_post), AE_OK);
    CHECK_INT(aePost(loop, note_and_stop, "c", note_post), AE_OK);
    CHECK_INT(aePost(loop, note_post, "d", note_post), AE_OK);
    aeMain(loop);
    aeMain(loop);
    CHECK_INT(aePost(loop, note_post, "e", note_post), AE_OK);
    aeMain(loop);
    CHECK_TEXT(test_noted(), "abc");
    CHECK_INT(aePost(loop, note_post, "f", note_post), AE_OK);
    /* Nor is the order another when they are dropped. */
    aeDeleteEventLoop(loop);
    CHECK_TEXT(test_noted(), "def");
}

static void start_timer(aeEventLoop *el, void *data) {
    AE_NOTUSED(data);
    CHECK(aeCreateTimeEvent(el, 1, note_time, NULL, NULL) != AE_ERR);
}

/* It may have more to do because of it. */
static void a_loop_with_a_post_is_not_idle(void) {
    loop = new_loop();
    aeSetStopWhenIdle(loop, 1);
    CHECK_INT(aePost(loop, start_timer, NULL, NULL), AE_OK);
    aeMain(loop);
    CHECK_TEXT(test_noted(), "t");
    aeDeleteEventLoop(loop);
}

static void *stop_when_asleep(void *unused) {
    AE_NOTUSED(unused);
    test_sleep_us(20000);
    EXPECT(aeStopNow(loop) == AE_OK);
    return NULL;
}

static void another_thread_stops_a_sleeping_loop(void) {
    pthread_t thread;

    loop = new_loop();
    CHECK_INT(pthread_create(&thread, NULL, stop_when_asleep, NULL), 0);
    aeMain(loop);
    end_thread(thread);
    aeDeleteEventLoop(loop);
}

static void a_stop_that_comes_first_ends_the_next_call(void) {
    loop = new_loop();
    CHECK_INT(aeStopNow(loop), AE_OK);
    aeMain(loop);
    CHECK_INT(aePost(loop, stop, NULL, NULL), AE_OK);
    aeMain(loop);
    aeDeleteEventLoop(loop);
}

static void what_a_loop_opens_is_not_inherited(void) {
    int fd, before = test_open_fds(), first = test_unused_fd(), opened = 0;
    char path[64], kind[64] = "";

    loop = new_loop();
    CHECK_INT(aeWakeup(loop), AE_OK);
    for (fd = first; fd < first + 64; fd++) {
        if (!test_is_open(fd) || opened == test_open_fds() - before) continue;
        opened++;
        CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        CHECK(readlink(path, kind, sizeof(kind) - 1) > 0);
        /* A signal handler that wakes the loop never waits. */
        if (strstr(kind, "eventfd") != NULL) CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    }
    CHECK(opened > 0);
    aeDeleteEventLoop(loop);
}

static TIME_RESULT count_tick(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    return AE_NOMORE;
}

/* A post that nobody would be told of is refused. */
static void no_descriptor_for_the_waker_is_told(void) {
    struct rlimit before, limit;

    if (test_slow_tool()) SKIP("valgrind's limit of descriptors is its own");
    if (strcmp(aeGetApiName(), "epoll") != 0) SKIP("the others have their waker from the start");
    loop = new_loop();
    ran = 0;
    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    limit = before;
    limit.rlim_cur = (rlim_t)test_unused_fd();
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK_FAILS(aePost(loop, count, NULL, count_drop), AE_ERR, EMFILE);
    CHECK_FAILS(aeWakeup(loop), AE_ERR, EMFILE);
    CHECK_FAILS(aeStopNow(loop), AE_ERR, EMFILE);
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(aeCreateTimeEvent(loop, 0, count_tick, NULL, NULL) != AE_ERR);
    CHECK_INT(aeProcessEvents(loop, AE_ALL_EVENTS | AE_DONT_WAIT), 1); /* it is not stopped */
    CHECK_INT(ran, 0);
    CHECK_INT(aePost(loop, count, NULL, NULL), AE_OK);
    aeProcessEvents(loop, AE_ALL_EVENTS);
    CHECK_INT(ran, 1);
    aeDeleteEventLoop(loop);
}

/* The waker has a number above those that are watched, or any that is free where the limit leaves none there. */
static void the_waker_takes_what_number_there_is(void) {
    struct rlimit before, limit;
    int pair[2];

    if (test_slow_tool()) SKIP("valgrind's limit of descriptors is its own");
    if (strcmp(aeGetApiName(), "epoll") != 0) SKIP("the others have their waker from the start");
    loop = new_loop();
    ran = 0;
    test_pair(pair);
    CHECK(pair[0] < pair[1]);
    CHECK_INT(aeCreateFileEvent(loop, pair[1], AE_READABLE, note_readable, NULL), AE_OK);
    close(pair[0]);
    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    limit = before;
    limit.rlim_cur = (rlim_t)pair[1] + 1;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK_INT(aePost(loop, count, NULL, NULL), AE_OK);
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    while (ran == 0) CHECK(aeProcessEvents(loop, AE_ALL_EVENTS) >= 0);
    CHECK_INT(ran, 1);
    aeDeleteEventLoop(loop);
    close(pair[1]);
}

/* The backends that find out by themselves drop it, and nothing else. */
static void posts_come_after_a_descriptor_was_closed(void) {
    int pair[2];

    loop = new_loop();
    ran = 0;
    CHECK_INT(aeWakeup(loop), AE_OK); /* from here on it has its waker */
    test_pair(pair);
    CHECK_INT(aeCreateFileEvent(loop, pair[0], AE_READABLE, note_readable, NULL), AE_OK);
    test_close_pair(pair);
    aeProcessEvents(loop, AE_ALL_EVENTS | AE_DONT_WAIT);
    CHECK_INT(aePost(loop, count, NULL, NULL), AE_OK);
    aeProcessEvents(loop, AE_ALL_EVENTS | AE_DONT_WAIT);
    CHECK_INT(ran, 1);
    aeDeleteEventLoop(loop);
}

/* By a program that deletes an event after it has closed its descriptor, and then has the loop make its waker, which
 * would get the number. */
static void the_waker_takes_no_number_that_is_still_watched(void) {
    int pair[2], deletes;

    for (deletes = 0; deletes < 2; deletes++) {
        loop = new_loop();
        ran = 0;
        test_pair(pair);
        CHECK_INT(aeCreateFileEvent(loop, pair[0], AE_READABLE | AE_WRITABLE, note_readable, NULL), AE_OK);
        test_close_pair(pair);
        CHECK_INT(aePost(loop, count, NULL, NULL), AE_OK);
        if (deletes) aeDeleteFileEvent(loop, pair[0], AE_READABLE);
        aeProcessEvents(loop, AE_ALL_EVENTS | AE_DONT_WAIT);
        CHECK_INT(ran, 1);
        if (deletes) aeDeleteFileEvent(loop, pair[0], AE_WRITABLE);
        CHECK_INT(aePost(loop, count, NULL, NULL), AE_OK);
        aeProcessEvents(loop, AE_ALL_EVENTS | AE_DONT_WAIT);
        CHECK_INT(ran, 2);
        CHECK_TEXT(test_noted(), "");
        aeDeleteEventLoop(loop);
    }
}

TEST_MAIN(CASE(posts_come_after_a_descriptor_was_closed), CASE(the_waker_takes_no_number_that_is_still_watched),
          CASE(no_descriptor_for_the_waker_is_told), CASE(the_waker_takes_what_number_there_is),
          CASE(what_a_loop_opens_is_not_inherited), CASE(posts_keep_their_order_over_many_stops), CASE(a_loop_with_a_post_is_not_idle),
          CASE(a_sleeping_loop_wakes), CASE(many_wakeups_are_one), CASE(the_program_does_not_see_the_waker),
          CASE(the_waker_may_be_any_descriptor), CASE(a_waker_that_was_closed_keeps_no_loop_awake),
          CASE(a_signal_handler_wakes), CASE(posts_run_in_order_and_once), CASE(bad_posts_are_refused),
          CASE(each_threads_posts_keep_their_order), CASE(a_post_that_posts_does_not_keep_others_waiting),
          CASE(a_nested_run_goes_on_with_the_posts), CASE(what_a_freed_loop_has_not_run_is_dropped),
          CASE(stop_now_leaves_the_rest_for_the_next_call), CASE(stop_now_leaves_the_time_events_that_are_due),
          CASE(stop_now_ends_all_calls_inside), CASE(posts_that_were_not_run_run_in_the_next_call),
          CASE(another_thread_stops_a_sleeping_loop), CASE(a_stop_that_comes_first_ends_the_next_call))
