/* Every exported function while the host's allocator fails: each allocation in turn, alone or with all that follow. What
 * cannot be done for it says ENOMEM, nothing is lost, and the loop goes on. (tls_allocation_fails.c has TLS.) */
#include "test.h"
#include "conn_test.h"
#include "counted_heap.h"
#include "exports_test.h"
#include "names_test.h"

#include <ae.h>
#include <anet.h>
#include <signal.h>
#include <sys/uio.h>
#include <sys/wait.h>

static char err[ANET_ERR_LEN], text[256], here[] = "127.0.0.1";

static int ran;

static void on_readable(aeEventLoop *el, int fd, void *data, int mask) {
    (void)el;
    (void)data;
    (void)mask;
    test_drain(fd);
    ran++;
}

static aeEventLoop *new_loop(void) {
    aeEventLoop *el = aeCreateEventLoop(256);

    return WORKS(el != NULL) ? el : NULL;
}

/* With memory again the loop serves what is ready. */
static void end_loop(aeEventLoop *el) {
    int pair[2];

    if (el == NULL) return;
    heap.calls_left = -1;
    test_pair(pair);
    ran = 0;
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_readable, NULL), AE_OK);
    test_send(pair[1], "x");
    while (ran == 0) CHECK(aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT) >= 0);
    aeDeleteFileEvent(el, pair[0], AE_READABLE);
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

static void run(aeEventLoop *el, int times) {
    while (times-- > 0) WORKS(aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT) >= 0);
}

/* ---- Loops ---- */

static void loops(void) {
    const char *const names[] = {test_poller(), "poll", "select", NULL};
    aeEventLoop *el;
    int i;

    for (i = 0; i < 5; i++) {
        el = i == 4 ? TRY(aeCreateEventLoop, (64)) : TRY(aeCreateEventLoopWithBackend, (64, names[i]));
        if (!WORKS(el != NULL)) continue;
        CHECK(TRY(aeGetLoopApiName, (el)) != NULL && TRY(aeGetApiName, ()) != NULL);
        if (!WORKS(TRY(aeResizeSetSize, (el, 4096)) == AE_OK)) CHECK_INT(aeGetSetSize(el), 64);
        WORKS(TRY(aeResizeSetSize, (el, 128)) == AE_OK);
        CHECK_INT(TRY(aeGetSetSize, (el)) % 64, 0);
        TRY(aeSetDontWait, (el, 1));
        TRY(aeSetLoopData, (el, text));
        CHECK(TRY(aeGetLoopData, (el)) == text);
        CHECK_INT(TRY(aeGetTimeout, (el)), 0);
        run(el, 2);
        heap.calls_left = -1;
        TRY(aeDeleteEventLoop, (el));
    }
}

static void nested(aeEventLoop *el, int fd, void *data, int mask) {
    on_readable(el, fd, data, mask);
    run(el, 1);
}

static AFTER_SLEEP(after_sleep) { (void)el; }
static void before_sleep(aeEventLoop *el) { (void)el; }

static void file_events(void) {
    enum { PAIRS = 40 };
    aeEventLoop *el = new_loop();
    int pairs[PAIRS][2], i, mask;

    if (el == NULL) return;
    TRY(aeSetBeforeSleepProc, (el, before_sleep));
    TRY(aeSetAfterSleepProc, (el, after_sleep));
    for (i = 0; i < PAIRS; i++) {
        test_pair(pairs[i]);
        test_send(pairs[i][1], "x");
        mask = i % 4 ? AE_READABLE : AE_READABLE | AE_HIGH_PRIORITY;
        if (WORKS(TRY(aeCreateFileEvent, (el, pairs[i][0], mask, i == 7 ? nested : on_readable, pairs)) == AE_OK)) {
            CHECK_INT(TRY(aeGetFileEvents, (el, pairs[i][0])), mask);
            CHECK(TRY(aeGetFileClientData, (el, pairs[i][0])) == pairs);
        } else {
            CHECK_INT(aeGetFileEvents(el, pairs[i][0]), AE_NONE);
        }
        if (i == PAIRS / 2) WORKS(aeResizeSetSize(el, 1024) == AE_OK);
    }
    WORKS(TRY(aeProcessEvents, (el, AE_ALL_EVENTS | AE_DONT_WAIT | AE_CALL_BEFORE_SLEEP | AE_CALL_AFTER_SLEEP)) >= 0);
    run(el, 2);
    CHECK(TRY(aeWait, (pairs[0][0], AE_WRITABLE, 0)) > 0);
    for (i = 0; i < PAIRS; i++) {
        TRY(aeDeleteFileEvent, (el, pairs[i][0], AE_READABLE));
        test_close_pair(pairs[i]);
    }
    end_loop(el);
}

