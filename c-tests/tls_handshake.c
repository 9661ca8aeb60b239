/* TLS: handshakes that stop half way: they have their time, cost nothing while they wait, and there is room for so
 * many and no more. */
#include "test.h"
#include "failing_calls.h"
#include "tls_test.h"

static void expect_time_over(connection *conn) {
    CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
    CHECK_TEXT(connGetLastError(conn), "the peer did not end the handshake in time");
    CHECK_INT(conn->last_errno, EPROTO);
    CHECK_INT(aeGetFileEvents(el, conn->fd), AE_NONE);
    CHECK_INT(connHasReadHandler(conn), 0);
}

/* ---- Signals ---- */

static void interruptions_break_nothing(void) {
    char buffer[8];

    TLS_BEGIN();
    tls_connect("127.0.0.1");
    tls_accept(LIBAE_TLS_AUTH_CLIENTS_NO);
    reads = writes = (struct failures){3, {EINTR, EINTR, EINTR}};
    RUN_UNTIL(client_calls && server_calls);
    CHECK_INT(client_state, CONN_STATE_CONNECTED);
    CHECK_INT(server_state, CONN_STATE_CONNECTED);
    CHECK_INT(reads.count + writes.count, 0);
    /* What was being written is in a record already, and goes once. */
    writes = (struct failures){1, {EINTR}};
    CHECK_FAILS(connWrite(client, "x", 1), -1, EINTR);
    CHECK_INT(connWrite(client, "x", 1), 1);
    connClose(client);
    client = NULL;
    reads = (struct failures){1, {EINTR}};
    CHECK_FAILS(connRead(server, buffer, sizeof(buffer)), -1, EINTR);
    CHECK_INT(tls_read_some(server, buffer, sizeof(buffer)), 1);
    CHECK_INT(tls_read_some(server, buffer, sizeof(buffer)), 0);
    tls_end();
}

/* ---- Time ---- */

static void silent_client_is_given_up(void) {
    long long before;
    long rounds;

    TLS_BEGIN(config.handshake_timeout = 100);
    before = test_now_us();
    tls_accept_peer();
    rounds = iterations;
    RUN_UNTIL(server_calls);
    CHECK(test_now_us() - before >= 100000);
    CHECK(iterations - rounds < 8);
    CHECK_INT(server_state, CONN_STATE_ERROR);
    expect_time_over(server);
    CHECK(tls_run_for(50) < 5);
    CHECK_INT(server_calls, 1);
    tls_end_peer();
}

static void half_a_client_hello_is_given_up(void) {
    char hello[512];
    int length;
    long rounds;

    TLS_BEGIN(config.handshake_timeout = 100);
    length = tls_client_hello(hello, sizeof(hello));
    CHECK(length > 100);
    tls_accept_peer();
    CHECK_INT(write(peer, hello, (size_t)length / 2), length / 2);
    rounds = iterations;
    RUN_UNTIL(server_calls);
    CHECK(iterations - rounds < 10);
    CHECK_INT(server_state, CONN_STATE_ERROR);
    expect_time_over(server);
    tls_end_peer();
}

