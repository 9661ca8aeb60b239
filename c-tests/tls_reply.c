/* TLS: the end of a connection, or a record that ends it, comes in one packet with the last request. The program is told of
 * the request first and of the end when it has had the occasion to reply, and the reply goes out. */
#include "test.h"
#include "tls_wire.h"

enum { TLS_1_2, TLS_1_3, VERSIONS };

static const char *const protocols[] = {"TLSv1.2", "TLSv1.3"};

static const char REQUEST[] = "PING\r\n", REPLY[] = "+PONG\r\n";

/* What a program's read handler does to reply. */
enum { REPLY_BEFORE_SLEEP, REPLY_WHEN_WRITABLE };

/* What is behind the request. */
enum { CLOSE_NOTIFY, BAD_RECORD, BAD_DATA_OF_A_FULL_RECORD, NO_RECORD, BEHIND };

static int way, version, owed, replies, ends, last_read, last_errno, room;
static char buffer[100000];

static void reply(connection *conn) {
    while (owed > 0) {
        CHECK_INT(connWrite(conn, REPLY, sizeof(REPLY) - 1), sizeof(REPLY) - 1);
        owed--;
        replies++;
    }
}

static void on_writable(connection *conn) {
    reply(conn);
    CHECK_INT(connSetWriteHandler(conn, NULL), C_OK);
}

static void on_readable(connection *conn) {
    last_read = connRead(conn, buffer, (size_t)room);
    last_errno = errno;
    if (last_read > 0) {
        int i;

        for (i = 0; i < last_read; i++) owed += buffer[i] == '\n';
        if (owed && way == REPLY_WHEN_WRITABLE) CHECK_INT(connSetWriteHandler(conn, on_writable), C_OK);
        return;
    }
    if (last_read == -1 && last_errno == EAGAIN) return;
    ends++;
    connClose(conn);
    server = NULL;
}

static void before_sleep(aeEventLoop *loop) {
    (void)loop;
    if (way == REPLY_BEFORE_SLEEP && server != NULL) reply(server);
}

/* As Redis: what is pending comes before the replies. */
static void ask_before_sleep(aeEventLoop *loop) {
    tls_process_pending(loop);
    aeSetDontWait(loop, tls_has_pending(loop) || server == NULL); /* the test hears of the end at once */
    before_sleep(loop);
}

static int bad_records(char *where, int behind) {
    int length = behind == BAD_DATA_OF_A_FULL_RECORD ? 16384 + 16 : 48;

    memset(where, 'A', (size_t)length + 5);
    if (behind == NO_RECORD) return 20;
    memcpy(where, "\x17\x03\x03", 3);
    where[3] = (char)(length >> 8);
    where[4] = (char)length;
    return length + 5;
}

/* How many records of application data are there, whole. */
static int data_records(int length) {
    int at, next, count = 0;

    for (at = 0; at + 5 <= length; at = next) {
        next = at + 5 + (unsigned char)buffer[at + 3] * 256 + (unsigned char)buffer[at + 4];
        if (next <= length && buffer[at] == 23) count++;
    }
    return count;
}

/* So many records of the client's, its end, if that is behind them, or what the test puts there arrive at once. */
static void deliver(int records, int behind) {
    int length = 0, count = 1;

    while (count > 0 && (behind == CLOSE_NOTIFY || data_records(length) < records)) {
        test_await(near_end, POLLIN);
        count = (int)read(near_end, buffer + length, 16384);
        CHECK(count >= 0);
        length += count;
    }
    if (behind != CLOSE_NOTIFY) length += bad_records(buffer + length, behind);
    CHECK_INT(write(far_end, buffer, (size_t)length), length);
}

