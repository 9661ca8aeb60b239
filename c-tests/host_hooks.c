/* The hook table: registering it, the log, the current loop, and what happens without hooks. */
#include "test.h"
#include "conn_test.h"

#include <ae.h>
#include <libae.h>

/* ---- The table ---- */

static void version_is_the_headers(void) {
    CHECK_TEXT(libaeVersion(), LIBAE_VERSION);
    CHECK_TEXT(libaeAbiProfile(), LIBAE_ABI);
}

static void *nothing_malloc(size_t size, void *context) {
    (void)size;
    (void)context;
    return NULL;
}

static void *nothing_realloc(void *pointer, size_t size, void *context) {
    (void)pointer;
    (void)size;
    (void)context;
    return NULL;
}

static void nothing_free(void *pointer, void *context) {
    (void)pointer;
    (void)context;
}

static void nonsensical_table_is_einval(void) {
    libaeHost host = {0};
    int parts;

    CHECK_FAILS(libaeSetHost(&host), AE_ERR, EINVAL); /* no size */
    host.size = sizeof(void *) + 1;
    CHECK_FAILS(libaeSetHost(&host), AE_ERR, EINVAL);
    host.size = sizeof(host) - 1;
    CHECK_FAILS(libaeSetHost(&host), AE_ERR, EINVAL);
    host.size = sizeof(host);
    for (parts = 1; parts < 7; parts++) { /* of an allocator, and never the whole */
        host.allocator.malloc = parts & 1 ? nothing_malloc : NULL;
        host.allocator.realloc = parts & 2 ? nothing_realloc : NULL;
        host.allocator.free = parts & 4 ? nothing_free : NULL;
        CHECK_FAILS(libaeSetHost(&host), AE_ERR, EINVAL);
    }
    host.allocator = (libaeAllocator){0};
    CHECK_KEEPS_ERRNO(libaeSetHost(&host), AE_OK);
    CHECK_KEEPS_ERRNO(libaeSetHost(NULL), AE_OK);
}

/* ---- The log ---- */

static char logged[256];
static int logged_level = -1;

static void on_log(int level, const char *message) {
    logged_level = level;
    snprintf(logged, sizeof(logged), "%s", message);
    errno = 9999; /* a log may do what it likes to errno */
}

/* Provokes a warning. */
#ifdef TEST_CONN_V1

static const char part_of_warning[] = "LIBAE_BACKEND";

static void fail_loudly(void) {
    char before[16];

    snprintf(before, sizeof(before), "%s", getenv("LIBAE_BACKEND"));
    CHECK(setenv("LIBAE_BACKEND", "none", 1) == 0);
    CHECK_FAILS_NULL(aeCreateEventLoop(64), EINVAL);
    CHECK(setenv("LIBAE_BACKEND", before, 1) == 0);
}

#else

static const char part_of_warning[] = "bind: Address already in use";

static void fail_loudly(void) {
    char address[] = "127.0.0.1", *addresses[] = {address};
    int port, other = test_listen(AF_INET, 4, &port);
    connListener listener = {.bindaddr = addresses, .bindaddr_count = 1, .port = port};

    CHECK_INT(test_conn_types(), C_OK);
    listener.ct = connectionTypeTcp();
    CHECK_FAILS(connListen(&listener), C_ERR, EADDRINUSE);
    close(other);
}

#endif

static void log_gets_warnings_and_keeps_errno(void) {
    libaeHost host = {.size = sizeof(host), .log = on_log};

    CHECK_INT(libaeSetHost(&host), AE_OK);
    fail_loudly();
    CHECK_INT(logged_level, LIBAE_LOG_WARNING);
    CHECK_CONTAINS(logged, part_of_warning);
    CHECK(strchr(logged, '\n') == NULL);
    logged[0] = '\0';
    CHECK_INT(libaeSetHost(NULL), AE_OK);
    fail_loudly();
    CHECK_TEXT(logged, "");
}

/* A table from a program that was compiled against an older header ends earlier. */
static void short_table_keeps_later_defaults(void) {
    struct {
        size_t size;
        aeEventLoop *(*current_loop)(void);
        void (*accepted)(connection *conn, int flags, char *ip);
        void (*log)(int level, const char *message);
    } old = {offsetof(libaeHost, log), NULL, NULL, on_log};

    CHECK_INT(libaeSetHost((const libaeHost *)(const void *)&old), AE_OK);
    fail_loudly();
    CHECK_TEXT(logged, "");
    old.size = sizeof(old);
    CHECK_INT(libaeSetHost((const libaeHost *)(const void *)&old), AE_OK);
    fail_loudly();
    CHECK_CONTAINS(logged, part_of_warning);
    old.size = offsetof(libaeHost, accepted); /* the shortest: with one hook */
    CHECK_INT(libaeSetHost((const libaeHost *)(const void *)&old), AE_OK);
}

/* What fail_loudly writes to stderr. */
static ssize_t written_to_stderr(char *text, size_t size) {
    int fds[2], before = dup(STDERR_FILENO);
    ssize_t length;

    CHECK(before != -1);
    test_pipe(fds);
    CHECK(dup2(fds[1], STDERR_FILENO) == STDERR_FILENO);
    fail_loudly();
    CHECK(dup2(before, STDERR_FILENO) == STDERR_FILENO);
    close(before);
    close(fds[1]);
    length = read(fds[0], text, size - 1);
    text[length > 0 ? length : 0] = '\0';
    close(fds[0]);
    return length;
}

static void without_a_log_it_is_silent_unless_asked(void) {
    char text[512];

    CHECK(unsetenv("LIBAE_LOG") == 0);
    CHECK_INT(written_to_stderr(text, sizeof(text)), 0);
    CHECK(setenv("LIBAE_LOG", "1", 1) == 0);
    CHECK(written_to_stderr(text, sizeof(text)) > 0);
    CHECK_CONTAINS(text, part_of_warning);
}

