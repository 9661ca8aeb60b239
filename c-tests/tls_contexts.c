/* TLS: several configurations in one process, and what a connection tells about its session. */
#include "test.h"
#include "tls_contexts.h"

#include <pthread.h>

/* ---- Configurations ---- */

static void what_cannot_be_used(void) {
    struct {
        libaeTlsConfig known;
        char more[8];
    } larger;
    libaeTlsConfig config;

    begin();
    CHECK_FAILS_NULL(libaeTlsContextNew(NULL, err, sizeof(err)), EINVAL);
    config = tls_config();
    config.key_file = tls_file("ca.key");
    CHECK_FAILS_NULL(libaeTlsContextNew(&config, err, sizeof(err)), EINVAL);
    CHECK_CONTAINS(err, "tls-key-file: ");
    CHECK_FAILS_NULL(libaeTlsContextNew(&config, NULL, 0), EINVAL);
    config = tls_config();
    config.max_handshakes = 5;
    CHECK_FAILS_NULL(libaeTlsContextNew(&config, err, sizeof(err)), EINVAL);
    CHECK_CONTAINS(err, "max_handshakes: ");
    memset(&larger, 0, sizeof(larger));
    larger.known = tls_config();
    larger.known.size = sizeof(larger);
    libaeTlsContextFree(context_of(&larger.known));
    larger.more[7] = 1;
    CHECK_FAILS_NULL(libaeTlsContextNew(&larger.known, err, sizeof(err)), EINVAL);
    CHECK_CONTAINS(err, "does not know");
    CHECK_FAILS(libaeTlsConfigure(&larger.known, err, sizeof(err)), AE_ERR, EINVAL);
    libaeTlsContextFree(NULL);
    tls_end();
}

/* Each connection has its own, and the process none. */
static void a_configuration_for_each_connection(void) {
    libaeTlsContext *one, *other, *of_client;

    begin();
    one = CONTEXT("server");
    other = CONTEXT("server-only");
    of_client = CONTEXT("client");
    connected(of_client, one, "127.0.0.1");
    CHECK_TEXT(peer_name(client), "server");
    expect_data();
    connected(of_client, other, "127.0.0.1");
    CHECK_TEXT(peer_name(client), "server-only");
    expect_data();
    libaeTlsContextFree(one);
    libaeTlsContextFree(other);
    libaeTlsContextFree(of_client);
    tls_end();
}

/* The process's stays as it is, for those who choose none. */
static void beside_the_processs_own(void) {
    libaeTlsContext *other;

    TLS_BEGIN();
    other = CONTEXT("server-only");
    connected(NULL, other, "127.0.0.1");
    CHECK_TEXT(peer_name(client), "server-only");
    connected(NULL, NULL, "127.0.0.1");
    CHECK_TEXT(peer_name(client), "server");
    libaeTlsContextFree(other);
    tls_end();
}

/* Whether clients show a certificate is the configuration's to say, not that of who made the connection. */
static void its_policy_for_clients(void) {
    libaeTlsContext *asking, *with, *without;

    begin();
    asking = CONTEXT("server", config.auth_clients = LIBAE_TLS_AUTH_CLIENTS_YES);
    with = CONTEXT("client");
    without = CONTEXT("client", config.cert_file = config.key_file = NULL);
    connected(with, asking, "127.0.0.1");
    CHECK_TEXT(peer_name(server), "client");
    start(without, asking, "127.0.0.1");
    RUN_UNTIL(server_calls);
    CHECK_INT(server_state, CONN_STATE_ERROR);
    CHECK_TEXT(connGetLastError(server), "the peer showed no certificate");
    libaeTlsContextFree(asking);
    libaeTlsContextFree(with);
    libaeTlsContextFree(without);
    tls_end();
}

