/* Listening sockets that whoever started the process has opened for it. */
#include "test.h"

#include <ae.h>
#include <libae.h>

/* What a service manager puts into the environment of `pid`. */
static void announce(const char *count, pid_t pid) {
    char text[32];

    snprintf(text, sizeof(text), "%d", (int)pid);
    CHECK(setenv("LISTEN_PID", text, 1) == 0);
    CHECK(setenv("LISTEN_FDS", count, 1) == 0);
}

static void counts_the_sockets_that_are_for_this_process(void) {
    int port, fd, file;

    unsetenv("LISTEN_FDS");
    CHECK_KEEPS_ERRNO(libaeListenFds(), 0);
    fd = test_listen(AF_INET, 8, &port);
    announce("1", getpid());
    /* Descriptor 3 is there, whatever it is, or this one takes it. */
    file = fcntl(fd, F_DUPFD, LIBAE_LISTEN_FDS_START);
    if (file != LIBAE_LISTEN_FDS_START) {
        CHECK_INT(dup2(fd, LIBAE_LISTEN_FDS_START), LIBAE_LISTEN_FDS_START);
        close(file);
    }
    CHECK_KEEPS_ERRNO(libaeListenFds(), 1);
    CHECK(fcntl(LIBAE_LISTEN_FDS_START, F_GETFD) & FD_CLOEXEC);
    CHECK_KEEPS_ERRNO(libaeIsListening(LIBAE_LISTEN_FDS_START), 1);
    announce("1", getppid());
    CHECK_INT(libaeListenFds(), 0);
    announce("0", getpid());
    CHECK_INT(libaeListenFds(), 0);
    unsetenv("LISTEN_PID");
    CHECK_INT(libaeListenFds(), 0);
    if (fd != LIBAE_LISTEN_FDS_START) close(fd);
    close(LIBAE_LISTEN_FDS_START);
}

static void what_is_wrong_is_an_error(void) {
    announce("x", getpid());
    CHECK_FAILS(libaeListenFds(), AE_ERR, EINVAL);
    announce("-1", getpid());
    CHECK_FAILS(libaeListenFds(), AE_ERR, EINVAL);
    announce("2147483647", getpid());
    CHECK_FAILS(libaeListenFds(), AE_ERR, EINVAL);
    announce("1000000", getpid());
    CHECK_FAILS(libaeListenFds(), AE_ERR, EBADF);
    announce("1", getpid());
    CHECK(setenv("LISTEN_PID", "me", 1) == 0);
    CHECK_FAILS(libaeListenFds(), AE_ERR, EINVAL);
}

static void tells_what_listens(void) {
    int port, listening = test_listen(AF_INET, 8, &port), pair[2], ends[2];

    test_pair(pair);
    test_pipe(ends);
    CHECK_INT(libaeIsListening(listening), 1);
    CHECK_INT(libaeIsListening(pair[0]), 0);
    CHECK_FAILS(libaeIsListening(ends[0]), AE_ERR, ENOTSOCK);
    CHECK_FAILS(libaeIsListening(test_unused_fd()), AE_ERR, EBADF);
    test_close_pair(pair);
    test_close_pair(ends);
    close(listening);
}

TEST_MAIN(CASE(counts_the_sockets_that_are_for_this_process), CASE(what_is_wrong_is_an_error), CASE(tells_what_listens))
