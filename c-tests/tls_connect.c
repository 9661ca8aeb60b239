/* TLS: connecting and accepting with the handshake in the loop, states and handlers, and the peer's certificate. */
#include "test.h"
#include "tls_test.h"

/* ---- The handshake ---- */

static void expect_handshake(const char *protocols) {
    TLS_BEGIN(config.protocols = protocols);
    tls_connect("127.0.0.1");
    CHECK_INT(connGetState(client), CONN_STATE_CONNECTING);
    CHECK(tls_has_type(client));
    tls_accept(LIBAE_TLS_AUTH_CLIENTS_NO);
    CHECK_INT(connGetState(server), CONN_STATE_ACCEPTING); /* the client has not said anything yet */
    CHECK_INT(client_calls + server_calls, 0);
    RUN_UNTIL(client_calls && server_calls);
    CHECK_INT(client_state, CONN_STATE_CONNECTED);
    CHECK_INT(server_state, CONN_STATE_CONNECTED);
    CHECK_INT(connGetState(client), CONN_STATE_CONNECTED);
    CHECK_INT(connGetState(server), CONN_STATE_CONNECTED);
    CHECK(iterations < 12); /* as many as there are flights, and a few */
    /* Nobody wants to hear of anything. */
    CHECK_INT(aeGetFileEvents(el, client->fd), AE_NONE);
    CHECK_INT(aeGetFileEvents(el, server->fd), AE_NONE);
    CHECK(client->conn_handler == NULL && server->conn_handler == NULL);
    CHECK(tls_run_for(50) < 5);
    CHECK_INT(client_calls, 1);
    CHECK_INT(server_calls, 1);
    CHECK_INT(client->last_errno, 0);
    CHECK_INT(server->last_errno, 0);
    CHECK_INT(connAccept(server, tls_on_accepted), C_ERR);
    CHECK_INT(connConnect(client, "127.0.0.1", port, NULL, tls_on_connected), C_ERR);
    CHECK_INT(connGetState(client), CONN_STATE_CONNECTED);
    tls_end();
}

static void handshake_of_1_3(void) { expect_handshake("TLSv1.3"); }
static void handshake_of_1_2(void) { expect_handshake("TLSv1.2"); }
static void handshake_of_the_best_version(void) { expect_handshake(NULL); }

static void fresh_connection(void) {
    char buffer[8];

    TLS_BEGIN();
    client = tls_create(el);
    CHECK_INT(connGetState(client), CONN_STATE_NONE);
    CHECK_INT(client->fd, -1);
    CHECK_INT(connRead(client, buffer, 1), -1);
    CHECK_INT(connWrite(client, buffer, 1), -1);
    CHECK_INT(connSetReadHandler(client, tls_on_connected), C_ERR);
    CHECK_INT(connHasReadHandler(client), 0);
    CHECK_NULL(tls_peer_cert(client));
    CHECK_INT(connAccept(client, tls_on_accepted), C_ERR);
    tls_end();
}

static void on_read(connection *conn) {
    char buffer[64];
    int count = connRead(conn, buffer, sizeof(buffer) - 1);

    CHECK(count > 0);
    buffer[count] = '\0';
    CHECK_TEXT(buffer, "early");
    test_note('r');
}

static void on_write(connection *conn) {
    CHECK_INT(connWrite(conn, "early", 5), 5);
    CHECK_INT(connSetWriteHandler(conn, NULL), C_OK);
    test_note('w');
}

/* They wait for their turn, and get it. */
static void handlers_set_during_the_handshake_run_after_it(void) {
    TLS_BEGIN();
    tls_connect("127.0.0.1");
    CHECK_INT(connSetWriteHandler(client, on_write), C_OK);
    tls_accept(LIBAE_TLS_AUTH_CLIENTS_NO);
    CHECK_INT(connSetReadHandler(server, on_read), C_OK);
    CHECK_INT(aeGetFileEvents(el, server->fd), AE_READABLE);
    RUN_UNTIL(strchr(test_log, 'r') != NULL);
    CHECK_TEXT(test_noted(), "wr");
    CHECK_INT(client_calls, 1);
    CHECK_INT(server_calls, 1);
    CHECK_INT(aeGetFileEvents(el, client->fd), AE_NONE);
    tls_end();
}

