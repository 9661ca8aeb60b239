/* TLS: the configuration as forks of Redis give it: upstream's structure, in connTypeConfigure or (up to redis-7.0)
 * tlsConfigure, or when the host is asked. */
#include "test.h"
#include "tls_test.h"

static void expect_works(void) {
    tls_close_both();
    tls_connect_pair();
}

static redisTLSContextConfig upstream;

static int configure_upstream(int reconfigure) {
#ifdef TEST_CONN_V1
    (void)reconfigure;
    return tlsConfigure(&upstream);
#else
    return connTypeConfigure(connectionTypeTls(), &upstream, reconfigure);
#endif
}

static char logged[512];
static int asked;

static void on_log(int level, const char *message) {
    if (level == LIBAE_LOG_WARNING) snprintf(logged, sizeof(logged), "%s", message);
}

static int auth_clients;
static int hosts_auth_clients(void) { return auth_clients; }

static int on_meaningless(const char *setting, const char *reason) {
    CHECK_TEXT(setting, "tls-dh-params-file");
    CHECK(strlen(reason) > 10);
    asked++;
    return 1;
}

static void begin_upstream(void) {
    libaeHost host = {.size = sizeof(host), .log = on_log};

    CHECK_INT(libaeSetHost(&host), AE_OK);
    tls_begin_with(NULL);
    upstream.cert_file = (char *)tls_file("server.crt");
    upstream.key_file = (char *)tls_file("server.key");
    upstream.ca_cert_file = (char *)tls_file("ca.crt");
    upstream.session_caching = 1;
    upstream.session_cache_size = 20480;
    upstream.session_cache_timeout = 300;
}

static void upstreams_structure(void) {
    begin_upstream();
    CHECK_INT(configure_upstream(0), C_OK);
    expect_works();
    upstream.cert_file = (char *)tls_file("wrong-host.crt"); /* names are not looked at, as upstream does not */
    upstream.key_file = (char *)tls_file("wrong-host.key");
    CHECK_INT(configure_upstream(1), C_OK);
    expect_works();
    tls_end();
}

static int a_tenth_of_a_second(void) { return 100; }
static int two(void) { return 2; }

static int no_time(void) { return 0; }

/* A client that says nothing. */
static void expect_time_limit(int (*limit)(void)) {
    libaeHost host = {.size = sizeof(host), .tls_handshake_timeout = limit};

    begin_upstream();
    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK_INT(configure_upstream(0), C_OK);
    tls_accept_peer();
    RUN_UNTIL(server_calls);
    CHECK_TEXT(connGetLastError(server), "the peer did not end the handshake in time");
    tls_end_peer();
}

static void hosts_time_limit(void) { expect_time_limit(a_tenth_of_a_second); }

/* 0 is a limit, unlike what is below. */
static void hosts_time_limit_of_0_is_over_at_once(void) { expect_time_limit(no_time); }

/* The third handshake is one too many: it is refused, unless the oldest has had some time and gives way. */
static void hosts_limit_of_handshakes(void) {
    libaeHost host = {.size = sizeof(host), .tls_max_handshakes = two};
    connection *others[2], *loser = NULL;
    int peers[2], i;

    begin_upstream();
    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK_INT(configure_upstream(0), C_OK);
    for (i = 0; i < 2; i++) {
        peers[i] = test_connect(AF_INET, port);
        others[i] = tls_create_accepted(el, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO);
        CHECK_INT(connAccept(others[i], NULL), C_OK);
    }
    tls_accept_peer();
    if (connGetState(server) == CONN_STATE_ACCEPTING) {
        RUN_UNTIL(connGetState(others[0]) != CONN_STATE_ACCEPTING);
        loser = others[0];
    }
    CHECK_TEXT(connGetLastError(loser != NULL ? loser : server), "too many handshakes are under way");
    for (i = 0; i < 2; i++) connClose(others[i]);
    test_close_pair(peers);
    tls_end_peer();
}

static void expect_upstream_refused(const char *part) {
    CHECK_FAILS(configure_upstream(1), C_ERR, EINVAL);
    CHECK_CONTAINS(logged, part);
    logged[0] = '\0';
    expect_works();
}

