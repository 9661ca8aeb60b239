/* What connections have in Valkey besides: updates of the state that can be postponed; in 8.1 listeners that close and
 * types that check what arrives, and RDMA, which a program may bring. */
#include "test.h"
#include "conn_test.h"

#include <pthread.h>

static aeEventLoop *el;

static void begin(void) {
    CHECK_INT(connTypeInitialize(), C_OK);
    el = aeCreateEventLoop(256);
    CHECK(el != NULL);
}

TEST_GET_TYPE(own_get_type, "own", 3)

/* ---- Postponed updates ---- */

static connection *told;
static int told_on = -1, updates;

static void own_postpone(connection *conn, int on) {
    told = conn;
    told_on = on;
    errno = EPROTO; /* a type may do what it likes to errno */
}

static void own_update(connection *conn) {
    told = conn;
    updates++;
    errno = EPROTO;
}

static void postponing_reaches_the_type(void) {
    static ConnectionType own_type = {
        .get_type = own_get_type,
        .postpone_update_state = own_postpone,
        .update_state = own_update,
    };
    connection one = {.type = &own_type}, two = {.type = &own_type};

    errno = 4242;
    connSetPostponeUpdateState(&one, 1);
    CHECK(told == &one);
    CHECK_INT(told_on, 1);
    CHECK_INT(updates, 0);
    connSetPostponeUpdateState(&two, 0);
    CHECK(told == &two);
    CHECK_INT(told_on, 0);
    connUpdateState(&one);
    CHECK(told == &one);
    CHECK_INT(updates, 1);
    CHECK_INT(errno, 4242);
}

static void on_read(connection *conn) {
    char buffer[16];

    test_note((char)('0' + connRead(conn, buffer, sizeof(buffer))));
}

static void expect_nothing_postponed(ConnectionType *type) {
    connection *conn;
    int pair[2];

    test_pair(pair);
    conn = test_conn_create_accepted(el, type, pair[0]);
    CHECK_INT(connAccept(conn, NULL), C_OK);
    connSetPostponeUpdateState(conn, 1);
    CHECK_INT(connSetReadHandler(conn, on_read), C_OK);
    CHECK_INT(aeGetFileEvents(el, pair[0]), AE_READABLE);
    test_send(pair[1], "ab");
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 1);
    CHECK_TEXT(test_noted(), "2");
    connUpdateState(conn);
    CHECK_INT(aeGetFileEvents(el, pair[0]), AE_READABLE);
    connSetPostponeUpdateState(conn, 0);
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    connClose(conn);
    close(pair[1]);
}

static void sockets_have_nothing_to_postpone(void) {
    begin();
    expect_nothing_postponed(connectionTypeTcp());
    expect_nothing_postponed(connectionTypeUnix());
    aeDeleteEventLoop(el);
}

#ifdef TEST_VALKEY_8_1

/* ---- Listeners that close ---- */

static char folder[64], path[96];
static connListener listener;

static void open_listener(ConnectionType *type, char **addresses, int count) {
    int i;

    listener = (connListener){.bindaddr = addresses, .bindaddr_count = count, .ct = type};
    CHECK_INT(connListen(&listener), C_OK);
    CHECK_INT(listener.count, count);
    for (i = 0; i < count; i++)
        CHECK_INT(aeCreateFileEvent(el, listener.fd[i], AE_READABLE, connAcceptHandler(type), NULL), AE_OK);
}

static void expect_closed(int count) {
    int fds[CONFIG_BINDADDR_MAX], i;

    memcpy(fds, listener.fd, sizeof(fds));
    errno = 4242;
    connCloseListener(&listener);
    CHECK_INT(errno, 4242);
    CHECK_INT(listener.count, 0);
    for (i = 0; i < count; i++) {
        CHECK(!test_is_open(fds[i]));
        CHECK_INT(aeGetFileEvents(el, fds[i]), AE_NONE);
    }
    connCloseListener(&listener); /* there is nothing left to close */
    CHECK_INT(listener.count, 0);
}

