/* A client and a server with the test in between: it sees every byte, and lets through what it likes. */
#ifndef LIBAE_TLS_WIRE_H
#define LIBAE_TLS_WIRE_H

#include "tls_test.h"

/* The test's ends: of the client's connection and of the server's. */
static int near_end = -1, far_end = -1;

/* The bytes that went each way. */
static long up, down;

static inline void wire_connect(int auth) {
    int pair[2];

    tls_connect("127.0.0.1");
    near_end = tls_accept_fd();
    test_pair(pair);
    far_end = pair[1];
    tls_accept_over(pair[0], auth);
    up = down = 0;
}

static inline void wire_cut(int *end) {
    if (*end != -1) close(*end);
    *end = -1;
}

static inline void wire_close(void) {
    wire_cut(&near_end);
    wire_cut(&far_end);
    tls_close_both();
}

static inline long wire_move(int from, int to, long most) {
    struct pollfd entry = {to, POLLOUT, 0};
    char buffer[16384];
    ssize_t count;

    if (from == -1 || to == -1 || most <= 0 || poll(&entry, 1, 0) != 1) return 0;
    count = read(from, buffer, most < (long)sizeof(buffer) ? (size_t)most : sizeof(buffer));
    if (count <= 0) return 0;
    if (write(to, buffer, (size_t)count) == count) return count;
    CHECK(errno == EPIPE || errno == ECONNRESET); /* it has been closed: there is nobody to miss them */
    return 0;
}

/* Lets up to so many bytes through, both ways together, each piece of at most `piece`; returns how many. */
static inline long wire_shuttle(long most, long piece) {
    long moved = 0, count;

    do {
        count = wire_move(near_end, far_end, most - moved < piece ? most - moved : piece);
        up += count;
        moved += count;
        if (count == 0) {
            count = wire_move(far_end, near_end, most - moved < piece ? most - moved : piece);
            down += count;
            moved += count;
        }
        if (piece < 1024) tls_run_idle();
    } while (count > 0 && moved < most);
    return moved;
}

/* Both ways until nobody says anything more, but not more than `most` bytes; returns how many. */
static inline long wire_run(long most, long piece) {
    long moved = 0, count;
    int idle = 0;

    do {
        tls_run_idle();
        count = wire_shuttle(most - moved, piece);
        moved += count;
        idle = count > 0 ? 0 : idle + 1;
        /* What has been sent over loopback is there at once, except what the kernel does in its own time. */
        if (idle == 1 && moved < most && !(client_calls && server_calls)) test_sleep_us(200);
    } while (idle < 2 && moved < most);
    tls_run_idle();
    return moved;
}

enum { WIRE_ALL = 1 << 30 };

static inline void wire_connect_pair(void) {
    wire_connect(LIBAE_TLS_AUTH_CLIENTS_NO);
    while (!(client_calls && server_calls)) wire_run(WIRE_ALL, WIRE_ALL);
    CHECK_INT(client_state, CONN_STATE_CONNECTED);
    CHECK_INT(server_state, CONN_STATE_CONNECTED);
    wire_run(WIRE_ALL, WIRE_ALL);
}

static inline void wire_end(void) {
    wire_cut(&near_end);
    wire_cut(&far_end);
    tls_end();
}

#endif
