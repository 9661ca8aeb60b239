#include "bench.h"

#include <event2/event.h>

const char bench_name[] = "libevent";
static struct event_base *base;
static struct event *reads[BENCH_MAX_FD], *timers[BENCH_TIMERS];

static void readable(evutil_socket_t fd, short events, void *data) {
    (void)events, (void)data;
    bench_readable(fd);
}

static void ignored(evutil_socket_t fd, short events, void *data) { (void)fd, (void)events, (void)data; }

void bench_init(void) {
    base = event_base_new();
    for (int i = 0; i < BENCH_TIMERS; i++) timers[i] = evtimer_new(base, ignored, 0);
}

void bench_watch(int fd) {
    reads[fd] = event_new(base, fd, EV_READ | EV_PERSIST, readable, 0);
    event_add(reads[fd], 0);
}

void bench_unwatch(int fd) { event_free(reads[fd]); }
void bench_iterate(int wait) { event_base_loop(base, EVLOOP_ONCE | (wait ? 0 : EVLOOP_NONBLOCK)); }

void bench_toggle(int fd, long pairs) {
    struct event *writable = event_new(base, fd, EV_WRITE | EV_PERSIST, ignored, 0);
    while (pairs--) {
        event_add(writable, 0);
        event_del(writable);
    }
    event_free(writable);
}

void bench_timer_add(int index, int milliseconds) {
    struct timeval after = {milliseconds / 1000, milliseconds % 1000 * 1000};
    event_add(timers[index], &after);
}

void bench_timer_delete(int index) { event_del(timers[index]); }
