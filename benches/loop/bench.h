/* What the scenarios of the benchmark share. */
#ifndef BENCH_H
#define BENCH_H

#include "engine.h"

#include <stddef.h>

/* The status of a process whose engine does not offer the work, or whose machine does not allow it. */
enum { NOT_OFFERED = 3, NOT_ALLOWED = 4 };

/* A scenario gets the numbers of its command line, `count` of them; others are 0. */
typedef void scenario(const long *numbers, int count);
scenario dispatch, interest, registration, timers, lateness, accepting, echo, memory, wakeup, startup, waits;

/* Prints one figure. */
void figure(const char *name, double value);
/* Ends the process with the system's error unless `condition` holds. */
void must(int condition, const char *what);
/* Ends the process with NOT_OFFERED unless `function`, an optional one of the engine, is there. */
void offered(void (*function)(void), const char *what);
#define OFFERED(function) offered((void (*)(void))(function), #function)
/* Ends the process with NOT_ALLOWED unless it can open so many more descriptors. */
void allow_descriptors(long count);

/* Nanoseconds of the monotonic clock, and of this thread's CPU time, which others on the machine disturb less. */
double now_ns(void);
double cpu_ns(void);

/* Sorts the values; then the one below which the share `part` of them is. */
void sort(double *values, size_t count);
double quantile(const double *sorted, size_t count, double part);
double median(double *values, size_t count);

void make_pair(int fds[2]);
/* Zeroed memory. */
void *room(size_t count, size_t size);

#endif
