/* TCP by anet: listening, accepting and connecting, on loopback alone. */
#include "test.h"
#include "profile.h"

#include <anet.h>
#include <netinet/tcp.h>
#include <sched.h>

static char err[ANET_ERR_LEN];
static char any_v4[] = "127.0.0.1", any_v6[] = "::1";

static int is_nonblocking(int fd) { return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0; }

static int serve(int *port) {
    int server = anetTcpServer(err, 0, any_v4, 16);

    if (server == ANET_ERR) FAIL("anetTcpServer: %s", err);
    *port = test_port(server);
    return server;
}

/* As a caller's own accept loop asks, under either of its names. */
static void failures_of_one_connection_are_retried(void) {
    static const int of_one[] = {
        ECONNABORTED, ENETDOWN, EPROTO, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH,
    };
    static const int of_all[] = {0, -1, EAGAIN, EINTR, EMFILE, ENFILE, ENOBUFS, ENOMEM, EBADF, EINVAL, EPERM, INT_MAX};
    size_t i;

    for (i = 0; i < sizeof(of_one) / sizeof(of_one[0]); i++) {
        CHECK_KEEPS_ERRNO(anetAcceptFailureNeedsRetry(of_one[i]), 1);
        CHECK_KEEPS_ERRNO(anetRetryAcceptOnError(of_one[i]), 1);
    }
    for (i = 0; i < sizeof(of_all) / sizeof(of_all[0]); i++) {
        CHECK_KEEPS_ERRNO(anetAcceptFailureNeedsRetry(of_all[i]), 0);
        CHECK_KEEPS_ERRNO(anetRetryAcceptOnError(of_all[i]), 0);
    }
}

/* ---- Listening ---- */

static void ipv4_server_listens_on_a_port_of_its_own(void) {
    int port, server = serve(&port), client = test_connect(AF_INET, port);

    CHECK(port > 0);
    CHECK_INT(test_option(server, SOL_SOCKET, SO_ACCEPTCONN), 1);
    CHECK_INT(test_option(server, SOL_SOCKET, SO_REUSEADDR), 1);
    CHECK_INT(is_nonblocking(server), 0);
    close(client);
    close(server);
}

static void ipv6_server_serves_ipv6_only(void) {
    int server, client;

    test_needs_ipv6();
    server = anetTcp6Server(err, 0, any_v6, 16);
    if (server == ANET_ERR) FAIL("anetTcp6Server: %s", err);
    CHECK_INT(test_option(server, IPPROTO_IPV6, IPV6_V6ONLY), 1);
    CHECK_INT(test_option(server, SOL_SOCKET, SO_REUSEADDR), 1);
    client = test_connect(AF_INET6, test_port(server));
    close(client);
    close(server);
}

static void both_families_share_a_port(void) {
    int port, four, six;

    test_needs_ipv6();
    for (;;) {
        four = serve(&port);
        six = anetTcp6Server(err, port, any_v6, 16);
        if (six != ANET_ERR) break;
        /* Another program may have that port over IPv6. */
        if (errno != EADDRINUSE) FAIL("anetTcp6Server: %s", err);
        close(four);
    }
    CHECK_INT(test_port(six), port);
    close(test_connect(AF_INET, port));
    close(test_connect(AF_INET6, port));
    close(four);
    close(six);
}

/* In a network of its own, so that nobody else can connect. */
static void stars_and_null_are_every_address(void) {
    char star[] = "*", stars[] = "::*";
    char *const v4[] = {NULL, star}, *const v6[] = {NULL, star, stars};
    size_t i, j;

    test_needs_ipv6();
    if (unshare(CLONE_NEWNET) != 0) SKIP("no right to a network namespace");
    for (i = 0; i < 2; i++) {
        for (j = 0; j < 3; j++) {
            int four, six;
            struct sockaddr_in6 address;
            socklen_t length = sizeof(address);

            four = anetTcpServer(err, 0, v4[i], 16);
            if (four == ANET_ERR) FAIL("anetTcpServer: %s", err);
            six = anetTcp6Server(err, test_port(four), v6[j], 16);
            if (six == ANET_ERR) FAIL("anetTcp6Server: %s", err);
            CHECK(getsockname(six, (struct sockaddr *)&address, &length) == 0);
            CHECK(IN6_IS_ADDR_UNSPECIFIED(&address.sin6_addr));
            close(four);
            close(six);
        }
    }
}

static void used_port_is_told(void) {
    int port, server = serve(&port);

    CHECK_FAILS(anetTcpServer(err, port, any_v4, 16), ANET_ERR, EADDRINUSE);
    CHECK_TEXT(err, "bind: Address already in use");
    CHECK_FAILS(anetTcpServer(NULL, port, any_v4, 16), ANET_ERR, EADDRINUSE);
    close(server);
}

/* The port can be bound again although connections of its last server linger. */
static void lingering_connections_do_not_hold_the_port(void) {
    int port, server = serve(&port), client = test_connect(AF_INET, port), accepted;

    accepted = test_accept(server, 0);
    close(accepted); /* closed by the server's side first: TIME_WAIT on the server's port */
    close(client);
    close(server);
    server = anetTcpServer(err, port, any_v4, 16);
    if (server == ANET_ERR) FAIL("anetTcpServer again: %s", err);
    close(server);
}

