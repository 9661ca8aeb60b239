/* Choosing a backend, and aeWait, which needs no loop. */
#include "test.h"

#include <ae.h>
#include <anet.h>
#include <libae.h>

static const char *backend(size_t index) {
    const char *const backends[] = {test_poller(), "poll", "select"};

    return backends[index];
}

static int calls;

static void on_readable(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(el);
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    calls += test_drain(fd);
}

static void expect_works(aeEventLoop *el) {
    int pair[2];

    calls = 0;
    CHECK(el != NULL);
    test_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_readable, NULL), AE_OK);
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS | AE_DONT_WAIT), 0);
    test_send(pair[1], "hello");
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 1);
    CHECK_INT(calls, 5);
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

/* ---- Names ---- */

static void name_is_the_one_asked_for(void) {
    const char *wanted = getenv("LIBAE_BACKEND");
    aeEventLoop *el = aeCreateEventLoop(64);

    CHECK(el != NULL);
    CHECK_TEXT(aeGetApiName(), wanted != NULL ? wanted : test_poller());
    CHECK_TEXT(aeGetLoopApiName(el), aeGetApiName());
    expect_works(el);
}

static void each_backend_can_be_named(void) {
    size_t i;

    for (i = 0; i < 3; i++) {
        aeEventLoop *el;

        CHECK_KEEPS_ERRNO((el = aeCreateEventLoopWithBackend(64, backend(i))) != NULL, 1);
        CHECK_TEXT(aeGetLoopApiName(el), backend(i));
        expect_works(el);
    }
}

static void no_name_is_the_default(void) {
    aeEventLoop *el = aeCreateEventLoopWithBackend(64, NULL);

    CHECK(el != NULL);
    CHECK_TEXT(aeGetLoopApiName(el), aeGetApiName());
    expect_works(el);
}

static void backends_live_side_by_side(void) {
    aeEventLoop *loops[3];
    int i;

    for (i = 0; i < 3; i++) loops[i] = aeCreateEventLoopWithBackend(64, backend(i));
    for (i = 0; i < 3; i++) CHECK_TEXT(aeGetLoopApiName(loops[i]), backend(i));
    for (i = 2; i >= 0; i--) expect_works(loops[i]);
}

static void unknown_name_is_einval(void) {
    CHECK_FAILS_NULL(aeCreateEventLoopWithBackend(64, "windmill"), EINVAL);
    CHECK_FAILS_NULL(aeCreateEventLoopWithBackend(64, ""), EINVAL);
    CHECK_FAILS_NULL(aeCreateEventLoopWithBackend(64, "epoll "), EINVAL);
    CHECK_FAILS_NULL(aeCreateEventLoopWithBackend(64, "epol"), EINVAL);
    CHECK_FAILS_NULL(aeCreateEventLoopWithBackend(0, "poll"), EINVAL);
    CHECK_FAILS_NULL(aeGetLoopApiName(NULL), EINVAL);
}

static void environment_picks_the_backend(void) {
    aeEventLoop *el;

    CHECK(setenv("LIBAE_BACKEND", "poll", 1) == 0);
    CHECK_TEXT(aeGetApiName(), "poll");
    el = aeCreateEventLoop(64);
    CHECK(el != NULL);
    CHECK_TEXT(aeGetLoopApiName(el), "poll");
    expect_works(el);
}

/* As scripts set it that have nothing to say. */
static void an_empty_name_in_the_environment_is_none(void) {
    const char *by_default;
    aeEventLoop *el;

    CHECK(unsetenv("LIBAE_BACKEND") == 0);
    by_default = aeGetApiName();
    CHECK(setenv("LIBAE_BACKEND", "", 1) == 0);
    CHECK_TEXT(aeGetApiName(), by_default);
    el = aeCreateEventLoop(64);
    CHECK(el != NULL);
    expect_works(el);
}

static void unknown_name_in_the_environment_is_einval(void) {
    CHECK(setenv("LIBAE_BACKEND", "windmill", 1) == 0);
    CHECK_FAILS_NULL(aeCreateEventLoop(64), EINVAL);
    CHECK_FAILS_NULL(aeCreateEventLoopWithBackend(64, NULL), EINVAL);
    expect_works(aeCreateEventLoopWithBackend(64, "poll")); /* a name in the call comes first */
}

/* A child that runs another program does not get the loop's own descriptors: its epoll instance, or with poll and select
 * its waker; and what tells an outer loop of time events. */
static void an_exec_closes_what_the_loop_has_opened(void) {
    int before = test_open_fds(), fd, own = 0;
    aeEventLoop *el = aeCreateEventLoop(64);

    CHECK(el != NULL);
    CHECK(aeGetBackendFd(el) >= 0);
    for (fd = 3; fd < 64; fd++) {
        char path[32], target[64] = "";

        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        if (readlink(path, target, sizeof(target) - 1) <= 0) continue;
        if (strstr(target, "[event") == NULL && strstr(target, "[timerfd") == NULL) continue;
        CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        own++;
    }
    CHECK_INT(own, test_open_fds() - before);
    aeDeleteEventLoop(el);
}

/* ---- aeWait ---- */

