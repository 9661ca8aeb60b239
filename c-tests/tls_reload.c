/* From valkey-9.1 on: certificates and keys are read anew when their files have changed, and the host hears of them. */
#include "test.h"
#include "tls_test.h"

#include <pthread.h>

static redisTLSContextConfig config;
static char folder[64], cert[96], key[96], ca[96];

static char noticed[256], warned[512];

static void on_log(int level, const char *message) {
    if (level == LIBAE_LOG_NOTICE) snprintf(noticed, sizeof(noticed), "%s", message);
    if (level == LIBAE_LOG_WARNING) snprintf(warned, sizeof(warned), "%s", message);
}

/* What the host was told last. */
static long long expires[3];
static char serials[3][64];

static void on_certificate(int which, long long end, const char *serial) {
    CHECK(which >= 0 && which < 3);
    CHECK((end == 0) == (serial == NULL));
    expires[which] = end;
    snprintf(serials[which], sizeof(serials[which]), "%s", serial != NULL ? serial : "none");
}

static int asked;
static void on_reload(void) { asked++; }

static libaeHost host = {
    .size = sizeof(libaeHost), .log = on_log, .tls_certificate = on_certificate, .tls_reload = on_reload};

static void copy_file(const char *from, const char *to) {
    char buffer[65536], next[128];
    FILE *in = fopen(from, "r"), *out;
    size_t count;

    CHECK(in != NULL);
    count = fread(buffer, 1, sizeof(buffer), in);
    fclose(in);
    snprintf(next, sizeof(next), "%s.next", to);
    out = fopen(next, "w");
    CHECK(out != NULL);
    CHECK(fwrite(buffer, 1, count, out) == count);
    CHECK(fclose(out) == 0);
    CHECK(rename(next, to) == 0); /* as whoever renews certificates does: another inode */
}

static void use(const char *name) {
    char file[64];

    snprintf(file, sizeof(file), "%s.crt", name);
    copy_file(tls_file(file), cert);
    snprintf(file, sizeof(file), "%s.key", name);
    copy_file(tls_file(file), key);
}

static void begin_reload(void) {
    CHECK_INT(libaeSetHost(&host), AE_OK);
    tls_begin_with(NULL);
    test_folder(folder);
    snprintf(cert, sizeof(cert), "%s/cert", folder);
    snprintf(key, sizeof(key), "%s/key", folder);
    snprintf(ca, sizeof(ca), "%s/ca", folder);
    use("server");
    copy_file(tls_file("ca.crt"), ca);
    config = (redisTLSContextConfig){.cert_file = cert, .key_file = key, .ca_cert_file = ca, .auto_reload_interval = 1};
    if (connTypeConfigure(connectionTypeTls(), &config, 0) != C_OK) SKIP("a library without TLS");
}

static void end_reload(void) {
    tls_end();
    unlink(cert);
    unlink(key);
    unlink(ca);
    CHECK(rmdir(folder) == 0);
}

/* A new connection, whose server shows that certificate. */
static void expect_shown(const char *name) {
    char expected[4096] = "", file[64], *shown;
    FILE *in;

    tls_close_both();
    tls_connect_pair();
    shown = connGetPeerCert(client);
    CHECK(shown != NULL);
    snprintf(file, sizeof(file), "%s.crt", name);
    in = fopen(tls_file(file), "r");
    CHECK(in != NULL);
    CHECK(fread(expected, 1, sizeof(expected) - 1, in) > 0);
    fclose(in);
    CHECK(strncmp(strstr(expected, "MII"), strstr(shown, "MII"), 200) == 0);
    free(shown);
}

static void *prepare(void *data) {
    tlsConfigureAsync();
    return data;
}

