/* TLS: the configuration chosen by the name of the server that the client asks for. */
#include "test.h"
#include "tls_openssl.h"

#include "tls_contexts.h"

static libaeTlsContext *first, *named, *wild;

/* A client that asks for a name, and does not look for it in the certificate. */
static libaeTlsContext *asking_for(const char *name) {
    return CONTEXT("client", config.server_name = name; config.any_server_name = 1);
}

static void begin_named(void) {
    begin();
    first = CONTEXT("server", config.alpn_protocols = "first");
    named = CONTEXT("server-only", config.alpn_protocols = "named";
                    config.auth_clients = LIBAE_TLS_AUTH_CLIENTS_YES);
    wild = CONTEXT("wrong-host");
    CHECK_KEEPS_ERRNO(libaeTlsContextAddName(first, "Named.example", named), AE_OK);
    CHECK_KEEPS_ERRNO(libaeTlsContextAddName(first, "*.example", wild), AE_OK);
}

static void end_named(void) {
    libaeTlsContextFree(first);
    libaeTlsContextFree(named);
    libaeTlsContextFree(wild);
    tls_end();
}

/* Who asks for this name sees that certificate. */
static void expect_chosen(const char *name, const char *certificate) {
    libaeTlsContext *of_client = asking_for(name);

    connected(of_client, first, "127.0.0.1");
    CHECK_TEXT(peer_name(client), certificate);
    if (name != NULL) {
        CHECK_INT(libaeTlsServerName(server, text, sizeof(text)), strlen(name));
        CHECK_TEXT(text, name);
    }
    expect_data();
    libaeTlsContextFree(of_client);
}

static void names_choose(void) {
    begin_named();
    expect_chosen("named.example", "server-only");
    CHECK_TEXT(peer_name(server), "client"); /* it asks for certificates */
    expect_chosen("other.example", "wrong-host");
    CHECK_FAILS(libaeTlsPeerName(server, LIBAE_TLS_NAME_CN, 0, text, sizeof(text)), -1, ENODATA);
    expect_chosen("one.other.example", "server"); /* two parts are too many */
    expect_chosen("example", "server");           /* and none too few */
    expect_chosen("elsewhere", "server");
    expect_chosen(NULL, "server"); /* an address is never sent */
    end_named();
}

static void names_change(void) {
    begin_named();
    expect_chosen("named.example", "server-only");
    CHECK_INT(libaeTlsContextAddName(first, "named.example", NULL), AE_OK);
    expect_chosen("named.example", "wrong-host");
    CHECK_INT(libaeTlsContextAddName(first, "*.Example", first), AE_OK); /* itself: no circle */
    expect_chosen("named.example", "server");
    CHECK_INT(libaeTlsContextAddName(first, "*.example", NULL), AE_OK);
    CHECK_INT(libaeTlsContextAddName(first, "*.example", NULL), AE_OK);
    expect_chosen("named.example", "server");
    CHECK_INT(libaeTlsContextAddName(named, "elsewhere", wild), AE_OK);
    CHECK_INT(libaeTlsContextAddName(first, "elsewhere", named), AE_OK);
    expect_chosen("elsewhere", "server-only"); /* the names of another do not count */
    end_named();
}

/* Those of the connection that has the names are in use, whoever frees them. */
static void named_ones_are_kept(void) {
    libaeTlsContext *of_client;

    begin_named();
    of_client = asking_for("named.example");
    start(of_client, first, "127.0.0.1");
    libaeTlsContextFree(first);
    libaeTlsContextFree(named);
    libaeTlsContextFree(wild);
    RUN_UNTIL(client_calls && server_calls);
    CHECK_TEXT(peer_name(client), "server-only");
    expect_data();
    first = named = wild = NULL;
    libaeTlsContextFree(of_client);
    end_named();
}

/* Each has its own sessions, so that what one has checked is no pass for another. */
static void sessions_of_one_name(void) {
    libaeTlsContext *of_client;
    int i;

    begin_named();
    of_client = asking_for("named.example");
    for (i = 0; i < 2; i++) {
        connected(of_client, first, "127.0.0.1");
        expect_data();
        CHECK_INT(libaeTlsResumed(server), i);
        CHECK_TEXT(peer_name(client), "server-only");
    }
    CHECK_INT(libaeTlsContextAddName(first, "named.example", wild), AE_OK);
    connected(of_client, first, "127.0.0.1");
    CHECK_INT(libaeTlsResumed(server), 0);
    CHECK_TEXT(peer_name(client), "wrong-host");
    libaeTlsContextFree(of_client);
    end_named();
}

