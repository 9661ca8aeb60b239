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
    CHECK(fcntl(LIBAE_LISTEN_FDS_START, F_SETFD, 0) == 0); /* as an exec leaves it */
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

/* ---- Handing them over ---- */

static int port_of(int fd) {
    struct sockaddr_in address;
    socklen_t len = sizeof(address);

    CHECK(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
    return ntohs(address.sin_port);
}

static int blocked_signals(void) {
    sigset_t blocked;
    int signal, count = 0;

    CHECK_INT(pthread_sigmask(SIG_SETMASK, NULL, &blocked), 0);
    for (signal = 1; signal < NSIG; signal++) count += sigismember(&blocked, signal) == 1;
    return count;
}

static void block(int first, int second) {
    sigset_t blocked;

    sigemptyset(&blocked);
    sigaddset(&blocked, first);
    sigaddset(&blocked, second);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, &blocked, NULL), 0);
    CHECK_INT(blocked_signals(), 2);
}

/* This program again, in the same case, with the ports in its environment. */
static void expect_successor(const char *name, int places_are_taken) {
    char self[4096], ports[32], *handed = getenv("TEST_PORTS");
    char *argv[] = {self, (char *)name, NULL};
    int first, second, sockets[2];
    ssize_t len;

    if (handed != NULL) {
        CHECK(sscanf(handed, "%d %d", &first, &second) == 2);
        CHECK_INT(libaeListenFds(), 2);
        CHECK_INT(libaeIsListening(LIBAE_LISTEN_FDS_START), 1);
        CHECK_INT(port_of(LIBAE_LISTEN_FDS_START), first);
        CHECK_INT(port_of(LIBAE_LISTEN_FDS_START + 1), second);
        CHECK(getenv("LISTEN_FDNAMES") == NULL);
        CHECK_INT(blocked_signals(), 0);
        return;
    }
    sockets[0] = test_listen(AF_INET, 8, &first);
    sockets[1] = test_listen(AF_INET, 8, &second);
    /* Each at the place of the other. */
    CHECK(fcntl(sockets[0], F_DUPFD, 50) == 50 && fcntl(sockets[1], F_DUPFD, 51) == 51);
    if (places_are_taken) {
        CHECK(dup2(50, LIBAE_LISTEN_FDS_START + 1) != -1 && dup2(51, LIBAE_LISTEN_FDS_START) != -1);
        sockets[0] = LIBAE_LISTEN_FDS_START + 1;
        sockets[1] = LIBAE_LISTEN_FDS_START;
    } else {
        int i;

        for (i = 0; i < 10; i++) close(LIBAE_LISTEN_FDS_START + i);
        sockets[0] = 50;
        sockets[1] = 51;
    }
    len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    CHECK(len > 0);
    self[len] = '\0';
    snprintf(ports, sizeof(ports), "%d %d", first, second);
    CHECK(setenv("TEST_PORTS", ports, 1) == 0 && setenv("LISTEN_FDNAMES", "one:two", 1) == 0);
    block(SIGUSR1, SIGTERM);
    libaeExecWithListeners(self, argv, sockets, 2);
    FAIL("it returned (errno %d)", errno);
}

static void a_successor_gets_the_sockets_in_their_order(void) { expect_successor(__func__, 1); }
static void a_successor_gets_the_sockets_where_nothing_was(void) { expect_successor(__func__, 0); }

static void when_there_is_no_successor_nothing_has_changed(void) {
    char *argv[] = {(char *)"nobody", NULL}, *none[] = {NULL};
    int port, ends[2], pair[2], listening = test_listen(AF_INET, 8, &port), unused;

    test_pipe(ends);
    CHECK_FAILS(libaeExecWithListeners("/no/such/program", argv, &listening, 1), AE_ERR, ENOENT);
    CHECK_FAILS(libaeExecWithListeners("no-such-program-anywhere", argv, NULL, 0), AE_ERR, ENOENT);
    CHECK_FAILS(libaeExecWithListeners(NULL, argv, &listening, 1), AE_ERR, EINVAL);
    CHECK_FAILS(libaeExecWithListeners("/bin/false", NULL, &listening, 1), AE_ERR, EINVAL);
    CHECK_FAILS(libaeExecWithListeners("/bin/false", none, &listening, 1), AE_ERR, EINVAL);
    CHECK_FAILS(libaeExecWithListeners("/bin/false", argv, NULL, 1), AE_ERR, EINVAL);
    CHECK_FAILS(libaeExecWithListeners("/bin/false", argv, &listening, -1), AE_ERR, EINVAL);
    CHECK_FAILS(libaeExecWithListeners("/bin/false", argv, &ends[0], 1), AE_ERR, ENOTSOCK);
    unused = test_unused_fd();
    CHECK_FAILS(libaeExecWithListeners("/bin/false", argv, &unused, 1), AE_ERR, EBADF);
    test_pair(pair);
    CHECK_FAILS(libaeExecWithListeners("/bin/false", argv, &pair[0], 1), AE_ERR, EINVAL);
    CHECK(getenv("LISTEN_FDS") == NULL);
    /* Where a socket was to be is what was there. */
    CHECK_INT(libaeIsListening(listening), 1);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_INT(read(ends[0], &none, 1), 1);
    test_close_pair(pair);
    test_close_pair(ends);
    close(listening);
}

