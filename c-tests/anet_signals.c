/* Connects that signals interrupt: over TCP one goes on, over a unix socket it has to be made again. Whatever is
 * returned is connected. */
#include "test.h"
#include "profile.h"

#include <anet.h>
#include <sys/syscall.h>

static char err[ANET_ERR_LEN], folder[64], path[96];

/* How many connects are to seem interrupted, and whether they take place. */
static int interrupts, do_connect;

/* The C library's, for the library as well. */
int connect(int fd, const struct sockaddr *address, socklen_t length) {
    if (interrupts > 0) {
        interrupts--;
        if (do_connect) syscall(SYS_connect, fd, address, length);
        errno = EINTR;
        return -1;
    }
    return (int)syscall(SYS_connect, fd, address, length);
}

static void begin_path(void) {
    test_folder(folder);
    snprintf(path, sizeof(path), "%s/socket", folder);
}

static void end_path(void) {
    unlink(path);
    CHECK(rmdir(folder) == 0);
}

static void expect_connected(int fd) {
    struct sockaddr_storage peer;
    socklen_t length = sizeof(peer);

    if (fd == ANET_ERR) FAIL("%s", err);
    CHECK(getpeername(fd, (struct sockaddr *)&peer, &length) == 0);
    CHECK_INT(send(fd, "x", 1, MSG_NOSIGNAL), 1);
    close(fd);
}

static void over_tcp(int times, int whether_they_connect) {
    int port, server = test_listen(AF_INET, 16, &port), fd;

    interrupts = times;
    do_connect = whether_they_connect;
    expect_connected(anetTcpConnect(err, "127.0.0.1", port));
    interrupts = times;
    fd = anetTcpNonBlockConnect(err, "127.0.0.1", port);
    if (fd == ANET_ERR) FAIL("%s", err);
    test_await(fd, POLLOUT);
    expect_connected(fd);
    CHECK_INT(interrupts, 0);
    close(server);
}

static void tcp(void) {
    over_tcp(1, 1);
    over_tcp(3, 1);
    over_tcp(1, 0); /* nothing was under way */
}

static void over_unix(int times, int whether_they_connect) {
    int server;

    begin_path();
    server = test_unix_server(err, path, 0, 16);
    CHECK(server != ANET_ERR);
    interrupts = times;
    do_connect = whether_they_connect;
    expect_connected(anetUnixGenericConnect(err, path, 0));
    interrupts = times;
    expect_connected(anetUnixGenericConnect(err, path, 1));
    CHECK_INT(interrupts, 0);
    close(server);
    end_path();
}

static void unix_sockets(void) {
    over_unix(1, 0);
    over_unix(3, 0);
    over_unix(1, 1);
}

/* Real signals come while the queue is full, until there is a place. */
static void unix_waits_for_a_place(void) {
    int server, clients[64], count = 0, status;
    pid_t signals, child;

    begin_path();
    server = test_unix_server(err, path, 0, 1);
    CHECK(server != ANET_ERR);
    CHECK_INT(anetBlock(err, server), ANET_OK);
    while (count < 64 && (clients[count] = anetUnixGenericConnect(NULL, path, 1)) != ANET_ERR) count++;
    CHECK(count < 64);
    signals = test_start_signals();
    child = fork();
    CHECK(child != -1);
    if (child == 0) {
        char byte;
        int i, fd = -1;

        test_sleep_us(100000); /* several signals */
        for (i = 0; i <= count; i++) fd = accept(server, NULL, NULL);
        _exit(fd == -1 || read(fd, &byte, 1) != 1);
    }
    expect_connected(anetUnixConnect(err, path));
    test_stop_signals(signals);
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(status, 0);
    while (count > 0) close(clients[--count]);
    close(server);
    end_path();
}

TEST_MAIN(CASE(tcp), CASE(unix_sockets), CASE(unix_waits_for_a_place))
