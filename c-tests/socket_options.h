/* What the tests of sockets with options share. */
#ifndef LIBAE_SOCKET_OPTIONS_TEST_H
#define LIBAE_SOCKET_OPTIONS_TEST_H

#include "test.h"

#include <ae.h>
#include <anet.h>
#include <libae.h>
#include <netinet/tcp.h>

static char err[ANET_ERR_LEN];
static libaeSocketOptions options = {.size = sizeof(options)};

static inline int opened(int fd) {
    if (fd == ANET_ERR) FAIL("%s (errno %d)", err, errno);
    return fd;
}

static inline int listens_on(const char *address) { return opened(libaeListen(err, address, 0, &options)); }

/* A listener, who connects to it, and what it accepts; with the options for one or the other. */
struct three {
    int listening, connected, accepted;
};

static inline struct three three(const char *address, const libaeSocketOptions *for_listener,
                          const libaeSocketOptions *for_connect) {
    struct three fds;

    fds.listening = opened(libaeListen(err, address, 0, for_listener));
    fds.connected = opened(libaeConnect(err, address, test_port(fds.listening), for_connect));
    test_await(fds.listening, POLLIN);
    fds.accepted = test_accept(fds.listening, SOCK_NONBLOCK);
    test_await(fds.connected, POLLOUT);
    return fds;
}

static inline void close_three(struct three fds) {
    close(fds.accepted);
    close(fds.connected);
    close(fds.listening);
}

static inline int is_kept(int fd) { return !(fcntl(fd, F_GETFD) & FD_CLOEXEC); }
static inline int blocks(int fd) { return !(fcntl(fd, F_GETFL) & O_NONBLOCK); }

#endif