static void address_of_the_other_family_is_an_error(void) {
    errno = 0;
    CHECK_INT(anetTcp6Server(err, 0, any_v4, 16), ANET_ERR);
    CHECK(errno != 0); /* departs from upstream, which leaves errno alone when the resolver fails */
    CHECK_CONTAINS(err, "ddress family"); /* the resolver's words */
    CHECK_INT(anetTcpServer(err, 0, any_v6, 16), ANET_ERR);
    CHECK_CONTAINS(err, "ddress family");
}

static void address_not_of_this_machine_is_an_error(void) {
    char other[] = "::2";

    test_needs_ipv6();
    CHECK_FAILS(anetTcp6Server(err, 0, other, 16), ANET_ERR, EADDRNOTAVAIL);
    CHECK_CONTAINS(err, "bind: ");
}

/* ---- Accepting ---- */

static void accepted_socket_and_its_address(void) {
    char ip[64];
    int port, peer_port = -1, server = serve(&port), client = test_connect(AF_INET, port), fd;

    fd = anetTcpAccept(err, server, ip, sizeof(ip), &peer_port);
    if (fd == ANET_ERR) FAIL("anetTcpAccept: %s", err);
    CHECK_INT(anetNonBlock(err, fd), ANET_OK);
    CHECK_TEXT(ip, "127.0.0.1");
    CHECK_INT(peer_port, test_port(client));
    test_send(client, "hello");
    test_await(fd, POLLIN);
    CHECK_INT(test_drain(fd), 5);
    close(fd);
    close(client);
    close(server);
}

/* Servers of valkey-8.1 rely on it: without it their second small write waits for the client's delayed ACK. */
static void small_segments_wait_where_upstreams_do(void) {
    int port, server = serve(&port), client, fd;

    client = anetTcpConnect(err, "127.0.0.1", port);
    if (client == ANET_ERR) FAIL("anetTcpConnect: %s", err);
    CHECK_INT(test_option(client, IPPROTO_TCP, TCP_NODELAY), INITIAL_NODELAY);
    fd = anetTcpAccept(err, server, NULL, 0, NULL);
    if (fd == ANET_ERR) FAIL("anetTcpAccept: %s", err);
    CHECK_INT(test_option(fd, IPPROTO_TCP, TCP_NODELAY), INITIAL_NODELAY);
    close(fd);
    close(client);
    close(server);
}

static void ipv6_peer_has_its_address(void) {
    char ip[64];
    int port, peer_port, server, client, fd;

    test_needs_ipv6();
    server = test_listen(AF_INET6, 16, &port);
    client = test_connect(AF_INET6, port);
    fd = anetTcpAccept(err, server, ip, sizeof(ip), &peer_port);
    if (fd == ANET_ERR) FAIL("anetTcpAccept: %s", err);
    CHECK_TEXT(ip, "::1");
    CHECK_INT(peer_port, test_port(client));
    close(fd);
    close(client);
    close(server);
}

static void nobody_waiting_is_eagain(void) {
    char ip[64];
    int port, server = test_listen(AF_INET, 16, &port), peer_port;

    CHECK_FAILS(anetTcpAccept(err, server, ip, sizeof(ip), &peer_port), ANET_ERR, EAGAIN);
    CHECK_TEXT(err, "accept: Resource temporarily unavailable");
    CHECK_FAILS(anetTcpAccept(NULL, server, NULL, 0, NULL), ANET_ERR, EAGAIN);
    close(server);
}

static void accept_on_a_bad_descriptor_is_told(void) {
    CHECK_FAILS(anetTcpAccept(err, test_unused_fd(), NULL, 0, NULL), ANET_ERR, EBADF);
    CHECK_TEXT(err, "accept: Bad file descriptor");
    CHECK_FAILS(anetTcpAccept(err, -1, NULL, 0, NULL), ANET_ERR, EBADF);
}

/* The connection is not lost when its address does not fit, and no byte beyond the buffer is written. */
static void small_address_buffers_do_no_harm(void) {
    int port, server = serve(&port), size;

    for (size = 0; size <= 10; size++) {
        char ip[16];
        int client = test_connect(AF_INET, port), peer_port = -1, fd, i;

        memset(ip, '#', sizeof(ip));
        fd = anetTcpAccept(err, server, ip, (size_t)size, &peer_port);
        if (fd == ANET_ERR) FAIL("anetTcpAccept with room for %d bytes: %s", size, err);
        for (i = size; i < 16; i++) CHECK_INT(ip[i], '#');
        if (size == 10) CHECK_TEXT(ip, "127.0.0.1");
        CHECK_INT(peer_port, test_port(client));
        close(fd);
        close(client);
    }
    size = test_connect(AF_INET, port);
    close(anetTcpAccept(err, server, NULL, 0, NULL));
    close(size);
    close(server);
}

