/* TLS without the loop: the blocking connect, and reads and writes that wait. The server is a process of its own. */
#include "test.h"
#include "failing_calls.h"
#include "tls_test.h"

static pid_t child;
static char buffer[65536];

/* Forks; in the child `el` is a new loop and `server` has ended its handshake. Returns 1 there. */
static int fork_server(const char *protocols) {
    TLS_BEGIN(config.protocols = protocols);
    child = fork();
    CHECK(child != -1);
    if (child != 0) {
        client = tls_create(el);
        CHECK(client != NULL);
        return 0;
    }
    aeDeleteEventLoop(el);
    el = aeCreateEventLoop(64);
    CHECK(el != NULL);
    tls_accept(LIBAE_TLS_AUTH_CLIENTS_NO);
    RUN_UNTIL(server_calls);
    if (server_state != CONN_STATE_CONNECTED) FAIL("server: %s", connGetLastError(server));
    return 1;
}

/* Ends the child when the client has closed. */
static void exit_server(void) {
    CHECK_INT(connSyncRead(server, buffer, 1, TEST_PATIENCE_MS), -1);
    tls_end();
    _exit(0);
}

static void connect_client(void) {
    CHECK_INT(connBlockingConnect(client, "127.0.0.1", port, TEST_PATIENCE_MS), C_OK);
    CHECK_INT(connGetState(client), CONN_STATE_CONNECTED);
    CHECK_INT(fcntl(client->fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    CHECK_INT(aeGetFileEvents(el, client->fd), AE_NONE);
}

static void end_client(void) {
    int status;

    tls_end();
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_INT(status, 0);
}

/* ---- Connecting ---- */

static void expect_connected(const char *protocols) {
    if (fork_server(protocols)) {
        CHECK_INT(connSyncWrite(server, (char[]){"hello"}, 5, TEST_PATIENCE_MS), 5);
        exit_server();
    }
    connect_client();
    CHECK_INT(connSyncRead(client, buffer, 5, TEST_PATIENCE_MS), 5);
    CHECK(memcmp(buffer, "hello", 5) == 0);
    end_client();
}

static void blocking_connect_of_1_3(void) { expect_connected("TLSv1.3"); }
static void blocking_connect_of_1_2(void) { expect_connected("TLSv1.2"); }

static void a_full_socket_is_waited_for(void) {
    if (fork_server(NULL)) exit_server();
    writes = (struct failures){2, {EAGAIN, EAGAIN}};
    connect_client();
    CHECK_INT(writes.count, 0);
    end_client();
}

static void success_leaves_errno_alone(void) {
    if (fork_server(NULL)) exit_server();
    CHECK_KEEPS_ERRNO(connBlockingConnect(client, "127.0.0.1", port, TEST_PATIENCE_MS), C_OK);
    end_client();
}

/* Somebody accepts, in the kernel's name, and never says anything. */
static void silent_peer_times_out(void) {
    long long before;

    TLS_BEGIN();
    client = tls_create(el);
    before = test_now_us();
    CHECK_FAILS(connBlockingConnect(client, "127.0.0.1", port, 80), C_ERR, ETIMEDOUT);
    CHECK(test_now_us() - before >= 80000);
    CHECK_INT(connGetState(client), CONN_STATE_ERROR);
    CHECK_INT(client->last_errno, ETIMEDOUT);
    CHECK_TEXT(connGetLastError(client), "Connection timed out");
    CHECK_INT(client->fd, -1);
    tls_end();
}

/* The time is for all of it, not for each wait: the peer sends a byte now and then, for as long as it is not refused. */
static void slow_peer_times_out(void) {
    int fd;

    TLS_BEGIN();
    client = tls_create(el);
    child = fork();
    CHECK(child != -1);
    if (child == 0) {
        fd = accept(listening, NULL, NULL);
        if (fd == -1) fd = tls_accept_fd();
        test_send(fd, "\x16\x03\x03\x10");
        do test_sleep_us(20000);
        while (write(fd, "", 1) == 1);
        tls_end();
        _exit(0);
    }
    CHECK_FAILS(connBlockingConnect(client, "127.0.0.1", port, 200), C_ERR, ETIMEDOUT);
    end_client();
}

static void expect_failure(const char *answer, int number, const char *text) {
    TLS_BEGIN();
    client = tls_create(el);
    child = fork();
    CHECK(child != -1);
    if (child == 0) {
        int fd = tls_accept_fd();

        test_await(fd, POLLIN);
        test_drain(fd);
        test_send(fd, answer);
        close(fd);
        tls_end();
        _exit(0);
    }
    CHECK_FAILS(connBlockingConnect(client, "127.0.0.1", port, TEST_PATIENCE_MS), C_ERR, number);
    CHECK_INT(connGetState(client), CONN_STATE_ERROR);
    CHECK_INT(client->last_errno, number);
    CHECK_CONTAINS(connGetLastError(client), text);
    CHECK_INT(client->fd, -1);
    end_client();
}

static void peer_that_closes(void) {
    expect_failure("", EPROTO, "the peer closed the connection during the handshake");
}

static void peer_without_tls(void) { expect_failure("-ERR what?\r\n", EPROTO, "not TLS"); }

static void refused_blocking_connect(void) {
    TLS_BEGIN();
    client = tls_create(el);
    CHECK_FAILS(connBlockingConnect(client, "127.0.0.1", test_closed_port(), TEST_PATIENCE_MS), C_ERR, ECONNREFUSED);
    CHECK_INT(connGetState(client), CONN_STATE_ERROR);
    CHECK_INT(client->fd, -1);
    tls_end();
}

static void wrong_server_is_refused(void) {
    libaeTlsConfig config;

    TLS_BEGIN();
    client = tls_create(el);
    child = fork();
    CHECK(child != -1);
    if (child == 0) {
        aeDeleteEventLoop(el);
        el = aeCreateEventLoop(64);
        tls_accept(LIBAE_TLS_AUTH_CLIENTS_NO);
        RUN_UNTIL(server_calls);
        CHECK_INT(server_state, CONN_STATE_ERROR);
        CHECK_CONTAINS(connGetLastError(server), "alert UnknownCA");
        tls_end();
        _exit(0);
    }
    config = tls_config();
    config.ca_cert_file = tls_file("other-ca.crt");
    tls_configure(&config);
    CHECK_FAILS(connBlockingConnect(client, "127.0.0.1", port, TEST_PATIENCE_MS), C_ERR, EPROTO);
    CHECK_CONTAINS(connGetLastError(client), "not signed by a known CA");
    end_client();
}

/* ---- Reading ---- */

static void read_is_exact_over_records(void) {
    if (fork_server(NULL)) {
        int i;

        for (i = 0; i < 10; i++) {
            CHECK_INT(connSyncWrite(server, (char[]){'a', (char)('0' + i)}, 2, TEST_PATIENCE_MS), 2);
            if (i % 4 == 1) test_sleep_us(20000);
        }
        CHECK_INT(connSyncWrite(server, buffer, sizeof(buffer), TEST_PATIENCE_MS), sizeof(buffer));
        exit_server();
    }
    connect_client();
    CHECK_KEEPS_ERRNO(connSyncRead(client, buffer, 5, TEST_PATIENCE_MS), 5);
    CHECK(memcmp(buffer, "a0a1a", 5) == 0);
    CHECK_INT(connSyncRead(client, buffer, 0, TEST_PATIENCE_MS), 0);
    CHECK_INT(connSyncRead(client, buffer, 15, TEST_PATIENCE_MS), 15);
    CHECK(memcmp(buffer, "2a3a4a5a6a7a8a9", 15) == 0);
    CHECK_INT(connSyncRead(client, buffer, 3, TEST_PATIENCE_MS), 3); /* of the large record: the rest is pending */
    CHECK_INT(connSyncRead(client, buffer, sizeof(buffer) - 3, TEST_PATIENCE_MS), sizeof(buffer) - 3);
    CHECK_FAILS(connSyncRead(client, buffer, 1, 30), -1, ETIMEDOUT);
    CHECK_INT(connGetState(client), CONN_STATE_CONNECTED);
    end_client();
}

static void read_from_a_closed_peer_fails(void) {
    if (fork_server(NULL)) {
        CHECK_INT(connSyncWrite(server, (char[]){"ab"}, 2, TEST_PATIENCE_MS), 2);
        tls_end();
        _exit(0);
    }
    connect_client();
    CHECK_FAILS(connSyncRead(client, buffer, 4, TEST_PATIENCE_MS), -1, ECONNRESET);
    CHECK_FAILS(connSyncReadLine(client, buffer, sizeof(buffer), TEST_PATIENCE_MS), -1, ECONNRESET);
    end_client();
}

static void lines_over_records(void) {
    if (fork_server(NULL)) {
        static const char *const pieces[] = {"fir", "st\nsecond\r", "\n", "\nx\n+rest"};
        int i;

        for (i = 0; i < 4; i++) {
            CHECK_INT(connSyncWrite(server, (char *)pieces[i], (ssize_t)strlen(pieces[i]), TEST_PATIENCE_MS), strlen(pieces[i]));
            test_sleep_us(5000);
        }
        exit_server();
    }
    connect_client();
    CHECK_KEEPS_ERRNO(connSyncReadLine(client, buffer, 64, TEST_PATIENCE_MS), 5);
    CHECK_TEXT(buffer, "first");
    CHECK_INT(connSyncReadLine(client, buffer, 64, TEST_PATIENCE_MS), 7);
    CHECK_TEXT(buffer, "second");
    CHECK_INT(connSyncReadLine(client, buffer, 64, TEST_PATIENCE_MS), 0);
    CHECK_TEXT(buffer, "");
    CHECK_INT(connSyncReadLine(client, buffer, 64, TEST_PATIENCE_MS), 1);
    CHECK_TEXT(buffer, "x");
    CHECK_INT(connSyncRead(client, buffer, 5, TEST_PATIENCE_MS), 5);
    CHECK(memcmp(buffer, "+rest", 5) == 0);
    CHECK_FAILS(connSyncReadLine(client, buffer, 64, 30), -1, ETIMEDOUT);
    end_client();
}

/* ---- Writing ---- */

enum { MUCH = 4 << 20 };

static void write_is_whole(void) {
    char *data = malloc(MUCH), *other = malloc(MUCH);
    int i;

    CHECK(data != NULL && other != NULL);
    for (i = 0; i < MUCH; i++) data[i] = (char)(i / 1000 + i);
    if (fork_server(NULL)) {
        test_sleep_us(20000); /* the buffers are full by then */
        CHECK_INT(connSyncRead(server, other, MUCH, TEST_PATIENCE_MS), MUCH);
        CHECK(memcmp(data, other, MUCH) == 0);
        CHECK_INT(connSyncWrite(server, (char[]){"!"}, 1, TEST_PATIENCE_MS), 1);
        free(data);
        free(other);
        exit_server();
    }
    connect_client();
    CHECK_KEEPS_ERRNO(connSyncWrite(client, data, MUCH, TEST_PATIENCE_MS), MUCH);
    CHECK_INT(connSyncRead(client, other, 1, TEST_PATIENCE_MS), 1);
    free(data);
    free(other);
    end_client();
}

static void write_times_out(void) {
    char *data = calloc(1, MUCH);

    if (fork_server(NULL)) {
        CHECK_INT(read(server->fd, buffer, 0), 0); /* reads nothing */
        while (recv(server->fd, buffer, sizeof(buffer), MSG_PEEK) != 0 && getppid() != 1) {
            struct pollfd entry = {server->fd, POLLRDHUP, 0};

            if (poll(&entry, 1, TEST_PATIENCE_MS) == 1) break;
        }
        free(data);
        tls_end();
        _exit(0);
    }
    connect_client();
    while (connSyncWrite(client, data, MUCH, 60) == MUCH) continue;
    CHECK_INT(errno, ETIMEDOUT);
    free(data);
    end_client();
}

/* ---- And then in a loop ---- */

static size_t arrived;

static void on_read(connection *conn) {
    int count = connRead(conn, buffer, 3);

    CHECK(count > 0);
    arrived += (size_t)count;
}

/* What came together with the end of the handshake, or was left by a read that waits, is announced by no poll. */
static void pending_data_reaches_the_loop(void) {
    if (fork_server("TLSv1.2")) {
        int i;

        for (i = 0; i < 20; i++) CHECK_INT(connWrite(server, "0123456789", 10), 10);
        exit_server();
    }
    connect_client();
    CHECK_INT(connSyncRead(client, buffer, 15, TEST_PATIENCE_MS), 15);
    test_sleep_us(20000);
    CHECK_INT(connSyncRead(client, buffer, 15, TEST_PATIENCE_MS), 15);
    CHECK_INT(connSetReadHandler(client, on_read), C_OK);
    RUN_UNTIL(arrived == 170);
    CHECK(tls_run_for(30) < 5);
    end_client();
}

TEST_MAIN(CASE(blocking_connect_of_1_3), CASE(blocking_connect_of_1_2), CASE(a_full_socket_is_waited_for),
          CASE(success_leaves_errno_alone),
          CASE(silent_peer_times_out),
          CASE(slow_peer_times_out), CASE(peer_that_closes), CASE(peer_without_tls), CASE(refused_blocking_connect),
          CASE(wrong_server_is_refused), CASE(read_is_exact_over_records), CASE(read_from_a_closed_peer_fails),
          CASE(lines_over_records), CASE(write_is_whole), CASE(write_times_out), CASE(pending_data_reaches_the_loop))
