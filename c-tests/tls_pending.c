/* TLS: data that the kernel no longer reports, because records came together and have been decrypted, or wait to be. It
 * reaches the read handler whether or not the program asks for pending data, and never keeps a loop busy for nobody. */
#include "test.h"
#include "tls_test.h"

enum { SIZE = 16384, PIECE = 100 };

static unsigned char sent[SIZE], received[SIZE + 1];
static size_t arrived;
static int reads;

static void begin(void) {
    int i;

    TLS_BEGIN();
    tls_connect_pair();
    for (i = 0; i < SIZE; i++) sent[i] = (unsigned char)(i * 7 + i / 256);
}

static void on_read_piece(connection *conn) {
    int count = connRead(conn, received + arrived, arrived + PIECE <= SIZE ? PIECE : SIZE + 1 - arrived);

    reads++;
    if (count > 0) arrived += (size_t)count;
    if (count == -1) CHECK_INT(errno, EAGAIN);
}

static void expect_all(void) {
    RUN_UNTIL(arrived >= SIZE);
    CHECK_INT(arrived, SIZE);
    CHECK(memcmp(sent, received, SIZE) == 0);
}

/* A poll cannot tell: the socket is empty after the first read. */
static void piecemeal_reader_gets_it_all(void) {
    begin();
    CHECK_INT(connSetReadHandler(server, on_read_piece), C_OK);
    tls_write_all(client, sent, SIZE);
    expect_all();
    CHECK(iterations < SIZE); /* nor more than one iteration a piece, with some to spare */
    CHECK_INT(tls_has_pending(el), 0);
    CHECK(tls_run_for(100) < 10);
    tls_end();
}

static int all_there;

/* Does not wait when the last piece comes here, so that the test hears of it. */
static void before_sleep(aeEventLoop *loop) {
    tls_process_pending(loop);
    aeSetDontWait(loop, tls_has_pending(loop) || (arrived == SIZE && !all_there++));
}

/* As Redis does. */
static void piecemeal_reader_in_a_loop_that_asks(void) {
    begin();
    aeSetBeforeSleepProc(el, before_sleep);
    CHECK_INT(connSetReadHandler(server, on_read_piece), C_OK);
    tls_write_all(client, sent, SIZE);
    expect_all();
    CHECK_INT(tls_has_pending(el), 0);
    CHECK(tls_run_for(100) < 10);
    tls_end();
}

static void asking_runs_the_handler_once(void) {
    int before;

    begin();
    CHECK_INT(tls_has_pending(el), 0);
    CHECK_INT(tls_process_pending(el), 0);
    CHECK_INT(connSetReadHandler(server, on_read_piece), C_OK);
    tls_write_all(client, sent, SIZE);
    RUN_UNTIL(arrived > 0);
    CHECK_INT(tls_has_pending(el), 1);
    before = reads;
    CHECK_INT(tls_process_pending(el), 1);
    CHECK_INT(reads, before + 1);
    CHECK_INT(tls_has_pending(el), 1);
    while (tls_has_pending(el)) CHECK_INT(tls_process_pending(el), 1);
    CHECK_INT(arrived, SIZE);
    CHECK_INT(tls_process_pending(el), 0);
    tls_end();
}

/* The library does it then, as for one that never asks. */
static void a_program_may_stop_asking(void) {
    begin();
    CHECK_INT(connSetReadHandler(server, on_read_piece), C_OK);
    tls_write_all(client, sent, SIZE);
    RUN_UNTIL(arrived > 0);
    while (tls_has_pending(el)) CHECK_INT(tls_process_pending(el), 1);
    CHECK_INT(arrived, SIZE);
    CHECK(tls_run_for(100) < 10);
    arrived = 0;
    tls_write_all(client, sent, SIZE);
    expect_all();
    tls_end();
}

/* A program may set it in each iteration, before it asks. */
static void records_are_not_put_off_by_setting_the_handler_anew(void) {
    int i;

    begin();
    CHECK_INT(connEnableTcpNoDelay(client), C_OK);
    for (i = 0; i < 10; i++) CHECK_INT(connWrite(client, sent + i * PIECE, PIECE), PIECE);
    CHECK_INT(connSetReadHandler(server, on_read_piece), C_OK);
    RUN_UNTIL(arrived > 0);
    for (i = 0; i < 10; i++) {
        CHECK_INT(connSetReadHandler(server, on_read_piece), C_OK);
        tls_process_pending(el);
    }
    CHECK_INT(arrived, 10 * PIECE);
    tls_end();
}

