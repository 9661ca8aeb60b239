#define _GNU_SOURCE
#include "world.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "play.h"

struct world world;

enum { START = 1000000000, COARSE = 4000, MAX_WAITS = 50, MAX_TURNS = 1024 };

/* What the first side's polls found. Of those in one turn the last has its handlers called, which is another turn. */
static struct log {
    unsigned char fds[MAX_READY];
    int count;
} logs[MAX_TURNS];

/* A new world; what the first side's polls found in which order is kept for the second. */
void side_begins(enum backend backend, int is_stock) {
    memset(&world, 0, sizeof(world));
    world.now = START;
    world.order = ORDER_KEYED;
    if (backend == WITH_SELECT) world.order = ORDER_ASCENDING;
    if (backend == WITH_POLL && is_stock) world.order = ORDER_AS_BEFORE;
    if (!is_stock) memset(logs, 0, sizeof(logs));
}

void world_turn(void) {
    world.turn++;
    world.waits = 0;
}

/* Counts a wait. */
static void begin_wait(void) {
    if (++world.waits == MAX_WAITS) world.is_stuck = 1;
}

/* ---- The clock ---- */

int clock_gettime(clockid_t clock, struct timespec *time) {
    int64_t now = world.now;

    if (clock == CLOCK_MONOTONIC_COARSE)
        now -= now % COARSE; /* it moves by ticks */
    else if (clock != CLOCK_MONOTONIC)
        return (int)syscall(SYS_clock_gettime, clock, time);
    time->tv_sec = now / 1000000;
    time->tv_nsec = now % 1000000 * 1000;
    return 0;
}

/* ---- Waiting ---- */

/* Longer than any timer: whoever waits so long waits forever. */
#define FOREVER ((int64_t)100000 * 1000000)

/* Nothing is ready: lets the time-out (below 0: none) pass; 0, or -1 for an interruption. */
static int pass_time(int64_t timeout) {
    int forever = timeout < 0 || timeout > FOREVER;

    if (world.is_stuck) world.nothing_left();
    if (timeout == 0) return 0;
    if (world.interrupted || forever) {
        if (!world.interrupted) world.nothing_left();
        world.interrupted = 0;
        errno = EINTR;
        return -1;
    }
    world.now += timeout;
    return 0;
}

static uint64_t key_of(int fd) {
    uint64_t key = (world.key + (uint64_t)world.turn) * 0x9e3779b97f4a7c15u ^ (uint64_t)(fd + 1) * 0xbf58476d1ce4e5b9u;

    key = (key ^ key >> 29) * 0x94d049bb133111ebu;
    return key ^ key >> 32;
}

/* Of these descriptors the ones that are told, which is as many as the program allows. */
static int choose(unsigned char *fds, int count) {
    int i, j;

    if (world.most_ready == 0 || count <= world.most_ready) return count;
    for (i = 1; i < count; i++)
        for (j = i; j > 0 && key_of(fds[j - 1]) > key_of(fds[j]); j--) {
            unsigned char fd = fds[j];

            fds[j] = fds[j - 1];
            fds[j - 1] = fd;
        }
    return world.most_ready;
}

static int wants_any(void) { return world.wants_any == NULL || world.wants_any(); }

static int is_chosen(const unsigned char *fds, int count, int fd) { return memchr(fds, fd, (size_t)count) != NULL; }

static uint64_t rank_of(int fd) {
    const struct log *log = &logs[world.turn % MAX_TURNS];
    const unsigned char *place;

    switch (world.order) {
    case ORDER_ASCENDING: return (uint64_t)fd;
    case ORDER_AS_BEFORE:
        place = memchr(log->fds, fd, (size_t)log->count);
        return place != NULL ? (uint64_t)(place - log->fds) : MAX_READY + (uint64_t)fd;
    default: return key_of(fd);
    }
}

