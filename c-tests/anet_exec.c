/* What an exec does to sockets, and which of them block: as upstream of the profile, or the safer way when the
 * program asks for it. */
#include "test.h"
#include "conn_test.h"

#include <anet.h>

static char err[ANET_ERR_LEN], any_v4[] = "127.0.0.1", any_v6[] = "::1", folder[64], path[96];

static int is_cloexec(int fd) { return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }

static int is_nonblocking(int fd) { return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0; }

/* Also closes it. */
static void expect(int fd, int cloexec, int nonblocking) {
    if (fd == ANET_ERR) FAIL("%s", err);
    CHECK_INT(is_cloexec(fd), cloexec);
    CHECK_INT(is_nonblocking(fd), nonblocking);
    close(fd);
}

static void expect_tcp(int safe) {
    int server = anetTcpServer(err, 0, any_v4, 16), port = test_port(server), client, fd;

    client = anetTcpConnect(err, any_v4, port);
    CHECK_INT(is_cloexec(client), safe || CONNECT_CLOEXEC);
    fd = anetTcpAccept(err, server, NULL, 0, NULL);
    expect(fd, safe || ACCEPT_SAFE, safe || ACCEPT_SAFE);
    expect(client, safe || CONNECT_CLOEXEC, 0);
    expect(anetTcpNonBlockConnect(err, any_v4, port), safe || CONNECT_CLOEXEC, 1);
    expect(anetTcpNonBlockBindConnect(err, any_v4, port, any_v4), safe || CONNECT_CLOEXEC, 1);
    expect(anetTcpNonBlockBestEffortBindConnect(err, any_v4, port, any_v4), safe || CONNECT_CLOEXEC, 1);
    expect(server, safe, 0);
}

/* A connection that waits for its connect has such a socket, too. */
static void expect_connection(int safe) {
#ifdef TEST_CONN_V1
    (void)safe; /* there are none over unix sockets */
#else
    connection *conn;

    CHECK_INT(test_conn_types(), C_OK);
    conn = test_conn_create(NULL, UNIX_TYPE);
    CHECK_INT(connBlockingConnect(conn, path, 0, -1), C_OK);
    CHECK_INT(is_cloexec(conn->fd), safe || CONNECT_CLOEXEC);
    connClose(conn);
#endif
}

static void expect_unix(int safe) {
    int server, client;

    test_folder(folder);
    snprintf(path, sizeof(path), "%s/socket", folder);
    server = test_unix_server(err, path, 0, 16);
    if (server == ANET_ERR) FAIL("%s", err);
    client = anetUnixGenericConnect(err, path, 0);
    expect(anetUnixAccept(err, server), safe || ACCEPT_SAFE, safe || ACCEPT_SAFE);
    expect(client, safe || CONNECT_CLOEXEC, 0);
    expect(anetUnixGenericConnect(err, path, 1), safe || CONNECT_CLOEXEC, 1);
    expect(anetUnixGenericConnect(err, path, 5), safe || CONNECT_CLOEXEC, 1); /* one bit says so, whatever the others */
    expect_connection(safe);
    expect(server, safe || UNIX_SERVER_NONBLOCK, UNIX_SERVER_NONBLOCK != 0);
    unlink(path);
    CHECK(rmdir(folder) == 0);
}

static void as_upstream(void) {
    CHECK_INT(libaeSetSafeSockets(0), 0);
    expect_tcp(0);
    expect_unix(0);
}

static void the_safer_way(void) {
    CHECK_KEEPS_ERRNO(libaeSetSafeSockets(1), 0);
    expect_tcp(1);
    expect_unix(1);
    CHECK_INT(libaeSetSafeSockets(7), 1);
    CHECK_INT(libaeSetSafeSockets(0), 1);
    expect_tcp(0);
}

static void ipv6(void) {
    test_needs_ipv6();
    expect(anetTcp6Server(err, 0, any_v6, 16), 0, 0);
    libaeSetSafeSockets(1);
    expect(anetTcp6Server(err, 0, any_v6, 16), 1, 0);
}

/* A descriptor is there after an exec, or it is not. */
static void expect_after_exec(int fd, int is_there) {
    char number[32];
    int status;
    pid_t child;

    snprintf(number, sizeof(number), "/proc/self/fd/%d", fd);
    child = fork();
    CHECK(child != -1);
    if (child == 0) {
        execlp("test", "test", "-e", number, (char *)NULL);
        _exit(99);
    }
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(WEXITSTATUS(status), !is_there);
}

/* A server hands its listening socket to its successor. */
static void listening_socket_survives_an_exec(void) {
    int server = anetTcpServer(err, 0, any_v4, 16);

    expect_after_exec(server, 1);
    CHECK_INT(anetCloexec(server) >= 0, 1);
    expect_after_exec(server, 0);
    close(server);
    libaeSetSafeSockets(1);
    server = anetTcpServer(err, 0, any_v4, 16);
    expect_after_exec(server, 0);
    close(server);
}

/* redis-6.2: a message comes in two parts, and one read gets it whole. */
static void accepted_socket_waits(void) {
    int server = anetTcpServer(err, 0, any_v4, 16), port = test_port(server), fd, status;
    char message[9] = "";
    pid_t child;

    if (ACCEPT_SAFE) {
        close(server);
        SKIP("accepted sockets do not block");
    }
    child = fork();
    CHECK(child != -1);
    if (child == 0) {
        int client = test_connect(AF_INET, port);

        test_send(client, "abcd");
        test_sleep_us(50000);
        test_send(client, "efgh");
        _exit(0);
    }
    fd = anetTcpAccept(err, server, NULL, 0, NULL);
    CHECK_INT(anetRead(fd, message, 8), 8);
    CHECK_TEXT(message, "abcdefgh");
    CHECK_INT(waitpid(child, &status, 0), child);
    close(fd);
    close(server);
}

/* Connections are made by the same functions. */
static void connections_connect_as_anet_does(void) {
    int port, server = test_listen(AF_INET, 16, &port);
    aeEventLoop *el = aeCreateEventLoop(64);
    connection *conn;
    int safe;

    CHECK(el != NULL);
    CHECK_INT(test_conn_types(), C_OK);
    for (safe = 0; safe < 2; safe++) {
        libaeSetSafeSockets(safe);
        conn = test_conn_create(el, TCP_TYPE);
        CHECK_INT(connConnect(conn, any_v4, port, NULL, NULL), C_OK);
        CHECK_INT(is_cloexec(conn->fd), safe || CONNECT_CLOEXEC);
        connClose(conn);
    }
    close(server);
    aeDeleteEventLoop(el);
}

TEST_MAIN(CASE(as_upstream), CASE(the_safer_way), CASE(ipv6), CASE(listening_socket_survives_an_exec),
          CASE(accepted_socket_waits), CASE(connections_connect_as_anet_does))
