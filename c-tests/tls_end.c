/* TLS: how a connection ends: with close_notify or without, reset, cut in the middle of a record, disturbed. */
#include "test.h"
#include "tls_wire.h"

static char buffer[65536];

static void begin(const char *protocols) {
    TLS_BEGIN(config.protocols = protocols);
    wire_connect_pair();
}

/* Reads until the end or an error; returns what the last read did. */
static int read_to_the_end(connection *conn, int *bytes) {
    int count, total = 0;

    while ((count = tls_read_some(conn, buffer, sizeof(buffer))) > 0) total += count;
    if (bytes != NULL) *bytes = total;
    return count;
}

/* What is on the wire from the client to the server now. */
static int wire_peek(void) {
    test_await(near_end, POLLIN);
    return (int)recv(near_end, buffer, sizeof(buffer), MSG_PEEK);
}

enum { ALERT_OF_1_2 = 21, DATA = 23 };

/* One alert and nothing else, then the end of the stream. */
static void expect_close_notify(const char *protocols) {
    int length = wire_peek();
    int is_1_2 = strcmp(protocols, "TLSv1.2") == 0;

    CHECK_INT(buffer[0], is_1_2 ? ALERT_OF_1_2 : DATA);
    CHECK_INT(length, is_1_2 ? 5 + 8 + 2 + 16 : 5 + 2 + 1 + 16);
    test_await(near_end, POLLRDHUP);
    wire_run(WIRE_ALL, WIRE_ALL);
    CHECK_INT(recv(near_end, buffer, 1, MSG_PEEK), 0);
    CHECK_INT(connGetState(server), CONN_STATE_CONNECTED);
    CHECK_INT(connRead(server, buffer, sizeof(buffer)), 0); /* though the server's socket has not seen the end */
    CHECK_INT(connGetState(server), CONN_STATE_CLOSED);
    CHECK_INT(connRead(server, buffer, sizeof(buffer)), 0);
    CHECK_FAILS(connWrite(server, "x", 1), -1, EPIPE);
}

static void close_says_goodbye(void) {
    static const char *const versions[] = {"TLSv1.2", "TLSv1.3"};
    int i;

    for (i = 0; i < 2; i++) {
        begin(versions[i]);
        connClose(client);
        client = NULL;
        expect_close_notify(versions[i]);
        wire_end();
        near_end = far_end = -1;
    }
}

#ifndef TEST_CONN_V1

static void shutdown_says_goodbye(void) {
    begin("TLSv1.3");
    connShutdown(client);
    expect_close_notify("TLSv1.3");
    CHECK(connRead(client, buffer, 1) <= 0);
    CHECK_INT(connWrite(client, "x", 1), -1);
    connShutdown(client); /* once more does no harm */
    wire_end();
}

static void data_before_a_shutdown_arrives(void) {
    int bytes;

    begin("TLSv1.3");
    tls_write_all(client, buffer, 50000);
    connShutdown(client);
    test_await(near_end, POLLRDHUP);
    wire_run(WIRE_ALL, WIRE_ALL);
    CHECK_INT(read_to_the_end(server, &bytes), 0);
    CHECK_INT(bytes, 50000);
    wire_end();
}

static void shutdown_during_the_handshake(void) {
    TLS_BEGIN();
    wire_connect(LIBAE_TLS_AUTH_CLIENTS_NO);
    wire_run(100, 100);
    connShutdown(client);
    connShutdown(server);
    while (!(client_calls && server_calls)) wire_run(WIRE_ALL, WIRE_ALL);
    CHECK_INT(client_state, CONN_STATE_ERROR);
    CHECK_INT(server_state, CONN_STATE_ERROR);
    wire_end();
}

#endif

static void data_before_a_close_arrives(void) {
    int bytes;

    begin("TLSv1.2");
    tls_write_all(client, buffer, 50000);
    connClose(client);
    client = NULL;
    test_await(near_end, POLLRDHUP);
    wire_run(WIRE_ALL, WIRE_ALL);
    CHECK_INT(read_to_the_end(server, &bytes), 0);
    CHECK_INT(bytes, 50000);
    wire_end();
}

static int ended;

static void on_read(connection *conn) {
    int count = connRead(conn, buffer, sizeof(buffer));

    if (count == 0) {
        ended++;
        CHECK_INT(connSetReadHandler(conn, NULL), C_OK);
    }
}

