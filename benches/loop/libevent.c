#include "engine.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

const char engine_name[] = "libevent";

static struct event_base *base;
static struct event *reads[BENCH_MAX_FD], **timers, *wake;
static int wake_fd;

static void readable(evutil_socket_t fd, short events, void *data) {
    (void)events, (void)data;
    bench_readable(fd);
}

static void ignored(evutil_socket_t fd, short events, void *data) { (void)fd, (void)events, (void)data; }

static void due(evutil_socket_t fd, short events, void *data) {
    (void)fd, (void)events;
    bench_due((int)(intptr_t)data);
}

/* libevent's own way across threads needs its locks; programs that have none use a descriptor. */
static void woken(evutil_socket_t fd, short events, void *data) {
    uint64_t count;
    (void)events, (void)data;
    if (read(fd, &count, sizeof(count)) == sizeof(count)) bench_woken();
}

static void received(struct bufferevent *buffered, void *data) {
    (void)data;
    bench_readable(bufferevent_getfd(buffered));
}

void engine_open(int setsize) {
    (void)setsize;
    base = event_base_new();
}

void engine_close(void) { event_base_free(base); }

void engine_watch(int fd) {
    reads[fd] = event_new(base, fd, EV_READ | EV_PERSIST, readable, 0);
    event_add(reads[fd], 0);
}

void engine_unwatch(int fd) { event_free(reads[fd]); }
void engine_iterate(int wait) { event_base_loop(base, EVLOOP_ONCE | (wait ? 0 : EVLOOP_NONBLOCK)); }

void engine_toggle(int fd, long pairs) {
    struct event *writable = event_new(base, fd, EV_WRITE | EV_PERSIST, ignored, 0);
    while (pairs--) {
        event_add(writable, 0);
        event_del(writable);
    }
    event_free(writable);
}

void engine_connection(int fd) {
    struct bufferevent *buffered = bufferevent_socket_new(base, fd, 0);
    bufferevent_setcb(buffered, received, 0, 0, 0);
    bufferevent_enable(buffered, EV_READ);
}

void engine_timer_room(int count) {
    timers = calloc(count, sizeof(*timers));
    for (int i = 0; i < count; i++) timers[i] = evtimer_new(base, due, (void *)(intptr_t)i);
}

void engine_timer_add(int index, int milliseconds) {
    struct timeval after = {milliseconds / 1000, milliseconds % 1000 * 1000};
    event_add(timers[index], &after);
}

void engine_timer_delete(int index) { event_del(timers[index]); }
void engine_timer_again(int index, int milliseconds) { engine_timer_add(index, milliseconds); }

void engine_wake(void) {
    uint64_t one = 1;
    if (!wake) {
        wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        wake = event_new(base, wake_fd, EV_READ | EV_PERSIST, woken, 0);
        event_add(wake, 0);
    }
    if (write(wake_fd, &one, sizeof(one)) != sizeof(one)) abort();
}
