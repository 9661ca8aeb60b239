/* TLS and I/O threads as Redis has them: the loop hands readable connections out, each to one thread, which reads and
 * writes; it waits for them, and goes on. Different connections are in use at once, and one is used by another thread
 * every time. */
#include "test.h"
#include "tls_test.h"

#include <pthread.h>

enum { CONNECTIONS = 24, THREADS = 4, PIECE = 10000, MOST = 60000 };

struct end {
    connection *conn;
    int queued, closed;
    char *out; /* what is still to be written back */
    int out_length;
    long long sent, received, size;
};

static struct end servers[CONNECTIONS], clients[CONNECTIONS];
static struct end *queue[CONNECTIONS];
static int queued, connected, finished;

static char content(int index, long long position) { return (char)(position * 31 + position / 1000 + index); }

/* ---- In the threads ---- */

static pthread_t threads[THREADS];
static pthread_barrier_t handed_out, handed_back;
static int handed, stopping;
static const char *volatile trouble;

static void flush(struct end *end) {
    int count;

    if (end->out_length == 0) return;
    count = connWrite(end->conn, end->out, (size_t)end->out_length);
    if (count == -1) {
        if (errno != EAGAIN) trouble = "a write failed";
        return;
    }
    end->out_length -= count;
    memmove(end->out, end->out + count, (size_t)end->out_length);
}

static void serve(struct end *end) {
    int count;

    flush(end);
    if (MOST - end->out_length < PIECE) return;
    count = connRead(end->conn, end->out + end->out_length, PIECE);
    if (count > 0) end->out_length += count;
    if (count == 0) end->closed = 1;
    if (count == -1 && errno != EAGAIN) trouble = "a read failed";
    flush(end);
}

static void *run_thread(void *data) {
    int self = (int)(intptr_t)data, i;

    for (;;) {
        pthread_barrier_wait(&handed_out);
        if (stopping) return NULL;
        for (i = 0; i < queued; i++)
            if ((i + handed) % THREADS == self) serve(queue[i]);
        pthread_barrier_wait(&handed_back);
    }
}

/* ---- In the loop ---- */

static void on_ready(connection *conn) {
    struct end *end = connGetPrivateData(conn);

    if (end->queued) return;
    end->queued = 1;
    queue[queued++] = end;
}

static void postpone(connection *conn, int on) {
#ifdef TEST_VALKEY
    connSetPostponeUpdateState(conn, on);
    if (!on) connUpdateState(conn);
#else
    (void)conn;
    (void)on;
#endif
}

static void hand_out(void) {
    int i;

    if (queued == 0) return;
    handed++;
    for (i = 0; i < queued; i++) postpone(queue[i]->conn, 1);
    pthread_barrier_wait(&handed_out);
    pthread_barrier_wait(&handed_back);
    if (trouble != NULL) FAIL("%s", trouble);
    for (i = 0; i < queued; i++) {
        struct end *end = queue[i];

        postpone(end->conn, 0);
        end->queued = 0;
        if (end->closed) {
            CHECK_INT(end->out_length, 0);
            connClose(end->conn);
            end->conn = NULL;
            finished++;
            continue;
        }
        CHECK_INT(connSetWriteHandler(end->conn, end->out_length > 0 ? on_ready : NULL), C_OK);
    }
    queued = 0;
}

static void before_sleep(aeEventLoop *loop) {
    tls_process_pending(loop);
    hand_out();
    aeSetDontWait(loop, tls_has_pending(loop) || finished == CONNECTIONS);
}

static void send_more(connection *conn) {
    struct end *end = connGetPrivateData(conn);
    static char data[PIECE];
    int index = (int)(end - clients), i, count;

    for (i = 0; i < PIECE; i++) data[i] = content(index, end->sent + i);
    count = connWrite(conn, data, (size_t)(end->size - end->sent < PIECE ? end->size - end->sent : PIECE));
    if (count == -1) {
        CHECK_INT(errno, EAGAIN);
        return;
    }
    end->sent += count;
    if (end->sent == end->size) CHECK_INT(connSetWriteHandler(conn, NULL), C_OK);
}

static void receive_more(connection *conn) {
    struct end *end = connGetPrivateData(conn);
    char data[7777];
    int index = (int)(end - clients), count = connRead(conn, data, sizeof(data)), i;

    if (count == -1) {
        CHECK_INT(errno, EAGAIN);
        return;
    }
    CHECK(count > 0);
    for (i = 0; i < count; i++)
        if (data[i] != content(index, end->received + i)) FAIL("wrong byte %lld of %d", end->received + i, index);
    end->received += count;
    if (end->received < end->size) return;
    CHECK_INT(end->received, end->size);
    connClose(conn);
    end->conn = NULL;
}

static void on_connected(connection *conn) {
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    connected++;
    CHECK_INT(connSetReadHandler(conn, receive_more), C_OK);
    CHECK_INT(connSetWriteHandler(conn, send_more), C_OK);
}

static void on_accepted(connection *conn) {
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    connected++;
    CHECK_INT(connSetReadHandler(conn, on_ready), C_OK);
}

