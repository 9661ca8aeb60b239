/* No library: epoll and a table of descriptors. The limit of what a loop can reach. */
#define _GNU_SOURCE
#include "engine.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

const char engine_name[] = "epoll";

enum { EVENTS = 16384 };
static int epoll, wake_fd = -1;
static struct epoll_event events[EVENTS];

static void control(int operation, int fd, uint32_t interest) {
    struct epoll_event event = {.events = interest, .data.fd = fd};
    epoll_ctl(epoll, operation, fd, &event);
}

void engine_open(int setsize) {
    (void)setsize;
    epoll = epoll_create1(EPOLL_CLOEXEC);
}

void engine_close(void) { close(epoll); }
void engine_watch(int fd) { control(EPOLL_CTL_ADD, fd, EPOLLIN); }
void engine_unwatch(int fd) { control(EPOLL_CTL_DEL, fd, 0); }

void engine_iterate(int wait) {
    int count = epoll_wait(epoll, events, EVENTS, wait ? -1 : 0);
    for (int i = 0; i < count; i++) {
        uint64_t value;
        if (events[i].data.fd != wake_fd) {
            bench_readable(events[i].data.fd);
        } else if (read(wake_fd, &value, sizeof(value)) == sizeof(value)) {
            bench_woken();
        }
    }
}

void engine_toggle(int fd, long pairs) {
    while (pairs--) {
        control(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLOUT);
        control(EPOLL_CTL_MOD, fd, EPOLLIN);
    }
}

void engine_wake(void) {
    uint64_t one = 1;
    if (wake_fd < 0) {
        wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        control(EPOLL_CTL_ADD, wake_fd, EPOLLIN);
    }
    if (write(wake_fd, &one, sizeof(one)) != sizeof(one)) abort();
}