static void upstreams_structure_is_refused(void) {
    libaeHost host = {.size = sizeof(host), .log = on_log};
    char *cert, *key;

    begin_upstream();
    CHECK_INT(configure_upstream(0), C_OK);
    upstream.dh_params_file = (char *)tls_file("dh.pem");
    expect_upstream_refused("tls-dh-params-file");
    host.tls_meaningless = on_meaningless;
    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK_INT(configure_upstream(1), C_OK); /* the host knows, and goes on without it */
    CHECK_INT(asked, 1);
    expect_works();
    upstream.dh_params_file = NULL;
    upstream.protocols = (char *)"TLSv1.1";
    expect_upstream_refused("tls-protocols");
    upstream.protocols = NULL;
    cert = upstream.cert_file;
    key = upstream.key_file;
    upstream.cert_file = NULL;
    expect_upstream_refused("tls-cert-file");
    upstream.key_file = NULL;
    expect_upstream_refused("No tls-cert-file configured!");
    upstream.cert_file = (char *)tls_file("client.crt");
    expect_upstream_refused("tls-key-file");
    upstream.cert_file = cert;
    upstream.key_file = key;
    upstream.ca_cert_file = NULL;
    host.tls_auth_clients = hosts_auth_clients;
    CHECK_INT(libaeSetHost(&host), AE_OK);
    auth_clients = LIBAE_TLS_AUTH_CLIENTS_YES;
    CHECK_FAILS(configure_upstream(1), C_ERR, EINVAL);
    CHECK_CONTAINS(logged, "tls-ca-cert-file");
    auth_clients = 7; /* as upstream, what is not known asks */
    CHECK_FAILS(configure_upstream(1), C_ERR, EINVAL);
    host.tls_auth_clients = NULL;
    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK_INT(configure_upstream(1), C_OK);
    tls_end();
}

/* Which cipher of two that both sides have is the client's to say, or the server's. */
static void order_of_the_ciphers_is_upstreams(void) {
    libaeTlsConfig config;
    libaeTlsContext *of_client;
    int prefers;

    begin_upstream();
    upstream.protocols = (char *)"TLSv1.2";
    upstream.ciphers = (char *)"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305";
    config = tls_config();
    config.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384";
    of_client = libaeTlsContextNew(&config, logged, sizeof(logged));
    if (of_client == NULL && errno == EOPNOTSUPP) SKIP("a library without TLS");
    CHECK(of_client != NULL);
    for (prefers = 0; prefers < 2; prefers++) {
        upstream.prefer_server_ciphers = prefers;
        CHECK_INT(configure_upstream(1), C_OK);
        tls_close_both();
        client = tls_create(el);
        CHECK_INT(libaeTlsSetContext(client, of_client), AE_OK);
        CHECK_INT(connConnect(client, "127.0.0.1", port, NULL, tls_on_connected), C_OK);
        tls_accept(LIBAE_TLS_AUTH_CLIENTS_NO);
        RUN_UNTIL(client_calls && server_calls);
        CHECK_TEXT(libaeTlsCipher(server), prefers ? "ECDHE-ECDSA-AES256-GCM-SHA384" : "ECDHE-ECDSA-CHACHA20-POLY1305");
    }
    libaeTlsContextFree(of_client);
    tls_end();
}

static void *hosts_config(void) {
    asked++;
    return &upstream;
}

static void begin_unconfigured(void) {
    libaeHost host = {.size = sizeof(host), .tls_context_config = hosts_config};

    begin_upstream();
    CHECK_INT(libaeSetHost(&host), AE_OK);
}

/* Whoever has not been configured asks, once. */
static void host_is_asked_for_the_configuration(void) {
    begin_unconfigured();
    tls_connect_pair();
    CHECK_INT(asked, 1);
    tls_end();
}

/* A client alone asks, too: it does not wait for a server to have been configured. */
static void host_is_asked_by_a_client(void) {
    begin_unconfigured();
    tls_connect("127.0.0.1");
    CHECK_INT(asked, 1);
    tls_end();
}

