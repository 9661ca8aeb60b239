/* Names and addresses as text. */
#include "test.h"
#include "profile.h"

#include <anet.h>

static char err[ANET_ERR_LEN];

/* anetResolve with everything as a text that it may not change. */
static int resolve(const char *name, char *ip, size_t ip_len, int flags) {
    char copy[64];
    int result;

    snprintf(copy, sizeof(copy), "%s", name);
    result = anetResolve(err, copy, ip, ip_len, flags);
    CHECK_TEXT(copy, name);
    return result;
}

/* ---- Resolving ---- */

static void addresses_are_normalised(void) {
    static const struct {
        const char *name, *ip;
    } rows[] = {
        {"127.0.0.1", "127.0.0.1"}, {"::1", "::1"},           {"0:0:0:0:0:0:0:1", "::1"},
        {"2001:DB8::00aB", "2001:db8::ab"}, {"::", "::"}, {"::ffff:127.0.0.1", "::ffff:127.0.0.1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"}, {"255.255.255.255", "255.255.255.255"},
        {"::1.2.3.4", "::1.2.3.4"}, {"::0.0.1.2", "::102"}, {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
    };
    char ip[64];
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (resolve(rows[i].name, ip, sizeof(ip), ANET_IP_ONLY) != ANET_OK)
            FAIL("%s: %s", rows[i].name, err);
        CHECK_TEXT(ip, rows[i].ip);
        CHECK_INT(resolve(rows[i].name, ip, sizeof(ip), ANET_NONE), ANET_OK);
        CHECK_TEXT(ip, rows[i].ip);
    }
}

static void names_need_the_permission(void) {
    char ip[64];

    CHECK_INT(resolve("localhost", ip, sizeof(ip), ANET_NONE), ANET_OK);
    CHECK(strcmp(ip, "127.0.0.1") == 0 || strcmp(ip, "::1") == 0);
    errno = 0;
    CHECK_INT(resolve("localhost", ip, sizeof(ip), ANET_IP_ONLY), ANET_ERR);
    CHECK(errno != 0); /* departs from upstream, which leaves errno alone when the resolver fails */
    CHECK_CONTAINS(err, "not known");
    CHECK_INT(anetResolve(NULL, (char[]){"localhost"}, ip, sizeof(ip), ANET_IP_ONLY), ANET_ERR);
}

/* glibc takes it for no name where a port is asked for. */
static void an_asterisk_is_no_address(void) {
    char ip[64];

    CHECK_FAILS(resolve("*", ip, sizeof(ip), ANET_NONE), ANET_ERR, EADDRNOTAVAIL);
    CHECK_FAILS(resolve("*", ip, sizeof(ip), ANET_IP_ONLY), ANET_ERR, EADDRNOTAVAIL);
    CHECK_CONTAINS(err, "not known");
}

/* Departs from upstream, which returns ANET_OK with nothing in the buffer. */
static void small_buffer_is_an_error(void) {
    char ip[64];
    size_t size, i;

    for (size = 0; size <= 10; size++) {
        memset(ip, '#', sizeof(ip));
        if (size < 10)
            CHECK_FAILS(resolve("127.0.0.1", ip, size, ANET_IP_ONLY), ANET_ERR, ENOSPC);
        else
            CHECK_INT(resolve("127.0.0.1", ip, size, ANET_IP_ONLY), ANET_OK);
        for (i = size; i < sizeof(ip); i++) CHECK_INT(ip[i], '#');
    }
    CHECK_TEXT(ip, "127.0.0.1");
}

/* ---- Ends of sockets ---- */

static int server, client, accepted;

static void connect_ends(int family) {
    int port;

    server = test_listen(family, 4, &port);
    client = test_connect(family, port);
    accepted = test_accept(server, 0);
}

static void close_ends(void) {
    close(accepted);
    close(client);
    close(server);
}

static void expect_end(int fd, int end, const char *expected_ip, int expected_port) {
    char ip[64];
    int port = -1;

    CHECK_KEEPS_ERRNO(anetFdToString(fd, ip, sizeof(ip), &port, end), 0);
    CHECK_TEXT(ip, expected_ip);
    CHECK_INT(port, expected_port);
}

/* The last argument is the one whose meaning turned round in 7.2. */
static void both_ends_of_ipv4(void) {
    connect_ends(AF_INET);
    expect_end(client, OWN_END, "127.0.0.1", test_port(client));
    expect_end(client, REMOTE_END, "127.0.0.1", test_port(server));
    expect_end(accepted, REMOTE_END, "127.0.0.1", test_port(client));
    expect_end(accepted, OWN_END, "127.0.0.1", test_port(server));
    CHECK(test_port(client) != test_port(server));
    CHECK_INT(anetFdToString(client, NULL, 0, NULL, REMOTE_END), 0);
    close_ends();
}

