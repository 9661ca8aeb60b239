/* Nonsense for every exported function: NULL, negative and huge numbers. None may crash; each answers with the
 * error that its documentation names. Upstream trusts its callers: all of this departs from it. */
#include "test.h"
#include "exports_test.h"
#include "tls_test.h"

#include <ae.h>
#include <anet.h>
#include <libae.h>

static char err[ANET_ERR_LEN];
static char text[128];

#define FAILS(function, arguments, failure, number)          \
    do {                                                     \
        note_call(#function);                                \
        CHECK_FAILS(function arguments, (failure), (number)); \
    } while (0)

#define FAILS_NULL(function, arguments, number)              \
    do {                                                     \
        note_call(#function);                                \
        CHECK_FAILS_NULL(function arguments, (number));      \
    } while (0)

#define GIVES(function, arguments, expected)           \
    do {                                               \
        note_call(#function);                          \
        CHECK_INT(function arguments, (expected));     \
    } while (0)

/* Without a result to tell of an error, errno is left alone. */
#define IGNORES(function, arguments) \
    do {                             \
        note_call(#function);        \
        errno = 4242;                \
        function arguments;          \
        CHECK_INT(errno, 4242);      \
    } while (0)

/* Whether the library has been built with TLS. */
static int has_tls(void) {
    libaeTlsConfig config = {.size = 0};

    CHECK_INT(libaeTlsConfigure(&config, NULL, 0), AE_ERR);
    return errno == EINVAL;
}

static void on_file(aeEventLoop *el, int fd, void *data, int mask) {
    (void)el;
    (void)fd;
    (void)data;
    (void)mask;
    FAIL("a handler was called");
}

static TIME_RESULT on_time(aeEventLoop *el, long long id, void *data) {
    (void)el;
    (void)id;
    (void)data;
    FAIL("a handler was called");
}

static void on_connection(connection *conn) {
    (void)conn;
    FAIL("a handler was called");
}

static void on_post(aeEventLoop *el, void *data) {
    (void)el;
    (void)data;
    FAIL("a handler was called");
}

static int on_period(aeEventLoop *el, long long id, void *data) {
    (void)el;
    (void)id;
    (void)data;
    FAIL("a handler was called");
}

static void on_signal(aeEventLoop *el, int signum, void *data) {
    (void)el;
    (void)signum;
    (void)data;
    FAIL("a handler was called");
}

static void on_resolved(aeEventLoop *el, const libaeResolved *resolved, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(resolved);
    AE_NOTUSED(data);
}

static void on_connected(aeEventLoop *el, int fd, int error, const char *text, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(fd);
    AE_NOTUSED(error);
    AE_NOTUSED(text);
    AE_NOTUSED(data);
}

static void on_child(aeEventLoop *el, pid_t pid, int status, void *data) {
    (void)el;
    (void)pid;
    (void)status;
    (void)data;
    FAIL("a handler was called");
}

/* ---- ae.h ---- */

static void nonsense_for_ae(void) {
    aeEventLoop *el = aeCreateEventLoop(64);

    CHECK(el != NULL);
    FAILS_NULL(aeCreateEventLoop, (0), EINVAL);
    FAILS_NULL(aeCreateEventLoop, (-1), EINVAL);
    FAILS_NULL(aeCreateEventLoop, (INT_MIN), EINVAL);
    FAILS_NULL(aeCreateEventLoopWithBackend, (INT_MIN, NULL), EINVAL);
    FAILS_NULL(aeCreateEventLoopWithBackend, (64, "\xff\xfe"), EINVAL);
    IGNORES(aeDeleteEventLoop, (NULL));
    IGNORES(aeStop, (NULL));
    FAILS(aeCreateFileEvent, (NULL, 0, AE_READABLE, on_file, NULL), AE_ERR, EINVAL);
    FAILS(aeCreateFileEvent, (NULL, INT_MIN, INT_MIN, NULL, NULL), AE_ERR, EINVAL);
    FAILS(aeCreateFileEvent, (el, 0, AE_READABLE, NULL, NULL), AE_ERR, EINVAL);
    FAILS(aeCreateFileEvent, (el, INT_MIN, AE_READABLE, on_file, NULL), AE_ERR, EBADF);
    FAILS(aeCreateFileEvent, (el, INT_MAX, AE_READABLE, on_file, NULL), AE_ERR, ERANGE);
    FAILS(aeCreateFileEvent, (el, 0, INT_MIN, on_file, NULL), AE_ERR, EINVAL);
    FAILS(aeCreateFileEvent, (el, 0, INT_MAX, on_file, NULL), AE_ERR, EINVAL);
    IGNORES(aeDeleteFileEvent, (NULL, 0, AE_READABLE));
    IGNORES(aeDeleteFileEvent, (el, INT_MIN, INT_MAX));
    IGNORES(aeDeleteFileEvent, (el, INT_MAX, INT_MIN));
    IGNORES(aeDeleteFileEvent, (el, 0, -1));
    GIVES(aeGetFileEvents, (NULL, 0), AE_NONE);
    GIVES(aeGetFileEvents, (el, INT_MIN), AE_NONE);
    GIVES(aeGetFileEvents, (el, INT_MAX), AE_NONE);
    GIVES(aeGetFileClientData, (NULL, 0) == NULL, 1);
    GIVES(aeGetFileClientData, (el, INT_MIN) == NULL, 1);
    GIVES(aeGetFileClientData, (el, INT_MAX) == NULL, 1);
    FAILS(aeCreateTimeEvent, (NULL, 0, on_time, NULL, NULL), AE_ERR, EINVAL);
    FAILS(aeCreateTimeEvent, (el, LLONG_MIN, NULL, NULL, NULL), AE_ERR, EINVAL);
    FAILS(aeDeleteTimeEvent, (NULL, 0), AE_ERR, EINVAL);
    FAILS(aeDeleteTimeEvent, (el, LLONG_MIN), AE_ERR, ENOENT);
    FAILS(aeProcessEvents, (NULL, AE_ALL_EVENTS), AE_ERR, EINVAL);
    FAILS(aeProcessEvents, (NULL, -1), AE_ERR, EINVAL);
    GIVES(aeProcessEvents, (el, ~AE_ALL_EVENTS), 0);
    GIVES(aeProcessEvents, (el, INT_MIN), 0);
    GIVES(aeProcessEvents, (el, -1), 0); /* everything, without waiting */
    FAILS(aeWait, (-1, AE_READABLE, 0), AE_ERR, EBADF);
    FAILS(aeWait, (INT_MIN, AE_READABLE, -1), AE_ERR, EBADF);
    FAILS(aeWait, (INT_MAX, AE_WRITABLE, LLONG_MAX), AE_ERR, EBADF);
    IGNORES(aeMain, (NULL));
    GIVES(aeGetApiName, () != NULL, 1);
    FAILS_NULL(aeGetLoopApiName, (NULL), EINVAL);
    FAILS(aeWakeup, (NULL), AE_ERR, EINVAL);
    FAILS(aePost, (NULL, on_post, NULL, NULL), AE_ERR, EINVAL);
    FAILS(aePost, (el, NULL, NULL, on_post), AE_ERR, EINVAL);
    FAILS(aeStopNow, (NULL), AE_ERR, EINVAL);
    FAILS(aeGetBackendFd, (NULL), AE_ERR, EINVAL);
    FAILS(aeGetTimeout, (NULL), -1, EINVAL);
    IGNORES(aeSetStopWhenIdle, (NULL, 1));
    IGNORES(aeSetLoopData, (NULL, el));
    GIVES(aeGetLoopData, (NULL) == NULL, 1);
    FAILS(aeResetTimeEvent, (NULL, 0, 0), AE_ERR, EINVAL);
    FAILS(aeResetTimeEvent, (el, LLONG_MIN, 0), AE_ERR, ENOENT);
    FAILS(aeResetTimeEvent, (el, LLONG_MAX, 0), AE_ERR, ENOENT);
    FAILS(aeCreatePeriodicTimeEvent, (NULL, 0, 1, on_period, NULL, NULL), AE_ERR, EINVAL);
    FAILS(aeCreatePeriodicTimeEvent, (el, 0, 1, NULL, NULL, NULL), AE_ERR, EINVAL);
    FAILS(aeCreatePeriodicTimeEvent, (el, LLONG_MIN, LLONG_MIN, on_period, NULL, NULL), AE_ERR, EINVAL);
    FAILS(aeCreateSignalEvent, (NULL, SIGUSR1, on_signal, NULL), AE_ERR, EINVAL);
    FAILS(aeCreateSignalEvent, (el, SIGUSR1, NULL, NULL), AE_ERR, EINVAL);
    FAILS(aeCreateSignalEvent, (el, 0, on_signal, NULL), AE_ERR, EINVAL);
    FAILS(aeCreateSignalEvent, (el, INT_MIN, on_signal, NULL), AE_ERR, EINVAL);
    FAILS(aeCreateSignalEvent, (el, INT_MAX, on_signal, NULL), AE_ERR, EINVAL);
    FAILS(aeCreateSignalEvent, (el, SIGKILL, on_signal, NULL), AE_ERR, EINVAL);
    FAILS(aeDeleteSignalEvent, (NULL, SIGUSR1), AE_ERR, EINVAL);
    FAILS(aeDeleteSignalEvent, (el, INT_MIN), AE_ERR, EINVAL);
    FAILS(aeDeleteSignalEvent, (el, SIGUSR1), AE_ERR, ENOENT);
    FAILS(aeCreateChildEvent, (NULL, getpid(), on_child, NULL), AE_ERR, EINVAL);
    FAILS(aeCreateChildEvent, (el, getpid(), NULL, NULL), AE_ERR, EINVAL);
    FAILS(aeCreateChildEvent, (el, 0, on_child, NULL), AE_ERR, EINVAL);
    FAILS(aeCreateChildEvent, (el, INT_MIN, on_child, NULL), AE_ERR, EINVAL);
    FAILS(aeDeleteChildEvent, (NULL, getpid()), AE_ERR, EINVAL);
    FAILS(aeDeleteChildEvent, (el, 0), AE_ERR, ENOENT);
    FAILS(libaeResolve, (NULL, "127.0.0.1", AF_UNSPEC, on_resolved, NULL), AE_ERR, EINVAL);
    FAILS(libaeResolve, (el, NULL, AF_UNSPEC, on_resolved, NULL), AE_ERR, EINVAL);
    FAILS(libaeResolve, (el, "127.0.0.1", AF_UNSPEC, NULL, NULL), AE_ERR, EINVAL);
    FAILS(libaeResolve, (el, "127.0.0.1", INT_MIN, on_resolved, NULL), AE_ERR, EAFNOSUPPORT);
    FAILS(libaeConnectName, (NULL, "127.0.0.1", 1, on_connected, NULL), AE_ERR, EINVAL);
    FAILS(libaeConnectName, (el, NULL, 1, on_connected, NULL), AE_ERR, EINVAL);
    FAILS(libaeConnectName, (el, "127.0.0.1", 1, NULL, NULL), AE_ERR, EINVAL);
    FAILS(libaeConnectName, (el, "127.0.0.1", INT_MIN, on_connected, NULL), AE_ERR, EINVAL);
    FAILS(libaeCancel, (NULL, 1), AE_ERR, EINVAL);
    FAILS(libaeCancel, (el, LLONG_MIN), AE_ERR, ENOENT);
    FAILS(libaeParseProxy, (NULL, 0, NULL), -1, EINVAL);
    FAILS(libaeParseProxy, ("", 0, NULL), -1, EINVAL);
    FAILS(libaeParseProxy, ("", 0, &(libaeProxy){.size = 8}), -1, EINVAL);
    GIVES(libaeListenFds, (), 0);
    FAILS(libaeExecWithListeners, (NULL, NULL, NULL, 0), AE_ERR, EINVAL);
    FAILS(libaeExecWithListeners, (NULL, &(char *){NULL}, NULL, 1), AE_ERR, EINVAL);
    FAILS(libaeExecWithListeners, ("/bin/false", &(char *){NULL}, NULL, -1), AE_ERR, EINVAL);
    FAILS(libaeIsListening, (-1), AE_ERR, EBADF);
    FAILS(libaeIsListening, (INT_MAX), AE_ERR, EBADF);
    IGNORES(aeSetBeforeSleepProc, (NULL, NULL));
    IGNORES(aeSetAfterSleepProc, (NULL, NULL));
#ifdef TEST_VALKEY
    FAILS(aePoll, (NULL, NULL), AE_ERR, EINVAL);
    FAILS(aePoll, (el, (&(struct timeval){-1, 0})), AE_ERR, EINVAL);
    FAILS(aePoll, (el, (&(struct timeval){0, INT_MIN})), AE_ERR, EINVAL);
    IGNORES(aeSetCustomPollProc, (NULL, NULL));
    IGNORES(aeSetPollProtect, (NULL, INT_MIN));
#endif
    FAILS(aeGetSetSize, (NULL), AE_ERR, EINVAL);
    FAILS(aeResizeSetSize, (NULL, 100), AE_ERR, EINVAL);
    FAILS(aeResizeSetSize, (el, 0), AE_ERR, EINVAL);
    FAILS(aeResizeSetSize, (el, INT_MIN), AE_ERR, EINVAL);
    IGNORES(aeSetDontWait, (NULL, INT_MIN));
    aeSetDontWait(el, INT_MIN);
    CHECK_INT(el->flags, AE_DONT_WAIT);
    CHECK_INT(aeGetSetSize(el), 64);
    aeDeleteEventLoop(el);
}

/* Whether there is room for so much depends on the machine; a crash does not. */
static void absurd_set_sizes(void) {
    aeEventLoop *el = aeCreateEventLoop(64), *large;

    errno = 0;
    if (aeResizeSetSize(el, INT_MAX) == AE_ERR) {
        CHECK_INT(errno, ENOMEM);
        CHECK_INT(aeGetSetSize(el), 64);
    }
    CHECK_INT(aeResizeSetSize(el, 32), AE_OK);
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT), 0);
    aeDeleteEventLoop(el);
    errno = 0;
    large = aeCreateEventLoop(INT_MAX);
    if (large == NULL) CHECK_INT(errno, ENOMEM);
    aeDeleteEventLoop(large);
}

/* ---- anet.h ---- */

static void nonsense_for_anet_sockets(void) {
    static const int bad[] = {-1, INT_MIN, INT_MAX};
    int i, port, fd;

    for (i = 0; i < 3; i++) {
        FAILS(anetNonBlock, (err, bad[i]), ANET_ERR, EBADF);
        FAILS(anetBlock, (NULL, bad[i]), ANET_ERR, EBADF);
        FAILS(anetSetBlock, (err, bad[i], INT_MIN), ANET_ERR, EBADF);
        FAILS(anetCloexec, (bad[i]), ANET_ERR, EBADF);
        FAILS(anetEnableTcpNoDelay, (err, bad[i]), ANET_ERR, EBADF);
        FAILS(anetDisableTcpNoDelay, (NULL, bad[i]), ANET_ERR, EBADF);
        FAILS(anetKeepAlive, (err, bad[i], 1), ANET_ERR, EBADF);
        FAILS(anetTcpKeepAlive, (err, bad[i]), ANET_ERR, EBADF);
        FAILS(anetSendTimeout, (err, bad[i], LLONG_MAX), ANET_ERR, EBADF);
        FAILS(anetRecvTimeout, (NULL, bad[i], LLONG_MAX), ANET_ERR, EBADF);
        FAILS(anetSetSockMarkId, (err, bad[i], UINT32_MAX), ANET_ERR, EBADF);
        GIVES(anetGetError, (bad[i]), EBADF);
        FAILS(anetIsBlock, (err, bad[i]), ANET_ERR, EBADF);
        GIVES(anetAcceptFailureNeedsRetry, (bad[i]), 0);
        GIVES(anetRetryAcceptOnError, (bad[i]), 0);
        FAILS(anetRead, (bad[i], text, 1), -1, EBADF);
        FAILS(anetWrite, (bad[i], text, 1), -1, EBADF);
        FAILS(anetTcpAccept, (err, bad[i], text, sizeof(text), &port), ANET_ERR, EBADF);
        FAILS(anetUnixAccept, (NULL, bad[i]), ANET_ERR, EBADF);
    }
    FAILS(anetRead, (0, NULL, 1), -1, EINVAL);
    FAILS(anetRead, (0, text, -1), -1, EINVAL);
    FAILS(anetWrite, (1, NULL, 1), -1, EINVAL);
    FAILS(anetWrite, (1, text, INT_MIN), -1, EINVAL);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    GIVES(anetSendTimeout, (err, fd, LLONG_MIN), ANET_ERR);
    GIVES(anetRecvTimeout, (err, fd, -1), ANET_ERR);
    GIVES(anetKeepAlive, (err, fd, INT_MIN), ANET_ERR);
    GIVES(anetKeepAlive, (err, fd, INT_MAX), ANET_ERR);
    close(fd);
    GIVES(anetIsFifo, (NULL), 0);
    FAILS(anetPipe, (NULL, 0, 0), -1, EINVAL);
    FAILS(anetPipe, (&port, INT_MIN, INT_MAX), -1, EINVAL);
}

static void nonsense_for_anet_connects(void) {
    static const int ports[] = {-1, INT_MIN, INT_MAX, 65536};
    char here[] = "127.0.0.1", here6[] = "::1";
    int i;

    for (i = 0; i < 4; i++) {
        FAILS(anetTcpConnect, (err, here, ports[i]), ANET_ERR, EINVAL);
        FAILS(anetTcpNonBlockConnect, (err, here, ports[i]), ANET_ERR, EINVAL);
        FAILS(anetTcpNonBlockBindConnect, (NULL, here, ports[i], NULL), ANET_ERR, EINVAL);
        FAILS(anetTcpNonBlockBestEffortBindConnect, (err, here, ports[i], here), ANET_ERR, EINVAL);
        FAILS(anetTcpServer, (err, ports[i], here, 1), ANET_ERR, EINVAL);
        FAILS(anetTcp6Server, (err, ports[i], here6, 1), ANET_ERR, EINVAL);
    }
    FAILS(anetTcpConnect, (err, NULL, 1), ANET_ERR, EINVAL);
    FAILS(anetTcpNonBlockConnect, (NULL, NULL, 1), ANET_ERR, EINVAL);
    FAILS(anetTcpNonBlockBindConnect, (err, NULL, 1, NULL), ANET_ERR, EINVAL);
    FAILS(anetTcpNonBlockBestEffortBindConnect, (err, NULL, 1, NULL), ANET_ERR, EINVAL);
    FAILS(anetUnixConnect, (err, NULL), ANET_ERR, EINVAL);
    FAILS(anetUnixNonBlockConnect, (NULL, NULL), ANET_ERR, EINVAL);
    FAILS(anetUnixGenericConnect, (err, NULL, INT_MAX), ANET_ERR, EINVAL);
    note_call("anetUnixServer");
    CHECK_FAILS(test_unix_server(err, NULL, 0, 1), ANET_ERR, EINVAL);
}

static void nonsense_for_anet_addresses(void) {
    char name[] = "127.0.0.1";
    int port;

    FAILS(anetResolve, (err, NULL, text, sizeof(text), 0), ANET_ERR, EINVAL);
    FAILS(anetResolve, (err, name, NULL, sizeof(text), ANET_IP_ONLY), ANET_ERR, EINVAL);
    FAILS(anetResolve, (NULL, name, text, 0, ANET_IP_ONLY), ANET_ERR, ENOSPC);
    FAILS(anetResolveIP, (err, NULL, NULL, SIZE_MAX), ANET_ERR, EINVAL);
    FAILS(anetFdToString, (-1, NULL, SIZE_MAX, NULL, INT_MIN), -1, EBADF);
    FAILS(anetFdToString, (INT_MAX, text, sizeof(text), &port, INT_MAX), -1, EBADF);
    FAILS(anetPeerToString, (INT_MIN, NULL, 0, NULL), -1, EBADF);
    FAILS(anetSockName, (INT_MIN, text, 1, &port), -1, EBADF);
    FAILS(anetFormatAddr, (NULL, 10, name, 1), -1, EINVAL);
    FAILS(anetFormatAddr, (text, sizeof(text), NULL, 1), -1, EINVAL);
    GIVES(anetFormatAddr, (text, sizeof(text), name, INT_MIN), 21);
    FAILS(anetFormatPeer, (0, NULL, 10), -1, EINVAL);
    FAILS(anetFormatSock, (-1, NULL, 0), -1, EINVAL);
    GIVES(anetFormatPeer, (INT_MIN, text, 0), 3);
    GIVES(anetFormatSock, (INT_MAX, text, 1), 3);
#ifdef TEST_CONN_V1
    FAILS(anetFormatFdAddr, (0, NULL, 10, INT_MIN), -1, EINVAL);
    GIVES(anetFormatFdAddr, (-1, text, sizeof(text), INT_MAX), 3);
#else
    FAILS(formatAddr, (NULL, SIZE_MAX, name, 1), -1, EINVAL);
    FAILS(formatAddr, (text, sizeof(text), NULL, 1), -1, EINVAL);
#endif
}

/* ---- connection.h ---- */

static void null_for_connections(void) {
    FAILS(connConnect, (NULL, "127.0.0.1", 1, NULL, on_connection), C_ERR, EINVAL);
    FAILS(connBlockingConnect, (NULL, NULL, INT_MIN, LLONG_MIN), C_ERR, EINVAL);
    FAILS(connAccept, (NULL, on_connection), C_ERR, EINVAL);
    FAILS(connWrite, (NULL, text, 1), -1, EINVAL);
#ifndef LIBAE_ABI_REDIS_6_2
    FAILS(connWritev, (NULL, (&(struct iovec){text, 1}), 1), -1, EINVAL);
#endif
    FAILS(connRead, (NULL, text, 1), -1, EINVAL);
    FAILS(connSetWriteHandler, (NULL, on_connection), C_ERR, EINVAL);
    FAILS(connSetWriteHandlerWithBarrier, (NULL, on_connection, 1), C_ERR, EINVAL);
    FAILS(connSetReadHandler, (NULL, on_connection), C_ERR, EINVAL);
    FAILS_NULL(connGetLastError, (NULL), EINVAL);
    FAILS(connSyncWrite, (NULL, text, 1, 1), -1, EINVAL);
    FAILS(connSyncRead, (NULL, text, 1, 1), -1, EINVAL);
    FAILS(connSyncReadLine, (NULL, text, 2, 1), -1, EINVAL);
    IGNORES(connClose, (NULL));
    GIVES(connLastErrorRetryable, (NULL), 0);
    FAILS(connGetState, (NULL), -1, EINVAL);
    GIVES(connHasWriteHandler, (NULL), 0);
    GIVES(connHasReadHandler, (NULL), 0);
    IGNORES(connSetPrivateData, (NULL, text));
    GIVES(connGetPrivateData, (NULL) == NULL, 1);
    GIVES(connGetInfo, (NULL, NULL, 10) == NULL, 1);
    GIVES(connGetInfo, (NULL, text, 0) == text, 1);
    FAILS(connBlock, (NULL), C_ERR, EINVAL);
    FAILS(connNonBlock, (NULL), C_ERR, EINVAL);
    FAILS(connEnableTcpNoDelay, (NULL), C_ERR, EINVAL);
    FAILS(connDisableTcpNoDelay, (NULL), C_ERR, EINVAL);
    FAILS(connKeepAlive, (NULL, 1), C_ERR, EINVAL);
    FAILS(connSendTimeout, (NULL, 1), C_ERR, EINVAL);
    FAILS(connRecvTimeout, (NULL, 1), C_ERR, EINVAL);
}

/* The same for what not every profile has. */
static void null_for_connections_of_this_profile(void) {
    int port;
#ifndef TEST_CONN_V1
    connection blank = {0};
#endif

#ifdef TEST_CONN_V1
    FAILS(connGetType, (NULL), 0, EINVAL);
    GIVES(connGetSocketError, (NULL), EINVAL);
    FAILS(connPeerToString, (NULL, text, sizeof(text), &port), C_ERR, EBADF);
    CHECK_TEXT(text, "?");
    FAILS(connSockName, (NULL, NULL, 0, NULL), C_ERR, EBADF);
    GIVES(connFormatFdAddr, (NULL, text, sizeof(text), REMOTE_END), 3);
    FAILS(connFormatFdAddr, (NULL, NULL, SIZE_MAX, OWN_END), -1, EINVAL);
    GIVES(connFormatPeer, (NULL, text, sizeof(text)), 3);
    FAILS(connFormatPeer, (NULL, NULL, SIZE_MAX), -1, EINVAL);
    note_call("connCreateTLS");
    note_call("connCreateAcceptedTLS");
    IGNORES(tlsInit, ());
    IGNORES(tlsCleanup, ());
    GIVES(isTlsConfigured, (), 0);
    if (has_tls()) {
        FAILS(tlsConfigure, (NULL), C_ERR, EINVAL);
    } else {
        GIVES(tlsConfigure, (NULL), C_OK); /* as upstream without TLS */
        CHECK_FAILS_NULL(connCreateTLS(), EOPNOTSUPP);
        CHECK_FAILS_NULL(connCreateAcceptedTLS(-1, INT_MIN), EOPNOTSUPP);
    }
    GIVES(connTLSGetPeerCert, (NULL) == NULL, 1);
    GIVES(tlsHasPendingData, (), 0);
    GIVES(tlsProcessPendingData, (), 0);
#else
#ifdef TEST_VALKEY_9
    FAILS(connGetType, (NULL), CONN_TYPE_INVALID, EINVAL);
    GIVES(getConnectionTypeName, (INT_MIN) != NULL, 1);
    note_call("anetHasMptcp");
    CHECK(anetHasMptcp() == 0 || anetHasMptcp() == 1);
#else
    FAILS_NULL(connGetType, (NULL), EINVAL);
#endif
    FAILS(connAddr, (NULL, text, sizeof(text), &port, 1), C_ERR, EINVAL);
    FAILS(connAddrPeerName, (NULL, NULL, 0, NULL), C_ERR, EINVAL);
    FAILS(connAddrSockName, (NULL, NULL, 0, NULL), C_ERR, EINVAL);
    FAILS(connFormatAddr, (NULL, text, sizeof(text), 1), -1, EINVAL);
    FAILS(connIsLocal, (NULL), -1, EINVAL);
    FAILS_NULL(connGetPeerCert, (NULL), EINVAL);
    GIVES(connIsTLS, (NULL), 0);
    GIVES(connIsTLS, (&blank), 0);
    IGNORES(connShutdown, (NULL));
#endif
#ifdef TEST_CONN_LOOP
    GIVES(connHasEventLoop, (NULL), 0);
    IGNORES(connUnbindEventLoop, (NULL));
    FAILS(connRebindEventLoop, (NULL, NULL), C_ERR, EINVAL);
#endif
#ifdef TEST_VALKEY
    IGNORES(connSetPostponeUpdateState, (NULL, INT_MIN));
    IGNORES(connUpdateState, (NULL));
#endif
#ifdef TEST_VALKEY_8_1
    GIVES(connIsIntegrityChecked, (NULL), 0);
    IGNORES(connCloseListener, (NULL));
    FAILS(RegisterConnectionTypeRdma, (), C_ERR, EOPNOTSUPP);
#endif
#if defined(LIBAE_ABI_REDIS_8_6) || defined(LIBAE_ABI_VALKEY_9_0)
    FAILS_NULL(connGetPeerUsername, (NULL), EINVAL);
#endif
#ifdef TEST_VALKEY_9_1
    FAILS_NULL(connGetPeerUser, (NULL, NULL), EINVAL);
    IGNORES(tlsReconfigureIfNeeded, ());
    IGNORES(tlsConfigureAsync, ());
    IGNORES(tlsApplyPendingReload, ());
    IGNORES(tlsResetCertInfo, ());
#endif
#ifdef LIBAE_ABI_VALKEY_9_1_2
    FAILS(connUpdateStateMayInvokeHandlers, (NULL), 0, EINVAL);
#endif
}

/* A connection without descriptor, and NULL where it needs buffers and strings. */
static void nonsense_for_an_unconnected_connection(void) {
    aeEventLoop *el = aeCreateEventLoop(64);
    connection *conn;

    CHECK_INT(test_conn_types(), C_OK);
    conn = test_conn_create(el, TCP_TYPE);
    CHECK(conn != NULL);
    CHECK_FAILS(connWrite(conn, text, 1), -1, EBADF);
    CHECK_FAILS(connRead(conn, text, 1), -1, EBADF);
    CHECK_FAILS(connSyncWrite(conn, text, 1, 10), -1, EBADF);
    CHECK_FAILS(connSyncRead(conn, text, 1, 10), -1, EBADF);
    CHECK_FAILS(connSyncReadLine(conn, text, 2, 10), -1, EBADF);
    CHECK_FAILS(connSyncWrite(conn, NULL, 1, 10), -1, EINVAL);
    CHECK_FAILS(connSyncRead(conn, text, -1, 10), -1, EINVAL);
    CHECK_FAILS(connSyncReadLine(conn, text, 0, 10), -1, EINVAL);
    CHECK_FAILS(connSyncReadLine(conn, text, -4096, LLONG_MIN), -1, EINVAL);
    CHECK_FAILS(connSetReadHandler(conn, on_connection), C_ERR, EBADF);
    CHECK_FAILS(connSetWriteHandler(conn, on_connection), C_ERR, EBADF);
    CHECK_FAILS(connBlock(conn), C_ERR, EBADF);
    CHECK_FAILS(connKeepAlive(conn, 10), C_ERR, EBADF);
    CHECK_FAILS(connAccept(conn, on_connection), C_ERR, EINVAL);
    CHECK_FAILS(connConnect(conn, NULL, 1, NULL, on_connection), C_ERR, EINVAL);
    CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
    CHECK_FAILS(connConnect(conn, "127.0.0.1", INT_MIN, NULL, on_connection), C_ERR, EINVAL);
    CHECK_FAILS(connBlockingConnect(conn, NULL, 1, 10), C_ERR, EINVAL);
    CHECK_FAILS(connBlockingConnect(conn, "127.0.0.1", 70000, -1), C_ERR, EINVAL);
    connClose(conn);
    aeDeleteEventLoop(el);
}

#ifdef TEST_CONN_V1

static void nonsense_for_types(void) {
    connection *conn;

    note_call("CT_Socket");
    CHECK(CT_Socket.get_type != NULL);
    note_call("connCreateSocket");
    conn = connCreateSocket();
    connClose(conn);
    note_call("connCreateAcceptedSocket");
    conn = connCreateAcceptedSocket(INT_MIN);
    CHECK_FAILS(connRead(conn, text, 1), -1, EBADF);
    connClose(conn);
}

#else

static void nonsense_for_types(void) {
    connListener listener = {.count = 0};
    char *addresses[] = {NULL};

    FAILS_NULL(connectionTypeTcp, (), 0);
    FAILS_NULL(connectionTypeUnix, (), 0);
    FAILS_NULL(connectionTypeTls, (), 0);
#ifdef TEST_VALKEY_9
    FAILS_NULL(connectionByType, (INT_MIN), EINVAL);
    FAILS_NULL(connectionByType, (CONN_TYPE_MAX), EINVAL);
#else
    FAILS_NULL(connectionByType, (NULL), EINVAL);
    FAILS(connectionIndexByType, (NULL), -1, EINVAL);
#endif
    FAILS(connTypeRegister, (NULL), C_ERR, EINVAL);
    note_call("connCreate");
    CHECK_FAILS_NULL(test_conn_create(NULL, NULL), EINVAL);
    note_call("connCreateAccepted");
    CHECK_FAILS_NULL(test_conn_create_accepted(NULL, NULL, -1), EINVAL);
    FAILS(connTypeConfigure, (NULL, NULL, INT_MAX), C_ERR, EINVAL);
    FAILS(connListen, (NULL), C_ERR, EINVAL);
    FAILS(connListen, (&listener), C_ERR, EINVAL); /* without a type */
    GIVES(connAcceptHandler, (NULL) == NULL, 1);
    IGNORES(connTypeCleanupAll, ());
    note_call("connTypeHasPendingData");
    CHECK_INT(test_has_pending_data(NULL), 0);
    note_call("connTypeProcessPendingData");
    CHECK_INT(test_process_pending_data(NULL), 0);
    GIVES(RedisRegisterConnectionTypeSocket, (), C_OK);
    FAILS(RedisRegisterConnectionTypeSocket, (), C_ERR, EEXIST);
    GIVES(RedisRegisterConnectionTypeUnix, (), C_OK);
    if (has_tls())
        GIVES(RedisRegisterConnectionTypeTLS, (), C_OK);
    else
        FAILS(RedisRegisterConnectionTypeTLS, (), C_ERR, EOPNOTSUPP);
    GIVES(connTypeInitialize, (), C_OK);
    FAILS(connTypeConfigure, (connectionTypeTcp(), NULL, 0), C_ERR, EINVAL);

    listener = (connListener){.ct = connectionTypeTcp(), .bindaddr_count = 1};
    FAILS(connListen, (&listener), C_ERR, EINVAL); /* no addresses where there should be one */
    listener.bindaddr = addresses;
    FAILS(connListen, (&listener), C_ERR, EINVAL); /* nor here */
    listener.bindaddr_count = INT_MIN;
    FAILS(connListen, (&listener), C_ERR, EINVAL);
    listener.bindaddr_count = INT_MAX;
    CHECK_INT(connListen(&listener), C_ERR);
    listener = (connListener){.ct = connectionTypeUnix(), .bindaddr = addresses, .bindaddr_count = 1};
    FAILS(connListen, (&listener), C_ERR, EINVAL);
}

#endif

/* ---- libae.h ---- */

static void nonsense_for_sessions(void) {
    FAILS_NULL(libaeTlsSessionNew, (-1, NULL, NULL, SIZE_MAX), EINVAL);
    FAILS_NULL(libaeTlsSessionNew, (INT_MIN, NULL, text, 0), EINVAL);
    FAILS_NULL(libaeTlsSessionNewWith, (NULL, -1, NULL, NULL, SIZE_MAX), EINVAL);
    FAILS_NULL(libaeTlsSessionNewWith, (NULL, 0, NULL, text, 0), EINVAL);
    FAILS(libaeTlsSessionHandshake, (NULL), -1, EINVAL);
    FAILS(libaeTlsSessionRead, (NULL, text, sizeof(text)), -1, EINVAL);
    FAILS(libaeTlsSessionRead, (NULL, NULL, SIZE_MAX), -1, EINVAL);
    FAILS(libaeTlsSessionWrite, (NULL, text, sizeof(text)), -1, EINVAL);
    FAILS(libaeTlsSessionWrite, (NULL, NULL, SIZE_MAX), -1, EINVAL);
    GIVES(libaeTlsSessionHasPending, (NULL), 0);
    GIVES(libaeTlsSessionError, (NULL) == NULL, 1);
    IGNORES(libaeTlsSessionShutdown, (NULL));
    IGNORES(libaeTlsSessionFree, (NULL));
}

static void nonsense_for_contexts(void) {
    int without = has_tls() ? 0 : EOPNOTSUPP;
    connection *plain;

    test_conn_types();
    plain = test_conn_create(NULL, TCP_TYPE);
    FAILS_NULL(libaeTlsContextNew, (NULL, NULL, SIZE_MAX), without ? without : EINVAL);
    FAILS(libaeTlsContextReload, (NULL, NULL, SIZE_MAX), AE_ERR, EINVAL);
    FAILS(libaeTlsContextReload, (NULL, text, 0), AE_ERR, EINVAL);
    FAILS(libaeTlsContextAddName, (NULL, NULL, NULL), AE_ERR, EINVAL);
    FAILS(libaeTlsContextAddName, (NULL, text, NULL), AE_ERR, EINVAL);
    IGNORES(libaeTlsContextFree, (NULL));
    FAILS(libaeTlsSetContext, (NULL, NULL), AE_ERR, EINVAL);
    FAILS(libaeTlsSetContext, (plain, NULL), AE_ERR, EOPNOTSUPP);
#ifdef TEST_CONN_V1
    FAILS(libaeTlsSetListenerContext, (-1, NULL), AE_ERR, EOPNOTSUPP);
#else
    FAILS(libaeTlsSetListenerContext, (-1, NULL), AE_ERR, without ? without : EBADF);
#endif
    FAILS_NULL(libaeTlsVersion, (NULL), EINVAL);
    FAILS_NULL(libaeTlsVersion, (plain), EOPNOTSUPP);
    FAILS_NULL(libaeTlsCipher, (NULL), EINVAL);
    FAILS_NULL(libaeTlsCipher, (plain), EOPNOTSUPP);
    FAILS(libaeTlsResumed, (NULL), -1, EINVAL);
    FAILS(libaeTlsResumed, (plain), -1, EOPNOTSUPP);
    FAILS(libaeTlsAlpn, (NULL, NULL, SIZE_MAX), -1, EINVAL);
    FAILS(libaeTlsAlpn, (plain, text, sizeof(text)), -1, EOPNOTSUPP);
    FAILS(libaeTlsServerName, (NULL, NULL, SIZE_MAX), -1, EINVAL);
    FAILS(libaeTlsServerName, (plain, text, sizeof(text)), -1, EOPNOTSUPP);
    FAILS(libaeTlsPeerCertificate, (NULL, NULL, SIZE_MAX), -1, EINVAL);
    FAILS(libaeTlsPeerCertificate, (plain, text, sizeof(text)), -1, EOPNOTSUPP);
    FAILS(libaeTlsPeerName, (NULL, INT_MIN, INT_MIN, NULL, SIZE_MAX), -1, EINVAL);
    FAILS(libaeTlsPeerName, (plain, INT_MAX, INT_MAX, text, sizeof(text)), -1, EOPNOTSUPP);
    connClose(plain);
}

static void nonsense_for_libae(void) {
    libaeHost empty = {.size = 0};
    libaeTlsConfig tls = {.size = 0};

    GIVES(libaeVersion, () != NULL, 1);
    GIVES(libaeAbiProfile, () != NULL, 1);
    GIVES(libaeSetHost, (NULL), AE_OK);
    GIVES(libaeSetSafeSockets, (0), 0);
    FAILS(libaeSetHost, (&empty), AE_ERR, EINVAL);
    FAILS(libaeListen, (NULL, NULL, INT_MAX, NULL), ANET_ERR, EINVAL);
    FAILS(libaeListen, (err, NULL, 0, &(libaeSocketOptions){.size = 0}), ANET_ERR, EINVAL);
    FAILS(libaeConnect, (NULL, NULL, INT_MIN, NULL), ANET_ERR, EINVAL);
    FAILS(libaeConnect, (err, text, 1, &(libaeSocketOptions){.size = SIZE_MAX}), ANET_ERR, E2BIG);
    FAILS(libaeSetQuickAck, (NULL, -1, INT_MIN), AE_ERR, EBADF);
    FAILS(libaePeerCredentials, (INT_MIN, NULL, NULL, NULL), AE_ERR, EBADF);
    FAILS(libaeConnConnect, (NULL, NULL, NULL, INT_MIN, NULL, NULL), C_ERR, EINVAL);
    FAILS(libaeConnConnectName, (NULL, NULL, NULL, INT_MIN, NULL, NULL), C_ERR, EINVAL);
#ifndef TEST_CONN_V1
    FAILS(libaeConnListen, (NULL, NULL, NULL), C_ERR, EINVAL);
    FAILS_NULL(libaeConnAcceptData, (NULL), EINVAL);
#endif
    note_call("libaeTlsConfigure");
    if (!has_tls()) {
        CHECK_FAILS(libaeTlsConfigure(NULL, NULL, 0), AE_ERR, EOPNOTSUPP);
        return;
    }
    CHECK_FAILS(libaeTlsConfigure(NULL, NULL, 0), AE_ERR, EINVAL);
    CHECK_FAILS(libaeTlsConfigure(NULL, NULL, SIZE_MAX), AE_ERR, EINVAL);
    CHECK_FAILS(libaeTlsConfigure(NULL, text, sizeof(text)), AE_ERR, EINVAL);
    CHECK_FAILS(libaeTlsConfigure(&tls, text, 0), AE_ERR, EINVAL);
    tls.size = 1;
    CHECK_FAILS(libaeTlsConfigure(&tls, NULL, sizeof(text)), AE_ERR, EINVAL);
    tls = (libaeTlsConfig){.size = sizeof(tls), .auth_clients = INT_MAX};
    CHECK_FAILS(libaeTlsConfigure(&tls, text, 1), AE_ERR, EINVAL);
    tls = (libaeTlsConfig){.size = sizeof(tls), .max_handshakes = INT_MIN, .handshake_timeout = INT_MIN};
    CHECK_FAILS(libaeTlsConfigure(&tls, text, sizeof(text)), AE_ERR, EINVAL);
    tls = (libaeTlsConfig){.size = sizeof(tls), .handshake_timeout = INT_MIN, .max_handshakes = INT_MAX};
    tls.session_cache_size = tls.session_cache_timeout = INT_MAX;
    CHECK_KEEPS_ERRNO(libaeTlsConfigure(&tls, text, sizeof(text)), AE_OK);
}

/* A TLS connection without descriptor or with one that is none, with settings and without. */
static void nonsense_for_tls_connections(void) {
    aeEventLoop *el = aeCreateEventLoop(64);
    libaeTlsConfig tls = {.size = sizeof(tls)};
    connection *conn;
    int i;

    CHECK_INT(test_conn_types(), C_OK);
    if (!has_tls()) SKIP("a library without TLS");
    for (i = 0; i < 2; i++) {
        conn = tls_create(el);
        CHECK(conn != NULL);
        CHECK_INT(connWrite(conn, text, 1), -1);
        CHECK_INT(connRead(conn, text, 1), -1);
        CHECK_FAILS(connSyncWrite(conn, NULL, 1, 10), -1, EINVAL);
        CHECK_FAILS(connSyncRead(conn, text, -1, 10), -1, EINVAL);
        CHECK_FAILS(connSyncReadLine(conn, text, 0, 10), -1, EINVAL);
        CHECK_INT(connSyncWrite(conn, text, 1, 10), -1);
        CHECK_INT(connSyncRead(conn, text, 1, 10), -1);
        CHECK_INT(connSyncReadLine(conn, text, 2, 10), -1);
#ifndef LIBAE_ABI_REDIS_6_2
        CHECK_INT(connWritev(conn, NULL, INT_MIN), -1);
        CHECK_INT(connWritev(conn, NULL, 1), -1);
#endif
        CHECK_INT(connSetReadHandler(conn, on_connection), C_ERR);
        CHECK_INT(connSetWriteHandler(conn, on_connection), C_ERR);
        CHECK_FAILS(connAccept(conn, on_connection), C_ERR, EINVAL);
        CHECK_NULL(tls_peer_cert(conn));
        CHECK_INT(connConnect(conn, NULL, 1, NULL, on_connection), C_ERR);
        CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
        CHECK_INT(connConnect(conn, "127.0.0.1", INT_MIN, NULL, on_connection), C_ERR);
        CHECK_INT(connBlockingConnect(conn, NULL, 1, 10), C_ERR);
        CHECK_INT(connBlockingConnect(conn, "127.0.0.1", 70000, LLONG_MIN), C_ERR);
        CHECK(connGetLastError(conn) != NULL);
#ifndef TEST_CONN_V1
        connShutdown(conn);
#endif
        connClose(conn);
        conn = tls_create_accepted(el, -1, INT_MIN);
        CHECK(conn != NULL);
        CHECK_INT(connAccept(conn, on_connection), C_ERR);
        CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
        connClose(conn);
        conn = tls_create_accepted(el, INT_MAX, INT_MAX);
        CHECK(conn != NULL);
        CHECK_INT(connAccept(conn, NULL), C_ERR);
        connClose(conn);
        CHECK_INT(tls_has_pending(el), 0);
        CHECK_INT(tls_process_pending(el), 0);
        CHECK_INT(libaeTlsConfigure(&tls, NULL, 0), AE_OK); /* neither a certificate nor a CA */
    }
    aeDeleteEventLoop(el);
}

static void every_function_was_called(void) {
    nonsense_for_ae();
    nonsense_for_anet_sockets();
    nonsense_for_anet_connects();
    nonsense_for_anet_addresses();
    null_for_connections();
    null_for_connections_of_this_profile();
    nonsense_for_types();
    nonsense_for_sessions();
    nonsense_for_contexts();
    nonsense_for_libae();
    check_all_called(NULL);
}

TEST_MAIN(CASE(nonsense_for_ae), CASE(absurd_set_sizes), CASE(nonsense_for_anet_sockets),
          CASE(nonsense_for_anet_connects), CASE(nonsense_for_anet_addresses), CASE(null_for_connections),
          CASE(null_for_connections_of_this_profile),
          CASE(nonsense_for_an_unconnected_connection), CASE(nonsense_for_types), CASE(nonsense_for_sessions),
          CASE(nonsense_for_contexts), CASE(nonsense_for_libae), CASE(nonsense_for_tls_connections),
          CASE(every_function_was_called))
