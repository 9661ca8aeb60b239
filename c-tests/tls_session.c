/* Sessions of TLS over descriptors that the program connects and watches itself: libaeTlsSession. The server is a
 * connection of the library's, or `openssl s_server`. */
#include "test.h"
#include "tls_openssl.h"

#include <pthread.h>

enum { MANY = 3 * 1024 * 1024, THREADS = 4 };

static libaeTlsSession *session;
static int fd = -1;

/* The result of the handshake that has ended: 0 or -1. */
static int outcome = 1;

/* What the server has received. */
static char *received;
static size_t arrived;
static int server_ended;

/* ---- The client: a descriptor in the loop ---- */

static libaeTlsContext *own; /* NULL: the process's */

static void begin_session(int to_port, const char *server_name) {
    char err[256] = "";

    fd = test_connect(AF_INET, to_port);
    test_set_nonblocking(fd);
    session = own != NULL ? libaeTlsSessionNewWith(own, fd, server_name, err, sizeof(err))
                          : libaeTlsSessionNew(fd, server_name, err, sizeof(err));
    if (session == NULL) FAIL("libaeTlsSessionNew: %s", err);
    outcome = 1;
}

static void on_ready(aeEventLoop *loop, int ready, void *data, int mask) {
    int waits_for = libaeTlsSessionHandshake(session);

    (void)data;
    (void)mask;
    CHECK_INT(ready, fd);
    aeDeleteFileEvent(loop, fd, AE_READABLE | AE_WRITABLE);
    if (waits_for > 0)
        CHECK_INT(aeCreateFileEvent(loop, fd, waits_for, on_ready, NULL), AE_OK);
    else
        outcome = waits_for;
}

/* From the first step to the last. */
static void begin_handshake(void) {
    CHECK_INT(aeCreateFileEvent(el, fd, AE_WRITABLE, on_ready, NULL), AE_OK);
}

static void end_session(void) {
    libaeTlsSessionFree(session);
    session = NULL;
    if (fd != -1) close(fd);
    fd = -1;
}

/* ---- The server: a connection ---- */

static void on_request(connection *conn) {
    int count;

    do {
        count = connRead(conn, received + arrived, MANY - arrived);
        if (count > 0) arrived += (size_t)count;
    } while (count > 0 && arrived < MANY);
    if (count <= 0 && connGetState(conn) != CONN_STATE_CONNECTED) {
        server_ended = 1;
        CHECK_INT(connSetReadHandler(conn, NULL), C_OK);
    }
}

static void begin_server(int auth) {
    received = calloc(1, MANY + 1);
    CHECK(received != NULL);
    tls_accept(auth);
}

static void established_with(int auth) {
    begin_session(port, "127.0.0.1");
    begin_server(auth);
    begin_handshake();
    RUN_UNTIL(outcome <= 0 && server_calls);
    if (outcome == -1) FAIL("%s", libaeTlsSessionError(session));
    if (server_state != CONN_STATE_CONNECTED) FAIL("server: %s", connGetLastError(server));
    CHECK_INT(connEnableTcpNoDelay(server), C_OK); /* what it writes is there at once */
    CHECK_INT(connSetReadHandler(server, on_request), C_OK);
}

static void established(void) { established_with(LIBAE_TLS_AUTH_CLIENTS_NO); }

static void end(void) {
    end_session();
    free(received);
    tls_end();
}

/* Reads that much, whatever the steps. */
static void read_all(char *buffer, size_t size, size_t most) {
    size_t done = 0;

    while (done < size) {
        size_t room = size - done < most ? size - done : most;
        ssize_t count = libaeTlsSessionRead(session, buffer + done, room);

        if (count == 0) FAIL("the end after %zu of %zu bytes", done, size);
        if (count > 0) {
            done += (size_t)count;
        } else {
            CHECK_INT(errno, EAGAIN);
            CHECK_INT(libaeTlsSessionHasPending(session), 0);
            if (aeWait(fd, AE_READABLE, 10) <= 0) tls_run_idle();
        }
    }
}