static void nothing_goes_before_the_handshake_is_over(void) {
    char buffer[8];

    TLS_BEGIN();
    tls_connect("127.0.0.1");
    CHECK_FAILS(connRead(client, buffer, sizeof(buffer)), -1, EAGAIN);
    CHECK_FAILS(connWrite(client, "x", 1), -1, EAGAIN);
    CHECK_INT(connGetState(client), CONN_STATE_CONNECTING);
    tls_accept(LIBAE_TLS_AUTH_CLIENTS_NO);
    CHECK_FAILS(connRead(server, buffer, sizeof(buffer)), -1, EAGAIN);
    CHECK_FAILS(connWrite(server, "x", 1), -1, EAGAIN);
    RUN_UNTIL(client_calls && server_calls);
    CHECK_INT(server_state, CONN_STATE_CONNECTED);
    CHECK_INT(client_state, CONN_STATE_CONNECTED);
    tls_end();
}

static void refused_connect_is_an_error_in_the_handler(void) {
    int real_port;

    TLS_BEGIN();
    real_port = port;
    port = test_closed_port();
    client = tls_create(el);
    if (connConnect(client, "127.0.0.1", port, NULL, tls_on_connected) == C_OK) {
        RUN_UNTIL(client_calls);
        CHECK_INT(client_state, CONN_STATE_ERROR);
    }
    CHECK_INT(client->last_errno, ECONNREFUSED);
    CHECK_TEXT(connGetLastError(client), "Connection refused");
    /* Once more, where somebody is. */
    port = real_port;
    client_calls = 0;
    CHECK_INT(connConnect(client, "127.0.0.1", port, NULL, tls_on_connected), C_OK);
    tls_accept(LIBAE_TLS_AUTH_CLIENTS_NO);
    RUN_UNTIL(client_calls && server_calls);
    CHECK_INT(client_state, CONN_STATE_CONNECTED);
    tls_end();
}

static void no_version_in_common(void) {
    libaeTlsConfig config;

    TLS_BEGIN(config.protocols = "TLSv1.3");
    config = tls_config();
    tls_connect("127.0.0.1");
    config.protocols = "TLSv1.2";
    tls_configure(&config);
    tls_accept(LIBAE_TLS_AUTH_CLIENTS_NO);
    RUN_UNTIL(client_calls && server_calls);
    CHECK_INT(client_state, CONN_STATE_ERROR);
    CHECK_INT(server_state, CONN_STATE_ERROR);
    CHECK_CONTAINS(connGetLastError(server), "nothing in common");
    CHECK_CONTAINS(connGetLastError(client), "ProtocolVersion"); /* the alert's name */
    CHECK_INT(client->last_errno, EPROTO);
    CHECK_INT(aeGetFileEvents(el, client->fd), AE_NONE);
    CHECK_INT(aeGetFileEvents(el, server->fd), AE_NONE);
    tls_end();
}

/* ---- Closing in the handlers ---- */

static void on_connected_close(connection *conn) {
    client_state = connGetState(conn);
    client_calls++;
    connClose(conn);
    client = NULL;
}

static void on_accepted_close(connection *conn) {
    server_state = connGetState(conn);
    server_calls++;
    connClose(conn);
    server = NULL;
}

static void handlers_may_close(void) {
    TLS_BEGIN();
    client = tls_create(el);
    CHECK_INT(connConnect(client, "127.0.0.1", port, NULL, on_connected_close), C_OK);
    server = tls_create_accepted(el, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO);
    CHECK_INT(connAccept(server, on_accepted_close), C_OK);
    RUN_UNTIL(client_calls && server_calls);
    CHECK_INT(client_state, CONN_STATE_CONNECTED);
    CHECK(server_state == CONN_STATE_CONNECTED || server_state == CONN_STATE_ERROR);
    CHECK_NULL(client);
    CHECK_NULL(server);
    tls_end();
}

static void closed_during_the_handshake(void) {
    int step, sides;

    TLS_BEGIN();
    for (sides = 1; sides <= 3; sides++)
        for (step = 0; step < 6; step++) {
            int i;

            tls_connect("127.0.0.1");
            tls_accept(LIBAE_TLS_AUTH_CLIENTS_NO);
            for (i = 0; i < step && !(client_calls && server_calls); i++) tls_run_once();
            if (sides & 1) connClose(client), client = NULL;
            if (sides & 2) connClose(server), server = NULL;
            if (client != NULL) RUN_UNTIL(client_calls);
            if (server != NULL) RUN_UNTIL(server_calls);
            tls_close_both();
        }
    tls_end();
}

/* ---- The configuration ---- */

