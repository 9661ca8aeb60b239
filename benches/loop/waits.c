/* Ways to wait for a deadline that is not a whole number of milliseconds away, each without a library. */
#define _GNU_SOURCE
#include "bench.h"

#include <stdint.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

enum { WAIT_US = 300 };
static int epoll, timer;

static void wait_milliseconds(void) {
    struct epoll_event event;
    must(epoll_wait(epoll, &event, 1, 1) == 0, "epoll_wait");
}

static void wait_precisely(void) {
    struct epoll_event event;
    int64_t timeout[2] = {0, WAIT_US * 1000};
    must(syscall(SYS_epoll_pwait2, epoll, &event, 1, timeout, NULL, 0) == 0, "epoll_pwait2");
}

static void wait_for_timerfd(void) {
    struct epoll_event event;
    struct itimerspec deadline = {.it_value.tv_nsec = WAIT_US * 1000};
    uint64_t expired;
    must(timerfd_settime(timer, 0, &deadline, NULL) == 0, "timerfd_settime");
    must(epoll_wait(epoll, &event, 1, -1) == 1 && read(timer, &expired, sizeof(expired)) == sizeof(expired), "epoll_wait");
}

static void measure(const char *cost, const char *late, void (*wait)(void), long count) {
    double *lateness = room(count, sizeof(*lateness)), cpu = cpu_ns();
    for (long i = 0; i < count; i++) {
        double start = now_ns();
        wait();
        lateness[i] = (now_ns() - start) / 1000 - WAIT_US;
    }
    figure(cost, (cpu_ns() - cpu) / 1000 / count);
    figure(late, median(lateness, count));
}

void waits(const long *numbers, int given) {
    struct epoll_event event = {.events = EPOLLIN};
    long count = given ? numbers[0] : 500;
    epoll = epoll_create1(EPOLL_CLOEXEC);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    must(epoll >= 0 && timer >= 0, "a timer");
    measure("epoll_wait cpu us", "epoll_wait late us", wait_milliseconds, count);
    measure("epoll_pwait2 cpu us", "epoll_pwait2 late us", wait_precisely, count);
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event) == 0, "epoll_ctl");
    measure("timerfd cpu us", "timerfd late us", wait_for_timerfd, count);
}