/* A child that has a loop of its own must not answer its parent's clients. */
static void a_child_does_not_serve_its_parents_connections(void) {
    aeEventLoop *own;
    int status, before;
    pid_t child;

    begin();
    CHECK_INT(connSetReadHandler(server, on_read_piece), C_OK);
    tls_write_all(client, sent, SIZE);
    RUN_UNTIL(arrived > 0);
    CHECK_INT(tls_has_pending(el), 1);
    before = reads;
    child = fork();
    if (child == 0) {
        own = aeCreateEventLoop(64);
        CHECK_INT(tls_has_pending(own), 0);
        CHECK_INT(tls_process_pending(own), 0);
        CHECK_INT(reads, before);
        /* Not by an exit: the sessions that it has are found by no leak detector. */
        raise(SIGKILL);
    }
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    CHECK_INT(tls_has_pending(el), 1);
    expect_all();
    tls_end();
}

/* Many records in one packet: each whole record is pending. */
static void without_a_handler_nothing_is_pending(void) {
    begin();
    CHECK_INT(connSetReadHandler(server, on_read_piece), C_OK);
    tls_write_all(client, sent, SIZE);
    RUN_UNTIL(arrived > 0);
    CHECK_INT(tls_has_pending(el), 1);
    CHECK_INT(connSetReadHandler(server, NULL), C_OK);
    CHECK_INT(tls_has_pending(el), 0);
    CHECK_INT(connSetReadHandler(server, on_read_piece), C_OK);
    CHECK_INT(tls_has_pending(el), 1);
    expect_all();
    tls_end();
}

/* What was pending belonged to the session that has failed. */
static void a_new_connect_begins_with_nothing(void) {
    int count;

    begin();
    CHECK_INT(connSetReadHandler(client, on_read_piece), C_OK);
    tls_write_all(server, sent, SIZE);
    RUN_UNTIL(arrived > 0);
    CHECK_INT(tls_has_pending(el), 1);
    CHECK_INT(setsockopt(server->fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger)), 0);
    connClose(server);
    server = NULL;
    do count = connWrite(client, "x", 1);
    while (count == 1 || errno == EAGAIN);
    CHECK_INT(connGetState(client), CONN_STATE_ERROR);
    CHECK_INT(connConnect(client, "127.0.0.1", port, NULL, tls_on_connected), C_OK);
    CHECK_INT(tls_has_pending(el), 0);
    client_calls = server_calls = 0;
    tls_accept(LIBAE_TLS_AUTH_CLIENTS_NO);
    RUN_UNTIL(client_calls && server_calls);
    CHECK_INT(client_state, CONN_STATE_CONNECTED);
    tls_end();
}

static void small_records_arrive_together(void) {
    int i;

    begin();
    for (i = 0; i < 100; i++) CHECK_INT(connWrite(client, sent + i * PIECE, PIECE), PIECE);
    CHECK(aeWait(server->fd, AE_READABLE, TEST_PATIENCE_MS) > 0);
    CHECK_INT(connSetReadHandler(server, on_read_piece), C_OK);
    RUN_UNTIL(arrived == (size_t)100 * PIECE);
    CHECK(memcmp(sent, received, arrived) == 0);
    CHECK(tls_run_for(50) < 10);
    tls_end();
}

static void on_read_stop(connection *conn) {
    on_read_piece(conn);
    CHECK_INT(connSetReadHandler(conn, NULL), C_OK);
}

/* Without a handler there is nothing to do, though there is data; with one again it goes on. */
static void nobody_reads_what_is_pending(void) {
    begin();
    CHECK_INT(connSetReadHandler(server, on_read_stop), C_OK);
    tls_write_all(client, sent, SIZE);
    RUN_UNTIL(reads == 1);
    CHECK_INT(tls_has_pending(el), 0);
    CHECK(tls_run_for(100) < 10);
    CHECK_INT(reads, 1);
    CHECK_INT(aeGetFileEvents(el, server->fd), AE_NONE);
    CHECK_INT(connSetReadHandler(server, on_read_piece), C_OK);
    expect_all();
    tls_end();
}

