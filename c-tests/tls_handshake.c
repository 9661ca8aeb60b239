/* TLS: handshakes that stop half way, or are none at all: they have their time, cost nothing while they wait, and there is
 * room for so many and no more. */
#include "test.h"
#include "tls_test.h"

static int peer = -1;

/* `peer` is a plain socket, and `server` waits for its ClientHello. */
static void accept_peer(void) {
    peer = test_connect(AF_INET, port);
    tls_accept(LIBAE_TLS_AUTH_CLIENTS_NO);
}

static void end(void) {
    if (peer != -1) close(peer);
    peer = -1;
    tls_end();
}

static void expect_time_over(connection *conn) {
    CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
    CHECK_TEXT(connGetLastError(conn), "the peer did not end the handshake in time");
    CHECK_INT(conn->last_errno, EPROTO);
    CHECK_INT(aeGetFileEvents(el, conn->fd), AE_NONE);
    CHECK_INT(connHasReadHandler(conn), 0);
}

/* The first bytes of a real ClientHello. */
static int client_hello(char *buffer, int most) {
    int fd, count;

    tls_connect("127.0.0.1");
    fd = tls_accept_fd();
    do {
        tls_run_once();
        count = (int)recv(fd, buffer, (size_t)most, MSG_PEEK);
    } while (count == -1);
    close(fd);
    connClose(client);
    client = NULL;
    client_calls = 0;
    client_state = -1;
    return count;
}

/* ---- Time ---- */

static void silent_client_is_given_up(void) {
    long long before;
    long rounds;

    TLS_BEGIN(config.handshake_timeout = 100);
    before = test_now_us();
    accept_peer();
    rounds = iterations;
    RUN_UNTIL(server_calls);
    CHECK(test_now_us() - before >= 100000);
    CHECK(iterations - rounds < 8);
    CHECK_INT(server_state, CONN_STATE_ERROR);
    expect_time_over(server);
    CHECK(tls_run_for(50) < 5);
    CHECK_INT(server_calls, 1);
    end();
}

static void half_a_client_hello_is_given_up(void) {
    char hello[512];
    int length;
    long rounds;

    TLS_BEGIN(config.handshake_timeout = 100);
    length = client_hello(hello, sizeof(hello));
    CHECK(length > 100);
    accept_peer();
    CHECK_INT(write(peer, hello, (size_t)length / 2), length / 2);
    rounds = iterations;
    RUN_UNTIL(server_calls);
    CHECK(iterations - rounds < 10);
    CHECK_INT(server_state, CONN_STATE_ERROR);
    expect_time_over(server);
    end();
}

/* The time is for all of the handshake. */
static void dripping_client_is_given_up(void) {
    char hello[512];
    int length, sent = 0;
    long long before;

    TLS_BEGIN(config.handshake_timeout = 150);
    length = client_hello(hello, sizeof(hello));
    accept_peer();
    before = test_now_us();
    while (!server_calls) {
        if (sent < length - 1) CHECK_INT(write(peer, hello + sent++, 1), 1);
        tls_run_for(10);
    }
    CHECK(test_now_us() - before >= 140000);
    CHECK(test_now_us() - before < 5000000);
    expect_time_over(server);
    end();
}

static void silent_server_is_given_up(void) {
    int fd;
    long rounds;

    TLS_BEGIN(config.handshake_timeout = 100);
    tls_connect("127.0.0.1");
    fd = tls_accept_fd();
    rounds = iterations;
    RUN_UNTIL(client_calls);
    CHECK(iterations - rounds < 10);
    CHECK_INT(client_state, CONN_STATE_ERROR);
    expect_time_over(client);
    close(fd);
    tls_end();
}

static void time_stops_with_the_handshake(void) {
    TLS_BEGIN(config.handshake_timeout = 1500);
    tls_connect_pair();
    tls_run_for(1700);
    CHECK_INT(client_calls, 1);
    CHECK_INT(server_calls, 1);
    CHECK_INT(connGetState(client), CONN_STATE_CONNECTED);
    CHECK_INT(connGetState(server), CONN_STATE_CONNECTED);
    tls_end();
}

static void without_a_limit(void) {
    TLS_BEGIN(config.handshake_timeout = -1);
    accept_peer();
    CHECK(tls_run_for(300) < 5);
    CHECK_INT(server_calls, 0);
    CHECK_INT(connGetState(server), CONN_STATE_ACCEPTING);
    CHECK_INT(aeGetFileEvents(el, server->fd), AE_READABLE);
    end();
}

static void on_accepted_close(connection *conn) {
    server_state = connGetState(conn);
    server_calls++;
    connClose(conn);
    server = NULL;
}

static void handler_closes_when_the_time_is_over(void) {
    TLS_BEGIN(config.handshake_timeout = 50);
    peer = test_connect(AF_INET, port);
    server = tls_create_accepted(el, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO);
    CHECK_INT(connAccept(server, on_accepted_close), C_OK);
    RUN_UNTIL(server_calls);
    CHECK_INT(server_state, CONN_STATE_ERROR);
    CHECK_INT(test_drain(peer), 0);
    end();
}