/* The same data again after EAGAIN, when the descriptor is writable. */
static void write_all(const char *data, size_t size) {
    size_t done = 0;

    while (done < size) {
        ssize_t count = libaeTlsSessionWrite(session, data + done, size - done);

        if (count > 0)
            done += (size_t)count;
        else
            CHECK(count == -1 && errno == EAGAIN);
        if (aeWait(fd, AE_WRITABLE, 10) <= 0) tls_run_idle();
    }
}

static char *pattern(void) {
    char *bytes = malloc(MANY);
    unsigned state = 1;
    size_t i;

    CHECK(bytes != NULL);
    for (i = 0; i < MANY; i++) bytes[i] = (char)((state = state * 1103515245 + 12345) >> 16);
    return bytes;
}

/* ---- Handshake and data ---- */

static void both_directions(void) {
    char buffer[16] = "";

    TLS_BEGIN();
    established();
    CHECK_KEEPS_ERRNO(libaeTlsSessionHandshake(session), 0); /* it stays done */
    CHECK_NULL(libaeTlsSessionError(session));
    CHECK_FAILS(libaeTlsSessionRead(session, buffer, sizeof(buffer)), -1, EAGAIN);
    CHECK_KEEPS_ERRNO(libaeTlsSessionWrite(session, "request", 7), 7);
    RUN_UNTIL(arrived == 7);
    CHECK_TEXT(received, "request");
    tls_write_all(server, "answer", 6);
    read_all(buffer, 6, sizeof(buffer));
    CHECK_TEXT(buffer, "answer");
    end();
}

static void much_data(void) {
    char *sent, *back;

    TLS_BEGIN();
    sent = pattern();
    back = malloc(MANY);
    CHECK(back != NULL);
    established();
    write_all(sent, MANY);
    RUN_UNTIL(arrived == MANY);
    CHECK(memcmp(received, sent, MANY) == 0);
    CHECK_INT(connWrite(server, sent, 100 * 1024) > 0, 1);
    read_all(back, 60 * 1024, 777);
    CHECK(memcmp(back, sent, 60 * 1024) == 0);
    free(sent);
    free(back);
    end();
}

/* What is received with other data is told by nobody but the session. */
static void data_that_was_read_ahead(void) {
    char buffer[8] = "";

    TLS_BEGIN();
    established();
    CHECK_INT(libaeTlsSessionHasPending(session), 0);
    tls_write_all(server, "one", 3);
    tls_write_all(server, "two", 3);
    CHECK(aeWait(fd, AE_READABLE, TEST_PATIENCE_MS) > 0);
    CHECK_INT(libaeTlsSessionRead(session, buffer, 1), 1);
    CHECK_KEEPS_ERRNO(libaeTlsSessionHasPending(session), 1);
    read_all(buffer + 1, 5, 2);
    CHECK_TEXT(buffer, "onetwo");
    CHECK_INT(libaeTlsSessionHasPending(session), 0);
    end();
}

/* A configuration of its own, whose sessions resume each other. */
static void with_its_own_configuration(void) {
    libaeTlsConfig config;
    char err[256], buffer[8];
    int i;

    TLS_BEGIN(config.ca_cert_file = NULL); /* with the process's nobody connects */
    config = tls_config();
    own = libaeTlsContextNew(&config, err, sizeof(err));
    CHECK(own != NULL);
    CHECK_FAILS_NULL(libaeTlsSessionNewWith(own, -1, "localhost", err, sizeof(err)), EINVAL);
    CHECK_TEXT(err, "no descriptor");
    CHECK_FAILS_NULL(libaeTlsSessionNewWith(NULL, 0, "localhost", err, sizeof(err)), EINVAL);
    CHECK_TEXT(err, "no configuration");
    for (i = 0; i < 2; i++) {
        established();
        CHECK_INT(libaeTlsResumed(server), i);
        tls_write_all(server, "answer", 6);
        read_all(buffer, 6, sizeof(buffer)); /* and the tickets */
        end_session();
        free(received);
        arrived = 0;
        tls_close_both();
    }
    libaeTlsContextFree(own);
    own = NULL;
    received = NULL;
    end();
}

