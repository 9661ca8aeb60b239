/* What an event loop library has to do for the benchmark. */
#ifndef BENCH_H
#define BENCH_H

extern const char bench_name[];

void bench_init(void);
/* Calls bench_readable(fd) whenever `fd` is readable. */
void bench_watch(int fd);
void bench_unwatch(int fd);
/* Runs one iteration: waits for the first event, or does not wait. */
void bench_iterate(int wait);
/* Starts and stops watching `fd`, which is watched for readable, for writable: `pairs` times. Called in a callback. */
void bench_toggle(int fd, long pairs);
/* The timer numbered `index`, due after so many milliseconds; none ever is. */
void bench_timer_add(int index, int milliseconds);
void bench_timer_delete(int index);

/* The benchmark's side. */
enum { BENCH_TIMERS = 100000, BENCH_MAX_FD = 4096 };
void bench_readable(int fd);

#endif
