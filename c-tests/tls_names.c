/* TLS connections connected to a host by its name while the loop goes on. The resolver is this program's. */
#include "test.h"
#include "tls_test.h"
#include "names_test.h"

#include <anet.h>

static char err[ANET_ERR_LEN], buffer[64];

static void connect_to(const char *name) {
    tls_close_both();
    client = tls_create(el);
    CHECK(client != NULL);
    CHECK_INT(libaeConnConnectName(err, client, name, port, NULL, tls_on_connected), C_OK);
    CHECK_INT(connGetState(client), CONN_STATE_CONNECTING);
    CHECK_INT(client->fd, -1);
    CHECK_INT(client_calls, 0);
}

static void connect_and_accept(const char *name) {
    connect_to(name);
    RUN_UNTIL(client->fd != -1);
    tls_accept(LIBAE_TLS_AUTH_CLIENTS_NO);
    RUN_UNTIL(client_calls && server_calls);
}

static void finish(void) {
    let_go();
    tls_end();
    await_no_threads();
}

static void on_read(connection *conn) {
    /* Tickets are no data. */
    if (connRead(conn, buffer, sizeof(buffer)) == 5) test_note('r');
}

static void the_name_is_asked_for_and_checked(void) {
    TLS_BEGIN();
    connect_and_accept("localhost");
    CHECK_INT(client_state, CONN_STATE_CONNECTED);
    CHECK_INT(server_state, CONN_STATE_CONNECTED);
    CHECK_INT(libaeTlsServerName(server, buffer, sizeof(buffer)), 9);
    CHECK_TEXT(buffer, "localhost");
    CHECK_INT(aeGetFileEvents(el, client->fd), AE_NONE);
    connect_and_accept("elsewhere");
    CHECK_INT(client_state, CONN_STATE_ERROR);
    CHECK_CONTAINS(connGetLastError(client), "not valid for name");
    CHECK_INT(client_calls, 1);
    finish();
}

static void handlers_may_be_set_before(void) {
    TLS_BEGIN();
    connect_to("localhost");
    CHECK_INT(connSetReadHandler(client, on_read), C_OK);
    CHECK_FAILS(connWrite(client, "x", 1), -1, EAGAIN);
    RUN_UNTIL(client->fd != -1);
    tls_accept(LIBAE_TLS_AUTH_CLIENTS_NO);
    RUN_UNTIL(client_calls && server_calls);
    tls_write_all(server, "hello", 5);
    RUN_UNTIL(strchr(test_log, 'r') != NULL);
    finish();
}

static void failures_are_told(void) {
    int real_port;

    TLS_BEGIN();
    connect_to("none");
    RUN_UNTIL(client_calls);
    CHECK_INT(client_state, CONN_STATE_ERROR);
    CHECK_INT(client->last_errno, EADDRNOTAVAIL);
    real_port = port;
    port = test_closed_port();
    connect_to("two");
    RUN_UNTIL(client_calls);
    CHECK_INT(client_state, CONN_STATE_ERROR);
    CHECK_INT(client->last_errno, ECONNREFUSED);
    /* Once more with the same connection, where somebody is. */
    port = real_port;
    client_calls = 0;
    CHECK_INT(libaeConnConnectName(err, client, "127.0.0.1", port, NULL, tls_on_connected), C_OK);
    RUN_UNTIL(client->fd != -1);
    tls_accept(LIBAE_TLS_AUTH_CLIENTS_NO);
    RUN_UNTIL(client_calls && server_calls);
    CHECK_INT(client_state, CONN_STATE_CONNECTED);
    finish();
}

static void a_handshake_has_its_time_from_then_on(void) {
    TLS_BEGIN(config.handshake_timeout = 30);
    connect_to("slow");
    tls_run_for(60);
    CHECK_INT(client_calls, 0);
    let_go();
    RUN_UNTIL(client_calls); /* nobody accepts */
    CHECK_INT(client_state, CONN_STATE_ERROR);
    CHECK_CONTAINS(connGetLastError(client), "in time");
    finish();
}

static void a_closed_connection_is_not_told(void) {
    TLS_BEGIN();
    connect_to("slow");
    await_lookups(1);
    CHECK_KEEPS_ERRNO((connClose(client), 0), 0);
    client = NULL;
    let_go();
    await_no_threads();
    tls_run_idle();
    CHECK_INT(client_calls, 0);
    finish();
}

/* Also when the socket is there, and the handshake has begun. */
static void begin_handshake(void) {
    connect_to("localhost");
    RUN_UNTIL(client->fd != -1);
    tls_run_idle();
    CHECK_INT(connGetState(client), CONN_STATE_CONNECTING);
    CHECK_INT(client_calls, 0);
}

