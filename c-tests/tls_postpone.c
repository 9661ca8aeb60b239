/* Valkey: while another thread uses a TLS connection, its loop is left alone; afterwards it catches up. */
#include "test.h"
#include "tls_test.h"

enum { SIZE = 16384, PIECE = 100 };

static char data[SIZE];
static size_t arrived;
static int reads;

static void on_read(connection *conn) {
    static char buffer[PIECE];
    int count = connRead(conn, buffer, sizeof(buffer));

    reads++;
    if (count > 0) arrived += (size_t)count;
}

static void handlers_set_meanwhile_wait(void) {
    TLS_BEGIN();
    tls_connect_pair();
    connSetPostponeUpdateState(server, 1);
    CHECK_INT(connSetReadHandler(server, on_read), C_OK);
    CHECK_INT(connHasReadHandler(server), 1);
    CHECK_INT(aeGetFileEvents(el, server->fd), AE_NONE);
    connSetPostponeUpdateState(server, 0);
    CHECK_INT(aeGetFileEvents(el, server->fd), AE_NONE);
    connUpdateState(server);
    CHECK_INT(aeGetFileEvents(el, server->fd), AE_READABLE);
    connSetPostponeUpdateState(server, 1);
    CHECK_INT(connSetReadHandler(server, NULL), C_OK);
    CHECK_INT(aeGetFileEvents(el, server->fd), AE_READABLE);
    connSetPostponeUpdateState(server, 0);
    connUpdateState(server);
    CHECK_INT(aeGetFileEvents(el, server->fd), AE_NONE);
    tls_end();
}

/* What the other thread has left in the connection is pending afterwards, not before. */
static void pending_data_waits(void) {
    char buffer[PIECE];

    TLS_BEGIN();
    tls_connect_pair();
    CHECK_INT(tls_process_pending(el), 0);
    CHECK_INT(connSetReadHandler(server, on_read), C_OK);
    tls_write_all(client, data, SIZE);
    CHECK(aeWait(server->fd, AE_READABLE, TEST_PATIENCE_MS) > 0);
    connSetPostponeUpdateState(server, 1);
    tls_read_all(server, buffer, PIECE);
    CHECK_INT(tls_process_pending(el), 0);
    CHECK_INT(reads, 0);
    connSetPostponeUpdateState(server, 0);
    connUpdateState(server);
    CHECK_INT(tls_has_pending(el), 1);
    while (tls_has_pending(el)) CHECK_INT(tls_process_pending(el), 1);
    CHECK_INT(arrived, SIZE - PIECE);
    tls_end();
}

/* It was pending already when it was handed out. */
static void pending_data_is_handed_out(void) {
    char buffer[2 * PIECE];

    TLS_BEGIN();
    tls_connect_pair();
    CHECK_INT(tls_process_pending(el), 0);
    CHECK_INT(connSetReadHandler(server, on_read), C_OK);
    tls_write_all(client, data, 3 * PIECE);
    RUN_UNTIL(reads == 1);
    CHECK_INT(tls_has_pending(el), 1);
    connSetPostponeUpdateState(server, 1);
    CHECK_INT(tls_process_pending(el), 0);
    CHECK_INT(reads, 1);
    tls_read_all(server, buffer, 2 * PIECE);
    connSetPostponeUpdateState(server, 0);
    connUpdateState(server);
    CHECK_INT(tls_has_pending(el), 0);
    CHECK_INT(tls_process_pending(el), 0);
    CHECK(tls_run_for(30) < 5);
    CHECK_INT(arrived, PIECE);
    tls_end();
}

/* ---- One closes another that waits while a thread uses it ---- */

static connection *other_client, *other;

static void on_read_close_the_other(connection *conn) {
    on_read(conn);
    if (other == NULL) return;
    CHECK(conn == server);
    connClose(other);
    other = NULL;
}

static void closed_by_the_handler_of_another(void) {
    TLS_BEGIN();
    tls_connect_pair();
    other_client = client;
    other = server;
    client = server = NULL;
    client_calls = server_calls = 0;
    tls_connect_pair();
    CHECK_INT(tls_process_pending(el), 0);
    CHECK_INT(connSetReadHandler(other, on_read), C_OK);
    tls_write_all(other_client, data, 10 * PIECE);
    RUN_UNTIL(reads > 0);
    connSetPostponeUpdateState(other, 1);
    CHECK_INT(connSetReadHandler(server, on_read), C_OK);
    reads = 0;
    tls_write_all(client, data, 10 * PIECE);
    RUN_UNTIL(reads > 0);
    CHECK_INT(tls_has_pending(el), 1);
    CHECK_INT(connSetReadHandler(server, on_read_close_the_other), C_OK);
    CHECK_INT(tls_process_pending(el), 1);
    CHECK_NULL(other);
    while (tls_has_pending(el)) CHECK_INT(tls_process_pending(el), 1);
    CHECK_INT(reads, 10);
    connClose(other_client);
    tls_end();
}

/* It keeps its place while it waits. */
static void waits_in_its_place(void) {
    TLS_BEGIN();
    tls_connect_pair();
    CHECK_INT(connSetReadHandler(server, on_read), C_OK);
    tls_write_all(client, data, 3 * PIECE);
    CHECK_INT(tls_process_pending(el), 0);
    RUN_UNTIL(reads == 1);
    connSetPostponeUpdateState(server, 1);
    CHECK_INT(tls_process_pending(el), 0);
    CHECK_INT(tls_has_pending(el), 1);
    CHECK(tls_run_for(30) < 5); /* nor does the loop spin */
    connSetPostponeUpdateState(server, 0);
    connUpdateState(server);
    RUN_UNTIL(arrived == 3 * PIECE); /* by itself: nobody asks now */
    tls_end();
}

#ifdef TEST_VALKEY_8_1

static void what_arrives_is_checked(void) {
    TLS_BEGIN();
    tls_connect_pair();
    CHECK_INT(connIsIntegrityChecked(server), 1);
    tls_end();
}

static void listener_closes(void) {
    char address[] = "127.0.0.1", *addresses[] = {address};
    connListener listener = {.bindaddr = addresses, .bindaddr_count = 1, .ct = NULL};

    TLS_BEGIN();
    listener.ct = connectionTypeTls();
    CHECK_INT(connListen(&listener), C_OK);
    CHECK_INT(listener.count, 1);
    connCloseListener(&listener);
    CHECK_INT(listener.count, 0);
    tls_end();
}

#define CASES_OF_8_1 , CASE(what_arrives_is_checked), CASE(listener_closes)
#else
#define CASES_OF_8_1
#endif

TEST_MAIN(CASE(handlers_set_meanwhile_wait), CASE(pending_data_waits), CASE(pending_data_is_handed_out),
          CASE(closed_by_the_handler_of_another), CASE(waits_in_its_place) CASES_OF_8_1)
