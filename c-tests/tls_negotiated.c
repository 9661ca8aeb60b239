/* TLS: the application's protocol, sessions that are resumed and the log of keys, between libae's two ends and with
 * `openssl`. */
#include "test.h"
#include "tls_openssl.h"

#include "tls_contexts.h"

/* `openssl s_client`, whom a connection with this configuration answers. */
static char address[32];

#define S_CLIENT(context, ...)                                                          \
    do {                                                                                \
        snprintf(address, sizeof(address), "127.0.0.1:%d", port);                       \
        tool_start("s_client", "-connect", address, __VA_ARGS__, (char *)NULL); \
        answer(context);                                                                \
    } while (0)

static void answer(libaeTlsContext *context) {
    tls_close_both();
    test_await(listening, POLLIN);
    server = tls_create_accepted(el, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO);
    CHECK(server != NULL);
    CHECK_INT(libaeTlsSetContext(server, context), AE_OK);
    if (connAccept(server, tls_on_accepted) == C_ERR) tls_on_accepted(server);
    TOOL_UNTIL(server_calls);
}

/* ---- The application's protocol ---- */

static void expect_protocol(connection *conn, const char *name) {
    CHECK_KEEPS_ERRNO(libaeTlsAlpn(conn, text, sizeof(text)), strlen(name));
    CHECK_TEXT(text, name);
}

static void the_servers_order_of_protocols(void) {
    libaeTlsContext *of_client, *of_server, *without;

    begin();
    of_client = CONTEXT("server", config.alpn_protocols = "three,two,one");
    of_server = CONTEXT("server", config.alpn_protocols = "one,two");
    without = CONTEXT("server");
    connected(of_client, of_server, "127.0.0.1");
    expect_protocol(client, "one");
    expect_protocol(server, "one");
    CHECK_INT(libaeTlsAlpn(server, text, 3), 3);
    CHECK_TEXT(text, "on");
    CHECK_INT(libaeTlsAlpn(server, NULL, 0), 3);
    connected(of_client, without, "127.0.0.1");
    CHECK_FAILS(libaeTlsAlpn(client, text, sizeof(text)), -1, ENODATA);
    connected(without, of_server, "127.0.0.1");
    CHECK_FAILS(libaeTlsAlpn(server, text, sizeof(text)), -1, ENODATA);
    start(of_client, of_server, "127.0.0.1");
    CHECK_FAILS(libaeTlsAlpn(server, text, sizeof(text)), -1, ENOTCONN);
    libaeTlsContextFree(of_client);
    libaeTlsContextFree(of_server);
    libaeTlsContextFree(without);
    tls_end();
}

static void no_protocol_in_common(void) {
    libaeTlsContext *of_client, *of_server;

    begin();
    of_client = CONTEXT("server", config.alpn_protocols = "three");
    of_server = CONTEXT("server", config.alpn_protocols = "one,two");
    start(of_client, of_server, "127.0.0.1");
    RUN_UNTIL(client_calls && server_calls);
    CHECK_INT(server_state, CONN_STATE_ERROR);
    CHECK_TEXT(connGetLastError(server), "the peer and this side have no application protocol in common (ALPN)");
    CHECK_INT(client_state, CONN_STATE_ERROR);
    CHECK_CONTAINS(connGetLastError(client), "NoApplicationProtocol");
    libaeTlsContextFree(of_client);
    libaeTlsContextFree(of_server);
    tls_end();
}

static void protocols_with_openssl(void) {
    libaeTlsContext *context;

    begin();
    context = CONTEXT("server", config.alpn_protocols = "one,two");
    S_CLIENT(context, "-alpn", "three,two");
    CHECK_INT(server_state, CONN_STATE_CONNECTED);
    expect_protocol(server, "two");
    TOOL_SAYS("ALPN protocol: two");
    tool_end();
    S_CLIENT(context, "-alpn", "three");
    CHECK_INT(server_state, CONN_STATE_ERROR);
    TOOL_SAYS("no application protocol");
    tool_end();
    libaeTlsContextFree(context);
    tls_end();
}

static void expect_refused(libaeTlsConfig *config, const char *why) {
    CHECK_FAILS_NULL(libaeTlsContextNew(config, err, sizeof(err)), EINVAL);
    CHECK_CONTAINS(err, why);
}

