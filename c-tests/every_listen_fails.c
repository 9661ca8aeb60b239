/* Every system call fails once, as in every_call_fails.c: listeners of connection types and of anet, what they accept,
 * and names that are looked up and connected to. */
#include "test.h"
#include "conn_test.h"
#include "every_call.h"
#include "names_test.h"

#include <anet.h>
#include <libae.h>
#include <sys/un.h>

static char err[ANET_ERR_LEN];

static aeEventLoop *new_loop(void) {
    aeEventLoop *loop = aeCreateEventLoop(256);

    CHECK(loop != NULL);
    return loop;
}

/* ---- Unix sockets ---- */

static char folder[64], paths[2][96];

static void use_folder(void) {
    test_folder(folder);
    snprintf(paths[0], sizeof(paths[0]), "%s/one", folder);
    snprintf(paths[1], sizeof(paths[1]), "%s/two", folder);
}

static void leave_folder(void) { CHECK_INT(rmdir(folder), 0); }

static int exists(const char *path) { return access(path, F_OK) == 0; }

/* The calls of the client are the system's. */
static int connect_to_path(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = (int)syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(fd != -1);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    CHECK_INT(syscall(SYS_connect, fd, &address, sizeof(address)), 0);
    return fd;
}

static void unix_server_scenario(void) {
    int listening, accepted, client;

    LIBRARY(listening = test_unix_server(err, paths[0], 0700, 5));
    if (listening == ANET_ERR) {
        SAYS_WHY();
        CHECK_CONTAINS(err, strerror(error));
        CHECK(!exists(paths[0]));
        return;
    }
    client = connect_to_path(paths[0]);
    LIBRARY(accepted = anetUnixAccept(err, listening));
    if (accepted == ANET_ERR)
        SAYS_WHY();
    else
        close(accepted);
    close(client);
    close(listening);
    CHECK_INT(unlink(paths[0]), 0);
}

static void unix_servers_say_why(void) {
    use_folder();
    every_call(unix_server_scenario);
    leave_folder();
}

#ifndef TEST_CONN_V1

/* ---- Listeners of connection types ---- */

static connection *accepted;

/* 1: its data has come; -1: it has failed. */
static int served;

static void on_data(connection *conn) {
    char buffer[16];

    if (connRead(conn, buffer, sizeof(buffer)) > 0)
        served = 1;
    else if (connGetState(conn) != CONN_STATE_CONNECTED)
        served = -1;
}

static void on_accepted(connection *conn, int flags, char *ip) {
    (void)flags;
    (void)ip;
    CHECK_NULL(accepted);
    accepted = conn;
    if (connAccept(conn, NULL) != C_OK || connSetReadHandler(conn, on_data) != C_OK) {
        SAYS_WHY();
        served = -1;
    }
}

static mode_t permissions(void) { return 0700; }

static libaeHost host = {.size = sizeof(libaeHost), .accepted = on_accepted, .unix_permissions = permissions};

static libaeSocketOptions options = {.size = sizeof(options)};
static int with_options, is_unix;

static int listen_as_asked(connListener *listener) {
    return with_options ? libaeConnListen(err, listener, &options) : connListen(listener);
}

static void close_sockets(connListener *listener) {
    int i;

    for (i = 0; i < listener->count; i++) close(listener->fd[i]);
    for (i = 0; is_unix && i < 2; i++) CHECK_INT(unlink(paths[i]), 0);
}

static void listener_scenario(void) {
    static char here[] = "127.0.0.1";
    char *local[] = {here, here}, *files[] = {paths[0], paths[1]};
    connListener listener = {.bindaddr = is_unix ? files : local, .bindaddr_count = 2};
    aeEventLoop *loop = new_loop();
    int result, client, last;

    listener.ct = is_unix ? UNIX_TYPE : TCP_TYPE;
    options.unix_permissions = is_unix ? 0700 : 0;
    served = 0;
    LIBRARY(result = listen_as_asked(&listener));
    if (result != C_OK) {
        SAYS_WHY();
        CHECK_INT(listener.count, 0);
        CHECK_INT(listener.port, 0);
        CHECK(!exists(paths[0]) && !exists(paths[1]));
        goes_on(loop);
        aeDeleteEventLoop(loop);
        return;
    }
    /* As upstream has it, an address whose family the machine does not have is left out. */
    CHECK(listener.count == 2 || (!is_unix && failed && error == ENOPROTOOPT));
    last = listener.fd[listener.count - 1];
    CHECK(fcntl(last, F_GETFL) & O_NONBLOCK);
    CHECK(fcntl(last, F_GETFD) & FD_CLOEXEC);
    LIBRARY(result = aeCreateFileEvent(loop, last, AE_READABLE, connAcceptHandler(listener.ct), NULL));
    if (result == AE_OK) {
        client = is_unix ? connect_to_path(paths[1]) : test_connect(AF_INET, test_port(last));
        test_send(client, "hello");
        /* The error of an accept is logged, and it is tried again. */
        run_until(loop, &served);
        if (served == -1) CHECK(failed);
        LIBRARY(connClose(accepted));
        accepted = NULL;
        close(client);
    } else {
        SAYS_WHY();
    }
    goes_on(loop);
    aeDeleteEventLoop(loop);
    close_sockets(&listener);
}

