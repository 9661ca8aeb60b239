/* TLS: whom either side believes, and what it says when it does not. */
#include "test.h"
#include "tls_test.h"

static char buffer[64];

/* What the server, then what the client is configured with; a session begins with the settings of its time. */
static libaeTlsConfig server_config, client_config;

static void begin(void) {
    TLS_BEGIN();
    server_config = client_config = tls_config();
}

/* Both handshakes end; whichever way. */
static void shake_hands(const char *host) {
    tls_close_both();
    tls_configure(&client_config);
    tls_connect(host);
    tls_configure(&server_config);
    tls_accept(server_config.auth_clients);
    RUN_UNTIL(client_calls && server_calls);
}

static void expect_trust_at(const char *host) {
    shake_hands(host);
    if (client_state != CONN_STATE_CONNECTED) FAIL("client: %s", connGetLastError(client));
    if (server_state != CONN_STATE_CONNECTED) FAIL("server: %s", connGetLastError(server));
    tls_write_all(client, "hello", 5);
    tls_read_all(server, buffer, 5);
    tls_write_all(server, "there", 5);
    tls_read_all(client, buffer, 5);
}

static void expect_trust(void) { expect_trust_at("127.0.0.1"); }

/* The client ends it: why it did, and what the server is told. */
static void expect_client_refuses(const char *why, const char *alert) {
    shake_hands("127.0.0.1");
    CHECK_INT(client_state, CONN_STATE_ERROR);
    CHECK_CONTAINS(connGetLastError(client), why);
    CHECK_INT(client->last_errno, EPROTO);
    CHECK_INT(server_state, CONN_STATE_ERROR);
    CHECK_CONTAINS(connGetLastError(server), "the peer gave up with the alert");
    CHECK_CONTAINS(connGetLastError(server), alert);
    CHECK_INT(aeGetFileEvents(el, client->fd), AE_NONE);
}

static int read_calls;

static void on_read_refused(connection *conn) {
    read_calls++;
    CHECK_INT(connRead(conn, buffer, sizeof(buffer)), -1);
    CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
    CHECK_INT(connSetReadHandler(conn, NULL), C_OK);
}

/* The server ends it. With TLS 1.3 the client is through by then, and hears of it when it reads. */
static void expect_server_refuses(const char *why, const char *alert) {
    static const char *const versions[] = {"TLSv1.2", "TLSv1.3"};
    int i;

    for (i = 0; i < 2; i++) {
        server_config.protocols = versions[i];
        shake_hands("127.0.0.1");
        CHECK_INT(server_state, CONN_STATE_ERROR);
        CHECK_CONTAINS(connGetLastError(server), why);
        CHECK_INT(server->last_errno, EPROTO);
        CHECK_INT(client_state, i == 0 ? CONN_STATE_ERROR : CONN_STATE_CONNECTED);
        if (i == 1) {
            read_calls = 0;
            CHECK_INT(connSetReadHandler(client, on_read_refused), C_OK);
            RUN_UNTIL(read_calls);
            CHECK_INT(read_calls, 1);
        }
        CHECK_CONTAINS(connGetLastError(client), "the peer gave up with the alert");
        CHECK_CONTAINS(connGetLastError(client), alert);
    }
    server_config.protocols = NULL;
}

/* ---- The server's certificate ---- */

static void the_ca_has_signed_it(void) {
    begin();
    expect_trust();
    expect_trust_at("localhost");
    tls_identity(&server_config, "chain");
    expect_trust();
    tls_identity(&server_config, "rsa");
    expect_client_refuses("not signed by a known CA", "UnknownCA");
    client_config.ca_cert_file = tls_file("rsa-ca.crt");
    expect_trust();
    client_config.ca_cert_file = tls_file("all-ca.crt");
    expect_trust();
    tls_identity(&server_config, "server");
    expect_trust();
    client_config.ca_cert_file = NULL;
    client_config.ca_cert_dir = tls_file("ca-dir");
    expect_trust();
    tls_end();
}

static void nobody_known_has_signed_it(void) {
    begin();
    tls_identity(&server_config, "other");
    expect_client_refuses("the peer's certificate is not signed by a known CA", "UnknownCA");
    tls_identity(&server_config, "self-signed");
    expect_client_refuses("not signed by a known CA", "UnknownCA");
    tls_identity(&server_config, "lone"); /* without the intermediate CA's */
    expect_client_refuses("not signed by a known CA", "UnknownCA");
    client_config.any_server_name = 1; /* any name, not any certificate */
    expect_client_refuses("not signed by a known CA", "UnknownCA");
    tls_end();
}

