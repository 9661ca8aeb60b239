/* TLS: libae's server and `openssl s_client`. */
#include "test.h"
#include "tls_openssl.h"

static char where[32];
static int accepted_count, auth;
static char last_error[256];

static void on_read(connection *conn) {
    char buffer[512];
    int count = connRead(conn, buffer, sizeof(buffer)), i;

    if (count > 0) {
        for (i = 0; i < count; i++)
            if (buffer[i] >= 'a' && buffer[i] <= 'z') buffer[i] = (char)(buffer[i] - 'a' + 'A');
        CHECK_INT(connWrite(conn, buffer, (size_t)count), count);
    } else if (connGetState(conn) != CONN_STATE_CONNECTED) {
        snprintf(last_error, sizeof(last_error), "%s", connGetLastError(conn));
        connClose(conn);
        server = NULL;
    }
}

static void on_accepted(connection *conn) {
    server_state = connGetState(conn);
    server_calls++;
    if (server_state == CONN_STATE_CONNECTED) {
        CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
        return;
    }
    snprintf(last_error, sizeof(last_error), "%s", connGetLastError(conn));
    connClose(conn);
    server = NULL;
}

/* Whoever comes next is the server's only client. */
static void on_listening(aeEventLoop *loop, int fd, void *data, int mask) {
    int accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)data;
    (void)mask;
    CHECK(accepted != -1);
    accepted_count++;
    if (server != NULL) connClose(server);
    server = tls_create_accepted(loop, accepted, auth);
    CHECK(server != NULL);
    if (connAccept(server, on_accepted) == C_ERR && server != NULL) on_accepted(server);
}

static void listen_for_tool(void) {
    snprintf(where, sizeof(where), "127.0.0.1:%d", port);
    CHECK_INT(aeCreateFileEvent(el, listening, AE_READABLE, on_listening, NULL), AE_OK);
}

#define BEGIN(...)              \
    do {                        \
        TLS_BEGIN(__VA_ARGS__); \
        listen_for_tool();      \
    } while (0)

#define CONNECT(...)                                                                                          \
    tool_start("s_client", "-connect", where, "-CAfile", tls_file("all-ca.crt"), "-verify_return_error", __VA_ARGS__, \
               NULL)

static void expect_echo(void) {
    test_send(tool_in, "hello there\n");
    TOOL_SAYS("HELLO THERE");
}

/* ---- Data ---- */

static void expect_version(const char *option, const char *version) {
    BEGIN();
    CONNECT(option, "-verify_hostname", "localhost", "-msg");
    expect_echo();
    CHECK_CONTAINS(tool_text, version);
    CHECK_CONTAINS(tool_text, "Verification: OK");
    CHECK_CONTAINS(tool_text, "Verified peername: localhost");
    CHECK_INT(server_state, CONN_STATE_CONNECTED);
    connClose(server);
    server = NULL;
    TOOL_SAYS("warning close_notify");
    tool_wait();
    CHECK_INT(tool_status, 0);
    tls_end();
}

/* One for each of two connections that come next. */
static void two_tickets(void) {
    BEGIN();
    CONNECT("-tls1_3", "-msg");
    expect_echo();
    CHECK_INT(tool_count(", NewSessionTicket"), 2);
    tool_end();
    tls_end();
}

static void version_1_3(void) { expect_version("-tls1_3", "New, TLSv1.3"); }
static void version_1_2(void) { expect_version("-tls1_2", "New, TLSv1.2"); }

/* It says goodbye: libae reads the end. */
static void client_ends(void) {
    BEGIN();
    CONNECT("-tls1_3");
    expect_echo();
    test_send(tool_in, "Q\n");
    TOOL_UNTIL(server == NULL);
    tool_wait();
    CHECK_INT(tool_status, 0);
    tls_end();
}

/* New keys for the records, in both directions. */
static void client_updates_its_keys(void) {
    BEGIN();
    CONNECT("-tls1_3");
    expect_echo();
    test_send(tool_in, "K\n");
    TOOL_SAYS("KEYUPDATE");
    test_send(tool_in, "after that\n");
    TOOL_SAYS("AFTER THAT");
    test_send(tool_in, "k\n"); /* a command is all that it reads at a time */
    TOOL_UNTIL(tool_count("KEYUPDATE") == 2);
    test_send(tool_in, "and again\n");
    TOOL_SAYS("AND AGAIN");
    CHECK_INT(connGetState(server), CONN_STATE_CONNECTED);
    tool_end();
    tls_end();
}

/* There is no renegotiation; asking for it does no harm. */
static void client_asks_for_renegotiation(void) {
    BEGIN();
    CONNECT("-tls1_2");
    expect_echo();
    test_send(tool_in, "R\n");
    TOOL_SAYS("RENEGOTIATING");
    tls_run_for(100);
    CHECK(server == NULL || connGetState(server) == CONN_STATE_CONNECTED);
    tool_end();
    TOOL_UNTIL(server == NULL);
    tls_end();
}