/* Freed before the handshake, it is kept by the connections that have it. */
static void freed_while_connections_have_it(void) {
    libaeTlsContext *context;

    begin();
    context = CONTEXT("server");
    client = tls_create(el);
    CHECK_INT(libaeTlsSetContext(client, context), AE_OK);
    libaeTlsContextFree(context);
    CHECK_INT(connConnect(client, "127.0.0.1", port, NULL, tls_on_connected), C_OK);
    context = CONTEXT("server");
    server = tls_create_accepted(el, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO);
    CHECK_INT(libaeTlsSetContext(server, context), AE_OK);
    libaeTlsContextFree(context);
    CHECK_INT(connAccept(server, tls_on_accepted), C_OK);
    RUN_UNTIL(client_calls && server_calls);
    expect_data();
    tls_end();
}

/* A plain socket as the client. */
static void tls_accept_peer_with(libaeTlsContext *context) {
    peer = test_connect(AF_INET, port);
    server = tls_create_accepted(el, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO);
    CHECK_INT(libaeTlsSetContext(server, context), AE_OK);
    CHECK_INT(connAccept(server, tls_on_accepted), C_OK);
}

static void too_late(void) {
    libaeTlsContext *context, *without;
    connection *plain;

    begin();
    context = CONTEXT("server");
    without = CONTEXT("server", config.cert_file = config.key_file = NULL);
    start(context, context, "127.0.0.1");
    CHECK_FAILS(libaeTlsSetContext(client, context), AE_ERR, EALREADY);
    CHECK_FAILS(libaeTlsSetContext(server, context), AE_ERR, EALREADY);
    RUN_UNTIL(client_calls && server_calls);
    CHECK_FAILS(libaeTlsSetContext(client, context), AE_ERR, EALREADY);
    CHECK_FAILS(libaeTlsSetContext(server, context), AE_ERR, EALREADY);
    expect_data();
    tls_close_both();

    tls_accept_peer_with(context);
    test_send(peer, "GET / HTTP/1.1\r\n");
    RUN_UNTIL(server_calls);
    CHECK_INT(connGetState(server), CONN_STATE_ERROR);
    CHECK_FAILS(libaeTlsSetContext(server, context), AE_ERR, EALREADY); /* a failure is one already */
    close(peer);
    tls_close_both();

    client = tls_create(el);
    CHECK_FAILS(libaeTlsSetContext(client, NULL), AE_ERR, EINVAL);
    CHECK_FAILS(libaeTlsSetContext(NULL, context), AE_ERR, EINVAL);
    CHECK_INT(connConnect(client, "127.0.0.1", port, NULL, tls_on_connected), C_ERR); /* there is none */
    server = tls_create_accepted(el, dup(listening), LIBAE_TLS_AUTH_CLIENTS_NO);
    CHECK_FAILS(libaeTlsSetContext(server, without), AE_ERR, EINVAL);
    CHECK_INT(connGetState(server), CONN_STATE_ERROR);
    tls_close_both();

    plain = test_conn_create(el, TCP_TYPE);
    CHECK_FAILS(libaeTlsSetContext(plain, context), AE_ERR, EOPNOTSUPP);
    CHECK_FAILS_NULL(libaeTlsVersion(plain), EOPNOTSUPP);
    connClose(plain);
    libaeTlsContextFree(context);
    libaeTlsContextFree(without);
    tls_end();
}

static void a_handshake_has_its_own_time(void) {
    libaeTlsContext *context;

    begin();
    context = CONTEXT("server", config.handshake_timeout = 20);
    peer = test_connect(AF_INET, port);
    server = tls_create_accepted(el, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO);
    CHECK_INT(libaeTlsSetContext(server, context), AE_OK);
    CHECK_INT(connAccept(server, tls_on_accepted), C_OK);
    RUN_UNTIL(server_calls);
    CHECK_TEXT(connGetLastError(server), "the peer did not end the handshake in time");
    libaeTlsContextFree(context);
    tls_end_peer();
}

/* Accepted without a configuration, a connection is an error until it gets one. */
static void a_configuration_mends_an_accepted_connection(void) {
    libaeTlsContext *context;

    begin();
    context = CONTEXT("server");
    client = tls_create(el);
    CHECK_INT(libaeTlsSetContext(client, context), AE_OK);
    CHECK_INT(connConnect(client, "127.0.0.1", port, NULL, tls_on_connected), C_OK);
    server = tls_create_accepted(el, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO);
    CHECK_INT(connGetState(server), CONN_STATE_ERROR);
    CHECK_TEXT(connGetLastError(server), "TLS is not configured");
    CHECK_INT(libaeTlsSetContext(server, context), AE_OK);
    CHECK_INT(connGetState(server), CONN_STATE_ACCEPTING);
    CHECK_TEXT(connGetLastError(server), strerror(0));
    CHECK_INT(connAccept(server, tls_on_accepted), C_OK);
    RUN_UNTIL(client_calls && server_calls);
    expect_data();
    libaeTlsContextFree(context);
    tls_end();
}

