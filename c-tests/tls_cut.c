/* TLS: the handshake is cut behind every one of its bytes, in every way that there is; and everything goes in
 * fragments of one byte. Nothing may crash, hang or be left behind. */
#include "test.h"
#include "tls_wire.h"

#include <stdbool.h>

/* ---- Cuts ---- */

enum cut { CUT_BEFORE_CLIENT, CUT_BEFORE_SERVER, CLOSE_CLIENT, CLOSE_SERVER, RESET_CLIENT };

static void do_cut(enum cut cut) {
    struct linger now = {1, 0};

    switch (cut) {
    case RESET_CLIENT:
        CHECK(setsockopt(near_end, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) == 0);
        wire_cut(&near_end);
        break;
    case CUT_BEFORE_CLIENT: /* closed, it would be a reset if there is something that the test has not let through */
        CHECK_INT(shutdown(near_end, SHUT_WR), 0);
        break;
    case CUT_BEFORE_SERVER:
        test_drain(far_end);
        wire_cut(&far_end);
        break;
    case CLOSE_CLIENT: connClose(client), client = NULL; break;
    case CLOSE_SERVER: connClose(server), server = NULL; break;
    }
}

/* One end has been cut off: it hears of that, once, in its handler or, when its handshake was over, by reading. */
static void expect_end(connection *conn, const int *calls, const int *state, bool reset) {
    char buffer[64];

    while (*calls == 0) tls_run_once();
    CHECK_INT(*calls, 1);
    if (*state == CONN_STATE_CONNECTED) {
        CHECK_INT(tls_read_some(conn, buffer, sizeof(buffer)), reset ? -1 : 0);
        CHECK_INT(connGetState(conn), reset ? CONN_STATE_ERROR : CONN_STATE_CLOSED);
    } else {
        CHECK_INT(*state, CONN_STATE_ERROR);
        CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
        CHECK(connGetLastError(conn)[0] != '\0');
    }
    CHECK_INT(aeGetFileEvents(el, conn->fd), AE_NONE);
}

/* Lets so many bytes through, and cuts. Returns whether the handshake was over by then. */
static bool cut_behind(long bytes, enum cut cut, int auth) {
    bool over;
    long moved;

    wire_connect(auth);
    moved = wire_run(bytes, WIRE_ALL);
    over = client_calls && server_calls && moved < bytes;
    do_cut(cut);
    if (cut == CUT_BEFORE_CLIENT || cut == RESET_CLIENT)
        expect_end(client, &client_calls, &client_state, cut == RESET_CLIENT);
    if (cut == CUT_BEFORE_SERVER) expect_end(server, &server_calls, &server_state, false);
    tls_run_idle(); /* the end that is still open */
    wire_close();
    return over;
}

static void cut_everywhere(const char *protocols, enum cut cut, int auth) {
    int step = test_slow_tool() || strcmp(getenv("LIBAE_BACKEND"), "epoll") != 0 ? 97 : 1, before;
    long bytes;

    TLS_BEGIN(config.protocols = protocols; config.client_cert_file = tls_file("client.crt");
              config.client_key_file = tls_file("client.key"));
    before = test_open_fds();
    for (bytes = (cut * 13) % step; !cut_behind(bytes, cut, auth); bytes += step) {
        CHECK_INT(test_open_fds(), before);
        CHECK(bytes < 20000);
    }
    if (bytes < 900) FAIL("the handshake was over after %ld bytes", bytes);
    tls_end();
}

#define CUTS(name, protocols, auth)                                                           \
    static void name##_client_is_cut_off(void) { cut_everywhere(protocols, CUT_BEFORE_CLIENT, auth); } \
    static void name##_server_is_cut_off(void) { cut_everywhere(protocols, CUT_BEFORE_SERVER, auth); } \
    static void name##_client_closes(void) { cut_everywhere(protocols, CLOSE_CLIENT, auth); }          \
    static void name##_server_closes(void) { cut_everywhere(protocols, CLOSE_SERVER, auth); }          \
    static void name##_client_is_reset(void) { cut_everywhere(protocols, RESET_CLIENT, auth); }

