/* kqueue(2) over epoll, for tests of the kqueue back end on Linux: what FreeBSD's manual page defines of the filters
 * EVFILT_READ, EVFILT_WRITE and EVFILT_TIMER with EV_ADD, EV_DELETE, EV_ENABLE, EV_DISABLE and
 * EV_ONESHOT. Other flags and filters
 * are EINVAL.
 *
 * A queue's descriptor is that of an epoll instance, so that whoever polls it finds it readable when an event is
 * pending. A descriptor's two filters are one entry there. What epoll has otherwise is made up for:
 * - a descriptor's events go when it is closed, whether or not a copy of it is open: the program is linked with
 *   --wrap=close, --wrap=dup2 and --wrap=dup3;
 * - a child does not get its parent's queues;
 * - an end of a pipe never fires for the other end's filter, and to add EVFILT_WRITE where nobody reads is EPIPE, which
 *   the manual page does not say, but FreeBSD and OpenBSD do;
 * - files that epoll does not take fire as writable always, and as readable until their end. Whether one has grown is
 *   seen when kevent is called;
 * - an event that was reported goes behind all that are pending, so that with little room all have their turn.
 *
 * What differs from FreeBSD:
 * - that this end has shut down its sending half is not told by EV_EOF;
 * - Linux tells a socket's error only to whoever takes it, so that `fflags` is EIO in its place;
 * - a stream socket that was never connected counts as one that has been disconnected.
 *
 * The calls of the system are made by their numbers, since tests have functions of their own in place of some. None of
 * them allocates, and signals wait while the mutex is held: all of it may be called where FreeBSD's calls may. */
#define _GNU_SOURCE
#include "kqueue.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <linux/sockios.h>

enum { READ = 1, WRITE = 2 };

/* The system refuses to wait longer than so many seconds, as FreeBSD and OpenBSD do. */
enum { FARTHEST = 100000000 };

/* The numbers of descriptors that the kernel would not need begin here, so that programs get the same ones as there. */
enum { OWN_DESCRIPTORS = 800 };

/* What epoll's entries have as data, beside a descriptor. */
enum { FILES = -1, TIMERS = -2 };

/* What is watched of a descriptor. */
struct watched {
    /* READ, WRITE. */
    unsigned char filters;
    /* Those that are disabled. */
    unsigned char held;
    /* Those that end with their first event. */
    unsigned char once;
    /* Those that can fire at all. */
    unsigned char able;
    /* Epoll does not take it. */
    unsigned char is_file;
    /* The filter for which there was no room when the other one was reported. */
    unsigned char left_out;
    /* The last call that has found it ready. */
    unsigned call;
    void *udata[2];
};

struct timer {
    uintptr_t ident;
    int fd; /* -1 for none */
    int is_once;
    void *udata;
};

struct queue {
    int fd;
    struct queue *next;
    struct watched *watched;
    size_t room;
    /* How many filters of descriptors there are. */
    int filters;
    /* Of kevent, and the last one that has found a file. */
    unsigned calls, files_call;
    /* Readable when one of the files is ready, -1 without any. */
    int files;
    struct timer timers[8];
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct queue *queues;

/* ---- The mutex, and memory ---- */

static void lock(sigset_t *before) {
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, before);
    pthread_mutex_lock(&mutex);
}

