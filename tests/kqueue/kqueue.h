/* kqueue(2) as libkqueue declares it for Linux: struct kevent and the constants have its sizes and values. */
#ifndef LIBAE_KQUEUE_H
#define LIBAE_KQUEUE_H

#include <stdint.h>
#include <time.h>

struct kevent {
    uintptr_t ident;
    short filter;
    unsigned short flags;
    unsigned int fflags;
    intptr_t data;
    void *udata;
};

#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)
#define EVFILT_TIMER (-7)

#define EV_ADD 0x0001
#define EV_DELETE 0x0002
#define EV_ENABLE 0x0004
#define EV_DISABLE 0x0008
#define EV_ONESHOT 0x0010
#define EV_ERROR 0x4000
#define EV_EOF 0x8000

#define EV_SET(event, i, fl, f, ff, d, u) \
    (*(event) = (struct kevent){.ident = (i), .filter = (fl), .flags = (f), .fflags = (ff), .data = (d), .udata = (u)})

int kqueue(void);
int kevent(int queue, const struct kevent *changes, int change_count, struct kevent *events, int capacity,
           const struct timespec *limit);

/* Of the stand-in alone: functions that a program may have. What they return in place of 0 is the error with which the
 * call fails. */
int kqueue_fails(void) __attribute__((weak));
int kevent_fails(const struct kevent *changes, int change_count, const struct timespec *limit) __attribute__((weak));

#endif
