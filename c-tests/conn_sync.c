/* Connections used without the loop: the blocking connect, and reads and writes that wait. */
#include "test.h"
#include "conn_test.h"

#include <ae.h>

static aeEventLoop *el;
static connection *conn;
static int port, server, peer = -1;

static void begin(void) {
    CHECK_INT(test_conn_types(), C_OK);
    el = aeCreateEventLoop(256);
    CHECK(el != NULL);
    server = test_listen(AF_INET, 16, &port);
    conn = test_conn_create(el, TCP_TYPE);
    CHECK(conn != NULL);
}

static void begin_connected(void) {
    begin();
    CHECK_INT(connBlockingConnect(conn, "127.0.0.1", port, TEST_PATIENCE_MS), C_OK);
    peer = test_accept(server, SOCK_CLOEXEC);
}

static void end(void) {
    connClose(conn);
    if (peer != -1) close(peer);
    close(server);
    aeDeleteEventLoop(el);
}

/* ---- Connecting ---- */

static void blocking_connect_connects(void) {
    begin();
    /* Departs from upstream in errno, which connect leaves there. */
    CHECK_KEEPS_ERRNO(connBlockingConnect(conn, "127.0.0.1", port, TEST_PATIENCE_MS), C_OK);
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    CHECK_INT(fcntl(conn->fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    CHECK_INT(aeGetFileEvents(el, conn->fd), AE_NONE);
    CHECK_INT(connWrite(conn, "x", 1), 1);
    end();
}

/* Departs from upstream, which takes the error for success: the socket is writable then, too. */
static void blocking_connect_is_refused(void) {
    begin();
    CHECK_FAILS(connBlockingConnect(conn, "127.0.0.1", test_closed_port(), TEST_PATIENCE_MS), C_ERR, ECONNREFUSED);
    CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
    CHECK_INT(conn->last_errno, ECONNREFUSED);
    CHECK_INT(conn->fd, -1);
    end();
}

/* Connects until the kernel lets one hang: nobody accepts, and the queue is full. */
static int fill_backlog(int listening_port, int *clients, int most) {
    struct sockaddr_storage address;
    socklen_t length = test_loopback(AF_INET, listening_port, &address);
    int count;

    for (count = 0; count < most;) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        struct pollfd entry = {fd, POLLOUT, 0};

        CHECK(fd != -1);
        clients[count++] = fd;
        if (connect(fd, (struct sockaddr *)&address, length) == -1) CHECK_INT(errno, EINPROGRESS);
        if (poll(&entry, 1, 200) == 0) break; /* this one hangs, as will all that follow */
    }
    return count;
}

/* As upstream from 7.4 on, except errno, which is left alone there; before, it returned C_OK. */
static void blocking_connect_times_out(void) {
    int clients[16], count, full, full_port;
    long long before;

    begin();
    full = test_listen(AF_INET, 0, &full_port);
    count = fill_backlog(full_port, clients, 16);
    before = test_now_us();
    if (connBlockingConnect(conn, "127.0.0.1", full_port, 60) == C_OK) {
        while (count > 0) close(clients[--count]);
        close(full);
        end();
        SKIP("the backlog cannot be filled here");
    }
    CHECK_INT(errno, ETIMEDOUT);
    CHECK(test_now_us() - before >= 60000);
    CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
    CHECK_INT(conn->last_errno, ETIMEDOUT);
    CHECK_TEXT(connGetLastError(conn), "Connection timed out");
    CHECK_INT(conn->fd != -1, TIMED_OUT_KEEPS_FD);
    while (count > 0) close(clients[--count]);
    close(full);
    end(); /* the descriptor that was tried is closed, too: upstream forgets it */
}

static void blocking_connect_without_end(void) {
    int clients[16], count, full, full_port;
    pid_t child;

    begin();
    full = test_listen(AF_INET, 0, &full_port);
    count = fill_backlog(full_port, clients, 16);
    if (count == 16) {
        while (count > 0) close(clients[--count]);
        close(full);
        end();
        SKIP("the backlog cannot be filled here");
    }
    child = fork();
    CHECK(child != -1);
    if (child == 0) { /* makes room, for as long as it takes */
        for (;;) {
            test_sleep_us(100000);
            while (accept(full, NULL, NULL) != -1) continue;
        }
    }
    CHECK_INT(connBlockingConnect(conn, "127.0.0.1", full_port, -1), C_OK);
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    test_stop_signals(child);
    while (count > 0) close(clients[--count]);
    close(full);
    end();
}

/* ---- Reading ---- */

static void read_is_exact(void) {
    char buffer[16] = "";

    begin_connected();
    test_send(peer, "0123456789");
    CHECK_KEEPS_ERRNO(connSyncRead(conn, buffer, 4, TEST_PATIENCE_MS), 4);
    CHECK_TEXT(buffer, "0123");
    CHECK_INT(connSyncRead(conn, buffer, 6, TEST_PATIENCE_MS), 6);
    CHECK_TEXT(buffer, "456789");
    CHECK_INT(connSyncRead(conn, buffer, 0, TEST_PATIENCE_MS), 0);
    end();
}

static void read_waits_for_the_rest(void) {
    char buffer[16] = "";
    pid_t child;

    begin_connected();
    child = fork();
    CHECK(child != -1);
    if (child == 0) {
        test_send(peer, "abc");
        test_sleep_us(30000);
        test_send(peer, "def");
        _exit(0);
    }
    CHECK_INT(connSyncRead(conn, buffer, 6, TEST_PATIENCE_MS), 6);
    CHECK_TEXT(buffer, "abcdef");
    test_reap(child);
    end();
}

static void read_times_out(void) {
    char buffer[16];
    long long before = test_now_us();

    begin_connected();
    test_send(peer, "ab");
    CHECK_FAILS(connSyncRead(conn, buffer, 4, 40), -1, ETIMEDOUT);
    CHECK_FAILS(connSyncRead(conn, buffer, 4, -TEST_PATIENCE_MS), -1, ETIMEDOUT); /* below 0 is no time */
    CHECK(test_now_us() - before >= 40000);
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    end();
}

static void read_from_a_closed_peer_fails(void) {
    char buffer[16];

    begin_connected();
    test_send(peer, "ab");
    close(peer);
    peer = -1;
    /* Departs from upstream, which leaves errno alone. */
    CHECK_FAILS(connSyncRead(conn, buffer, 4, TEST_PATIENCE_MS), -1, ECONNRESET);
    CHECK_FAILS(connSyncReadLine(conn, buffer, sizeof(buffer), TEST_PATIENCE_MS), -1, ECONNRESET);
    end();
}

/* ---- Lines ---- */

static void lines_are_cut_at_the_newline(void) {
    char buffer[32];

    begin_connected();
    test_send(peer, "first\nsecond\r\n\n\r\na\rb\r\r\n+rest");
    CHECK_KEEPS_ERRNO(connSyncReadLine(conn, buffer, sizeof(buffer), TEST_PATIENCE_MS), 5);
    CHECK_TEXT(buffer, "first");
    /* As upstream: a carriage return before the newline is cut from the text, and counted. */
    CHECK_INT(connSyncReadLine(conn, buffer, sizeof(buffer), TEST_PATIENCE_MS), 7);
    CHECK_TEXT(buffer, "second");
    CHECK_INT(connSyncReadLine(conn, buffer, sizeof(buffer), TEST_PATIENCE_MS), 0);
    CHECK_TEXT(buffer, "");
    CHECK_INT(connSyncReadLine(conn, buffer, sizeof(buffer), TEST_PATIENCE_MS), 1);
    CHECK_TEXT(buffer, "");
    CHECK_INT(connSyncReadLine(conn, buffer, sizeof(buffer), TEST_PATIENCE_MS), 5);
    CHECK_TEXT(buffer, "a\rb\r");
    /* Not a byte more than the line was taken. */
    CHECK_INT(connSyncRead(conn, buffer, 5, TEST_PATIENCE_MS), 5);
    CHECK(memcmp(buffer, "+rest", 5) == 0);
    end();
}

static void line_stops_at_the_size(void) {
    char buffer[8];

    begin_connected();
    test_send(peer, "abcdefgh\n");
    memset(buffer, '#', sizeof(buffer));
    CHECK_INT(connSyncReadLine(conn, buffer, 5, TEST_PATIENCE_MS), 4);
    CHECK_TEXT(buffer, "abcd");
    CHECK_INT(buffer[5], '#');
    memset(buffer, '#', sizeof(buffer));
    CHECK_INT(connSyncReadLine(conn, buffer, 5, TEST_PATIENCE_MS), 4);
    CHECK_TEXT(buffer, "efgh");
    CHECK_INT(buffer[5], '#');
    CHECK_INT(connSyncReadLine(conn, buffer, 5, TEST_PATIENCE_MS), 0); /* the newline alone is left */
    CHECK_TEXT(buffer, "");
    CHECK_INT(connSyncReadLine(conn, buffer, 1, TEST_PATIENCE_MS), 0); /* room for nothing */
    end();
}

static void line_times_out(void) {
    char buffer[16];

    begin_connected();
    test_send(peer, "no newline");
    CHECK_FAILS(connSyncReadLine(conn, buffer, sizeof(buffer), 30), -1, ETIMEDOUT);
    end();
}

/* ---- Writing ---- */

static void write_is_whole(void) {
    enum { SIZE = 4 << 20 };
    char *data = malloc(SIZE);
    pid_t child;
    int status;

    CHECK(data != NULL);
    memset(data, 'd', SIZE);
    begin_connected();
    child = fork();
    CHECK(child != -1);
    if (child == 0) {
        int total = 0;
        ssize_t count;
        char buffer[65536];

        test_sleep_us(20000); /* the buffers are full by then */
        while (total < SIZE && (count = read(peer, buffer, sizeof(buffer))) > 0) total += (int)count;
        _exit(total == SIZE ? 0 : 1);
    }
    CHECK_KEEPS_ERRNO(connSyncWrite(conn, data, SIZE, TEST_PATIENCE_MS), SIZE);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_INT(status, 0);
    free(data);
    end();
}

/* Over a unix socket: what fills a TCP socket may trickle on to the peer. */
static void write_times_out(void) {
    int pair[2];
    connection *full;

    begin();
    test_pair(pair);
    full = test_conn_create_accepted(el, TCP_TYPE, pair[0]);
    CHECK(full != NULL);
    CHECK_INT(connAccept(full, NULL), C_OK);
    test_fill(pair[0]);
    CHECK_FAILS(connSyncWrite(full, (char[]){"x"}, 1, 30), -1, ETIMEDOUT);
    connClose(full);
    close(pair[1]);
    end();
}

static void write_to_a_closed_peer_fails(void) {
    struct linger now = {1, 0};
    char buffer[1];

    begin_connected();
    CHECK(setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) == 0);
    close(peer);
    peer = -1;
    CHECK_INT(connSyncRead(conn, buffer, 1, TEST_PATIENCE_MS), -1); /* the reset has arrived */
    CHECK_INT(connSyncWrite(conn, (char[]){"x"}, 1, TEST_PATIENCE_MS), -1);
    CHECK_INT(errno, EPIPE);
    end();
}

TEST_MAIN(CASE(blocking_connect_connects), CASE(blocking_connect_is_refused), CASE(blocking_connect_times_out),
          CASE(blocking_connect_without_end),
          CASE(read_is_exact), CASE(read_waits_for_the_rest), CASE(read_times_out),
          CASE(read_from_a_closed_peer_fails), CASE(lines_are_cut_at_the_newline), CASE(line_stops_at_the_size),
          CASE(line_times_out), CASE(write_is_whole), CASE(write_times_out), CASE(write_to_a_closed_peer_fails))