/* A blocking accept that signals keep interrupting goes on. */
static void interrupted_accept_goes_on(void) {
    int port, server = serve(&port), fd;
    pid_t signals = test_start_signals(), child = fork();

    CHECK(child != -1);
    if (child == 0) {
        test_sleep_us(100000);
        close(test_connect(AF_INET, port));
        _exit(0);
    }
    fd = anetTcpAccept(err, server, NULL, 0, NULL);
    if (fd == ANET_ERR) FAIL("anetTcpAccept: %s", err);
    test_stop_signals(signals);
    test_reap(child);
    close(fd);
    close(server);
}

/* ---- Connecting ---- */

static void nonblocking_connect_succeeds(void) {
    int port, server = serve(&port), fd, accepted;

    /* Departs from upstream in errno, which connect leaves there. */
    CHECK_KEEPS_ERRNO((fd = anetTcpNonBlockConnect(err, "127.0.0.1", port)) != ANET_ERR, 1);
    CHECK_INT(is_nonblocking(fd), 1);
    test_await(fd, POLLOUT);
    CHECK_INT(anetGetError(fd), 0);
    accepted = test_accept(server, 0);
    test_send(accepted, "hi");
    close(accepted);
    close(fd);
    close(server);
}

static void nonblocking_connect_tells_refusal_later(void) {
    int fd = anetTcpNonBlockConnect(err, "127.0.0.1", test_closed_port());

    if (fd == ANET_ERR) { /* the kernel may know at once */
        CHECK_INT(errno, ECONNREFUSED);
        return;
    }
    test_await(fd, POLLOUT);
    CHECK_INT(anetGetError(fd), ECONNREFUSED);
    CHECK_INT(anetGetError(fd), 0); /* told once */
    close(fd);
}

static void connect_by_name(void) {
    int port, server = serve(&port), fd = anetTcpNonBlockConnect(err, "localhost", port);

    if (fd == ANET_ERR) FAIL("anetTcpNonBlockConnect: %s", err);
    test_await(fd, POLLOUT);
    close(fd);
    close(server);
}

static void connect_to_no_address_is_told(void) {
    errno = 0;
    CHECK_INT(anetTcpNonBlockConnect(err, ":::", 80), ANET_ERR);
    CHECK(err[0] != '\0');
    CHECK(errno != 0); /* departs from upstream, which leaves errno alone when the resolver fails */
    CHECK_INT(anetTcpNonBlockConnect(NULL, ":::", 80), ANET_ERR);
    CHECK_INT(anetTcpNonBlockBestEffortBindConnect(err, ":::", 80, "127.0.0.1"), ANET_ERR);
}

/* Connects from `source` and returns the address that the server sees. */
static const char *seen_from(const char *source) {
    static char ip[64];
    int port, server = serve(&port), fd, accepted;

    fd = anetTcpNonBlockBestEffortBindConnect(err, "127.0.0.1", port, source);
    if (fd == ANET_ERR) FAIL("anetTcpNonBlockBestEffortBindConnect from %s: %s", source, err);
    test_await(fd, POLLOUT);
    CHECK_INT(anetGetError(fd), 0);
    CHECK_INT(is_nonblocking(fd), 1);
    accepted = anetTcpAccept(err, server, ip, sizeof(ip), NULL);
    CHECK(accepted != ANET_ERR);
    close(accepted);
    close(fd);
    close(server);
    return ip;
}

static void source_address_is_bound_if_possible(void) {
    CHECK_TEXT(seen_from("127.0.0.2"), "127.0.0.2");
    CHECK_TEXT(seen_from(NULL), "127.0.0.1");
    CHECK_TEXT(seen_from("::1"), "127.0.0.1"); /* of the wrong family */
    CHECK_TEXT(seen_from(":::"), "127.0.0.1"); /* no address at all */
}

static void source_address_may_be_a_name(void) {
    int port, server = serve(&port), fd = anetTcpNonBlockBindConnect(err, "127.0.0.1", port, "localhost");

    if (fd == ANET_ERR) FAIL("%s", err);
    close(fd);
    close(server);
}

TEST_MAIN(CASE(ipv4_server_listens_on_a_port_of_its_own), CASE(ipv6_server_serves_ipv6_only),
          CASE(both_families_share_a_port), CASE(stars_and_null_are_every_address), CASE(used_port_is_told),
          CASE(lingering_connections_do_not_hold_the_port), CASE(address_of_the_other_family_is_an_error),
          CASE(address_not_of_this_machine_is_an_error), CASE(accepted_socket_and_its_address),
          CASE(small_segments_wait_where_upstreams_do), CASE(ipv6_peer_has_its_address), CASE(nobody_waiting_is_eagain),
          CASE(accept_on_a_bad_descriptor_is_told), CASE(small_address_buffers_do_no_harm),
          CASE(interrupted_accept_goes_on), CASE(failures_of_one_connection_are_retried),
          CASE(nonblocking_connect_succeeds),
          CASE(nonblocking_connect_tells_refusal_later), CASE(connect_by_name),
          CASE(connect_to_no_address_is_told), CASE(source_address_is_bound_if_possible),
          CASE(source_address_may_be_a_name))