static void nobody_asks_how_it_went(void) {
    TLS_BEGIN(config.handshake_timeout = 50);
    peer = test_connect(AF_INET, port);
    server = tls_create_accepted(el, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO);
    CHECK_INT(connAccept(server, NULL), C_OK);
    RUN_UNTIL(connGetState(server) != CONN_STATE_ACCEPTING);
    expect_time_over(server);
    end();
}

/* Closed while it waits: its time does not come any more. */
static void closed_while_it_waits(void) {
    TLS_BEGIN(config.handshake_timeout = 50);
    accept_peer();
    tls_connect("127.0.0.1");
    tls_run_for(10);
    tls_close_both();
    CHECK(tls_run_for(100) < 5);
    CHECK_INT(server_calls, 0);
    end();
}

/* ---- No TLS ---- */

static void expect_refused(const char *bytes, size_t length, const char *text) {
    char answer[64];
    long rounds;
    int count;

    TLS_BEGIN();
    accept_peer();
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
    count = (int)read(peer, answer, sizeof(answer)); /* an alert, or nothing, or the reset of a close with bytes unread */
    if (count > 0) CHECK_INT(answer[0], 21);
    end();
}

#define EXPECT_REFUSED(bytes, text) expect_refused(bytes, sizeof(bytes) - 1, text)

