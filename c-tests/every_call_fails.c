/* Every system call of a scenario fails once, with each error that it can have: an error that says so or none at all,
 * never a crash, no descriptor left, and the loop goes on. (every_listen_fails.c has listeners and names; out_of_memory.c
 * and host_allocator.c do the same with memory.) */
#include "test.h"
#include "every_call.h"
#include "tls_test.h"

#include <anet.h>
#include <libae.h>

/* ---- Loops ---- */

static TIME_RESULT on_time(aeEventLoop *loop, long long id, void *data) {
    (void)loop;
    (void)id;
    ++*(int *)data;
    return AE_NOMORE;
}

static void count_post(aeEventLoop *loop, void *data) {
    (void)loop;
    ++*(int *)data;
}

static const char *backend;

static void loop_scenario(void) {
    int pair[2], posted = 0, timed = 0, result, i;
    aeEventLoop *loop;

    LIBRARY(loop = aeCreateEventLoopWithBackend(64, backend));
    if (loop == NULL) {
        SAYS_WHY();
        return;
    }
    test_pair(pair);
    LIBRARY(result = aeCreateFileEvent(loop, pair[0], AE_READABLE, on_readable, NULL));
    if (result == AE_OK) {
        CHECK_INT(aeGetFileEvents(loop, pair[0]), AE_READABLE);
        LIBRARY(result = aeCreateFileEvent(loop, pair[0], AE_WRITABLE, on_readable, NULL));
        if (result != AE_OK) SAYS_WHY();
        LIBRARY(aeDeleteFileEvent(loop, pair[0], AE_WRITABLE));
        CHECK_INT(aeGetFileEvents(loop, pair[0]), AE_READABLE);
        test_send(pair[1], "x");
    } else {
        SAYS_WHY();
        CHECK_INT(aeGetFileEvents(loop, pair[0]), AE_NONE);
    }
    LIBRARY(result = aeResizeSetSize(loop, 128));
    if (result != AE_OK) SAYS_WHY();
    LIBRARY(result = aePost(loop, count_post, &posted, NULL));
    if (result != AE_OK) SAYS_WHY();
    CHECK(aeCreateTimeEvent(loop, 1, on_time, &timed, NULL) != AE_ERR);
    for (i = 0; i < 3; i++) {
        LIBRARY(result = aeProcessEvents(loop, AE_ALL_EVENTS | AE_DONT_WAIT));
        if (result < 0) SAYS_WHY();
    }
    while (timed == 0) {
        LIBRARY(result = aeProcessEvents(loop, AE_ALL_EVENTS));
        if (result < 0) SAYS_WHY();
    }
    LIBRARY(aeDeleteFileEvent(loop, pair[0], AE_READABLE));
    CHECK_INT(aeGetFileEvents(loop, pair[0]), AE_NONE);
    goes_on(loop);
    LIBRARY(aeDeleteEventLoop(loop));
    test_close_pair(pair);
}

static void loops_go_on(void) {
    const char *const names[] = {test_poller(), "poll", "select"};
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        backend = names[i];
        every_call(loop_scenario);
    }
}

static void a_sleep_is_as_long_as_the_next_time_event_is_away(void) {
    const char *const names[] = {test_poller(), "poll", "select"};
    const long long minute = 60000000;
    int timed = 0;
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        aeEventLoop *loop = aeCreateEventLoopWithBackend(64, names[i]);

        CHECK(loop != NULL);
        CHECK(aeCreateTimeEvent(loop, 60 * minute / 1000, on_time, &timed, NULL) != AE_ERR);
        asked_us = left = number = failed = 0;
        LIBRARY(CHECK_INT(aeProcessEvents(loop, AE_ALL_EVENTS), 0));
        CHECK(failed);
        CHECK(asked_us > 50 * minute && asked_us <= 60 * minute);
        aeDeleteEventLoop(loop);
    }
    CHECK_INT(timed, 0);
}

static int slept;

static AFTER_SLEEP(after_sleep) {
    (void)el;
    slept++;
}

static TIME_RESULT stop_on_time(aeEventLoop *loop, long long id, void *data) {
    aeStop(loop);
    return on_time(loop, id, data);
}

static char logged[128];

static void on_log(int level, const char *message) {
    CHECK_INT(level, LIBAE_LOG_WARNING);
    snprintf(logged, sizeof(logged), "%s", message);
}

