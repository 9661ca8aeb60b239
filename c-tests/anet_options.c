/* Options of descriptors and sockets, pipes, and what every error text keeps to. */
#include "test.h"

#include <anet.h>
#include <netinet/tcp.h>

static char err[ANET_ERR_LEN];

static int tcp_socket(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(fd != -1);
    return fd;
}

static int is_nonblocking(int fd) { return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0; }

static int is_cloexec(int fd) { return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }

/* ---- Descriptors ---- */

static void blocking_can_be_switched(void) {
    int fd = tcp_socket();

    CHECK_KEEPS_ERRNO(anetIsBlock(err, fd), 1);
    CHECK_KEEPS_ERRNO(anetNonBlock(err, fd), ANET_OK);
    CHECK_INT(is_nonblocking(fd), 1);
    CHECK_KEEPS_ERRNO(anetIsBlock(err, fd), 0);
    CHECK_KEEPS_ERRNO(anetNonBlock(err, fd), ANET_OK);
    CHECK_KEEPS_ERRNO(anetBlock(err, fd), ANET_OK);
    CHECK_INT(is_nonblocking(fd), 0);
    CHECK_INT(anetSetBlock(err, fd, 1), ANET_OK);
    CHECK_INT(is_nonblocking(fd), 1);
    CHECK_INT(anetSetBlock(err, fd, 7), ANET_OK);
    CHECK_INT(is_nonblocking(fd), 1);
    CHECK_INT(anetSetBlock(err, fd, 0), ANET_OK);
    CHECK_INT(is_nonblocking(fd), 0);
    CHECK_INT(anetIsBlock(NULL, fd), 1);
    close(fd);
    CHECK_FAILS(anetIsBlock(err, fd), ANET_ERR, EBADF);
    CHECK_TEXT(err, "fcntl(F_GETFL): Bad file descriptor");
    CHECK_FAILS(anetIsBlock(NULL, fd), ANET_ERR, EBADF);
}

static void blocking_keeps_other_flags(void) {
    int fds[2];

    test_pipe(fds);
    CHECK(fcntl(fds[1], F_SETFL, O_APPEND) == 0);
    CHECK_INT(anetNonBlock(err, fds[1]), ANET_OK);
    CHECK_INT(fcntl(fds[1], F_GETFL) & (O_APPEND | O_NONBLOCK), O_APPEND | O_NONBLOCK);
    CHECK_INT(anetBlock(err, fds[1]), ANET_OK);
    CHECK_INT(fcntl(fds[1], F_GETFL) & (O_APPEND | O_NONBLOCK), O_APPEND);
    test_close_pair(fds);
}

static void cloexec_can_be_set(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    CHECK(fd != -1);
    CHECK_INT(is_cloexec(fd), 0);
    CHECK_KEEPS_ERRNO(anetCloexec(fd), ANET_OK);
    CHECK_INT(is_cloexec(fd), 1);
    CHECK(anetCloexec(fd) != ANET_ERR); /* upstream returns the flags then */
    close(fd);
    CHECK_FAILS(anetCloexec(fd), ANET_ERR, EBADF);
}

/* ---- Sockets ---- */

static void no_delay_can_be_switched(void) {
    int fd = tcp_socket();

    CHECK_KEEPS_ERRNO(anetEnableTcpNoDelay(err, fd), ANET_OK);
    CHECK(test_option(fd, IPPROTO_TCP, TCP_NODELAY) != 0);
    CHECK_KEEPS_ERRNO(anetDisableTcpNoDelay(err, fd), ANET_OK);
    CHECK_INT(test_option(fd, IPPROTO_TCP, TCP_NODELAY), 0);
    close(fd);
}