/* What the server has sent is so many replies and one alert. */
static void expect_replies(int count) {
    int overhead = version == TLS_1_2 ? 8 + 16 : 1 + 16, length, at = 0, records = 0;

    length = (int)read(far_end, buffer, sizeof(buffer));
    while (at < length) {
        int content = (unsigned char)buffer[at + 3] * 256 + (unsigned char)buffer[at + 4] - overhead;

        CHECK_INT(content, records < count ? (int)sizeof(REPLY) - 1 : 2);
        at += 5 + overhead + content;
        records++;
    }
    CHECK_INT(records, count + 1);
}

static void expect_the_end(int behind) {
    RUN_UNTIL(server == NULL);
    CHECK_INT(ends, 1);
    CHECK_INT(last_read, behind == CLOSE_NOTIFY ? 0 : -1);
    if (behind != CLOSE_NOTIFY) CHECK_INT(last_errno, EPROTO);
}

static void one_request(int behind) {
    TLS_BEGIN(config.protocols = protocols[version]);
    aeSetBeforeSleepProc(el, before_sleep);
    replies = ends = owed = 0;
    room = sizeof(buffer);
    wire_connect_pair();
    CHECK_INT(connSetReadHandler(server, on_readable), C_OK);
    tls_write_all(client, REQUEST, sizeof(REQUEST) - 1);
    if (behind == CLOSE_NOTIFY) {
        connClose(client);
        client = NULL;
    }
    deliver(1, behind);
    expect_the_end(behind);
    CHECK_INT(replies, 1);
    expect_replies(1);
    wire_end();
}

static void every_end(void) {
    int behind;

    for (version = 0; version < VERSIONS; version++) {
        for (behind = 0; behind < BEHIND; behind++) one_request(behind);
    }
}

static void replies_before_sleep(void) {
    way = REPLY_BEFORE_SLEEP;
    every_end();
}

static void replies_when_writable(void) {
    way = REPLY_WHEN_WRITABLE;
    every_end();
}

/* ---- In a loop that asks for pending data ---- */

static void several_requests(int behind) {
    int i;

    TLS_BEGIN(config.protocols = protocols[version]);
    aeSetBeforeSleepProc(el, ask_before_sleep);
    replies = ends = owed = 0;
    wire_connect_pair();
    CHECK_INT(connSetReadHandler(server, on_readable), C_OK);
    for (i = 0; i < 5; i++) tls_write_all(client, REQUEST, sizeof(REQUEST) - 1);
    if (behind == CLOSE_NOTIFY) {
        connClose(client);
        client = NULL;
    }
    deliver(5, behind);
    expect_the_end(behind);
    CHECK_INT(replies, 5);
    expect_replies(5);
    wire_end();
}

static void every_end_in_a_loop_that_asks(void) {
    int behind;

    for (version = 0; version < VERSIONS; version++) {
        for (behind = 0; behind < BEHIND; behind++) several_requests(behind);
    }
}

static void asked_replies_before_sleep(void) {
    way = REPLY_BEFORE_SLEEP;
    room = sizeof(buffer);
    every_end_in_a_loop_that_asks();
}

static void asked_replies_when_writable(void) {
    way = REPLY_WHEN_WRITABLE;
    room = sizeof(buffer);
    every_end_in_a_loop_that_asks();
}

/* A request is read in pieces: the last of them is pending data. */
static void asked_piecemeal(void) {
    way = REPLY_BEFORE_SLEEP;
    room = 4;
    every_end_in_a_loop_that_asks();
    room = (int)sizeof(REQUEST) - 1; /* precisely one */
    every_end_in_a_loop_that_asks();
}

/* ---- Behind the handshake's last message ---- */

static void on_connected_say_all(connection *conn) {
    client_state = connGetState(conn);
    client_calls++;
    CHECK_INT(client_state, CONN_STATE_CONNECTED);
    tls_write_all(conn, REQUEST, sizeof(REQUEST) - 1);
    if (owed == -CLOSE_NOTIFY - 1) connClose(conn), client = NULL;
    owed = 0;
}

static void on_accepted_read(connection *conn) {
    server_state = connGetState(conn);
    server_calls++;
    if (server_state != CONN_STATE_CONNECTED) FAIL("server: %s", connGetLastError(conn));
    CHECK_INT(connSetReadHandler(conn, on_readable), C_OK);
}

