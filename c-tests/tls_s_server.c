/* TLS: libae's client and `openssl s_server`. */
#include "test.h"
#include "tls_openssl.h"

static int server_port;
static char received[65536];
static size_t arrived;
static int ended;

static void on_read(connection *conn) {
    int count = connRead(conn, received + arrived, sizeof(received) - 1 - arrived);

    if (count > 0) arrived += (size_t)count;
    if (count <= 0 && connGetState(conn) != CONN_STATE_CONNECTED) {
        ended++;
        CHECK_INT(connSetReadHandler(conn, NULL), C_OK);
    }
}

/* From its line "ACCEPT [::]:34567". */
static int port_that_it_tells(void) {
    const char *line = strstr(tool_text, "ACCEPT "), *end;

    TOOL_UNTIL((end = strchr(line, '\n')) != NULL);
    while (*end != ':') end--;
    return atoi(end + 1);
}

/* s_server is there and waits, on a port of the system's choice. */
#define SERVE(...)                                                                                          \
    do {                                                                                                    \
        tool_start("s_server", "-accept", "0", "-cert", tls_file("server.crt"), "-key", tls_file("server.key"), \
                   __VA_ARGS__, NULL);                                                                      \
        TOOL_SAYS("ACCEPT ");                                                                               \
        server_port = port_that_it_tells();                                                                 \
    } while (0)

static void connect_to_tool(const char *host) {
    arrived = 0;
    memset(received, 0, sizeof(received));
    ended = 0;
    client = tls_create(el);
    CHECK_INT(connConnect(client, host, server_port, NULL, tls_on_connected), C_OK);
    TOOL_UNTIL(client_calls);
}

static void expect_connected(void) {
    connect_to_tool("127.0.0.1");
    if (client_state != CONN_STATE_CONNECTED) FAIL("client: %s", connGetLastError(client));
    CHECK_INT(connSetReadHandler(client, on_read), C_OK);
}

static void end(void) {
    tls_close_both();
    tool_end();
    tls_end();
}

static void expect_version(const char *option) {
    TLS_BEGIN();
    SERVE(option, "-rev");
    expect_connected();
    CHECK_INT(connWrite(client, "hello there\n", 12), 12);
    TOOL_UNTIL(arrived == 12);
    CHECK_TEXT(received, "ereht olleh\n");
    connClose(client);
    client = NULL;
    end();
}

static void version_1_3(void) { expect_version("-tls1_3"); }
static void version_1_2(void) { expect_version("-tls1_2"); }

static void server_says_goodbye(void) {
    TLS_BEGIN();
    SERVE("-tls1_3");
    expect_connected();
    test_send(tool_in, "hello\n");
    TOOL_UNTIL(arrived == 6);
    test_send(tool_in, "Q\n");
    TOOL_UNTIL(ended);
    CHECK_INT(connGetState(client), CONN_STATE_CLOSED);
    end();
}

/* Asks for new keys of both sides. */
static void server_updates_its_keys(void) {
    TLS_BEGIN();
    SERVE("-tls1_3");
    expect_connected();
    test_send(tool_in, "K\n");
    TOOL_UNTIL(tool_has_read()); /* it takes one command at a time */
    test_send(tool_in, "after that\n");
    TOOL_UNTIL(strstr(received, "after that") != NULL);
    CHECK_INT(connWrite(client, "all right\n", 10), 10);
    TOOL_SAYS("all right");
    end();
}

static void server_is_killed(void) {
    TLS_BEGIN();
    SERVE("-tls1_3");
    expect_connected();
    kill(tool, SIGKILL);
    TOOL_UNTIL(ended);
    CHECK(connGetState(client) == CONN_STATE_CLOSED || connGetState(client) == CONN_STATE_ERROR);
    end();
}

static void mutual_authentication(void) {
    static const char *const versions[] = {"-tls1_2", "-tls1_3"};
    int i;

    for (i = 0; i < 2; i++) {
        TLS_BEGIN(config.client_cert_file = tls_file("client.crt"); config.client_key_file = tls_file("client.key"));
        SERVE(versions[i], "-Verify", "1", "-verify_return_error", "-CAfile", tls_file("ca.crt"));
        expect_connected();
        test_send(tool_in, "welcome\n");
        TOOL_UNTIL(arrived == 8);
        CHECK_CONTAINS(tool_text, "CN = client");
        end();
    }
}

