/* CT_Socket as the base of a type that needs more, as tls.c uses it up to redis-7.0: the program allocates the larger
 * block with the host's allocator, and the socket's functions connect, watch, close and free it. */
#include "test.h"
#include "conn_test.h"

/* ---- The host's allocator ---- */

static void *block, *freed;
static int live;

static void *heap_malloc(size_t size, void *context) {
    (void)context;
    live++;
    return malloc(size);
}

static void *heap_realloc(void *pointer, size_t size, void *context) {
    (void)context;
    live += pointer == NULL;
    return realloc(pointer, size);
}

static void heap_free(void *pointer, void *context) {
    (void)context;
    live -= pointer != NULL;
    if (pointer != NULL && pointer == block) freed = pointer;
    free(pointer);
}

/* ---- The type ---- */

struct larger {
    connection base; /* first, so that a pointer to it is one to the whole */
    char *buffer;    /* freed by our close, once */
    int fired;
    char tail[300];
};

static ConnectionType larger_type;
static int closes;

static void larger_ae_handler(aeEventLoop *el, int fd, void *data, int mask) {
    struct larger *larger = data;

    CHECK_INT(fd, larger->base.fd);
    larger->fired++;
    CT_Socket.ae_handler(el, fd, data, mask);
}

/* May be called twice when it is called inside a handler: then the base is not freed before that returns. */
static void larger_close(connection *conn) {
    struct larger *larger = (struct larger *)conn;

    closes++;
    free(larger->buffer);
    larger->buffer = NULL;
    CT_Socket.close(conn);
}

static int larger_connect(connection *conn, const char *address, int port, const char *source,
                          ConnectionCallbackFunc handler) {
    test_note('(');
    if (CT_Socket.connect(conn, address, port, source, handler) == C_ERR) return C_ERR;
    test_note(')');
    return C_OK;
}

static int larger_blocking_connect(connection *conn, const char *address, int port, long long timeout) {
    return CT_Socket.blocking_connect(conn, address, port, timeout);
}

static int larger_get_type(connection *conn) {
    CHECK(conn != NULL);
    return CONN_TYPE_TLS;
}

static connection *new_larger(void) {
    struct larger *larger = heap_malloc(sizeof(*larger), NULL);

    CHECK(larger != NULL);
    memset(larger, 0, sizeof(*larger));
    memset(larger->tail, 't', sizeof(larger->tail));
    larger->buffer = malloc(100);
    larger->base.type = &larger_type;
    larger->base.fd = -1;
    block = larger;
    freed = NULL;
    closes = 0;
    return &larger->base;
}

static connection *conn;
static aeEventLoop *el;
static int port, server;

static void begin(void) {
    libaeHost host = {
        .size = sizeof(host),
        .allocator = {.malloc = heap_malloc, .realloc = heap_realloc, .free = heap_free},
    };

    CHECK_INT(libaeSetHost(&host), AE_OK);
    larger_type = CT_Socket;
    larger_type.ae_handler = larger_ae_handler;
    larger_type.close = larger_close;
    larger_type.connect = larger_connect;
    larger_type.blocking_connect = larger_blocking_connect;
    larger_type.get_type = larger_get_type;
    el = aeCreateEventLoop(256);
    CHECK(el != NULL);
    server = test_listen(AF_INET, 4, &port);
    conn = new_larger();
}

static void end(void) {
    close(server);
    aeDeleteEventLoop(el);
    CHECK_INT(live, 0);
}

/* The block went back to the host as a whole. */
static void expect_freed(int times_closed) {
    CHECK(freed == block);
    CHECK_INT(closes, times_closed);
}

static void on_connect(connection *c) {
    CHECK(c == conn);
    test_note(connGetState(c) == CONN_STATE_CONNECTED ? 'c' : 'e');
}

static void on_read(connection *c) {
    char buffer[16];

    test_note((char)('0' + connRead(c, buffer, sizeof(buffer))));
}

static void connect_it(void) {
    CHECK_INT(connConnect(conn, "127.0.0.1", port, NULL, on_connect), C_OK);
    CHECK_TEXT(test_noted(), "()");
    while (test_log[0] == '\0') CHECK(aeProcessEvents(el, AE_FILE_EVENTS) >= 0);
    CHECK_TEXT(test_noted(), "c");
}

static void type_is_the_programs(void) {
    begin();
    CHECK_INT(connGetType(conn), CONN_TYPE_TLS);
    connClose(conn);
    expect_freed(1);
    end();
}

/* Events come to the type's own handler, though CT_Socket's functions ask for them. */
static void events_come_to_the_types_handler(void) {
    int peer;

    begin();
    connect_it();
    CHECK_INT(((struct larger *)conn)->fired, 1);
    peer = test_accept(server, SOCK_CLOEXEC);
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    test_send(peer, "abc");
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 1);
    CHECK_TEXT(test_noted(), "3");
    CHECK_INT(((struct larger *)conn)->fired, 2);
    CHECK_INT(connWrite(conn, "hello", 5), 5);
    CHECK_INT(read(peer, (char[8]){""}, 8), 5);
    CHECK_INT(((struct larger *)conn)->tail[299], 't');
    connClose(conn);
    expect_freed(1);
    close(peer);
    end();
}

static void blocking_connect_works_on_the_larger_block(void) {
    begin();
    CHECK_INT(connBlockingConnect(conn, "127.0.0.1", port, TEST_PATIENCE_MS), C_OK);
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    CHECK_INT(connSyncWrite(conn, (char[]){"x"}, 1, TEST_PATIENCE_MS), 1);
    connClose(conn);
    expect_freed(1);
    end();
}

static void failed_connect_keeps_the_block(void) {
    begin();
    CHECK_INT(connBlockingConnect(conn, "127.0.0.1", test_closed_port(), TEST_PATIENCE_MS), C_ERR);
    CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
    CHECK_NULL(freed);
    connClose(conn);
    expect_freed(1);
    end();
}

static void on_read_close(connection *c) {
    test_note('x');
    connClose(c);
    CHECK_NULL(freed); /* till this returns */
    CHECK(c->flags & CONN_FLAG_CLOSE_SCHEDULED);
    CHECK_INT(c->fd, -1);
}

static void close_inside_a_handler_waits_for_it(void) {
    int peer;

    begin();
    connect_it();
    peer = test_accept(server, SOCK_CLOEXEC);
    CHECK_INT(connSetReadHandler(conn, on_read_close), C_OK);
    test_send(peer, "x");
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 1);
    CHECK_TEXT(test_noted(), "x");
    expect_freed(2); /* as upstream: by the handler, and through the type's table when it has returned */
    close(peer);
    end();
}

TEST_MAIN(CASE(type_is_the_programs), CASE(events_come_to_the_types_handler),
          CASE(blocking_connect_works_on_the_larger_block), CASE(failed_connect_keeps_the_block),
          CASE(close_inside_a_handler_waits_for_it))