static void prepare_in_another_thread(void) {
    pthread_t thread;

    CHECK_INT(pthread_create(&thread, NULL, prepare, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

static void changed_files_are_put_in_force(void) {
    begin_reload();
    expect_shown("server");
    use("wrong-host");
    prepare_in_another_thread();
    expect_shown("server");
    tlsApplyPendingReload();
    CHECK_CONTAINS(noticed, "TLS materials reloaded");
    tls_write_all(server, "abc", 3); /* those that are open go on */
    expect_shown("wrong-host");
    tlsApplyPendingReload();
    expect_shown("wrong-host");
    end_reload();
}

static void nothing_happens_without_a_change(void) {
    struct timespec other[2] = {{0, UTIME_OMIT}, {1000000000, 0}};

    begin_reload();
    prepare_in_another_thread();
    tlsApplyPendingReload();
    CHECK_TEXT(noticed, "");
    CHECK_INT(utimensat(AT_FDCWD, key, other, 0), 0); /* a key is known by its inode and time alone */
    prepare_in_another_thread();
    tlsApplyPendingReload();
    CHECK_CONTAINS(noticed, "TLS materials reloaded");
    end_reload();
}

static void broken_files_change_nothing(void) {
    begin_reload();
    copy_file(tls_file("no-cert.pem"), cert);
    prepare_in_another_thread();
    CHECK_CONTAINS(warned, cert);
    tlsApplyPendingReload();
    expect_shown("server");
    copy_file(tls_file("wrong-host.crt"), cert); /* whose key is another */
    warned[0] = '\0';
    prepare_in_another_thread();
    CHECK_CONTAINS(warned, key);
    unlink(cert);
    warned[0] = '\0';
    prepare_in_another_thread();
    CHECK_CONTAINS(warned, cert);
    tlsApplyPendingReload();
    expect_shown("server");
    CHECK_TEXT(noticed, "");
    end_reload();
}

/* CONFIG SET was faster. */
static void what_is_in_force_already_is_discarded(void) {
    begin_reload();
    use("wrong-host");
    prepare_in_another_thread();
    CHECK_INT(connTypeConfigure(connectionTypeTls(), &config, 1), C_OK);
    tlsApplyPendingReload();
    CHECK_TEXT(noticed, "");
    expect_shown("wrong-host");
    end_reload();
}

/* The structure is read when the main thread asks, so that the other one may take its time. */
static void settings_are_those_of_the_request(void) {
    begin_reload();
    use("wrong-host");
    while (asked == 0) {
        tlsReconfigureIfNeeded();
        CHECK(usleep(1000) == 0);
    }
    config.cert_file = config.key_file = (char *)"/nowhere";
    prepare_in_another_thread();
    config.cert_file = cert;
    config.key_file = key;
    CHECK_TEXT(warned, "");
    tlsApplyPendingReload();
    expect_shown("wrong-host");
    end_reload();
}

/* Nothing was asked for, unless the second since then is over. */
static void expect_asked(int expected, long long since) {
    CHECK(asked == expected || test_now_us() - since >= 1000000);
    asked = expected;
}

static void interval_is_the_configurations(void) {
    long long before = test_now_us();
    int i;

    begin_reload();
    tlsReconfigureIfNeeded(); /* just configured */
    expect_asked(0, before);
    while (asked == 0) {
        tlsReconfigureIfNeeded();
        CHECK(usleep(1000) == 0);
    }
    tlsReconfigureIfNeeded(); /* nobody has looked yet */
    CHECK_INT(asked, 2);
    config.auto_reload_interval = 0; /* never; read at each call */
    for (i = 0; i < 3; i++) tlsReconfigureIfNeeded();
    CHECK_INT(asked, 2);
    config.auto_reload_interval = 1;
    before = test_now_us();
    prepare_in_another_thread();
    tlsReconfigureIfNeeded(); /* somebody has */
    expect_asked(2, before);
    end_reload();
}

static void without_the_hook_it_is_done_at_once(void) {
    libaeHost only_logs = {.size = sizeof(only_logs), .log = on_log};

    begin_reload();
    CHECK_INT(libaeSetHost(&only_logs), AE_OK);
    use("wrong-host");
    while (noticed[0] == '\0') {
        tlsReconfigureIfNeeded();
        tlsApplyPendingReload();
        CHECK(usleep(1000) == 0);
    }
    expect_shown("wrong-host");
    end_reload();
}

static void host_hears_of_certificates(void) {
    long long end = 2524521600;

    begin_reload();
    CHECK_INT(expires[LIBAE_TLS_CERTIFICATE_SERVER], end);
    CHECK(strlen(serials[LIBAE_TLS_CERTIFICATE_SERVER]) > 2);
    CHECK_TEXT(serials[LIBAE_TLS_CERTIFICATE_CLIENT], "none");
    CHECK(expires[LIBAE_TLS_CERTIFICATE_CA] > time(NULL));
    use("user-alice"); /* whose number is 77 */
    prepare_in_another_thread();
    CHECK_INT(expires[LIBAE_TLS_CERTIFICATE_SERVER], end);
    tlsApplyPendingReload();
    CHECK_TEXT(serials[LIBAE_TLS_CERTIFICATE_SERVER], "4D");
    /* Of a CA file with several the one that ends first, also if it has ended. */
    config.client_cert_file = cert;
    config.client_key_file = key;
    config.ca_cert_file = (char *)tls_file("ends-first.crt");
    CHECK_INT(connTypeConfigure(connectionTypeTls(), &config, 1), C_OK);
    CHECK_TEXT(serials[LIBAE_TLS_CERTIFICATE_CLIENT], "4D");
    CHECK_INT(expires[LIBAE_TLS_CERTIFICATE_CA], 1580515200);
    config.ca_cert_file = NULL;
    config.ca_cert_dir = (char *)tls_file("ca-dir");
    CHECK_INT(connTypeConfigure(connectionTypeTls(), &config, 1), C_OK);
    CHECK(expires[LIBAE_TLS_CERTIFICATE_CA] > time(NULL));
    memset(serials, 0, sizeof(serials));
    tlsResetCertInfo();
    CHECK_TEXT(serials[LIBAE_TLS_CERTIFICATE_SERVER], "4D");
    connTypeCleanupAll();
    CHECK_TEXT(serials[LIBAE_TLS_CERTIFICATE_SERVER], "none");
    CHECK_TEXT(serials[LIBAE_TLS_CERTIFICATE_CA], "none");
    tlsConfigureAsync(); /* there is nothing left to look at */
    tlsApplyPendingReload();
    CHECK_INT(expires[LIBAE_TLS_CERTIFICATE_SERVER], 0);
    end_reload();
}

TEST_MAIN(CASE(changed_files_are_put_in_force), CASE(nothing_happens_without_a_change),
          CASE(broken_files_change_nothing), CASE(what_is_in_force_already_is_discarded), CASE(settings_are_those_of_the_request),
          CASE(interval_is_the_configurations), CASE(without_the_hook_it_is_done_at_once),
          CASE(host_hears_of_certificates))