static void http(void) { EXPECT_REFUSED("GET / HTTP/1.1\r\nHost: here\r\n\r\n", "not TLS"); }
static void redis(void) { EXPECT_REFUSED("*1\r\n$4\r\nPING\r\n", "not TLS"); }
static void zeros(void) { EXPECT_REFUSED("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "not TLS"); }
static void record_that_is_too_long(void) { EXPECT_REFUSED("\x16\x03\x01\xff\xff\x01\x00\x00\x05hello", "not TLS"); }
static void data_before_the_handshake(void) { EXPECT_REFUSED("\x17\x03\x03\x00\x05hello", "peer"); }
static void hello_that_is_none(void) { EXPECT_REFUSED("\x16\x03\x01\x00\x09\x01\x00\x00\x05hello", "not TLS"); }

/* A handshake message of 16 MB, in records that are right. */
static void endless_client_hello(void) {
    static char record[5 + 4000] = "\x16\x03\x01\x0f\xa0\x01\xff\xff\xff\x03\x03";
    int i;

    TLS_BEGIN();
    accept_peer();
    test_set_nonblocking(peer);
    for (i = 0; i < 200 && !server_calls; i++) {
        if (write(peer, record, sizeof(record)) == -1) CHECK(errno == ECONNRESET || errno == EPIPE || errno == EAGAIN);
        if (i == 0) memset(record + 5, 0, 10);
        tls_run_idle();
    }
    CHECK_INT(server_calls, 1);
    CHECK_INT(server_state, CONN_STATE_ERROR);
    end();
}

/* Empty records, one after the other: none is the beginning of anything. */
static void endless_nothing(void) {
    int i;

    TLS_BEGIN();
    accept_peer();
    test_set_nonblocking(peer);
    for (i = 0; i < 100000 && !server_calls; i++) {
        if (write(peer, "\x15\x03\x01\x00\x02\x01\x64", 7) == -1) CHECK(errno == ECONNRESET || errno == EPIPE || errno == EAGAIN);
        if (i % 100 == 0) tls_run_idle();
    }
    CHECK_INT(server_calls, 1);
    CHECK_INT(server_state, CONN_STATE_ERROR);
    end();
}

static void client_that_goes_away(void) {
    char hello[512];
    int length;

    TLS_BEGIN();
    length = client_hello(hello, sizeof(hello));
    accept_peer();
    CHECK_INT(write(peer, hello, (size_t)length - 1), length - 1);
    close(peer);
    peer = -1;
    RUN_UNTIL(server_calls);
    CHECK_INT(server_state, CONN_STATE_ERROR);
    CHECK_TEXT(connGetLastError(server), "the peer closed the connection during the handshake");
    end();
}

static void server_without_tls(void) {
    int fd;

    TLS_BEGIN();
    tls_connect("127.0.0.1");
    fd = tls_accept_fd();
    test_send(fd, "-ERR unknown command\r\n");
    RUN_UNTIL(client_calls);
    CHECK_INT(client_state, CONN_STATE_ERROR);
    CHECK_CONTAINS(connGetLastError(client), "not TLS");
    CHECK_INT(aeGetFileEvents(el, client->fd), AE_NONE);
    close(fd);
    tls_end();
}

/* ---- Room ---- */

#ifdef TEST_CONN_V1

/* The host accepts by itself here: one too many is refused. */
static void room_for_two(void) {
    connection *others[2];
    int peers[2], i;

    TLS_BEGIN(config.max_handshakes = 2);
    for (i = 0; i < 2; i++) {
        peers[i] = test_connect(AF_INET, port);
        others[i] = tls_create_accepted(el, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO);
        CHECK_INT(connAccept(others[i], NULL), C_OK);
    }
    accept_peer();
    CHECK_INT(connGetState(server), CONN_STATE_ERROR);
    CHECK_TEXT(connGetLastError(server), "too many handshakes are under way");
    CHECK_INT(server_calls, 0);
    connClose(server);
    connClose(others[0]);
    tls_connect_pair();
    connClose(others[1]);
    test_close_pair(peers);
    end();
}

#else

static connection *accepted[8];
static int accepted_count;

static void on_accepted(connection *conn, int flags, char *ip) {
    CHECK_INT(flags, 0);
    CHECK_TEXT(ip, "127.0.0.1");
    CHECK(accepted_count < 8);
    accepted[accepted_count++] = server = conn;
    connAccept(conn, tls_on_accepted);
}

static void watch_listening(void) {
    CHECK_INT(aeCreateFileEvent(el, listening, AE_READABLE, connAcceptHandler(connectionTypeTls()), NULL), AE_OK);
}

/* The third waits in the backlog, without keeping the loop busy, and has its turn later. */
static void room_for_two(void) {
    libaeHost host = {.size = sizeof(host), .accepted = on_accepted};
    int peers[2];
    long rounds;

    CHECK_INT(libaeSetHost(&host), AE_OK);
    TLS_BEGIN(config.max_handshakes = 2);
    watch_listening();
    peers[0] = test_connect(AF_INET, port);
    peers[1] = test_connect(AF_INET, port);
    RUN_UNTIL(accepted_count == 2);
    tls_connect("127.0.0.1");
    rounds = tls_run_for(1000);
    if (rounds > 50) FAIL("%ld iterations in a second of waiting", rounds);
    CHECK_INT(accepted_count, 2);
    CHECK_INT(client_calls, 0);
    connClose(accepted[0]);
    RUN_UNTIL(client_calls && server_calls);
    CHECK_INT(client_state, CONN_STATE_CONNECTED);
    CHECK_INT(accepted_count, 3);
    connClose(accepted[1]);
    aeDeleteFileEvent(el, listening, AE_READABLE);
    test_close_pair(peers);
    end();
}

/* As many as come, when there is room; those who have ended their handshake do not count. */
static void one_after_the_other(void) {
    libaeHost host = {.size = sizeof(host), .accepted = on_accepted};
    connection *clients[6];
    int i;

    CHECK_INT(libaeSetHost(&host), AE_OK);
    TLS_BEGIN(config.max_handshakes = 1);
    watch_listening();
    for (i = 0; i < 6; i++) {
        tls_connect("127.0.0.1");
        clients[i] = client;
        RUN_UNTIL(client_calls == 1 && server_calls == i + 1);
        CHECK_INT(client_state, CONN_STATE_CONNECTED);
        client_calls = 0;
    }
    client = server = NULL;
    for (i = 0; i < 6; i++) connClose(clients[i]), connClose(accepted[i]);
    aeDeleteFileEvent(el, listening, AE_READABLE);
    tls_end();
}

static int three(void) { return 3; }

static void accepts_per_call_are_the_hosts(void) {
    libaeHost host = {.size = sizeof(host), .accepted = on_accepted, .tls_accepts_per_call = three};
    int peers[5], i;

    CHECK_INT(libaeSetHost(&host), AE_OK);
    TLS_BEGIN();
    for (i = 0; i < 5; i++) peers[i] = test_connect(AF_INET, port);
    watch_listening();
    tls_run_once();
    CHECK_INT(accepted_count, 3);
    tls_run_once();
    CHECK_INT(accepted_count, 5);
    for (i = 0; i < 5; i++) close(peers[i]), connClose(accepted[i]);
    server = NULL;
    aeDeleteFileEvent(el, listening, AE_READABLE);
    tls_end();
}

#define CASES_OF_LISTENERS , CASE(one_after_the_other), CASE(accepts_per_call_are_the_hosts)
#endif

#ifndef CASES_OF_LISTENERS
#define CASES_OF_LISTENERS
#endif

TEST_MAIN(CASE(silent_client_is_given_up), CASE(half_a_client_hello_is_given_up), CASE(dripping_client_is_given_up),
          CASE(silent_server_is_given_up), CASE(time_stops_with_the_handshake), CASE(without_a_limit),
          CASE(handler_closes_when_the_time_is_over), CASE(nobody_asks_how_it_went), CASE(closed_while_it_waits), CASE(http),
          CASE(redis), CASE(zeros), CASE(record_that_is_too_long), CASE(data_before_the_handshake), CASE(hello_that_is_none),
          CASE(endless_client_hello), CASE(endless_nothing), CASE(client_that_goes_away), CASE(server_without_tls),
          CASE(room_for_two) CASES_OF_LISTENERS)
