#include "engine.h"

#include <stdlib.h>
#include <uv.h>

const char engine_name[] = "libuv";

static uv_loop_t *loop;
static uv_poll_t *polls[BENCH_MAX_FD];
static uv_timer_t *timers;
static uv_async_t *wake;
static char received[65536];

/* An error has a status and no events; what reads finds it. */
static void readable(uv_poll_t *poll, int status, int events) {
    if (status < 0 || events & UV_READABLE) bench_readable((int)(long)poll->data);
}

static void due(uv_timer_t *timer) { bench_due((int)(timer - timers)); }

static void woken(uv_async_t *async) {
    (void)async;
    bench_woken();
}

static void free_handle(uv_handle_t *handle) { free(handle); }

void engine_open(int setsize) {
    (void)setsize;
    loop = malloc(sizeof(*loop));
    uv_loop_init(loop);
}

void engine_close(void) {
    uv_run(loop, UV_RUN_NOWAIT);
    if (uv_loop_close(loop) != 0) abort();
    free(loop);
}

void engine_watch(int fd) {
    polls[fd] = malloc(sizeof(*polls[fd]));
    uv_poll_init(loop, polls[fd], fd);
    polls[fd]->data = (void *)(long)fd;
    uv_poll_start(polls[fd], UV_READABLE, readable);
}

/* The handle is freed in the next iteration. */
void engine_unwatch(int fd) { uv_close((uv_handle_t *)polls[fd], free_handle); }

void engine_iterate(int wait) { uv_run(loop, wait ? UV_RUN_ONCE : UV_RUN_NOWAIT); }

void engine_toggle(int fd, long pairs) {
    while (pairs--) {
        uv_poll_start(polls[fd], UV_READABLE | UV_WRITABLE, readable);
        uv_poll_start(polls[fd], UV_READABLE, readable);
    }
}

static void give_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer) {
    (void)handle, (void)wanted;
    *buffer = uv_buf_init(received, sizeof(received));
}

static void ignore_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) { (void)stream, (void)count, (void)buffer; }

void engine_connection(int fd) {
    uv_tcp_t *connection = malloc(sizeof(*connection));
    uv_tcp_init(loop, connection);
    if (uv_tcp_open(connection, fd) != 0 || uv_read_start((uv_stream_t *)connection, give_buffer, ignore_read) != 0) abort();
}

void engine_timer_room(int count) {
    timers = calloc(count, sizeof(*timers));
    for (int i = 0; i < count; i++) uv_timer_init(loop, &timers[i]);
}

void engine_timer_add(int index, int milliseconds) { uv_timer_start(&timers[index], due, milliseconds, 0); }
void engine_timer_delete(int index) { uv_timer_stop(&timers[index]); }
void engine_timer_again(int index, int milliseconds) { engine_timer_add(index, milliseconds); }

void engine_wake(void) {
    if (!wake) {
        wake = malloc(sizeof(*wake));
        uv_async_init(loop, wake, woken);
    }
    uv_async_send(wake);
}
