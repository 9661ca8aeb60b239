/* Unix sockets by anet. */
#include "test.h"
#include "profile.h"

#include <anet.h>
#include <sys/syscall.h>

static char err[ANET_ERR_LEN];
static char folder[64];
static char path[256];

/* A path in a folder of its own. */
static char *socket_path(void) {
    test_folder(folder);
    snprintf(path, sizeof(path), "%s/socket", folder);
    return path;
}

static void remove_path(void) {
    unlink(path);
    CHECK(rmdir(folder) == 0); /* fails when anything else was left there */
}

static mode_t mode_of(const char *file) {
    struct stat info;

    CHECK(stat(file, &info) == 0);
    CHECK(S_ISSOCK(info.st_mode));
    return info.st_mode & 0777;
}

static int serve(mode_t permissions) {
    int server = test_unix_server(err, path, permissions, 16);

    if (server == ANET_ERR) FAIL("anetUnixServer: %s", err);
    return server;
}

static void server_and_client_meet(void) {
    int server, client, fd;

    socket_path();
    server = serve(0);
    CHECK_INT(fcntl(server, F_GETFL) & O_NONBLOCK, UNIX_SERVER_NONBLOCK);
    client = anetUnixGenericConnect(err, path, 0);
    if (client == ANET_ERR) FAIL("anetUnixGenericConnect: %s", err);
    CHECK_INT(fcntl(client, F_GETFL) & O_NONBLOCK, 0);
    fd = anetUnixAccept(err, server);
    if (fd == ANET_ERR) FAIL("anetUnixAccept: %s", err);
    CHECK_INT(anetNonBlock(err, fd), ANET_OK);
    test_send(client, "hello");
    CHECK_INT(test_drain(fd), 5);
    close(fd);
    close(client);
    close(server);
    remove_path();
}