/* Not before the handshake, and no step of it when nothing has come. */
static void too_early(void) {
    char buffer[8];

    TLS_BEGIN();
    begin_session(port, "127.0.0.1");
    CHECK_FAILS(libaeTlsSessionRead(session, buffer, sizeof(buffer)), -1, ENOTCONN);
    CHECK_FAILS(libaeTlsSessionWrite(session, "x", 1), -1, ENOTCONN);
    CHECK_KEEPS_ERRNO(libaeTlsSessionHandshake(session), AE_READABLE);
    CHECK_KEEPS_ERRNO(libaeTlsSessionHandshake(session), AE_READABLE);
    CHECK_FAILS(libaeTlsSessionWrite(session, "x", 1), -1, ENOTCONN);
    libaeTlsSessionShutdown(session);
    CHECK_INT(libaeTlsSessionHasPending(session), 0);
    end();
}

/* The socket has no room for the first message. It is a unix socket: what fills one of TCP may trickle on to the peer. */
static void handshake_waits_for_room(void) {
    int pair[2];

    TLS_BEGIN();
    test_pair(pair);
    test_fill(pair[0]);
    session = libaeTlsSessionNew(pair[0], "127.0.0.1", NULL, 0);
    CHECK(session != NULL);
    CHECK_INT(libaeTlsSessionHandshake(session), AE_WRITABLE);
    test_close_pair(pair);
    end();
}

static void nothing_of_no_length(void) {
    TLS_BEGIN();
    established();
    CHECK_INT(libaeTlsSessionRead(session, NULL, 0), 0);
    CHECK_INT(libaeTlsSessionWrite(session, NULL, 0), 0);
    CHECK_FAILS(libaeTlsSessionRead(session, NULL, 1), -1, EINVAL);
    CHECK_FAILS(libaeTlsSessionWrite(session, NULL, 1), -1, EINVAL);
    CHECK_NULL(libaeTlsSessionError(session));
    end();
}

/* ---- Ends ---- */

static void server_closes(void) {
    char buffer[8];

    TLS_BEGIN();
    established();
    tls_write_all(server, "bye", 3);
    connClose(server);
    server = NULL;
    test_await(fd, POLLRDHUP);
    read_all(buffer, 3, 3);
    CHECK_INT(libaeTlsSessionRead(session, buffer, sizeof(buffer)), 0);
    CHECK_INT(libaeTlsSessionRead(session, buffer, sizeof(buffer)), 0);
    CHECK_NULL(libaeTlsSessionError(session));
    end();
}

/* The session says goodbye, and that is the last it does. */
static void client_shuts_down(void) {
    char buffer[8] = "";

    TLS_BEGIN();
    established();
    tls_write_all(server, "unread", 6);
    CHECK_INT(libaeTlsSessionRead(session, buffer, 1), 1);
    CHECK_INT(libaeTlsSessionHasPending(session), 1);
    errno = 4242;
    libaeTlsSessionShutdown(session);
    libaeTlsSessionShutdown(session);
    CHECK_INT(errno, 4242);
    CHECK_FAILS(libaeTlsSessionWrite(session, "x", 1), -1, EPIPE);
    CHECK_FAILS(libaeTlsSessionRead(session, buffer, sizeof(buffer)), -1, EPIPE);
    CHECK_INT(libaeTlsSessionHasPending(session), 0);
    RUN_UNTIL(server_ended);
    CHECK_INT(connGetState(server), CONN_STATE_CLOSED);
    CHECK_NULL(libaeTlsSessionError(session));
    end();
}

