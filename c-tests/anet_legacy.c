/* The anet functions that forks from before 6.2 still call. Upstream has them no more. */
#include "test.h"
#include "profile.h"

#include <anet.h>
#include <netinet/tcp.h>

static char err[ANET_ERR_LEN];

static int is_nonblocking(int fd) { return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0; }

/* ---- Connecting ---- */

static void tcp_connect_waits(void) {
    int port, server = test_listen(AF_INET, 4, &port), fd, accepted;

    CHECK_KEEPS_ERRNO((fd = anetTcpConnect(err, "127.0.0.1", port)) != ANET_ERR, 1);
    CHECK_INT(is_nonblocking(fd), 0);
    accepted = test_accept(server, 0);
    test_send(fd, "x");
    CHECK(read(accepted, &(char){0}, 1) == 1);
    close(accepted);
    close(fd);
    close(server);
}

static void tcp_connect_tells_refusal(void) {
    int port = test_closed_port();

    CHECK_FAILS(anetTcpConnect(err, "127.0.0.1", port), ANET_ERR, ECONNREFUSED);
    CHECK_TEXT(err, "connect: Connection refused");
    CHECK_FAILS(anetTcpConnect(NULL, "127.0.0.1", port), ANET_ERR, ECONNREFUSED);
}

static void tcp_connect_over_ipv6_and_by_name(void) {
    int port, server, fd;

    server = test_listen(AF_INET, 4, &port);
    fd = anetTcpConnect(err, "localhost", port);
    if (fd == ANET_ERR) FAIL("anetTcpConnect: %s", err);
    close(fd);
    close(server);
    test_needs_ipv6();
    server = test_listen(AF_INET6, 4, &port);
    fd = anetTcpConnect(err, "::1", port);
    if (fd == ANET_ERR) FAIL("anetTcpConnect: %s", err);
    close(fd);
    close(server);
}

static void bound_connect_comes_from_the_source_or_fails(void) {
    int port, server = test_listen(AF_INET, 4, &port), fd, accepted;
    struct sockaddr_in peer;
    socklen_t length = sizeof(peer);

    fd = anetTcpNonBlockBindConnect(err, "127.0.0.1", port, "127.0.0.3");
    if (fd == ANET_ERR) FAIL("anetTcpNonBlockBindConnect: %s", err);
    CHECK_INT(is_nonblocking(fd), 1);
    test_await(fd, POLLOUT);
    test_await(server, POLLIN);
    accepted = accept(server, (struct sockaddr *)&peer, &length);
    CHECK(accepted != -1);
    CHECK_INT(ntohl(peer.sin_addr.s_addr), 0x7f000003);
    close(accepted);
    close(fd);
    /* Without best effort there is no second try. */
    CHECK_INT(anetTcpNonBlockBindConnect(err, "127.0.0.1", port, "::1"), ANET_ERR);
    CHECK(err[0] != '\0');
    fd = anetTcpNonBlockBindConnect(err, "127.0.0.1", port, NULL);
    CHECK(fd != ANET_ERR);
    close(fd);
    close(server);
}

static void unix_connects(void) {
    char folder[64], path[96];
    int server, fd;

    test_folder(folder);
    snprintf(path, sizeof(path), "%s/socket", folder);
    CHECK_FAILS(anetUnixConnect(err, path), ANET_ERR, ENOENT);
    CHECK_TEXT(err, "connect: No such file or directory");
    server = test_unix_server(err, path, 0, 4);
    CHECK(server != ANET_ERR);
    fd = anetUnixConnect(err, path);
    if (fd == ANET_ERR) FAIL("anetUnixConnect: %s", err);
    CHECK_INT(is_nonblocking(fd), 0);
    close(fd);
    fd = anetUnixNonBlockConnect(err, path);
    if (fd == ANET_ERR) FAIL("anetUnixNonBlockConnect: %s", err);
    CHECK_INT(is_nonblocking(fd), 1);
    close(fd);
    close(server);
    unlink(path);
    CHECK(rmdir(folder) == 0);
}

/* ---- Reading and writing ---- */

static void read_waits_for_everything(void) {
    char buffer[16];
    int fds[2];
    pid_t child;

    CHECK(pipe2(fds, O_CLOEXEC) == 0);
    child = fork();
    CHECK(child != -1);
    if (child == 0) {
        test_send(fds[1], "abc");
        test_sleep_us(20000);
        test_send(fds[1], "defgh");
        _exit(0);
    }
    close(fds[1]);
    CHECK_KEEPS_ERRNO(anetRead(fds[0], buffer, 6), 6);
    CHECK(memcmp(buffer, "abcdef", 6) == 0);
    CHECK_INT(anetRead(fds[0], buffer, 6), 2); /* the end of the input comes first */
    CHECK(memcmp(buffer, "gh", 2) == 0);
    CHECK_INT(anetRead(fds[0], buffer, 6), 0);
    CHECK_FAILS(anetRead(-1, buffer, 0), -1, EBADF);
    test_reap(child);
    close(fds[0]);
}

static void write_waits_for_everything(void) {
    enum { SIZE = 1 << 20 };
    char *data = malloc(SIZE), *back = malloc(SIZE);
    int fds[2], i;
    pid_t child;

    CHECK(data != NULL && back != NULL);
    for (i = 0; i < SIZE; i++) data[i] = (char)(i * 31);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    child = fork();
    CHECK(child != -1);
    if (child == 0) _exit(anetWrite(fds[1], data, SIZE) == SIZE ? 0 : 1);
    CHECK_INT(anetRead(fds[0], back, SIZE), SIZE);
    CHECK(memcmp(data, back, SIZE) == 0);
    test_reap(child);
    test_close_pair(fds);
    free(data);
    free(back);
}

