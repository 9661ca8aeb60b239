#include "bench.h"

#include <ae.h>

const char bench_name[] = "libae";
static aeEventLoop *loop;
static long long timers[BENCH_TIMERS];

static void readable(aeEventLoop *el, int fd, void *data, int mask) {
    (void)el, (void)data, (void)mask;
    bench_readable(fd);
}

static void writable(aeEventLoop *el, int fd, void *data, int mask) { (void)el, (void)fd, (void)data, (void)mask; }

static int due(aeEventLoop *el, long long id, void *data) {
    (void)el, (void)id, (void)data;
    return AE_NOMORE;
}

void bench_init(void) { loop = aeCreateEventLoop(BENCH_MAX_FD); }
void bench_watch(int fd) { aeCreateFileEvent(loop, fd, AE_READABLE, readable, 0); }
void bench_unwatch(int fd) { aeDeleteFileEvent(loop, fd, AE_READABLE); }
void bench_iterate(int wait) { aeProcessEvents(loop, AE_ALL_EVENTS | (wait ? 0 : AE_DONT_WAIT)); }

void bench_toggle(int fd, long pairs) {
    while (pairs--) {
        aeCreateFileEvent(loop, fd, AE_WRITABLE, writable, 0);
        aeDeleteFileEvent(loop, fd, AE_WRITABLE);
    }
}

void bench_timer_add(int index, int milliseconds) { timers[index] = aeCreateTimeEvent(loop, milliseconds, due, 0, 0); }
void bench_timer_delete(int index) { aeDeleteTimeEvent(loop, timers[index]); }
