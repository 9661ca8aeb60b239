/* Unix sockets with options: on paths, in the abstract namespace, and who is at their other end. */
#include "test.h"
#include "socket_options.h"

/* ---- Unix sockets ---- */

static void paths(void) {
    char folder[64], path[128], group[16];
    struct three fds;
    struct stat info;

    test_folder(folder);
    snprintf(path, sizeof(path), "%s/socket", folder);
    snprintf(group, sizeof(group), "%d", (int)test_other_group());
    options.unix_permissions = 0710;
    options.unix_group = group;
    fds.listening = listens_on(path);
    CHECK(!blocks(fds.listening) && !is_kept(fds.listening));
    CHECK(stat(path, &info) == 0);
    CHECK_INT(info.st_mode & 0777, 0710);
    CHECK_INT(info.st_gid, test_other_group());
    fds.connected = opened(libaeConnect(err, path, 0, NULL));
    fds.accepted = test_accept(fds.listening, SOCK_NONBLOCK);
    close_three(fds);
    CHECK_FAILS(libaeListen(err, path, 0, &options), ANET_ERR, EADDRINUSE);
    CHECK_FAILS(libaeConnect(err, path, 0, NULL), ANET_ERR, ECONNREFUSED);
    unlink(path);
    options.unix_group = "no-such-group";
    CHECK_FAILS(libaeListen(err, path, 0, &options), ANET_ERR, EINVAL);
    CHECK_CONTAINS(err, "chown");
    CHECK(access(path, F_OK) == -1); /* the file that bind made is gone again */
    options.unix_group = NULL;
    options.dual_stack = 1;
    CHECK_FAILS(libaeListen(err, path, 0, &options), ANET_ERR, EINVAL);
    CHECK(access(path, F_OK) == -1); /* nor is one made for options that cannot be */
    options.dual_stack = 0;
    options.unix_permissions = 010000;
    CHECK_FAILS(libaeListen(err, path, 0, &options), ANET_ERR, EINVAL);
    CHECK_CONTAINS(err, "unix_permissions");
    options.unix_permissions = 07777; /* all that there are */
    close(listens_on(path));
    CHECK(stat(path, &info) == 0);
    CHECK_INT(info.st_mode & 0777, 0777);
    unlink(path);
    CHECK(rmdir(folder) == 0);
}

/* A path from the current folder on is one that has a slash in it. */
static void paths_from_here(void) {
    char folder[64];
    struct three fds;

    test_folder(folder);
    CHECK(chdir(folder) == 0);
    fds.listening = listens_on("./socket with spaces");
    CHECK(access("socket with spaces", F_OK) == 0);
    fds.connected = opened(libaeConnect(err, "./socket with spaces", 0, NULL));
    fds.accepted = test_accept(fds.listening, SOCK_NONBLOCK);
    close_three(fds);
    CHECK(unlink("socket with spaces") == 0);
    CHECK(rmdir(folder) == 0);
}

/* Where MPTCP may be missing, it is missing here. */
static void mptcp_if_available(void) {
    char name[64];

    snprintf(name, sizeof(name), "@libae-mptcp-%d", (int)getpid());
    options.mptcp = LIBAE_MPTCP_IF_AVAILABLE;
    close(listens_on(name));
    options.mptcp = LIBAE_MPTCP_REQUIRED;
    CHECK_FAILS(libaeListen(err, name, 0, &options), ANET_ERR, EOPNOTSUPP);
    CHECK_CONTAINS(err, "MPTCP");
}

