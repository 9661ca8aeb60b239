/* A loop that another one waits for: with a single descriptor, which tells of time events, wake-ups and posts as well, or
 * with a time-out of its own. */
#include "ae_test.h"
#include "another_thread.h"

#include <dlfcn.h>
#include <libae.h>
#include <sys/timerfd.h>

static aeEventLoop *loop;
static int outer;

static int refused_timers;

int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *before) {
    int (*real)(int, int, const struct itimerspec *, struct itimerspec *);

    if (refused_timers > 0) {
        refused_timers--;
        errno = ENOMEM;
        return -1;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "timerfd_settime");
    return real(fd, flags, value, before);
}

/* Whether the outer loop would call the inner one now. */
static int is_ready(int patience) {
    struct pollfd one = {.fd = outer, .events = POLLIN};

    CHECK(poll(&one, 1, patience) >= 0);
    return one.revents & POLLIN;
}

static int process(void) { return aeProcessEvents(loop, AE_ALL_EVENTS | AE_DONT_WAIT); }

/* Processes what there is until the descriptor is quiet: soon, since it is not always readable. */
static void settle(void) {
    int i;

    for (i = 0; is_ready(0); i++) {
        CHECK(i < 10);
        process();
    }
}

static void begin(void) {
    loop = new_loop();
    outer = aeGetBackendFd(loop);
    CHECK(outer >= 0);
    CHECK_INT(aeGetBackendFd(loop), outer);
    CHECK(!is_ready(0));
}

static void end(void) {
    aeDeleteEventLoop(loop);
    CHECK(!test_is_open(outer));
}

static TIME_RESULT note_time(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    test_note(data == NULL ? 't' : *(const char *)data);
    return AE_NOMORE;
}

static TIME_RESULT note_again(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    test_note('a');
    return 20;
}

static void note_final(aeEventLoop *el, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(data);
    test_note('f');
}

static void note_post(aeEventLoop *el, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(data);
    test_note('p');
}

static void it_tells_of_file_events(void) {
    int pair[2], late[2];

    begin();
    ready_pair(pair);
    ready_pair(late);
    CHECK_INT(aeCreateFileEvent(loop, pair[0], AE_READABLE, note_readable, NULL), AE_OK);
    CHECK(is_ready(0));
    CHECK_INT(process(), 1);
    CHECK(is_ready(0));
    test_drain(pair[0]);
    settle();
    CHECK_INT(aeCreateFileEvent(loop, late[0], AE_WRITABLE, note_writable, NULL), AE_OK);
    CHECK(is_ready(0));
    aeDeleteFileEvent(loop, late[0], AE_WRITABLE);
    CHECK(!is_ready(0));
    CHECK_TEXT(test_noted(), "r");
    end();
    test_close_pair(pair);
    test_close_pair(late);
}

static void events_that_were_there_before_count(void) {
    int pair[2];

    loop = new_loop();
    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(loop, pair[0], AE_READABLE, note_readable, NULL), AE_OK);
    CHECK(aeCreateTimeEvent(loop, 0, note_time, NULL, NULL) != AE_ERR);
    outer = aeGetBackendFd(loop);
    CHECK(is_ready(0));
    process();
    test_drain(pair[0]);
    settle();
    CHECK_TEXT(test_noted(), "rt");
    end();
    test_close_pair(pair);
}

static void it_tells_of_time_events(void) {
    long long id;

    begin();
    CHECK(aeCreateTimeEvent(loop, 10, note_time, NULL, NULL) != AE_ERR);
    CHECK(is_ready(TEST_PATIENCE_MS));
    while (process() == 0) CHECK(is_ready(TEST_PATIENCE_MS));
    CHECK_TEXT(test_noted(), "t");
    settle();

    /* The one that is created later, and is due earlier. */
    CHECK(aeCreateTimeEvent(loop, 3600000, note_time, "l", NULL) != AE_ERR);
    CHECK(!is_ready(0));
    id = aeCreateTimeEvent(loop, 5, note_time, "e", NULL);
    CHECK(id != AE_ERR);
    while (process() == 0) CHECK(is_ready(TEST_PATIENCE_MS));
    CHECK_TEXT(test_noted(), "e");
    settle();

    /* One that is deleted is not waited for, one that is moved is. */
    id = aeCreateTimeEvent(loop, 3600000, note_time, "m", NULL);
    CHECK(id != AE_ERR);
    CHECK(!is_ready(0));
    CHECK_INT(aeResetTimeEvent(loop, id, 0), AE_OK);
    CHECK(is_ready(TEST_PATIENCE_MS));
    process();
    CHECK_TEXT(test_noted(), "m");
    settle();
    end();
}