static void both_ends_of_ipv6(void) {
    test_needs_ipv6();
    connect_ends(AF_INET6);
    expect_end(client, OWN_END, "::1", test_port(client));
    expect_end(client, REMOTE_END, "::1", test_port(server));
    close_ends();
}

static void ends_of_unix_sockets_have_one_name(void) {
    int pair[2];

    test_pair(pair);
    expect_end(pair[0], OWN_END, "/unixsocket", 0);
    expect_end(pair[0], REMOTE_END, "/unixsocket", 0);
    test_close_pair(pair);
}

static void no_end_is_a_question_mark(void) {
    char ip[64];
    int port, fds[2];

    port = 5, strcpy(ip, "unset");
    CHECK_FAILS(anetFdToString(-1, ip, sizeof(ip), &port, REMOTE_END), -1, EBADF);
    CHECK_TEXT(ip, "?");
    CHECK_INT(port, 0);

    server = test_listen(AF_INET, 4, &port);
    CHECK_FAILS(anetFdToString(server, ip, sizeof(ip), &port, REMOTE_END), -1, ENOTCONN);
    CHECK_TEXT(ip, "?");
    CHECK_INT(port, 0);
    close(server);

    test_pipe(fds);
    CHECK_FAILS(anetFdToString(fds[0], ip, sizeof(ip), &port, OWN_END), -1, ENOTSOCK);
    test_close_pair(fds);
}

static void other_families_have_no_address(void) {
    char ip[64] = "unset";
    int port = 5, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);

    if (fd == -1) SKIP("no netlink socket here");
    CHECK_FAILS(anetFdToString(fd, ip, sizeof(ip), &port, OWN_END), -1, EAFNOSUPPORT);
    CHECK_TEXT(ip, "?");
    CHECK_INT(port, 0);
    close(fd);
}

static void small_end_buffers_are_errors(void) {
    char ip[16];
    int size, i, port;

    connect_ends(AF_INET);
    for (size = 0; size <= 10; size++) {
        memset(ip, '#', sizeof(ip));
        port = -1;
        if (size < 10) {
            CHECK_FAILS(anetFdToString(client, ip, (size_t)size, &port, REMOTE_END), -1, ENOSPC);
            CHECK_INT(port, 0);
            if (size == 1) CHECK_TEXT(ip, "");
            if (size >= 2) CHECK_TEXT(ip, "?");
        } else {
            CHECK_INT(anetFdToString(client, ip, (size_t)size, &port, REMOTE_END), 0);
            CHECK_TEXT(ip, "127.0.0.1");
        }
        for (i = size; i < (int)sizeof(ip); i++) CHECK_INT(ip[i], '#');
    }
    close_ends();
}

/* ---- Formatting ---- */

static int format(char *buffer, size_t size, const char *ip, int port) {
    char copy[64];

    snprintf(copy, sizeof(copy), "%s", ip);
    return anetFormatAddr(buffer, size, copy, port);
}

/* Declared by upstream and defined nowhere there. */
static void addresses_are_formatted_with_their_port(void) {
    char text[64];

    CHECK_KEEPS_ERRNO(format(text, sizeof(text), "127.0.0.1", 6379), 14);
    CHECK_TEXT(text, "127.0.0.1:6379");
    CHECK_INT(format(text, sizeof(text), "::1", 80), 8);
    CHECK_TEXT(text, "[::1]:80");
    CHECK_INT(format(text, sizeof(text), "/unixsocket", 0), 13);
    CHECK_TEXT(text, "/unixsocket:0");
    CHECK_INT(format(text, sizeof(text), "", 1), 2);
    CHECK_TEXT(text, ":1");
}

static void cut_text_is_terminated(void) {
    char text[32];
    int size, i;

    for (size = 0; size <= 15; size++) {
        memset(text, '#', sizeof(text));
        CHECK_INT(format(text, (size_t)size, "127.0.0.1", 6379), 14); /* the whole length, as snprintf */
        for (i = size; i < (int)sizeof(text); i++) CHECK_INT(text[i], '#');
        if (size > 0) {
            CHECK_INT(text[size - 1], '\0');
            CHECK(strncmp(text, "127.0.0.1:6379", (size_t)size - 1) == 0);
        }
    }
}

TEST_MAIN(CASE(addresses_are_normalised), CASE(names_need_the_permission),
          CASE(an_asterisk_is_no_address), CASE(small_buffer_is_an_error),
          CASE(both_ends_of_ipv4), CASE(both_ends_of_ipv6), CASE(ends_of_unix_sockets_have_one_name),
          CASE(no_end_is_a_question_mark), CASE(other_families_have_no_address), CASE(small_end_buffers_are_errors),
          CASE(addresses_are_formatted_with_their_port), CASE(cut_text_is_terminated))