static void end_without_loop(void) {
    close(listening);
    let_go();
    await_no_threads();
#ifdef TEST_CONN_V1
    tlsCleanup();
#else
    connTypeCleanupAll();
#endif
}

static void a_loop_that_goes_first_says_so(void) {
    TLS_BEGIN();
    begin_handshake();
    aeDeleteEventLoop(el);
    CHECK_INT(client_calls, 1);
    CHECK_INT(client_state, CONN_STATE_ERROR);
    CHECK_INT(client->last_errno, ECANCELED);
    CHECK_TEXT(connGetLastError(client), strerror(ECANCELED));
    CHECK_NULL(client->conn_handler);
    connClose(client);
    end_without_loop();
}

static void close_it(connection *conn) {
    CHECK_INT(conn->last_errno, ECANCELED);
    client_calls++;
    connClose(conn);
}

static void it_may_be_closed_then(void) {
    TLS_BEGIN();
    client = tls_create(el);
    CHECK_INT(libaeConnConnectName(err, client, "localhost", port, NULL, close_it), C_OK);
    RUN_UNTIL(client->fd != -1);
    tls_run_idle();
    aeDeleteEventLoop(el);
    CHECK_INT(client_calls, 1);
    end_without_loop();
}

/* It was told before, or is gone. */
static void nothing_is_told_when_the_handshake_is_over(void) {
    TLS_BEGIN();
    connect_and_accept("localhost");
    begin_handshake();
    connClose(client);
    client = NULL;
    close(tls_accept_fd());
    connect_and_accept("localhost");
    CHECK_INT(client_calls, 1);
    aeDeleteEventLoop(el);
    CHECK_INT(client_calls, 1);
    CHECK_INT(connGetState(client), CONN_STATE_CONNECTED);
    tls_close_both();
    end_without_loop();
}

/* A loop that stops when it has nothing to do does so afterwards. */
static void a_handshake_leaves_nothing_in_the_loop(void) {
    TLS_BEGIN();
    connect_and_accept("localhost");
    CHECK_INT(client_state, CONN_STATE_CONNECTED);
    tls_close_both();
    CHECK_INT(aeDeleteTimeEvent(el, FIRST_TIMER), AE_OK);
    aeSetStopWhenIdle(el, 1);
    aeMain(el);
    finish();
}

#ifdef TEST_CONN_LOOP
/* It is the loop that the handshake goes on in. */
static void the_loop_that_it_moves_to_says_so(void) {
    aeEventLoop *other = aeCreateEventLoop(64), *third = aeCreateEventLoop(64);

    TLS_BEGIN();
    begin_handshake();
    connUnbindEventLoop(client);
    CHECK_INT(connRebindEventLoop(client, other), C_OK);
    connUnbindEventLoop(client);
    aeDeleteEventLoop(other);
    CHECK_INT(connRebindEventLoop(client, third), C_OK);
    aeDeleteEventLoop(el);
    CHECK_INT(client_calls, 0);
    aeDeleteEventLoop(third);
    CHECK_INT(client_calls, 1);
    CHECK_INT(client->last_errno, ECANCELED);
    connClose(client);
    end_without_loop();
}
#endif

static void the_configuration_is_chosen_before(void) {
    char why[256];
    libaeTlsConfig config;
    libaeTlsContext *context;

    TLS_BEGIN();
    config = tls_config();
    context = libaeTlsContextNew(&config, why, sizeof(why));
    CHECK(context != NULL);
    connect_to("slow");
    CHECK_FAILS(libaeTlsSetContext(client, context), AE_ERR, EALREADY);
    libaeTlsContextFree(context);
    finish();
}

static void without_a_configuration_it_is_an_error(void) {
    tls_begin_with(NULL);
    client = tls_create(el);
    if (client == NULL) SKIP("a library without TLS");
    CHECK_INT(libaeConnConnectName(err, client, "two", port, NULL, tls_on_connected), C_ERR);
    CHECK_INT(connGetState(client), CONN_STATE_ERROR);
    CHECK_INT(client_calls, 0);
    finish();
}

TEST_MAIN(CASE(the_name_is_asked_for_and_checked), CASE(handlers_may_be_set_before), CASE(failures_are_told),
          CASE(a_handshake_has_its_time_from_then_on), CASE(a_closed_connection_is_not_told),
          CASE(a_loop_that_goes_first_says_so), CASE(it_may_be_closed_then),
          CASE(nothing_is_told_when_the_handshake_is_over), CASE(a_handshake_leaves_nothing_in_the_loop),
#ifdef TEST_CONN_LOOP
          CASE(the_loop_that_it_moves_to_says_so),
#endif
          CASE(the_configuration_is_chosen_before), CASE(without_a_configuration_it_is_an_error))