/* Below 0 it has all the time there is, whatever the process's have. */
static void a_handshake_has_no_limit_of_its_own(void) {
    libaeTlsContext *context;

    TLS_BEGIN(config.handshake_timeout = 1);
    context = CONTEXT("server", config.handshake_timeout = -1);
    peer = test_connect(AF_INET, port);
    server = tls_create_accepted(el, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO);
    CHECK_INT(libaeTlsSetContext(server, context), AE_OK);
    CHECK_INT(connAccept(server, tls_on_accepted), C_OK);
    tls_run_for(20);
    CHECK_INT(server_calls, 0);
    CHECK_INT(connGetState(server), CONN_STATE_ACCEPTING);
    libaeTlsContextFree(context);
    tls_end_peer();
}

/* ---- Files that change ---- */

static void copy_file(const char *from, const char *to) {
    char content[16384];
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t count;

    CHECK(in != -1 && out != -1);
    while ((count = read(in, content, sizeof(content))) > 0) CHECK_INT(write(out, content, (size_t)count), count);
    close(in);
    close(out);
}

static char own_cert[64], own_key[64];

static libaeTlsContext *context_over_own_files(const char *name) {
    libaeTlsConfig config = tls_config();
    libaeTlsContext *context;

    snprintf(own_cert, sizeof(own_cert), "/tmp/libae-test-%d.crt", (int)getpid());
    snprintf(own_key, sizeof(own_key), "/tmp/libae-test-%d.key", (int)getpid());
    tls_identity(&config, name);
    copy_file(config.cert_file, own_cert);
    copy_file(config.key_file, own_key);
    config.cert_file = own_cert;
    config.key_file = own_key;
    context = context_of(&config);
    return context;
}

static void replace_own_files(const char *cert, const char *key) {
    copy_file(tls_file(cert), own_cert);
    copy_file(tls_file(key), own_key);
}

static void remove_own_files(void) {
    unlink(own_cert);
    unlink(own_key);
}

static void reloaded_under_connections(void) {
    libaeTlsContext *context;
    connection *first_client, *first_server;

    begin();
    context = context_over_own_files("server");
    connected(context, context, "127.0.0.1");
    CHECK_TEXT(peer_name(client), "server");
    first_client = client;
    first_server = server;
    client = server = NULL;
    replace_own_files("server-only.crt", "server-only.key");
    CHECK_KEEPS_ERRNO(libaeTlsContextReload(context, err, sizeof(err)), AE_OK);
    connected(context, context, "127.0.0.1");
    CHECK_TEXT(peer_name(client), "server-only");
    expect_data();

    tls_close_both();
    client = first_client; /* it has gone on undisturbed */
    server = first_server;
    CHECK_TEXT(peer_name(client), "server");
    expect_data();
    libaeTlsContextFree(context);
    remove_own_files();
    tls_end();
}

static void a_bad_file_changes_nothing(void) {
    libaeTlsContext *context;

    begin();
    context = context_over_own_files("server");
    replace_own_files("server-only.crt", "server.key");
    CHECK_FAILS(libaeTlsContextReload(context, err, sizeof(err)), AE_ERR, EINVAL);
    CHECK_CONTAINS(err, "is not the key of");
    connected(context, context, "127.0.0.1");
    CHECK_TEXT(peer_name(client), "server");
    remove_own_files();
    CHECK_FAILS(libaeTlsContextReload(context, NULL, 0), AE_ERR, EINVAL);
    connected(context, context, "127.0.0.1");
    CHECK_FAILS(libaeTlsContextReload(NULL, err, sizeof(err)), AE_ERR, EINVAL);
    CHECK_TEXT(err, "no configuration");
    libaeTlsContextFree(context);
    tls_end();
}