static TIME_RESULT on_time(aeEventLoop *el, long long id, void *data) {
    (void)id;
    (void)data;
    TRY(aeStop, (el));
    return AE_NOMORE;
}

static int on_period(aeEventLoop *el, long long id, void *data) {
    (void)el;
    (void)id;
    (void)data;
    return 1;
}

static void time_events(void) {
    aeEventLoop *el = new_loop();
    long long ids[300];
    int i;

    if (el == NULL) return;
    for (i = 0; i < 300; i++) {
        ids[i] = i % 10 ? TRY(aeCreateTimeEvent, (el, i % 3 ? 3600000 : 0, on_time, NULL, NULL))
                        : TRY(aeCreatePeriodicTimeEvent, (el, 0, 1, on_period, NULL, NULL));
        WORKS(ids[i] != AE_ERR);
        if (i % 7 == 0 && ids[i] != AE_ERR) WORKS(TRY(aeResetTimeEvent, (el, ids[i], 1)) == AE_OK);
    }
    run(el, 3);
    for (i = 0; i < 300; i += 2)
        if (ids[i] != AE_ERR && TRY(aeDeleteTimeEvent, (el, ids[i])) == AE_ERR) CHECK_INT(errno, ENOENT);
    if (WORKS(aeCreateTimeEvent(el, 0, on_time, NULL, NULL) != AE_ERR)) TRY(aeMain, (el));
    end_loop(el);
}

/* ---- Loops among threads ---- */

static int posted;

static void on_post(aeEventLoop *el, void *data) {
    (void)el;
    ++*(int *)data;
}

static void posts(void) {
    aeEventLoop *el = new_loop();
    int i, taken = 0;

    if (el == NULL) return;
    posted = 0;
    TRY(aeSetStopWhenIdle, (el, 1));
    WORKS(TRY(aeWakeup, (el)) == AE_OK);
    WORKS(TRY(aeGetBackendFd, (el)) != AE_ERR);
    for (i = 0; i < 20; i++) taken += WORKS(TRY(aePost, (el, on_post, &posted, NULL)) == AE_OK);
    run(el, 1);
    CHECK_INT(posted, taken);
    WORKS(TRY(aeStopNow, (el)) == AE_OK);
    aeMain(el);
    aeSetStopWhenIdle(el, 0);
    for (i = 0; i < 3; i++) WORKS(aePost(el, on_post, &posted, on_post) == AE_OK);
    end_loop(el);
}

static void on_signal(aeEventLoop *el, int signum, void *data) {
    (void)el;
    CHECK_INT(signum, SIGUSR1);
    ++*(int *)data;
}

static void on_child(aeEventLoop *el, pid_t pid, int status, void *data) {
    (void)el;
    (void)pid;
    CHECK_INT(status, 0);
    ++*(int *)data;
}

static void signals_and_children(void) {
    aeEventLoop *el = new_loop();
    int signalled = 0, ended = 0, result;
    pid_t child;

    if (el == NULL) return;
    if (WORKS(TRY(aeCreateSignalEvent, (el, SIGUSR1, on_signal, &signalled)) == AE_OK)) {
        raise(SIGUSR1);
        run(el, 2);
        CHECK_INT(signalled, 1);
        CHECK_INT(TRY(aeDeleteSignalEvent, (el, SIGUSR1)), AE_OK);
    }
    child = fork();
    if (child == 0) _exit(0);
    CHECK(child > 0);
    result = TRY(aeCreateChildEvent, (el, child, on_child, &ended));
    if (result == AE_ERR && errno == ENOSYS) { /* valgrind has none */
        note_call("aeDeleteChildEvent");
        test_reap(child);
    } else if (WORKS(result == AE_OK)) {
        while (ended == 0) WORKS(aeProcessEvents(el, AE_ALL_EVENTS) >= 0);
        CHECK_INT(TRY(aeDeleteChildEvent, (el, child)), AE_ERR);
        CHECK_INT(errno, ENOENT);
    } else {
        test_reap(child);
    }
    end_loop(el);
}