static void on_read_nothing(connection *conn) {
    (void)conn;
    reads++;
}

/* A handler that does not read is called again, as it is for any readable socket: once an iteration. */
static void handler_that_does_not_read_runs_once_an_iteration(void) {
    int i, before;

    begin();
    CHECK_INT(connSetReadHandler(server, on_read_stop), C_OK);
    tls_write_all(client, sent, SIZE);
    RUN_UNTIL(reads == 1);
    CHECK_INT(connSetReadHandler(server, on_read_nothing), C_OK);
    for (i = 0; i < 25; i++) {
        before = reads;
        tls_run_once();
        CHECK(reads - before <= 2);
    }
    CHECK(reads > 20);
    CHECK_INT(connSetReadHandler(server, on_read_piece), C_OK);
    expect_all();
    tls_end();
}

/* The same when something arrives besides. */
static void pieces_are_read_once_an_iteration(void) {
    int before;

    begin();
    CHECK_INT(connSetReadHandler(server, on_read_piece), C_OK);
    tls_write_all(client, sent, SIZE);
    while (arrived < SIZE) {
        before = reads;
        tls_run_once();
        CHECK(reads - before <= 2);
    }
    tls_end();
}

/* ---- Two connections ---- */

static connection *other_client, *other;
static int closed;

static void begin_two(void) {
    begin();
    other_client = client;
    other = server;
    client = server = NULL;
    client_state = server_state = -1;
    client_calls = server_calls = 0;
    tls_connect_pair();
}

static void on_read_close_the_other(connection *conn) {
    connection **there = conn == server ? &other : &server;

    arrived = 0; /* it does not matter what */
    on_read_piece(conn);
    if (reads <= 2 || closed) return; /* until both have begun */
    connClose(*there);
    *there = NULL;
    closed++;
}

static void send_to_both(ConnectionCallbackFunc handler) {
    CHECK_INT(connSetReadHandler(server, handler), C_OK);
    CHECK_INT(connSetReadHandler(other, handler), C_OK);
    tls_write_all(client, sent, SIZE);
    tls_write_all(other_client, sent, SIZE);
}

static void end_two(void) {
    if (other != NULL) connClose(other);
    connClose(other_client);
    tls_end();
}

static void close_one_while_both_are_pending(void) {
    begin_two();
    send_to_both(on_read_close_the_other);
    RUN_UNTIL(closed);
    RUN_UNTIL(!tls_has_pending(el)); /* the other one reads on */
    CHECK(reads > SIZE / PIECE);
    CHECK_INT(closed, 1);
    CHECK((server == NULL) != (other == NULL));
    CHECK(tls_run_for(50) < 10);
    end_two();
}

static void close_one_while_both_are_asked_for(void) {
    begin_two();
    CHECK_INT(tls_process_pending(el), 0); /* from now on nothing happens unasked */
    send_to_both(on_read_close_the_other);
    test_await(server->fd, POLLIN);
    test_await(other->fd, POLLIN);
    RUN_UNTIL(reads == 2);
    CHECK_INT(closed, 0);
    CHECK_INT(tls_process_pending(el), 1); /* the first closes the second, which has its turn no more */
    CHECK_INT(closed, 1);
    CHECK_INT(tls_process_pending(el), 1);
    end_two();
}

/* Of two loops in a thread one is not run: what is pending in the other does not wait for it. */
static void loops_of_a_thread_do_not_wait_for_each_other(void) {
    aeEventLoop *one, *two;

    begin();
    one = el;
    CHECK_INT(connSetReadHandler(server, on_read_piece), C_OK);
    tls_write_all(client, sent, SIZE);
    RUN_UNTIL(arrived > 0);
    CHECK(arrived < SIZE);
    el = two = aeCreateEventLoop(64);
    CHECK(aeCreateTimeEvent(el, TEST_PATIENCE_MS, tls_on_hang, NULL, NULL) != AE_ERR);
    other_client = client;
    other = server;
    client = server = NULL;
    client_calls = server_calls = 0;
    tls_connect_pair();
    CHECK_INT(connSetReadHandler(server, on_read_stop), C_OK);
    tls_write_all(client, sent, SIZE);
    RUN_UNTIL(!connHasReadHandler(server));
    reads = 0;
    CHECK_INT(connSetReadHandler(server, on_read_nothing), C_OK);
    RUN_UNTIL(reads >= 3);
    tls_close_both();
    aeDeleteEventLoop(two);
    el = one;
    arrived = 0; /* what it reads now fits */
    RUN_UNTIL(!tls_has_pending(el));
    end_two();
}

