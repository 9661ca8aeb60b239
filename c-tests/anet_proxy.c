/* Headers of the PROXY protocol: good ones, those that are not whole, and those of people who try. */
#include "test.h"

#include <ae.h>
#include <libae.h>

#define TEXT(literal) literal, sizeof(literal) - 1
#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static libaeProxy proxy;

static int parse(const char *data, size_t length) {
    memset(&proxy, 'x', sizeof(proxy));
    proxy.size = sizeof(proxy);
    return libaeParseProxy(data, length, &proxy);
}

/* In a buffer that ends where the data does, for the tools. */
static int parse_exactly(const char *data, size_t length) {
    char *copy = malloc(length ? length : 1);
    int result;

    CHECK(copy != NULL);
    memcpy(copy, data, length);
    result = parse(copy, length);
    free(copy);
    return result;
}

static void check(int version, int family, const char *source, int source_port, const char *destination,
                  int destination_port) {
    CHECK_INT(proxy.version, version);
    CHECK_INT(proxy.family, family);
    CHECK_TEXT(proxy.source, source);
    CHECK_INT(proxy.source_port, source_port);
    CHECK_TEXT(proxy.destination, destination);
    CHECK_INT(proxy.destination_port, destination_port);
}

static void lines_of_version_1(void) {
    CHECK_KEEPS_ERRNO(parse(TEXT("PROXY TCP4 192.0.2.1 198.51.100.7 65535 0\r\nPING\r\n")), 43);
    check(1, AF_INET, "192.0.2.1", 65535, "198.51.100.7", 0);
    CHECK_INT(parse(TEXT("PROXY TCP6 2001:db8::1 ::ffff:192.0.2.9 56324 443\r\n")), 51);
    check(1, AF_INET6, "2001:db8::1", 56324, "::ffff:192.0.2.9", 443);
    CHECK_INT(parse(TEXT("PROXY UNKNOWN\r\n")), 15);
    check(1, AF_UNSPEC, "", 0, "", 0);
    CHECK_INT(parse(TEXT("PROXY UNKNOWN ffff::1 what ever 1 2\r\nx")), 37);
    check(1, AF_UNSPEC, "", 0, "", 0);
}

static void packets_of_version_2(void) {
    static const char paths[16 + 216] = SIGNATURE "\x21\x31\0\xd8/run/one";

    CHECK_INT(parse(TEXT(SIGNATURE "\x21\x11\0\x0c" "\xc0\0\2\1" "\xc6\x33\x64\7" "\xd4\x31\x18\xeb" "PING")), 28);
    check(2, AF_INET, "192.0.2.1", 54321, "198.51.100.7", 6379);
    /* More than the addresses: to be passed over. */
    CHECK_INT(parse(TEXT(SIGNATURE "\x21\x21\0\x27" "\x20\x01\r\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
                                   "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1" "\0\1\0\2" "\4\0\0")), 55);
    check(2, AF_INET6, "2001:db8::1", 1, "::1", 2);
    /* The proxy's own connection, whatever addresses come with it; and one of which nothing is known. */
    CHECK_INT(parse(TEXT(SIGNATURE "\x20\x11\0\x0c" "\xc0\0\2\1" "\xc6\x33\x64\7" "\xd4\x31\x18\xeb")), 28);
    check(2, AF_UNSPEC, "", 0, "", 0);
    CHECK_INT(parse(TEXT(SIGNATURE "\x21\0\0\0")), 16);
    check(2, AF_UNSPEC, "", 0, "", 0);
    /* Paths of unix sockets, which are no addresses. */
    CHECK_INT(parse(paths, sizeof(paths)), sizeof(paths));
    check(2, AF_UNSPEC, "", 0, "", 0);
}

static void what_is_not_whole_takes_more(void) {
    static const char line[] = "PROXY TCP4 192.0.2.1 198.51.100.7 65535 0\r\n";
    static const char packet[] = SIGNATURE "\x21\x11\0\x0d" "\xc0\0\2\1" "\xc6\x33\x64\7" "\xd4\x31\x18\xeb" "x";
    size_t length;

    for (length = 0; length < sizeof(line) - 1; length++) CHECK_KEEPS_ERRNO(parse_exactly(line, length), 0);
    CHECK_INT(parse_exactly(line, length), (int)length);
    for (length = 0; length < sizeof(packet) - 1; length++) CHECK_KEEPS_ERRNO(parse_exactly(packet, length), 0);
    CHECK_INT(parse_exactly(packet, length), (int)length);
    /* Nothing is written before. */
    CHECK_INT(parse(line, 10), 0);
    CHECK(proxy.source[0] == 'x');
}

static void what_is_none_is_refused(void) {
    static const char *const lines[] = {
        "PING\r\n",
        "*1\r\n$4\r\nPING\r\n",
        "proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n",
        "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP6 ::1%eth0 ::1 1 2\r\n",
        "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY UNKNOWN\n",
        "PROXY UNKNOWNS\r\n",
        "PROXY \r\n",
        "PROXY TCP4 \xff.2.3.4 1.2.3.4 1 2\r\n",
    };
    size_t i;
    char endless[4200] = "PROXY UNKNOWN ";

    for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) CHECK_FAILS(parse(lines[i], strlen(lines[i])), -1, EPROTO);
    memset(endless + 14, 'a', sizeof(endless) - 14);
    CHECK_INT(parse(endless, 106), 0);
    CHECK_FAILS(parse(endless, 107), -1, EPROTO);
    CHECK_FAILS(parse(TEXT(SIGNATURE "\x11\x11\0\x0c" "............")), -1, EPROTO);
    CHECK_FAILS(parse(TEXT(SIGNATURE "\x22\x11\0\x0c" "............")), -1, EPROTO);
    CHECK_FAILS(parse(TEXT(SIGNATURE "\x21\x41\0\x0c" "............")), -1, EPROTO);
    CHECK_FAILS(parse(TEXT(SIGNATURE "\x21\x11\0\x0b" "...........")), -1, EPROTO);
    CHECK_FAILS(parse(TEXT(SIGNATURE "\x21\x21\0\x23" "...................................")), -1, EPROTO);
    CHECK_FAILS(parse(TEXT(SIGNATURE "\x21\x31\0\x0c" "............")), -1, EPROTO);
    /* Too long, which is known before it is there. */
    CHECK_FAILS(parse(TEXT(SIGNATURE "\x21\x11\x10\0")), -1, EPROTO);
    CHECK_INT(parse(TEXT(SIGNATURE "\x21\x11\x0f\xf0")), 0);
}

/* Up to the end of the last member, whatever follows it in the structure of a later version. */
static void a_structure_without_room_is_refused(void) {
    static const char line[] = "PROXY UNKNOWN\r\n";
    size_t needed = offsetof(libaeProxy, destination) + sizeof(proxy.destination);

    proxy.size = needed;
    CHECK_INT(libaeParseProxy(TEXT(line), &proxy), 15);
    proxy.size = needed - 1;
    CHECK_FAILS(libaeParseProxy(TEXT(line), &proxy), -1, EINVAL);
    proxy.size = 0;
    CHECK_FAILS(libaeParseProxy(TEXT(line), &proxy), -1, EINVAL);
}

TEST_MAIN(CASE(a_structure_without_room_is_refused),
          CASE(lines_of_version_1), CASE(packets_of_version_2), CASE(what_is_not_whole_takes_more),
          CASE(what_is_none_is_refused))