/* ---- Sockets ---- */

static void anet_options(void) {
    int pair[2], ends[2];

    test_pair(pair);
    CHECK_INT(TRY(anetNonBlock, (err, pair[0])), ANET_OK);
    CHECK_INT(TRY(anetBlock, (err, pair[0])), ANET_OK);
    CHECK_INT(TRY(anetSetBlock, (err, pair[0], 1)), ANET_OK);
    CHECK_INT(TRY(anetIsBlock, (err, pair[0])), 0);
    CHECK_INT(TRY(anetCloexec, (pair[0])), 0);
    CHECK_INT(TRY(anetSendTimeout, (err, pair[0], 1)), ANET_OK);
    CHECK_INT(TRY(anetRecvTimeout, (err, pair[0], 1)), ANET_OK);
    CHECK_INT(TRY(anetGetError, (pair[0])), 0);
    CHECK_INT(TRY(anetWrite, (pair[0], here, 3)), 3);
    CHECK_INT(TRY(anetRead, (pair[1], text, 3)), 3);
    TRY(anetSetSockMarkId, (err, pair[0], 1));
    TRY(anetIsFifo, (here));
    TRY(anetAcceptFailureNeedsRetry, (EMFILE));
    TRY(anetRetryAcceptOnError, (EINTR));
    TRY(libaePeerCredentials, (pair[0], NULL, NULL, NULL));
    CHECK_INT(TRY(anetPipe, (ends, O_CLOEXEC, O_CLOEXEC)), 0);
    test_close_pair(ends);
    test_close_pair(pair);
}

static void anet_sockets(void) {
    char path[96], folder[64];
    int listening, fd, accepted, port, i;

    listening = TRY(anetTcpServer, (err, 0, here, 5));
    CHECK(listening != ANET_ERR);
    port = test_port(listening);
    for (i = 0; i < 5; i++) {
        fd = i == 0   ? TRY(anetTcpConnect, (err, here, port))
             : i == 1 ? TRY(anetTcpNonBlockConnect, (err, here, port))
             : i == 2 ? TRY(anetTcpNonBlockBindConnect, (err, here, port, here))
             : i == 3 ? TRY(anetTcpNonBlockBestEffortBindConnect, (err, here, port, here))
                      : TRY(libaeConnect, (err, here, port, NULL));
        CHECK(fd != ANET_ERR);
        accepted = TRY(anetTcpAccept, (err, listening, text, sizeof(text), &port));
        CHECK(accepted != ANET_ERR);
        port = test_port(listening);
        TRY(anetEnableTcpNoDelay, (err, fd));
        TRY(anetDisableTcpNoDelay, (err, fd));
        TRY(anetKeepAlive, (err, fd, 10));
        TRY(anetTcpKeepAlive, (err, fd));
        TRY(libaeSetQuickAck, (err, fd, 1));
        TRY(anetFdToString, (fd, text, sizeof(text), &(int){0}, OWN_END));
        TRY(anetPeerToString, (fd, text, sizeof(text), &(int){0}));
        TRY(anetSockName, (fd, text, sizeof(text), &(int){0}));
        TRY(anetFormatAddr, (text, sizeof(text), here, 1));
        TRY(anetFormatPeer, (fd, text, sizeof(text)));
        TRY(anetFormatSock, (fd, text, sizeof(text)));
        close(accepted);
        close(fd);
    }
    CHECK_INT(TRY(libaeIsListening, (listening)), 1);
    close(listening);
    fd = TRY(anetTcp6Server, (err, 0, NULL, 5));
    if (fd != ANET_ERR) close(fd);
    fd = TRY(libaeListen, (err, here, 0, NULL));
    CHECK(fd != ANET_ERR);
    close(fd);
    TRY(anetResolve, (err, here, text, sizeof(text), ANET_IP_ONLY));
    TRY(anetResolveIP, (err, here, text, sizeof(text)));
    test_folder(folder);
    snprintf(path, sizeof(path), "%s/socket", folder);
    note_call("anetUnixServer");
    listening = test_unix_server(err, path, 0, 5);
    CHECK(listening != ANET_ERR);
    for (i = 0; i < 3; i++) {
        fd = i == 0   ? TRY(anetUnixConnect, (err, path))
             : i == 1 ? TRY(anetUnixNonBlockConnect, (err, path))
                      : TRY(anetUnixGenericConnect, (err, path, 1));
        CHECK(fd != ANET_ERR);
        accepted = TRY(anetUnixAccept, (err, listening));
        CHECK(accepted != ANET_ERR);
        close(accepted);
        close(fd);
    }
    close(listening);
    unlink(path);
    CHECK_INT(rmdir(folder), 0);
}