static void socket_is_reset(void) {
    struct linger hard = {1, 0};
    char buffer[8];

    TLS_BEGIN();
    established();
    CHECK_INT(setsockopt(server->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), 0);
    CHECK_INT(dup2(listening, server->fd), server->fd); /* no close_notify */
    test_await(fd, 0); /* the error; tickets are there to be read before */
    CHECK_FAILS(libaeTlsSessionRead(session, buffer, sizeof(buffer)), -1, ECONNRESET);
    CHECK_CONTAINS(libaeTlsSessionError(session), "reset");
    CHECK_FAILS(libaeTlsSessionWrite(session, "x", 1), -1, ECONNRESET);
    CHECK_FAILS(libaeTlsSessionHandshake(session), -1, ECONNRESET);
    end();
}

/* Freeing sends nothing, closes nothing, and does not mind that the descriptor is somebody else's by now. */
static void descriptor_stays_the_programs(void) {
    int pair[2];

    TLS_BEGIN();
    established();
    test_pair(pair);
    CHECK_INT(dup2(pair[0], fd), fd);
    libaeTlsSessionFree(session);
    session = NULL;
    CHECK(test_is_open(fd));
    CHECK_INT(test_drain(pair[1]), 0);
    test_close_pair(pair);
    end();
}

/* ---- Failures ---- */

static void server_is_refused(void) {
    TLS_BEGIN(config.ca_cert_file = tls_file("other-ca.crt"));
    begin_session(port, "127.0.0.1");
    begin_server(LIBAE_TLS_AUTH_CLIENTS_NO);
    begin_handshake();
    RUN_UNTIL(outcome <= 0 && server_calls);
    CHECK_INT(outcome, -1);
    CHECK_CONTAINS(libaeTlsSessionError(session), "not signed by a known CA");
    CHECK_FAILS(libaeTlsSessionHandshake(session), -1, EPROTO);
    CHECK_FAILS(libaeTlsSessionWrite(session, "x", 1), -1, EPROTO);
    CHECK_CONTAINS(connGetLastError(server), "UnknownCA");
    end();
}

static void client_is_refused(void) {
    char buffer[8];

    TLS_BEGIN(config.client_cert_file = tls_file("other.crt"); config.client_key_file = tls_file("other.key"));
    begin_session(port, "127.0.0.1");
    begin_server(LIBAE_TLS_AUTH_CLIENTS_YES);
    begin_handshake();
    RUN_UNTIL(outcome <= 0 && server_calls);
    CHECK_INT(server_state, CONN_STATE_ERROR);
    CHECK_INT(outcome, 0); /* as TLS 1.3 has it */
    CHECK(aeWait(fd, AE_READABLE, TEST_PATIENCE_MS) > 0);
    CHECK_FAILS(libaeTlsSessionRead(session, buffer, sizeof(buffer)), -1, EPROTO);
    CHECK_CONTAINS(libaeTlsSessionError(session), "the peer gave up with the alert");
    CHECK_INT(libaeTlsSessionHasPending(session), 0);
    end();
}

static void client_shows_its_certificate(void) {
    TLS_BEGIN(config.client_cert_file = tls_file("client.crt"); config.client_key_file = tls_file("client.key"));
    established_with(LIBAE_TLS_AUTH_CLIENTS_YES);
    end();
}

static void server_speaks_another_protocol(void) {
    int plain;

    TLS_BEGIN();
    begin_session(port, "127.0.0.1");
    plain = tls_accept_fd();
    test_send(plain, "-ERR this is RESP\r\n");
    begin_handshake();
    RUN_UNTIL(outcome <= 0);
    CHECK_INT(outcome, -1);
    CHECK_CONTAINS(libaeTlsSessionError(session), "the peer sent something that is not TLS");
    close(plain);
    end();
}

static void server_goes_away(void) {
    int plain;

    TLS_BEGIN();
    begin_session(port, "127.0.0.1");
    CHECK_INT(libaeTlsSessionHandshake(session), AE_READABLE);
    plain = tls_accept_fd();
    CHECK_INT(shutdown(plain, SHUT_WR), 0);
    begin_handshake();
    RUN_UNTIL(outcome <= 0);
    close(plain);
    CHECK_INT(outcome, -1);
    CHECK_CONTAINS(libaeTlsSessionError(session), "closed the connection during the handshake");
    end();
}