/* Descriptors of any kind, and none, where the sockets were to be: afterwards each is what it was. */
static void when_there_is_no_successor_places_are_as_before(void) {
    enum { FIRST = LIBAE_LISTEN_FDS_START, COUNT = 4 };
    char *argv[] = {(char *)"nobody", NULL};
    int i, port, listening = test_listen(AF_INET, 8, &port), sockets[COUNT], ends[2], before;
    char byte;

    test_pipe(ends);
    CHECK_INT(fcntl(listening, F_DUPFD_CLOEXEC, 50), 50);
    CHECK_INT(fcntl(ends[0], F_DUPFD_CLOEXEC, 60), 60);
    CHECK_INT(fcntl(ends[1], F_DUPFD_CLOEXEC, 61), 61);
    for (i = 0; i < 10; i++) close(FIRST + i);
    for (i = 0; i < COUNT; i++) sockets[i] = 50;
    CHECK(dup2(60, FIRST) == FIRST); /* which an exec leaves open */
    CHECK(fcntl(61, F_DUPFD_CLOEXEC, FIRST + 2) == FIRST + 2);
    before = test_open_fds();
    CHECK_FAILS(libaeExecWithListeners("/no/such/program", argv, sockets, COUNT), AE_ERR, ENOENT);
    CHECK_INT(test_open_fds(), before);
    CHECK_INT(write(FIRST + 2, "x", 1), 1);
    CHECK_INT(read(FIRST, &byte, 1), 1);
    CHECK_INT(fcntl(FIRST, F_GETFD) & FD_CLOEXEC, 0);
    CHECK_INT(fcntl(FIRST + 2, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    CHECK(!test_is_open(FIRST + 1) && !test_is_open(FIRST + 3));
    close(FIRST);
    close(FIRST + 2);
    close(50);
    close(60);
    close(61);
}

static void at_pipe(int signal) { (void)signal; }

/* Also when all is well until the program is looked for. */
static void when_there_is_no_successor_signals_are_as_before(void) {
    struct sigaction action = {.sa_handler = at_pipe, .sa_flags = SA_RESTART | SA_NODEFER}, now;
    char *argv[] = {(char *)"nobody", NULL};
    sigset_t blocked;
    int port, listening = test_listen(AF_INET, 8, &port);

    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGUSR2);
    CHECK(sigaction(SIGPIPE, &action, NULL) == 0);
    block(SIGUSR1, SIGTERM);
    CHECK_FAILS(libaeExecWithListeners("/no/such/program", argv, &listening, 1), AE_ERR, ENOENT);
    CHECK_FAILS(libaeExecWithListeners("/", argv, NULL, 0), AE_ERR, EACCES);
    CHECK_INT(blocked_signals(), 2);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, NULL, &blocked), 0);
    CHECK_INT(sigismember(&blocked, SIGUSR1) + sigismember(&blocked, SIGTERM), 2);
    CHECK(sigaction(SIGPIPE, NULL, &now) == 0);
    CHECK(now.sa_handler == at_pipe);
    CHECK_INT(now.sa_flags & (SA_RESTART | SA_NODEFER), SA_RESTART | SA_NODEFER);
    CHECK_INT(sigismember(&now.sa_mask, SIGUSR2), 1);
    close(listening);
}

TEST_MAIN(CASE(counts_the_sockets_that_are_for_this_process), CASE(what_is_wrong_is_an_error), CASE(tells_what_listens),
          CASE(a_successor_gets_the_sockets_in_their_order),
          CASE(a_successor_gets_the_sockets_where_nothing_was), CASE(when_there_is_no_successor_nothing_has_changed),
          CASE(when_there_is_no_successor_places_are_as_before),
          CASE(when_there_is_no_successor_signals_are_as_before))
