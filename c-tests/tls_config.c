/* TLS: the configuration. What cannot be used is refused by name, and what there was stays in force. */
#include "test.h"
#include "tls_test.h"

static char err[512];

static libaeTlsConfig config;

static void begin(void) {
    TLS_BEGIN();
    config = tls_config();
}

static void expect_works(void) {
    tls_close_both();
    tls_connect_pair();
}

/* `config` is refused with that text; another one, that was in force before, still is. */
static void expect_refused(const char *part) {
    memset(err, '\1', sizeof(err) - 1);
    CHECK_FAILS(libaeTlsConfigure(&config, err, sizeof(err)), AE_ERR, EINVAL);
    CHECK_CONTAINS(err, part);
    if (strchr(err, '\1') != NULL) FAIL("no NUL behind \"%.60s\"", err);
    config = tls_config();
    expect_works();
}

static void expect_taken(void) {
    tls_configure(&config);
    expect_works();
    config = tls_config();
}

static char logged[512];
static int logged_count;

static void on_log(int level, const char *message) {
    CHECK_INT(level, LIBAE_LOG_WARNING);
    snprintf(logged, sizeof(logged), "%s", message);
    logged_count++;
}

/* ---- Refused ---- */

static void protocols_that_there_are_not(void) {
    static const char *const lists[] = {"TLSv1", "TLSv1.1", "TLSv1.2 TLSv1.1", "SSLv3", "TLSv1.4", "1.3", " "};
    size_t i;

    begin();
    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        config.protocols = lists[i];
        expect_refused("tls-protocols");
        if (lists[i][0] != ' ') CHECK(strstr(err, "TLSv1") != NULL || strstr(err, lists[i]) != NULL);
    }
    tls_end();
}

static void ciphers_that_there_are_not(void) {
    begin();
    config.ciphers = "AES128-SHA256";
    expect_refused("tls-ciphers: AES128-SHA256");
    config.ciphers = "NONSENSE";
    expect_refused("tls-ciphers: NONSENSE");
    config.ciphers = "DEFAULT:!ALL";
    expect_refused("tls-ciphers");
    config.ciphersuites = "TLS_AES_128_CCM_SHA256";
    expect_refused("tls-ciphersuites: TLS_AES_128_CCM_SHA256");
    config.ciphersuites = "ECDHE-RSA-AES128-GCM-SHA256";
    expect_refused("tls-ciphersuites: ECDHE-RSA");
    config.ciphersuites = ":";
    expect_refused("tls-ciphersuites");
    tls_end();
}

/* As Mozilla recommends, and others: it goes on with what there is, and says once what there is not. */
static void ciphers_beside_some_that_there_are_not(void) {
    libaeHost host = {.size = sizeof(host), .log = on_log};

    begin();
    CHECK_INT(libaeSetHost(&host), AE_OK);
    config.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
                     "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
                     "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305";
    expect_taken();
    CHECK_INT(logged_count, 1);
    CHECK_TEXT(logged, "tls-ciphers: DHE-RSA-AES128-GCM-SHA256, DHE-RSA-AES256-GCM-SHA384, DHE-RSA-CHACHA20-POLY1305: "
                       "not supported, left out");
    config.ciphersuites = "TLS_AES_128_CCM_SHA256:TLS_AES_128_GCM_SHA256";
    expect_taken();
    CHECK_INT(logged_count, 2);
    CHECK_TEXT(logged, "tls-ciphersuites: TLS_AES_128_CCM_SHA256: not supported, left out");
    config.ciphers = "HIGH:!aNULL:!MD5:!RC4";
    expect_taken();
    CHECK_INT(logged_count, 2);
    tls_end();
}

/* Which takes out a key exchange that is not there, and hashes that no suite here protects records with. */
static void ciphers_without_rsa_for_an_rsa_certificate(void) {
    begin();
    tls_identity(&config, "rsa");
    config.ca_cert_file = tls_file("all-ca.crt");
    config.protocols = "TLSv1.2";
    config.ciphers = "HIGH:!RSA:!SHA:!SHA256:!SHA384";
    expect_taken();
    tls_end();
}