static void names_that_cannot_be(void) {
    static const char *const bad[] = {"", "*", "*.", "127.0.0.1", "a b", "*.*.example", "a.*.example", "\xff"};
    libaeTlsContext *without;
    size_t i;

    begin_named();
    without = CONTEXT("server", config.cert_file = config.key_file = NULL);
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK_FAILS(libaeTlsContextAddName(first, bad[i], named), AE_ERR, EINVAL);
    CHECK_FAILS(libaeTlsContextAddName(first, "name", without), AE_ERR, EINVAL);
    CHECK_FAILS(libaeTlsContextAddName(first, NULL, named), AE_ERR, EINVAL);
    CHECK_FAILS(libaeTlsContextAddName(NULL, "name", named), AE_ERR, EINVAL);
    libaeTlsContextFree(without);
    end_named();
}

/* ---- A client's first message as it comes ---- */

/* The first message of a client that asks for a name. */
static int hello_for(const char *name, char *buffer, int most) {
    libaeTlsContext *of_client = asking_for(name);
    int count;

    client = tls_create(el);
    CHECK_INT(libaeTlsSetContext(client, of_client), AE_OK);
    CHECK_INT(connConnect(client, "127.0.0.1", port, NULL, tls_on_connected), C_OK);
    count = tls_take_hello(buffer, most);
    libaeTlsContextFree(of_client);
    tls_close_both();
    return count;
}

/* Bytes one by one; what is answered has the certificate that was chosen in TLS 1.2, where it is not encrypted. */
static void byte_by_byte(void) {
    char hello[2048], answer[8192];
    libaeTlsContext *of_12;
    int length, i, count = 0;

    begin_named();
    of_12 = CONTEXT("wrong-host", config.protocols = "TLSv1.2");
    CHECK_INT(libaeTlsContextAddName(first, "named.example", of_12), AE_OK);
    length = hello_for("named.example", hello, sizeof(hello));
    peer = test_connect(AF_INET, port);
    server = tls_create_accepted(el, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO);
    CHECK_INT(libaeTlsSetContext(server, first), AE_OK);
    CHECK_INT(connAccept(server, tls_on_accepted), C_OK);
    for (i = 0; i < length; i++) {
        CHECK_INT(send(peer, hello + i, 1, 0), 1);
        test_await(server->fd, POLLIN);
        tls_run_idle();
        CHECK_INT(server_calls, 0);
    }
    while (memmem(answer, (size_t)count, "elsewhere.invalid", 17) == NULL) {
        int more = (int)recv(peer, answer + count, sizeof(answer) - (size_t)count, 0);

        CHECK(more > 0);
        count += more;
    }
    libaeTlsContextFree(of_12);
    if (peer != -1) close(peer);
    peer = -1;
    end_named();
}

/* What is no such message fails as it does without names. */
static void garbage(void) {
    static const char *const bad[] = {"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
                                      "\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00"};
    static const int lengths[] = {18, 10, 10};
    int i;

    begin_named();
    for (i = 0; i < 3; i++) {
        tls_close_both();
        peer = test_connect(AF_INET, port);
        server = tls_create_accepted(el, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO);
        CHECK_INT(libaeTlsSetContext(server, first), AE_OK);
        CHECK_INT(connAccept(server, tls_on_accepted), C_OK);
        CHECK_INT(send(peer, bad[i], (size_t)lengths[i], 0), lengths[i]);
        RUN_UNTIL(server_calls);
        CHECK_INT(server_state, CONN_STATE_ERROR);
        CHECK_CONTAINS(connGetLastError(server), "the peer");
        close(peer);
        peer = -1;
    }
    end_named();
}

/* ---- With openssl ---- */

static void expect_subject(const char *name, const char *subject) {
    char address[32], expected[64];

    tls_close_both();
    snprintf(address, sizeof(address), "127.0.0.1:%d", port);
    tool_start("s_client", "-connect", address, name != NULL ? "-servername" : "-noservername", name,
               (char *)NULL);
    test_await(listening, POLLIN);
    server = tls_create_accepted(el, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO);
    CHECK_INT(libaeTlsSetContext(server, first), AE_OK);
    if (connAccept(server, tls_on_accepted) == C_ERR) tls_on_accepted(server);
    TOOL_UNTIL(server_calls);
    CHECK_INT(server_state, CONN_STATE_CONNECTED);
    snprintf(expected, sizeof(expected), "subject=CN = %s\n", subject);
    TOOL_SAYS(expected);
    tool_end();
}

static void openssl_asks(void) {
    begin_named();
    expect_subject("other.example", "wrong-host");
    expect_subject("OTHER.Example", "wrong-host"); /* names are the same in capitals */
    expect_subject("elsewhere", "server");
    expect_subject(NULL, "server");
    end_named();
}

TEST_MAIN(CASE(names_choose), CASE(names_change), CASE(named_ones_are_kept), CASE(sessions_of_one_name),
          CASE(names_that_cannot_be), CASE(byte_by_byte), CASE(garbage), CASE(openssl_asks))
