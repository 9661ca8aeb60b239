/* What the tests of TLS share: the type under the names of every profile, certificates, and a client and a server in
 * one loop. Included after test.h. */
#ifndef LIBAE_TLS_TEST_H
#define LIBAE_TLS_TEST_H

#include "conn_test.h"

#include <ae.h>
#include <libae.h>

/* ---- Under the names of every profile ---- */

#ifdef TEST_CONN_V1

static inline connection *tls_create(aeEventLoop *el) {
    (void)el;
    return connCreateTLS();
}

static inline connection *tls_create_accepted(aeEventLoop *el, int fd, int auth) {
    (void)el;
    return connCreateAcceptedTLS(fd, auth);
}

static inline int tls_has_type(connection *conn) { return connGetType(conn) == CONN_TYPE_TLS; }
static inline char *tls_peer_cert(connection *conn) { return connTLSGetPeerCert(conn); }

static inline int tls_has_pending(aeEventLoop *el) {
    (void)el;
    return tlsHasPendingData();
}

static inline int tls_process_pending(aeEventLoop *el) {
    (void)el;
    return tlsProcessPendingData();
}

#else

static inline connection *tls_create(aeEventLoop *el) { return test_conn_create(el, connectionTypeTls()); }

static inline connection *tls_create_accepted(aeEventLoop *el, int fd, int auth) {
    return test_conn_create_accepted_with(el, connectionTypeTls(), fd, &auth);
}

static inline int tls_has_type(connection *conn) { return strcmp(test_type_name(conn), "tls") == 0; }
static inline char *tls_peer_cert(connection *conn) { return connGetPeerCert(conn); }
static inline int tls_has_pending(aeEventLoop *el) { return test_has_pending_data(el); }
static inline int tls_process_pending(aeEventLoop *el) { return test_process_pending_data(el); }

#endif

#ifdef LIBAE_ABI_REDIS_6_2
#define tls_writev(conn, parts, count) connWrite((conn), (parts)[0].iov_base, (parts)[0].iov_len) /* there is none */
#else
#define tls_writev connWritev
#endif

/* ---- Certificates ---- */

/* The path of a file that tools/testkit/certificates.py has made; it stays valid. */
static inline const char *tls_file(const char *name) {
    static char paths[64][512];
    char wanted[512];
    int i;

    snprintf(wanted, sizeof(wanted), "%s/%s", getenv("LIBAE_TEST_CERTS"), name);
    for (i = 0; i < 64; i++) {
        if (paths[i][0] == '\0') strcpy(paths[i], wanted);
        if (strcmp(paths[i], wanted) == 0) return paths[i];
    }
    FAIL("too many files");
}

/* NAME.crt and NAME.key. */
static inline void tls_identity(libaeTlsConfig *config, const char *name) {
    char file[64];

    snprintf(file, sizeof(file), "%s.crt", name);
    config->cert_file = tls_file(file);
    snprintf(file, sizeof(file), "%s.key", name);
    config->key_file = tls_file(file);
}

/* What a server and a client need who trust each other. */
static inline libaeTlsConfig tls_config(void) {
    libaeTlsConfig config = {.size = sizeof(config)};

    tls_identity(&config, "server");
    config.ca_cert_file = tls_file("ca.crt");
    config.handshake_timeout = TEST_PATIENCE_MS; /* with valgrind on a busy machine the default is not much */
    return config;
}

static inline void tls_configure(const libaeTlsConfig *config) {
    char err[256];

    if (libaeTlsConfigure(config, err, sizeof(err)) != AE_OK) FAIL("libaeTlsConfigure: %s", err);
}

/* ---- A loop, in which both ends are ---- */

static aeEventLoop *el;
static connection *client, *server;
static int listening = -1, port;

/* What the connect and the accept handler saw; -1: they have not been called. */
static int client_state = -1, server_state = -1;
static int client_calls, server_calls;

/* How often the loop went round. */
static long iterations;

static inline TIME_RESULT tls_on_hang(aeEventLoop *loop, long long id, void *data) {
    (void)loop;
    (void)id;
    (void)data;
    FAIL("what is waited for does not happen");
}

static inline void tls_begin_with(const libaeTlsConfig *config) {
    if (getenv("LIBAE_TEST_CERTS") == NULL) SKIP("no certificates (LIBAE_TEST_CERTS): is openssl installed?");
    CHECK_INT(test_conn_types(), C_OK);
    if (config != NULL) {
        char err[256];

        if (libaeTlsConfigure(config, err, sizeof(err)) != AE_OK) {
            if (errno == EOPNOTSUPP) SKIP("a library without TLS");
            FAIL("libaeTlsConfigure: %s", err);
        }
    }
    el = aeCreateEventLoop(1024);
    CHECK(el != NULL);
    CHECK(aeCreateTimeEvent(el, TEST_PATIENCE_MS, tls_on_hang, NULL, NULL) != AE_ERR);
    listening = test_listen(AF_INET, 64, &port);
}

#define TLS_BEGIN(...)                                              \
    do {                                                            \
        libaeTlsConfig config_ = {.size = 0};                       \
        if (getenv("LIBAE_TEST_CERTS") != NULL) {                   \
            libaeTlsConfig config = tls_config();                   \
            __VA_ARGS__;                                            \
            config_ = config;                                       \
        }                                                           \
        tls_begin_with(&config_);                                   \
    } while (0)

static inline void tls_close_both(void) {
    if (client != NULL) connClose(client);
    if (server != NULL) connClose(server);
    client = server = NULL;
    client_state = server_state = -1;
    client_calls = server_calls = 0;
}