static void it_tells_of_time_events_that_run_again(void) {
    int i;

    begin();
    CHECK(aeCreateTimeEvent(loop, 0, note_again, NULL, NULL) != AE_ERR);
    for (i = 0; i < 3; i++) {
        CHECK(is_ready(TEST_PATIENCE_MS));
        while (process() == 0) CHECK(is_ready(TEST_PATIENCE_MS));
        CHECK_TEXT(test_noted(), "a");
    }
    end();
}

static void it_tells_of_finalizers(void) {
    long long id;

    begin();
    id = aeCreateTimeEvent(loop, 3600000, note_time, NULL, note_final);
    CHECK(!is_ready(0));
    CHECK_INT(aeDeleteTimeEvent(loop, id), AE_OK);
    CHECK(is_ready(TEST_PATIENCE_MS));
    process();
    CHECK_TEXT(test_noted(), "f");
    settle();
    end();
}

static void create_there(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(mask);
    test_drain(fd);
    CHECK(aeCreateTimeEvent(el, 0, note_time, data, NULL) != AE_ERR);
}

static void it_tells_of_what_callbacks_create(void) {
    int pair[2];

    begin();
    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(loop, pair[0], AE_READABLE, create_there, "c"), AE_OK);
    CHECK(is_ready(0));
    /* The file event alone: the time event waits. */
    CHECK_INT(poll_once(loop), 1);
    CHECK_TEXT(test_noted(), "");
    CHECK(is_ready(TEST_PATIENCE_MS));
    process();
    CHECK_TEXT(test_noted(), "c");
    settle();
    end();
    test_close_pair(pair);
}

static void *wake_and_post(void *data) {
    EXPECT(aeWakeup(loop) == AE_OK);
    EXPECT(data != NULL || aePost(loop, note_post, NULL, NULL) == AE_OK);
    return NULL;
}

static void it_tells_of_wakeups_and_posts(void) {
    pthread_t thread;

    begin();
    CHECK_INT(aeWakeup(loop), AE_OK);
    CHECK(is_ready(0));
    settle();
    CHECK_INT(pthread_create(&thread, NULL, wake_and_post, NULL), 0);
    while (strchr(test_log, 'p') == NULL) {
        CHECK(is_ready(TEST_PATIENCE_MS));
        process();
    }
    end_thread(thread);
    settle();
    CHECK_TEXT(test_noted(), "p");
    end();
}

/* One loop inside another of the same kind. */
static void run_inner(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(mask);
    CHECK_INT(fd, outer);
    aeProcessEvents(data, AE_ALL_EVENTS | AE_DONT_WAIT);
    if (strlen(test_log) >= 3) aeStop(el);
}

static void a_loop_runs_inside_another(void) {
    aeEventLoop *other;

    begin();
    other = new_loop();
    CHECK_INT(aeCreateFileEvent(other, outer, AE_READABLE, run_inner, loop), AE_OK);
    CHECK(aeCreateTimeEvent(loop, 1, note_again, NULL, NULL) != AE_ERR);
    aeMain(other);
    CHECK_TEXT(test_noted(), "aaa");
    aeDeleteEventLoop(other);
    end();
}

static void it_may_also_run_by_itself(void) {
    static const char more[] = "x";

    begin();
    CHECK(aeCreateTimeEvent(loop, 5, note_time, NULL, NULL) != AE_ERR);
    while (test_log[0] == '\0') CHECK(aeProcessEvents(loop, AE_ALL_EVENTS) >= 0);
    settle();
    CHECK(aeCreateTimeEvent(loop, 5, note_time, (void *)more, NULL) != AE_ERR);
    CHECK(is_ready(TEST_PATIENCE_MS));
    while (strlen(test_log) < 2) CHECK(aeProcessEvents(loop, AE_ALL_EVENTS) >= 0);
    CHECK_TEXT(test_noted(), "tx");
    settle();
    end();
}

