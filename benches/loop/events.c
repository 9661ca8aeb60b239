/* Dispatch, changes of interest, registration. */
#include "bench.h"

#include <stdlib.h>
#include <unistd.h>

/* The byte that came in on a descriptor goes out on this one. */
static int next_fd[BENCH_MAX_FD];
static long handled;

static void pass_on(int fd) {
    char byte;
    must(read(fd, &byte, 1) == 1, "read");
    handled++;
    must(write(next_fd[fd], &byte, 1) == 1, "write");
}

static long or_else(long number, long otherwise) { return number ? number : otherwise; }

/* `active` bytes go round `count` socket pairs: each iteration finds `active` descriptors ready. */
void dispatch(const long *numbers, int given) {
    long count = or_else(numbers[0], 100), active = or_else(numbers[1], 1);
    long events = or_else(numbers[2], 100000 > 10 * active ? 100000 : 10 * active);
    int(*pairs)[2] = room(count, sizeof(*pairs));
    double start;
    must(given >= 2 && active <= count, "dispatch: as many descriptors as active ones at least");
    allow_descriptors(2 * count);
    engine_open(BENCH_MAX_FD);
    bench_readable = pass_on;
    for (int i = 0; i < count; i++) make_pair(pairs[i]);
    for (int i = 0; i < count; i++) {
        next_fd[pairs[i][0]] = pairs[(i + 1) % count][1];
        engine_watch(pairs[i][0]);
    }
    for (int i = 0; i < active; i++) must(write(pairs[i * (count / active)][1], "x", 1) == 1, "write");
    for (int i = 0; i < 10; i++) engine_iterate(1);
    start = cpu_ns();
    for (handled = 0; handled < events;) engine_iterate(1);
    figure("ns/event", (cpu_ns() - start) / handled);
}

static long toggle_pairs;
static double toggled_ns;

static void toggle(int fd) {
    double start = cpu_ns();
    char byte;
    engine_toggle(fd, toggle_pairs);
    toggled_ns = cpu_ns() - start;
    must(read(fd, &byte, 1) == 1, "read");
    handled++;
}

void interest(const long *numbers, int given) {
    int pair[2];
    (void)given;
    toggle_pairs = or_else(numbers[0], 100000);
    engine_open(BENCH_MAX_FD);
    bench_readable = toggle;
    make_pair(pair);
    engine_watch(pair[0]);
    must(write(pair[1], "x", 1) == 1, "write");
    for (handled = 0; handled == 0;) engine_iterate(1);
    figure("ns/pair", toggled_ns / toggle_pairs);
}

static void unexpected(int fd) {
    (void)fd;
    must(0, "an event where none was due");
}

/* All descriptors are added, then all removed, outside of callbacks; the first time is not counted. */
void registration(const long *numbers, int given) {
    enum { ROUNDS = 5 };
    long count = or_else(numbers[0], 9000);
    int(*pairs)[2] = room((count + 1) / 2, sizeof(*pairs));
    double add[ROUNDS], remove[ROUNDS];
    (void)given;
    allow_descriptors(count + 1);
    engine_open(BENCH_MAX_FD);
    bench_readable = unexpected;
    for (int i = 0; i < (count + 1) / 2; i++) make_pair(pairs[i]);
    for (int round = -1; round < ROUNDS; round++) {
        double start = cpu_ns(), middle;
        for (int i = 0; i < count; i++) engine_watch(pairs[i / 2][i % 2]);
        engine_iterate(0);
        middle = cpu_ns();
        for (int i = 0; i < count; i++) engine_unwatch(pairs[i / 2][i % 2]);
        engine_iterate(0);
        if (round < 0) continue;
        add[round] = (middle - start) / count;
        remove[round] = (cpu_ns() - middle) / count;
    }
    figure("add ns", median(add, ROUNDS));
    figure("remove ns", median(remove, ROUNDS));
}