/* An interrupted one ends nothing; any other does, before anything else is done, and the log says why. */
static void a_sleep_that_fails_ends_the_loop(void) {
    static const libaeHost host = {.size = sizeof(host), .log = on_log};
    int timed = 0;
    aeEventLoop *loop = aeCreateEventLoopWithBackend(64, "poll");

    CHECK(loop != NULL);
    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK(aeCreateTimeEvent(loop, 0, stop_on_time, &timed, NULL) != AE_ERR);
    aeSetAfterSleepProc(loop, after_sleep);
    number = 1;
    left = 0;
    LIBRARY(aeMain(loop));
    CHECK_INT(error, ENOMEM);
    CHECK_TEXT(logged, "the event loop ends: Cannot allocate memory");
    CHECK_INT(timed, 0);
    CHECK_INT(slept, 1);
    number = left = 0;
    CHECK(aeCreateTimeEvent(loop, 0, stop_on_time, &timed, NULL) != AE_ERR);
    LIBRARY(CHECK(aeProcessEvents(loop, AE_ALL_EVENTS | AE_CALL_AFTER_SLEEP) >= 0));
    CHECK_INT(error, EINTR);
    CHECK_INT(slept, 2);
    CHECK_INT(timed, 2);
    goes_on(loop);
    aeDeleteEventLoop(loop);
}

/* ---- Sockets ---- */

static char err[ANET_ERR_LEN];

/* An error has a text, which ends with that of its number. */
static int told(int fd) {
    if (fd != ANET_ERR) return 0;
    SAYS_WHY();
    CHECK_CONTAINS(err, strerror(error));
    return 1;
}

static void sockets_scenario(void) {
    char ip[64], byte;
    int listener, fd, accepted, own = 0, peer_port = 0, listener_port;

    LIBRARY(listener = anetTcpServer(err, 0, "127.0.0.1", 5));
    if (told(listener)) return;
    listener_port = test_port(listener);
    LIBRARY(fd = anetTcpConnect(err, "127.0.0.1", listener_port));
    if (!told(fd)) {
        LIBRARY(accepted = anetTcpAccept(err, listener, ip, sizeof(ip), &peer_port));
        if (!told(accepted)) {
            CHECK_TEXT(ip, "127.0.0.1");
            CHECK_INT(peer_port, test_port(fd));
            LIBRARY(told(anetNonBlock(err, accepted)));
            LIBRARY(told(anetKeepAlive(err, accepted, 60)));
            LIBRARY(told(anetEnableTcpNoDelay(err, accepted)));
            LIBRARY(told(anetSendTimeout(err, accepted, 1000)));
            LIBRARY(anetCloexec(accepted));
            LIBRARY(anetFdToString(accepted, ip, sizeof(ip), &own, OWN_END));
            test_send(fd, "x");
            test_await(accepted, POLLIN);
            CHECK_INT(syscall(SYS_read, accepted, &byte, 1), 1);
            close(accepted);
        }
        close(fd);
    }
    LIBRARY(fd = anetTcpNonBlockConnect(err, "127.0.0.1", listener_port));
    if (!told(fd)) close(fd);
    close(listener);
}

static void sockets_say_why(void) { every_call(sockets_scenario); }

/* ---- Connections ---- */

static int connected;

static void on_connected(connection *conn) {
    connected = connGetState(conn) == CONN_STATE_CONNECTED ? 1 : -1;
}

static void on_data(connection *conn) {
    char buffer[16];
    int count = connRead(conn, buffer, sizeof(buffer));

    if (count > 0)
        ran++;
    else if (connGetState(conn) != CONN_STATE_CONNECTED)
        ran = -1;
}

/* At the end of a scenario. */
static void close_all(aeEventLoop *loop, connection *conn, int listener) {
    LIBRARY(connClose(conn));
    goes_on(loop);
    aeDeleteEventLoop(loop);
    close(listener);
}

static void connection_scenario(void) {
    int listener = test_listen(AF_INET, 16, &port), peer, result;
    aeEventLoop *loop = aeCreateEventLoop(256);
    connection *conn = test_conn_create(loop, TCP_TYPE);

    CHECK(loop != NULL && conn != NULL);
    connected = ran = 0;
    LIBRARY(result = connConnect(conn, "127.0.0.1", port, NULL, on_connected));
    if (result == C_OK)
        run_until(loop, &connected);
    else
        SAYS_WHY();
    if (connected == 1) {
        peer = test_accept(listener, SOCK_CLOEXEC);
        LIBRARY(result = connSetReadHandler(conn, on_data));
        if (result == C_OK) {
            test_send(peer, "hello");
            run_until(loop, &ran);
        } else {
            SAYS_WHY();
        }
        LIBRARY(result = connWrite(conn, "x", 1));
        CHECK(result == 1 || (failed && result == -1));
        close(peer);
    } else {
        CHECK(failed);
        CHECK(connGetState(conn) == CONN_STATE_ERROR);
        CHECK(conn->last_errno == error);
    }
    close_all(loop, conn, listener);
}

