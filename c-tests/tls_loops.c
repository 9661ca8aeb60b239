/* TLS in loops that come and go, and that one thread makes and another runs: the time of a handshake is its own,
 * and pending data is announced whoever has asked for some. */
#include "test.h"
#include "another_thread.h"
#include "tls_test.h"

/* ---- Time events of handshakes ---- */

/* A new loop where the old one was, with the old one's number of timers. */
static void a_later_loop_keeps_its_timers(void) {
    aeEventLoop *old, *later[64];
    long long id = -1;
    int i, there = 0, count = 0, fired = 0;

    TLS_BEGIN();
    old = aeCreateEventLoop(64);
    CHECK(old != NULL);
#ifdef TEST_CONN_LOOP
    client = tls_create(old);
#else
    client = tls_create(el);
#endif
    CHECK_INT(connConnect(client, "127.0.0.1", port, NULL, tls_on_connected), C_OK); /* nobody answers */
    aeDeleteEventLoop(old);
    while (count < 64 && !there) {
        later[count] = aeCreateEventLoop(64);
        CHECK(later[count] != NULL);
        there = later[count++] == old;
    }
    for (i = 0; i < count; i++) id = aeCreateTimeEvent(later[i], 0, tls_on_time, &fired, NULL);
    connClose(client);
    client = NULL;
    CHECK_INT(aeDeleteTimeEvent(later[count - 1], id), AE_OK);
    while (count > 0) aeDeleteEventLoop(later[--count]);
    tls_end();
    if (!there) SKIP("no other loop at that address");
}

/* The time events of the two handshakes come behind the case's own. */
enum { CLIENTS_TIMER = FIRST_TIMER + 1, SERVERS_TIMER = FIRST_TIMER + 2 };

static void begin_pair(void) {
    TLS_BEGIN();
    tls_connect("127.0.0.1");
    tls_accept(LIBAE_TLS_AUTH_CLIENTS_NO);
}

/* Which would end an established connection, or use a closed one. */
static void expect_no_timers(void) {
    CHECK_FAILS(aeDeleteTimeEvent(el, CLIENTS_TIMER), AE_ERR, ENOENT);
    CHECK_FAILS(aeDeleteTimeEvent(el, SERVERS_TIMER), AE_ERR, ENOENT);
    CHECK_INT(aeDeleteTimeEvent(el, FIRST_TIMER), AE_OK);
}

static void *shake_hands(void *unused) {
    RUN_UNTIL(client_calls && server_calls);
    EXPECT(client_state == CONN_STATE_CONNECTED);
    EXPECT(server_state == CONN_STATE_CONNECTED);
    return unused;
}

/* One thread makes the loop, another runs it. */
static void established_connections_have_no_timer(void) {
    begin_pair();
    in_another_thread(shake_hands);
    expect_no_timers();
    tls_end();
}

static void *close_them(void *unused) {
    tls_run_idle();
    tls_close_both();
    return unused;
}

static void closed_connections_have_no_timer(void) {
    begin_pair();
    in_another_thread(close_them);
    expect_no_timers();
    tls_end();
}

/* Called again, an accept goes on with the handshake that has begun: with its time, and its timer. */
static void accepted_twice_there_is_one_timer(void) {
    begin_pair();
    CHECK_INT(connAccept(server, tls_on_accepted), C_OK);
    CHECK_INT(connAccept(server, tls_on_accepted), C_OK);
    tls_close_both();
    CHECK_FAILS(aeDeleteTimeEvent(el, SERVERS_TIMER + 1), AE_ERR, ENOENT);
    CHECK_FAILS(aeDeleteTimeEvent(el, SERVERS_TIMER + 2), AE_ERR, ENOENT);
    expect_no_timers();
    tls_end();
}

static void *delete_loop(void *unused) {
    aeDeleteEventLoop(el);
    return unused;
}

/* One thread begins a handshake, another deletes the loop, and the first closes. */
static void the_loop_goes_in_another_thread(void) {
    begin_pair();
    in_another_thread(delete_loop);
    tls_close_both();
    el = aeCreateEventLoop(64);
    tls_end();
}

static void on_ready(connection *conn) { (void)conn; }

