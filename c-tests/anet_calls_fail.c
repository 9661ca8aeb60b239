/* System calls that fail or are interrupted once, and a resolver of the test's own: what anet makes of it. */
#include "test.h"
#include "failing_calls.h"
#include "profile.h"

#include <anet.h>
#include <arpa/inet.h>
#include <libae.h>
#include <netdb.h>

static char err[ANET_ERR_LEN];

/* What a name resolves to, of the family that is asked for, or the resolver's error. An address is itself. */
static const char *addresses[2];
static int resolver_error, lists, asked_for_none;

static struct addrinfo *entry(int family, const char *ip, int port, int socktype) {
    struct {
        struct addrinfo info;
        struct sockaddr_storage address;
    } *whole = calloc(1, sizeof(*whole));

    CHECK(whole != NULL);
    whole->info = (struct addrinfo){.ai_family = family, .ai_socktype = socktype};
    whole->info.ai_addr = (struct sockaddr *)&whole->address;
    whole->info.ai_addrlen = test_loopback(family, port, &whole->address);
    CHECK_INT(inet_pton(family, ip,
                        family == AF_INET ? (void *)&((struct sockaddr_in *)&whole->address)->sin_addr
                                          : (void *)&((struct sockaddr_in6 *)&whole->address)->sin6_addr),
              1);
    return &whole->info;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
    struct addrinfo **next = result;
    int i, numeric = name != NULL && strpbrk(name, ".:") != NULL;

    *result = NULL;
    asked_for_none = name == NULL;
    if (resolver_error != 0) {
        errno = EMFILE;
        return resolver_error;
    }
    for (i = 0; i < (numeric ? 1 : 2); i++) {
        const char *ip = numeric ? name : addresses[i];
        int family = ip != NULL && strchr(ip, ':') != NULL ? AF_INET6 : AF_INET;

        if (ip == NULL || (hints->ai_family != AF_UNSPEC && hints->ai_family != family)) continue;
        *next = entry(family, ip, service != NULL ? atoi(service) : 0, hints->ai_socktype);
        next = &(*next)->ai_next;
    }
    lists += *result != NULL;
    return *result != NULL ? 0 : EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *list) {
    lists--;
    while (list != NULL) {
        struct addrinfo *next = list->ai_next;

        free(list);
        list = next;
    }
}

static void resolve_to(const char *first, const char *second) {
    addresses[0] = first;
    addresses[1] = second;
}

/* ---- Connecting ---- */

static const char *own_ip(int fd) {
    static char text[64];
    struct sockaddr_in own;
    socklen_t length = sizeof(own);

    CHECK(getsockname(fd, (struct sockaddr *)&own, &length) == 0);
    return inet_ntop(AF_INET, &own.sin_addr, text, sizeof(text));
}

static int is_connected(int fd) {
    struct sockaddr_storage peer;
    socklen_t length = sizeof(peer);

    return getpeername(fd, (struct sockaddr *)&peer, &length) == 0;
}

/* Nobody listens on 127.0.0.2. */
static void next_address_is_tried(void) {
    int port, server = test_listen(AF_INET, 4, &port), fd;

    resolve_to("127.0.0.2", "127.0.0.1");
    fd = anetTcpConnect(err, "name", port);
    if (fd == ANET_ERR) FAIL("%s", err);
    CHECK(is_connected(fd));
    close(fd);
    resolve_to("127.0.0.1", "127.0.0.2"); /* and not once more behind the one that works */
    fd = anetTcpConnect(err, "name", port);
    if (fd == ANET_ERR) FAIL("%s", err);
    CHECK(is_connected(fd));
    close(fd);
    resolve_to("127.0.0.2", NULL);
    CHECK_FAILS(anetTcpConnect(err, "name", port), ANET_ERR, ECONNREFUSED);
    CHECK_TEXT(err, "connect: Connection refused");
    CHECK_INT(lists, 0);
    close(server);
}

static void next_address_is_tried_for_a_family_that_the_machine_has_not(void) {
    int port, server = test_listen(AF_INET, 4, &port), fd;

    resolve_to("::1", "127.0.0.1");
    sockets = (struct failures){1, {EAFNOSUPPORT}};
    fd = anetTcpNonBlockConnect(err, "name", port);
    if (fd == ANET_ERR) FAIL("%s", err);
    test_await(fd, POLLOUT);
    CHECK(is_connected(fd));
    CHECK_INT(sockets.count, 0);
    close(fd);
    close(server);
}

/* 192.0.2.1 is no machine's. */
static void next_source_address_is_tried(void) {
    int port, server = test_listen(AF_INET, 4, &port), order, fd;

    for (order = 0; order < 2; order++) {
        resolve_to(order ? "127.0.0.3" : "192.0.2.1", order ? "192.0.2.1" : "127.0.0.3");
        fd = anetTcpNonBlockBestEffortBindConnect(err, "127.0.0.1", port, "source");
        if (fd == ANET_ERR) FAIL("%s", err);
        CHECK_TEXT(own_ip(fd), "127.0.0.3");
        close(fd);
    }
    CHECK_INT(lists, 0);
    close(server);
}