/* Nobody said goodbye: an end anyway. */
static void end_without_close_notify_is_an_end(void) {
    begin(NULL);
    CHECK_INT(connSetReadHandler(server, on_read), C_OK);
    wire_cut(&far_end);
    RUN_UNTIL(ended);
    CHECK_INT(connGetState(server), CONN_STATE_CLOSED);
    CHECK_INT(server->last_errno, 0);
    CHECK(tls_run_for(50) < 5);
    CHECK_INT(ended, 1);
    wire_end();
}

static void end_inside_a_record_is_an_end(void) {
    begin(NULL);
    tls_write_all(client, buffer, 1000);
    wire_peek();
    CHECK_INT(wire_move(near_end, far_end, 500), 500);
    wire_cut(&far_end);
    CHECK_INT(connRead(server, buffer, sizeof(buffer)), 0);
    CHECK_INT(connGetState(server), CONN_STATE_CLOSED);
    wire_end();
}

static void reset_is_an_error(void) {
    struct linger now = {1, 0};

    begin(NULL);
    CHECK(setsockopt(near_end, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) == 0);
    wire_cut(&near_end);
    CHECK_FAILS(tls_read_some(client, buffer, 1), -1, ECONNRESET);
    CHECK_INT(connGetState(client), CONN_STATE_ERROR);
    CHECK_INT(client->last_errno, ECONNRESET);
    CHECK_TEXT(connGetLastError(client), "Connection reset by peer");
    CHECK_INT(connRead(client, buffer, 1), -1);
    wire_end();
}

static void writing_to_nobody_is_an_error(void) {
    begin(NULL);
    wire_cut(&far_end);
    CHECK_FAILS(connWrite(server, "x", 1), -1, EPIPE);
    CHECK_INT(connGetState(server), CONN_STATE_ERROR);
    CHECK_TEXT(connGetLastError(server), "Broken pipe");
    wire_end();
}

#ifndef LIBAE_ABI_REDIS_6_2
/* In parts, too. */
static void writing_parts_to_nobody_is_an_error(void) {
    struct iovec part = {(char *)"x", 1};

    begin(NULL);
    wire_cut(&far_end);
    CHECK_FAILS(connWritev(server, &part, 1), -1, EPIPE);
    CHECK_INT(connGetState(server), CONN_STATE_ERROR);
    CHECK_TEXT(connGetLastError(server), "Broken pipe");
    wire_end();
}
#define CASES_OF_PARTS , CASE(writing_parts_to_nobody_is_an_error)
#else
#define CASES_OF_PARTS
#endif

/* One bit turned round on the way. */
static void disturbed_record_is_an_error(void) {
    int length;

    begin(NULL);
    tls_write_all(client, "hello", 5);
    length = wire_peek();
    CHECK_INT(read(near_end, buffer, sizeof(buffer)), length);
    buffer[length - 1] ^= 1;
    CHECK_INT(write(far_end, buffer, (size_t)length), length);
    CHECK_FAILS(connRead(server, buffer, sizeof(buffer)), -1, EPROTO);
    CHECK_INT(connGetState(server), CONN_STATE_ERROR);
    CHECK_INT(server->last_errno, EPROTO);
    CHECK_CONTAINS(connGetLastError(server), "cannot be decrypted");
    CHECK_FAILS(connWrite(server, "x", 1), -1, EPROTO);
    /* The peer is told. */
    wire_run(WIRE_ALL, WIRE_ALL);
    CHECK_FAILS(tls_read_some(client, buffer, sizeof(buffer)), -1, EPROTO);
    CHECK_CONTAINS(connGetLastError(client), "alert BadRecordMac");
    wire_end();
}

/* What was good before it is read first. */
static void good_records_come_before_the_error(void) {
    int bytes;

    begin(NULL);
    tls_write_all(client, "hello", 5);
    wire_peek();
    wire_run(WIRE_ALL, WIRE_ALL);
    test_send(far_end, "this is no record at all");
    CHECK_INT(read_to_the_end(server, &bytes), -1);
    CHECK_INT(errno, EPROTO);
    CHECK_INT(bytes, 5);
    CHECK_INT(connGetState(server), CONN_STATE_ERROR);
    CHECK_CONTAINS(connGetLastError(server), "not TLS");
    wire_end();
}