static void on_read_delete_loop(connection *conn) {
    arrived = 0; /* it does not matter what */
    on_read_piece(conn);
    if (el == NULL || reads <= 2) return; /* until both have begun */
    aeDeleteEventLoop(el);
    el = NULL;
}

/* The other one's handler has its turn no more: what it uses may be gone. */
static void delete_the_loop_while_both_are_pending(void) {
    begin_two();
    send_to_both(on_read_delete_loop);
    while (el != NULL) tls_run_once();
    CHECK_INT(reads, 3);
    end_two();
}

static void on_read_stop_now(connection *conn) {
    arrived = 0;
    on_read_piece(conn);
    if (reads > 2 && !closed++) CHECK_INT(aeStopNow(el), AE_OK);
}

/* Nor has it in a loop that stops at once; but it is not forgotten. */
static void stop_at_once_while_both_are_pending(void) {
    int before;

    begin_two();
    send_to_both(on_read_stop_now);
    RUN_UNTIL(closed);
    CHECK_INT(reads, 3);
    before = reads;
    RUN_UNTIL(!tls_has_pending(el));
    CHECK(reads - before > SIZE / PIECE);
    end_two();
}

static void on_read_close_itself(connection *conn) {
    CHECK(conn == server);
    on_read_piece(conn);
    if (reads < 2) return;
    connClose(conn);
    server = NULL;
}

static void close_itself_while_pending(void) {
    begin();
    CHECK_INT(connSetReadHandler(server, on_read_close_itself), C_OK);
    tls_write_all(client, sent, SIZE);
    RUN_UNTIL(server == NULL);
    CHECK_INT(reads, 2);
    CHECK_INT(tls_has_pending(el), 0);
    CHECK(tls_run_for(50) < 10);
    tls_end();
}

/* ---- The end is pending, too ---- */

static int ended;

static void on_read_end(connection *conn) {
    int count = connRead(conn, received, PIECE);

    reads++;
    if (count > 0)
        arrived += (size_t)count;
    else if (count == 0)
        ended++;
    else
        CHECK_INT(errno, EAGAIN);
    if (count == 0) CHECK_INT(connSetReadHandler(conn, NULL), C_OK);
}

/* Data and the end come together; the handler hears of both. */
static void end_comes_behind_pending_data(void) {
    begin();
    tls_write_all(client, sent, 10 * PIECE);
    /* What nobody has read (the tickets of TLS 1.3) would make the kernel reset the connection. */
    test_await(client->fd, POLLIN);
    CHECK_FAILS(connRead(client, received, 1), -1, EAGAIN);
    connClose(client);
    client = NULL;
    test_sleep_us(20000);
    CHECK_INT(connSetReadHandler(server, on_read_end), C_OK);
    RUN_UNTIL(ended);
    CHECK_INT(arrived, 10 * PIECE);
    CHECK_INT(connGetState(server), CONN_STATE_CLOSED);
    CHECK(tls_run_for(50) < 10);
    CHECK_INT(ended, 1);
    tls_end();
}

TEST_MAIN(CASE(a_child_does_not_serve_its_parents_connections),
          CASE(delete_the_loop_while_both_are_pending), CASE(stop_at_once_while_both_are_pending),
          CASE(piecemeal_reader_gets_it_all), CASE(piecemeal_reader_in_a_loop_that_asks),
          CASE(without_a_handler_nothing_is_pending), CASE(a_new_connect_begins_with_nothing),
          CASE(asking_runs_the_handler_once), CASE(a_program_may_stop_asking),
          CASE(records_are_not_put_off_by_setting_the_handler_anew), CASE(small_records_arrive_together),
          CASE(nobody_reads_what_is_pending), CASE(handler_that_does_not_read_runs_once_an_iteration),
          CASE(pieces_are_read_once_an_iteration), CASE(close_one_while_both_are_pending),
          CASE(close_one_while_both_are_asked_for), CASE(loops_of_a_thread_do_not_wait_for_each_other),
          CASE(close_itself_while_pending), CASE(end_comes_behind_pending_data))