static void unlock(const sigset_t *before) {
    pthread_mutex_unlock(&mutex);
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* Not the C library's, which tests count, and which may be what a signal has interrupted. */
static void *map(size_t size) {
    void *memory = (void *)syscall(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

static int make_room(struct queue *queue, size_t count) {
    size_t room = queue->room == 0 ? 1024 : queue->room;
    struct watched *larger;

    if (count <= queue->room) return 0;
    while (room < count) room *= 2;
    if (queue->watched == NULL) {
        larger = map(room * sizeof(*larger));
    } else {
        larger = mremap(queue->watched, queue->room * sizeof(*larger), room * sizeof(*larger), MREMAP_MAYMOVE);
        if (larger == MAP_FAILED) larger = NULL;
    }
    if (larger == NULL) return ENOMEM;
    queue->watched = larger;
    queue->room = room;
    return 0;
}

/* ---- Queues ---- */

static struct queue *queue_of(int fd) {
    struct queue *queue = queues;

    while (queue != NULL && queue->fd != fd) queue = queue->next;
    return queue;
}

static void close_own(int fd) {
    if (fd >= 0) syscall(SYS_close, fd);
}

/* Moves a descriptor of ours out of the way. */
static int out_of_the_way(int fd) {
    int moved = fd < 0 ? -1 : (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, OWN_DESCRIPTORS);

    if (moved < 0) return fd;
    close_own(fd);
    return moved;
}

/* Ends a queue, except for its descriptor. */
static void end_queue(struct queue *queue) {
    struct queue **link = &queues;
    size_t i;

    while (*link != queue) link = &(*link)->next;
    *link = queue->next;
    for (i = 0; i < sizeof(queue->timers) / sizeof(queue->timers[0]); i++) close_own(queue->timers[i].fd);
    close_own(queue->files);
    if (queue->watched != NULL) syscall(SYS_munmap, queue->watched, queue->room * sizeof(*queue->watched));
    syscall(SYS_munmap, queue, sizeof(*queue));
}

static sigset_t before_fork;

static void begin_fork(void) { lock(&before_fork); }

static void end_fork(void) { unlock(&before_fork); }

static void leave_queues_to_the_parent(void) {
    while (queues != NULL) {
        close_own(queues->fd);
        end_queue(queues);
    }
    unlock(&before_fork);
}

__attribute__((constructor)) static void prepare(void) {
    pthread_atfork(begin_fork, end_fork, leave_queues_to_the_parent);
}

int kqueue(void) {
    int fd, error = kqueue_fails == NULL ? 0 : kqueue_fails();
    struct queue *queue;
    sigset_t before;
    size_t i;

    if (error != 0) {
        errno = error;
        return -1;
    }
    fd = (int)syscall(SYS_epoll_create1, 0);
    if (fd < 0) return -1;
    queue = map(sizeof(*queue));
    if (queue == NULL) {
        close_own(fd);
        errno = ENOMEM;
        return -1;
    }
    queue->fd = fd;
    queue->files = -1;
    for (i = 0; i < sizeof(queue->timers) / sizeof(queue->timers[0]); i++) queue->timers[i].fd = -1;
    lock(&before);
    queue->next = queues;
    queues = queue;
    unlock(&before);
    return fd;
}

/* ---- What epoll is told. The functions give 0 or an error. ---- */

static int tell(struct queue *queue, int operation, int fd, unsigned events, int data) {
    struct epoll_event event = {.events = events, .data.fd = data};

    return syscall(SYS_epoll_ctl, queue->fd, operation, fd, &event) == 0 ? 0 : errno;
}

/* The filters of which epoll is to know. */
static int wanted(const struct watched *watched) { return watched->filters & watched->able & ~watched->held; }

/* Tells what a descriptor is watched for: `filters` after `before`. */
static int tell_filters(struct queue *queue, int fd, int before, int filters) {
    unsigned events = (filters & READ ? EPOLLIN | EPOLLRDHUP : 0) | (filters & WRITE ? EPOLLOUT : 0);

    if (before == filters && before == 0) return 0;
    return tell(queue, before == 0 ? EPOLL_CTL_ADD : filters == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD, fd, events, fd);
}

/* Which filters of a file that epoll does not take are ready. */
static int ready_of_file(int fd, const struct watched *watched) {
    struct stat status;
    off_t at = lseek(fd, 0, SEEK_CUR);
    int ready = wanted(watched);

    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && at >= status.st_size) ready &= ~READ;
    return ready;
}

/* Makes the queue readable if one of its files is ready, and else not. */
static void look_at_files(struct queue *queue) {
    unsigned long long count = 1;
    size_t fd;

    if (queue->files < 0) return;
    syscall(SYS_read, queue->files, &count, sizeof(count));
    count = 1;
    for (fd = 0; fd < queue->room; fd++) {
        if (!queue->watched[fd].is_file || ready_of_file((int)fd, &queue->watched[fd]) == 0) continue;
        syscall(SYS_write, queue->files, &count, sizeof(count));
        return;
    }
}

static int watch_files(struct queue *queue) {
    if (queue->files < 0) {
        queue->files = out_of_the_way((int)syscall(SYS_eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK));
        if (queue->files < 0) return errno;
        return tell(queue, EPOLL_CTL_ADD, queue->files, EPOLLIN, FILES);
    }
    return 0;
}

/* What can fire: of a pipe's end the one filter. */
static int able_filters(int fd) {
    struct stat status;
    int flags = (int)syscall(SYS_fcntl, fd, F_GETFL);

    if (fstat(fd, &status) != 0 || !S_ISFIFO(status.st_mode)) return READ | WRITE;
    switch (flags & O_ACCMODE) {
    case O_RDONLY: return READ;
    case O_WRONLY: return WRITE;
    default: return READ | WRITE;
    }
}

static int nobody_reads(int fd) {
    struct pollfd one = {.fd = fd, .events = POLLOUT};
    struct timespec now = {0, 0};

    return able_filters(fd) == WRITE && syscall(SYS_ppoll, &one, 1, &now, NULL, 0) == 1 && one.revents & POLLERR;
}

static void end_watched(struct queue *queue, struct watched *watched) {
    queue->filters -= (watched->filters & READ) + (watched->filters & WRITE) / WRITE;
    *watched = (struct watched){0};
}

/* What a descriptor is watched for, made sure of: it may have been closed in a way that was not noticed. */
static struct watched *known(struct queue *queue, int fd) {
    struct watched *watched = (size_t)fd < queue->room ? &queue->watched[fd] : NULL;
    int told = watched == NULL ? 0 : wanted(watched);

    if (told != 0 && !watched->is_file && tell_filters(queue, fd, told, told) != 0) end_watched(queue, watched);
    return watched == NULL || watched->filters == 0 ? NULL : watched;
}

static int change_descriptor(struct queue *queue, const struct kevent *change) {
    int filter = change->filter == EVFILT_READ ? READ : WRITE, fd = (int)change->ident, error, before;
    struct watched *watched;

    if (change->ident > INT_MAX || syscall(SYS_fcntl, fd, F_GETFD) < 0) return EBADF;
    if (queue_of(fd) != NULL && filter == WRITE) return EINVAL;
    watched = known(queue, fd);
    if ((watched == NULL || !(watched->filters & filter)) && !(change->flags & EV_ADD)) return ENOENT;
    if (change->flags & EV_DELETE) {
        before = wanted(watched);
        watched->filters &= ~filter;
        watched->held &= ~filter;
        watched->once &= ~filter;
        queue->filters--;
        if (watched->is_file)
            look_at_files(queue);
        else
            tell_filters(queue, fd, before, wanted(watched));
        if (watched->filters == 0) *watched = (struct watched){0};
        return 0;
    }
    if (watched == NULL) {
        error = make_room(queue, (size_t)fd + 1);
        if (error != 0) return error;
        watched = &queue->watched[fd];
        *watched = (struct watched){.able = (unsigned char)able_filters(fd)};
    }
    if (!(watched->filters & filter)) {
        if (filter == WRITE && nobody_reads(fd)) return EPIPE;
        before = wanted(watched);
        error = watched->is_file ? EPERM : tell_filters(queue, fd, before, before | (filter & watched->able));
        if (error == EPERM) {
            error = watch_files(queue);
            watched->is_file = 1;
        }
        if (error != 0) return error;
        watched->filters |= filter;
        queue->filters++;
    }
    if (change->flags & (EV_ENABLE | EV_DISABLE)) {
        before = wanted(watched);
        watched->held = (watched->held & ~filter) | (change->flags & EV_DISABLE ? filter : 0);
        if (!watched->is_file && before != wanted(watched)) tell_filters(queue, fd, before, wanted(watched));
    }
    watched->udata[filter == WRITE] = change->udata;
    watched->once = (watched->once & ~filter) | (change->flags & EV_ONESHOT ? filter : 0);
    if (watched->is_file) look_at_files(queue);
    return 0;
}

/* ---- Timers ---- */

static int change_timer(struct queue *queue, const struct kevent *change) {
    const size_t most = sizeof(queue->timers) / sizeof(queue->timers[0]);
    struct timer *timer = queue->timers, *end = queue->timers + most;
    struct itimerspec times = {{0, 0}, {0, 0}};

    while (timer < end && (timer->fd < 0 || timer->ident != change->ident)) timer++;
    if (!(change->flags & EV_ADD)) {
        if (timer == end) return ENOENT;
        if (change->flags & EV_DELETE) {
            close_own(timer->fd);
            timer->fd = -1;
        }
        return 0;
    }
    if (change->data < 0 || change->data / 1000 > FARTHEST || change->fflags != 0) return EINVAL;
    if (timer == end) {
        for (timer = queue->timers; timer < end && timer->fd >= 0;) timer++;
        if (timer == end) return ENOMEM;
        timer->fd = out_of_the_way((int)syscall(SYS_timerfd_create, CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
        if (timer->fd < 0) return errno;
        tell(queue, EPOLL_CTL_ADD, timer->fd, EPOLLIN, TIMERS);
    }
    timer->ident = change->ident;
    timer->is_once = (change->flags & EV_ONESHOT) != 0;
    timer->udata = change->udata;
    times.it_value.tv_sec = change->data / 1000;
    times.it_value.tv_nsec = change->data % 1000 * 1000000;
    if (change->data == 0) times.it_value.tv_nsec = 1;
    if (!timer->is_once) times.it_interval = times.it_value;
    return syscall(SYS_timerfd_settime, timer->fd, 0, &times, NULL) == 0 ? 0 : errno;
}

static int change_one(struct queue *queue, const struct kevent *change) {
    if (change->flags & ~(EV_ADD | EV_DELETE | EV_ENABLE | EV_DISABLE | EV_ONESHOT)) return EINVAL;
    switch (change->filter) {
    case EVFILT_READ:
    case EVFILT_WRITE: return change_descriptor(queue, change);
    case EVFILT_TIMER: return change_timer(queue, change);
    default: return EINVAL;
    }
}

/* ---- What has fired ---- */

struct report {
    struct kevent *events;
    int capacity, count;
};

/* How much can be read, or written. */
static intptr_t amount(int fd, int filter) {
    int count = 0, room = 0;
    socklen_t size = sizeof(room);

    if (filter == READ) return syscall(SYS_ioctl, fd, FIONREAD, &count) == 0 ? count : 0;
    if (syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_SNDBUF, &room, &size) != 0) return 1;
    if (syscall(SYS_ioctl, fd, SIOCOUTQ, &count) != 0) return 1;
    return room > count ? room - count : 0;
}

static void report_one(struct queue *queue, int fd, int filter, unsigned events, struct report *report) {
    struct watched *watched = &queue->watched[fd];
    unsigned end = filter == READ ? EPOLLRDHUP | EPOLLHUP : EPOLLHUP;
    struct kevent *event = &report->events[report->count++];

    EV_SET(event, (uintptr_t)fd, filter == READ ? EVFILT_READ : EVFILT_WRITE, EV_ADD, 0, amount(fd, filter),
           watched->udata[filter == WRITE]);
    if (events & end) event->flags |= EV_EOF;
    if (events & EPOLLERR) {
        /* A pipe has none but that nobody reads. */
        event->flags |= EV_EOF;
        if (watched->able == (READ | WRITE)) event->fflags = EIO;
    }
    if (watched->once & filter) {
        struct kevent gone = {.ident = (uintptr_t)fd, .filter = event->filter, .flags = EV_DELETE};

        event->flags |= EV_ONESHOT;
        change_descriptor(queue, &gone);
    }
}

static void report_descriptor(struct queue *queue, int fd, unsigned events, struct report *report) {
    struct watched *watched = (size_t)fd < queue->room ? &queue->watched[fd] : NULL;
    unsigned always = EPOLLHUP | EPOLLERR;
    int ready = (events & (EPOLLIN | EPOLLRDHUP | always) ? READ : 0) | (events & (EPOLLOUT | always) ? WRITE : 0);
    int first, filter;

    if (watched == NULL) return;
    ready &= wanted(watched);
    first = ready & watched->left_out ? watched->left_out : READ;
    watched->left_out = 0;
    for (filter = first; ready != 0; filter ^= READ | WRITE) {
        if (!(ready & filter)) continue;
        if (report->count == report->capacity) {
            watched->left_out = (unsigned char)filter;
            return;
        }
        ready &= ~filter;
        report_one(queue, fd, filter, events, report);
    }
}

static void report_files(struct queue *queue, struct report *report) {
    size_t fd;

    for (fd = 0; fd < queue->room; fd++) {
        int ready = queue->watched[fd].is_file ? ready_of_file((int)fd, &queue->watched[fd]) : 0;

        if (ready != 0)
            report_descriptor(queue, (int)fd, (ready & READ ? EPOLLIN : 0) | (ready & WRITE ? EPOLLOUT : 0), report);
    }
}

static void report_timers(struct queue *queue, struct report *report) {
    unsigned long long times;
    size_t i;

    for (i = 0; i < sizeof(queue->timers) / sizeof(queue->timers[0]); i++) {
        struct timer *timer = &queue->timers[i];

        if (timer->fd < 0 || report->count == report->capacity) continue;
        if (syscall(SYS_read, timer->fd, &times, sizeof(times)) != sizeof(times)) continue;
        EV_SET(&report->events[report->count], timer->ident, EVFILT_TIMER, EV_ADD, 0, (intptr_t)times, timer->udata);
        report->count++;
        if (timer->is_once) {
            close_own(timer->fd);
            timer->fd = -1;
        }
    }
}

/* Says whether this call has not found it before. */
static int is_new(struct queue *queue, int fd) {
    unsigned *call = &queue->files_call;
    int is_new;

    if (fd != FILES) {
        if (fd < 0 || (size_t)fd >= queue->room) return 1;
        call = &queue->watched[fd].call;
    }
    is_new = *call != queue->calls;
    *call = queue->calls;
    return is_new;
}

/* What is ready now, as far as there is room. Epoll puts what it reports behind the rest: where there may not be room
 * for all, it is asked for one at a time. */
static int collect(struct queue *queue, struct kevent *events, int capacity) {
    const int timers = sizeof(queue->timers) / sizeof(queue->timers[0]), most = queue->filters + timers + 1;
    struct report report = {events, capacity, 0};
    int at_once = capacity >= most ? most : 1, count, i;
    struct epoll_event few[64], *found = at_once > 64 ? map(sizeof(*found) * (size_t)at_once) : few;

    if (found == NULL) return 0;
    queue->calls++;
    do {
        count = (int)syscall(SYS_epoll_pwait, queue->fd, found, at_once, 0, NULL, 8);
        for (i = 0; i < count; i++) {
            int fd = found[i].data.fd;

            if (!is_new(queue, fd)) count = 0;
            else if (fd == TIMERS) report_timers(queue, &report);
            else if (fd == FILES) report_files(queue, &report);
            else report_descriptor(queue, fd, found[i].events, &report);
        }
    } while (at_once == 1 && count > 0 && report.count < capacity);
    if (found != few) syscall(SYS_munmap, found, sizeof(*found) * (size_t)at_once);
    return report.count;
}

static long long now_ns(void) {
    struct timespec now;

    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Until the queue is readable, or its time is over: 0; -1 for an error. Here a thread can be cancelled. */
static int wait_for(int fd, const long long *until) {
    struct pollfd one = {.fd = fd, .events = POLLIN};
    long long left = until == NULL ? 0 : *until - now_ns();
    struct timespec rest;

    if (left < 0) left = 0;
    rest = (struct timespec){left / 1000000000, left % 1000000000};
    return ppoll(&one, 1, until == NULL ? NULL : &rest, NULL) < 0 ? -1 : 0;
}

int kevent(int fd, const struct kevent *changes, int change_count, struct kevent *events, int capacity,
           const struct timespec *limit) {
    int kept = errno, count = 0, is_over = 0, error = 0, i;
    struct queue *queue;
    sigset_t before;
    long long until = 0;

    if (kevent_fails != NULL) error = kevent_fails(changes, change_count, limit);
    lock(&before);
    queue = queue_of(fd);
    if (error == 0 && queue == NULL) error = EBADF;
    for (i = 0; i < change_count && error == 0; i++) {
        int failed = change_one(queue, &changes[i]);

        if (failed == 0) continue;
        if (count == capacity) {
            error = failed;
        } else {
            events[count] = changes[i];
            events[count].flags = EV_ERROR;
            events[count++].data = failed;
        }
    }
    unlock(&before);
    if (error == 0 && limit != NULL &&
        (limit->tv_sec < 0 || limit->tv_sec > FARTHEST || limit->tv_nsec < 0 || limit->tv_nsec >= 1000000000))
        error = EINVAL;
    if (error != 0) {
        errno = error;
        return -1;
    }
    if (limit != NULL) until = now_ns() + limit->tv_sec * 1000000000LL + limit->tv_nsec;
    while (count == 0 && capacity > 0 && !is_over) {
        if (limit == NULL || limit->tv_sec != 0 || limit->tv_nsec != 0) {
            lock(&before);
            queue = queue_of(fd);
            if (queue != NULL) look_at_files(queue);
            unlock(&before);
            if (wait_for(fd, limit == NULL ? NULL : &until) != 0) return -1;
        }
        is_over = limit != NULL && now_ns() >= until;
        lock(&before);
        queue = queue_of(fd);
        if (queue != NULL) {
            look_at_files(queue);
            count = collect(queue, events, capacity);
        }
        unlock(&before);
        if (queue == NULL) {
            errno = EBADF;
            return -1;
        }
    }
    errno = kept;
    return count;
}

/* ---- Descriptors that are closed ---- */

int __real_close(int fd);
int __real_dup2(int from, int to);
int __real_dup3(int from, int to, int flags);
int __wrap_close(int fd);
int __wrap_dup2(int from, int to);
int __wrap_dup3(int from, int to, int flags);

static void forget(int fd) {
    struct queue *queue;
    sigset_t before;
    int kept = errno;

    if (fd < 0) return;
    lock(&before);
    queue = queue_of(fd);
    if (queue != NULL) end_queue(queue);
    for (queue = queues; queue != NULL; queue = queue->next) {
        struct watched *watched = (size_t)fd < queue->room ? &queue->watched[fd] : NULL;

        if (watched == NULL || watched->filters == 0) continue;
        if (!watched->is_file) tell_filters(queue, fd, wanted(watched), 0);
        end_watched(queue, watched);
        look_at_files(queue);
    }
    unlock(&before);
    errno = kept;
}

int __wrap_close(int fd) {
    forget(fd);
    return __real_close(fd);
}

int __wrap_dup2(int from, int to) {
    if (from != to && syscall(SYS_fcntl, from, F_GETFD) >= 0) forget(to);
    return __real_dup2(from, to);
}

int __wrap_dup3(int from, int to, int flags) {
    if (from != to && syscall(SYS_fcntl, from, F_GETFD) >= 0) forget(to);
    return __real_dup3(from, to, flags);
}
