#include "bench.h"

#include <uv.h>

const char bench_name[] = "libuv";
static uv_loop_t loop;
static uv_poll_t polls[BENCH_MAX_FD];
static int fds[BENCH_MAX_FD];
static uv_timer_t timers[BENCH_TIMERS];

static void readable(uv_poll_t *poll, int status, int events) {
    (void)status;
    if (events & UV_READABLE) bench_readable(*(int *)poll->data);
}

static void due(uv_timer_t *timer) { (void)timer; }

void bench_init(void) {
    uv_loop_init(&loop);
    for (int i = 0; i < BENCH_TIMERS; i++) uv_timer_init(&loop, &timers[i]);
}

void bench_watch(int fd) {
    fds[fd] = fd;
    uv_poll_init(&loop, &polls[fd], fd);
    polls[fd].data = &fds[fd];
    uv_poll_start(&polls[fd], UV_READABLE, readable);
}

void bench_unwatch(int fd) {
    uv_close((uv_handle_t *)&polls[fd], 0);
    uv_run(&loop, UV_RUN_NOWAIT);
}

void bench_iterate(int wait) { uv_run(&loop, wait ? UV_RUN_ONCE : UV_RUN_NOWAIT); }

void bench_toggle(int fd, long pairs) {
    while (pairs--) {
        uv_poll_start(&polls[fd], UV_READABLE | UV_WRITABLE, readable);
        uv_poll_start(&polls[fd], UV_READABLE, readable);
    }
}

void bench_timer_add(int index, int milliseconds) { uv_timer_start(&timers[index], due, milliseconds, 0); }
void bench_timer_delete(int index) { uv_timer_stop(&timers[index]); }
