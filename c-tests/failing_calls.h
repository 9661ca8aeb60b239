/* The C library's calls, for the library as well: each can be made to fail. Included after test.h. */
#ifndef LIBAE_FAILING_CALLS_H
#define LIBAE_FAILING_CALLS_H

#include <sys/syscall.h>

/* The errors of the next calls, from the last to the first; then they are the system's. */
struct failures {
    int count, errors[4];
};

static struct failures connects, accepts, reads, writes, polls, sockets;

static int fails(struct failures *failures) {
    if (failures->count == 0) return 0;
    errno = failures->errors[--failures->count];
    return 1;
}

/* Whether a connect goes on after it has been interrupted. */
static int connect_goes_on;

int connect(int fd, const struct sockaddr *address, socklen_t length) {
    if (!fails(&connects)) return (int)syscall(SYS_connect, fd, address, length);
    if (errno == EINTR && connect_goes_on) {
        int flags = fcntl(fd, F_GETFL);

        fcntl(fd, F_SETFL, flags | O_NONBLOCK);
        syscall(SYS_connect, fd, address, length);
        fcntl(fd, F_SETFL, flags);
        errno = EINTR;
    }
    return -1;
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
    return fails(&accepts) ? -1 : (int)syscall(SYS_accept4, fd, address, length, flags);
}

ssize_t read(int fd, void *buffer, size_t count) {
    return fails(&reads) ? -1 : syscall(SYS_read, fd, buffer, count);
}

ssize_t write(int fd, const void *data, size_t count) {
    return fails(&writes) ? -1 : syscall(SYS_write, fd, data, count);
}

int poll(struct pollfd *entries, nfds_t count, int timeout) {
    return fails(&polls) ? -1 : (int)syscall(SYS_poll, entries, count, timeout);
}

int socket(int family, int type, int protocol) {
    return fails(&sockets) ? -1 : (int)syscall(SYS_socket, family, type, protocol);
}

#endif
