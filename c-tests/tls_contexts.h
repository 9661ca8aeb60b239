/* What the tests of several configurations of TLS share. Included after test.h. */
#ifndef LIBAE_TLS_CONTEXTS_H
#define LIBAE_TLS_CONTEXTS_H

#include "tls_test.h"

static char err[256], text[256];

static inline libaeTlsContext *context_of(const libaeTlsConfig *config) {
    libaeTlsContext *context = libaeTlsContextNew(config, err, sizeof(err));

    if (context == NULL) FAIL("libaeTlsContextNew: %s", err);
    return context;
}

/* A configuration with this certificate and the usual CA. */
#define CONTEXT(name, ...)                     \
    ({                                         \
        libaeTlsConfig config = tls_config();  \
        tls_identity(&config, name);           \
        __VA_ARGS__;                           \
        context_of(&config);                   \
    })

/* Without a configuration of the process's. */
static inline void begin(void) {
    tls_begin_with(NULL);
    if (libaeTlsContextNew(NULL, err, sizeof(err)) == NULL && errno == EOPNOTSUPP) SKIP("a library without TLS");
}

/* Begins both handshakes with these configurations, NULL for the process's. */
static inline void start(libaeTlsContext *of_client, libaeTlsContext *of_server, const char *host) {
    tls_close_both();
    client = tls_create(el);
    CHECK(client != NULL);
    if (of_client != NULL) CHECK_KEEPS_ERRNO(libaeTlsSetContext(client, of_client), AE_OK);
    CHECK_INT(connConnect(client, host, port, NULL, tls_on_connected), C_OK);
    server = tls_create_accepted(el, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO);
    CHECK(server != NULL);
    if (of_server != NULL) CHECK_KEEPS_ERRNO(libaeTlsSetContext(server, of_server), AE_OK);
    CHECK_INT(connGetState(server), CONN_STATE_ACCEPTING);
    CHECK_INT(connAccept(server, tls_on_accepted), C_OK);
}

static inline void connected(libaeTlsContext *of_client, libaeTlsContext *of_server, const char *host) {
    start(of_client, of_server, host);
    RUN_UNTIL(client_calls && server_calls);
    if (client_state != CONN_STATE_CONNECTED) FAIL("client: %s", connGetLastError(client));
    if (server_state != CONN_STATE_CONNECTED) FAIL("server: %s", connGetLastError(server));
}

static inline void expect_data(void) {
    char buffer[8] = "";

    tls_write_all(client, "hello", 5);
    tls_read_all(server, buffer, 5);
    tls_write_all(server, "there", 5);
    tls_read_all(client, buffer, 5);
    CHECK_TEXT(buffer, "there");
}

/* The first common name of the peer's certificate. */
static inline const char *peer_name(connection *conn) {
    CHECK(libaeTlsPeerName(conn, LIBAE_TLS_NAME_CN, 0, text, sizeof(text)) >= 0);
    return text;
}

#endif