static void listener_closes_all_its_sockets(void) {
    char address[] = "127.0.0.1", *addresses[] = {address, address}, *paths[] = {path};

    begin();
    open_listener(connectionTypeTcp(), addresses, 2);
    expect_closed(2);
    test_folder(folder);
    snprintf(path, sizeof(path), "%s/socket", folder);
    open_listener(connectionTypeUnix(), paths, 1);
    expect_closed(1);
    unlink(path);
    CHECK(rmdir(folder) == 0);
    /* As in upstream, where a listener lets go of a socket by storing -1. */
    open_listener(connectionTypeTcp(), addresses, 2);
    aeDeleteFileEvent(el, listener.fd[0], AE_READABLE);
    close(listener.fd[0]);
    listener.fd[0] = -1;
    connCloseListener(&listener);
    CHECK_INT(listener.count, 0);
    CHECK(!test_is_open(listener.fd[1]));
    aeDeleteEventLoop(el);
}

static aeEventLoop *hosts_loop(void) { return el; }

static void *create_loop(void *data) {
    (void)data;
    el = aeCreateEventLoop(256);
    return el;
}

/* The loop is the host's choice, though another thread has made it and this one has one of its own. */
static void listener_leaves_the_hosts_loop(void) {
    libaeHost host = {.size = sizeof(host), .current_loop = hosts_loop};
    char address[] = "127.0.0.1", *addresses[] = {address};
    aeEventLoop *own = aeCreateEventLoop(256);
    pthread_t thread;

    CHECK(own != NULL);
    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK_INT(connTypeInitialize(), C_OK);
    CHECK_INT(pthread_create(&thread, NULL, create_loop, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK(el != NULL);
    open_listener(connectionTypeTcp(), addresses, 1);
    expect_closed(1);
    aeDeleteEventLoop(own);
    aeDeleteEventLoop(el);
}

static int closed;

static void own_close_listener(connListener *asked) {
    CHECK(asked == &listener);
    closed++;
    asked->count = 0;
}

static void closing_reaches_the_type(void) {
    static ConnectionType own_type = {.get_type = own_get_type, .closeListener = own_close_listener};
    static ConnectionType poor_type = {.get_type = own_get_type};

    listener = (connListener){.count = 2, .ct = &own_type};
    connCloseListener(&listener);
    CHECK_INT(closed, 1);
    connCloseListener(&listener);
    CHECK_INT(closed, 1); /* not asked for one without sockets */
    listener = (connListener){.count = 2, .ct = &poor_type};
    errno = 4242;
    connCloseListener(&listener);
    CHECK_INT(errno, 4242);
    CHECK_INT(listener.count, 2);
}

/* ---- What arrives ---- */

static int seven(void) { return 7; }
static int zero(void) { return 0; }

static void type_says_whether_it_checks(void) {
    static ConnectionType checks = {.get_type = own_get_type, .connIntegrityChecked = seven};
    static ConnectionType does_not = {.get_type = own_get_type, .connIntegrityChecked = zero};
    connection one = {.type = &checks}, two = {.type = &does_not}, *socket;

    CHECK_INT(connTypeInitialize(), C_OK);
    socket = connCreate(connectionTypeTcp());
    CHECK_KEEPS_ERRNO(connIsIntegrityChecked(&one), 1);
    CHECK_KEEPS_ERRNO(connIsIntegrityChecked(&two), 0);
    CHECK_KEEPS_ERRNO(connIsIntegrityChecked(socket), 0);
    connClose(socket);
}

/* ---- RDMA ---- */

static void rdma_is_not_built_in(void) {
    CHECK_FAILS(RegisterConnectionTypeRdma(), C_ERR, EOPNOTSUPP);
    CHECK_INT(connTypeInitialize(), C_OK); /* which does not mind */
#ifdef TEST_VALKEY_9
    CHECK_FAILS_NULL(connectionByType(CONN_TYPE_RDMA), ENOENT);
#else
    CHECK_FAILS_NULL(connectionByType("rdma"), ENOENT);
#endif
}

#define CASES_OF_8_1                                                                                           \
    , CASE(listener_closes_all_its_sockets), CASE(listener_leaves_the_hosts_loop), CASE(closing_reaches_the_type), \
        CASE(type_says_whether_it_checks), CASE(rdma_is_not_built_in)

#else
#define CASES_OF_8_1
#endif

TEST_MAIN(CASE(postponing_reaches_the_type), CASE(sockets_have_nothing_to_postpone) CASES_OF_8_1)