static void expect_name(const char *name, int any, const char *why) {
    TLS_BEGIN(config.any_server_name = any);
    begin_session(port, name);
    begin_server(LIBAE_TLS_AUTH_CLIENTS_NO);
    begin_handshake();
    RUN_UNTIL(outcome <= 0 && server_calls);
    CHECK_INT(outcome, why == NULL ? 0 : -1);
    if (why != NULL) CHECK_CONTAINS(libaeTlsSessionError(session), why);
    end();
}

static void names_are_checked(void) { expect_name("localhost", 0, NULL); }
static void another_name_is_refused(void) { expect_name("example.com", 0, "certificate is refused"); }
static void no_name_is_refused(void) { expect_name(NULL, 0, "certificate is refused"); }
static void any_name_will_do(void) { expect_name(NULL, 1, NULL); }

static void not_configured(void) {
    libaeTlsConfig config = {.size = sizeof(config)};
    char err[256] = "";
    int pair[2];

    if (libaeTlsConfigure(&config, NULL, 0) != AE_OK) {
        CHECK_INT(errno, EOPNOTSUPP);
        CHECK_FAILS_NULL(libaeTlsSessionNew(0, "localhost", err, sizeof(err)), EOPNOTSUPP);
        CHECK_CONTAINS(err, "without TLS");
        SKIP("a library without TLS");
    }
    test_pair(pair);
    CHECK_FAILS_NULL(libaeTlsSessionNew(pair[0], "localhost", err, sizeof(err)), EINVAL);
    CHECK_CONTAINS(err, "no CA");
    CHECK_FAILS_NULL(libaeTlsSessionNew(pair[0], "localhost", err, 5), EINVAL);
    CHECK_INT(strlen(err), 4);
    CHECK_FAILS_NULL(libaeTlsSessionNew(pair[0], "localhost", NULL, 0), EINVAL);
    test_close_pair(pair);
}

/* ---- OpenSSL as the server ---- */

static void with_openssl(const char *version) {
    char buffer[16] = "";
    const char *line, *colon;

    TLS_BEGIN();
    tool_start("s_server", "-accept", "0", "-cert", tls_file("server.crt"), "-key", tls_file("server.key"), "-rev",
               "-tlsextdebug", version, NULL);
    TOOL_SAYS("ACCEPT ");
    line = strstr(tool_text, "ACCEPT ");
    TOOL_UNTIL(strchr(line, '\n') != NULL);
    for (colon = strchr(line, '\n'); *colon != ':'; colon--) continue;
    begin_session(atoi(colon + 1), "localhost");
    begin_handshake();
    TOOL_UNTIL(outcome <= 0);
    if (outcome == -1) FAIL("%s", libaeTlsSessionError(session));
    TOOL_SAYS("server name");
    CHECK_INT(libaeTlsSessionWrite(session, "hello there\n", 12), 12);
    read_all(buffer, 12, 5);
    CHECK_TEXT(buffer, "ereht olleh\n");
    end_session();
    tool_end();
    end();
}

static void openssl_1_3(void) { with_openssl("-tls1_3"); }
static void openssl_1_2(void) { with_openssl("-tls1_2"); }

/* ---- Threads, and descriptors that block ---- */

