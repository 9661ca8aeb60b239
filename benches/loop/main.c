/* Measures one event loop library: `ENGINE SCENARIO [NUMBER...]` prints a line per figure, its name and its value. */
#include "bench.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

static const struct {
    const char *name;
    scenario *run;
    const char *numbers;
} scenarios[] = {
    {"dispatch", dispatch, "DESCRIPTORS ACTIVE [EVENTS]"},
    {"interest", interest, "[PAIRS]"},
    {"register", registration, "DESCRIPTORS"},
    {"timers", timers, "COUNT"},
    {"lateness", lateness, "COUNT"},
    {"accept", accepting, "CONNECTIONS"},
    {"echo", echo, "CONNECTIONS BYTES [MESSAGES]"},
    {"memory", memory, ""},
    {"wakeup", wakeup, "[COUNT]"},
    {"startup", startup, "SETSIZE"},
    {"waits", waits, "[COUNT]"},
};
enum { SCENARIOS = sizeof(scenarios) / sizeof(*scenarios), NUMBERS = 3 };

void (*bench_readable)(int fd);

void figure(const char *name, double value) { printf("%s\t%.6g\n", name, value); }

void must(int condition, const char *what) {
    if (condition) return;
    fprintf(stderr, "%s: %s: %s\n", engine_name, what, strerror(errno));
    exit(1);
}

void offered(void (*function)(void), const char *what) {
    if (function) return;
    fprintf(stderr, "%s has no %s\n", engine_name, what);
    exit(NOT_OFFERED);
}

void allow_descriptors(long count) {
    struct rlimit limit;
    long wanted = count + 64;
    must(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    limit.rlim_cur = limit.rlim_max;
    must(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
    if (limit.rlim_cur >= (rlim_t)wanted && wanted <= BENCH_MAX_FD) return;
    fprintf(stderr, "%ld open files are needed\n", wanted);
    exit(NOT_ALLOWED);
}

static double read_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1e9 + now.tv_nsec;
}

double now_ns(void) { return read_ns(CLOCK_MONOTONIC); }
double cpu_ns(void) { return read_ns(CLOCK_THREAD_CPUTIME_ID); }

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void sort(double *values, size_t count) { qsort(values, count, sizeof(*values), by_value); }

double quantile(const double *sorted, size_t count, double part) { return sorted[(size_t)(part * (count - 1) + 0.5)]; }

double median(double *values, size_t count) {
    sort(values, count);
    return quantile(values, count, 0.5);
}

void make_pair(int fds[2]) { must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0, "socketpair"); }

void *room(size_t count, size_t size) {
    void *memory = calloc(count, size);
    must(memory != NULL, "calloc");
    return memory;
}

static int usage(void) {
    fprintf(stderr, "usage: one of\n");
    for (int i = 0; i < SCENARIOS; i++) fprintf(stderr, "  %s %s %s\n", engine_name, scenarios[i].name, scenarios[i].numbers);
    return 2;
}

int main(int argc, char **argv) {
    long numbers[NUMBERS] = {0};
    if (argc < 2 || argc > 2 + NUMBERS) return usage();
    for (int i = 2; i < argc; i++) {
        char *end;
        numbers[i - 2] = strtol(argv[i], &end, 10);
        if (*end || numbers[i - 2] < 1 || numbers[i - 2] > INT_MAX) return usage();
    }
    for (int i = 0; i < SCENARIOS; i++) {
        if (strcmp(argv[1], scenarios[i].name) != 0) continue;
        scenarios[i].run(numbers, argc - 2);
        return fflush(stdout) == 0 ? 0 : 1;
    }
    return usage();
}