static inline void tls_end(void) {
    tls_close_both();
    if (listening != -1) close(listening);
    if (el != NULL) aeDeleteEventLoop(el);
    /* The sessions that it has kept are found by no leak detector: there are only pointers into the middle of tables. */
#ifdef TEST_CONN_V1
    tlsCleanup();
#else
    connTypeCleanupAll();
#endif
}

static inline int tls_run_once(void) {
    int count = aeProcessEvents(el, AE_ALL_EVENTS | AE_CALL_BEFORE_SLEEP | AE_CALL_AFTER_SLEEP);

    iterations++;
    CHECK(count >= 0);
    return count;
}

#define RUN_UNTIL(condition) \
    do {                     \
        while (!(condition)) tls_run_once(); \
    } while (0)

/* Until nothing is to be done at once. */
static inline void tls_run_idle(void) {
    while (aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT | AE_CALL_BEFORE_SLEEP) > 0) continue;
}

static inline TIME_RESULT tls_on_time(aeEventLoop *loop, long long id, void *data) {
    (void)loop;
    (void)id;
    *(int *)data = 1;
    return AE_NOMORE;
}

/* Returns how often the loop went round in that time, beside ending it. */
static inline long tls_run_for(int milliseconds) {
    long before = iterations;
    int over = 0;

    CHECK(aeCreateTimeEvent(el, milliseconds, tls_on_time, &over, NULL) != AE_ERR);
    RUN_UNTIL(over);
    return iterations - before - 1;
}

static inline void tls_on_connected(connection *conn) {
    CHECK(conn == client);
    client_state = connGetState(conn);
    client_calls++;
}

static inline void tls_on_accepted(connection *conn) {
    CHECK(conn == server);
    server_state = connGetState(conn);
    server_calls++;
}

static inline int tls_accept_fd(void) {
    return test_accept(listening, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/* Begins the server's handshake over a descriptor. One that fails at once is told by the result alone. */
static inline void tls_accept_over(int fd, int auth) {
    server = tls_create_accepted(el, fd, auth);
    CHECK(server != NULL);
    CHECK_INT(connGetState(server), CONN_STATE_ACCEPTING);
    if (connAccept(server, tls_on_accepted) == C_ERR) {
        CHECK_INT(server_calls, 0);
        tls_on_accepted(server);
        CHECK_INT(server_state, CONN_STATE_ERROR);
    }
}

/* The next who waits becomes `server`. */
static inline void tls_accept(int auth) { tls_accept_over(tls_accept_fd(), auth); }

static inline void tls_connect(const char *host) {
    client = tls_create(el);
    CHECK(client != NULL);
    CHECK_INT(connConnect(client, host, port, NULL, tls_on_connected), C_OK);
}

/* Both ends, handshake and all. */
static inline void tls_connect_pair(void) {
    tls_connect("127.0.0.1");
    tls_accept(LIBAE_TLS_AUTH_CLIENTS_NO);
    RUN_UNTIL(client_calls && server_calls);
    if (client_state != CONN_STATE_CONNECTED) FAIL("client: %s", connGetLastError(client));
    if (server_state != CONN_STATE_CONNECTED) FAIL("server: %s", connGetLastError(server));
}

/* Data, the end or an error, when it comes; tickets are none of these. */
static inline int tls_read_some(connection *conn, void *buffer, size_t size) {
    int count;

    while ((count = connRead(conn, buffer, size)) == -1 && errno == EAGAIN) test_await(conn->fd, POLLIN);
    return count;
}

/* Runs the loop until a connection has read that much. */
static inline void tls_read_all(connection *conn, void *buffer, size_t size) {
    size_t done = 0;

    while (done < size) {
        int count = connRead(conn, (char *)buffer + done, size - done);

        if (count == 0) FAIL("the end after %zu of %zu bytes", done, size);
        if (count > 0)
            done += (size_t)count;
        else if (errno == EAGAIN)
            CHECK(aeWait(conn->fd, AE_READABLE, TEST_PATIENCE_MS) > 0);
        else
            FAIL("%s after %zu of %zu bytes", connGetLastError(conn), done, size);
    }
}

static inline void tls_write_all(connection *conn, const void *data, size_t size) {
    size_t done = 0;

    while (done < size) {
        int count = connWrite(conn, (const char *)data + done, size - done);

        if (count > 0)
            done += (size_t)count;
        else if (errno == EAGAIN)
            CHECK(aeWait(conn->fd, AE_WRITABLE, TEST_PATIENCE_MS) > 0);
        else
            FAIL("%s after %zu of %zu bytes", connGetLastError(conn), done, size);
    }
}

/* ---- A plain socket as the client ---- */

static int peer = -1;

/* `peer` is a plain socket, and `server` waits for its ClientHello. */
static inline void tls_accept_peer(void) {
    peer = test_connect(AF_INET, port);
    tls_accept(LIBAE_TLS_AUTH_CLIENTS_NO);
}

static inline void tls_end_peer(void) {
    if (peer != -1) close(peer);
    peer = -1;
    tls_end();
}

/* The first bytes that a connecting client sends; its connection is closed behind them. */
static inline int tls_take_hello(char *buffer, int most) {
    int fd = tls_accept_fd(), count;

    do {
        tls_run_once();
        count = (int)recv(fd, buffer, (size_t)most, MSG_PEEK);
    } while (count == -1);
    close(fd);
    return count;
}

/* The first bytes of a real ClientHello. */
static inline int tls_client_hello(char *buffer, int most) {
    int count;

    tls_connect("127.0.0.1");
    count = tls_take_hello(buffer, most);
    connClose(client);
    client = NULL;
    client_calls = 0;
    client_state = -1;
    return count;
}

#endif