static void protocols_that_cannot_be(void) {
    char list[2 * (LIBAE_TLS_ALPN_MAX + 1) + 256] = "";
    libaeTlsConfig config;
    int i;

    begin();
    config = tls_config();
    config.alpn_protocols = "one,,two";
    expect_refused(&config, "alpn_protocols: one of them has 0 bytes");
    config.alpn_protocols = list;
    memset(list, 'x', 256);
    expect_refused(&config, "has 256 bytes");
    list[255] = '\0';
    libaeTlsContextFree(context_of(&config));
    for (i = 0; i <= LIBAE_TLS_ALPN_MAX; i++) strcpy(list + 2 * i, "x,");
    list[2 * LIBAE_TLS_ALPN_MAX + 1] = '\0';
    expect_refused(&config, "more than 64");
    list[2 * LIBAE_TLS_ALPN_MAX - 1] = '\0';
    libaeTlsContextFree(context_of(&config));
    tls_end();
}

/* ---- Sessions of clients ---- */

static void expect_resumed(libaeTlsContext *of_client, libaeTlsContext *of_server, int is_resumed) {
    connected(of_client, of_server, "127.0.0.1");
    expect_data(); /* the client has read the server's tickets as well */
    CHECK_INT(libaeTlsResumed(client), is_resumed);
    CHECK_INT(libaeTlsResumed(server), is_resumed);
}

static void second_connect(const char *protocols) {
    libaeTlsContext *of_client, *of_server, *other;

    begin();
    of_client = CONTEXT("client", config.protocols = protocols);
    other = CONTEXT("client", config.protocols = protocols);
    of_server = CONTEXT("server", config.auth_clients = LIBAE_TLS_AUTH_CLIENTS_YES);
    expect_resumed(of_client, of_server, 0);
    expect_resumed(of_client, of_server, 1);
    expect_resumed(of_client, of_server, 1);
    CHECK_TEXT(libaeTlsVersion(client), protocols);
    CHECK_TEXT(peer_name(client), "server"); /* both still know whom they speak to */
    CHECK_TEXT(peer_name(server), "client");
    expect_resumed(other, of_server, 0); /* another configuration has its own */
    CHECK_INT(libaeTlsContextReload(of_server, err, sizeof(err)), AE_OK);
    expect_resumed(of_client, of_server, 0);
    expect_resumed(of_client, of_server, 1);
    CHECK_INT(libaeTlsContextReload(of_client, err, sizeof(err)), AE_OK);
    expect_resumed(of_client, of_server, 0);
    libaeTlsContextFree(of_client);
    libaeTlsContextFree(of_server);
    libaeTlsContextFree(other);
    tls_end();
}

static void resumed_with_1_3(void) { second_connect("TLSv1.3"); }
static void resumed_with_1_2(void) { second_connect("TLSv1.2"); }

static void not_resumed_unless_wanted(void) {
    libaeTlsContext *context, *none, *without;

    TLS_BEGIN();
    context = CONTEXT("server");
    none = CONTEXT("server", config.client_session_cache_size = -1);
    without = CONTEXT("server", config.no_session_cache = 1);
    expect_resumed(none, context, 0);
    expect_resumed(none, context, 0);
    expect_resumed(without, context, 0);
    expect_resumed(without, context, 0);
    expect_resumed(NULL, context, 0); /* the process's own, which says nothing */
    expect_resumed(NULL, context, 0);
    expect_resumed(context, without, 0);
    expect_resumed(context, without, 0);
    libaeTlsContextFree(context);
    libaeTlsContextFree(none);
    libaeTlsContextFree(without);
    tls_end();
}

static void resumed_where_the_process_says_so(void) {
    TLS_BEGIN(config.client_session_cache_size = 8);
    expect_resumed(NULL, NULL, 0);
    expect_resumed(NULL, NULL, 1);
    tls_end();
}

/* There is room for one server's. */
static void the_server_that_was_met_first_is_forgotten(void) {
    libaeTlsContext *of_client, *of_server;

    begin();
    of_client = CONTEXT("server", config.client_session_cache_size = 8);
    of_server = CONTEXT("server");
    expect_resumed(of_client, of_server, 0);
    connected(of_client, of_server, "localhost");
    expect_data();
    CHECK_INT(libaeTlsResumed(client), 0);
    expect_resumed(of_client, of_server, 0);
    libaeTlsContextFree(of_client);
    libaeTlsContextFree(of_server);
    tls_end();
}

/* ---- Keys ---- */

static char log_path[64], logged[16384];

static void read_log(void) {
    int fd = open(log_path, O_RDONLY | O_CLOEXEC);
    ssize_t count;

    CHECK(fd != -1);
    count = read(fd, logged, sizeof(logged) - 1);
    CHECK(count >= 0);
    logged[count] = '\0';
    close(fd);
}