/* Nobody calls a handler where there is no loop; one that is taken away is none, with or without. */
static void without_their_loop_they_take_no_handlers(void) {
    begin_pair();
    RUN_UNTIL(client_calls && server_calls);
    CHECK_INT(connSetReadHandler(server, on_ready), C_OK);
    aeDeleteEventLoop(el);
    CHECK_INT(connSetReadHandler(client, on_ready), C_ERR);
    CHECK_INT(connSetWriteHandler(client, on_ready), C_ERR);
    CHECK_INT(connHasReadHandler(client), 0);
    CHECK_INT(connHasWriteHandler(client), 0);
    CHECK_INT(connSetReadHandler(server, NULL), C_OK);
    CHECK_INT(connHasReadHandler(server), 0);
    tls_close_both();
    el = aeCreateEventLoop(64);
    tls_end();
}

/* ---- Pending data, and who asks for it ---- */

enum { SIZE = 16384, PIECE = 100 };

static char data[SIZE];
static size_t arrived;

static void on_read_piece(connection *conn) {
    char buffer[PIECE];
    int count = connRead(conn, buffer, sizeof(buffer));

    if (count > 0) arrived += (size_t)count;
}

static void read_by_pieces(void) {
    arrived = 0;
    CHECK_INT(connSetReadHandler(server, on_read_piece), C_OK);
    tls_write_all(client, data, SIZE);
    RUN_UNTIL(arrived == SIZE);
    CHECK_INT(tls_has_pending(el), 0);
    CHECK_INT(connSetReadHandler(server, NULL), C_OK);
}

static void *ask(void *unused) {
    aeEventLoop *own = aeCreateEventLoop(64);

    EXPECT(tls_process_pending(own) == 0);
    aeDeleteEventLoop(own);
    return unused;
}

static void another_thread_has_asked(void) {
    TLS_BEGIN();
    tls_connect_pair();
    in_another_thread(ask);
    read_by_pieces();
    tls_end();
}

/* Once, and never again: the data is late by an iteration, and does come. */
static void this_thread_has_asked_once(void) {
    TLS_BEGIN();
    tls_connect_pair();
    CHECK_INT(tls_process_pending(el), 0);
    read_by_pieces();
    CHECK_INT(tls_process_pending(el), 0);
    read_by_pieces();
    CHECK(tls_run_for(50) < 5);
    tls_end();
}

static void *read_them(void *unused) {
    int has_pending;

    arrived = 0;
    EXPECT(connSetReadHandler(server, on_read_piece) == C_OK);
    tls_write_all(client, data, SIZE);
    while (arrived == 0) tls_run_once();
    has_pending = tls_has_pending(el);
    EXPECT(has_pending);
    while (arrived < SIZE) tls_run_once();
    return unused;
}

static void another_thread_runs_the_loop(void) {
    TLS_BEGIN();
    tls_connect_pair();
    in_another_thread(read_them);
    tls_end();
}

static void *read_a_part(void *unused) {
    EXPECT(connSetReadHandler(server, on_read_piece) == C_OK);
    tls_write_all(client, data, SIZE);
    while (arrived == 0) tls_run_once();
    EXPECT(tls_has_pending(el) == 1);
    return unused;
}

#ifndef TEST_CONN_LOOP

/* What waits in a loop that another thread runs is that thread's. */
static void pending_data_is_of_the_thread_that_runs_the_loop(void) {
    TLS_BEGIN();
    tls_connect_pair();
    in_another_thread(read_a_part);
    CHECK_INT(tls_has_pending(el), 0);
    CHECK_INT(tls_process_pending(el), 0);
    RUN_UNTIL(arrived == SIZE); /* now it is this one */
    tls_end();
}

#define CASES_OF_THREADS , CASE(pending_data_is_of_the_thread_that_runs_the_loop)

#else

static void pending_data_is_of_the_loop(void) {
    TLS_BEGIN();
    tls_connect_pair();
    in_another_thread(read_a_part);
    CHECK_INT(tls_has_pending(el), 1);
    RUN_UNTIL(arrived == SIZE);
    tls_end();
}

#define CASES_OF_THREADS , CASE(pending_data_is_of_the_loop)

#endif

TEST_MAIN(CASE(a_later_loop_keeps_its_timers), CASE(established_connections_have_no_timer),
          CASE(closed_connections_have_no_timer),
          CASE(accepted_twice_there_is_one_timer), CASE(the_loop_goes_in_another_thread),
          CASE(without_their_loop_they_take_no_handlers),
          CASE(another_thread_has_asked), CASE(this_thread_has_asked_once),
          CASE(another_thread_runs_the_loop) CASES_OF_THREADS)