/* The time is for all of the handshake. */
static void dripping_client_is_given_up(void) {
    char hello[512];
    int length, sent = 0;
    long long before;

    TLS_BEGIN(config.handshake_timeout = 150);
    length = tls_client_hello(hello, sizeof(hello));
    before = test_now_us();
    tls_accept_peer();
    while (!server_calls) {
        if (sent < length - 1) CHECK_INT(write(peer, hello + sent++, 1), 1);
        tls_run_for(10);
    }
    CHECK(test_now_us() - before >= 150000);
    CHECK(sent < length - 1);
    expect_time_over(server);
    tls_end_peer();
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

/* One that needs longer than its time, on a slow machine, is made again with more. */
static void time_stops_with_the_handshake(void) {
    libaeTlsConfig config;
    int limit;

    TLS_BEGIN();
    config = tls_config();
    for (limit = 500;; limit *= 2) {
        CHECK(limit < TEST_PATIENCE_MS);
        config.handshake_timeout = limit;
        tls_configure(&config);
        tls_connect("127.0.0.1");
        tls_accept(LIBAE_TLS_AUTH_CLIENTS_NO);
        RUN_UNTIL(client_calls && server_calls);
        if (client_state == CONN_STATE_CONNECTED && server_state == CONN_STATE_CONNECTED) break;
        tls_close_both();
    }
    tls_run_for(limit + 200);
    CHECK_INT(client_calls, 1);
    CHECK_INT(server_calls, 1);
    CHECK_INT(connGetState(client), CONN_STATE_CONNECTED);
    CHECK_INT(connGetState(server), CONN_STATE_CONNECTED);
    tls_end();
}

static void without_a_limit(void) {
    TLS_BEGIN(config.handshake_timeout = -1);
    tls_accept_peer();
    CHECK(tls_run_for(300) < 5);
    CHECK_INT(server_calls, 0);
    CHECK_INT(connGetState(server), CONN_STATE_ACCEPTING);
    CHECK_INT(aeGetFileEvents(el, server->fd), AE_READABLE);
    tls_end_peer();
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
    tls_end_peer();
}

static void nobody_asks_how_it_went(void) {
    TLS_BEGIN(config.handshake_timeout = 50);
    peer = test_connect(AF_INET, port);
    server = tls_create_accepted(el, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO);
    CHECK_INT(connAccept(server, NULL), C_OK);
    RUN_UNTIL(connGetState(server) != CONN_STATE_ACCEPTING);
    expect_time_over(server);
    tls_end_peer();
}

/* Closed while it waits: its time never comes. */
static void closed_while_it_waits(void) {
    TLS_BEGIN(config.handshake_timeout = 2000);
    tls_accept_peer();
    tls_connect("127.0.0.1");
    tls_run_for(10);
    tls_close_both();
    CHECK(tls_run_for(2100) < 5);
    CHECK_INT(server_calls, 0);
    tls_end_peer();
}

/* ---- A peer that does not read ---- */

static int read_some(void) {
    static char buffer[4096];
    ssize_t count = recv(peer, buffer, sizeof(buffer), MSG_DONTWAIT);

    return count > 0 ? (int)count : 0;
}

static void what_is_sent_waits_for_room(void) {
    char hello[512];
    struct sockaddr_storage address;
    int length, fd, small = 4096, received = 0;

    TLS_BEGIN(config.cert_file = tls_file("long-chain.crt"));
    length = tls_client_hello(hello, sizeof(hello));
    peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(peer != -1);
    CHECK_INT(setsockopt(peer, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
    CHECK_INT(connect(peer, (struct sockaddr *)&address, test_loopback(AF_INET, port, &address)), 0);
    fd = tls_accept_fd();
    CHECK_INT(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
    CHECK_INT(write(peer, hello, (size_t)length), length);
    tls_accept_over(fd, LIBAE_TLS_AUTH_CLIENTS_NO);
    RUN_UNTIL(aeGetFileEvents(el, fd) == AE_WRITABLE);
    CHECK(tls_run_for(100) < 5);
    while (aeGetFileEvents(el, fd) == AE_WRITABLE) {
        received += read_some();
        tls_run_for(1);
    }
    CHECK_INT(aeGetFileEvents(el, fd), AE_READABLE);
    CHECK_INT(connGetState(server), CONN_STATE_ACCEPTING);
    CHECK(received > 20000);
    tls_end_peer();
}

/* ---- Room ---- */

static const char TOO_MANY[] = "too many handshakes are under way";

/* Its parent's handshakes, which it leaves alone, take no room from its own. */
static void a_child_has_room_of_its_own(void) {
    connection *own;
    int status;
    pid_t child;

    TLS_BEGIN(config.max_handshakes = 1);
    peer = test_connect(AF_INET, port);
    tls_accept(LIBAE_TLS_AUTH_CLIENTS_NO);
    child = fork();
    if (child == 0) {
        aeEventLoop *el_of_child = aeCreateEventLoop(64);

        test_connect(AF_INET, port);
        own = tls_create_accepted(el_of_child, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO);
        CHECK_INT(connAccept(own, NULL), C_OK);
        connClose(own);
        aeDeleteEventLoop(el_of_child);
        _exit(0);
    }
    CHECK(child > 0);
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(status, 0);
    CHECK_INT(connGetState(server), CONN_STATE_ACCEPTING);
    tls_end_peer();
}

/* What has failed has no room any more, and nothing of it is watched, though it has not been closed yet. */
static void a_failed_handshake_leaves_its_room(void) {
    connection *failed;
    int failed_peer;

    TLS_BEGIN(config.max_handshakes = 1);
    tls_accept_peer();
    failed = server;
    failed_peer = peer;
    CHECK_INT(write(peer, "GET / HTTP/1.1\r\n", 16), 16);
    test_await(server->fd, POLLIN);
    CHECK_FAILS(connAccept(server, tls_on_accepted), C_ERR, EPROTO);
    CHECK_INT(server_calls, 0);
    CHECK_INT(aeGetFileEvents(el, failed->fd), AE_NONE);
    CHECK(failed->conn_handler == NULL);
    server = NULL;
    tls_connect_pair();
    connClose(failed);
    close(failed_peer);
    peer = -1;
    tls_end_peer();
}

/* Of another loop's handshakes none gives way: that loop may be another thread's. */
static void the_oldest_of_another_loop_stays(void) {
    aeEventLoop *other;
    connection *oldest;
    int its_peer;

    TLS_BEGIN(config.max_handshakes = 1);
    tls_accept_peer();
    oldest = server;
    its_peer = peer;
    test_sleep_us(2 * 1000 * LIBAE_ACCEPT_RETRY_MS);
    other = aeCreateEventLoop(64);
    CHECK(other != NULL);
    peer = test_connect(AF_INET, port);
#ifdef TEST_CONN_LOOP
    server = tls_create_accepted(other, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO);
#else
    server = tls_create_accepted(el, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO); /* in the newest loop */
#endif
    CHECK_FAILS(connAccept(server, tls_on_accepted), C_ERR, EPROTO);
    CHECK_TEXT(connGetLastError(server), TOO_MANY);
    tls_run_idle();
    CHECK_INT(connGetState(oldest), CONN_STATE_ACCEPTING);
    connClose(oldest);
    close(its_peer);
    connClose(server);
    server = NULL;
    aeDeleteEventLoop(other);
    tls_end_peer();
}

static int gave_way;

static void on_gave_way(connection *conn) {
    CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
    CHECK_TEXT(connGetLastError(conn), TOO_MANY);
    gave_way++;
}

/* The program accepts by itself: one too many is refused, until the oldest has had some time. */
static void the_oldest_gives_way(void) {
    connection *others[2];
    int peers[2], i;

    TLS_BEGIN(config.max_handshakes = 2);
    for (i = 0; i < 2; i++) {
        peers[i] = test_connect(AF_INET, port);
        others[i] = tls_create_accepted(el, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO);
        CHECK_INT(connAccept(others[i], i == 0 ? on_gave_way : NULL), C_OK);
    }
    for (;;) {
        peer = test_connect(AF_INET, port);
        server = tls_create_accepted(el, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO);
        if (connAccept(server, tls_on_accepted) == C_OK) break;
        CHECK_INT(connGetState(server), CONN_STATE_ERROR);
        CHECK_TEXT(connGetLastError(server), TOO_MANY);
        CHECK_INT(server_calls, 0);
        connClose(server);
        close(peer);
        tls_run_for(10);
    }
    CHECK_INT(gave_way, 0); /* it is not told in between */
    CHECK_INT(connAccept(others[0], on_gave_way), C_OK); /* nor does it take the room of another */
    RUN_UNTIL(gave_way);
    CHECK_INT(connGetState(others[1]), CONN_STATE_ACCEPTING);
    CHECK_INT(connGetState(server), CONN_STATE_ACCEPTING);
    connClose(server);
    connClose(others[0]);
    tls_connect_pair();
    connClose(others[1]);
    test_close_pair(peers);
    tls_end_peer();
}

#ifndef TEST_CONN_V1

static connection *accepted[8];
static int accepted_count;

static void on_over(connection *conn) {
    if (connGetState(conn) == CONN_STATE_CONNECTED) {
        tls_on_accepted(conn);
        return;
    }
    CHECK(conn == accepted[gave_way]); /* the oldest first */
    CHECK_TEXT(connGetLastError(conn), TOO_MANY);
    gave_way++;
}

static void on_accepted(connection *conn, int flags, char *ip) {
    CHECK_INT(flags, 0);
    CHECK_TEXT(ip, "127.0.0.1");
    CHECK(accepted_count < 8);
    accepted[accepted_count++] = server = conn;
    connAccept(conn, on_over);
}

/* The loop has none but the case's own. */
static void expect_no_timers(void) {
    const aeTimeEvent *event;

    tls_run_idle();
    for (event = el->timeEventHead; event != NULL; event = event->next)
        if (event->id != AE_DELETED_EVENT_ID) CHECK(event->timeProc == tls_on_hang);
}

static void watch_listening(void) {
    CHECK_INT(aeCreateFileEvent(el, listening, AE_READABLE, connAcceptHandler(connectionTypeTls()), NULL), AE_OK);
}

/* The third waits in the backlog until the first has had some time, without keeping the loop busy. */
static void room_for_two(void) {
    libaeHost host = {.size = sizeof(host), .accepted = on_accepted};
    int peers[2], i;
    long rounds;

    CHECK_INT(libaeSetHost(&host), AE_OK);
    TLS_BEGIN(config.max_handshakes = 2);
    watch_listening();
    peers[0] = test_connect(AF_INET, port);
    peers[1] = test_connect(AF_INET, port);
    RUN_UNTIL(accepted_count == 2);
    rounds = iterations;
    tls_connect("127.0.0.1");
    RUN_UNTIL(client_calls && server_calls);
    if (iterations - rounds > 50) FAIL("%ld iterations of waiting", iterations - rounds);
    CHECK_INT(client_state, CONN_STATE_CONNECTED);
    CHECK_INT(accepted_count, 3);
    CHECK_INT(gave_way, 1);
    CHECK_INT(connGetState(accepted[1]), CONN_STATE_ACCEPTING);
    for (i = 0; i < 2; i++) connClose(accepted[i]), close(peers[i]);
    tls_close_both();
    expect_no_timers();
    aeDeleteFileEvent(el, listening, AE_READABLE);
    tls_end_peer();
}

/* One that has come a moment ago has not had its time yet. */
static void nobody_gives_way_at_once(void) {
    libaeHost host = {.size = sizeof(host), .accepted = on_accepted};
    int peers[2], i;
    long long begun;

    CHECK_INT(libaeSetHost(&host), AE_OK);
    TLS_BEGIN(config.max_handshakes = 1);
    watch_listening();
    for (i = 0; i < 2; i++) peers[i] = test_connect(AF_INET, port);
    begun = test_now_us();
    tls_run_once();
    for (i = 0; i < 20; i++) CHECK(aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT) >= 0);
    if (test_now_us() - begun < 1000 * LIBAE_ACCEPT_RETRY_MS) {
        CHECK_INT(accepted_count, 1);
        CHECK_INT(gave_way, 0);
    }
    RUN_UNTIL(gave_way == 1);
    CHECK_INT(accepted_count, 2);
    for (i = 0; i < 2; i++) connClose(accepted[i]), close(peers[i]);
    server = NULL;
    aeDeleteFileEvent(el, listening, AE_READABLE);
    tls_end_peer();
}

/* Half-open ones in front of it do not keep a client waiting for their time to be over. */
static void a_client_behind_silent_ones(void) {
    libaeHost host = {.size = sizeof(host), .accepted = on_accepted};
    int peers[7], i;

    CHECK_INT(libaeSetHost(&host), AE_OK);
    TLS_BEGIN(config.max_handshakes = 1, config.handshake_timeout = -1);
    watch_listening();
    for (i = 0; i < 7; i++) peers[i] = test_connect(AF_INET, port);
    tls_connect("127.0.0.1");
    RUN_UNTIL(client_calls && server_calls);
    CHECK_INT(client_state, CONN_STATE_CONNECTED);
    RUN_UNTIL(gave_way == 7);
    for (i = 0; i < 7; i++) connClose(accepted[i]), close(peers[i]);
    aeDeleteFileEvent(el, listening, AE_READABLE);
    tls_end();
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

#define CASES_OF_LISTENERS \
    , CASE(room_for_two), CASE(nobody_gives_way_at_once), CASE(a_client_behind_silent_ones), \
        CASE(one_after_the_other), CASE(accepts_per_call_are_the_hosts)
#endif

#ifndef CASES_OF_LISTENERS
#define CASES_OF_LISTENERS
#endif

TEST_MAIN(CASE(interruptions_break_nothing), CASE(silent_client_is_given_up), CASE(half_a_client_hello_is_given_up),
          CASE(dripping_client_is_given_up), CASE(silent_server_is_given_up), CASE(time_stops_with_the_handshake),
          CASE(without_a_limit),
          CASE(handler_closes_when_the_time_is_over), CASE(nobody_asks_how_it_went), CASE(closed_while_it_waits),
          CASE(what_is_sent_waits_for_room), CASE(the_oldest_gives_way),
          CASE(a_child_has_room_of_its_own), CASE(a_failed_handshake_leaves_its_room),
          CASE(the_oldest_of_another_loop_stays) CASES_OF_LISTENERS)
