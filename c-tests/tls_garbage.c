/* TLS: peers that speak something else, or talk without end, or go away in the middle of the handshake. */
#include "test.h"
#include "tls_test.h"

static void expect_refused(const char *bytes, size_t length, const char *text) {
    char answer[64];
    long rounds;
    int count;

    TLS_BEGIN();
    tls_accept_peer();
    CHECK_INT(write(peer, bytes, length), (long long)length);
    rounds = iterations;
    RUN_UNTIL(server_calls);
    CHECK(iterations - rounds < 5); /* at once */
    CHECK_INT(server_state, CONN_STATE_ERROR);
    CHECK_CONTAINS(connGetLastError(server), text);
    CHECK_INT(server->last_errno, EPROTO);
    CHECK_INT(aeGetFileEvents(el, server->fd), AE_NONE);
    connClose(server);
    server = NULL;
    /* An alert, or nothing, or the reset of a close with bytes unread. */
    count = (int)read(peer, answer, sizeof(answer));
    if (count > 0) CHECK_INT(answer[0], 21);
    tls_end_peer();
}

#define EXPECT_REFUSED(bytes, text) expect_refused(bytes, sizeof(bytes) - 1, text)

static void http(void) { EXPECT_REFUSED("GET / HTTP/1.1\r\nHost: here\r\n\r\n", "not TLS"); }
static void redis(void) { EXPECT_REFUSED("*1\r\n$4\r\nPING\r\n", "not TLS"); }
static void zeros(void) { EXPECT_REFUSED("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "not TLS"); }
static void record_that_is_too_long(void) { EXPECT_REFUSED("\x16\x03\x01\xff\xff\x01\x00\x00\x05hello", "not TLS"); }
static void data_before_the_handshake(void) { EXPECT_REFUSED("\x17\x03\x03\x00\x05hello", "peer"); }
static void two_bytes_that_are_no_record(void) { EXPECT_REFUSED("\x16\x02", "not TLS"); }

/* Also when they come one by one. */
static void bytes_that_are_no_record(void) {
    TLS_BEGIN();
    tls_accept_peer();
    CHECK_INT(write(peer, "\x16", 1), 1);
    tls_run_for(5);
    CHECK_INT(server_calls, 0);
    CHECK_INT(write(peer, "\x02", 1), 1);
    RUN_UNTIL(server_calls);
    CHECK_CONTAINS(connGetLastError(server), "not TLS");
    tls_end_peer();
}

static void hello_that_is_none(void) { EXPECT_REFUSED("\x16\x03\x01\x00\x09\x01\x00\x00\x05hello", "not TLS"); }

/* A handshake message of 16 MB, in records that are right. */
static void endless_client_hello(void) {
    static char record[5 + 4000] = "\x16\x03\x01\x0f\xa0\x01\xff\xff\xff\x03\x03";
    long sent = 0;

    TLS_BEGIN();
    tls_accept_peer();
    test_set_nonblocking(peer);
    while (!server_calls) {
        ssize_t count = write(peer, record, sizeof(record));

        if (count == -1) CHECK(errno == ECONNRESET || errno == EPIPE || errno == EAGAIN);
        if (count > 0) sent += count;
        CHECK(sent < 12 << 20); /* most of which may be in the sockets' buffers */
        memset(record + 5, 0, 10);
        tls_run_idle();
    }
    CHECK_INT(server_calls, 1);
    CHECK_INT(server_state, CONN_STATE_ERROR);
    tls_end_peer();
}

/* Empty records, one after the other: none is the beginning of anything. */
static void endless_nothing(void) {
    long i;

    TLS_BEGIN();
    tls_accept_peer();
    test_set_nonblocking(peer);
    for (i = 0; !server_calls; i++) {
        if (write(peer, "\x15\x03\x01\x00\x02\x01\x64", 7) == -1)
            CHECK(errno == ECONNRESET || errno == EPIPE || errno == EAGAIN);
        if (i % 100 == 0) tls_run_idle();
    }
    CHECK_INT(server_calls, 1);
    CHECK_INT(server_state, CONN_STATE_ERROR);
    tls_end_peer();
}

static void client_that_goes_away(void) {
    char hello[512];
    int length;

    TLS_BEGIN();
    length = tls_client_hello(hello, sizeof(hello));
    tls_accept_peer();
    CHECK_INT(write(peer, hello, (size_t)length - 1), length - 1);
    close(peer);
    peer = -1;
    RUN_UNTIL(server_calls);
    CHECK_INT(server_state, CONN_STATE_ERROR);
    CHECK_TEXT(connGetLastError(server), "the peer closed the connection during the handshake");
    tls_end_peer();
}

static void expect_server_refused(const char *bytes, size_t length, const char *text) {
    int fd;

    TLS_BEGIN();
    tls_connect("127.0.0.1");
    fd = tls_accept_fd();
    CHECK_INT(write(fd, bytes, length), (long long)length);
    RUN_UNTIL(client_calls);
    CHECK_INT(client_state, CONN_STATE_ERROR);
    CHECK_CONTAINS(connGetLastError(client), text);
    CHECK_INT(aeGetFileEvents(el, client->fd), AE_NONE);
    close(fd);
    tls_end();
}

#define EXPECT_SERVER_REFUSED(bytes, text) expect_server_refused(bytes, sizeof(bytes) - 1, text)

static void server_without_tls(void) { EXPECT_SERVER_REFUSED("-ERR unknown command\r\n", "not TLS"); }

/* These begin like a record, of a kind or version that there is not: nobody waits for the rest of it. */
static void server_with_records_of_another_kind(void) { EXPECT_SERVER_REFUSED("\x63\x03\x03\x01\x00", "not TLS"); }
static void server_with_records_of_another_version(void) { EXPECT_SERVER_REFUSED("\x16\x02\x03\x01\x00", "not TLS"); }

/* An alert that is sent in clear, before the handshake has begun, says why: here fatal, protocol_version. */
static void server_that_gives_up_at_once(void) {
    EXPECT_SERVER_REFUSED("\x15\x03\x03\x00\x02\x02\x46", "the peer gave up with the alert ProtocolVersion");
}

TEST_MAIN(CASE(http), CASE(redis), CASE(zeros), CASE(record_that_is_too_long), CASE(data_before_the_handshake),
          CASE(hello_that_is_none), CASE(endless_client_hello), CASE(endless_nothing), CASE(client_that_goes_away),
          CASE(server_without_tls), CASE(two_bytes_that_are_no_record), CASE(bytes_that_are_no_record),
          CASE(server_with_records_of_another_kind), CASE(server_with_records_of_another_version),
          CASE(server_that_gives_up_at_once))
