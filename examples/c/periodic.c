/* A task that runs at fixed times, and signals that arrive as events: SIGHUP begins to count again, SIGINT and SIGTERM
 * end the program.
 *
 *   cc periodic.c -o periodic $(pkg-config --cflags --libs libae)
 *   ./periodic 1000                  milliseconds between two runs
 */
#define _POSIX_C_SOURCE 200809L

#include "signals.h"

#include <ae.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct task {
    int interval;   /* milliseconds */
    long long next; /* when the next run is due, in milliseconds of the monotonic clock */
    int runs;
};

static struct task task;

static long long now(void) {
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (long long) time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* The loop counts what is returned from the end of the call. Counting from when the call was due keeps the task from
 * drifting; runs that were missed, as on a suspended machine, are left out. */
static int run(aeEventLoop *el, long long id, void *data) {
    struct task *due = data;
    long long time = now();

    (void) el, (void) id;
    printf("run %d\n", ++due->runs);
    while (due->next <= time) due->next += due->interval;
    return (int) (due->next - time);
}

static void on_signal(aeEventLoop *el, int number) {
    if (number == SIGHUP) {
        printf("counting again\n");
        task.runs = 0;
    } else {
        printf("stopped after %d runs\n", task.runs);
        aeStop(el);
    }
}

int main(int argc, char **argv) {
    const int signals[] = {SIGHUP, SIGINT, SIGTERM};
    aeEventLoop *el;

    if (argc != 2 || (task.interval = atoi(argv[1])) < 1) {
        fprintf(stderr, "usage: %s MILLISECONDS\n", argv[0]);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    task.next = now() + task.interval;
    if ((el = aeCreateEventLoop(64)) == NULL || signals_watch(el, signals, 3, on_signal) == -1 ||
        aeCreateTimeEvent(el, task.interval, run, &task, NULL) == AE_ERR) {
        perror(argv[0]);
        return 1;
    }
    aeMain(el);
    aeDeleteEventLoop(el);
    return 0;
}