static void files_that_there_are_not(void) {
    begin();
    config.cert_file = "/nowhere/server.crt";
    expect_refused("tls-cert-file: /nowhere/server.crt: No such file");
    config.key_file = "/nowhere/server.key";
    expect_refused("tls-key-file: /nowhere/server.key: No such file");
    config.ca_cert_file = "/nowhere/ca.crt";
    expect_refused("tls-ca-cert-file: /nowhere/ca.crt: No such file");
    config.ca_cert_dir = "/nowhere/";
    expect_refused("tls-ca-cert-dir: /nowhere/: No such file");
    config.client_cert_file = "/nowhere/client.crt";
    config.client_key_file = tls_file("client.key");
    expect_refused("tls-client-cert-file: /nowhere/client.crt: No such file");
    config.client_cert_file = tls_file("client.crt");
    config.client_key_file = "/nowhere/client.key";
    expect_refused("tls-client-key-file: /nowhere/client.key: No such file");
    tls_end();
}

static void files_that_are_something_else(void) {
    begin();
    config.cert_file = tls_file("no-cert.pem");
    expect_refused("tls-cert-file: ");
    CHECK_CONTAINS(err, "no-cert.pem");
    config.cert_file = tls_file("server.key");
    expect_refused("tls-cert-file: ");
    config.key_file = tls_file("no-cert.pem");
    expect_refused("tls-key-file: ");
    CHECK_CONTAINS(err, "no-cert.pem");
    config.key_file = tls_file("server.crt");
    expect_refused("tls-key-file: ");
    config.ca_cert_file = tls_file("no-cert.pem");
    expect_refused("tls-ca-cert-file: ");
    config.ca_cert_file = NULL;
    config.ca_cert_dir = tls_file("empty-dir");
    expect_refused("tls-ca-cert-dir: ");
    config.ca_cert_dir = tls_file("ca.crt");
    expect_refused("tls-ca-cert-dir: ");
    config.cert_file = getenv("LIBAE_TEST_CERTS");
    expect_refused("tls-cert-file: ");
    tls_end();
}

static void keys_that_do_not_fit(void) {
    begin();
    config.key_file = tls_file("client.key");
    expect_refused("tls-key-file: ");
    CHECK_CONTAINS(err, "is not the key of");
    config.key_file = tls_file("rsa.key");
    expect_refused("tls-key-file: ");
    config.client_cert_file = tls_file("client.crt");
    config.client_key_file = tls_file("server.key");
    expect_refused("tls-client-key-file: ");
    tls_end();
}

static void keys_that_are_locked(void) {
    begin();
    config.key_file = tls_file("encrypted.key");
    expect_refused("tls-key-file-pass");
    config.key_file = tls_file("encrypted.key");
    config.key_file_pass = "wrong";
    expect_refused("tls-key-file-pass");
    config.key_file = tls_file("encrypted.key");
    config.key_file_pass = "";
    expect_refused("tls-key-file-pass");
    config.client_cert_file = tls_file("server.crt");
    config.client_key_file = tls_file("encrypted.key");
    config.key_file_pass = "secret"; /* the other one's */
    expect_refused("tls-client-key-file-pass");
    config.key_file = tls_file("old-encrypted.key");
    config.key_file_pass = "secret";
    expect_refused("tls-key-file: ");
    CHECK_CONTAINS(err, "openssl pkcs8 -topk8");
    tls_end();
}

/* The passphrase is not blamed for what it cannot help. */
static void keys_that_are_locked_in_ways_of_old(void) {
    static const char *const names[] = {"pbe-encrypted.key", "pbes1-encrypted.key"};
    int i;

    begin();
    for (i = 0; i < 2; i++) {
        config.key_file = tls_file(names[i]);
        config.key_file_pass = "secret";
        expect_refused("not supported");
        CHECK_CONTAINS(err, names[i]);
        CHECK_CONTAINS(err, "openssl pkcs8 -topk8");
        CHECK(strstr(err, "pass") == NULL);
    }
    CHECK_CONTAINS(err, "PBES1");
    tls_end();
}