/* Other threads make, reload and free configurations while the loop uses them. */
static libaeTlsContext *shared;
static int threads_stop;

static void *reload_and_make(void *data) {
    libaeTlsConfig config = tls_config();

    (void)data;
    while (!__atomic_load_n(&threads_stop, __ATOMIC_RELAXED)) {
        char why[256];
        libaeTlsContext *own = libaeTlsContextNew(&config, why, sizeof(why));

        CHECK(own != NULL);
        CHECK_INT(libaeTlsContextReload(shared, why, sizeof(why)), AE_OK);
        libaeTlsContextFree(own);
    }
    return NULL;
}

static void used_by_many_threads(void) {
    pthread_t threads[3];
    int i;

    begin();
    tls_file("server.crt"), tls_file("server.key"), tls_file("ca.crt"); /* the table of paths is one thread's */
    shared = CONTEXT("server");
    for (i = 0; i < 3; i++) CHECK_INT(pthread_create(&threads[i], NULL, reload_and_make, NULL), 0);
    for (i = 0; i < 20; i++) {
        connected(shared, shared, "127.0.0.1");
        expect_data();
    }
    __atomic_store_n(&threads_stop, 1, __ATOMIC_RELAXED);
    for (i = 0; i < 3; i++) CHECK_INT(pthread_join(threads[i], NULL), 0);
    libaeTlsContextFree(shared);
    tls_end();
}

/* ---- Listening sockets ---- */

#ifndef TEST_CONN_V1
static void on_accepted_by_listener(connection *conn, int flags, char *ip) {
    (void)flags;
    (void)ip;
    server = conn;
    CHECK_INT(connAccept(conn, tls_on_accepted), C_OK);
}

/* Its time for a handshake is that of the listener's configuration. */
static void a_listeners_handshakes_have_its_time(void) {
    libaeHost host = {.size = sizeof(host), .accepted = on_accepted_by_listener};
    libaeTlsContext *context;

    TLS_BEGIN();
    CHECK_INT(libaeSetHost(&host), AE_OK);
    context = CONTEXT("server", config.handshake_timeout = 20);
    CHECK_INT(aeCreateFileEvent(el, listening, AE_READABLE, connAcceptHandler(connectionTypeTls()), NULL), AE_OK);
    CHECK_INT(libaeTlsSetListenerContext(listening, context), AE_OK);
    peer = test_connect(AF_INET, port);
    RUN_UNTIL(server_calls);
    CHECK_TEXT(connGetLastError(server), "the peer did not end the handshake in time");
    aeDeleteFileEvent(el, listening, AE_READABLE);
    CHECK_INT(libaeTlsSetListenerContext(listening, NULL), AE_OK);
    libaeTlsContextFree(context);
    tls_end_peer();
}
#define CASES_OF_LISTENERS , CASE(a_listeners_handshakes_have_its_time)

static void connect_to_listener(libaeTlsContext *context, const char *expected) {
    tls_close_both();
    client = tls_create(el);
    CHECK_INT(libaeTlsSetContext(client, context), AE_OK);
    CHECK_INT(connConnect(client, "127.0.0.1", port, NULL, tls_on_connected), C_OK);
    RUN_UNTIL(client_calls && server_calls);
    CHECK_TEXT(peer_name(client), expected);
    expect_data();
}
#else
#define CASES_OF_LISTENERS
#endif