/* After a signal a connect goes on: a socket that does not wait tells its end, one that waits waits for it. */
static void interrupted_connect_is_under_way(void) {
    int port, server = test_listen(AF_INET, 4, &port), fd;
    struct failures under_way = {2, {EALREADY, EINTR}};

    resolve_to("127.0.0.1", NULL);
    connects = under_way;
    fd = anetTcpNonBlockConnect(err, "name", port);
    if (fd == ANET_ERR) FAIL("%s", err);
    CHECK(!is_connected(fd)); /* so it was not waited for */
    close(fd);
    connects = under_way;
    connect_goes_on = 1;
    polls = (struct failures){2, {EINTR, EINTR}};
    fd = anetTcpConnect(err, "name", port);
    if (fd == ANET_ERR) FAIL("%s", err);
    CHECK(is_connected(fd));
    CHECK_INT(polls.count, 0);
    close(fd);
    close(server);
}

static void interrupted_connect_may_fail(void) {
    int port, server = test_listen(AF_INET, 4, &port);
    struct failures under_way = {2, {EALREADY, EINTR}};

    resolve_to("127.0.0.1", NULL);
    connects = under_way;
    CHECK_FAILS(anetTcpConnect(err, "name", port), ANET_ERR, ENOTCONN); /* it did not go on */
    connects = under_way;
    polls = (struct failures){1, {ENOMEM}};
    CHECK_FAILS(anetTcpConnect(err, "name", port), ANET_ERR, ENOMEM);
    CHECK_TEXT(err, "connect: Cannot allocate memory");
    resolve_to("127.0.0.2", NULL);
    connects = under_way;
    connect_goes_on = 1;
    CHECK_FAILS(anetTcpConnect(err, "name", port), ANET_ERR, ECONNREFUSED);
    close(server);
}

/* What would be an answer after a signal is an error without. */
static void failed_connect_is_told(void) {
    static const int errors[] = {EALREADY, EISCONN, EINPROGRESS, ENETUNREACH};
    size_t i;

    resolve_to("127.0.0.1", NULL);
    for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        connects = (struct failures){1, {errors[i]}};
        CHECK_FAILS(anetTcpConnect(err, "name", 80), ANET_ERR, errors[i]);
    }
    connects = (struct failures){1, {EALREADY}};
    CHECK_FAILS(anetTcpNonBlockConnect(err, "name", 80), ANET_ERR, EALREADY);
}

/* ---- Listening and accepting ---- */

static void next_address_is_listened_on(void) {
    int fd;

    resolve_to("192.0.2.1", "127.0.0.1");
    fd = anetTcpServer(err, 0, "name", 4);
    if (fd == ANET_ERR) FAIL("%s", err);
    CHECK_TEXT(own_ip(fd), "127.0.0.1");
    close(fd);
    resolve_to("127.0.0.1", "127.0.0.2");
    fd = anetTcpServer(err, 0, "name", 4);
    if (fd == ANET_ERR) FAIL("%s", err);
    CHECK_TEXT(own_ip(fd), "127.0.0.1");
    close(fd);
    CHECK_INT(lists, 0);
}

/* A name is looked for among IPv6 addresses when it has none of IPv4, not when that cannot be listened on. */
static void names_of_ipv6_are_listened_on(void) {
    struct sockaddr_storage own;
    socklen_t length = sizeof(own);
    int fd;

    test_needs_ipv6();
    resolve_to("::1", NULL);
    fd = libaeListen(err, "name", 0, NULL);
    if (fd == ANET_ERR) FAIL("%s", err);
    CHECK(getsockname(fd, (struct sockaddr *)&own, &length) == 0);
    CHECK_INT(own.ss_family, AF_INET6);
    close(fd);
    resolve_to("192.0.2.1", "::1");
    CHECK_FAILS(libaeListen(err, "name", 0, NULL), ANET_ERR, EADDRNOTAVAIL);
    CHECK_TEXT(err, "bind: Cannot assign requested address");
    CHECK_INT(lists, 0);
}

/* What kernels answer that have no MPTCP, or have it switched off. */
static void without_multipath_sockets_are_plain_if_they_may(void) {
    static const int answers[] = {EPROTONOSUPPORT, ENOPROTOOPT, EINVAL};
    libaeSocketOptions options = {.size = sizeof(options)};
    int fd, protocol;
    socklen_t length = sizeof(protocol);
    size_t i;

    for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        options.mptcp = LIBAE_MPTCP_IF_AVAILABLE;
        sockets = (struct failures){1, {answers[i]}};
        fd = libaeListen(err, "127.0.0.1", 0, &options);
        if (fd == ANET_ERR) FAIL("%s", err);
        CHECK_INT(sockets.count, 0);
        CHECK(getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) == 0);
        CHECK_INT(protocol, IPPROTO_TCP);
        close(fd);
        options.mptcp = LIBAE_MPTCP_REQUIRED;
        sockets = (struct failures){1, {answers[i]}};
        CHECK_FAILS(libaeListen(err, "127.0.0.1", 0, &options), ANET_ERR, answers[i]);
    }
    options.mptcp = LIBAE_MPTCP_IF_AVAILABLE;
    sockets = (struct failures){1, {EMFILE}};
    CHECK_FAILS(libaeListen(err, "127.0.0.1", 0, &options), ANET_ERR, EMFILE);
}

