/* The user that a TLS client's certificate names: its name (redis-8.6, valkey-9.0), or the host's user (from
 * valkey-9.1 on). */
#include "test.h"
#include "tls_test.h"

static redisTLSContextConfig config;

/* The hosts' users; "off" is there and disabled, which the hook does not tell from one that is not there. */
static const char *users[8];

static void *hosts_user(const char *name, size_t len) {
    int i;

    CHECK_INT(strlen(name), (long long)len);
    for (i = 0; i < 8; i++)
        if (users[i] != NULL && strcmp(users[i], name) == 0) return &users[i];
    return NULL;
}

static void begin_users(void) {
    libaeHost host = {.size = sizeof(host), .enabled_user = hosts_user};

    CHECK_INT(libaeSetHost(&host), AE_OK);
    tls_begin_with(NULL);
    users[0] = "alice";
    users[1] = "nobody";
    users[2] = "urn:alice";
    users[3] = "urn:carol";
    config = (redisTLSContextConfig){
        .cert_file = (char *)tls_file("server.crt"),
        .key_file = (char *)tls_file("server.key"),
        .ca_cert_file = (char *)tls_file("ca.crt"),
        .client_auth_user = TLS_CLIENT_FIELD_CN,
    };
}

static void begin_pair(int auth) {
    tls_close_both();
    tls_connect("127.0.0.1");
    tls_accept(auth);
}

static void end_pair(void) {
    RUN_UNTIL(client_calls && server_calls);
    if (server_state != CONN_STATE_CONNECTED) FAIL("server: %s", connGetLastError(server));
}

/* A connected pair, whose client shows that certificate. */
static void pair_of(const char *name) {
    char file[64];

    snprintf(file, sizeof(file), "user-%s.crt", name);
    config.client_cert_file = (char *)tls_file(file);
    snprintf(file, sizeof(file), "user-%s.key", name);
    config.client_key_file = (char *)tls_file(file);
    if (connTypeConfigure(connectionTypeTls(), &config, 1) != C_OK) SKIP("a library without TLS");
    begin_pair(LIBAE_TLS_AUTH_CLIENTS_YES);
    end_pair();
}

/* What is found, and the name that is told, NULL for none. */
static void expect(connection *conn, const char *user, const char *name) {
#ifdef TEST_VALKEY_9_1
    char *untouched = (char *)"untouched", *told = untouched;
    struct user *found = connGetPeerUser(conn, &told);

    CHECK_TEXT(found != NULL ? *(const char **)found : "", user != NULL ? user : "");
    CHECK_TEXT(told, name != NULL ? name : untouched);
    if (told != untouched) free(told);
    CHECK(connGetPeerUser(conn, NULL) == found);
#else
    char *found = connGetPeerUsername(conn);

    (void)name;
    CHECK_TEXT(found != NULL ? found : "", user != NULL ? user : "");
    free(found);
#endif
}

static void common_name_names_the_user(void) {
    begin_users();
    pair_of("alice");
    expect(server, "alice", "alice");
    tls_end();
}

static void first_common_name_counts(void) {
    begin_users();
    pair_of("two");
    expect(server, "nobody", "nobody");
    tls_end();
}

static void no_common_name_is_nobody(void) {
    begin_users();
    pair_of("none");
    expect(server, NULL, NULL);
    tls_end();
}

/* Cut at the NUL it would be alice. */
static void name_with_a_nul_is_nobodys(void) {
    begin_users();
    pair_of("nul");
    expect(server, NULL, "alice\\x00evil");
    tls_end();
}

/* CONFIG SET changes it under the pointer, without configuring again. */
static void setting_is_read_at_each_call(void) {
    begin_users();
    pair_of("alice");
    config.client_auth_user = TLS_CLIENT_FIELD_OFF;
    expect(server, NULL, NULL);
    config.client_auth_user = 77;
    expect(server, NULL, NULL);
    config.client_auth_user = TLS_CLIENT_FIELD_CN;
    expect(server, "alice", "alice");
    CHECK_INT(connTypeConfigure(connectionTypeTls(), &config, 0), C_OK); /* nothing to do */
    expect(server, "alice", "alice");
    connTypeCleanupAll(); /* the structure may be gone from now on */
    expect(server, NULL, NULL);
    tls_end();
}

static void nobody_without_a_certificate(void) {
    begin_users();
    pair_of("alice");
    begin_pair(LIBAE_TLS_AUTH_CLIENTS_NO);
    expect(server, NULL, NULL); /* in the middle of the handshake */
    end_pair();
    expect(server, NULL, NULL);
    begin_pair(LIBAE_TLS_AUTH_CLIENTS_OPTIONAL);
    expect(server, NULL, NULL);
    end_pair();
    expect(server, "alice", "alice");
    tls_end();
}

static void only_tls_has_users(void) {
    connection *tcp;

    begin_users();
    pair_of("alice");
    tcp = test_conn_create(el, connectionTypeTcp());
    expect(tcp, NULL, NULL);
#ifdef TEST_VALKEY_9_1
    CHECK_NULL(connectionTypeTcp()->get_peer_user);
    CHECK_NULL(connectionTypeUnix()->get_peer_user);
    CHECK_NULL(connectionTypeTls()->get_peer_user(NULL, NULL));
#else
    CHECK_NULL(connectionTypeTcp()->get_peer_username);
    CHECK_NULL(connectionTypeUnix()->get_peer_username);
    CHECK_NULL(connectionTypeTls()->get_peer_username(NULL));
#endif
    connClose(tcp);
    tls_end();
}

#ifdef TEST_VALKEY_9_1

static void first_uri_of_a_user_counts(void) {
    begin_users();
    config.client_auth_user = TLS_CLIENT_FIELD_URI;
    pair_of("uris");
    expect(server, "urn:alice", "urn:alice");
    users[2] = NULL;
    expect(server, "urn:carol", "urn:carol");
    users[3] = NULL;
    expect(server, NULL, "urn:carol"); /* the last one that was looked for */
    pair_of("alice"); /* the common name is not looked at */
    expect(server, NULL, NULL);
    tls_end();
}

static void uri_with_a_nul_does_not_count(void) {
    begin_users();
    config.client_auth_user = TLS_CLIENT_FIELD_URI;
    pair_of("nul-uri");
    expect(server, NULL, "urn:unknown");
    tls_end();
}

#define CASES_OF_9_1 , CASE(first_uri_of_a_user_counts), CASE(uri_with_a_nul_does_not_count)
#else
#define CASES_OF_9_1
#endif

TEST_MAIN(CASE(common_name_names_the_user), CASE(first_common_name_counts), CASE(no_common_name_is_nobody),
          CASE(name_with_a_nul_is_nobodys), CASE(setting_is_read_at_each_call), CASE(nobody_without_a_certificate),
          CASE(only_tls_has_users) CASES_OF_9_1)