/* It offers keys for a group that libae does not have, and is asked for others. */
static void client_has_to_say_hello_again(void) {
    BEGIN();
    CONNECT("-tls1_3", "-groups", "X448:P-256");
    expect_echo();
    CHECK_INT(libaeTlsResumed(server), 0);
    tool_end();
    tls_end();
}

static void small_records_of_the_client(void) {
    char line[3002];

    memset(line, 'x', sizeof(line) - 2);
    line[3000] = '\n';
    line[3001] = '\0';
    BEGIN();
    CONNECT("-tls1_3", "-max_send_frag", "512", "-quiet");
    test_send(tool_in, line);
    memset(line, 'X', sizeof(line) - 2);
    TOOL_SAYS(line);
    tool_end();
    tls_end();
}

/* ---- What is negotiated ---- */

static void expect_cipher(const char *option, const char *list, const char *cipher) {
    char expected[128];

    snprintf(expected, sizeof(expected), "Cipher is %s", cipher);
    if (strcmp(option, "-tls1_3") == 0)
        CONNECT(option, "-ciphersuites", list);
    else
        CONNECT(option, "-cipher", list);
    TOOL_SAYS("Cipher is ");
    TOOL_SAYS("\n---\n");
    CHECK_CONTAINS(tool_text, expected);
    tool_end();
    TOOL_UNTIL(server == NULL);
}

static void chosen_ciphersuite(void) {
    BEGIN(config.ciphersuites = "TLS_CHACHA20_POLY1305_SHA256");
    expect_cipher("-tls1_3", "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256");
    expect_cipher("-tls1_3", "TLS_AES_256_GCM_SHA384", "(NONE)");
    CHECK_CONTAINS(last_error, "nothing in common");
    tls_end();
}