static void threads_echo(void) {
    int i;

    TLS_BEGIN();
    CHECK_INT(pthread_barrier_init(&handed_out, NULL, THREADS + 1), 0);
    CHECK_INT(pthread_barrier_init(&handed_back, NULL, THREADS + 1), 0);
    for (i = 0; i < THREADS; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, run_thread, (void *)(intptr_t)i), 0);
    aeSetBeforeSleepProc(el, before_sleep);
    for (i = 0; i < CONNECTIONS; i++) {
        clients[i].size = test_slow_tool() ? 10000 + i * 2000 : 300000 + i * 50000;
        clients[i].conn = tls_create(el);
        connSetPrivateData(clients[i].conn, &clients[i]);
        CHECK_INT(connConnect(clients[i].conn, "127.0.0.1", port, NULL, on_connected), C_OK);
        servers[i].out = malloc(MOST);
        CHECK(servers[i].out != NULL);
        servers[i].conn = tls_create_accepted(el, tls_accept_fd(), LIBAE_TLS_AUTH_CLIENTS_NO);
        connSetPrivateData(servers[i].conn, &servers[i]);
        CHECK_INT(connAccept(servers[i].conn, on_accepted), C_OK);
    }
    RUN_UNTIL(finished == CONNECTIONS);
    CHECK_INT(connected, 2 * CONNECTIONS);
    stopping = 1;
    pthread_barrier_wait(&handed_out);
    for (i = 0; i < THREADS; i++) CHECK_INT(pthread_join(threads[i], NULL), 0);
    pthread_barrier_destroy(&handed_out);
    pthread_barrier_destroy(&handed_back);
    for (i = 0; i < CONNECTIONS; i++) free(servers[i].out);
    tls_end();
}

/* ---- A loop in each thread ---- */

struct loop {
    aeEventLoop *el;
    connection *client, *server;
    long long left;
    int over;
};

static void bounce(connection *conn) {
    struct loop *loop = connGetPrivateData(conn);
    char data[3000];
    int count;

    while ((count = connRead(conn, data, sizeof(data))) > 0) {
        loop->left -= count;
        if (loop->left <= 0) {
            loop->over = 1;
            return;
        }
        if (connWrite(conn, data, (size_t)count) != count) trouble = "a write failed";
    }
    if (count == 0 || errno != EAGAIN) trouble = "a read failed";
}

static void begin_to_bounce(connection *conn) {
    static const char data[5000];
    struct loop *loop = connGetPrivateData(conn);

    if (connGetState(conn) != CONN_STATE_CONNECTED) trouble = "a handshake failed";
    if (connSetReadHandler(conn, bounce) != C_OK) trouble = "no read handler";
    if (conn == loop->client && connWrite(conn, data, sizeof(data)) != sizeof(data))
        trouble = "a write failed";
}

static void *run_loop(void *data) {
    struct loop loop = {.left = (long long)(intptr_t)data};
    int round, own_port, own = test_listen(AF_INET, 4, &own_port), fd;
    struct pollfd entry = {own, POLLIN, 0};

    for (round = 0; round < 5; round++) {
        loop.over = 0;
        loop.left = (long long)(intptr_t)data;
        loop.el = aeCreateEventLoop(64);
        loop.client = tls_create(loop.el);
        connSetPrivateData(loop.client, &loop);
        if (connConnect(loop.client, "127.0.0.1", own_port, NULL, begin_to_bounce) != C_OK) trouble = "no connect";
        if (poll(&entry, 1, TEST_PATIENCE_MS) != 1) trouble = "nobody comes";
        fd = accept4(own, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        loop.server = tls_create_accepted(loop.el, fd, LIBAE_TLS_AUTH_CLIENTS_NO);
        connSetPrivateData(loop.server, &loop);
        connAccept(loop.server, begin_to_bounce);
        while (!loop.over && trouble == NULL) aeProcessEvents(loop.el, AE_ALL_EVENTS);
        connClose(loop.client);
        connClose(loop.server);
        aeDeleteEventLoop(loop.el);
    }
    close(own);
    return NULL;
}

/* Handshakes, data and settings in many threads at once. */
static void every_thread_has_a_loop(void) {
    intptr_t bytes = test_slow_tool() ? 50000 : 2000000;
    libaeTlsConfig config;
    int i;

    TLS_BEGIN();
    config = tls_config();
    for (i = 0; i < THREADS; i++) CHECK_INT(pthread_create(&threads[i], NULL, run_loop, (void *)bytes), 0);
    for (i = 0; i < 30; i++) {
        config.protocols = i % 2 ? "TLSv1.2 TLSv1.3" : "TLSv1.3";
        tls_configure(&config);
        test_sleep_us(2000);
    }
    for (i = 0; i < THREADS; i++) CHECK_INT(pthread_join(threads[i], NULL), 0);
    if (trouble != NULL) FAIL("%s", trouble);
    tls_end();
}

TEST_MAIN(CASE(threads_echo), CASE(every_thread_has_a_loop))
