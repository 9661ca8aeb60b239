/* The C library's own malloc fails, at every allocation in turn: an error code, never a crash, and nothing is left
 * behind. (host_allocator.c does the same for the host's allocator.) */
#include "test.h"
#include "tls_test.h"

#include <ae.h>
#include <anet.h>
#include <libae.h>

/* glibc's names for what is replaced here. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *ptr, size_t size);

/* How many allocations still succeed; below 0: all. */
static int left = -1;
static int failures;

static inline int refuse(void) {
    if (left < 0) return 0;
    if (left > 0) return left--, 0;
    failures++;
    errno = ENOMEM;
    return 1;
}

#if !defined(__SANITIZE_ADDRESS__) /* whose runtime has a malloc of its own */
void *malloc(size_t size) { return refuse() ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return refuse() ? NULL : __libc_calloc(count, size); }
void *realloc(void *ptr, size_t size) { return refuse() ? NULL : __libc_realloc(ptr, size); }
#endif

enum { TRIES = 60 };

/* Runs `body` with the first allocation failing, then the second, until none is asked for. */
#define EVERY_ALLOCATION(body)                                    \
    do {                                                          \
        int allowed = 0;                                          \
        if (test_slow_tool()) SKIP("malloc is the tool's"); \
        for (;; allowed++) {                                      \
            CHECK(allowed < TRIES);                               \
            failures = 0;                                         \
            left = allowed;                                       \
            body;                                                 \
            left = -1;                                            \
            if (failures == 0) break;                             \
        }                                                         \
    } while (0)

static char err[ANET_ERR_LEN];

static TIME_RESULT never(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    return AE_NOMORE;
}

static void use_loop(const char *backend) {
    aeEventLoop *el = aeCreateEventLoopWithBackend(64, backend);
    long long id;
    int pair[2];

    if (el == NULL) {
        CHECK_INT(errno, ENOMEM);
        return;
    }
    id = aeCreateTimeEvent(el, 1000, never, NULL, NULL);
    if (id == AE_ERR) CHECK_INT(errno, ENOMEM);
    CHECK(pipe(pair) == 0);
    if (aeCreateFileEvent(el, pair[0], AE_READABLE, (aeFileProc *)(void (*)(void))never, NULL) == AE_ERR)
        CHECK_INT(errno, ENOMEM);
    if (aeResizeSetSize(el, 128) == AE_ERR) CHECK_INT(errno, ENOMEM);
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT), 0);
    aeDeleteEventLoop(el);
    test_close_pair(pair);
}

static void loops_fail_cleanly(void) {
    EVERY_ALLOCATION(use_loop(test_poller()));
    EVERY_ALLOCATION(use_loop("poll"));
    EVERY_ALLOCATION(use_loop("select"));
}

static void a_move_that_fails_leaves_the_event_as_it_was(void) {
    aeEventLoop *el = aeCreateEventLoop(64);
    long long id;
    int i, failed = 0;

    if (test_slow_tool()) SKIP("malloc is the tool's");
    CHECK(el != NULL);
    id = aeCreateTimeEvent(el, 3600000, never, NULL, NULL);
    CHECK(id != AE_ERR);
    CHECK_INT(aeResetTimeEvent(el, id, 1800000), AE_OK);
    left = 0;
    for (i = 0; i < 200; i++) failed += aeResetTimeEvent(el, id, 0) == AE_ERR && errno == ENOMEM;
    left = -1;
    CHECK(failed > 100);
    CHECK_INT(aeResetTimeEvent(el, id, 1800000), AE_OK);
    CHECK_INT(aeProcessEvents(el, AE_TIME_EVENTS | AE_DONT_WAIT), 0);
    CHECK_INT(aeResetTimeEvent(el, id, 0), AE_OK);
    CHECK_INT(aeProcessEvents(el, AE_TIME_EVENTS | AE_DONT_WAIT), 1);
    CHECK_INT(aeProcessEvents(el, AE_TIME_EVENTS | AE_DONT_WAIT), 0);
    aeDeleteEventLoop(el);
}