static void wait_tells_what_is_ready(void) {
    int pair[2];

    test_pair(pair);
    CHECK_INT(aeWait(pair[0], AE_READABLE, 0), 0);
    CHECK_KEEPS_ERRNO(aeWait(pair[0], AE_READABLE, 5), 0);
    CHECK_INT(aeWait(pair[0], AE_WRITABLE, 1000), AE_WRITABLE);
    CHECK_INT(aeWait(pair[0], AE_READABLE | AE_WRITABLE, 1000), AE_WRITABLE);
    test_send(pair[1], "x");
    CHECK_INT(aeWait(pair[0], AE_READABLE, -1), AE_READABLE);
    CHECK_KEEPS_ERRNO(aeWait(pair[0], AE_READABLE | AE_WRITABLE, 1000), AE_READABLE | AE_WRITABLE);
    test_fill(pair[0]);
    CHECK_INT(aeWait(pair[0], AE_READABLE | AE_WRITABLE, 1000), AE_READABLE);
    CHECK_INT(aeWait(pair[0], AE_WRITABLE, 0), 0); /* what it is not asked about is no answer */
    CHECK_FAILS(aeWait(pair[0], AE_READABLE | 16, 0), -1, EINVAL); /* nor is it asked about what there is not */
    test_close_pair(pair);
}

static void wait_is_never_short(void) {
    int pair[2];
    long long before = test_now_us();

    test_pair(pair);
    CHECK_INT(aeWait(pair[0], AE_READABLE, 15), 0);
    CHECK(test_now_us() - before >= 15000);
    test_close_pair(pair);
}

static void wait_longer_than_an_int_holds(void) {
    int pair[2];

    test_pair(pair);
    CHECK_INT(aeWait(pair[0], AE_WRITABLE, LLONG_MAX), AE_WRITABLE);
    CHECK_INT(aeWait(pair[0], AE_WRITABLE, 1LL << 32), AE_WRITABLE);
    test_close_pair(pair);
}

static void wait_takes_hangup_and_error_for_writable(void) {
    int ended[2], broken[2];

    test_pipe(ended);
    test_pipe(broken);
    close(ended[1]);
    close(broken[0]);
    CHECK_INT(aeWait(ended[0], AE_READABLE, 1000), AE_WRITABLE);
    CHECK(aeWait(broken[1], AE_READABLE, 1000) & AE_WRITABLE);
    close(ended[0]);
    close(broken[1]);
}

static void wait_works_beyond_the_limit_of_select(void) {
    int pair[2], high;

    test_pair(pair);
    high = fcntl(pair[0], F_DUPFD_CLOEXEC, 1500);
    if (high == -1) {
        test_close_pair(pair);
        SKIP("descriptors are limited to fewer than 1500");
    }
    CHECK_INT(aeWait(high, AE_READABLE | AE_WRITABLE, 1000), AE_WRITABLE);
    close(high);
    test_close_pair(pair);
}

/* Departs from upstream: it sleeps through the time for -1, and takes a closed descriptor for silence. */
static void wait_for_a_bad_descriptor_is_ebadf(void) {
    CHECK_FAILS(aeWait(-1, AE_READABLE, 0), -1, EBADF);
    CHECK_FAILS(aeWait(test_unused_fd(), AE_READABLE, 1000), -1, EBADF);
}

static void wait_is_interrupted_by_a_signal(void) {
    int pair[2];
    pid_t signals;

    test_pair(pair);
    signals = test_start_signals();
    CHECK_FAILS(aeWait(pair[0], AE_READABLE, -1), -1, EINTR);
    test_stop_signals(signals);
    test_close_pair(pair);
}

/* A program that has closed its standard input gets that number for what it opens next. */
static void descriptor_0_is_one_like_others(void) {
    int before = fcntl(0, F_DUPFD_CLOEXEC, 3), pair[2];
    char byte[1];

    CHECK(before != -1);
    test_pair(pair);
    test_send(pair[1], "x");
    CHECK(dup2(pair[0], 0) == 0);
    CHECK_INT(aeWait(0, AE_READABLE, 0), AE_READABLE);
    CHECK_INT(anetRead(0, byte, 1), 1);
    CHECK(dup2(before, 0) == 0);
    close(before);
    test_close_pair(pair);
}

TEST_MAIN(CASE(descriptor_0_is_one_like_others),
          CASE(name_is_the_one_asked_for), CASE(each_backend_can_be_named), CASE(no_name_is_the_default),
          CASE(an_exec_closes_what_the_loop_has_opened),
          CASE(backends_live_side_by_side), CASE(unknown_name_is_einval), CASE(environment_picks_the_backend),
          CASE(unknown_name_in_the_environment_is_einval), CASE(an_empty_name_in_the_environment_is_none),
          CASE(wait_tells_what_is_ready),
          CASE(wait_is_never_short), CASE(wait_longer_than_an_int_holds),
          CASE(wait_takes_hangup_and_error_for_writable), CASE(wait_works_beyond_the_limit_of_select),
          CASE(wait_for_a_bad_descriptor_is_ebadf), CASE(wait_is_interrupted_by_a_signal))