static void without_a_configuration(void) {
    tls_begin_with(NULL);
    client = tls_create(el);
    CHECK(client != NULL);
    CHECK_FAILS(connConnect(client, "127.0.0.1", port, NULL, tls_on_connected), C_ERR, EPROTO);
    CHECK_INT(connGetState(client), CONN_STATE_ERROR);
    CHECK_TEXT(connGetLastError(client), "TLS is not configured");
    CHECK_INT(client_calls, 0);
    close(test_connect(AF_INET, port));
    server = tls_create_accepted(el, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO);
    CHECK(server != NULL);
    CHECK_INT(connGetState(server), CONN_STATE_ERROR);
    CHECK_TEXT(connGetLastError(server), "TLS is not configured");
    CHECK_INT(connAccept(server, tls_on_accepted), C_ERR);
    CHECK_INT(server_calls, 0);
    tls_end();
}

/* A client without a CA trusts nobody; a server needs a certificate. */
static void one_side_only(void) {
    libaeTlsConfig config;

    TLS_BEGIN(config.ca_cert_file = NULL);
    client = tls_create(el);
    CHECK_INT(connConnect(client, "127.0.0.1", port, NULL, tls_on_connected), C_ERR);
    CHECK_CONTAINS(connGetLastError(client), "no CA");
    config = (libaeTlsConfig){.size = sizeof(config), .ca_cert_file = tls_file("ca.crt")};
    tls_configure(&config);
    close(test_connect(AF_INET, port));
    server = tls_create_accepted(el, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO);
    CHECK_INT(connGetState(server), CONN_STATE_ERROR);
    CHECK_CONTAINS(connGetLastError(server), "no certificate");
    tls_end();
}

static void connections_keep_their_configuration(void) {
    libaeTlsConfig config = {.size = sizeof(config)};
    char buffer[8];

    TLS_BEGIN();
    tls_connect_pair();
    tls_configure(&config); /* nothing at all */
    tls_write_all(client, "hello", 5);
    tls_read_all(server, buffer, 5);
    CHECK(memcmp(buffer, "hello", 5) == 0);
    tls_end();
}

/* ---- The peer's certificate ---- */

