#include "bench.h"

#include <ev.h>

const char bench_name[] = "libev";
static struct ev_loop *loop;
static ev_io reads[BENCH_MAX_FD], write_watcher;
static ev_timer timers[BENCH_TIMERS];

static void readable(struct ev_loop *l, ev_io *io, int events) {
    (void)l, (void)events;
    bench_readable(io->fd);
}

static void writable(struct ev_loop *l, ev_io *io, int events) { (void)l, (void)io, (void)events; }
static void due(struct ev_loop *l, ev_timer *timer, int events) { (void)l, (void)timer, (void)events; }

void bench_init(void) { loop = ev_default_loop(EVBACKEND_EPOLL); }

void bench_watch(int fd) {
    ev_io_init(&reads[fd], readable, fd, EV_READ);
    ev_io_start(loop, &reads[fd]);
}

void bench_unwatch(int fd) { ev_io_stop(loop, &reads[fd]); }
void bench_iterate(int wait) { ev_run(loop, wait ? EVRUN_ONCE : EVRUN_NOWAIT); }

void bench_toggle(int fd, long pairs) {
    ev_io_init(&write_watcher, writable, fd, EV_WRITE);
    while (pairs--) {
        ev_io_start(loop, &write_watcher);
        ev_io_stop(loop, &write_watcher);
    }
}

void bench_timer_add(int index, int milliseconds) {
    ev_timer_init(&timers[index], due, milliseconds / 1000., 0);
    ev_timer_start(loop, &timers[index]);
}

void bench_timer_delete(int index) { ev_timer_stop(loop, &timers[index]); }
