/* Scenarios in which every system call that the library makes fails once, with each error that it can have. Included
 * after test.h. */
#ifndef LIBAE_EVERY_CALL_H
#define LIBAE_EVERY_CALL_H

#include "../tests/kqueue/kqueue.h"

#include <ae.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

/* ---- The calls ---- */

enum { MOST_ERRORS = 9 };

/* The call that fails is the one after `left` more; below 0: none. Only what the library asks for counts, in the thread
 * that has called it. */
static int left = -1, reached, failed;
static __thread int counts;

/* Which of a call's errors it is, and whether it has so many. */
static int number, more, error;

static inline int refuse(const int errors[MOST_ERRORS]) {
    int i;

    if (!counts || left < 0 || left-- > 0) return 0;
    reached = 1;
    for (i = 0; i < number && errors[i] != 0; i++) continue;
    if (errors[i] == 0) return 0;
    more |= i + 1 < MOST_ERRORS && errors[i + 1] != 0;
    failed = 1;
    errno = error = errors[i];
    return 1;
}

/* The longest sleep that was asked for. */
static long long asked_us;

static inline void ask(long long us) {
    if (counts && us > asked_us) asked_us = us;
}

#define REFUSED(...) refuse((const int[MOST_ERRORS]){__VA_ARGS__})

int socket(int family, int type, int protocol) {
    if (REFUSED(EMFILE, ENFILE, ENOBUFS, ENOMEM, EACCES)) return -1;
    return (int)syscall(SYS_socket, family, type, protocol);
}

int bind(int fd, const struct sockaddr *address, socklen_t length) {
    if (REFUSED(EADDRINUSE, EACCES, ENOMEM)) return -1;
    return (int)syscall(SYS_bind, fd, address, length);
}

int listen(int fd, int backlog) {
    if (REFUSED(EADDRINUSE, ENOBUFS)) return -1;
    return (int)syscall(SYS_listen, fd, backlog);
}

int connect(int fd, const struct sockaddr *address, socklen_t length) {
    if (REFUSED(EINTR, ECONNREFUSED, ENETUNREACH, EADDRNOTAVAIL, ETIMEDOUT, ENOBUFS)) return -1;
    return (int)syscall(SYS_connect, fd, address, length);
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
    if (REFUSED(EINTR, ECONNABORTED, EAGAIN, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTO)) return -1;
    return (int)syscall(SYS_accept4, fd, address, length, flags);
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t length) {
    if (REFUSED(EINVAL, ENOMEM, ENOBUFS, ENOPROTOOPT)) return -1;
    return (int)syscall(SYS_setsockopt, fd, level, option, value, length);
}

int getsockopt(int fd, int level, int option, void *value, socklen_t *length) {
    if (REFUSED(ENOBUFS, ENOPROTOOPT)) return -1;
    return (int)syscall(SYS_getsockopt, fd, level, option, value, length);
}

int getsockname(int fd, struct sockaddr *address, socklen_t *length) {
    if (REFUSED(ENOBUFS)) return -1;
    return (int)syscall(SYS_getsockname, fd, address, length);
}

int getpeername(int fd, struct sockaddr *address, socklen_t *length) {
    if (REFUSED(ENOTCONN, ENOBUFS)) return -1;
    return (int)syscall(SYS_getpeername, fd, address, length);
}

int fcntl(int fd, int command, ...) {
    va_list arguments;
    long argument;

    va_start(arguments, command);
    argument = va_arg(arguments, long);
    va_end(arguments);
    if (REFUSED(EINVAL, ENOMEM)) return -1;
    return (int)syscall(SYS_fcntl, fd, command, argument);
}

ssize_t read(int fd, void *buffer, size_t count) {
    if (REFUSED(EINTR, EAGAIN, ECONNRESET, ETIMEDOUT, EIO)) return -1;
    return syscall(SYS_read, fd, buffer, count);
}

ssize_t write(int fd, const void *data, size_t count) {
    if (REFUSED(EINTR, EAGAIN, ECONNRESET, EPIPE, ENOBUFS, EIO)) return -1;
    return syscall(SYS_write, fd, data, count);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (REFUSED(EINTR, EAGAIN, ECONNRESET, EPIPE, ENOBUFS, EIO)) return -1;
    return syscall(SYS_writev, fd, parts, count);
}

ssize_t recv(int fd, void *buffer, size_t count, int flags) {
    if (REFUSED(EINTR, EAGAIN, ECONNRESET, ETIMEDOUT, ENOMEM)) return -1;
    return syscall(SYS_recvfrom, fd, buffer, count, flags, NULL, NULL);
}

ssize_t send(int fd, const void *data, size_t count, int flags) {
    if (REFUSED(EINTR, EAGAIN, ECONNRESET, EPIPE, ENOBUFS, ENOMEM)) return -1;
    return syscall(SYS_sendto, fd, data, count, flags, NULL, 0);
}

int poll(struct pollfd *entries, nfds_t count, int timeout) {
    struct timespec limit = {timeout / 1000, timeout % 1000 * 1000000L};

    ask(timeout * 1000LL);
    if (REFUSED(EINTR, ENOMEM, EINVAL)) return -1;
    return (int)syscall(SYS_ppoll, entries, count, timeout < 0 ? NULL : &limit, NULL, 0);
}