static void time_outs_are_rounded_up(void) {
    long long timeout, id;

    loop = new_loop();
    CHECK_INT(aeGetTimeout(loop), -1);
    id = aeCreateTimeEvent(loop, 3600000, note_time, NULL, NULL);
    timeout = aeGetTimeout(loop);
    CHECK(timeout > 3000000 && timeout <= 3600000);
    CHECK_INT(aeDeleteTimeEvent(loop, id), AE_OK);
    CHECK_INT(aeGetTimeout(loop), -1);
    CHECK(aeCreateTimeEvent(loop, 3, note_time, NULL, NULL) != AE_ERR);
    /* Who sleeps as long as it says comes in time. */
    while ((timeout = aeGetTimeout(loop)) > 0) test_sleep_us(timeout * 1000);
    CHECK_INT(timeout, 0);
    CHECK_INT(process(), 1);
    CHECK_TEXT(test_noted(), "t");
    aeSetDontWait(loop, 1);
    CHECK_INT(aeGetTimeout(loop), 0);
    aeSetDontWait(loop, 0);
    CHECK_INT(aeGetTimeout(loop), -1);
    CHECK_FAILS(aeGetTimeout(NULL), -1, EINVAL);
    CHECK_FAILS(aeGetBackendFd(NULL), AE_ERR, EINVAL);
    aeDeleteEventLoop(loop);
}

static void the_loop_keeps_a_pointer(void) {
    int here;

    loop = new_loop();
    CHECK_NULL(aeGetLoopData(loop));
    aeSetLoopData(loop, &here);
    CHECK(aeGetLoopData(loop) == &here);
    aeSetLoopData(loop, NULL);
    CHECK_NULL(aeGetLoopData(loop));
    aeSetLoopData(NULL, &here);
    CHECK_NULL(aeGetLoopData(NULL));
    aeDeleteEventLoop(loop);
}

static void it_tells_of_either_that_is_watched(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    ready_pair(pair);
    test_fill(pair[0]);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE | AE_WRITABLE, note_any, NULL), AE_OK);
    test_await(aeGetBackendFd(el), POLLIN);
    CHECK_INT(poll_once(el), 1);
    aeDeleteEventLoop(el);
    test_close_pair(pair);
}

static void it_tells_of_what_was_writable_before(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    test_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_WRITABLE, note_writable, NULL), AE_OK);
    test_await(aeGetBackendFd(el), POLLIN);
    CHECK_INT(poll_once(el), 1);
    aeDeleteEventLoop(el);
    test_close_pair(pair);
}

/* The file events had their turn alone: the time event still waits, and the descriptor says so. */
static void it_goes_on_telling_of_a_time_event_that_waits(void) {
    int quiet[2];

    begin();
    test_pair(quiet);
    CHECK_INT(aeCreateFileEvent(loop, quiet[0], AE_READABLE, note_readable, NULL), AE_OK);
    CHECK(aeCreateTimeEvent(loop, 0, note_time, NULL, NULL) != AE_ERR);
    CHECK(is_ready(TEST_PATIENCE_MS));
    poll_once(loop);
    CHECK_TEXT(test_noted(), "");
    CHECK(is_ready(TEST_PATIENCE_MS));
    while (process() == 0) CHECK(is_ready(TEST_PATIENCE_MS));
    CHECK_TEXT(test_noted(), "t");
    settle();
    end();
    test_close_pair(quiet);
}

static int waits, slow[2];

static void *send_when_asleep(void *data) {
    test_sleep_us(20000);
    test_send(slow[1], "x");
    return data;
}

static TIME_RESULT wait_inside(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    for (; test_log[0] == '\0'; waits++) CHECK(aeProcessEvents(el, AE_FILE_EVENTS) >= 0);
    return AE_NOMORE;
}

/* What told of the time event does not keep the calls awake that its callback makes. */
static void a_callback_may_wait(void) {
    pthread_t thread;

    begin();
    test_pair(slow);
    CHECK_INT(aeCreateFileEvent(loop, slow[0], AE_READABLE, note_readable, NULL), AE_OK);
    CHECK(aeCreateTimeEvent(loop, 0, wait_inside, NULL, NULL) != AE_ERR);
    CHECK(is_ready(TEST_PATIENCE_MS));
    CHECK_INT(pthread_create(&thread, NULL, send_when_asleep, NULL), 0);
    while (test_log[0] == '\0') process();
    end_thread(thread);
    CHECK_TEXT(test_noted(), "r");
    if (waits > 3) FAIL("%d waits for one event", waits);
    end();
    test_close_pair(slow);
}

/* The timer of the loop, of which only the kernel tells. */
static int timer_of_the_loop(void) {
    char path[64], kind[64];
    int fd;

    for (fd = 0; fd < SET_SIZE; fd++) {
        ssize_t length;

        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        length = readlink(path, kind, sizeof(kind) - 1);
        if (length <= 0) continue;
        kind[length] = '\0';
        if (strstr(kind, "timerfd") != NULL) return fd;
    }
    SKIP("the loop has no timer here");
}