/* ---- The current loop ---- */

static aeEventLoop *one, *two, *chosen;

static aeEventLoop *on_current_loop(void) { return chosen; }

static void on_read(connection *conn) { (void)conn; }

/* A connection that watches; returns its peer. */
static int begin_connection(aeEventLoop *el, connection **conn) {
    int pair[2];

    test_pair(pair);
    *conn = test_conn_create_accepted(el, UNIX_TYPE, pair[0]);
    CHECK(*conn != NULL);
    CHECK_INT(connAccept(*conn, NULL), C_OK);
    return pair[1];
}

static void begin_loops(void) {
    CHECK_INT(test_conn_types(), C_OK);
    one = aeCreateEventLoop(64);
    two = aeCreateEventLoop(64);
    CHECK(one != NULL && two != NULL);
}

static void newest_loop_is_current(void) {
    connection *conn;
    int peer;

#ifdef TEST_CONN_LOOP
    SKIP("connections know their loop");
#endif
    begin_loops();
    peer = begin_connection(two, &conn);
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(aeGetFileEvents(two, conn->fd), AE_READABLE);
    CHECK_INT(aeGetFileEvents(one, conn->fd), AE_NONE);
    CHECK_INT(connSetReadHandler(conn, NULL), C_OK);
    aeDeleteEventLoop(two); /* now it is the one before */
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(aeGetFileEvents(one, conn->fd), AE_READABLE);
    connClose(conn);
    close(peer);
    aeDeleteEventLoop(one);
}

static void host_chooses_the_loop(void) {
    libaeHost host = {.size = sizeof(host), .current_loop = on_current_loop};
    connection *conn;
    int peer, fd;

#ifdef TEST_CONN_LOOP
    SKIP("connections know their loop");
#endif
    CHECK_INT(libaeSetHost(&host), AE_OK);
    begin_loops();
    chosen = one;
    peer = begin_connection(two, &conn);
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(aeGetFileEvents(one, conn->fd), AE_READABLE);
    CHECK_INT(aeGetFileEvents(two, conn->fd), AE_NONE);
    fd = conn->fd;
    connClose(conn);
    CHECK_INT(aeGetFileEvents(one, fd), AE_NONE);
    close(peer);
    aeDeleteEventLoop(two);
    aeDeleteEventLoop(one);
}

static void without_a_loop_handlers_fail(void) {
    connection *conn;
    int peer, port, server;

    CHECK_INT(test_conn_types(), C_OK);
    peer = begin_connection(NULL, &conn);
    CHECK_FAILS(connSetReadHandler(conn, on_read), C_ERR, EINVAL);
    CHECK_FAILS(connSetWriteHandler(conn, on_read), C_ERR, EINVAL);
    CHECK_INT(connSetReadHandler(conn, NULL), C_OK);
    CHECK_INT(connWrite(conn, "x", 1), 1);
    connClose(conn);
    close(peer);

    server = test_listen(AF_INET, 4, &port);
    conn = test_conn_create(NULL, TCP_TYPE);
    CHECK_FAILS(connConnect(conn, "127.0.0.1", port, NULL, on_read), C_ERR, EINVAL);
    CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
    connClose(conn);
    close(server);
}

#ifndef TEST_CONN_V1 /* there are no accept handlers */

/* ---- Accepting without a hook ---- */

static void *last_allocated;

static void *noting_malloc(size_t size, void *context) {
    void *pointer = malloc(size);

    (void)context;
    if (size >= sizeof(connection) && size < 2 * sizeof(connection)) last_allocated = pointer;
    return pointer;
}

static void *noting_realloc(void *pointer, size_t size, void *context) {
    (void)context;
    return realloc(pointer, size);
}

static void noting_free(void *pointer, void *context) {
    (void)context;
    free(pointer);
}

/* Nobody is told of the connection: the test finds it as the library's last allocation of that size. */
static void without_a_hook_connections_are_accepted(void) {
    libaeHost host = {
        .size = sizeof(host),
        .allocator = {.malloc = noting_malloc, .realloc = noting_realloc, .free = noting_free},
    };
    int port, server = test_listen(AF_INET, 4, &port), client;
    connection *conn;

    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK_INT(test_conn_types(), C_OK);
    one = aeCreateEventLoop(64);
    CHECK(one != NULL);
    CHECK_INT(aeCreateFileEvent(one, server, AE_READABLE, connAcceptHandler(connectionTypeTcp()), NULL), AE_OK);
    client = test_connect(AF_INET, port);
    last_allocated = NULL;
    CHECK_INT(aeProcessEvents(one, AE_FILE_EVENTS), 1);
    conn = last_allocated;
    CHECK(conn != NULL);
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    CHECK_INT(connWrite(conn, "hi", 2), 2);
    CHECK_INT(read(client, &(char[8]){0}, 8), 2);
    connClose(conn);
    close(client);
    close(server);
    aeDeleteEventLoop(one);
}

#define CASES_WITH_LISTENERS , CASE(without_a_hook_connections_are_accepted)

#else
#define CASES_WITH_LISTENERS
#endif

TEST_MAIN(CASE(version_is_the_headers), CASE(nonsensical_table_is_einval),
          CASE(log_gets_warnings_and_keeps_errno), CASE(short_table_keeps_later_defaults),
          CASE(without_a_log_it_is_silent_unless_asked), CASE(newest_loop_is_current),
          CASE(host_chooses_the_loop), CASE(without_a_loop_handlers_fail) CASES_WITH_LISTENERS)