/* What is in a file, up to 8 KB. */
static const char *text_of(const char *path) {
    static char text[8192];
    FILE *file = fopen(path, "r");

    CHECK(file != NULL);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void expect_peer_certificates(const char *protocols) {
    char *pem;

    TLS_BEGIN(config.protocols = protocols; config.client_cert_file = tls_file("client.crt");
              config.client_key_file = tls_file("client.key"));
    tls_connect_pair();
    pem = tls_peer_cert(client);
    CHECK_TEXT(pem, text_of(tls_file("server.crt")));
    free(pem);
    CHECK_NULL(tls_peer_cert(server)); /* it has not asked for one */
    tls_close_both();
    tls_connect("127.0.0.1");
    tls_accept(LIBAE_TLS_AUTH_CLIENTS_YES);
    RUN_UNTIL(client_calls && server_calls);
    CHECK_INT(server_state, CONN_STATE_CONNECTED);
    pem = tls_peer_cert(server);
    CHECK_TEXT(pem, text_of(tls_file("client.crt")));
    free(pem);
    tls_end();
}

/* The server's own, whatever it sends behind it. */
static void certificate_before_its_chain(void) {
    const char *file;
    char *pem;

    TLS_BEGIN(tls_identity(&config, "chain"));
    tls_connect_pair();
    pem = tls_peer_cert(client);
    file = text_of(tls_file("chain.crt"));
    CHECK(pem != NULL && strlen(pem) < strlen(file));
    CHECK(strncmp(pem, file, strlen(pem)) == 0);
    free(pem);
    tls_end();
}

/* The text of an error is of the latest attempt: one that goes well has none. */
static void error_is_of_the_latest_attempt(void) {
    libaeTlsConfig config;

    TLS_BEGIN(config.ca_cert_file = tls_file("other-ca.crt"));
    tls_connect("127.0.0.1");
    tls_accept(LIBAE_TLS_AUTH_CLIENTS_NO);
    RUN_UNTIL(client_calls && server_calls);
    CHECK_CONTAINS(connGetLastError(client), "not signed by a known CA");
    connClose(server);
    server = NULL;
    config = tls_config();
    tls_configure(&config);
    client_calls = server_calls = 0;
    CHECK_INT(connConnect(client, "127.0.0.1", port, NULL, tls_on_connected), C_OK);
    CHECK(strstr(connGetLastError(client), "known CA") == NULL);
    tls_accept(LIBAE_TLS_AUTH_CLIENTS_NO);
    RUN_UNTIL(client_calls && server_calls);
    CHECK_INT(client_state, CONN_STATE_CONNECTED);
    CHECK(strstr(connGetLastError(client), "known CA") == NULL);
    tls_end();
}

static void on_accepted_close_at_once(connection *conn) {
    server_calls++;
    server_state = connGetState(conn);
    connClose(conn);
}

/* A call of connAccept in which the handshake ends runs the handler. When that closes the connection, whoever has called
 * still has it, to close it itself. */
static void handler_closes_inside_accept(void) {
    int status = C_OK;

    TLS_BEGIN();
    tls_connect("127.0.0.1");
    server = tls_create_accepted(el, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO);
    while (status == C_OK) {
        /* The loop serves the client alone. */
        while (aeWait(server->fd, AE_READABLE, 1) == 0) tls_run_idle();
        status = connAccept(server, on_accepted_close_at_once);
        if (!server_calls) aeDeleteFileEvent(el, server->fd, AE_READABLE | AE_WRITABLE);
    }
    CHECK_INT(server_calls, 1);
    CHECK_INT(server_state, CONN_STATE_CONNECTED);
    CHECK_INT(server->fd, -1);
    connClose(server);
    server = NULL;
    tls_end();
}

/* Whoever changes its handlers in the middle of the handshake does not disturb it. */
static void handlers_are_taken_away_during_the_handshake(void) {
    TLS_BEGIN();
    tls_connect("127.0.0.1");
    CHECK_INT(connSetReadHandler(client, on_read), C_OK);
    CHECK_INT(connSetWriteHandler(client, on_write), C_OK);
    tls_accept(LIBAE_TLS_AUTH_CLIENTS_NO);
    CHECK_INT(connSetReadHandler(server, on_read), C_OK);
    while (!client_calls || !server_calls) {
        if (!client_calls) CHECK_INT(connSetReadHandler(client, NULL), C_OK);
        if (!client_calls) CHECK_INT(connSetWriteHandler(client, NULL), C_OK);
        if (!server_calls) CHECK_INT(connSetReadHandler(server, NULL), C_OK);
        tls_run_once();
    }
    CHECK_INT(client_state, CONN_STATE_CONNECTED);
    CHECK_INT(server_state, CONN_STATE_CONNECTED);
    CHECK_INT(aeGetFileEvents(el, client->fd), AE_NONE);
    tls_end();
}

static void peer_certificates_of_1_3(void) { expect_peer_certificates("TLSv1.3"); }
static void peer_certificates_of_1_2(void) { expect_peer_certificates("TLSv1.2"); }

static char *own_string(const void *bytes, size_t length) {
    char *string = malloc(length + 2);

    CHECK(string != NULL);
    string[0] = '!';
    memcpy(string + 1, bytes, length);
    string[length + 1] = '\0';
    return string;
}

static void peer_certificate_is_the_hosts_string(void) {
    libaeHost host = {.size = sizeof(host), .new_string = own_string};
    char *pem;

    CHECK_INT(libaeSetHost(&host), AE_OK);
    TLS_BEGIN();
    tls_connect_pair();
    pem = tls_peer_cert(client);
    CHECK(pem != NULL && pem[0] == '!');
    CHECK_TEXT(pem + 1, text_of(tls_file("server.crt")));
    free(pem);
    tls_end();
}

TEST_MAIN(CASE(handshake_of_1_3), CASE(handshake_of_1_2), CASE(handshake_of_the_best_version), CASE(fresh_connection),
          CASE(handlers_set_during_the_handshake_run_after_it), CASE(nothing_goes_before_the_handshake_is_over),
          CASE(refused_connect_is_an_error_in_the_handler), CASE(no_version_in_common), CASE(handlers_may_close),
          CASE(closed_during_the_handshake), CASE(without_a_configuration), CASE(one_side_only),
          CASE(connections_keep_their_configuration), CASE(peer_certificates_of_1_3), CASE(peer_certificates_of_1_2),
          CASE(peer_certificate_is_the_hosts_string), CASE(certificate_before_its_chain),
          CASE(error_is_of_the_latest_attempt),
          CASE(handler_closes_inside_accept), CASE(handlers_are_taken_away_during_the_handshake))