/* ---- Names ---- */

static int told, told_error;

static void on_resolved(aeEventLoop *el, const libaeResolved *resolved, void *data) {
    (void)el;
    (void)data;
    told++;
    told_error = resolved->error;
}

static void on_fd(aeEventLoop *el, int fd, int error, const char *why, void *data) {
    (void)el;
    (void)data;
    (void)why;
    told++;
    told_error = error;
    if (fd != -1) close(fd);
}

static void on_connected(connection *conn) {
    told++;
    told_error = connGetState(conn) == CONN_STATE_CONNECTED ? 0 : conn->last_errno;
}

/* What was asked for is told, and fails only when there is no memory. */
static void await_told(aeEventLoop *el) {
    while (told == 0) WORKS(aeProcessEvents(el, AE_ALL_EVENTS) >= 0);
    errno = told_error;
    WORKS(told_error == 0);
    told = 0;
}

static void names(void) {
    int port, listening = test_listen(AF_INET, 8, &port);
    aeEventLoop *el = new_loop();
    connection *conn;
    long long id;

    if (el != NULL) {
        told = 0;
        if (WORKS(TRY(libaeResolve, (el, "other", AF_UNSPEC, on_resolved, NULL)) != AE_ERR)) await_told(el);
        if (WORKS(TRY(libaeConnectName, (el, "two", port, on_fd, NULL)) != AE_ERR)) await_told(el);
        if (WORKS((id = libaeResolve(el, here, AF_UNSPEC, on_resolved, NULL)) != AE_ERR))
            CHECK_INT(TRY(libaeCancel, (el, id)), AE_OK);
        conn = test_conn_create(el, TCP_TYPE);
        if (WORKS(conn != NULL)) {
            if (WORKS(TRY(libaeConnConnectName, (err, conn, "two", port, NULL, on_connected)) == C_OK)) await_told(el);
            connClose(conn);
        }
        end_loop(el);
    }
    close(listening);
    await_no_threads();
}

/* ---- Connections ---- */

static connection *accepted_one;

static void on_accepted(connection *conn, int flags, char *ip) {
    (void)flags;
    (void)ip;
    CHECK_NULL(accepted_one);
    accepted_one = conn;
    WORKS(TRY(connAccept, (conn, NULL)) == C_OK);
}

