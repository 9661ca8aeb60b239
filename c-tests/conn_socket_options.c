/* Connections and listeners with options for their sockets, and listeners that are told apart. */
#include "test.h"
#include "conn_test.h"
#include "failing_calls.h"

#include <ae.h>
#include <anet.h>
#include <libae.h>
#include <netinet/tcp.h>

static char err[ANET_ERR_LEN], here[] = "127.0.0.1", name[64];
static libaeSocketOptions options = {.size = sizeof(options)};
static aeEventLoop *el;
static int connected;

static void begin(void) {
    CHECK_INT(test_conn_types(), C_OK);
    el = aeCreateEventLoop(256);
    CHECK(el != NULL);
    snprintf(name, sizeof(name), "@libae-conn-%d", (int)getpid());
}

static void on_connected(connection *conn) {
    CHECK_INT(connGetState(conn), CONN_STATE_CONNECTED);
    connected++;
}

static void connections_connect_with_options(void) {
    int port, listening = test_listen(AF_INET, 5, &port);
    connection *conn;

    begin();
    conn = test_conn_create(el, TCP_TYPE);
    options.user_timeout = 4321;
    options.blocking = 1; /* a loop never waits for its connections, whatever they say */
    CHECK_KEEPS_ERRNO(libaeConnConnect(err, conn, here, port, &options, on_connected), C_OK);
    CHECK_INT(test_option(conn->fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 4321);
    CHECK_INT(fcntl(conn->fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    CHECK_INT(fcntl(conn->fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    while (!connected) aeProcessEvents(el, AE_ALL_EVENTS);
    CHECK_FAILS(libaeConnConnect(err, conn, here, port, NULL, on_connected), C_ERR, EISCONN);
    connClose(conn);
    close(listening);
    aeDeleteEventLoop(el);
}

/* Each of them, though the socket is there only when the name has been looked up. */
static void connections_connect_by_name_with_options(void) {
    int port, listening = test_listen(AF_INET, 5, &port);
    connection *conn;

    begin();
    conn = test_conn_create(el, TCP_TYPE);
    options.user_timeout = 4321;
    options.keep_alive = 30;
    options.no_delay = 1;
    options.free_bind = 1;
    options.source = "127.0.0.9";
    CHECK_INT(libaeConnConnectName(err, conn, "127.0.0.1", port, &options, on_connected), C_OK);
    while (!connected) aeProcessEvents(el, AE_ALL_EVENTS);
    CHECK_INT(test_option(conn->fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 4321);
    CHECK_INT(test_option(conn->fd, IPPROTO_TCP, TCP_KEEPIDLE), 30);
    CHECK_INT(test_option(conn->fd, IPPROTO_TCP, TCP_NODELAY), 1);
    CHECK_INT(test_option(conn->fd, IPPROTO_IP, IP_FREEBIND), 1);
    connClose(conn);
    close(listening);
    aeDeleteEventLoop(el);
}

static void connections_connect_to_abstract_names(void) {
    connection *conn;
    int listening;

    begin();
    listening = libaeListen(err, name, 0, NULL);
    CHECK(listening != ANET_ERR);
    conn = test_conn_create(el, UNIX_TYPE);
    CHECK_INT(libaeConnConnect(err, conn, name, 0, NULL, on_connected), C_OK);
    while (!connected) aeProcessEvents(el, AE_ALL_EVENTS);
    close(test_accept(listening, 0));
    connClose(conn);
    close(listening);
    aeDeleteEventLoop(el);
}

static void a_refused_option_is_told(void) {
    int port, listening = test_listen(AF_INET, 5, &port);
    connection *conn;

    begin();
    conn = test_conn_create(el, TCP_TYPE);
    options.source = "192.0.2.1"; /* not like connConnect, which goes without it */
    CHECK_FAILS(libaeConnConnect(err, conn, here, port, &options, on_connected), C_ERR, EADDRNOTAVAIL);
    CHECK_CONTAINS(err, "bind");
    CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
    CHECK_INT(conn->last_errno, EADDRNOTAVAIL);
    CHECK_INT(conn->fd, -1);
    options.source = NULL;
    CHECK_INT(libaeConnConnect(err, conn, here, port, &options, on_connected), C_OK);
    connClose(conn);
    conn = test_conn_create(el, TCP_TYPE);
    options.size = 8;
    CHECK_FAILS(libaeConnConnect(err, conn, here, port, &options, on_connected), C_ERR, EINVAL);
    CHECK_INT(connGetState(conn), CONN_STATE_NONE);
    CHECK_FAILS(libaeConnConnect(err, conn, NULL, port, NULL, on_connected), C_ERR, EINVAL);
    CHECK_FAILS(libaeConnConnect(err, NULL, here, port, NULL, on_connected), C_ERR, EINVAL);
    connClose(conn);
    close(listening);
    aeDeleteEventLoop(el);
}

#ifndef TEST_CONN_V1

static connection *accepted[4];
static void *told[4];
static int accepted_count;

static void on_accepted(connection *conn, int flags, char *ip) {
    (void)flags;
    (void)ip;
    told[accepted_count] = libaeConnAcceptData(conn);
    CHECK_INT(connAccept(conn, NULL), C_OK);
    accepted[accepted_count++] = conn;
}

static libaeHost host = {.size = sizeof(libaeHost), .accepted = on_accepted};

static void run_until_accepted(int count) {
    while (accepted_count < count) CHECK(aeProcessEvents(el, AE_ALL_EVENTS) >= 0);
}

static void watch(connListener *listener) {
    CHECK_INT(aeCreateFileEvent(el, listener->fd[0], AE_READABLE, connAcceptHandler(listener->ct), listener), AE_OK);
}

static void unwatch(connListener *listener) {
    aeDeleteFileEvent(el, listener->fd[0], AE_READABLE);
    close(listener->fd[0]);
}

static void listeners_listen_with_options(void) {
    char *addresses[] = {here}, *names[] = {name};
    connListener tcp = {.bindaddr = addresses, .bindaddr_count = 1}, local = tcp;
    int client;

    CHECK_INT(libaeSetHost(&host), AE_OK);
    begin();
    tcp.ct = connectionTypeTcp();
    options.user_timeout = 2222;
    CHECK_KEEPS_ERRNO(libaeConnListen(err, &tcp, &options), C_OK);
    CHECK_INT(tcp.count, 1);
    CHECK_INT(tcp.port, test_port(tcp.fd[0]));
    CHECK_INT(fcntl(tcp.fd[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    CHECK_INT(fcntl(tcp.fd[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    watch(&tcp);
    client = test_connect(AF_INET, tcp.port);
    run_until_accepted(1);
    CHECK_INT(test_option(accepted[0]->fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 2222);
    connClose(accepted[0]);
    close(client);
    unwatch(&tcp);
    local.ct = connectionTypeUnix();
    local.bindaddr = names;
    CHECK_FAILS(libaeConnListen(err, &local, &options), C_ERR, EOPNOTSUPP);
    CHECK_CONTAINS(err, "TCP_USER_TIMEOUT");
    CHECK_INT(local.count, 0);
    options.user_timeout = 0;
    CHECK_INT(libaeConnListen(err, &local, &options), C_OK);
    CHECK_INT(local.port, 0);
    watch(&local);
    client = libaeConnect(err, name, 0, NULL);
    run_until_accepted(2);
    CHECK(test_conn_has_type(accepted[1], "unix"));
    connClose(accepted[1]);
    close(client);
    unwatch(&local);
    aeDeleteEventLoop(el);
}

/* An address that may be missing is not one whose options may be refused. */
static void a_refused_option_fails_the_listener(void) {
    char optional[] = "-127.0.0.1", *addresses[] = {here, optional};
    connListener tcp = {.bindaddr = addresses, .bindaddr_count = 2};

    begin();
    CHECK_FAILS(libaeConnListen(err, NULL, NULL), C_ERR, EINVAL);
    CHECK_FAILS(libaeConnListen(err, &tcp, NULL), C_ERR, EOPNOTSUPP); /* without a type */
    tcp.ct = connectionTypeTcp();
    options.unix_permissions = 0700;
    CHECK_FAILS(libaeConnListen(err, &tcp, &options), C_ERR, EINVAL);
    CHECK_CONTAINS(err, "unix_permissions");
    options.unix_permissions = 0;
    options.mptcp = LIBAE_MPTCP_REQUIRED;
    sockets = (struct failures){1, {EPROTONOSUPPORT}}; /* without an option it would say that there is no IPv4 */
    CHECK_FAILS(libaeConnListen(err, &tcp, &options), C_ERR, EPROTONOSUPPORT);
    CHECK_INT(tcp.count, 0);
    CHECK_INT(tcp.port, 0);
    aeDeleteEventLoop(el);
}

static void a_listener_is_told_its_port(void) {
    char *addresses[] = {here};
    connListener tcp = {.bindaddr = addresses, .bindaddr_count = 1};

    begin();
    tcp.ct = connectionTypeTcp();
    CHECK_INT(connListen(&tcp), C_OK);
    CHECK(tcp.port > 0);
    CHECK_INT(tcp.port, test_port(tcp.fd[0]));
    close(tcp.fd[0]);
    aeDeleteEventLoop(el);
}

static void listeners_are_told_apart(void) {
    char *addresses[] = {here};
    connListener two[2];
    int clients[2], i;

    CHECK_INT(libaeSetHost(&host), AE_OK);
    begin();
    for (i = 0; i < 2; i++) {
        two[i] = (connListener){.bindaddr = addresses, .bindaddr_count = 1, .ct = connectionTypeTcp()};
        CHECK_INT(connListen(&two[i]), C_OK);
        watch(&two[i]);
    }
    for (i = 0; i < 2; i++) {
        clients[i] = test_connect(AF_INET, two[i].port);
        run_until_accepted(i + 1);
        CHECK(told[i] == &two[i]);
    }
    /* It is the program's pointer, and stays when the listener is gone. */
    for (i = 0; i < 2; i++) unwatch(&two[i]);
    for (i = 0; i < 2; i++) {
        CHECK(libaeConnAcceptData(accepted[i]) == &two[i]);
        connClose(accepted[i]);
        close(clients[i]);
    }
    aeDeleteEventLoop(el);
}

static void others_have_no_listener(void) {
    int port, listening = test_listen(AF_INET, 5, &port), client = test_connect(AF_INET, port);
    connection *conn;

    begin();
    conn = test_conn_create(el, TCP_TYPE);
    CHECK_NULL(libaeConnAcceptData(conn));
    connClose(conn);
    conn = test_conn_create_accepted(el, TCP_TYPE, test_accept(listening, 0));
    CHECK_NULL(libaeConnAcceptData(conn));
    connClose(conn);
    CHECK_FAILS_NULL(libaeConnAcceptData(NULL), EINVAL);
    close(client);
    close(listening);
    aeDeleteEventLoop(el);
}

/* One that an earlier process left under the path is replaced, as by connListen; an abstract name is no path. */
static void names_of_unix_listeners(void) {
    char folder[64], path[96], file[80], *addresses[] = {path};
    connListener local = {.bindaddr = addresses, .bindaddr_count = 1, .port = 6379};
    int left, fd;

    begin();
    local.ct = connectionTypeUnix();
    test_folder(folder);
    snprintf(path, sizeof(path), "%s/socket", folder);
    left = libaeListen(err, path, 0, NULL);
    CHECK(left != ANET_ERR);
    close(left);
    CHECK_INT(libaeConnListen(err, &local, NULL), C_OK);
    CHECK_INT(local.port, 6379); /* which is another listener's */
    close(local.fd[0]);
    unlink(path);

    CHECK(chdir(folder) == 0);
    snprintf(file, sizeof(file), "%s", name);
    fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(fd != -1);
    close(fd);
    local.count = 0;
    addresses[0] = name;
    CHECK_INT(libaeConnListen(err, &local, NULL), C_OK);
    CHECK(access(file, F_OK) == 0);
    close(local.fd[0]);
    unlink(file);
    CHECK(rmdir(folder) == 0);
    aeDeleteEventLoop(el);
}

#define LISTENERS                                                                                            \
    , CASE(listeners_listen_with_options), CASE(a_refused_option_fails_the_listener), CASE(a_listener_is_told_its_port), \
        CASE(listeners_are_told_apart), CASE(others_have_no_listener), CASE(names_of_unix_listeners)
#else
#define LISTENERS
#endif

TEST_MAIN(CASE(connections_connect_with_options), CASE(connections_connect_by_name_with_options),
          CASE(connections_connect_to_abstract_names),
          CASE(a_refused_option_is_told) LISTENERS)