static void behind_the_handshake(int behind) {
    int pair[2];

    TLS_BEGIN(config.protocols = protocols[version], config.no_session_cache = 1);
    aeSetBeforeSleepProc(el, before_sleep);
    replies = ends = 0;
    room = sizeof(buffer);
    owed = -behind - 1; /* for the client's handler */
    client = tls_create(el);
    CHECK_INT(connConnect(client, "127.0.0.1", port, NULL, on_connected_say_all), C_OK);
    near_end = tls_accept_fd();
    test_pair(pair);
    far_end = pair[1];
    server = tls_create_accepted(el, pair[0], LIBAE_TLS_AUTH_CLIENTS_NO);
    CHECK_INT(connAccept(server, on_accepted_read), C_OK);
    while (!client_calls) {
        wire_move(near_end, far_end, WIRE_ALL);
        wire_move(far_end, near_end, WIRE_ALL);
        tls_run_idle();
    }
    deliver(2, behind); /* the first ends the handshake */
    expect_the_end(behind);
    CHECK_INT(server_calls, 1);
    CHECK_INT(replies, 1);
    expect_replies(1);
    wire_end();
}

/* With TLS 1.3 the client's last message and its first request come together. */
static void request_and_end_behind_the_handshake(void) {
    int behind;

    way = REPLY_BEFORE_SLEEP;
    version = TLS_1_3;
    for (behind = 0; behind < BEHIND; behind++) behind_the_handshake(behind);
}

/* ---- The peer has said that it sends no more, but reads ---- */

static void writing_goes_on_until_the_end_is_read(void) {
    for (version = 0; version < VERSIONS; version++) {
        TLS_BEGIN(config.protocols = protocols[version]);
        wire_connect_pair();
        tls_write_all(client, REQUEST, sizeof(REQUEST) - 1);
        deliver(1, BAD_RECORD);
        CHECK_INT(connWrite(server, REPLY, sizeof(REPLY) - 1), sizeof(REPLY) - 1);
        CHECK_INT(connRead(server, buffer, sizeof(buffer)), sizeof(REQUEST) - 1);
        CHECK_INT(connWrite(server, REPLY, sizeof(REPLY) - 1), sizeof(REPLY) - 1);
        CHECK_FAILS(connRead(server, buffer, sizeof(buffer)), -1, EPROTO);
        CHECK_FAILS(connWrite(server, REPLY, sizeof(REPLY) - 1), -1, EPROTO);
        expect_replies(2);
        wire_end();
    }
}

/* Records are read together, but not what is wrong behind them. */
static void good_records_are_read_together(void) {
    enum { SIZE = 3 * 16384 };
    int behind;

    for (version = 0; version < VERSIONS; version++) {
        for (behind = CLOSE_NOTIFY + 1; behind < BEHIND; behind++) {
            TLS_BEGIN(config.protocols = protocols[version]);
            wire_connect_pair();
            tls_write_all(client, buffer, SIZE);
            deliver(3, behind);
            CHECK_INT(connRead(server, buffer, sizeof(buffer)), SIZE);
            CHECK_INT(connWrite(server, REPLY, sizeof(REPLY) - 1), sizeof(REPLY) - 1);
            CHECK_FAILS(connRead(server, buffer, sizeof(buffer)), -1, EPROTO);
            CHECK_FAILS(connWrite(server, REPLY, sizeof(REPLY) - 1), -1, EPROTO);
            expect_replies(1);
            wire_end();
        }
    }
}

TEST_MAIN(CASE(replies_before_sleep), CASE(replies_when_writable), CASE(asked_replies_before_sleep),
          CASE(asked_replies_when_writable), CASE(asked_piecemeal), CASE(request_and_end_behind_the_handshake),
          CASE(writing_goes_on_until_the_end_is_read), CASE(good_records_are_read_together))
