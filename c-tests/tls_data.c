/* TLS: reading and writing, from records of one byte to 100 MB. */
#include "test.h"
#include "tls_test.h"

#include <malloc.h>

static const char *const versions[] = {"TLSv1.2", "TLSv1.3"};

/* What is sent: byte `i` is pattern[i % PERIOD], the next period behind it for reading across the end. */
enum { PERIOD = 100003, MOST = 1 << 20 };

static unsigned char pattern[PERIOD + MOST];

static void begin(const char *protocols) {
    uint32_t state = 1;
    int i;

    TLS_BEGIN(config.protocols = protocols);
    for (i = 0; i < PERIOD; i++) pattern[i] = (unsigned char)((state = state * 1664525 + 1013904223) >> 24);
    for (i = PERIOD; i < PERIOD + MOST; i++) pattern[i] = pattern[i - PERIOD];
    tls_connect_pair();
}

static const unsigned char *at(long long position) { return pattern + position % PERIOD; }

/* ---- A little ---- */

static void data_goes_both_ways(void) {
    char buffer[64];
    int i;

    for (i = 0; i < 2; i++) {
        begin(versions[i]);
        CHECK_FAILS(connRead(server, buffer, sizeof(buffer)), -1, EAGAIN);
        CHECK_INT(connGetState(server), CONN_STATE_CONNECTED);
        CHECK_KEEPS_ERRNO(connWrite(client, "hello", 5), 5);
        tls_read_all(server, buffer, 5);
        CHECK(memcmp(buffer, "hello", 5) == 0);
        CHECK_KEEPS_ERRNO(connWrite(server, "there", 5), 5);
        tls_read_all(client, buffer, 2);
        CHECK_KEEPS_ERRNO(connRead(client, buffer + 2, sizeof(buffer) - 2), 3);
        CHECK(memcmp(buffer, "there", 5) == 0);
        CHECK_INT(connWrite(client, "", 0), 0);
        CHECK_INT(connGetState(client), CONN_STATE_CONNECTED);
        CHECK_INT(server->last_errno, 0);
        tls_end();
    }
}

/* Each takes part of a large buffer for as long as it reads or writes, and then leaves it to the others. */
static void idle_connections_take_little_memory(void) {
    enum { PAIRS = 10 };
    connection *ends[2 * PAIRS];
    size_t before = 0, used;
    int i;

    begin(NULL);
    for (i = 0; i < PAIRS; i++) {
        if (i > 0) tls_connect_pair();
        CHECK_INT(connWrite(client, "hello", 5), 5);
        tls_read_all(server, pattern, 5);
        CHECK_INT(connWrite(server, "hello", 5), 5);
        tls_read_all(client, pattern, 5);
        ends[2 * i] = client;
        ends[2 * i + 1] = server;
        client = server = NULL;
        client_calls = server_calls = 0;
        if (i == 0) before = mallinfo2().uordblks;
    }
    used = mallinfo2().uordblks - before;
    if (used > 2 * PAIRS * 32 * 1024) FAIL("%zu bytes for %d connections", used, 2 * (PAIRS - 1));
    for (i = 0; i < 2 * PAIRS; i++) connClose(ends[i]);
    tls_end();
}

static void on_readable(connection *conn) {
    char buffer[64];
    int count = connRead(conn, buffer, sizeof(buffer));

    CHECK(count > 0);
    test_note((char)('0' + count));
}

static void on_writable(connection *conn) {
    (void)conn;
    test_note('w');
}

/* No handler, no interest, whatever the peer sends. */
static void nobody_is_woken_for_nothing(void) {
    begin(NULL);
    tls_write_all(client, "hello", 5);
    CHECK_INT(aeGetFileEvents(el, server->fd), AE_NONE);
    CHECK(tls_run_for(100) < 5);
    CHECK_INT(connSetReadHandler(server, on_readable), C_OK);
    CHECK_INT(aeGetFileEvents(el, server->fd), AE_READABLE);
    RUN_UNTIL(test_log[0] != '\0');
    CHECK_TEXT(test_noted(), "5");
    CHECK_INT(aeGetFileEvents(el, server->fd), AE_READABLE);
    CHECK_INT(connSetWriteHandler(server, on_writable), C_OK);
    CHECK_INT(aeGetFileEvents(el, server->fd), AE_READABLE | AE_WRITABLE);
    RUN_UNTIL(test_log[0] != '\0');
    CHECK_TEXT(test_noted(), "w");
    CHECK_INT(connSetReadHandler(server, NULL), C_OK);
    CHECK_INT(aeGetFileEvents(el, server->fd), AE_WRITABLE);
    CHECK_INT(connSetWriteHandler(server, NULL), C_OK);
    CHECK_INT(aeGetFileEvents(el, server->fd), AE_NONE);
    tls_write_all(client, "hello", 5);
    CHECK(tls_run_for(100) < 5);
    CHECK_TEXT(test_noted(), "");
    /* A read handler that takes all it is given: not a byte, not a call more. */
    CHECK_INT(connSetReadHandler(server, on_readable), C_OK);
    CHECK(tls_run_for(100) < 5);
    CHECK_TEXT(test_noted(), "5");
    tls_end();
}