/* The client gives up behind its request: the reply is taken first. */
static void an_alert_waits_for_the_reply(void) {
    static const char *const versions[] = {"TLSv1.2", "TLSv1.3"};
    int i;

    for (i = 0; i < 2; i++) {
        begin(versions[i]);
        CHECK_INT(connEnableTcpNoDelay(client), C_OK);
        tls_write_all(client, "hello", 5);
        test_send(near_end, "this is no record at all");
        CHECK_FAILS(tls_read_some(client, buffer, sizeof(buffer)), -1, EPROTO);
        wire_run(WIRE_ALL, WIRE_ALL);
        CHECK_INT(connRead(server, buffer, sizeof(buffer)), 5);
        CHECK_INT(connWrite(server, "reply", 5), 5);
        CHECK_FAILS(connRead(server, buffer, sizeof(buffer)), -1, EPROTO);
        CHECK_CONTAINS(connGetLastError(server), "gave up with the alert");
        CHECK_FAILS(connWrite(server, "reply", 5), -1, EPROTO);
        wire_end();
        near_end = far_end = -1;
    }
}

static void on_read_error(connection *conn) {
    CHECK_INT(connRead(conn, buffer, sizeof(buffer)), -1);
    CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
    ended++;
    connClose(conn);
    server = NULL;
}

static void handler_hears_of_the_error(void) {
    begin(NULL);
    CHECK_INT(connSetReadHandler(server, on_read_error), C_OK);
    test_send(far_end, "GET / HTTP/1.1\r\n\r\n");
    RUN_UNTIL(server == NULL);
    CHECK_INT(ended, 1);
    CHECK(tls_run_for(20) < 5);
    wire_end();
}

/* The socket is full: there is no room for the goodbye, and nobody waits for it. It would be forever. */
static void close_with_a_full_socket(void) {
    int written = 0;

    begin(NULL);
    while (connWrite(server, buffer, sizeof(buffer)) > 0) written++;
    CHECK_INT(errno, EAGAIN);
    CHECK(written > 0);
    connClose(server);
    server = NULL;
    CHECK(test_drain(far_end) > 0);
    CHECK_INT(read(far_end, buffer, 1), 0);
    wire_end();
}

/* Nor does one wait for room that blocks its socket. */
static void close_with_a_full_socket_that_blocks(void) {
    begin(NULL);
    while (connWrite(server, buffer, sizeof(buffer)) > 0) continue;
    CHECK_INT(errno, EAGAIN);
    CHECK_INT(connBlock(server), C_OK);
    connClose(server);
    server = NULL;
    wire_end();
}

/* Its goodbye has nobody to reach. */
static void close_after_the_peer_raises_no_signal(void) {
    begin(NULL);
    CHECK(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    wire_cut(&far_end);
    connClose(server);
    server = NULL;
    wire_end();
}

static void on_accepted_write_and_close(connection *conn) {
    server_state = connGetState(conn);
    server_calls++;
    CHECK_INT(connWrite(conn, "-ERR too many\r\n", 15), 15);
    connClose(conn);
    server = NULL;
}

/* A replica blocks its socket while it loads: closing it must not wait for the other side. It would wait forever. */
static void close_does_not_wait_for_the_peer(void) {
    TLS_BEGIN(config.no_session_cache = 1); /* so that there is nothing to read */
    tls_connect_pair();
    CHECK_INT(connBlock(client), C_OK);
    connClose(client);
    client = NULL;
    tls_end();
}

/* As a server that has no room for one more. */
static void accept_handler_says_no(void) {
    int bytes;

    TLS_BEGIN();
    tls_connect("127.0.0.1");
    server = tls_create_accepted(el, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO);
    CHECK_INT(connAccept(server, on_accepted_write_and_close), C_OK);
    RUN_UNTIL(client_calls && server_calls);
    CHECK_INT(client_state, CONN_STATE_CONNECTED);
    CHECK_INT(read_to_the_end(client, &bytes), 0);
    CHECK_INT(bytes, 15);
    tls_end();
}

#ifdef TEST_CONN_V1
#define CASES_OF_SHUTDOWN
#else
#define CASES_OF_SHUTDOWN \
    , CASE(shutdown_says_goodbye), CASE(data_before_a_shutdown_arrives), CASE(shutdown_during_the_handshake)
#endif

TEST_MAIN(CASE(close_says_goodbye), CASE(data_before_a_close_arrives), CASE(end_without_close_notify_is_an_end),
          CASE(end_inside_a_record_is_an_end), CASE(reset_is_an_error), CASE(writing_to_nobody_is_an_error),
          CASE(disturbed_record_is_an_error), CASE(good_records_come_before_the_error), CASE(an_alert_waits_for_the_reply),
          CASE(handler_hears_of_the_error), CASE(close_with_a_full_socket),
          CASE(close_with_a_full_socket_that_blocks), CASE(close_after_the_peer_raises_no_signal),
          CASE(close_does_not_wait_for_the_peer), CASE(accept_handler_says_no)
          CASES_OF_SHUTDOWN CASES_OF_PARTS)
