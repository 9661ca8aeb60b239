/* Measures one event loop library, best of several rounds, and prints a line per work: name, work, nanoseconds. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 7, EVENTS = 100000, PAIRS = 100000, IDLE = 20000 };

static int next_fd[BENCH_MAX_FD];
static long handled, toggle_pairs;
static double toggled_ns;

static double now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1e9 + now.tv_nsec;
}

static void must(int condition, const char *what) {
    if (condition) return;
    perror(what);
    exit(1);
}

void bench_readable(int fd) {
    char byte;
    must(read(fd, &byte, 1) == 1, "read");
    if (toggle_pairs) {
        double start = now_ns();
        bench_toggle(fd, toggle_pairs);
        toggled_ns = now_ns() - start;
    }
    handled++;
    if (next_fd[fd]) must(write(next_fd[fd], &byte, 1) == 1, "write");
}

static void report(const char *work, double best) { printf("%s\t%s\t%.1f\n", bench_name, work, best); }

/* `active` bytes go round `count` socket pairs. */
static void dispatch(const char *work, int count, int active) {
    int (*pairs)[2] = calloc(count, sizeof(*pairs));
    double best = 1e18;
    for (int i = 0; i < count; i++) must(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]) == 0, "socketpair");
    for (int i = 0; i < count; i++) {
        next_fd[pairs[i][0]] = pairs[(i + 1) % count][1];
        bench_watch(pairs[i][0]);
    }
    for (int i = 0; i < active; i++) must(write(pairs[i * (count / active)][1], "x", 1) == 1, "write");
    for (int round = 0; round < ROUNDS; round++) {
        double start = now_ns(), each;
        for (handled = 0; handled < EVENTS;) bench_iterate(1);
        each = (now_ns() - start) / handled;
        if (each < best) best = each;
    }
    /* The bytes under way stay where they are. */
    for (int i = 0; i < count; i++) next_fd[pairs[i][0]] = 0;
    for (int i = 0; i < count; i++) {
        bench_unwatch(pairs[i][0]);
        close(pairs[i][0]);
        close(pairs[i][1]);
    }
    free(pairs);
    report(work, best);
}

static void toggle(void) {
    int pair[2];
    double best = 1e18;
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
    bench_watch(pair[0]);
    toggle_pairs = PAIRS;
    for (int round = 0; round < ROUNDS; round++) {
        must(write(pair[1], "x", 1) == 1, "write");
        for (handled = 0; handled == 0;) bench_iterate(1);
        if (toggled_ns / PAIRS < best) best = toggled_ns / PAIRS;
    }
    toggle_pairs = 0;
    bench_unwatch(pair[0]);
    close(pair[0]);
    close(pair[1]);
    report("add + remove writable", best);
}

/* A fixed order that is not the timers' own. */
static int shuffled(int i) { return (int)((i * 48271LL) % BENCH_TIMERS); }

static void timers(void) {
    double create = 1e18, idle = 1e18, delete = 1e18;
    int pair[2];
    /* Without a descriptor some loops do not poll at all. */
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
    bench_watch(pair[0]);
    for (int round = 0; round < ROUNDS; round++) {
        double start = now_ns(), each;
        for (int i = 0; i < BENCH_TIMERS; i++) bench_timer_add(i, 1000000 + shuffled(i));
        if ((each = (now_ns() - start) / BENCH_TIMERS) < create) create = each;
        start = now_ns();
        for (int i = 0; i < IDLE; i++) bench_iterate(0);
        if ((each = (now_ns() - start) / IDLE) < idle) idle = each;
        start = now_ns();
        for (int i = 0; i < BENCH_TIMERS; i++) bench_timer_delete(shuffled(BENCH_TIMERS - 1 - i));
        if ((each = (now_ns() - start) / BENCH_TIMERS) < delete) delete = each;
        bench_iterate(0);
    }
    report("100 000 timers: create", create);
    report("100 000 timers: idle iteration", idle);
    report("100 000 timers: delete", delete);
}

int main(void) {
    bench_init();
    dispatch("dispatch, 100 fds 1 active", 100, 1);
    dispatch("dispatch, 1000 fds 100 active", 1000, 100);
    toggle();
    timers();
    return 0;
}