static void it_is_not_its_time(void) {
    begin();
    tls_identity(&server_config, "expired");
    expect_client_refuses("expired", "CertificateExpired");
    tls_identity(&server_config, "future");
    expect_client_refuses("not valid yet", "Certificate");
    tls_end();
}

static void it_is_for_another_host(void) {
    begin();
    tls_identity(&server_config, "wrong-host");
    expect_client_refuses("not valid for name", "Certificate");
    client_config.server_name = "elsewhere.invalid";
    expect_trust();
    client_config.server_name = "nowhere.invalid";
    expect_client_refuses("not valid for name", "Certificate");
    client_config.any_server_name = 7; /* as any number but 0 */
    expect_trust();
    client_config.server_name = NULL;
    expect_trust();
    tls_identity(&server_config, "server");
    client_config.any_server_name = 0;
    client_config.server_name = "127.0.0.2";
    expect_client_refuses("not valid for name", "Certificate");
    tls_end();
}

/* Trusted itself, without a CA: as OpenSSL takes it from the same file. */
static void self_signed_and_known(void) {
    begin();
    tls_identity(&server_config, "self-signed");
    client_config.ca_cert_file = tls_file("self-signed.crt");
    expect_trust();
    client_config.server_name = "elsewhere.invalid";
    expect_client_refuses("not valid for name", "Certificate");
    client_config.server_name = NULL;
    tls_identity(&server_config, "expired"); /* known or not, its time is over */
    client_config.ca_cert_file = tls_file("expired.crt");
    expect_client_refuses("is refused: Expired", "CertificateExpired");
    tls_end();
}

/* Of X.509 version 1: it has no names. */
static void certificate_of_version_1(void) {
    begin();
    tls_identity(&server_config, "v1");
    expect_client_refuses("not valid for name", "Certificate");
    client_config.any_server_name = 1;
    expect_trust();
    tls_identity(&server_config, "expired-v1");
    expect_client_refuses("is refused: Expired", "CertificateExpired");
    tls_identity(&server_config, "future-v1");
    expect_client_refuses("is refused: NotValidYet", "Certificate");
    client_config.ca_cert_file = tls_file("other-ca.crt");
    tls_identity(&server_config, "v1");
    expect_client_refuses("not signed by a known CA", "UnknownCA");
    /* The CA's name alone does not do. */
    client_config.ca_cert_file = tls_file("ca.crt");
    tls_identity(&server_config, "twin-v1");
    expect_client_refuses("not signed by a known CA", "UnknownCA");
    /* Nor does its key alone. */
    tls_identity(&server_config, "renamed-v1");
    expect_client_refuses("not signed by a known CA", "UnknownCA");
    tls_end();
}

static void rsa_certificate_of_version_1(void) {
    static const char *const versions[] = {"TLSv1.2", "TLSv1.3"};
    int i;

    begin();
    tls_identity(&server_config, "rsa-v1");
    client_config.ca_cert_file = tls_file("rsa-ca.crt");
    client_config.any_server_name = 1;
    for (i = 0; i < 2; i++) {
        server_config.protocols = versions[i];
        expect_trust();
    }
    tls_end();
}

/* ---- The client's certificate ---- */

static void show(const char *name) {
    char file[64];

    if (name == NULL) {
        client_config.cert_file = client_config.key_file = NULL;
        client_config.client_cert_file = client_config.client_key_file = NULL;
        return;
    }
    snprintf(file, sizeof(file), "%s.crt", name);
    client_config.client_cert_file = tls_file(file);
    snprintf(file, sizeof(file), "%s.key", name);
    client_config.client_key_file = tls_file(file);
}

static void expect_cert_shown(int expected) {
    char *pem = tls_peer_cert(server);

    CHECK_INT(pem != NULL, expected);
    free(pem);
}

static void clients_are_not_asked(void) {
    begin();
    server_config.auth_clients = LIBAE_TLS_AUTH_CLIENTS_NO;
    show(NULL);
    expect_trust();
    show("other");
    expect_trust();
    expect_cert_shown(0);
    tls_end();
}

static void clients_must_show_one(void) {
    begin();
    server_config.auth_clients = LIBAE_TLS_AUTH_CLIENTS_YES;
    show("client");
    expect_trust();
    expect_cert_shown(1);
    show(NULL);
    expect_server_refuses("the peer showed no certificate", "");
    tls_end();
}