static void connections_go_on(void) {
    CHECK_INT(test_conn_types(), C_OK);
    every_call(connection_scenario);
}

/* The calls that wait. */
static void blocking_scenario(void) {
    int listener = test_listen(AF_INET, 16, &port), peer, result;
    aeEventLoop *loop = aeCreateEventLoop(256);
    connection *conn = test_conn_create(loop, TCP_TYPE);
    char there[] = "hello\n", line[16];

    CHECK(loop != NULL && conn != NULL);
    LIBRARY(result = connBlockingConnect(conn, "127.0.0.1", port, TEST_PATIENCE_MS));
    if (result == C_OK) {
        peer = test_accept(listener, SOCK_CLOEXEC);
        LIBRARY(result = (int)connSyncWrite(conn, there, 6, TEST_PATIENCE_MS));
        if (result != 6) SAYS_WHY();
        test_send(peer, there);
        LIBRARY(result = (int)connSyncReadLine(conn, line, sizeof(line), TEST_PATIENCE_MS));
        if (result == 5)
            CHECK_TEXT(line, "hello");
        else
            CHECK(failed && result == -1);
        close(peer);
    } else {
        SAYS_WHY();
        CHECK_INT(conn->last_errno, error);
        CHECK_INT(conn->fd, -1);
    }
    close_all(loop, conn, listener);
}

static void blocking_calls_say_why(void) {
    CHECK_INT(test_conn_types(), C_OK);
    every_call(blocking_scenario);
}

/* ---- TLS ---- */

static void on_tls_connected(connection *conn) { client_state = connGetState(conn); }
static void on_tls_accepted(connection *conn) { server_state = connGetState(conn); }

static void handshake_scenario(void) {
    int result, accepted;

    /* One that has given up may wait to be accepted. */
    close(listening);
    listening = test_listen(AF_INET, 16, &port);
    client_state = server_state = -1;
    ran = 0;
    client = tls_create(el);
    CHECK(client != NULL);
    LIBRARY(result = connConnect(client, "127.0.0.1", port, NULL, on_tls_connected));
    if (result != C_OK) {
        SAYS_WHY();
        client_state = CONN_STATE_ERROR;
    } else {
        accepted = test_accept(listening, SOCK_NONBLOCK | SOCK_CLOEXEC);
        LIBRARY(server = tls_create_accepted(el, accepted, 0));
        CHECK(server != NULL);
        LIBRARY(result = connAccept(server, on_tls_accepted));
        if (result != C_OK) server_state = CONN_STATE_ERROR;
    }
    while (client_state == -1 || (server != NULL && server_state == -1)) {
        /* Whom the other has left learns of it. */
        if (client_state == CONN_STATE_ERROR && client != NULL) connClose(client), client = NULL;
        if (server_state == CONN_STATE_ERROR && server != NULL) connClose(server), server = NULL;
        LIBRARY(result = aeProcessEvents(el, AE_ALL_EVENTS));
        if (result < 0) SAYS_WHY();
    }
    if (client_state != CONN_STATE_CONNECTED || server_state != CONN_STATE_CONNECTED) {
        CHECK(failed && error != EINTR && error != EAGAIN);
    } else {
        LIBRARY(result = connWrite(client, "hello", 5));
        CHECK(result == 5 || (failed && result == -1));
        if (result == 5) {
            LIBRARY(result = connSetReadHandler(server, on_data));
            if (result == C_OK)
                run_until(el, &ran);
            else
                SAYS_WHY();
        }
    }
    tls_close_both();
}

static void handshakes_go_on(void) {
    TLS_BEGIN();
    every_call(handshake_scenario);
    goes_on(el);
    tls_end();
}

TEST_MAIN(CASE(loops_go_on), CASE(a_sleep_that_fails_ends_the_loop),
          CASE(a_sleep_is_as_long_as_the_next_time_event_is_away), CASE(sockets_say_why), CASE(connections_go_on),
          CASE(blocking_calls_say_why), CASE(handshakes_go_on))