static void one_without_the_other(void) {
    begin();
    config.key_file = NULL;
    expect_refused("tls-key-file");
    config.cert_file = NULL;
    expect_refused("tls-cert-file");
    config.client_cert_file = tls_file("client.crt");
    expect_refused("tls-client-key-file");
    config.client_key_file = tls_file("client.key");
    expect_refused("tls-client-cert-file");
    config.ca_cert_file = NULL;
    config.auth_clients = LIBAE_TLS_AUTH_CLIENTS_YES;
    expect_refused("tls-ca-cert-file");
    config.ca_cert_file = NULL;
    config.auth_clients = LIBAE_TLS_AUTH_CLIENTS_OPTIONAL;
    expect_refused("tls-auth-clients");
    tls_end();
}

static void numbers_that_mean_nothing(void) {
    begin();
    config.auth_clients = 3;
    expect_refused("auth_clients: 3");
    config.auth_clients = -1;
    expect_refused("auth_clients: -1");
    config.session_cache_size = -1;
    expect_refused("session_cache_size: -1");
    config.session_cache_timeout = INT_MIN;
    expect_refused("session_cache_timeout");
    config.max_handshakes = -5;
    expect_refused("max_handshakes: -5");
    config.server_name = "not a name";
    expect_refused("server_name");
    config.cert_file = "\xff\xfe";
    expect_refused("tls-cert-file");
    config.size = 0;
    expect_refused("size");
    config.size = sizeof(void *);
    expect_refused("size");
    tls_end();
}

/* The limits of handshakes belong to the settings that they came with. */
static void limits_of_what_is_refused_do_not_count(void) {
    begin();
    config.handshake_timeout = 1;
    config.protocols = "TLSv1.1";
    expect_refused("tls-protocols");
    tls_close_both();
    tls_accept_peer();
    tls_run_for(50);
    CHECK_INT(server_calls, 0);
    tls_end_peer();
}

static void text_fits_where_it_goes(void) {
    begin();
    config.protocols = "TLSv1.1";
    memset(err, '#', sizeof(err));
    CHECK_FAILS(libaeTlsConfigure(&config, err, 10), AE_ERR, EINVAL);
    CHECK_TEXT(err, "tls-proto");
    CHECK_INT(err[10], '#');
    CHECK_FAILS(libaeTlsConfigure(&config, err, 1), AE_ERR, EINVAL);
    CHECK_TEXT(err, "");
    memset(err, '#', sizeof(err));
    CHECK_FAILS(libaeTlsConfigure(&config, err, 0), AE_ERR, EINVAL);
    CHECK_INT(err[0], '#');
    CHECK_FAILS(libaeTlsConfigure(&config, NULL, 100), AE_ERR, EINVAL);
    CHECK_FAILS(libaeTlsConfigure(NULL, err, sizeof(err)), AE_ERR, EINVAL);
    tls_end();
}

/* ---- Taken ---- */

static void keys_of_every_kind(void) {
    begin();
    config.key_file = tls_file("sec1.key");
    expect_taken();
    config.key_file = tls_file("encrypted.key");
    config.key_file_pass = "secret";
    expect_taken();
    config.key_file = tls_file("sha1-encrypted.key");
    config.key_file_pass = "secret";
    expect_taken();
    config.key_file_pass = "not needed";
    expect_taken();
    tls_identity(&config, "rsa");
    config.ca_cert_file = tls_file("rsa-ca.crt");
    expect_taken();
    tls_identity(&config, "rsa");
    config.key_file = tls_file("pkcs1.key");
    config.ca_cert_file = tls_file("all-ca.crt");
    expect_taken();
    tls_end();
}

/* As OpenSSL, which opens such a file only when it looks for that certificate. */
static void folder_of_cas_with_other_files(void) {
    libaeHost host = {.size = sizeof(host), .log = on_log};

    begin();
    CHECK_INT(libaeSetHost(&host), AE_OK);
    config.ca_cert_file = NULL;
    config.ca_cert_dir = tls_file("ca-dir");
    expect_taken();
    CHECK_INT(logged_count, 4);
    CHECK_CONTAINS(logged, "tls-ca-cert-dir: ");
    CHECK_CONTAINS(logged, "ca-dir/00000000.");
    CHECK_CONTAINS(logged, ": left out");
    config.auth_clients = LIBAE_TLS_AUTH_CLIENTS_OPTIONAL; /* the folder does for clients' certificates, too */
    config.ca_cert_file = NULL;
    config.ca_cert_dir = tls_file("ca-dir");
    expect_taken();
    logged_count = 4;
    config.ca_cert_file = tls_file("ca.crt");
    config.ca_cert_dir = tls_file("empty-dir"); /* nothing in it, but there is the file */
    expect_taken();
    CHECK_INT(logged_count, 8);
    tls_end();
}