/* And a server that nobody has connected from here. */
static void host_is_asked_by_a_server(void) {
    begin_unconfigured();
    tls_accept_peer();
    CHECK_INT(asked, 1);
    CHECK_INT(connGetState(server), CONN_STATE_ACCEPTING);
    tls_end_peer();
}

/* And a session over a descriptor of the program's own. */
static void host_is_asked_by_a_session(void) {
    libaeTlsSession *session;

    begin_unconfigured();
    session = libaeTlsSessionNew(listening, "localhost", logged, sizeof(logged));
    if (session == NULL) FAIL("libaeTlsSessionNew: %s", logged);
    CHECK_INT(asked, 1);
    libaeTlsSessionFree(session);
    tls_end();
}

static size_t hosts_size;
static size_t size_of_the_hosts(void) { return hosts_size; }

/* Whose structure ends before the settings that are read has been compiled with another header. */
static void smaller_structure_is_refused(void) {
    libaeHost host = {.size = sizeof(host), .log = on_log, .tls_config_size = size_of_the_hosts};

    begin_upstream();
    CHECK_INT(libaeSetHost(&host), AE_OK);
    hosts_size = sizeof(upstream) - 8;
    CHECK_FAILS(configure_upstream(1), C_ERR, EINVAL);
    CHECK_CONTAINS(logged, "The server's TLS configuration has ");
    hosts_size = sizeof(upstream);
    CHECK_INT(configure_upstream(1), C_OK);
    expect_works();
    tls_end();
}

static int below_0(void) { return -1; }

/* Less than none is none, not any number. */
static void hosts_limit_below_0_lets_nobody_in(void) {
    libaeHost host = {.size = sizeof(host), .tls_max_handshakes = below_0};

    begin_upstream();
    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK_INT(configure_upstream(0), C_OK);
    tls_accept_peer();
    CHECK_INT(server_state, CONN_STATE_ERROR);
    CHECK_TEXT(connGetLastError(server), "too many handshakes are under way");
    tls_end_peer();
}

#ifdef TEST_CONN_V1

static void configured_or_not(void) {
    begin_upstream();
    tlsInit();
    CHECK_INT(isTlsConfigured(), 0);
    CHECK_INT(configure_upstream(0), C_OK);
    CHECK_INT(isTlsConfigured(), 1);
    tls_connect_pair();
    tlsCleanup();
    CHECK_INT(isTlsConfigured(), 0);
    tls_write_all(client, "hello", 5); /* what there is goes on */
    tls_read_all(server, logged, 5);
    tls_close_both();
    client = tls_create(el);
    CHECK_INT(connConnect(client, "127.0.0.1", port, NULL, NULL), C_ERR);
    CHECK_TEXT(connGetLastError(client), "TLS is not configured");
    tls_end();
}

#else

/* Only once, unless it is asked for again. */
static void configured_or_not(void) {
    begin_upstream();
    CHECK_INT(configure_upstream(0), C_OK);
    upstream.cert_file = (char *)"/nowhere";
    CHECK_INT(configure_upstream(0), C_OK);
    expect_works();
    CHECK_INT(configure_upstream(1), C_ERR);
    CHECK_FAILS(connTypeConfigure(connectionTypeTls(), NULL, 1), C_ERR, EINVAL);
    expect_works();
    connTypeCleanupAll();
    tls_write_all(client, "hello", 5); /* what there is goes on */
    tls_read_all(server, logged, 5);
    tls_close_both();
    client = tls_create(el);
    CHECK_INT(connConnect(client, "127.0.0.1", port, NULL, NULL), C_ERR);
    CHECK_TEXT(connGetLastError(client), "TLS is not configured");
    tls_end();
}

#endif

TEST_MAIN(CASE(upstreams_structure), CASE(order_of_the_ciphers_is_upstreams), CASE(upstreams_structure_is_refused),
          CASE(host_is_asked_for_the_configuration), CASE(host_is_asked_by_a_client), CASE(host_is_asked_by_a_server),
          CASE(host_is_asked_by_a_session), CASE(smaller_structure_is_refused),
          CASE(hosts_time_limit), CASE(hosts_time_limit_of_0_is_over_at_once), CASE(hosts_limit_of_handshakes),
          CASE(hosts_limit_below_0_lets_nobody_in), CASE(configured_or_not))