/* No resolver is asked for the stars of a configuration, though some know them. */
static void stars_are_no_names(void) {
    char star[] = "*", stars[] = "::*";

    test_needs_ipv6();
    resolve_to("127.0.0.1", "::1");
    close(anetTcpServer(err, 0, star, 4));
    CHECK(asked_for_none);
    close(anetTcp6Server(err, 0, star, 4));
    CHECK(asked_for_none);
    close(anetTcp6Server(err, 0, stars, 4));
    CHECK(asked_for_none);
    CHECK_FAILS(anetTcpServer(err, 0, stars, 4), ANET_ERR, EADDRNOTAVAIL); /* it is none of IPv4's */
    CHECK(!asked_for_none);
}

/* A signal, and clients that gave up while they waited. */
static void accept_takes_the_next_connection(void) {
    int port, server = test_listen(AF_INET, 4, &port), client = test_connect(AF_INET, port), fd;
    char ip[64];

    test_await(server, POLLIN);
    accepts = (struct failures){3, {ECONNABORTED, EINTR, ECONNABORTED}};
    fd = anetTcpAccept(err, server, ip, sizeof(ip), NULL);
    if (fd == ANET_ERR) FAIL("%s", err);
    CHECK_TEXT(ip, "127.0.0.1");
    CHECK_INT(accepts.count, 0);
    close(fd);
    accepts = (struct failures){1, {EMFILE}};
    CHECK_FAILS(anetTcpAccept(err, server, NULL, 0, NULL), ANET_ERR, EMFILE);
    CHECK_TEXT(err, "accept: Too many open files");
    close(client);
    close(server);
}

/* ---- Reading and writing everything ---- */

static void interrupted_read_and_write_go_on(void) {
    char there[] = "hello", back[8] = "";
    int fds[2];

    test_pipe(fds);
    writes = (struct failures){2, {EINTR, EINTR}};
    CHECK_INT(anetWrite(fds[1], there, 5), 5);
    CHECK_INT(writes.count, 0);
    reads = (struct failures){2, {EINTR, EINTR}};
    CHECK_INT(anetRead(fds[0], back, 5), 5);
    CHECK_INT(reads.count, 0);
    CHECK_TEXT(back, "hello");
    writes = (struct failures){1, {ENOSPC}};
    CHECK_FAILS(anetWrite(fds[1], there, 5), -1, ENOSPC);
    reads = (struct failures){1, {EIO}};
    CHECK_FAILS(anetRead(fds[0], back, 5), -1, EIO);
    test_close_pair(fds);
}

/* ---- Resolving ---- */

static void errno_is_near_to_the_resolvers_error(void) {
    static const struct {
        int error, number;
    } expected[] = {
        {EAI_MEMORY, ENOMEM},
        {EAI_AGAIN, EAGAIN},
        {EAI_FAMILY, EAFNOSUPPORT},
        {EAI_SYSTEM, EMFILE},
        {EAI_NONAME, EADDRNOTAVAIL},
        {EAI_FAIL, EADDRNOTAVAIL},
    };
    char name[] = "name", ip[64];
    size_t i;

    for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        resolver_error = expected[i].error;
        CHECK_FAILS(anetResolve(err, name, ip, sizeof(ip), ANET_NONE), ANET_ERR, expected[i].number);
        CHECK_CONTAINS(err, "getaddrinfo: ");
        CHECK_CONTAINS(err, resolver_error == EAI_SYSTEM ? strerror(EMFILE) : gai_strerror(resolver_error));
        CHECK_FAILS(anetTcpNonBlockConnect(err, name, 80), ANET_ERR, expected[i].number);
    }
}

TEST_MAIN(CASE(next_address_is_tried), CASE(next_address_is_tried_for_a_family_that_the_machine_has_not),
          CASE(next_source_address_is_tried), CASE(interrupted_connect_is_under_way),
          CASE(interrupted_connect_may_fail), CASE(failed_connect_is_told), CASE(next_address_is_listened_on),
          CASE(stars_are_no_names), CASE(names_of_ipv6_are_listened_on),
          CASE(without_multipath_sockets_are_plain_if_they_may),
          CASE(accept_takes_the_next_connection), CASE(interrupted_read_and_write_go_on),
          CASE(errno_is_near_to_the_resolvers_error))
