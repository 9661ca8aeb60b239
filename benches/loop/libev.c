#include "engine.h"

#include <ev.h>
#include <stdlib.h>

const char engine_name[] = "libev";

static struct ev_loop *loop;
static ev_io reads[BENCH_MAX_FD], write_watcher;
static ev_timer *timers;
static ev_async wake;
static int waking;

static void readable(struct ev_loop *l, ev_io *io, int events) {
    (void)l, (void)events;
    bench_readable(io->fd);
}

static void writable(struct ev_loop *l, ev_io *io, int events) { (void)l, (void)io, (void)events; }

static void due(struct ev_loop *l, ev_timer *timer, int events) {
    (void)l, (void)events;
    bench_due((int)(timer - timers));
}

static void woken(struct ev_loop *l, ev_async *async, int events) {
    (void)l, (void)async, (void)events;
    bench_woken();
}

void engine_open(int setsize) {
    (void)setsize;
    loop = ev_loop_new(EVBACKEND_EPOLL);
}

void engine_close(void) { ev_loop_destroy(loop); }

void engine_watch(int fd) {
    ev_io_init(&reads[fd], readable, fd, EV_READ);
    ev_io_start(loop, &reads[fd]);
}

void engine_unwatch(int fd) { ev_io_stop(loop, &reads[fd]); }
void engine_iterate(int wait) { ev_run(loop, wait ? EVRUN_ONCE : EVRUN_NOWAIT); }

void engine_toggle(int fd, long pairs) {
    ev_io_init(&write_watcher, writable, fd, EV_WRITE);
    while (pairs--) {
        ev_io_start(loop, &write_watcher);
        ev_io_stop(loop, &write_watcher);
    }
}

void engine_timer_room(int count) { timers = calloc(count, sizeof(*timers)); }

void engine_timer_add(int index, int milliseconds) {
    ev_timer_init(&timers[index], due, milliseconds / 1000., 0);
    ev_timer_start(loop, &timers[index]);
}

void engine_timer_delete(int index) { ev_timer_stop(loop, &timers[index]); }

void engine_timer_again(int index, int milliseconds) {
    timers[index].repeat = milliseconds / 1000.;
    ev_timer_again(loop, &timers[index]);
}

void engine_wake(void) {
    if (!waking) {
        ev_async_init(&wake, woken);
        ev_async_start(loop, &wake);
        waking = 1;
    }
    ev_async_send(loop, &wake);
}