static void nonblocking_connect(void) {
    int server, client;

    socket_path();
    server = serve(0);
    client = anetUnixGenericConnect(err, path, 1);
    if (client == ANET_ERR) FAIL("anetUnixGenericConnect: %s", err);
    CHECK_INT(fcntl(client, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    CHECK_INT(anetGetError(client), 0);
    close(client);
    close(server);
    remove_path();
}

static void permissions_are_set(void) {
    mode_t before = umask(022);
    int server;

    socket_path();
    server = serve(0700);
    CHECK_INT(mode_of(path), 0700);
    close(server);
    unlink(path);
    server = serve(0777); /* beyond the umask */
    CHECK_INT(mode_of(path), 0777);
    close(server);
    unlink(path);
    server = serve(0); /* left alone */
    CHECK_INT(mode_of(path), 0755);
    close(server);
    remove_path();
    umask(before);
}

static mode_t mode_when_it_listens;

/* The C library's, for the library as well. */
int listen(int fd, int backlog) {
    struct stat info;

    mode_when_it_listens = stat(path, &info) == 0 ? info.st_mode & 0777 : 0;
    return (int)syscall(SYS_listen, fd, backlog);
}

/* Nobody whom they keep out comes in before. */
static void permissions_are_set_before_it_listens(void) {
    mode_t before = umask(0);

    socket_path();
    close(serve(0700));
    CHECK_INT(mode_when_it_listens, 0700);
    remove_path();
    umask(before);
}

/* The group comes before the permissions: chown may take bits away. */
static void group_is_set(void) {
#ifdef TEST_VALKEY
    char group[16], none[] = "no-such-group";
    struct stat info;
    int server;

    socket_path();
    snprintf(group, sizeof(group), "%d", (int)test_other_group());
    server = anetUnixServer(err, path, 0770, 16, group);
    if (server == ANET_ERR) FAIL("anetUnixServer: %s", err);
    CHECK(stat(path, &info) == 0);
    CHECK_INT(info.st_gid, test_other_group());
    CHECK_INT(mode_of(path), 0770);
    close(server);
    unlink(path);
    CHECK_INT(anetUnixServer(err, path, 0770, 16, none), ANET_ERR);
    CHECK_CONTAINS(err, "chown: ");
    CHECK(access(path, F_OK) == -1); /* the file that bind made is gone again */
    remove_path();
#else
    SKIP("anetUnixServer takes no group");
#endif
}

static void used_path_is_told(void) {
    int server;

    socket_path();
    server = serve(0);
    CHECK_FAILS(test_unix_server(err, path, 0, 16), ANET_ERR, EADDRINUSE);
    CHECK_TEXT(err, "bind: Address already in use");
    CHECK_FAILS(test_unix_server(NULL, path, 0, 16), ANET_ERR, EADDRINUSE);
    close(server);
    CHECK(access(path, F_OK) == 0); /* neither failure nor close removes it */
    remove_path();
}

static void missing_folder_is_told(void) {
    char missing[] = "/nowhere/at/all";

    CHECK_FAILS(test_unix_server(err, missing, 0, 16), ANET_ERR, ENOENT);
    CHECK_TEXT(err, "bind: No such file or directory");
    CHECK_FAILS(anetUnixGenericConnect(err, missing, 0), ANET_ERR, ENOENT);
    CHECK_TEXT(err, "connect: No such file or directory");
    CHECK_FAILS(anetUnixGenericConnect(NULL, missing, 1), ANET_ERR, ENOENT);
}

static void nobody_listening_is_told(void) {
    socket_path();
    close(serve(0));
    CHECK_FAILS(anetUnixGenericConnect(err, path, 0), ANET_ERR, ECONNREFUSED);
    CHECK_TEXT(err, "connect: Connection refused");
    remove_path();
}

static void full_backlog_is_told_to_a_nonblocking_client(void) {
    int server, clients[64], count = 0;

    socket_path();
    server = test_unix_server(err, path, 0, 1);
    CHECK(server != ANET_ERR);
    while (count < 64 && (clients[count] = anetUnixGenericConnect(err, path, 1)) != ANET_ERR) count++;
    CHECK(count < 64);
    CHECK_INT(errno, EAGAIN);
    CHECK_CONTAINS(err, "connect: ");
    while (count > 0) close(clients[--count]);
    close(server);
    remove_path();
}

/* A server that accepts both in the same way: its peers have a name that is none, and no port. */
static void accepted_as_over_tcp(void) {
    char ip[46] = "";
    int server, client, fd, port = 77;

    socket_path();
    server = serve(0);
    client = anetUnixGenericConnect(err, path, 0);
    fd = anetTcpAccept(err, server, ip, sizeof(ip), &port);
    if (fd == ANET_ERR) FAIL("anetTcpAccept: %s", err);
    CHECK_TEXT(ip, "/unixsocket");
    CHECK_INT(port, 0);
    close(fd);
    close(client);
    close(server);
    remove_path();
}

static void nobody_waiting_is_eagain(void) {
    int server;

    socket_path();
    server = serve(0);
    CHECK_INT(anetNonBlock(err, server), ANET_OK);
    CHECK_FAILS(anetUnixAccept(err, server), ANET_ERR, EAGAIN);
    CHECK_TEXT(err, "accept: Resource temporarily unavailable");
    CHECK_FAILS(anetUnixAccept(NULL, server), ANET_ERR, EAGAIN);
    close(server);
    CHECK_FAILS(anetUnixAccept(err, server), ANET_ERR, EBADF);
    CHECK_TEXT(err, "accept: Bad file descriptor");
    remove_path();
}

/* A path of `length` bytes in the folder. */
static void long_path(size_t length) {
    size_t start = (size_t)snprintf(path, sizeof(path), "%s/", folder);

    memset(path + start, 'p', length - start);
    path[length] = '\0';
}

static void longest_path_works(void) {
    const size_t longest = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
    int server, client;

    test_folder(folder);
    long_path(longest);
    server = serve(0);
    client = anetUnixGenericConnect(err, path, 0);
    if (client == ANET_ERR) FAIL("anetUnixGenericConnect: %s", err);
    close(client);
    close(server);
    remove_path();
}

/* Departs from upstream, which cuts the path (from 7.2 on only to connect) and goes somewhere else. */
static void too_long_path_is_an_error(void) {
    const size_t longest = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
    size_t more;

    test_folder(folder);
    for (more = 1; more <= 100; more += 33) {
        long_path(longest + more);
        CHECK_FAILS(test_unix_server(err, path, 0700, 16), ANET_ERR, ENAMETOOLONG);
        CHECK_CONTAINS(err, "too long");
        CHECK_FAILS(anetUnixGenericConnect(err, path, 0), ANET_ERR, ENAMETOOLONG);
        CHECK_CONTAINS(err, "too long");
        CHECK_FAILS(test_unix_server(NULL, path, 0, 16), ANET_ERR, ENAMETOOLONG);
    }
    CHECK(rmdir(folder) == 0); /* no file was made under a cut name */
}

static void interrupted_accept_goes_on(void) {
    int server, fd;
    pid_t signals, child;

    socket_path();
    server = serve(0);
    CHECK_INT(anetBlock(err, server), ANET_OK);
    signals = test_start_signals();
    child = fork();
    CHECK(child != -1);
    if (child == 0) {
        test_sleep_us(100000);
        _exit(anetUnixGenericConnect(NULL, path, 0) == ANET_ERR);
    }
    fd = anetUnixAccept(err, server);
    if (fd == ANET_ERR) FAIL("anetUnixAccept: %s", err);
    test_stop_signals(signals);
    test_reap(child);
    close(fd);
    close(server);
    remove_path();
}

TEST_MAIN(CASE(server_and_client_meet), CASE(nonblocking_connect), CASE(permissions_are_set),
          CASE(permissions_are_set_before_it_listens),
          CASE(group_is_set),
          CASE(used_path_is_told), CASE(missing_folder_is_told), CASE(nobody_listening_is_told),
          CASE(full_backlog_is_told_to_a_nonblocking_client), CASE(accepted_as_over_tcp), CASE(nobody_waiting_is_eagain),
          CASE(longest_path_works), CASE(too_long_path_is_an_error), CASE(interrupted_accept_goes_on))
