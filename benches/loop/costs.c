/* Memory, waking a loop up, starting one. */
#include "bench.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOPS = 64, LOOP_SETSIZE = 10000, DESCRIPTORS = 9000, TIMERS = 100000 };

static double resident_bytes(void) {
    long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    must(statm != NULL && fscanf(statm, "%*s %ld", &pages) == 1, "/proc/self/statm");
    fclose(statm);
    return (double)pages * sysconf(_SC_PAGESIZE);
}

static void ignore(int fd) { (void)fd; }

static double per_loop(void) {
    double before;
    engine_open(LOOP_SETSIZE);
    before = resident_bytes();
    for (int i = 0; i < LOOPS; i++) engine_open(LOOP_SETSIZE);
    return (resident_bytes() - before) / LOOPS;
}

/* Of what is added to each of many descriptors. */
static double per_descriptor(void (*add)(int fd)) {
    static int pairs[DESCRIPTORS / 2][2];
    double before;
    for (int i = 0; i < DESCRIPTORS / 2; i++) make_pair(pairs[i]);
    engine_open(LOOP_SETSIZE);
    engine_iterate(0);
    before = resident_bytes();
    for (int i = 0; i < DESCRIPTORS; i++) add(pairs[i / 2][i % 2]);
    engine_iterate(0);
    return (resident_bytes() - before) / DESCRIPTORS;
}

static double per_watched(void) { return per_descriptor(engine_watch); }
static double per_connection(void) { return per_descriptor(engine_connection); }

static double per_timer(void) {
    double before;
    engine_open(LOOP_SETSIZE);
    engine_iterate(0);
    before = resident_bytes();
    if (engine_timer_room) engine_timer_room(TIMERS);
    for (int i = 0; i < TIMERS; i++) engine_timer_add(i, 1000000 + i * 7 % TIMERS);
    engine_iterate(0);
    return (resident_bytes() - before) / TIMERS;
}

/* In a process of its own, whose memory nobody else has used. */
static void apart(const char *name, double (*measure)(void)) {
    int status;
    pid_t child;
    fflush(stdout);
    if ((child = fork()) == 0) {
        figure(name, measure());
        fflush(stdout);
        _exit(0);
    }
    must(child > 0 && waitpid(child, &status, 0) == child && status == 0, name);
}

void memory(const long *numbers, int given) {
    (void)numbers, (void)given;
    allow_descriptors(DESCRIPTORS);
    bench_readable = ignore;
    apart("bytes/loop", per_loop);
    apart("bytes/fd", per_watched);
    if (engine_timer_add) apart("bytes/timer", per_timer);
    if (engine_connection) apart("bytes/connection", per_connection);
}

static long woken;
void bench_woken(void) { woken++; }

void wakeup(const long *numbers, int given) {
    long count = given ? numbers[0] : 50000;
    double start;
    OFFERED(engine_wake);
    engine_open(LOOP_SETSIZE);
    engine_iterate(0);
    start = cpu_ns();
    while (woken < count) {
        long before = woken;
        engine_wake();
        while (woken == before) engine_iterate(1);
    }
    figure("ns", (cpu_ns() - start) / count);
}

/* A loop is created, watches a descriptor, runs one iteration and is deleted. */
void startup(const long *numbers, int given) {
    enum { TIMES = 51 };
    double each[TIMES];
    int pair[2];
    must(given == 1, "startup: the set size");
    make_pair(pair);
    bench_readable = ignore;
    for (int i = 0; i < TIMES; i++) {
        double start = cpu_ns();
        engine_open((int)numbers[0]);
        engine_watch(pair[0]);
        engine_iterate(0);
        engine_unwatch(pair[0]);
        engine_close();
        each[i] = (cpu_ns() - start) / 1000;
    }
    figure("us", median(each, TIMES));
}