static void names_in_the_abstract_namespace(void) {
    char name[sizeof(((struct sockaddr_un *)0)->sun_path) + 2];
    struct sockaddr_un own;
    socklen_t size = sizeof(own);
    struct three fds;
    int length = snprintf(name, sizeof(name), "@libae-test-%d", (int)getpid());

    fds.listening = listens_on(name);
    CHECK(access(name, F_OK) == -1);
    CHECK(getsockname(fds.listening, (struct sockaddr *)&own, &size) == 0);
    CHECK_INT(size, offsetof(struct sockaddr_un, sun_path) + length);
    CHECK_INT(own.sun_path[0], 0);
    CHECK(memcmp(own.sun_path + 1, name + 1, length - 1) == 0);
    CHECK_FAILS(libaeListen(err, name, 0, NULL), ANET_ERR, EADDRINUSE);
    fds.connected = opened(libaeConnect(err, name, 0, NULL));
    fds.accepted = test_accept(fds.listening, SOCK_NONBLOCK);
    test_send(fds.connected, "x");
    CHECK_INT(test_drain(fds.accepted), 1);
    close_three(fds);
    CHECK_FAILS(libaeConnect(err, name, 0, NULL), ANET_ERR, ECONNREFUSED); /* gone with its socket */
    CHECK_FAILS(libaeListen(err, "@", 0, NULL), ANET_ERR, EINVAL);
    options.unix_permissions = 0700;
    CHECK_FAILS(libaeListen(err, name, 0, &options), ANET_ERR, EINVAL);
    options.unix_permissions = 0;
    options.unix_group = "0";
    CHECK_FAILS(libaeListen(err, name, 0, &options), ANET_ERR, EINVAL);
    CHECK_CONTAINS(err, "abstract");
    options.unix_group = NULL;
    /* As long as it can be, and longer. */
    memset(name, 'n', sizeof(name));
    name[0] = '@';
    name[sizeof(own.sun_path)] = '\0';
    snprintf(name + 1, 33, "%032d", (int)getpid());
    name[33] = 'n';
    close(listens_on(name));
    name[sizeof(own.sun_path)] = 'n';
    name[sizeof(own.sun_path) + 1] = '\0';
    CHECK_FAILS(libaeListen(err, name, 0, NULL), ANET_ERR, ENAMETOOLONG);
}

/* ---- Who is at the other end ---- */

static void peers_of_unix_sockets(void) {
    struct three fds;
    pid_t pid = -2, child;
    uid_t uid = 12345;
    gid_t gid = 12345;
    char name[64];
    int status;

    snprintf(name, sizeof(name), "@libae-peers-%d", (int)getpid());
    fds.listening = listens_on(name);
    child = fork();
    CHECK(child != -1);
    if (child == 0) {
        int fd;

        if (geteuid() == 0 && (setgid(65533) != 0 || setuid(65534) != 0)) _exit(2);
        fd = libaeConnect(err, name, 0, NULL);
        /* For the one that connected it is who listened. */
        if (libaePeerCredentials(fd, &pid, &uid, &gid) != AE_OK || pid != getppid() || uid == 12345) _exit(3);
        while (read(fd, name, 1) == -1) poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, -1);
        _exit(0);
    }
    test_await(fds.listening, POLLIN);
    fds.accepted = test_accept(fds.listening, SOCK_NONBLOCK);
    CHECK_KEEPS_ERRNO(libaePeerCredentials(fds.accepted, &pid, &uid, &gid), AE_OK);
    CHECK_INT(pid, child);
    CHECK_INT(uid, geteuid() == 0 ? 65534 : geteuid());
    CHECK_INT(gid, geteuid() == 0 ? 65533 : getegid());
    CHECK_KEEPS_ERRNO(libaePeerCredentials(fds.accepted, NULL, NULL, NULL), AE_OK);
    CHECK_FAILS(libaePeerCredentials(fds.listening, &pid, &uid, &gid), AE_ERR, ENOTCONN);
    CHECK_INT(pid, child); /* left alone */
    close(fds.accepted);
    close(fds.listening);
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(status, 0);
}

static void others_have_no_such_peers(void) {
    struct three fds = three("127.0.0.1", NULL, NULL);
    int pair[2], ends[2];
    pid_t pid;

    CHECK_FAILS(libaePeerCredentials(fds.accepted, NULL, NULL, NULL), AE_ERR, EOPNOTSUPP);
    close_three(fds);
    test_pipe(ends);
    CHECK_FAILS(libaePeerCredentials(ends[0], NULL, NULL, NULL), AE_ERR, ENOTSOCK);
    test_close_pair(ends);
    CHECK_FAILS(libaePeerCredentials(test_unused_fd(), NULL, NULL, NULL), AE_ERR, EBADF);
    CHECK_FAILS(libaePeerCredentials(-1, NULL, NULL, NULL), AE_ERR, EBADF);
    test_pair(pair);
    CHECK_INT(libaePeerCredentials(pair[0], &pid, NULL, NULL), AE_OK);
    CHECK_INT(pid, getpid());
    test_close_pair(pair);
}

TEST_MAIN(CASE(paths), CASE(paths_from_here), CASE(mptcp_if_available), CASE(names_in_the_abstract_namespace), CASE(peers_of_unix_sockets),
          CASE(others_have_no_such_peers))
