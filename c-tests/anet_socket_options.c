/* Sockets that listen and connect with options: what each sets, what accepted sockets inherit, how the structure may
 * grow, and what the system refuses. */
#include "test.h"
#include "socket_options.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* ---- Without options ---- */

static void without_options_sockets_are_safe(void) {
    struct three fds = three("127.0.0.1", NULL, NULL);

    CHECK(!blocks(fds.listening) && !is_kept(fds.listening));
    CHECK(!blocks(fds.connected) && !is_kept(fds.connected));
    CHECK_INT(test_option(fds.listening, SOL_SOCKET, SO_REUSEADDR), 1);
    CHECK_INT(test_option(fds.listening, SOL_SOCKET, SO_REUSEPORT), 0);
    CHECK_INT(test_option(fds.connected, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
    test_send(fds.connected, "x");
    test_await(fds.accepted, POLLIN);
    CHECK_INT(test_drain(fds.accepted), 1);
    close_three(fds);
}

static void success_keeps_errno(void) {
    int fd, port;

    errno = 4242;
    fd = opened(libaeListen(err, "127.0.0.1", 0, &options));
    CHECK_INT(errno, 4242);
    port = test_port(fd);
    errno = 4242;
    close(opened(libaeConnect(err, "127.0.0.1", port, &options)));
    close(fd);
}

static void addresses_of_every_kind(void) {
    struct sockaddr_storage name;
    socklen_t size = sizeof(name);
    const char *every[] = {NULL, "*", "0.0.0.0"};
    int fd, i;

    for (i = 0; i < 3; i++) {
        fd = opened(libaeListen(err, every[i], 0, NULL));
        close(test_connect(AF_INET, test_port(fd)));
        close(fd);
    }
    fd = opened(libaeListen(err, "localhost", 0, NULL));
    CHECK(getsockname(fd, (struct sockaddr *)&name, &size) == 0);
    CHECK_INT(name.ss_family, AF_INET);
    close(opened(libaeConnect(err, "localhost", test_port(fd), NULL)));
    close(fd);
    CHECK_FAILS(libaeListen(err, "no.such.host.invalid", 0, NULL), ANET_ERR, errno);
    CHECK_FAILS(libaeListen(err, "192.0.2.1", 0, NULL), ANET_ERR, EADDRNOTAVAIL);
    CHECK_FAILS(libaeListen(err, "127.0.0.1", -1, NULL), ANET_ERR, EINVAL);
    CHECK_FAILS(libaeListen(err, "127.0.0.1", 65536, NULL), ANET_ERR, EINVAL);
    CHECK_FAILS(libaeConnect(err, NULL, 1, NULL), ANET_ERR, EINVAL);
    CHECK_FAILS(libaeConnect(NULL, "127.0.0.1", 65536, NULL), ANET_ERR, EINVAL);
}

static void ipv6_with_and_without_ipv4(void) {
    const char *both[] = {NULL, "*", "::*", "::"};
    int fd, port, i;

    test_needs_ipv6();
    fd = listens_on("::1");
    CHECK_INT(test_option(fd, IPPROTO_IPV6, IPV6_V6ONLY), 1);
    close(opened(libaeConnect(err, "::1", test_port(fd), NULL)));
    close(fd);
    options.dual_stack = 1;
    for (i = 0; i < 4; i++) {
        fd = listens_on(both[i]);
        port = test_port(fd);
        CHECK_INT(test_option(fd, IPPROTO_IPV6, IPV6_V6ONLY), 0);
        close(test_connect(AF_INET, port));
        close(test_connect(AF_INET6, port));
        close(fd);
    }
    CHECK_FAILS(libaeListen(err, "127.0.0.1", 0, &options), ANET_ERR, EINVAL);
    CHECK_CONTAINS(err, "dual_stack");
}

/* ---- What each sets, and who inherits it ---- */

static void accepted_sockets_inherit(void) {
    struct three fds;

    options.user_timeout = 12345;
    options.keep_alive = 30;
    options.no_delay = 1;
    fds = three("127.0.0.1", &options, NULL);
    CHECK_INT(test_option(fds.listening, IPPROTO_TCP, TCP_USER_TIMEOUT), 12345);
    CHECK_INT(test_option(fds.accepted, IPPROTO_TCP, TCP_USER_TIMEOUT), 12345);
    CHECK_INT(test_option(fds.accepted, SOL_SOCKET, SO_KEEPALIVE), 1);
    CHECK_INT(test_option(fds.accepted, IPPROTO_TCP, TCP_KEEPIDLE), 30);
    CHECK_INT(test_option(fds.accepted, IPPROTO_TCP, TCP_KEEPINTVL), 10);
    CHECK_INT(test_option(fds.accepted, IPPROTO_TCP, TCP_NODELAY), 1);
    CHECK_INT(test_option(fds.connected, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
    close_three(fds);
}

static void connects_have_them_too(void) {
    struct three fds;

    options.user_timeout = 12345;
    options.keep_alive = 30;
    options.no_delay = 1;
    fds = three("127.0.0.1", NULL, &options);
    CHECK_INT(test_option(fds.connected, IPPROTO_TCP, TCP_USER_TIMEOUT), 12345);
    CHECK_INT(test_option(fds.connected, IPPROTO_TCP, TCP_KEEPIDLE), 30);
    CHECK_INT(test_option(fds.connected, IPPROTO_TCP, TCP_NODELAY), 1);
    CHECK_INT(test_option(fds.accepted, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
    close_three(fds);
    options.no_delay = 7; /* any number above 0 says so */
    fds = three("127.0.0.1", NULL, &options);
    CHECK_INT(test_option(fds.connected, IPPROTO_TCP, TCP_NODELAY), 1);
    close_three(fds);
    options.no_delay = -1; /* whatever the profile does */
    fds = three("127.0.0.1", NULL, &options);
    CHECK_INT(test_option(fds.connected, IPPROTO_TCP, TCP_NODELAY), 0);
    close_three(fds);
}

/* One side asks, the other answers. */
static void turn(int from, int to) {
    test_send(from, "x");
    test_await(to, POLLIN);
    CHECK_INT(test_drain(to), 1);
}

/* Until the handshake ends the option can be seen; then the system acknowledges at once, whatever was said. */
static void quick_ack_of_a_connect(void) {
    int port, listening = test_listen(AF_INET, 0, &port), first = test_connect(AF_INET, port), fd, i;

    for (i = -1; i <= 1; i += 2) {
        options.quick_ack = i;
        fd = opened(libaeConnect(err, "127.0.0.1", port, &options)); /* the queue is full: no handshake */
        CHECK_INT(test_option(fd, IPPROTO_TCP, TCP_QUICKACK), i > 0);
        close(fd);
    }
    close(first);
    close(listening);
}

static void quick_ack_does_not_stay(void) {
    struct three fds = three("127.0.0.1", NULL, NULL);
    int turns = 0;

    CHECK_KEEPS_ERRNO(libaeSetQuickAck(err, fds.connected, 0), AE_OK);
    CHECK_INT(test_option(fds.connected, IPPROTO_TCP, TCP_QUICKACK), 0);
    CHECK_INT(libaeSetQuickAck(err, fds.connected, 1), AE_OK);
    CHECK_INT(test_option(fds.connected, IPPROTO_TCP, TCP_QUICKACK), 1);
    /* The system takes it for a conversation sooner or later, when replies are quick. */
    while (test_option(fds.accepted, IPPROTO_TCP, TCP_QUICKACK) == 1) {
        CHECK(turns++ < 1000);
        turn(fds.connected, fds.accepted);
        turn(fds.accepted, fds.connected);
    }
    CHECK_INT(libaeSetQuickAck(err, fds.accepted, 1), AE_OK);
    CHECK_INT(test_option(fds.accepted, IPPROTO_TCP, TCP_QUICKACK), 1);
    close_three(fds);
    CHECK_FAILS(libaeSetQuickAck(err, test_unused_fd(), 1), AE_ERR, EBADF);
    CHECK_CONTAINS(err, "TCP_QUICKACK");
}

static void several_sockets_on_one_port(void) {
    int first, second, port;

    options.reuse_port = 1;
    first = listens_on("127.0.0.1");
    port = test_port(first);
    second = opened(libaeListen(err, "127.0.0.1", port, &options));
    options.reuse_port = 0;
    CHECK_FAILS(libaeListen(err, "127.0.0.1", port, &options), ANET_ERR, EADDRINUSE);
    CHECK_CONTAINS(err, "bind");
    close(first);
    close(second);
}

static int three_wait(void) { return 3; }

static void the_backlog_is_the_programs(void) {
    libaeHost host = {.size = sizeof(host), .tcp_backlog = three_wait};
    struct tcp_info info;
    socklen_t size = sizeof(info);
    int fd;

    options.backlog = 7;
    fd = listens_on("127.0.0.1");
    CHECK(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0);
    CHECK_INT(info.tcpi_sacked, 7); /* of a socket that listens: the length of its queue */
    close(fd);
    options.backlog = 0;
    CHECK_INT(libaeSetHost(&host), AE_OK);
    fd = listens_on("127.0.0.1");
    CHECK(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0);
    CHECK_INT(info.tcpi_sacked, 3);
    close(fd);
}

static void sockets_that_block_and_are_kept(void) {
    struct three fds;

    options.blocking = 1;
    options.keep_on_exec = 1;
    fds = three("127.0.0.1", &options, &options);
    CHECK(blocks(fds.listening) && is_kept(fds.listening));
    CHECK(blocks(fds.connected) && is_kept(fds.connected));
    close_three(fds);
    CHECK_FAILS(libaeConnect(err, "127.0.0.1", test_closed_port(), &options), ANET_ERR, ECONNREFUSED);
}

static void fast_open_of_both_sides(void) {
    struct three fds;
    libaeSocketOptions connect = options;

    options.fast_open = 16;
    fds.listening = listens_on("127.0.0.1");
    CHECK_INT(test_option(fds.listening, IPPROTO_TCP, TCP_FASTOPEN), 16);
    connect.fast_open = 1;
    fds.connected = libaeConnect(err, "127.0.0.1", test_port(fds.listening), &connect);
    if (fds.connected == ANET_ERR) { /* the system's setting */
        CHECK_INT(errno, EOPNOTSUPP);
        CHECK_CONTAINS(err, "TCP_FASTOPEN_CONNECT");
    } else {
        CHECK_INT(test_option(fds.connected, IPPROTO_TCP, TCP_FASTOPEN_CONNECT), 1);
        test_await(fds.connected, POLLOUT);
        test_send(fds.connected, "x");
        test_await(fds.listening, POLLIN);
        fds.accepted = test_accept(fds.listening, SOCK_NONBLOCK);
        test_await(fds.accepted, POLLIN);
        close(fds.accepted);
        close(fds.connected);
    }
    close(fds.listening);
}

static int protocol_of(int fd) { return test_option(fd, SOL_SOCKET, SO_PROTOCOL); }

static void multipath_or_not(void) {
    int there = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP), fd;

    if (there != -1) close(there);
    options.mptcp = LIBAE_MPTCP_IF_AVAILABLE;
    fd = listens_on("127.0.0.1");
    CHECK_INT(protocol_of(fd), there != -1 ? IPPROTO_MPTCP : IPPROTO_TCP);
    close(fd);
    options.mptcp = LIBAE_MPTCP_REQUIRED;
    fd = libaeListen(err, "127.0.0.1", 0, &options);
    if (there != -1) {
        CHECK_INT(protocol_of(opened(fd)), IPPROTO_MPTCP);
        close(fd);
    } else {
        CHECK_INT(fd, ANET_ERR);
        CHECK_CONTAINS(err, "socket");
    }
    options.mptcp = 3;
    CHECK_FAILS(libaeListen(err, "127.0.0.1", 0, &options), ANET_ERR, EINVAL);
    CHECK_CONTAINS(err, "mptcp");
}

static void a_source_is_bound_or_an_error(void) {
    struct sockaddr_in name;
    socklen_t size = sizeof(name);
    int port, listening = test_listen(AF_INET, 8, &port), fd;

    options.source = "127.0.0.2";
    fd = opened(libaeConnect(err, "127.0.0.1", port, &options));
    CHECK(getsockname(fd, (struct sockaddr *)&name, &size) == 0);
    CHECK_INT(ntohl(name.sin_addr.s_addr), INADDR_LOOPBACK + 1);
    close(fd);
    options.source = "192.0.2.1";
    CHECK_FAILS(libaeConnect(err, "127.0.0.1", port, &options), ANET_ERR, EADDRNOTAVAIL);
    CHECK_CONTAINS(err, "bind");
    close(listening);
}

static void an_address_that_is_not_there_yet(void) {
    int fd;

    CHECK_FAILS(libaeListen(err, "192.0.2.1", 0, &options), ANET_ERR, EADDRNOTAVAIL);
    options.free_bind = 1;
    fd = listens_on("192.0.2.1");
    close(fd);
    test_needs_ipv6();
    fd = listens_on("2001:db8::1");
    close(fd);
}

/* ---- What is refused ---- */

static void refused(int listens, const char *address, int number, const char *named) {
    int fds = test_open_fds();

    errno = 0;
    CHECK_INT(listens ? libaeListen(err, address, 0, &options) : libaeConnect(err, address, 1, &options), ANET_ERR);
    CHECK_INT(errno, number);
    CHECK_CONTAINS(err, named);
    CHECK_INT(test_open_fds(), fds);
    memset((char *)&options + sizeof(size_t), 0, sizeof(options) - sizeof(size_t));
}

static void what_means_nothing_here(void) {
    options.source = "127.0.0.1";
    refused(1, "127.0.0.1", EINVAL, "source");
    options.quick_ack = 1;
    refused(1, "127.0.0.1", EINVAL, "quick_ack");
    options.backlog = -1;
    refused(1, "127.0.0.1", EINVAL, "backlog");
    options.user_timeout = -1;
    refused(1, "127.0.0.1", EINVAL, "user_timeout");
    options.keep_alive = -1;
    refused(1, "127.0.0.1", EINVAL, "keepalive");
    options.fast_open = -1;
    refused(1, "127.0.0.1", EINVAL, "fast_open");
    options.unix_permissions = 0700;
    refused(1, "127.0.0.1", EINVAL, "unix_permissions");
    options.unix_group = "0";
    refused(1, "127.0.0.1", EINVAL, "unix_group");
    options.backlog = 1;
    refused(0, "127.0.0.1", EINVAL, "backlog");
    options.reuse_port = 1;
    refused(0, "127.0.0.1", EINVAL, "reuse_port");
    options.dual_stack = 1;
    refused(0, "127.0.0.1", EINVAL, "dual_stack");
    options.unix_permissions = 0700;
    refused(0, "127.0.0.1", EINVAL, "unix_permissions");
    options.unix_group = "0";
    refused(0, "127.0.0.1", EINVAL, "unix_group");
    /* TCP's options over unix sockets. */
    options.user_timeout = 1000;
    refused(1, "@libae-refused", EOPNOTSUPP, "TCP_USER_TIMEOUT");
    options.free_bind = 1;
    refused(1, "@libae-refused", EOPNOTSUPP, "IP_FREEBIND");
    options.fast_open = 1;
    refused(1, "@libae-refused", EOPNOTSUPP, "TCP_FASTOPEN");
    options.no_delay = 1;
    refused(0, "@libae-refused", EOPNOTSUPP, "TCP_NODELAY");
    options.mptcp = LIBAE_MPTCP_REQUIRED;
    refused(1, "@libae-refused", EOPNOTSUPP, "MPTCP");
    options.dual_stack = 1;
    refused(1, "@libae-refused", EINVAL, "dual_stack");
    options.source = "127.0.0.1";
    refused(0, "@libae-refused", EINVAL, "source");
    options.device = "no-such-device";
    refused(1, "127.0.0.1", geteuid() == 0 ? ENODEV : errno, "SO_BINDTODEVICE");
}

static void mark_and_device_want_a_capability(void) {
    struct three fds;

    if (geteuid() != 0) SKIP("not root");
    options.mark = 42;
    options.device = "lo";
    fds = three("127.0.0.1", &options, &options);
    CHECK_INT(test_option(fds.listening, SOL_SOCKET, SO_MARK), 42);
    CHECK_INT(test_option(fds.accepted, SOL_SOCKET, SO_MARK), 42);
    CHECK_INT(test_option(fds.connected, SOL_SOCKET, SO_MARK), 42);
    close_three(fds);
    options.device = NULL;
    /* This process is this case's own. */
    CHECK(setuid(65534) == 0);
    refused(1, "127.0.0.1", EPERM, "SO_MARK");
    options.mark = 42;
    refused(0, "127.0.0.1", EPERM, "SO_MARK");
}

/* ---- How the structure may grow ---- */

static void sizes_of_other_versions(void) {
    union {
        libaeSocketOptions known;
        unsigned char bytes[LIBAE_SOCKET_OPTIONS_MAX + 8];
    } later;
    int fd;

    memset(&later, 0, sizeof(later));
    CHECK_FAILS(libaeListen(err, "127.0.0.1", 0, &later.known), ANET_ERR, EINVAL);
    CHECK_CONTAINS(err, "size");
    later.known.size = sizeof(later.known) - 1;
    CHECK_FAILS(libaeListen(err, "127.0.0.1", 0, &later.known), ANET_ERR, EINVAL);
    /* A later version's members that are not set. */
    later.known.size = sizeof(later.known) + 8;
    later.known.user_timeout = 777;
    fd = opened(libaeListen(err, "127.0.0.1", 0, &later.known));
    CHECK_INT(test_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 777);
    close(fd);
    /* And those that are: even the last byte. */
    later.bytes[sizeof(later.known) + 7] = 1;
    CHECK_FAILS(libaeListen(err, "127.0.0.1", 0, &later.known), ANET_ERR, E2BIG);
    CHECK_CONTAINS(err, "size");
    CHECK_FAILS(libaeConnect(err, "127.0.0.1", 1, &later.known), ANET_ERR, E2BIG);
    /* What is behind the size is nobody's. */
    later.known.size--;
    close(opened(libaeListen(err, "127.0.0.1", 0, &later.known)));
    later.bytes[sizeof(later.known) + 7] = 0;
    later.known.size = LIBAE_SOCKET_OPTIONS_MAX;
    close(opened(libaeListen(err, "127.0.0.1", 0, &later.known)));
    later.known.size++;
    CHECK_FAILS(libaeListen(err, "127.0.0.1", 0, &later.known), ANET_ERR, E2BIG);
}

/* No compiler has put a hole where a later version's member could be, unseen by the size. */
static void the_structure_has_no_holes(void) {
    CHECK_INT(sizeof(libaeSocketOptions), 4 * sizeof(void *) + 14 * sizeof(int));
}

TEST_MAIN(CASE(without_options_sockets_are_safe), CASE(success_keeps_errno), CASE(addresses_of_every_kind),
          CASE(ipv6_with_and_without_ipv4), CASE(accepted_sockets_inherit), CASE(connects_have_them_too),
          CASE(quick_ack_of_a_connect), CASE(quick_ack_does_not_stay), CASE(several_sockets_on_one_port),
          CASE(the_backlog_is_the_programs), CASE(sockets_that_block_and_are_kept), CASE(fast_open_of_both_sides),
          CASE(multipath_or_not), CASE(a_source_is_bound_or_an_error), CASE(an_address_that_is_not_there_yet),
          CASE(what_means_nothing_here), CASE(mark_and_device_want_a_capability), CASE(sizes_of_other_versions),
          CASE(the_structure_has_no_holes))
