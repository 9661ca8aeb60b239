/* TLS while the host's allocator fails, as in every_allocation_fails.c: each allocation in turn. (rustls takes its memory
 * from the C library, and ends the process without.) */
#include "test.h"
#include "tls_test.h"
#include "counted_heap.h"
#include "exports_test.h"

static char why[256], text[256];

static libaeHost host = {.size = sizeof(libaeHost), .allocator = COUNTED_HEAP};

static void begin(void) {
    CHECK_INT(libaeSetHost(&host), AE_OK);
    TLS_BEGIN();
}

static void use_connections(void) {
    int fd;

    client = tls_create(el);
    if (!WORKS(client != NULL)) return;
    if (!WORKS(connConnect(client, "127.0.0.1", port, NULL, tls_on_connected) == C_OK)) {
        CHECK_INT(client->fd, -1);
        CHECK(client->conn_handler == NULL);
        tls_close_both();
        if ((fd = accept(listening, NULL, NULL)) != -1) close(fd);
        return;
    }
    fd = tls_accept_fd();
    server = tls_create_accepted(el, fd, 0);
    if (WORKS(server != NULL)) {
        /* It needs a time event. */
        if (WORKS(connAccept(server, tls_on_accepted) == C_OK)) {
            while (!client_calls || !server_calls) WORKS(aeProcessEvents(el, AE_ALL_EVENTS) >= 0);
            CHECK(client_state == CONN_STATE_CONNECTED || heap.refused > 0);
            CHECK(server_state == CONN_STATE_CONNECTED || heap.refused > 0);
            if (client_state == CONN_STATE_CONNECTED) {
                CHECK(TRY(libaeTlsVersion, (client)) != NULL && TRY(libaeTlsCipher, (client)) != NULL);
                CHECK(TRY(libaeTlsResumed, (client)) >= 0);
                TRY(libaeTlsAlpn, (client, text, sizeof(text)));
                TRY(libaeTlsServerName, (client, text, sizeof(text)));
                CHECK(TRY(libaeTlsPeerCertificate, (client, NULL, 0)) > 0);
                CHECK(TRY(libaeTlsPeerName, (client, LIBAE_TLS_NAME_DNS, 0, text, sizeof(text))) > 0);
            }
        }
    } else {
        close(fd);
    }
    tls_close_both();
}

/* In a loop of its own: what the loop keeps for its next time events goes with it. */
static void connections(void) {
    aeEventLoop *outer = el;

    el = aeCreateEventLoop(256);
    if (WORKS(el != NULL)) {
        use_connections();
        aeDeleteEventLoop(el);
    }
    el = outer;
}

static void connections_fail(void) {
    begin();
    every_allocation(connections);
    tls_end();
}

static void sessions(void) {
    libaeTlsConfig config = tls_config();
    struct libaeTlsContext *context = TRY(libaeTlsContextNew, (&config, why, sizeof(why)));
    struct libaeTlsSession *session;
    int pair[2], with;

    if (!WORKS(context != NULL)) return;
    WORKS(TRY(libaeTlsContextReload, (context, why, sizeof(why))) == AE_OK);
    WORKS(TRY(libaeTlsContextAddName, (context, "localhost", context)) == AE_OK);
    WORKS(TRY(libaeTlsContextAddName, (context, "localhost", NULL)) == AE_OK);
    WORKS(TRY(libaeTlsConfigure, (&config, why, sizeof(why))) == AE_OK);
    test_pair(pair);
    for (with = 0; with < 2; with++) {
        session = with ? TRY(libaeTlsSessionNewWith, (context, pair[0], "localhost", why, sizeof(why)))
                       : TRY(libaeTlsSessionNew, (pair[0], "localhost", why, sizeof(why)));
        if (!WORKS(session != NULL)) continue;
        CHECK_INT(TRY(libaeTlsSessionHandshake, (session)), AE_READABLE);
        CHECK_INT(TRY(libaeTlsSessionRead, (session, text, 1)), -1);
        CHECK_INT(TRY(libaeTlsSessionWrite, (session, text, 1)), -1);
        CHECK_INT(TRY(libaeTlsSessionHasPending, (session)), 0);
        CHECK_NULL(TRY(libaeTlsSessionError, (session)));
        TRY(libaeTlsSessionShutdown, (session));
        TRY(libaeTlsSessionFree, (session));
    }
    client = tls_create(el);
    if (WORKS(client != NULL)) CHECK_INT(TRY(libaeTlsSetContext, (client, context)), AE_OK);
    TRY(libaeTlsSetListenerContext, (listening, context));
    TRY(libaeTlsSetListenerContext, (listening, NULL));
    tls_close_both();
    TRY(libaeTlsContextFree, (context));
    test_close_pair(pair);
}

static void sessions_fail(void) {
    begin();
    every_allocation(sessions);
    tls_end();
}

static int is_meant(const char *name) { return strncmp(name, "libaeTls", 8) == 0; }

static void every_function_was_called(void) {
    begin();
    connections();
    sessions();
    check_all_called(is_meant);
    tls_end();
}

TEST_MAIN(CASE(connections_fail), CASE(sessions_fail), CASE(every_function_was_called))