int select(int count, fd_set *readable, fd_set *writable, fd_set *others, struct timeval *timeout) {
    struct timespec limit = {0, 0};

    if (timeout != NULL) ask(timeout->tv_sec * 1000000LL + timeout->tv_usec);
    if (REFUSED(EINTR, ENOMEM)) return -1;
    if (timeout != NULL) limit = (struct timespec){timeout->tv_sec, timeout->tv_usec * 1000L};
    return (int)syscall(SYS_pselect6, count, readable, writable, others, timeout == NULL ? NULL : &limit, NULL);
}

int epoll_create1(int flags) {
    if (REFUSED(EMFILE, ENFILE, ENOMEM)) return -1;
    return (int)syscall(SYS_epoll_create1, flags);
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event) {
    if (REFUSED(ENOMEM, ENOSPC)) return -1;
    return (int)syscall(SYS_epoll_ctl, epoll, operation, fd, event);
}

int epoll_wait(int epoll, struct epoll_event *events, int capacity, int timeout) {
    ask(timeout * 1000LL);
    if (REFUSED(EINTR)) return -1;
    return (int)syscall(SYS_epoll_pwait, epoll, events, capacity, timeout, NULL, 8);
}

int epoll_pwait2(int epoll, struct epoll_event *events, int capacity, const struct timespec *timeout,
                 const sigset_t *signals) {
    if (timeout != NULL) ask(timeout->tv_sec * 1000000LL + timeout->tv_nsec / 1000);
    if (REFUSED(EINTR)) return -1;
    return (int)syscall(SYS_epoll_pwait2, epoll, events, capacity, timeout, signals, 8);
}

/* Of what stands in for kqueue(2), where the library is linked with that. */
int kqueue_fails(void) { return REFUSED(EMFILE, ENFILE, ENOMEM) ? errno : 0; }

int kevent_fails(const struct kevent *changes, int change_count, const struct timespec *limit) {
    (void)changes;
    if (change_count > 0) return REFUSED(ENOMEM) ? errno : 0;
    if (limit != NULL) ask(limit->tv_sec * 1000000LL + limit->tv_nsec / 1000);
    return REFUSED(EINTR) ? errno : 0;
}

int eventfd(unsigned value, int flags) {
    if (REFUSED(EMFILE, ENFILE, ENOMEM)) return -1;
    return (int)syscall(SYS_eventfd2, value, flags);
}

int chmod(const char *path, mode_t mode) {
    if (REFUSED(EPERM, EROFS, EIO)) return -1;
    return (int)syscall(SYS_fchmodat, AT_FDCWD, path, mode);
}

/* ---- A scenario, as often as it has calls and errors ---- */

#define LIBRARY(call)    \
    do {                 \
        counts = 1;      \
        call;            \
        counts = 0;      \
    } while (0)

/* What fails has failed because of the call that did. */
#define SAYS_WHY() CHECK(failed && (errno == error))

enum { MOST_CALLS = 400 };

static inline void every_call(void (*scenario)(void)) {
    int call, before = test_open_fds();

    for (call = 0;; call++) {
        CHECK(call < MOST_CALLS);
        number = 0;
        do {
            left = call;
            reached = more = failed = error = 0;
            scenario();
            counts = 0;
            if (test_open_fds() != before)
                FAIL("call %d with %s: %d descriptors, before %d", call, strerror(error), test_open_fds(), before);
            number++;
        } while (more);
        /* There are no more. It may have been reached without an error: which call it is may depend on how fast another
         * thread is, and one has more errors than the other. */
        if (!reached) break;
    }
    CHECK(call > 1);
}

/* ---- What scenarios share ---- */

static int ran;

static inline void on_readable(aeEventLoop *loop, int fd, void *data, int mask) {
    char byte;

    (void)loop;
    (void)data;
    (void)mask;
    counts = 0;
    ran += syscall(SYS_read, fd, &byte, 1) == 1;
    counts = 1;
}

/* After whatever has failed, a loop serves what is ready. */
static inline void goes_on(aeEventLoop *loop) {
    int pair[2];

    left = -1;
    test_pair(pair);
    ran = 0;
    CHECK_INT(aeCreateFileEvent(loop, pair[0], AE_READABLE, on_readable, NULL), AE_OK);
    test_send(pair[1], "x");
    CHECK(aeProcessEvents(loop, AE_ALL_EVENTS | AE_DONT_WAIT) >= 1);
    CHECK_INT(ran, 1);
    aeDeleteFileEvent(loop, pair[0], AE_READABLE);
    test_close_pair(pair);
}

/* A connection has one way or the other to go: what is awaited, or an error that is told. */
static inline void run_until(aeEventLoop *loop, const int *what) {
    int result;

    while (*what == 0) {
        LIBRARY(result = aeProcessEvents(loop, AE_ALL_EVENTS));
        if (result < 0) SAYS_WHY();
    }
}

#endif