/* The server's CA has not signed what the client shows. */
static void client_is_refused(void) {
    TLS_BEGIN(config.client_cert_file = tls_file("other.crt"); config.client_key_file = tls_file("other.key"));
    SERVE("-tls1_3", "-Verify", "1", "-verify_return_error", "-CAfile", tls_file("ca.crt"));
    expect_connected(); /* as TLS 1.3 has it */
    TOOL_UNTIL(ended);
    CHECK_INT(connGetState(client), CONN_STATE_ERROR);
    CHECK_CONTAINS(connGetLastError(client), "the peer gave up with the alert");
    end();
}

static void server_is_refused(void) {
    TLS_BEGIN(config.ca_cert_file = tls_file("other-ca.crt"));
    SERVE("-tls1_3");
    connect_to_tool("127.0.0.1");
    CHECK_INT(client_state, CONN_STATE_ERROR);
    CHECK_CONTAINS(connGetLastError(client), "not signed by a known CA");
    TOOL_SAYS("alert unknown ca");
    end();
}

static void server_of_another_version(void) {
    TLS_BEGIN(config.protocols = "TLSv1.2");
    SERVE("-tls1_3");
    connect_to_tool("127.0.0.1");
    CHECK_INT(client_state, CONN_STATE_ERROR);
    CHECK_CONTAINS(connGetLastError(client), "the peer gave up with the alert ProtocolVersion");
    end();
}

/* ---- What the client says ---- */

static void chosen_ciphersuite(void) {
    TLS_BEGIN(config.ciphersuites = "TLS_CHACHA20_POLY1305_SHA256");
    SERVE("-tls1_3");
    expect_connected();
    TOOL_SAYS("CIPHER is TLS_CHACHA20_POLY1305_SHA256");
    end();
}

static void chosen_cipher(void) {
    TLS_BEGIN(config.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256");
    SERVE("-tls1_2");
    expect_connected();
    TOOL_SAYS("CIPHER is ECDHE-ECDSA-AES128-GCM-SHA256");
    end();
}

/* The first of the client's list that the server has. */
static void order_of_the_ciphers(void) {
    TLS_BEGIN(config.ciphersuites = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256");
    SERVE("-tls1_3");
    expect_connected();
    TOOL_SAYS("CIPHER is TLS_AES_256_GCM_SHA384");
    end();
    TLS_BEGIN(config.ciphersuites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384");
    SERVE("-tls1_3");
    expect_connected();
    TOOL_SAYS("CIPHER is TLS_AES_128_GCM_SHA256");
    end();
}

static void name_of_the_server_is_sent(void) {
    TLS_BEGIN();
    SERVE("-tls1_3", "-tlsextdebug");
    connect_to_tool("localhost");
    CHECK_INT(client_state, CONN_STATE_CONNECTED);
    TOOL_SAYS("CIPHER is");
    CHECK_CONTAINS(tool_text, "server name");
    CHECK_CONTAINS(tool_text, "localhost");
    end();
    TLS_BEGIN(config.server_name = "localhost");
    SERVE("-tls1_3", "-tlsextdebug");
    connect_to_tool("127.0.0.1");
    CHECK_INT(client_state, CONN_STATE_CONNECTED);
    TOOL_SAYS("CIPHER is");
    CHECK_CONTAINS(tool_text, "server name");
    end();
}

/* There is a name for names only. */
static void address_of_the_server_is_not_sent(void) {
    TLS_BEGIN();
    SERVE("-tls1_3", "-tlsextdebug");
    expect_connected();
    TOOL_SAYS("CIPHER is");
    CHECK(strstr(tool_text, "server name") == NULL);
    end();
}

static void blocking_connect(void) {
    char buffer[8];

    TLS_BEGIN();
    SERVE("-tls1_3", "-rev");
    client = tls_create(el);
    CHECK_INT(connBlockingConnect(client, "127.0.0.1", server_port, TEST_PATIENCE_MS), C_OK);
    CHECK_INT(connSyncWrite(client, (char[]){"abcde\n"}, 6, TEST_PATIENCE_MS), 6);
    CHECK_INT(connSyncReadLine(client, buffer, sizeof(buffer), TEST_PATIENCE_MS), 5);
    CHECK_TEXT(buffer, "edcba");
    end();
}

TEST_MAIN(CASE(version_1_3), CASE(version_1_2), CASE(server_says_goodbye), CASE(server_updates_its_keys),
          CASE(server_is_killed), CASE(mutual_authentication), CASE(client_is_refused), CASE(server_is_refused),
          CASE(server_of_another_version), CASE(chosen_ciphersuite), CASE(chosen_cipher), CASE(order_of_the_ciphers),
          CASE(name_of_the_server_is_sent), CASE(address_of_the_server_is_not_sent), CASE(blocking_connect))
