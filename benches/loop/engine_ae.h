/* The engine for an ae.h, whoever's it is: libae's and stock's adapters are this file, compiled with different headers. */
#include "engine.h"

#include <ae.h>
#include <anet.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static aeEventLoop *loop;
static long long *ids;
static int wake_fd = -1;

static void readable(aeEventLoop *el, int fd, void *data, int mask) {
    (void)el, (void)data, (void)mask;
    bench_readable(fd);
}

static void writable(aeEventLoop *el, int fd, void *data, int mask) { (void)el, (void)fd, (void)data, (void)mask; }

static void woken(aeEventLoop *el, int fd, void *data, int mask) {
    uint64_t count;
    (void)el, (void)data, (void)mask;
    if (read(fd, &count, sizeof(count)) == sizeof(count)) bench_woken();
}

static int due(aeEventLoop *el, long long id, void *data) {
    (void)el, (void)id;
    bench_due((int)(intptr_t)data);
    return AE_NOMORE;
}

void engine_open(int setsize) { loop = aeCreateEventLoop(setsize); }
void engine_close(void) { aeDeleteEventLoop(loop); }
void engine_watch(int fd) { aeCreateFileEvent(loop, fd, AE_READABLE, readable, 0); }
void engine_unwatch(int fd) { aeDeleteFileEvent(loop, fd, AE_READABLE); }
void engine_iterate(int wait) { aeProcessEvents(loop, AE_ALL_EVENTS | (wait ? 0 : AE_DONT_WAIT)); }

void engine_toggle(int fd, long pairs) {
    while (pairs--) {
        aeCreateFileEvent(loop, fd, AE_WRITABLE, writable, 0);
        aeDeleteFileEvent(loop, fd, AE_WRITABLE);
    }
}

int engine_accept(int listener) {
    char ip[46];
    int port;
    return anetTcpAccept(NULL, listener, ip, sizeof(ip), &port);
}

void engine_timer_room(int count) { ids = calloc(count, sizeof(*ids)); }

void engine_timer_add(int index, int milliseconds) {
    ids[index] = aeCreateTimeEvent(loop, milliseconds, due, (void *)(intptr_t)index, 0);
}

void engine_timer_delete(int index) { aeDeleteTimeEvent(loop, ids[index]); }

void engine_timer_again(int index, int milliseconds) {
    engine_timer_delete(index);
    engine_timer_add(index, milliseconds);
}

void engine_wake(void) {
    uint64_t one = 1;
    if (wake_fd < 0) {
        wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        aeCreateFileEvent(loop, wake_fd, AE_READABLE, woken, 0);
    }
    if (write(wake_fd, &one, sizeof(one)) != sizeof(one)) abort();
}