static void bad_descriptors_are_told(void) {
    char buffer[4] = "abc";
    int closed = test_unused_fd(), fds[2];

    CHECK_FAILS(anetRead(closed, buffer, 3), -1, EBADF);
    CHECK_FAILS(anetWrite(closed, buffer, 3), -1, EBADF);
    CHECK_FAILS(anetWrite(-1, buffer, 0), -1, EBADF);
    test_pipe(fds);
    CHECK_FAILS(anetRead(fds[0], buffer, 3), -1, EAGAIN); /* non-blocking and empty */
    CHECK_INT(anetWrite(fds[1], buffer, 0), 0);
    close(fds[0]);
    CHECK_FAILS(anetWrite(fds[1], buffer, 3), -1, EPIPE);
    close(fds[1]);
}

/* ---- Addresses ---- */

static void ends_as_text(void) {
    char ip[64], text[64], expected[64];
    int port, own, server = test_listen(AF_INET, 4, &port), client = test_connect(AF_INET, port), found;

    own = test_port(client);
    CHECK_KEEPS_ERRNO(anetPeerToString(client, ip, sizeof(ip), &found), 0);
    CHECK_TEXT(ip, "127.0.0.1");
    CHECK_INT(found, port);
    CHECK_KEEPS_ERRNO(anetSockName(client, ip, sizeof(ip), &found), 0);
    CHECK_TEXT(ip, "127.0.0.1");
    CHECK_INT(found, own);
    snprintf(expected, sizeof(expected), "127.0.0.1:%d", port);
    CHECK_INT(anetFormatPeer(client, text, sizeof(text)), (long long)strlen(expected));
    CHECK_TEXT(text, expected);
    snprintf(expected, sizeof(expected), "127.0.0.1:%d", own);
    CHECK_INT(anetFormatSock(client, text, sizeof(text)), (long long)strlen(expected));
    CHECK_TEXT(text, expected);
    CHECK_INT(anetFormatSock(client, text, 4), (long long)strlen(expected));
    CHECK_TEXT(text, "127");
    close(client);
    close(server);
}

static void ends_of_ipv6_as_text(void) {
    char text[64], expected[64];
    int port, server, client;

    test_needs_ipv6();
    server = test_listen(AF_INET6, 4, &port);
    client = test_connect(AF_INET6, port);
    snprintf(expected, sizeof(expected), "[::1]:%d", port);
    CHECK_INT(anetFormatPeer(client, text, sizeof(text)), (long long)strlen(expected));
    CHECK_TEXT(text, expected);
    close(client);
    close(server);
}

static void no_end_as_text(void) {
    char ip[64], text[64];
    int port, pair[2], closed = test_unused_fd();

    CHECK_FAILS(anetPeerToString(closed, ip, sizeof(ip), &port), -1, EBADF);
    CHECK_TEXT(ip, "?");
    CHECK_INT(port, 0);
    CHECK_FAILS(anetSockName(closed, ip, sizeof(ip), &port), -1, EBADF);
    CHECK_INT(anetFormatPeer(closed, text, sizeof(text)), 3);
    CHECK_TEXT(text, "?:0");
    CHECK_INT(anetFormatSock(closed, text, sizeof(text)), 3);
    CHECK_TEXT(text, "?:0");
    test_pair(pair);
    CHECK_INT(anetFormatPeer(pair[0], text, sizeof(text)), 13);
    CHECK_TEXT(text, "/unixsocket:0");
    test_close_pair(pair);
}

static void resolve_ip_takes_no_names(void) {
    char ip[64], name[] = "localhost", number[] = "::0:1";

    CHECK_INT(anetResolveIP(err, name, ip, sizeof(ip)), ANET_ERR);
    CHECK(err[0] != '\0');
    CHECK_KEEPS_ERRNO(anetResolveIP(err, number, ip, sizeof(ip)), ANET_OK);
    CHECK_TEXT(ip, "::1");
}

static void keepalive_without_intervals(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), value, before, after;
    socklen_t length = sizeof(int);

    CHECK(getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &before, &length) == 0);
    CHECK_KEEPS_ERRNO(anetTcpKeepAlive(err, fd), ANET_OK);
    CHECK(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &length) == 0);
    CHECK_INT(value, 1);
    CHECK(getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &after, &length) == 0);
    CHECK_INT(after, before);
    close(fd);
    CHECK_FAILS(anetTcpKeepAlive(err, fd), ANET_ERR, EBADF);
    CHECK_CONTAINS(err, "setsockopt SO_KEEPALIVE: ");
    CHECK_FAILS(anetTcpKeepAlive(NULL, fd), ANET_ERR, EBADF);
}

TEST_MAIN(CASE(tcp_connect_waits), CASE(tcp_connect_tells_refusal), CASE(tcp_connect_over_ipv6_and_by_name),
          CASE(bound_connect_comes_from_the_source_or_fails), CASE(unix_connects),
          CASE(read_waits_for_everything), CASE(write_waits_for_everything), CASE(bad_descriptors_are_told),
          CASE(ends_as_text), CASE(ends_of_ipv6_as_text), CASE(no_end_as_text),
          CASE(resolve_ip_takes_no_names), CASE(keepalive_without_intervals))