static void a_configuration_for_each_listener(void) {
#ifdef TEST_CONN_V1
    begin();
    CHECK_FAILS(libaeTlsSetListenerContext(listening, NULL), AE_ERR, EOPNOTSUPP);
    tls_end();
#else
    libaeHost host = {.size = sizeof(host), .accepted = on_accepted_by_listener};
    libaeTlsContext *one, *other;
    int second, first_port, second_port, replaced;

    TLS_BEGIN();
    CHECK_INT(libaeSetHost(&host), AE_OK);
    one = CONTEXT("server");
    other = CONTEXT("server-only");
    first_port = port;
    second = test_listen(AF_INET, 64, &second_port);
    test_set_nonblocking(listening);
    test_set_nonblocking(second);
    CHECK_INT(aeCreateFileEvent(el, listening, AE_READABLE, connAcceptHandler(connectionTypeTls()), NULL), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, second, AE_READABLE, connAcceptHandler(connectionTypeTls()), NULL), AE_OK);
    CHECK_KEEPS_ERRNO(libaeTlsSetListenerContext(second, other), AE_OK);
    connect_to_listener(one, "server");
    port = second_port;
    connect_to_listener(one, "server-only");
    CHECK_INT(libaeTlsSetListenerContext(second, one), AE_OK);
    connect_to_listener(one, "server");
    CHECK_INT(libaeTlsSetListenerContext(second, other), AE_OK);
    CHECK_INT(libaeTlsSetListenerContext(second, NULL), AE_OK);
    connect_to_listener(one, "server");

    /* Another socket with the number of one that has been closed is not meant. */
    CHECK_INT(libaeTlsSetListenerContext(second, other), AE_OK);
    aeDeleteFileEvent(el, second, AE_READABLE);
    close(second);
    replaced = test_listen(AF_INET, 64, &port);
    CHECK_INT(replaced, second);
    test_set_nonblocking(replaced);
    CHECK_INT(aeCreateFileEvent(el, replaced, AE_READABLE, connAcceptHandler(connectionTypeTls()), NULL), AE_OK);
    connect_to_listener(one, "server");
    CHECK_FAILS(libaeTlsSetListenerContext(-1, one), AE_ERR, EBADF);
    CHECK_FAILS(libaeTlsSetListenerContext(-1, NULL), AE_ERR, EBADF);
    port = first_port;
    close(replaced);
    libaeTlsContextFree(one);
    libaeTlsContextFree(other);
    tls_end();
#endif
}

/* ---- What is asked of a connection ---- */