static void the_write_barrier_turns_the_order(void) {
    begin(NULL);
    tls_write_all(client, "hello", 5);
    CHECK(aeWait(server->fd, AE_READABLE, TEST_PATIENCE_MS) > 0);
    CHECK_INT(connSetReadHandler(server, on_readable), C_OK);
    CHECK_INT(connSetWriteHandlerWithBarrier(server, on_writable, 1), C_OK);
    tls_run_once();
    CHECK_TEXT(test_noted(), "w5");
    CHECK_INT(connSetWriteHandlerWithBarrier(server, on_writable, 0), C_OK);
    tls_write_all(client, "hello", 5);
    CHECK(aeWait(server->fd, AE_READABLE, TEST_PATIENCE_MS) > 0);
    tls_run_once();
    CHECK_TEXT(test_noted(), "5w");
    tls_end();
}

/* As the kernel answers for other sockets. */
static void null_buffers_are_refused(void) {
    char byte;

    begin(NULL);
    CHECK_INT(connWrite(client, NULL, 0), 0);
    CHECK_FAILS(recv(server->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT), -1, EAGAIN); /* no record without data, either */
    CHECK_INT(connRead(client, NULL, 0), 0);
    CHECK_INT(connGetState(client), CONN_STATE_CONNECTED);
    CHECK_FAILS(connWrite(client, NULL, 5), -1, EFAULT);
    tls_close_both();
    tls_connect_pair();
    CHECK_INT(connWrite(server, "hello", 5), 5);
    CHECK(aeWait(client->fd, AE_READABLE, TEST_PATIENCE_MS) > 0);
    CHECK_FAILS(connRead(client, NULL, 5), -1, EFAULT);
#ifndef LIBAE_ABI_REDIS_6_2
    tls_close_both();
    tls_connect_pair();
    CHECK_INT(connWritev(client, NULL, 0), 0);
    CHECK_FAILS(connWritev(client, NULL, 1), -1, EFAULT);
    tls_close_both();
    tls_connect_pair();
    CHECK_FAILS(connWritev(client, (struct iovec[]){{"hello", 5}, {NULL, 5}}, 2), -1, EFAULT);
    tls_close_both();
    tls_connect_pair();
    CHECK_FAILS(connWritev(client, (struct iovec[]){{"hello", 5}}, -1), -1, EINVAL);
#endif
    tls_end();
}

/* ---- Several buffers ---- */

static void expect_pattern(connection *conn, long long from, long long to) {
    static unsigned char buffer[MOST];

    while (from < to) {
        size_t count = to - from < MOST ? (size_t)(to - from) : MOST;

        tls_read_all(conn, buffer, count);
        CHECK(memcmp(buffer, at(from), count) == 0);
        from += (long long)count;
    }
}

/* Gives all the parts, however many of them are taken at a time; the reader reads when the writer has to wait. */
static void write_parts(struct iovec *parts, int count, long long total) {
    long long done = 0, read = 0;

    while (done < total) {
        int written = (int)tls_writev(client, parts, count);

        if (written == -1) {
            CHECK_INT(errno, EAGAIN);
            CHECK(done > read);
            expect_pattern(server, read, done);
            read = done;
            continue;
        }
        CHECK(written > 0 && done + written <= total);
        done += written;
        while (count > 0 && (size_t)written >= parts->iov_len) written -= (int)parts->iov_len, parts++, count--;
        if (count > 0) {
            parts->iov_base = (char *)parts->iov_base + written;
            parts->iov_len -= (size_t)written;
        }
    }
    expect_pattern(server, read, total);
}