static int wait_with_epoll(int epoll, struct epoll_event *events, int capacity, int64_t timeout, int is_rounded) {
    struct epoll_event found[MAX_READY];
    unsigned char fds[MAX_READY];
    int count = (int)syscall(SYS_epoll_pwait, epoll, found, MAX_READY, 0, NULL, 8), chosen = 0, i, j, told = 0;

    begin_wait();
    if (count < 0) return count;
    for (i = j = 0; i < count; i++) {
        int fd = found[i].data.fd;

        if (world.may_fire != NULL && !world.may_fire(fd)) continue;
        fds[chosen++] = (unsigned char)fd;
        found[j++] = found[i];
    }
    count = j;
    if (count == 0) return pass_time(is_rounded && timeout > 0 && world.exact != NULL ? world.exact(timeout) : timeout);
    if (!wants_any()) return 0;
    chosen = choose(fds, chosen);
    for (i = 0; i < count; i++) {
        int fd = found[i].data.fd;

        if (!is_chosen(fds, chosen, fd) || told == capacity) continue;
        for (j = told++; j > 0 && rank_of(events[j - 1].data.fd) > rank_of(fd); j--) events[j] = events[j - 1];
        events[j] = found[i];
        if (world.found != NULL) world.found(fd);
    }
    if (world.told != NULL) world.told(told);
    return told;
}

int epoll_wait(int epoll, struct epoll_event *events, int capacity, int timeout) {
    return wait_with_epoll(epoll, events, capacity, timeout < 0 ? -1 : (int64_t)timeout * 1000, 1);
}

int epoll_pwait2(int epoll, struct epoll_event *events, int capacity, const struct timespec *timeout,
                 const sigset_t *signals) {
    (void)signals;
    return wait_with_epoll(epoll, events, capacity,
                           timeout == NULL ? -1 : timeout->tv_sec * 1000000 + (timeout->tv_nsec + 999) / 1000, 0);
}

int poll(struct pollfd *entries, nfds_t count, int timeout) {
    struct log *log = &logs[world.turn % MAX_TURNS];
    unsigned char fds[MAX_READY];
    int ready = (int)syscall(SYS_poll, entries, count, 0), chosen = 0;
    nfds_t i;

    if (!world.for_one) begin_wait();
    if (ready < 0) return ready;
    if (ready == 0) return pass_time(timeout < 0 ? -1 : (int64_t)timeout * 1000);
    if (world.for_one) return ready;
    for (i = 0; i < count; i++)
        if (entries[i].revents != 0 && chosen < MAX_READY) fds[chosen++] = (unsigned char)entries[i].fd;
    chosen = choose(fds, chosen);
    log->count = 0;
    for (i = 0; i < count; i++) {
        if (entries[i].revents == 0) continue;
        if (is_chosen(fds, chosen, entries[i].fd)) {
            log->fds[log->count++] = (unsigned char)entries[i].fd;
        } else {
            entries[i].revents = 0;
            ready--;
        }
    }
    return ready;
}

int select(int limit, fd_set *read, fd_set *write, fd_set *except, struct timeval *timeout) {
    struct timeval none = {0, 0};
    unsigned char fds[MAX_READY];
    int ready = (int)syscall(SYS_select, limit, read, write, except, &none), chosen = 0, fd;

    begin_wait();
    if (ready < 0) return ready;
    for (fd = 0; ready > 0 && fd < limit && chosen < MAX_READY; fd++) {
        if (!FD_ISSET(fd, read) && !FD_ISSET(fd, write)) continue;
        if (world.may_fire != NULL && !world.may_fire(fd)) {
            FD_CLR(fd, read);
            FD_CLR(fd, write);
            continue;
        }
        fds[chosen++] = (unsigned char)fd;
    }
    if (chosen == 0) return pass_time(timeout == NULL ? -1 : timeout->tv_sec * 1000000 + timeout->tv_usec);
    chosen = wants_any() ? choose(fds, chosen) : 0;
    for (fd = ready = 0; fd < limit; fd++) {
        if (!FD_ISSET(fd, read) && !FD_ISSET(fd, write)) continue;
        if (is_chosen(fds, chosen, fd)) {
            ready += (FD_ISSET(fd, read) != 0) + (FD_ISSET(fd, write) != 0);
            if (world.found != NULL) world.found(fd);
        } else {
            FD_CLR(fd, read);
            FD_CLR(fd, write);
        }
    }
    if (world.told != NULL && chosen > 0) world.told(chosen);
    return ready;
}