static void use_connection(aeEventLoop *el, connection *conn, connection *peer) {
    struct iovec parts[2] = {{"ab", 2}, {"cd", 2}};

    (void)parts;
    CHECK_INT(TRY(connGetState, (conn)), CONN_STATE_CONNECTED);
    TRY(connSetPrivateData, (conn, text));
    CHECK(TRY(connGetPrivateData, (conn)) == text);
    WORKS(TRY(connSetReadHandler, (conn, on_connected)) == C_OK);
    WORKS(TRY(connSetWriteHandler, (conn, on_connected)) == C_OK);
    WORKS(TRY(connSetWriteHandlerWithBarrier, (conn, on_connected, 1)) == C_OK);
    run(el, 1);
    CHECK_INT(TRY(connSetReadHandler, (conn, NULL)), C_OK);
    CHECK_INT(TRY(connSetWriteHandler, (conn, NULL)), C_OK);
    CHECK_INT(TRY(connHasReadHandler, (conn)) + TRY(connHasWriteHandler, (conn)), 0);
    CHECK_INT(TRY(connWrite, (conn, "hello\n", 6)), 6);
    CHECK_INT(TRY(connSyncReadLine, (peer, text, sizeof(text), TEST_PATIENCE_MS)), 5);
    CHECK_INT(TRY(connSyncWrite, (peer, here, 4, TEST_PATIENCE_MS)), 4);
    CHECK_INT(TRY(connSyncRead, (conn, text, 4, TEST_PATIENCE_MS)), 4);
#ifndef LIBAE_ABI_REDIS_6_2
    CHECK_INT(TRY(connWritev, (conn, parts, 2)), 4);
    test_await(peer->fd, POLLIN);
    CHECK_INT(TRY(connRead, (peer, text, 4)), 4);
#endif
    TRY(connGetLastError, (conn));
    TRY(connLastErrorRetryable, (conn));
    TRY(connGetInfo, (conn, text, sizeof(text)));
    TRY(connGetType, (conn));
    CHECK_INT(TRY(connNonBlock, (conn)), C_OK);
    CHECK_INT(TRY(connBlock, (conn)), C_OK);
    TRY(connEnableTcpNoDelay, (conn));
    TRY(connDisableTcpNoDelay, (conn));
    TRY(connKeepAlive, (conn, 10));
    CHECK_INT(TRY(connSendTimeout, (conn, 10)), C_OK);
    CHECK_INT(TRY(connRecvTimeout, (conn, 10)), C_OK);
#ifndef TEST_CONN_V1
    TRY(connAddr, (conn, text, sizeof(text), &(int){0}, 1));
    TRY(connAddrPeerName, (conn, text, sizeof(text), &(int){0}));
    TRY(connAddrSockName, (conn, text, sizeof(text), &(int){0}));
    TRY(connFormatAddr, (conn, text, sizeof(text), 1));
    TRY(formatAddr, (text, sizeof(text), here, 1));
    TRY(connIsLocal, (conn));
    TRY(connIsTLS, (conn));
    TRY(connGetPeerCert, (conn));
    TRY(libaeConnAcceptData, (peer));
    TRY(connShutdown, (conn));
#endif
}

static void close_connection(connection *conn) {
    if (conn != NULL) TRY(connClose, (conn));
}

/* A connection in one of the ways to connect, or NULL. */
static connection *connect_by(int way, aeEventLoop *el, int port) {
    connection *conn = test_conn_create(el, TCP_TYPE);
    int result;

    if (!WORKS(conn != NULL)) return NULL;
    told = 0;
    if (way == 0)
        result = TRY(connBlockingConnect, (conn, here, port, TEST_PATIENCE_MS));
    else
        result = way == 1 ? TRY(connConnect, (conn, here, port, NULL, on_connected))
                          : TRY(libaeConnConnect, (err, conn, here, port, NULL, on_connected));
    if (WORKS(result == C_OK)) {
        if (way > 0) await_told(el);
        if (connGetState(conn) == CONN_STATE_CONNECTED) return conn;
    }
    close_connection(conn);
    return NULL;
}

static void connections(void) {
    int port, listening = test_listen(AF_INET, 8, &port), way, fd;
    aeEventLoop *el = new_loop();
    connection *conn, *peer;

    for (way = 0; el != NULL && way < 3; way++) {
        conn = connect_by(way, el, port);
        if (conn == NULL) {
            fd = accept(listening, NULL, NULL);
            if (fd != -1) close(fd);
            continue;
        }
        fd = test_accept(listening, SOCK_NONBLOCK | SOCK_CLOEXEC);
        peer = test_conn_create_accepted(el, TCP_TYPE, fd);
        if (WORKS(peer != NULL)) {
            CHECK_INT(TRY(connAccept, (peer, NULL)), C_OK);
            use_connection(el, conn, peer);
        } else {
            close(fd); /* it stays the caller's */
        }
        close_connection(peer);
        close_connection(conn);
    }
    end_loop(el);
    close(listening);
}

#ifdef TEST_CONN_V1

static void listeners(void) { CHECK_NULL(accepted_one); /* there are none */ }
static void types(void) { CHECK_INT(test_conn_types(), C_OK); }

#else

static int listen_as(int way, connListener *listener) {
    return way ? TRY(libaeConnListen, (err, listener, NULL)) : TRY(connListen, (listener));
}