#ifndef LIBAE_ABI_REDIS_6_2
/* However many they are, they are not the end of what is given. */
static void empty_parts_count_for_nothing(void) {
    struct iovec parts[200];
    char buffer[8] = "";
    int i;

    begin(NULL);
    for (i = 0; i < 200; i++) parts[i] = (struct iovec){NULL, 0};
    CHECK_KEEPS_ERRNO(connWritev(client, parts, 200), 0);
    parts[199] = (struct iovec){(char *)"hello", 5};
    CHECK_INT(connWritev(client, parts, 200), 5);
    tls_read_all(server, buffer, 5);
    CHECK_TEXT(buffer, "hello");
    tls_end();
}
#define CASES_OF_PARTS , CASE(empty_parts_count_for_nothing)
#else
#define CASES_OF_PARTS
#endif

static void expect_parts(int count, size_t size) {
    struct iovec *parts = calloc((size_t)count, sizeof(*parts));
    long long total = 0;
    int i;

    CHECK(parts != NULL);
    for (i = 0; i < count; i++) {
        parts[i].iov_len = i % 7 == 3 ? 0 : size + (size_t)i % 3;
        parts[i].iov_base = (void *)at(total);
        total += (long long)parts[i].iov_len;
    }
#ifdef LIBAE_ABI_REDIS_6_2
    for (i = 0; i < count; i++) /* one at a time is all there is, and none is empty */
        if (parts[i].iov_len == 0) parts[i--] = parts[--count];
    for (total = 0, i = 0; i < count; i++) parts[i].iov_base = (void *)at(total), total += (long long)parts[i].iov_len;
#endif
    write_parts(parts, count, total);
    free(parts);
}

static void many_small_buffers(void) {
    begin(NULL);
    expect_parts(1000, 10);
    expect_parts(5, 100);
    expect_parts(1, 5);
    tls_end();
}

static void few_large_buffers(void) {
    begin(NULL);
    expect_parts(10, 20000);
    expect_parts(4, 65536);
    expect_parts(3, 300000);
    tls_end();
}

#ifndef LIBAE_ABI_REDIS_6_2

/* Small buffers share a record: the socket gets less than a header and a tag for each. */
static void small_buffers_go_together(void) {
    struct iovec parts[50];
    char wire[4096];
    int i;

    begin("TLSv1.3");
    for (i = 0; i < 50; i++) parts[i] = (struct iovec){(void *)at(i), 1};
    CHECK_INT(connWritev(client, parts, 50), 50);
    test_await(server->fd, POLLIN);
    CHECK_INT(read(server->fd, wire, sizeof(wire)), 5 + 50 + 1 + 16);
    tls_end();
}

#endif

/* ---- Much ---- */

static void ten_thousand_tiny_records(void) {
    int i, count = test_slow_tool() ? 2000 : 10000;
    unsigned char byte;

    begin(NULL);
    for (i = 0; i < count; i++) {
        while (connWrite(client, at(i), 1) == -1) {
            CHECK_INT(errno, EAGAIN);
            FAIL("the socket is full after %d records", i);
        }
        if (i % 100 == 99) expect_pattern(server, i - 99, i + 1);
    }
    CHECK_FAILS(connRead(server, &byte, 1), -1, EAGAIN);
    tls_end();
}

static long long total, sent, received;
static int pauses;

static void on_writable_more(connection *conn) {
    while (sent < total) {
        long long left = total - sent < MOST ? total - sent : MOST;
        int count = connWrite(conn, at(sent), (size_t)left);

        if (count == -1) {
            CHECK_INT(errno, EAGAIN);
            return;
        }
        CHECK(count > 0);
        sent += count;
    }
    CHECK_INT(connSetWriteHandler(conn, NULL), C_OK);
}

static void on_readable_more(connection *conn);

static TIME_RESULT on_rested(aeEventLoop *loop, long long id, void *data) {
    (void)loop;
    (void)id;
    CHECK_INT(connSetReadHandler(data, on_readable_more), C_OK);
    return AE_NOMORE;
}