CUTS(tls_1_3, "TLSv1.3", LIBAE_TLS_AUTH_CLIENTS_NO)
CUTS(tls_1_2, "TLSv1.2", LIBAE_TLS_AUTH_CLIENTS_NO)
CUTS(mutual, "TLSv1.3", LIBAE_TLS_AUTH_CLIENTS_YES)

#define CUT_CASES(name)                                                                        \
    CASE(name##_client_is_cut_off), CASE(name##_server_is_cut_off), CASE(name##_client_closes), \
        CASE(name##_server_closes), CASE(name##_client_is_reset)

/* ---- Fragments ---- */

static void send_through(connection *from, connection *to, int size, long piece) {
    static char sent[3000], received[3000];
    int done = 0, count, i;

    for (i = 0; i < size; i++) sent[i] = (char)(i + size);
    CHECK_INT(connWrite(from, sent, (size_t)size), size);
    while (done < size) {
        wire_run(WIRE_ALL, piece);
        while ((count = connRead(to, received + done, sizeof(received) - (size_t)done)) > 0) done += count;
        CHECK(count == -1 && errno == EAGAIN);
    }
    CHECK(memcmp(sent, received, (size_t)size) == 0);
}

static void expect_fragments(const char *protocols, long piece) {
    long rounds;
    int i;

    TLS_BEGIN(config.protocols = protocols; config.client_cert_file = tls_file("client.crt");
              config.client_key_file = tls_file("client.key"));
    wire_connect(LIBAE_TLS_AUTH_CLIENTS_YES);
    rounds = iterations;
    while (!(client_calls && server_calls)) wire_run(WIRE_ALL, piece);
    if (client_state != CONN_STATE_CONNECTED) FAIL("client: %s", connGetLastError(client));
    if (server_state != CONN_STATE_CONNECTED) FAIL("server: %s", connGetLastError(server));
    CHECK(iterations - rounds <= 3 * (up + down)); /* one a byte, and not in circles */
    for (i = 1; i < 3000; i += 700) {
        send_through(client, server, i, piece);
        send_through(server, client, i, piece);
    }
    connClose(client);
    client = NULL;
    test_await(near_end, POLLRDHUP);
    wire_run(WIRE_ALL, piece);
    CHECK_INT(connRead(server, &i, 1), 0);
    wire_end();
}

static void single_bytes_of_1_3(void) { expect_fragments("TLSv1.3", 1); }
static void single_bytes_of_1_2(void) { expect_fragments("TLSv1.2", 1); }
static void pieces_of_seven_bytes(void) { expect_fragments("TLSv1.3", 7); }

static size_t arrived;
static int calls;

static void on_read(connection *conn) {
    char buffer[500];
    int count = connRead(conn, buffer, sizeof(buffer));

    calls++;
    CHECK(count > 0 || errno == EAGAIN);
    if (count > 0) arrived += (size_t)count;
}

/* A read handler is called for every byte, since there is one; it gets nothing but whole records. */
static void handler_and_single_bytes(void) {
    char data[600] = "";

    TLS_BEGIN();
    wire_connect_pair();
    CHECK_INT(connSetReadHandler(server, on_read), C_OK);
    CHECK_INT(connWrite(client, data, sizeof(data)), sizeof(data));
    while (arrived < sizeof(data)) wire_run(WIRE_ALL, 1);
    CHECK_INT(arrived, sizeof(data));
    CHECK(calls <= 700);
    CHECK(tls_run_for(30) < 5);
    wire_end();
}

TEST_MAIN(CUT_CASES(tls_1_3), CUT_CASES(tls_1_2), CUT_CASES(mutual), CASE(single_bytes_of_1_3),
          CASE(single_bytes_of_1_2), CASE(pieces_of_seven_bytes), CASE(handler_and_single_bytes))
