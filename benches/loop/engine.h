/* What an event loop library offers to the benchmark: one of these files' functions for each engine, and one program
 * for each. A function that an engine has no counterpart for is left out, and the rows that need it say so. */
#ifndef ENGINE_H
#define ENGINE_H

#define OPTIONAL __attribute__((weak))

extern const char engine_name[];

/* Creates a loop for descriptors below `setsize` and works with it from now on. */
void engine_open(int setsize);
void engine_close(void);

/* Calls bench_readable(fd) whenever `fd` is readable. Both may be called in a callback, before the descriptor is closed. */
void engine_watch(int fd);
void engine_unwatch(int fd);
/* Runs one iteration: waits for the first event, or does not wait. */
void engine_iterate(int wait);
/* Watches `fd`, which is watched for readable, for writable too and stops that, `pairs` times. Called in a callback. */
void engine_toggle(int fd, long pairs);

/* Accepts one connection, non-blocking; -1 when none waits. The default is accept4. */
int engine_accept(int listener) OPTIONAL;
/* Makes the engine's own kind of connection of an accepted descriptor, with a handler for readable. */
void engine_connection(int fd) OPTIONAL;

/* Room for timers numbered from 0; those that an engine allocates itself need none. */
void engine_timer_room(int count) OPTIONAL;
/* Calls bench_due(index) once, after so many milliseconds. */
void engine_timer_add(int index, int milliseconds) OPTIONAL;
void engine_timer_delete(int index) OPTIONAL;
/* Moves a timer that is waiting, to so many milliseconds from now. */
void engine_timer_again(int index, int milliseconds) OPTIONAL;

/* Makes the loop call bench_woken() in its next iteration, as another thread would. */
void engine_wake(void) OPTIONAL;

/* The benchmark's side. */
enum { BENCH_MAX_FD = 20000 };
extern void (*bench_readable)(int fd);
void bench_due(int index);
void bench_woken(void);

#endif