static void version_and_cipher(void) {
    libaeTlsContext *of_12, *of_13;

    begin();
    of_12 = CONTEXT("server", config.protocols = "TLSv1.2"; config.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305");
    of_13 = CONTEXT("server", config.ciphersuites = "TLS_AES_128_GCM_SHA256");
    connected(of_13, of_12, "127.0.0.1");
    CHECK_TEXT(libaeTlsVersion(client), "TLSv1.2");
    CHECK_TEXT(libaeTlsVersion(server), "TLSv1.2");
    CHECK_TEXT(libaeTlsCipher(client), "ECDHE-ECDSA-CHACHA20-POLY1305");
    connected(of_13, of_13, "127.0.0.1");
    CHECK_TEXT(libaeTlsVersion(client), "TLSv1.3");
    CHECK_TEXT(libaeTlsVersion(server), "TLSv1.3");
    CHECK_TEXT(libaeTlsCipher(server), "TLS_AES_128_GCM_SHA256");
    CHECK_KEEPS_ERRNO(libaeTlsResumed(client), 0);
    CHECK_KEEPS_ERRNO(libaeTlsResumed(server), 0);
    libaeTlsContextFree(of_12);
    libaeTlsContextFree(of_13);
    tls_end();
}

/* The level of the ciphers is of those of TLS 1.3, too. */
static void level_of_the_ciphers(void) {
    libaeTlsContext *strong, *with_128, *with_256;

    begin();
    strong = CONTEXT("server", config.ciphers = "DEFAULT@SECLEVEL=5");
    with_128 = CONTEXT("server", config.protocols = "TLSv1.3"; config.ciphersuites = "TLS_AES_128_GCM_SHA256");
    with_256 = CONTEXT("server", config.protocols = "TLSv1.3"; config.ciphersuites = "TLS_AES_256_GCM_SHA384");
    connected(with_256, strong, "127.0.0.1");
    start(with_128, strong, "127.0.0.1");
    RUN_UNTIL(client_calls && server_calls);
    CHECK_INT(server_state, CONN_STATE_ERROR);
    CHECK_CONTAINS(connGetLastError(server), "nothing in common");
    libaeTlsContextFree(strong);
    libaeTlsContextFree(with_128);
    libaeTlsContextFree(with_256);
    tls_end();
}

static void name_of_the_server(void) {
    libaeTlsContext *context, *other;

    begin();
    context = CONTEXT("server");
    other = CONTEXT("server", config.server_name = "localhost");
    connected(context, context, "127.0.0.1"); /* addresses are never sent */
    CHECK_FAILS(libaeTlsServerName(client, text, sizeof(text)), -1, ENODATA);
    CHECK_FAILS(libaeTlsServerName(server, text, sizeof(text)), -1, ENODATA);
    connected(other, context, "127.0.0.1");
    CHECK_KEEPS_ERRNO(libaeTlsServerName(client, text, sizeof(text)), 9);
    CHECK_TEXT(text, "localhost");
    CHECK_INT(libaeTlsServerName(server, text, 6), 9);
    CHECK_TEXT(text, "local");
    CHECK_INT(libaeTlsServerName(server, NULL, 0), 9);
    connected(context, context, "127.0.0.1"); /* nobody is told of the one before */
    CHECK_FAILS(libaeTlsServerName(server, text, sizeof(text)), -1, ENODATA);
    libaeTlsContextFree(context);
    libaeTlsContextFree(other);
    tls_end();
}

static void before_the_handshake_is_over(void) {
    libaeTlsContext *context;

    begin();
    context = CONTEXT("server");
    client = tls_create(el);
    CHECK_FAILS_NULL(libaeTlsVersion(client), ENOTCONN);
    start(context, context, "127.0.0.1");
    CHECK_FAILS_NULL(libaeTlsVersion(server), ENOTCONN);
    CHECK_FAILS_NULL(libaeTlsCipher(server), ENOTCONN);
    CHECK_FAILS(libaeTlsResumed(client), -1, ENOTCONN);
    CHECK_FAILS(libaeTlsServerName(client, text, sizeof(text)), -1, ENOTCONN);
    CHECK_FAILS(libaeTlsPeerCertificate(client, text, sizeof(text)), -1, ENOTCONN);
    CHECK_FAILS(libaeTlsPeerName(client, LIBAE_TLS_NAME_CN, 0, text, sizeof(text)), -1, ENOTCONN);
    CHECK_FAILS_NULL(libaeTlsVersion(NULL), EINVAL);
    CHECK_FAILS(libaeTlsPeerName(NULL, LIBAE_TLS_NAME_CN, 0, NULL, 0), -1, EINVAL);
    libaeTlsContextFree(context);
    tls_end();
}

static void certificate_of_the_peer(void) {
    unsigned char der[4096];
    libaeTlsContext *context;
    ssize_t length;

    begin();
    context = CONTEXT("server");
    connected(context, context, "127.0.0.1");
    CHECK_FAILS(libaeTlsPeerCertificate(server, der, sizeof(der)), -1, ENODATA);
    memset(der, 0x55, sizeof(der));
    length = libaeTlsPeerCertificate(client, NULL, 0);
    CHECK(length > 100 && length < (ssize_t)sizeof(der));
    CHECK_INT(libaeTlsPeerCertificate(client, der, (size_t)length - 1), length);
    CHECK_INT(der[0], 0x55);
    CHECK_KEEPS_ERRNO(libaeTlsPeerCertificate(client, der, (size_t)length), length);
    CHECK_INT(der[0], 0x30); /* a sequence, of the length that is told, less its header */
    CHECK_INT(der[1], 0x82);
    CHECK_INT(der[2] << 8 | der[3], length - 4);
    CHECK_INT(der[length], 0x55);
    libaeTlsContextFree(context);
    tls_end();
}

static void expect_names(int kind, int count, ...) {
    va_list names;
    int i;

    va_start(names, count);
    for (i = 0; i < count; i++) {
        const char *name = va_arg(names, const char *);
        int length = libaeTlsPeerName(server, kind, i, text, sizeof(text));

        CHECK_INT(length, strlen(name));
        CHECK_TEXT(text, name);
    }
    va_end(names);
    CHECK_FAILS(libaeTlsPeerName(server, kind, count, text, sizeof(text)), -1, ENODATA);
}

static void names_of_the_peer(void) {
    libaeTlsContext *asking, *of_client;

    begin();
    asking = CONTEXT("server", config.auth_clients = LIBAE_TLS_AUTH_CLIENTS_YES);
    of_client = CONTEXT("user-uris");
    connected(of_client, asking, "127.0.0.1");
    expect_names(LIBAE_TLS_NAME_CN, 1, "alice");
    expect_names(LIBAE_TLS_NAME_DNS, 1, "urn");
    expect_names(LIBAE_TLS_NAME_URI, 4, "urn:unknown", "urn:off", "urn:alice", "urn:carol");
    expect_names(LIBAE_TLS_NAME_IP, 0);
    expect_names(LIBAE_TLS_NAME_EMAIL, 0);
    CHECK_INT(libaeTlsPeerName(server, LIBAE_TLS_NAME_URI, 0, text, 4), 11);
    CHECK_TEXT(text, "urn");
    CHECK_FAILS(libaeTlsPeerName(server, LIBAE_TLS_NAME_URI + 1, 0, text, sizeof(text)), -1, EINVAL);
    CHECK_FAILS(libaeTlsPeerName(server, -1, 0, text, sizeof(text)), -1, EINVAL);
    CHECK_FAILS(libaeTlsPeerName(server, LIBAE_TLS_NAME_URI, -1, text, sizeof(text)), -1, EINVAL);
    CHECK_INT(libaeTlsPeerName(client, LIBAE_TLS_NAME_IP, 1, text, sizeof(text)), 3);
    CHECK_TEXT(text, "::1");
    CHECK_INT(libaeTlsPeerName(client, LIBAE_TLS_NAME_IP, 0, text, sizeof(text)), 9);
    CHECK_TEXT(text, "127.0.0.1");
    libaeTlsContextFree(of_client);
    of_client = CONTEXT("user-two");
    connected(of_client, asking, "127.0.0.1");
    expect_names(LIBAE_TLS_NAME_CN, 2, "nobody", "alice");
    libaeTlsContextFree(of_client);
    of_client = CONTEXT("user-nul");
    connected(of_client, asking, "127.0.0.1");
    CHECK_FAILS(libaeTlsPeerName(server, LIBAE_TLS_NAME_CN, 0, text, sizeof(text)), -1, EILSEQ);
    libaeTlsContextFree(of_client);
    libaeTlsContextFree(asking);
    tls_end();
}

/* However the certificate is made. */
static void names_in_other_certificates(void) {
    libaeTlsContext *trusting, *other;

    begin();
    trusting = CONTEXT("client", config.any_server_name = 1);
    other = CONTEXT("critical");
    connected(trusting, other, "127.0.0.1");
    CHECK_INT(libaeTlsPeerName(client, LIBAE_TLS_NAME_DNS, 0, text, sizeof(text)), strlen("critical.invalid"));
    CHECK_TEXT(text, "critical.invalid");
    libaeTlsContextFree(other);
    other = CONTEXT("v1");
    connected(trusting, other, "127.0.0.1");
    CHECK_TEXT(peer_name(client), "v1");
    CHECK_FAILS(libaeTlsPeerName(client, LIBAE_TLS_NAME_DNS, 0, text, sizeof(text)), -1, ENODATA);
    libaeTlsContextFree(other);
    libaeTlsContextFree(trusting);
    tls_end();
}

TEST_MAIN(CASE(what_cannot_be_used), CASE(a_configuration_for_each_connection), CASE(beside_the_processs_own),
          CASE(its_policy_for_clients), CASE(freed_while_connections_have_it), CASE(too_late),
          CASE(a_handshake_has_its_own_time), CASE(reloaded_under_connections), CASE(a_bad_file_changes_nothing),
          CASE(used_by_many_threads), CASE(a_configuration_for_each_listener), CASE(version_and_cipher), CASE(level_of_the_ciphers),
          CASE(name_of_the_server), CASE(before_the_handshake_is_over), CASE(certificate_of_the_peer),
          CASE(names_of_the_peer), CASE(names_in_other_certificates), CASE(a_configuration_mends_an_accepted_connection),
          CASE(a_handshake_has_no_limit_of_its_own) CASES_OF_LISTENERS)