static void *blocking_client(void *data) {
    size_t size = 200 * 1000, done = 0;
    char *bytes = malloc(size), *back = malloc(size);
    libaeTlsSession *own;
    int own_fd = test_connect(AF_INET, port), letter = (int)(intptr_t)data;

    CHECK(bytes != NULL && back != NULL);
    memset(bytes, letter, size);
    own = libaeTlsSessionNew(own_fd, "localhost", NULL, 0);
    CHECK(own != NULL);
    CHECK_INT(libaeTlsSessionHandshake(own), 0);
    while (done < size) {
        ssize_t wrote = libaeTlsSessionWrite(own, bytes + done, size - done), got;

        CHECK(wrote > 0);
        for (got = 0; got < wrote;) {
            ssize_t count = libaeTlsSessionRead(own, back + got, (size_t)(wrote - got));

            CHECK(count > 0);
            got += count;
        }
        CHECK(memcmp(back, bytes, (size_t)wrote) == 0);
        done += (size_t)wrote;
    }
    libaeTlsSessionShutdown(own);
    libaeTlsSessionFree(own);
    close(own_fd);
    free(bytes);
    free(back);
    return NULL;
}

static int interrupted;

static void on_signal(int number) { (void)number; }

static void *interrupted_client(void *data) {
    char buffer[16];
    ssize_t count;

    (void)data;
    while ((count = libaeTlsSessionRead(session, buffer, sizeof(buffer))) == -1) {
        CHECK_INT(errno, EINTR);
        __atomic_store_n(&interrupted, 1, __ATOMIC_SEQ_CST);
    }
    CHECK_INT(count, 5);
    return NULL;
}

/* What waits in a read hears of it, and may go on. */
static void a_signal_interrupts_a_read(void) {
    struct sigaction action = {.sa_handler = on_signal};
    pthread_t thread;

    TLS_BEGIN();
    established();
    CHECK_INT(fcntl(fd, F_SETFL, 0), 0);
    CHECK_INT(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_INT(pthread_create(&thread, NULL, interrupted_client, NULL), 0);
    while (!__atomic_load_n(&interrupted, __ATOMIC_SEQ_CST)) {
        CHECK_INT(pthread_kill(thread, SIGUSR1), 0);
        test_sleep_us(1000);
    }
    CHECK_INT(connWrite(server, "hello", 5), 5);
    CHECK_INT(pthread_join(thread, NULL), 0);
    end();
}

static void on_echo(connection *conn) {
    static char bytes[64 * 1024];
    int count;

    while ((count = connRead(conn, bytes, sizeof(bytes))) > 0) tls_write_all(conn, bytes, (size_t)count);
    if (connGetState(conn) == CONN_STATE_CONNECTED) return;
    CHECK_INT(connGetState(conn), CONN_STATE_CLOSED);
    server_ended++;
    connClose(conn);
}

static void on_echo_accepted(connection *conn) {
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    CHECK_INT(connSetReadHandler(conn, on_echo), C_OK);
}

static void one_session_a_thread(void) {
    pthread_t threads[THREADS];
    int i;

    TLS_BEGIN();
    for (i = 0; i < THREADS; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, blocking_client, (void *)(intptr_t)('a' + i)), 0);
    for (i = 0; i < THREADS; i++) {
        connection *conn = tls_create_accepted(el, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO);

        CHECK_INT(connAccept(conn, on_echo_accepted), C_OK);
    }
    RUN_UNTIL(server_ended == THREADS);
    for (i = 0; i < THREADS; i++) CHECK_INT(pthread_join(threads[i], NULL), 0);
    end();
}

TEST_MAIN(CASE(both_directions), CASE(with_its_own_configuration), CASE(much_data), CASE(data_that_was_read_ahead), CASE(too_early),
          CASE(handshake_waits_for_room), CASE(nothing_of_no_length), CASE(server_closes), CASE(client_shuts_down),
          CASE(socket_is_reset), CASE(descriptor_stays_the_programs), CASE(server_is_refused), CASE(client_is_refused),
          CASE(client_shows_its_certificate), CASE(server_speaks_another_protocol), CASE(server_goes_away),
          CASE(names_are_checked), CASE(another_name_is_refused), CASE(no_name_is_refused), CASE(any_name_will_do),
          CASE(not_configured), CASE(openssl_1_3), CASE(openssl_1_2), CASE(one_session_a_thread),
          CASE(a_signal_interrupts_a_read))