/* The resolver is the C library's: what it says without memory is its own. */
static void use_anet(void) {
    char text[64];
    int fd, port = 0;
    int server = anetTcpServer(err, 0, "127.0.0.1", 5);

    if (server != ANET_ERR) {
        CHECK_INT(anetFdToString(server, text, sizeof(text), &port, OWN_END), 0);
        CHECK_TEXT(text, "127.0.0.1");
        fd = anetTcpNonBlockConnect(err, "127.0.0.1", port);
        if (fd != ANET_ERR) close(fd);
        CHECK(anetFormatSock(server, text, sizeof(text)) > 0);
        close(server);
    }
    anetResolve(err, "127.0.0.1", text, sizeof(text), ANET_IP_ONLY);
    CHECK_INT(anetNonBlock(err, -1), ANET_ERR);
    CHECK_INT(errno, EBADF);
    CHECK_TEXT(err, "fcntl(F_GETFL): Bad file descriptor");
}

static void sockets_fail_cleanly(void) { EVERY_ALLOCATION(use_anet()); }

#ifdef TEST_CONN_V1

static void use_listener(aeEventLoop *el) { CHECK(el != NULL); /* there are none */ }

#else

static void use_listener(aeEventLoop *el) {
    char *addresses[] = {"127.0.0.1"}, ip[64];
    connListener listener = {.bindaddr = addresses, .bindaddr_count = 1, .ct = TCP_TYPE};
    int port, client;

    if (connListen(&listener) != C_OK) return;
    CHECK_INT(anetFdToString(listener.fd[0], ip, sizeof(ip), &port, OWN_END), 0);
    CHECK_INT(aeCreateFileEvent(el, listener.fd[0], AE_READABLE, connAcceptHandler(listener.ct), NULL), AE_OK);
    client = anetTcpNonBlockConnect(NULL, ip, port);
    aeProcessEvents(el, AE_FILE_EVENTS | AE_DONT_WAIT);
    aeDeleteFileEvent(el, listener.fd[0], AE_READABLE);
    if (client != ANET_ERR) close(client);
    close(listener.fd[0]);
}

#endif

static void use_connections(aeEventLoop *el) {
    char text[64];
    connection *conn = test_conn_create(el, TCP_TYPE);

    if (conn == NULL) {
        CHECK_INT(errno, ENOMEM);
        return;
    }
    connConnect(conn, "127.0.0.1", 1, NULL, NULL);
    CHECK(connGetInfo(conn, text, sizeof(text)) == text);
    CHECK(connGetLastError(conn) != NULL);
    connClose(conn);
    use_listener(el);
}

/* What the library's own memory is asked for; rustls, as all Rust, aborts without. */
static void use_tls(void) {
    connection *conn = tls_create(el);

    if (conn == NULL)
        CHECK_INT(errno, ENOMEM);
    else
        connClose(conn);
}

static void tls_fails_cleanly(void) {
    CHECK_INT(test_conn_types(), C_OK);
    if (libaeTlsConfigure(&(libaeTlsConfig){.size = sizeof(libaeTlsConfig)}, NULL, 0) == AE_ERR && errno == EOPNOTSUPP)
        SKIP("a library without TLS");
    el = aeCreateEventLoop(64);
    CHECK(el != NULL);
    EVERY_ALLOCATION(use_tls());
    aeDeleteEventLoop(el);
}

static void on_accepted(connection *conn, int flags, char *ip) {
    CHECK_INT(flags, 0);
    CHECK_TEXT(ip, "127.0.0.1");
    connClose(conn);
}

static void connections_fail_cleanly(void) {
    libaeHost host = {.size = sizeof(host), .accepted = on_accepted};
    aeEventLoop *el = aeCreateEventLoop(64);

    CHECK(el != NULL);
    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK_INT(test_conn_types(), C_OK);
    EVERY_ALLOCATION(use_connections(el));
    aeDeleteEventLoop(el);
    CHECK_INT(libaeSetHost(NULL), AE_OK);
}

TEST_MAIN(CASE(loops_fail_cleanly), CASE(a_move_that_fails_leaves_the_event_as_it_was),
          CASE(sockets_fail_cleanly), CASE(connections_fail_cleanly), CASE(tls_fails_cleanly))