static void chosen_cipher(void) {
    BEGIN(config.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305");
    expect_cipher("-tls1_2", "DEFAULT", "ECDHE-ECDSA-CHACHA20-POLY1305");
    expect_cipher("-tls1_2", "ECDHE-ECDSA-AES128-GCM-SHA256", "(NONE)");
    CHECK_CONTAINS(last_error, "nothing in common");
    tls_end();
}

static void the_clients_order_decides(void) {
    BEGIN(config.ciphersuites = "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";
          config.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256");
    expect_cipher("-tls1_3", "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256");
    expect_cipher("-tls1_2", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305",
                  "ECDHE-ECDSA-AES128-GCM-SHA256");
    tls_end();
}

static void the_servers_order_decides(void) {
    BEGIN(config.ciphersuites = "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"; config.prefer_server_ciphers = 1;
          config.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256");
    expect_cipher("-tls1_3", "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256");
    expect_cipher("-tls1_2", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305",
                  "ECDHE-ECDSA-CHACHA20-POLY1305");
    tls_end();
}

static void protocols_are_as_configured(void) {
    BEGIN(config.protocols = "TLSv1.3");
    expect_cipher("-tls1_2", "DEFAULT", "(NONE)");
    CHECK_CONTAINS(last_error, "nothing in common");
    tls_end();
}

static void old_protocols_are_refused(void) {
    BEGIN();
    CONNECT("-tls1_1", "-cipher", "ALL:@SECLEVEL=0");
    TOOL_SAYS("\n---\n");
    CHECK_CONTAINS(tool_text, "Cipher is (NONE)");
    tool_end();
    TOOL_UNTIL(last_error[0] != '\0');
    CHECK_CONTAINS(last_error, "the peer");
    tls_end();
}

/* ---- Certificates ---- */

static void expect_certificate(const char *name, const char *key) {
    BEGIN(tls_identity(&config, name); config.key_file = tls_file(key));
    CONNECT("-tls1_2", "-verify_ip", "127.0.0.1");
    expect_echo();
    CHECK_CONTAINS(tool_text, "Verification: OK");
    tool_end();
    tls_end();
}

static void rsa_certificate(void) { expect_certificate("rsa", "pkcs1.key"); }
static void certificate_with_a_chain(void) { expect_certificate("chain", "chain.key"); }

static void clients_must_show_one(void) {
    static const char *const versions[] = {"-tls1_2", "-tls1_3"};
    char *pem;
    int i;

    BEGIN();
    auth = LIBAE_TLS_AUTH_CLIENTS_YES;
    for (i = 0; i < 2; i++) {
        CONNECT(versions[i], "-cert", tls_file("client.crt"), "-key", tls_file("client.key"));
        expect_echo();
        CHECK_CONTAINS(tool_text, "Acceptable client certificate CA names");
        pem = tls_peer_cert(server);
        CHECK_CONTAINS(pem, "-----BEGIN CERTIFICATE-----\n");
        free(pem);
        tool_end();
        TOOL_UNTIL(server == NULL);
        last_error[0] = '\0';
        CONNECT(versions[i]);
        TOOL_SAYS("alert certificate required");
        TOOL_UNTIL(last_error[0] != '\0');
        CHECK_TEXT(last_error, "the peer showed no certificate");
        tool_end();
        CONNECT(versions[i], "-cert", tls_file("other.crt"), "-key", tls_file("other.key"));
        TOOL_SAYS("alert unknown ca");
        tool_end();
    }
    tls_end();
}

/* The old padding of RSA, in TLS 1.2 alone, also by a certificate of version 1. */
static void clients_sign_as_they_used_to(void) {
    static const char *const names[] = {"rsa", "rsa-v1"};
    char cert[32], key[32];
    int i;

    BEGIN(config.ca_cert_file = tls_file("rsa-ca.crt"));
    auth = LIBAE_TLS_AUTH_CLIENTS_YES;
    for (i = 0; i < 2; i++) {
        snprintf(cert, sizeof(cert), "%s.crt", names[i]);
        snprintf(key, sizeof(key), "%s.key", names[i]);
        CONNECT("-tls1_2", "-cert", tls_file(cert), "-key", tls_file(key), "-sigalgs", "ECDSA+SHA256:RSA+SHA256");
        expect_echo();
        CHECK_CONTAINS(tool_text, "Verification: OK");
        tool_end();
        TOOL_UNTIL(server == NULL);
    }
    tls_end();
}

/* ---- Sessions ---- */

static const char *session_file(void) {
    static char path[64];

    snprintf(path, sizeof(path), "/tmp/libae-test-session-%d", (int)getpid());
    return path;
}

/* Twice, the second time with the first one's session. */
static void expect_resumed(const char *option, int seconds, const char *second) {
    listen_for_tool();
    CONNECT(option, "-sess_out", session_file());
    expect_echo();
    TOOL_SAYS("New, TLS");
    test_send(tool_in, "Q\n");
    tool_wait();
    TOOL_UNTIL(server == NULL);
    if (access(session_file(), R_OK) != 0) { /* it got none */
        CHECK_TEXT(second, "New, ");
        tls_end();
        return;
    }
    test_sleep_us((long long)seconds * 1000000);
    CONNECT(option, "-sess_in", session_file());
    expect_echo();
    CHECK_CONTAINS(tool_text, second);
    tool_end();
    unlink(session_file());
    tls_end();
}

static void sessions_of_1_3_are_resumed(void) {
    TLS_BEGIN();
    expect_resumed("-tls1_3", 0, "Reused, TLSv1.3");
}

static void sessions_of_1_2_are_resumed(void) {
    TLS_BEGIN();
    expect_resumed("-tls1_2", 0, "Reused, TLSv1.2");
}

static void sessions_become_old(void) {
    TLS_BEGIN(config.session_cache_timeout = 1);
    expect_resumed("-tls1_3", 2, "New, ");
}

static void no_sessions_of_1_3(void) {
    TLS_BEGIN(config.no_session_cache = 1);
    expect_resumed("-tls1_3", 0, "New, ");
}

static void no_sessions_of_1_2(void) {
    TLS_BEGIN(config.no_session_cache = 1);
    expect_resumed("-tls1_2", 0, "New, ");
}

static void client_reconnects(void) {
    BEGIN();
    CONNECT("-tls1_2", "-reconnect");
    TOOL_UNTIL(tool_count("Reused, TLSv1.2") == 5);
    CHECK_INT(tool_count("New, TLSv1.2"), 1);
    CHECK_INT(accepted_count, 6);
    tool_end();
    tls_end();
}

TEST_MAIN(CASE(version_1_3), CASE(version_1_2), CASE(two_tickets), CASE(client_ends), CASE(client_updates_its_keys),
          CASE(client_asks_for_renegotiation), CASE(client_has_to_say_hello_again),
          CASE(small_records_of_the_client), CASE(chosen_ciphersuite), CASE(chosen_cipher),
          CASE(the_clients_order_decides), CASE(the_servers_order_decides), CASE(protocols_are_as_configured),
          CASE(old_protocols_are_refused), CASE(rsa_certificate), CASE(certificate_with_a_chain),
          CASE(clients_must_show_one), CASE(clients_sign_as_they_used_to), CASE(sessions_of_1_3_are_resumed),
          CASE(sessions_of_1_2_are_resumed),
          CASE(sessions_become_old), CASE(no_sessions_of_1_3), CASE(no_sessions_of_1_2), CASE(client_reconnects))