/* A line with this label, a random number of 32 bytes and a secret. */
static void expect_key(const char *label, int secret) {
    const char *line = strstr(logged, label);
    size_t length;

    if (line == NULL) FAIL("no %s in %s", label, logged);
    line += strlen(label);
    length = strspn(line, "0123456789abcdef");
    CHECK_INT(length, 64);
    CHECK_INT(line[length], ' ');
    line += length + 1;
    length = strspn(line, "0123456789abcdef");
    CHECK_INT(length, 2 * secret);
    CHECK_INT(line[length], '\n');
}

static void begin_log(void) {
    begin();
    snprintf(log_path, sizeof(log_path), "/tmp/libae-test-%d.keys", (int)getpid());
    unlink(log_path);
}

static char warned[256];

static void on_log(int level, const char *message) {
    if (level == LIBAE_LOG_WARNING) snprintf(warned, sizeof(warned), "%s", message);
}

static void keys_are_logged(void) {
    libaeHost host = {.size = sizeof(host), .log = on_log};
    libaeTlsContext *logging, *of_12, *plain;
    struct stat file;

    begin_log();
    CHECK_INT(libaeSetHost(&host), AE_OK);
    setenv("SSLKEYLOGFILE", log_path, 1); /* alone it means nothing */
    plain = CONTEXT("server");
    connected(plain, plain, "127.0.0.1");
    CHECK_INT(access(log_path, F_OK), -1);
    logging = CONTEXT("server", config.key_log_file = getenv("SSLKEYLOGFILE");
                      config.ciphersuites = "TLS_AES_128_GCM_SHA256");
    CHECK_INT(stat(log_path, &file), 0);
    CHECK_INT(file.st_mode & 0777, 0600);
    CHECK_CONTAINS(warned, log_path); /* whoever runs the program hears of it */
    connected(plain, logging, "127.0.0.1");
    read_log();
    expect_key("CLIENT_HANDSHAKE_TRAFFIC_SECRET ", 32);
    expect_key("SERVER_HANDSHAKE_TRAFFIC_SECRET ", 32);
    expect_key("CLIENT_TRAFFIC_SECRET_0 ", 32);
    expect_key("SERVER_TRAFFIC_SECRET_0 ", 32);
    CHECK(strstr(logged, "CLIENT_RANDOM") == NULL);
    of_12 = CONTEXT("server", config.key_log_file = log_path; config.protocols = "TLSv1.2");
    connected(of_12, plain, "127.0.0.1");
    read_log();
    expect_key("CLIENT_HANDSHAKE_TRAFFIC_SECRET ", 32); /* it is still there */
    expect_key("CLIENT_RANDOM ", 48);
    unlink(log_path);
    libaeTlsContextFree(logging);
    libaeTlsContextFree(of_12);
    libaeTlsContextFree(plain);
    tls_end();
}

/* The keys are those that the other side has. */
static void the_same_keys_as_openssl(void) {
    char their_path[80], theirs[16384], *line, *end;
    libaeTlsContext *context;
    int lines = 0;

    begin_log();
    snprintf(their_path, sizeof(their_path), "%s.openssl", log_path);
    context = CONTEXT("server", config.key_log_file = log_path);
    S_CLIENT(context, "-keylogfile", their_path);
    CHECK_INT(server_state, CONN_STATE_CONNECTED);
    TOOL_SAYS("\n---\n");
    tool_end();
    read_log();
    strcpy(theirs, logged);
    strcpy(log_path, their_path);
    read_log();
    for (line = theirs; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        CHECK_CONTAINS(logged, line);
        lines++;
    }
    CHECK(lines >= 4);
    unlink(their_path);
    *strrchr(their_path, '.') = '\0';
    unlink(their_path);
    libaeTlsContextFree(context);
    tls_end();
}

static void a_log_that_cannot_be(void) {
    libaeTlsConfig config;

    begin();
    config = tls_config();
    config.key_log_file = "/nowhere/keys";
    expect_refused(&config, "key_log_file: /nowhere/keys: ");
    tls_end();
}

TEST_MAIN(CASE(the_servers_order_of_protocols), CASE(no_protocol_in_common), CASE(protocols_with_openssl),
          CASE(protocols_that_cannot_be), CASE(resumed_with_1_3), CASE(resumed_with_1_2),
          CASE(not_resumed_unless_wanted), CASE(resumed_where_the_process_says_so),
          CASE(the_server_that_was_met_first_is_forgotten), CASE(keys_are_logged), CASE(the_same_keys_as_openssl),
          CASE(a_log_that_cannot_be))
