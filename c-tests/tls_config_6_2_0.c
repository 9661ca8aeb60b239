/* Redis 6.2.0 and 6.2.1: their configuration of TLS has no passphrases, and the host says so by its size. */
#include "test.h"
#include "tls_test.h"

#include <sys/mman.h>

struct old_config {
    const char *cert_file, *key_file, *client_cert_file, *client_key_file, *dh_params_file, *ca_cert_file, *ca_cert_dir;
    const char *protocols, *ciphers, *ciphersuites;
    int prefer_server_ciphers, session_caching, session_cache_size, session_cache_timeout;
};

static size_t size;
static size_t hosts_size(void) { return size; }

static char warned[512];

static void on_log(int level, const char *message) {
    if (level == LIBAE_LOG_WARNING) snprintf(warned, sizeof(warned), "%s", message);
}

/* One that ends where the memory does: what is read behind it is a crash. */
static struct old_config *begin_old(void) {
    libaeHost host = {.size = sizeof(host), .tls_config_size = hosts_size, .log = on_log};
    long page = sysconf(_SC_PAGESIZE);
    char *memory = mmap(NULL, 2 * (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct old_config *config;

    CHECK(memory != MAP_FAILED);
    CHECK(mprotect(memory + page, (size_t)page, PROT_NONE) == 0);
    CHECK_INT(libaeSetHost(&host), AE_OK);
    tls_begin_with(NULL);
    config = (struct old_config *)(void *)(memory + page - sizeof(*config));
    config->cert_file = tls_file("server.crt");
    config->key_file = tls_file("server.key");
    config->client_cert_file = tls_file("client.crt");
    config->client_key_file = tls_file("client.key");
    config->ca_cert_file = tls_file("ca.crt");
    return config;
}

static void structure_without_passphrases(void) {
    struct old_config *config = begin_old();
    char *shown;

    CHECK_INT(sizeof(*config), 96);
    CHECK_INT(sizeof(redisTLSContextConfig), 112);
    size = sizeof(*config);
    CHECK_INT(tlsConfigure((void *)config), C_OK);
    if (!isTlsConfigured()) SKIP("a library without TLS");
    tls_connect("127.0.0.1");
    tls_accept(LIBAE_TLS_AUTH_CLIENTS_YES);
    RUN_UNTIL(client_calls && server_calls);
    CHECK_INT(server_state, CONN_STATE_CONNECTED);
    shown = connTLSGetPeerCert(server); /* the client has one of its own */
    CHECK(shown != NULL);
    free(shown);
    tls_end();
}

static void settings_behind_are_where_they_were(void) {
    struct old_config *config = begin_old();

    size = sizeof(*config);
    config->protocols = "TLSv1.1";
    if (tlsConfigure((void *)config) == C_OK) SKIP("a library without TLS");
    CHECK_CONTAINS(warned, "TLSv1.1");
    config->protocols = "TLSv1.2";
    config->ciphers = "NO-SUCH-CIPHER";
    CHECK_INT(tlsConfigure((void *)config), C_ERR);
    CHECK_CONTAINS(warned, "NO-SUCH-CIPHER");
    tls_end();
}

static void other_sizes_are_refused(void) {
    static const size_t sizes[] = {0, 8, 95, 97, 104, 111};
    struct old_config *config = begin_old();
    size_t i;

    for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        size = sizes[i];
        if (tlsConfigure((void *)config) == C_OK) SKIP("a library without TLS");
        CHECK_CONTAINS(warned, "bytes");
        CHECK_INT(isTlsConfigured(), 0);
    }
    tls_end();
}

TEST_MAIN(CASE(structure_without_passphrases), CASE(settings_behind_are_where_they_were), CASE(other_sizes_are_refused))