static void listeners(void) {
    char *addresses[] = {here};
    connListener listener;
    aeEventLoop *el;
    int client, way;
    char byte;

    for (way = 0; way < 2; way++) {
        listener = (connListener){.bindaddr = addresses, .bindaddr_count = 1, .ct = TCP_TYPE};
        if ((el = new_loop()) == NULL) continue;
        if (WORKS(listen_as(way, &listener) == C_OK)) {
            if (WORKS(aeCreateFileEvent(el, listener.fd[0], AE_READABLE, TRY(connAcceptHandler, (TCP_TYPE)), NULL) == AE_OK)) {
                client = test_connect(AF_INET, listener.port);
                run(el, 1);
                if (accepted_one == NULL) {
                    CHECK(heap.refused > 0);
                    CHECK_INT(read(client, &byte, 1), 0);
                }
                close_connection(accepted_one);
                accepted_one = NULL;
                close(client);
            }
            aeDeleteFileEvent(el, listener.fd[0], AE_READABLE);
            close(listener.fd[0]);
        }
        end_loop(el);
    }
}

static void types(void) {
    static ConnectionType own;

    CHECK(TRY(connectionTypeTcp, ()) != NULL && TRY(connectionTypeUnix, ()) != NULL);
    TRY(connTypeInitialize, ());
    TRY(connTypeRegister, (&own));
    TRY(RedisRegisterConnectionTypeSocket, ());
    TRY(RedisRegisterConnectionTypeUnix, ());
    note_call("connectionByType");
    note_call("connTypeHasPendingData");
    note_call("connTypeProcessPendingData");
#ifndef TEST_VALKEY_9
    CHECK(connectionByType("tcp") != NULL);
    CHECK(TRY(connectionIndexByType, ("tcp")) >= 0);
#endif
    CHECK_INT(test_has_pending_data(NULL), 0);
    CHECK_INT(test_process_pending_data(NULL), 0);
    note_call("connCreate");
    note_call("connCreateAccepted");
    TRY(connTypeConfigure, (TCP_TYPE, NULL, 0));
}

#endif

/* ---- The rest ---- */

static libaeHost host = {.size = sizeof(libaeHost), .accepted = on_accepted, .allocator = COUNTED_HEAP};

static void others(void) {
    libaeProxy proxy = {.size = sizeof(proxy)};
    char *nobody[] = {text, NULL};

    CHECK(TRY(libaeVersion, ()) != NULL && TRY(libaeAbiProfile, ()) != NULL);
    CHECK_INT(TRY(libaeSetHost, (&host)), AE_OK);
    TRY(libaeSetSafeSockets, (0));
    TRY(libaeParseProxy, ("PROXY UNKNOWN\r\n", 15, &proxy));
    CHECK_INT(TRY(libaeListenFds, ()), 0);
    CHECK_INT(TRY(libaeExecWithListeners, ("/no/such/program", nobody, NULL, 0)), AE_ERR);
    CHECK_INT(errno, ENOENT);
}

/* ---- Each in turn ---- */

static void begin(void) {
    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK_INT(test_conn_types(), C_OK);
}

#define SCENARIO(name)                 \
    static void name##_fail(void) {    \
        begin();                       \
        every_allocation(name);        \
    }

SCENARIO(loops)
SCENARIO(file_events)
SCENARIO(time_events)
SCENARIO(posts)
SCENARIO(signals_and_children)
SCENARIO(anet_options)
SCENARIO(anet_sockets)
SCENARIO(names)
SCENARIO(connections)
SCENARIO(listeners)
SCENARIO(types)
SCENARIO(others)

/* TLS is tls_allocation_fails.c's, and a cleanup would end the types. */
static int is_meant(const char *name) {
    return strstr(name, "Tls") == NULL && strstr(name, "TLS") == NULL && strcmp(name, "connTypeCleanupAll") != 0;
}

/* In the default profile; what others have beside it allocates nothing of its own. */
static void every_function_was_called(void) {
    static void (*const scenarios[])(void) = {loops, file_events,  time_events, posts,       signals_and_children,
                                              names, anet_options, anet_sockets, connections, listeners,
                                              types, others};
    size_t i;

    begin();
    for (i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) scenarios[i]();
#ifdef LIBAE_ABI_REDIS_7_2
    check_all_called(is_meant);
#else
    CHECK(is_meant("aeMain"));
#endif
}

TEST_MAIN(CASE(loops_fail), CASE(file_events_fail), CASE(time_events_fail), CASE(posts_fail),
          CASE(signals_and_children_fail), CASE(anet_options_fail), CASE(anet_sockets_fail), CASE(names_fail),
          CASE(connections_fail), CASE(listeners_fail), CASE(types_fail), CASE(others_fail),
          CASE(every_function_was_called))