/* Rather than let everybody in. */
static void a_value_that_means_nothing_asks_as_well(void) {
    static const int values[] = {-1, 3, INT_MAX};
    int i;

    begin();
    show(NULL);
    for (i = 0; i < 3; i++) {
        tls_close_both();
        tls_configure(&client_config);
        tls_connect("127.0.0.1");
        tls_configure(&server_config);
        tls_accept(values[i]);
        RUN_UNTIL(client_calls && server_calls);
        CHECK_INT(server_state, CONN_STATE_ERROR);
        CHECK_TEXT(connGetLastError(server), "the peer showed no certificate");
    }
    tls_end();
}

static void clients_may_show_one(void) {
    begin();
    server_config.auth_clients = LIBAE_TLS_AUTH_CLIENTS_OPTIONAL;
    show("client");
    expect_trust();
    expect_cert_shown(1);
    show(NULL);
    expect_trust();
    expect_cert_shown(0);
    show("other");
    expect_server_refuses("the peer's certificate is not signed by a known CA", "UnknownCA");
    tls_end();
}

static void clients_must_show_a_good_one(void) {
    begin();
    server_config.auth_clients = LIBAE_TLS_AUTH_CLIENTS_YES;
    show("other");
    expect_server_refuses("not signed by a known CA", "UnknownCA");
    show("expired");
    expect_server_refuses("expired", "CertificateExpired");
    show("future");
    expect_server_refuses("not valid yet", "Certificate");
    show("self-signed");
    expect_server_refuses("not signed by a known CA", "UnknownCA");
    show("lone");
    expect_server_refuses("not signed by a known CA", "UnknownCA");
    show("chain");
    expect_trust();
    show("v1");
    expect_trust();
    expect_cert_shown(1);
    tls_end();
}

/* Without one for clients the server's serves. */
static void the_servers_certificate_is_shown_by_the_client(void) {
    begin();
    server_config.auth_clients = LIBAE_TLS_AUTH_CLIENTS_YES;
    expect_trust();
    expect_cert_shown(1);
    tls_end();
}

/* ---- Who decides ---- */

#ifndef TEST_CONN_V1

static int asked;

static int hosts_auth_clients(void) {
    asked++;
    return LIBAE_TLS_AUTH_CLIENTS_YES;
}

static void accept_without_an_opinion(void) {
    server = test_conn_create_accepted_with(el, connectionTypeTls(), tls_accept_fd(), NULL);
    CHECK(server != NULL);
    if (connAccept(server, tls_on_accepted) == C_ERR) tls_on_accepted(server);
    RUN_UNTIL(server_calls && client_calls);
}

/* What the accepted connection is told comes before what the host says, and that before the configuration. */
static void host_decides_for_each_connection(void) {
    libaeHost host = {.size = sizeof(host), .tls_auth_clients = hosts_auth_clients};

    begin();
    show(NULL);
    server_config.auth_clients = LIBAE_TLS_AUTH_CLIENTS_YES;
    tls_configure(&client_config);
    tls_connect("127.0.0.1");
    tls_configure(&server_config);
    accept_without_an_opinion();
    CHECK_INT(server_state, CONN_STATE_ERROR); /* the configuration says so */
    server_config.auth_clients = LIBAE_TLS_AUTH_CLIENTS_NO;
    tls_close_both();
    tls_configure(&client_config);
    tls_connect("127.0.0.1");
    tls_configure(&server_config);
    accept_without_an_opinion();
    CHECK_INT(server_state, CONN_STATE_CONNECTED);
    CHECK_INT(libaeSetHost(&host), AE_OK);
    tls_close_both();
    tls_configure(&client_config);
    tls_connect("127.0.0.1");
    tls_configure(&server_config);
    accept_without_an_opinion();
    CHECK_INT(server_state, CONN_STATE_ERROR);
    CHECK(asked > 0);
    expect_trust(); /* told 0 with the connection itself */
    CHECK_INT(libaeSetHost(NULL), AE_OK);
    tls_end();
}

#define CASES_OF_HOSTS , CASE(host_decides_for_each_connection)
#else
#define CASES_OF_HOSTS
#endif

TEST_MAIN(CASE(the_ca_has_signed_it), CASE(nobody_known_has_signed_it), CASE(it_is_not_its_time),
          CASE(it_is_for_another_host), CASE(self_signed_and_known), CASE(certificate_of_version_1),
          CASE(rsa_certificate_of_version_1), CASE(clients_are_not_asked), CASE(clients_must_show_one),
          CASE(a_value_that_means_nothing_asks_as_well), CASE(clients_may_show_one), CASE(clients_must_show_a_good_one),
          CASE(the_servers_certificate_is_shown_by_the_client) CASES_OF_HOSTS)