static void empty_texts_are_none(void) {
    begin();
    config.client_cert_file = config.client_key_file = config.ca_cert_dir = "";
    config.protocols = config.ciphers = config.ciphersuites = config.server_name = "";
    expect_taken();
    tls_end();
}

static void lists_of_every_kind(void) {
    libaeHost host = {.size = sizeof(host), .log = on_log};

    begin();
    CHECK_INT(libaeSetHost(&host), AE_OK);
    config.protocols = "tlsv1.3 TLSV1.2";
    config.ciphers = "HIGH:!aNULL:!MD5";
    config.ciphersuites = "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";
    config.prefer_server_ciphers = 1;
    expect_taken();
    config.protocols = "TLSv1.3";
    config.ciphersuites = "TLS_CHACHA20_POLY1305_SHA256,TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384";
    expect_taken();
    CHECK_INT(logged_count, 0); /* all of them are there */
    config.protocols = "TLSv1.2";
    config.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305";
    expect_taken();
    config.ca_cert_file = NULL;
    config.ca_cert_dir = tls_file("ca-dir");
    expect_taken();
    tls_end();
}

/* A program built with other headers: with fewer members, and with more. */
static void structure_of_another_size(void) {
    struct {
        libaeTlsConfig known;
        void *more[4];
    } larger;

    begin();
    config.ca_cert_file = tls_file("ca.crt");
    config.protocols = "SSLv3"; /* not looked at */
    config.size = offsetof(libaeTlsConfig, protocols);
    expect_taken();
    memset(&larger, 0, sizeof(larger));
    larger.known = config;
    larger.known.size = sizeof(larger);
    CHECK_INT(libaeTlsConfigure(&larger.known, err, sizeof(err)), AE_OK);
    expect_works();
    /* The smallest one that there can be has the server's certificate and key alone. */
    larger.known.size = offsetof(libaeTlsConfig, key_file_pass);
    CHECK_INT(libaeTlsConfigure(&larger.known, err, sizeof(err)), AE_OK);
    larger.known.size--;
    CHECK_FAILS(libaeTlsConfigure(&larger.known, err, sizeof(err)), AE_ERR, EINVAL);
    CHECK_CONTAINS(err, "size: ");
    tls_end();
}

static void texts_are_copied(void) {
    char *cert, *key, *ca;

    begin();
    cert = strdup(config.cert_file);
    key = strdup(config.key_file);
    ca = strdup(config.ca_cert_file);
    config.cert_file = cert;
    config.key_file = key;
    config.ca_cert_file = ca;
    CHECK_KEEPS_ERRNO(libaeTlsConfigure(&config, err, sizeof(err)), AE_OK);
    free(cert);
    free(key);
    free(ca);
    expect_works();
    tls_end();
}

TEST_MAIN(CASE(protocols_that_there_are_not), CASE(ciphers_that_there_are_not),
          CASE(ciphers_beside_some_that_there_are_not), CASE(ciphers_without_rsa_for_an_rsa_certificate),
          CASE(files_that_there_are_not), CASE(files_that_are_something_else), CASE(keys_that_do_not_fit),
          CASE(keys_that_are_locked), CASE(keys_that_are_locked_in_ways_of_old), CASE(one_without_the_other),
          CASE(numbers_that_mean_nothing), CASE(limits_of_what_is_refused_do_not_count),
          CASE(text_fits_where_it_goes), CASE(keys_of_every_kind), CASE(folder_of_cas_with_other_files),
          CASE(empty_texts_are_none), CASE(lists_of_every_kind), CASE(structure_of_another_size),
          CASE(texts_are_copied))