static void on_readable_more(connection *conn) {
    static unsigned char buffer[50000];
    int count = connRead(conn, buffer, sizeof(buffer) - (size_t)received % 999);

    if (count == -1) {
        CHECK_INT(errno, EAGAIN);
        return;
    }
    CHECK(count > 0);
    if (memcmp(buffer, at(received), (size_t)count) != 0) FAIL("wrong data behind byte %lld", received);
    received += count;
    if (received / (4 << 20) > pauses) { /* lets the sender run into full buffers */
        pauses++;
        CHECK_INT(connSetReadHandler(conn, NULL), C_OK);
        CHECK(aeCreateTimeEvent(el, 5, on_rested, conn, NULL) != AE_ERR);
    }
}

static void expect_much(connection *from, connection *to, long long size) {
    total = size;
    sent = received = 0;
    pauses = 0;
    CHECK_INT(connSetReadHandler(to, on_readable_more), C_OK);
    CHECK_INT(connSetWriteHandler(from, on_writable_more), C_OK);
    RUN_UNTIL(received >= total);
    CHECK_INT(received, total);
    CHECK_INT(connSetReadHandler(to, NULL), C_OK);
    CHECK(tls_run_for(20) < 5);
}

static void hundred_megabytes(void) {
    begin("TLSv1.3");
    expect_much(client, server, test_slow_tool() ? 6 << 20 : 100 << 20);
    tls_end();
}

static void ten_megabytes_the_other_way(void) {
    begin("TLSv1.2");
    expect_much(server, client, test_slow_tool() ? 1 << 20 : 10 << 20);
    tls_end();
}

static long long write_until_full(long long done) {
    int count, full = 0;

    while (full < 6) {
        count = connWrite(client, at(done), 30000);
        if (count == -1) {
            CHECK_INT(errno, EAGAIN);
            full++;
            continue;
        }
        full = 0; /* the kernel has moved something on to the peer meanwhile */
        done += count;
    }
    return done;
}

/* The same data is brought again after EAGAIN, from elsewhere and with more behind it; none is sent twice. */
static void write_is_repeated_after_eagain(void) {
    static unsigned char moved[2 * MOST];
    long long done, before;
    int count;

    begin(NULL);
    done = write_until_full(0);
    expect_pattern(server, 0, done);
    CHECK_FAILS(connWrite(client, at(done), 1), -1, EAGAIN); /* which is not what was given before */
    while ((count = connWrite(client, at(done), 30000)) == -1) CHECK_INT(errno, EAGAIN);
    CHECK_INT(count, 30000);
    expect_pattern(server, done, done + count);
    before = done + count;
    done = write_until_full(before);
    expect_pattern(server, before, done);
    memcpy(moved, at(done), 40000);
    while ((count = connWrite(client, moved, 40000)) == -1) CHECK_INT(errno, EAGAIN);
    CHECK(count > 0 && count <= 40000);
    expect_pattern(server, done, done + count);
    tls_end();
}

static void on_read_rest(connection *conn) {
    char rest[8];

    CHECK_INT(connRead(conn, rest, sizeof(rest)), 4);
    CHECK(memcmp(rest, "ello", 4) == 0);
    test_note('r');
}

/* A host that asks for pending data is told of what a read outside of the handler has left. */
static void read_in_between_leaves_the_rest_pending(void) {
    char first;

    begin(NULL);
    CHECK_INT(connSetReadHandler(server, on_read_rest), C_OK);
    tls_write_all(client, "hello", 5);
    test_await(server->fd, POLLIN);
    CHECK_INT(tls_has_pending(el), 0);
    CHECK_INT(tls_read_some(server, &first, 1), 1);
    CHECK_INT(tls_has_pending(el), 1);
    CHECK_INT(tls_process_pending(el), 1);
    CHECK_TEXT(test_noted(), "r");
    CHECK_INT(tls_has_pending(el), 0);
    tls_end();
}

#ifdef LIBAE_ABI_REDIS_6_2
#define CASES_OF_7_0
#else
#define CASES_OF_7_0 , CASE(small_buffers_go_together)
#endif

TEST_MAIN(CASE(data_goes_both_ways), CASE(idle_connections_take_little_memory), CASE(nobody_is_woken_for_nothing), CASE(the_write_barrier_turns_the_order),
          CASE(null_buffers_are_refused),
          CASE(many_small_buffers), CASE(few_large_buffers), CASE(ten_thousand_tiny_records), CASE(hundred_megabytes),
          CASE(ten_megabytes_the_other_way), CASE(write_is_repeated_after_eagain),
          CASE(read_in_between_leaves_the_rest_pending) CASES_OF_7_0 CASES_OF_PARTS)
