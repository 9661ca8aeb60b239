/* redis-8.0: TLS connections leave their loop and get another one: with data pending, during the handshake, in another
 * thread. */
#include "test.h"
#include "tls_test.h"

#include <pthread.h>

enum { SIZE = 16384, PIECE = 100 };

static aeEventLoop *one, *two;
static char data[SIZE];
static size_t arrived;

static void on_read(connection *conn) {
    static char buffer[PIECE];
    int count = connRead(conn, buffer, sizeof(buffer));

    if (count > 0) arrived += (size_t)count;
}

static void begin_loops(void) {
    one = el;
    two = aeCreateEventLoop(64);
    CHECK(two != NULL);
    CHECK(aeCreateTimeEvent(two, TEST_PATIENCE_MS, tls_on_hang, NULL, NULL) != AE_ERR);
}

static void begin(void) {
    TLS_BEGIN();
    begin_loops();
    tls_connect_pair();
    CHECK(server->el == one);
}

static void end(void) {
    el = one;
    tls_end();
    aeDeleteEventLoop(two);
}

static void pending_data_goes_along(void) {
    begin();
    CHECK_INT(connSetReadHandler(server, on_read), C_OK);
    tls_write_all(client, data, SIZE);
    RUN_UNTIL(arrived > 0);
    CHECK_INT(connTypeHasPendingData(one), 1);
    connUnbindEventLoop(server);
    CHECK_INT(connTypeHasPendingData(one), 0);
    CHECK_INT(connHasReadHandler(server), 0);
    CHECK_INT(aeGetFileEvents(one, server->fd), AE_NONE);
    CHECK(tls_run_for(30) < 5); /* nothing is left behind in the first loop */
    CHECK_INT(connRebindEventLoop(server, two), C_OK);
    CHECK_INT(connTypeHasPendingData(two), 0);
    CHECK_INT(connSetReadHandler(server, on_read), C_OK);
    CHECK_INT(connTypeHasPendingData(two), 1);
    CHECK_INT(connTypeHasPendingData(one), 0);
    el = two;
    RUN_UNTIL(arrived == SIZE);
    CHECK_INT(connTypeHasPendingData(two), 0);
    CHECK(tls_run_for(30) < 5);
    end();
}

/* Each loop asks for its own. */
static void pending_data_is_of_one_loop(void) {
    begin();
    CHECK_INT(connSetReadHandler(server, on_read), C_OK);
    tls_write_all(client, data, SIZE);
    RUN_UNTIL(arrived > 0);
    CHECK_INT(connTypeProcessPendingData(two), 0);
    CHECK_INT(connTypeProcessPendingData(one), 1);
    CHECK_INT(connTypeHasPendingData(two), 0);
    CHECK_INT(connTypeHasPendingData(one), 1);
    end();
}

static void without_a_loop_there_is_no_handler(void) {
    char buffer[8];

    begin();
    connUnbindEventLoop(server);
    CHECK_INT(connHasEventLoop(server), 0);
    CHECK_INT(connSetReadHandler(server, on_read), C_ERR);
    CHECK_INT(connHasReadHandler(server), 0);
    tls_write_all(client, "hello", 5);
    tls_read_all(server, buffer, 5);
    CHECK_INT(connWrite(server, "there", 5), 5);
    tls_read_all(client, buffer, 5);
    end();
}

static void handshake_moves(void) {
    TLS_BEGIN();
    begin_loops();
    tls_connect("127.0.0.1");
    tls_accept(LIBAE_TLS_AUTH_CLIENTS_NO);
    tls_run_once();
    connUnbindEventLoop(server);
    CHECK_INT(aeGetFileEvents(one, server->fd), AE_NONE);
    CHECK_INT(connGetState(server), CONN_STATE_ACCEPTING);
    CHECK_INT(connRebindEventLoop(server, two), C_OK);
    while (!(client_calls && server_calls)) {
        tls_run_idle();
        CHECK(aeProcessEvents(two, AE_ALL_EVENTS | AE_DONT_WAIT) >= 0);
    }
    CHECK_INT(server_state, CONN_STATE_CONNECTED);
    CHECK_INT(client_state, CONN_STATE_CONNECTED);
    CHECK_INT(aeGetFileEvents(two, server->fd), AE_NONE);
    end();
}

/* The time of a handshake moves with it, and has an end. */
static void limit_of_a_handshake_moves(void) {
    int peer;

    TLS_BEGIN(config.handshake_timeout = 100);
    begin_loops();
    peer = test_connect(AF_INET, port);
    tls_accept(LIBAE_TLS_AUTH_CLIENTS_NO);
    connUnbindEventLoop(server);
    tls_run_for(150);
    CHECK_INT(server_calls, 0);
    CHECK_INT(connRebindEventLoop(server, two), C_OK);
    el = two;
    RUN_UNTIL(server_calls);
    CHECK_INT(server_state, CONN_STATE_ERROR);
    CHECK_CONTAINS(connGetLastError(server), "in time");
    close(peer);
    end();
}

/* ---- In another thread ---- */

static const char *volatile trouble;

#define EXPECT(condition)                       \
    do {                                        \
        if (!(condition)) trouble = #condition; \
    } while (0)

static void on_echo(connection *conn) {
    char buffer[64];
    int count = connRead(conn, buffer, sizeof(buffer));

    EXPECT(count > 0 && connWrite(conn, buffer, (size_t)count) == count);
    aeStop(conn->el);
}

static void *echo_once(void *unused) {
    aeEventLoop *own = aeCreateEventLoop(64);

    (void)unused;
    EXPECT(own != NULL);
    EXPECT(connRebindEventLoop(server, own) == C_OK);
    EXPECT(connSetReadHandler(server, on_echo) == C_OK);
    aeMain(own);
    connUnbindEventLoop(server);
    aeDeleteEventLoop(own);
    return NULL;
}

static void another_thread_and_back(void) {
    pthread_t thread;
    char buffer[8];
    int i;

    begin();
    for (i = 0; i < 20; i++) {
        connUnbindEventLoop(server);
        CHECK_INT(pthread_create(&thread, NULL, echo_once, NULL), 0);
        tls_write_all(client, "hello", 5);
        tls_read_all(client, buffer, 5);
        CHECK_INT(pthread_join(thread, NULL), 0);
        if (trouble != NULL) FAIL("%s", trouble);
        CHECK_INT(connRebindEventLoop(server, one), C_OK);
        arrived = 0;
        CHECK_INT(connSetReadHandler(server, on_read), C_OK);
        tls_write_all(client, "there", 5);
        RUN_UNTIL(arrived == 5);
        CHECK_INT(connSetReadHandler(server, NULL), C_OK);
    }
    end();
}

TEST_MAIN(CASE(pending_data_goes_along), CASE(pending_data_is_of_one_loop), CASE(without_a_loop_there_is_no_handler),
          CASE(handshake_moves), CASE(limit_of_a_handshake_moves), CASE(another_thread_and_back))