static void listeners_say_why(void) {
    CHECK_INT(test_conn_types(), C_OK);
    CHECK_INT(libaeSetHost(&host), AE_OK);
    use_folder();
    for (is_unix = 0; is_unix < 2; is_unix++) {
        for (with_options = 0; with_options < 2; with_options++) every_call(listener_scenario);
    }
    leave_folder();
}

/* What an earlier process has left is replaced, or is in the way. */
static void stale_scenario(void) {
    char *files[] = {paths[0]};
    connListener listener = {.bindaddr = files, .bindaddr_count = 1};
    int result;

    close(test_unix_server(err, paths[0], 0, 5));
    listener.ct = UNIX_TYPE;
    LIBRARY(result = connListen(&listener));
    if (result == C_OK) {
        close(listener.fd[0]);
    } else {
        SAYS_WHY();
        CHECK_INT(listener.count, 0);
    }
    unlink(paths[0]);
}

static void stale_sockets_are_replaced(void) {
    CHECK_INT(test_conn_types(), C_OK);
    use_folder();
    every_call(stale_scenario);
    leave_folder();
}

#define LISTENERS , CASE(listeners_say_why), CASE(stale_sockets_are_replaced)
#else
#define LISTENERS
#endif

/* ---- Names ---- */

static int told, told_error, told_fd, port;
static const char *name;

static void on_resolved(aeEventLoop *loop, const libaeResolved *resolved, void *data) {
    (void)loop;
    (void)data;
    told++;
    told_error = resolved->error;
    CHECK_INT(resolved->count, 1);
    CHECK_TEXT(resolved->addresses[0], "127.0.0.1");
}

static void resolver_scenario(void) {
    aeEventLoop *loop = new_loop();
    long long id;

    told = 0;
    LIBRARY(id = libaeResolve(loop, name, AF_UNSPEC, on_resolved, NULL));
    if (id == AE_ERR) {
        SAYS_WHY();
    } else {
        run_until(loop, &told);
        CHECK_INT(told_error, 0);
    }
    goes_on(loop);
    LIBRARY(aeDeleteEventLoop(loop));
    CHECK(told <= 1);
    await_no_threads();
}

static void names_are_looked_up(void) {
    for (name = "127.0.0.1"; name != NULL; name = strcmp(name, "other") == 0 ? NULL : "other")
        every_call(resolver_scenario);
}

static void on_connected_fd(aeEventLoop *loop, int fd, int code, const char *text, void *data) {
    (void)loop;
    (void)data;
    told++;
    told_fd = fd;
    told_error = code;
    if (fd == -1) CHECK_CONTAINS(text, strerror(code));
}

static void socket_by_name_scenario(void) {
    int listening = test_listen(AF_INET, 5, &port);
    aeEventLoop *loop = new_loop();
    long long id;

    told = 0;
    LIBRARY(id = libaeConnectName(loop, "two", port, on_connected_fd, NULL));
    if (id == AE_ERR) {
        SAYS_WHY();
    } else {
        run_until(loop, &told);
        if (told_fd != -1)
            close(told_fd);
        else
            CHECK(failed && told_error == error);
    }
    goes_on(loop);
    LIBRARY(aeDeleteEventLoop(loop));
    close(listening);
    await_no_threads();
}

static void sockets_are_connected_by_name(void) { every_call(socket_by_name_scenario); }

static void on_connected(connection *conn) {
    (void)conn;
    told++;
}

static void connection_by_name_scenario(void) {
    int listening = test_listen(AF_INET, 5, &port), result;
    aeEventLoop *loop = new_loop();
    connection *conn = test_conn_create(loop, TCP_TYPE);

    CHECK(conn != NULL);
    told = 0;
    LIBRARY(result = libaeConnConnectName(err, conn, "two", port, NULL, on_connected));
    if (result == C_OK)
        run_until(loop, &told);
    else
        SAYS_WHY();
    if (connGetState(conn) != CONN_STATE_CONNECTED) {
        CHECK_INT(connGetState(conn), CONN_STATE_ERROR);
        CHECK(failed && conn->last_errno == error);
        CHECK_INT(conn->fd, -1);
    }
    LIBRARY(connClose(conn));
    goes_on(loop);
    aeDeleteEventLoop(loop);
    close(listening);
    await_no_threads();
}

static void connections_are_connected_by_name(void) {
    CHECK_INT(test_conn_types(), C_OK);
    every_call(connection_by_name_scenario);
}

TEST_MAIN(CASE(unix_servers_say_why) LISTENERS, CASE(names_are_looked_up), CASE(sockets_are_connected_by_name),
          CASE(connections_are_connected_by_name))