static void keepalive_is_in_thirds_of_the_interval(void) {
    int fd = tcp_socket();

    CHECK_INT(test_option(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
    CHECK_KEEPS_ERRNO(anetKeepAlive(err, fd, 300), ANET_OK);
    CHECK_INT(test_option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    CHECK_INT(test_option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 300);
    CHECK_INT(test_option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 100);
    CHECK_INT(test_option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
    CHECK_INT(anetKeepAlive(err, fd, 1), ANET_OK);
    CHECK_INT(test_option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 1);
    CHECK_INT(test_option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 1); /* never 0 */
    close(fd);
    fd = tcp_socket();
    CHECK_FAILS(anetKeepAlive(err, fd, 0), ANET_ERR, EINVAL);
    CHECK_TEXT(err, "keepalive interval: Invalid argument");
    CHECK_INT(test_option(fd, SOL_SOCKET, SO_KEEPALIVE), 0); /* it was not even begun */
    close(fd);
}

static struct timeval time_option(int fd, int name) {
    struct timeval value;
    socklen_t length = sizeof(value);

    CHECK(getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0);
    return value;
}

static void timeouts_are_milliseconds(void) {
    int fd = tcp_socket();
    struct timeval value;

    CHECK_KEEPS_ERRNO(anetSendTimeout(err, fd, 1500), ANET_OK);
    CHECK_KEEPS_ERRNO(anetRecvTimeout(err, fd, 2000), ANET_OK);
    value = time_option(fd, SO_SNDTIMEO);
    CHECK_INT(value.tv_sec, 1);
    CHECK_INT(value.tv_usec, 500000);
    value = time_option(fd, SO_RCVTIMEO);
    CHECK_INT(value.tv_sec, 2);
    CHECK_INT(value.tv_usec, 0);
    CHECK_INT(anetSendTimeout(err, fd, 0), ANET_OK);
    value = time_option(fd, SO_SNDTIMEO);
    CHECK_INT(value.tv_sec, 0);
    CHECK_INT(value.tv_usec, 0);
    CHECK_FAILS(anetSendTimeout(err, fd, -1), ANET_ERR, EDOM);
    CHECK_FAILS(anetRecvTimeout(err, fd, -1), ANET_ERR, EDOM);
    CHECK_FAILS(anetSendTimeout(err, -1, -1), ANET_ERR, EBADF); /* of the two, as setsockopt does */
    CHECK_FAILS(anetRecvTimeout(err, -1, -1), ANET_ERR, EBADF);
    close(fd);
}

static void mark_needs_the_right_to_it(void) {
    int fd = tcp_socket(), result = anetSetSockMarkId(err, fd, 77);

    if (result == ANET_OK) {
        CHECK_INT(test_option(fd, SOL_SOCKET, SO_MARK), 77);
        CHECK_INT(anetSetSockMarkId(err, fd, 0x12345678), ANET_OK);
        CHECK_INT(test_option(fd, SOL_SOCKET, SO_MARK), 0x12345678);
    } else {
        CHECK_INT(errno, EPERM);
        CHECK_CONTAINS(err, "setsockopt");
    }
    close(fd);
}

static void pending_error_of_a_healthy_socket_is_none(void) {
    int fd = tcp_socket(), pipe_fds[2];

    CHECK_KEEPS_ERRNO(anetGetError(fd), 0);
    close(fd);
    CHECK_INT(anetGetError(fd), EBADF);
    CHECK_KEEPS_ERRNO(anetGetError(-1), EBADF);
    test_pipe(pipe_fds);
    CHECK_INT(anetGetError(pipe_fds[0]), ENOTSOCK);
    test_close_pair(pipe_fds);
}

/* ---- Pipes and FIFOs ---- */

static void expect_pipe(int read_flags, int write_flags) {
    int fds[2] = {-1, -1};

    CHECK_KEEPS_ERRNO(anetPipe(fds, read_flags, write_flags), 0);
    CHECK_INT(is_nonblocking(fds[0]), (read_flags & O_NONBLOCK) != 0);
    CHECK_INT(is_nonblocking(fds[1]), (write_flags & O_NONBLOCK) != 0);
    /* As upstream on Linux: close-on-exec whether asked for or not. */
    CHECK_INT(is_cloexec(fds[0]), 1);
    CHECK_INT(is_cloexec(fds[1]), 1);
    CHECK_INT(fcntl(fds[0], F_GETFL) & O_ACCMODE, O_RDONLY);
    CHECK_INT(fcntl(fds[1], F_GETFL) & O_ACCMODE, O_WRONLY);
    test_send(fds[1], "x");
    CHECK(read(fds[0], &(char){0}, 1) == 1);
    test_close_pair(fds);
}

static void pipe_ends_have_flags_of_their_own(void) {
    const int both = O_NONBLOCK | O_CLOEXEC;

    expect_pipe(both, both);
    expect_pipe(O_NONBLOCK, 0);
    expect_pipe(0, O_NONBLOCK);
    expect_pipe(O_CLOEXEC, O_NONBLOCK);
    expect_pipe(both, O_CLOEXEC);
    expect_pipe(O_CLOEXEC, O_CLOEXEC);
    expect_pipe(0, 0);
}

/* Departs from upstream, which passes any flag on. */
static void nonsensical_pipe_is_einval(void) {
    int fds[2] = {-7, -8};

    CHECK_FAILS(anetPipe(fds, O_CREAT, 0), -1, EINVAL);
    CHECK_FAILS(anetPipe(fds, 0, -1), -1, EINVAL);
    CHECK_INT(fds[0], -7);
    CHECK_INT(fds[1], -8);
    CHECK_FAILS(anetPipe(NULL, 0, 0), -1, EINVAL);
}

static void fifo_is_told_from_a_file(void) {
    char folder[64], fifo[96], file[96];

    test_folder(folder);
    snprintf(fifo, sizeof(fifo), "%s/fifo", folder);
    snprintf(file, sizeof(file), "%s/file", folder);
    CHECK_KEEPS_ERRNO(anetIsFifo(fifo), 0); /* not there; upstream leaves stat's errno */
    CHECK(mkfifo(fifo, 0600) == 0);
    CHECK(close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) == 0);
    CHECK_KEEPS_ERRNO(anetIsFifo(fifo), 1);
    CHECK_INT(anetIsFifo(file), 0);
    CHECK_INT(anetIsFifo(folder), 0);
    unlink(fifo);
    unlink(file);
    CHECK(rmdir(folder) == 0);
}

/* ---- Errors ---- */

/* Every failing call names itself, and stays within the 256 bytes of its text. */
static void each_failure_names_its_call(void) {
    char large[ANET_ERR_LEN + 64];
    int bad = test_unused_fd(), i, round;

    for (round = 0; round < 9; round++) {
        const char *call = NULL;
        int result = ANET_OK;

        memset(large, '#', sizeof(large));
        errno = 0;
        switch (round) {
        case 0: result = anetNonBlock(large, bad), call = "fcntl(F_GETFL)"; break;
        case 1: result = anetBlock(large, bad), call = "fcntl(F_GETFL)"; break;
        case 2: result = anetSetBlock(large, bad, 1), call = "fcntl(F_GETFL)"; break;
        case 3: result = anetEnableTcpNoDelay(large, bad), call = "setsockopt TCP_NODELAY"; break;
        case 4: result = anetDisableTcpNoDelay(large, bad), call = "setsockopt TCP_NODELAY"; break;
        case 5: result = anetKeepAlive(large, bad, 10), call = "setsockopt SO_KEEPALIVE"; break;
        case 6: result = anetSendTimeout(large, bad, 10), call = "setsockopt SO_SNDTIMEO"; break;
        case 7: result = anetRecvTimeout(large, bad, 10), call = "setsockopt SO_RCVTIMEO"; break;
        case 8: result = anetSetSockMarkId(large, bad, 10), call = "setsockopt"; break;
        }
        CHECK_INT(result, ANET_ERR);
        CHECK_INT(errno, EBADF);
        CHECK(memchr(large, '\0', ANET_ERR_LEN) != NULL);
        CHECK_CONTAINS(large, call);
        CHECK_CONTAINS(large, "Bad file descriptor");
        for (i = ANET_ERR_LEN; i < (int)sizeof(large); i++) CHECK_INT(large[i], '#');
    }
}

static void no_room_for_the_text_is_fine(void) {
    int bad = test_unused_fd();

    CHECK_FAILS(anetNonBlock(NULL, bad), ANET_ERR, EBADF);
    CHECK_FAILS(anetBlock(NULL, bad), ANET_ERR, EBADF);
    CHECK_FAILS(anetEnableTcpNoDelay(NULL, bad), ANET_ERR, EBADF);
    CHECK_FAILS(anetDisableTcpNoDelay(NULL, bad), ANET_ERR, EBADF);
    CHECK_FAILS(anetKeepAlive(NULL, bad, 10), ANET_ERR, EBADF);
    CHECK_FAILS(anetSendTimeout(NULL, bad, 10), ANET_ERR, EBADF);
    CHECK_FAILS(anetRecvTimeout(NULL, bad, 10), ANET_ERR, EBADF);
    CHECK_FAILS(anetSetSockMarkId(NULL, bad, 10), ANET_ERR, EBADF);
}

static void option_of_the_wrong_kind_of_socket_is_told(void) {
    int pair[2];

    test_pair(pair);
    CHECK_INT(anetEnableTcpNoDelay(err, pair[0]), ANET_ERR);
    CHECK(errno == EOPNOTSUPP || errno == ENOPROTOOPT);
    CHECK_CONTAINS(err, "setsockopt TCP_NODELAY: ");
    test_close_pair(pair);
}

TEST_MAIN(CASE(blocking_can_be_switched), CASE(blocking_keeps_other_flags), CASE(cloexec_can_be_set),
          CASE(no_delay_can_be_switched), CASE(keepalive_is_in_thirds_of_the_interval),
          CASE(timeouts_are_milliseconds), CASE(mark_needs_the_right_to_it),
          CASE(pending_error_of_a_healthy_socket_is_none), CASE(pipe_ends_have_flags_of_their_own),
          CASE(nonsensical_pipe_is_einval), CASE(fifo_is_told_from_a_file), CASE(each_failure_names_its_call),
          CASE(no_room_for_the_text_is_fine), CASE(option_of_the_wrong_kind_of_socket_is_told))