/* Neither early, which would keep the outer loop awake, nor late. */
static void it_tells_in_time(void) {
    struct itimerspec left;
    long long before, after, us;

    begin();
    before = test_now_us();
    CHECK(aeCreateTimeEvent(loop, 10000, note_time, NULL, NULL) != AE_ERR);
    CHECK(timerfd_gettime(timer_of_the_loop(), &left) == 0);
    after = test_now_us();
    us = (long long)left.it_value.tv_sec * 1000000 + left.it_value.tv_nsec / 1000;
    if (after + us < before + 10000000 - 1000 || before + us > after + 10000000 + 1000)
        FAIL("%lld us left of ten seconds, after %lld", us, after - before);
    end();
}

static void it_does_not_tell_of_what_is_not_watched(void) {
    int pair[2];

    loop = new_loop();
    ready_pair(pair);
    test_fill(pair[0]);
    CHECK_INT(aeCreateFileEvent(loop, pair[0], AE_WRITABLE, note_writable, NULL), AE_OK);
    outer = aeGetBackendFd(loop);
    CHECK(!is_ready(0));
    end();
    test_close_pair(pair);
}

/* By a program that deletes an event after it has closed its descriptor, whose number the loop would take. */
static void the_timer_takes_no_number_that_is_still_watched(void) {
    int pair[2];

    loop = new_loop();
    test_pair(pair);
    CHECK_INT(aeCreateFileEvent(loop, pair[0], AE_READABLE | AE_WRITABLE, note_readable, NULL), AE_OK);
    test_close_pair(pair);
    outer = aeGetBackendFd(loop);
    CHECK(outer >= 0);
    aeDeleteFileEvent(loop, pair[0], AE_READABLE | AE_WRITABLE);
    CHECK(aeCreateTimeEvent(loop, 1, note_time, NULL, NULL) != AE_ERR);
    CHECK(is_ready(TEST_PATIENCE_MS));
    CHECK_INT(process(), 1);
    CHECK_TEXT(test_noted(), "t");
    end();
}

/* In a program without standard input. */
static void the_timer_may_be_descriptor_0(void) {
    int input = fcntl(0, F_DUPFD_CLOEXEC, 0);

    CHECK(input != -1);
    loop = new_loop();
    close(0);
    outer = aeGetBackendFd(loop);
    CHECK(outer >= 0);
    CHECK(aeCreateTimeEvent(loop, 1, note_time, NULL, NULL) != AE_ERR);
    CHECK(is_ready(TEST_PATIENCE_MS));
    CHECK_INT(process(), 1);
    CHECK_TEXT(test_noted(), "t");
    end();
    CHECK(!test_is_open(0));
    CHECK_INT(dup2(input, 0), 0);
    close(input);
}

/* The next change sets it. */
static void a_timer_that_the_system_refuses_is_set_later(void) {
    if (strcmp(aeGetApiName(), "kqueue") == 0) SKIP("its timers are its own");
    begin();
    refused_timers = 1;
    CHECK(aeCreateTimeEvent(loop, 1, note_time, NULL, NULL) != AE_ERR);
    CHECK_INT(refused_timers, 0);
    CHECK(aeCreateTimeEvent(loop, TEST_PATIENCE_MS, note_time, NULL, NULL) != AE_ERR);
    CHECK(is_ready(TEST_PATIENCE_MS));
    CHECK_INT(process(), 1);
    CHECK_TEXT(test_noted(), "t");
    end();
}

TEST_MAIN(CASE(a_timer_that_the_system_refuses_is_set_later), CASE(the_timer_may_be_descriptor_0),
          CASE(the_timer_takes_no_number_that_is_still_watched),
          CASE(it_does_not_tell_of_what_is_not_watched),
          CASE(it_goes_on_telling_of_a_time_event_that_waits), CASE(a_callback_may_wait), CASE(it_tells_in_time),
          CASE(it_tells_of_either_that_is_watched), CASE(it_tells_of_what_was_writable_before),
          CASE(it_tells_of_file_events), CASE(events_that_were_there_before_count), CASE(it_tells_of_time_events),
          CASE(it_tells_of_time_events_that_run_again), CASE(it_tells_of_finalizers),
          CASE(it_tells_of_what_callbacks_create), CASE(it_tells_of_wakeups_and_posts),
          CASE(a_loop_runs_inside_another), CASE(it_may_also_run_by_itself), CASE(time_outs_are_rounded_up),
          CASE(the_loop_keeps_a_pointer))
