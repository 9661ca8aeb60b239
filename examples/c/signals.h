/* Signals as events of the loop. A signal handler may do next to nothing, so it writes the signal's number into a pipe,
 * and the loop calls the program when the pipe is readable. (signalfd does the same on Linux alone.) */
#ifndef EXAMPLE_SIGNALS_H
#define EXAMPLE_SIGNALS_H

#include <ae.h>
#include <anet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Called by the loop, once for each signal that has arrived. */
typedef void signal_proc(aeEventLoop *el, int number);

static int signal_pipe[2];
static signal_proc *signal_callback;

static void signal_arrived(int number) {
    int before = errno;
    unsigned char byte = (unsigned char) number;
    ssize_t written = write(signal_pipe[1], &byte, 1);

    (void) written; /* it fails when the pipe is full, and then the loop is awake already */
    errno = before;
}

static void signal_readable(aeEventLoop *el, int fd, void *data, int mask) {
    unsigned char numbers[64];
    ssize_t count = read(fd, numbers, sizeof numbers), i;

    (void) data, (void) mask;
    for (i = 0; i < count; i++) signal_callback(el, numbers[i]);
}

/* Has `callback` called for each of the `count` signals. Returns 0; -1 with errno. */
static int signals_watch(aeEventLoop *el, const int *numbers, int count, signal_proc *callback) {
    struct sigaction action;
    int i;

    if (anetPipe(signal_pipe, O_NONBLOCK | O_CLOEXEC, O_NONBLOCK | O_CLOEXEC) == -1) return -1;
    if (aeCreateFileEvent(el, signal_pipe[0], AE_READABLE, signal_readable, NULL) == AE_ERR) return -1;
    signal_callback = callback;
    memset(&action, 0, sizeof action);
    action.sa_handler = signal_arrived;
    action.sa_flags = SA_RESTART;
    for (i = 0; i < count; i++)
        if (sigaction(numbers[i], &action, NULL) == -1) return -1;
    return 0;
}

#endif
