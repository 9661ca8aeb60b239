/* Listeners of the unix type: the socket's file, its permissions, what is accepted. */
#include "test.h"
#include "conn_test.h"

#include <ae.h>
#include <libae.h>

static aeEventLoop *el;
static connListener listener;
static connection *accepted;
static int last_flags, ip_given, warnings;
static char last_warning[256];
static char folder[64], path[256], *paths[] = {path, NULL};

static void on_accepted(connection *conn, int flags, char *ip) {
    CHECK_INT(connAccept(conn, NULL), C_OK);
    accepted = conn;
    last_flags = flags;
    ip_given = ip != NULL;
}

static void on_log(int level, const char *message) {
    if (level != LIBAE_LOG_WARNING) return;
    warnings++;
    snprintf(last_warning, sizeof(last_warning), "%s", message);
}

static mode_t on_permissions(void) { return 0700; }

static libaeHost host = {.size = sizeof(libaeHost), .accepted = on_accepted, .log = on_log};

static void begin(void) {
    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK_INT(connTypeInitialize(), C_OK);
    el = aeCreateEventLoop(256);
    CHECK(el != NULL);
    test_folder(folder);
    snprintf(path, sizeof(path), "%s/socket", folder);
    listener = (connListener){.bindaddr = paths, .bindaddr_count = 1, .ct = connectionTypeUnix()};
}

static void end(void) {
    while (listener.count > 0) close(listener.fd[--listener.count]);
    aeDeleteEventLoop(el);
    unlink(path);
    CHECK(rmdir(folder) == 0);
}

/* What the listener brings itself: permissions, in Valkey also a group; where they go differs. */
static void set_own(mode_t *permissions, char *group) {
#ifdef TEST_VALKEY_8_1
    static struct { /* upstream's serverUnixContextConfig, which is in server.h */
        char *group;
        unsigned int perm;
    } own;

    own.group = group;
    own.perm = *permissions;
    listener.priv = &own;
#elif defined(LIBAE_ABI_VALKEY_8_0)
    listener.priv1 = permissions;
    listener.priv2 = group;
#else
    CHECK_NULL(group);
    listener.priv = permissions;
#endif
}

static mode_t mode_of_socket(void) {
    struct stat info;

    CHECK(stat(path, &info) == 0);
    CHECK(S_ISSOCK(info.st_mode));
    return info.st_mode & 0777;
}

static int connect_to_path(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(fd != -1);
    memcpy(address.sun_path, path, strlen(path) + 1);
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    return fd;
}

static void accepts_without_an_address(void) {
    int client;

    begin();
    CHECK_KEEPS_ERRNO(connListen(&listener), C_OK);
    CHECK_INT(listener.count, 1);
    CHECK_INT(fcntl(listener.fd[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    CHECK_INT(fcntl(listener.fd[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    CHECK_INT(aeCreateFileEvent(el, listener.fd[0], AE_READABLE, connAcceptHandler(listener.ct), &listener), AE_OK);
    client = connect_to_path();
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 1);
    CHECK(accepted != NULL);
    CHECK_INT(last_flags, LIBAE_ACCEPTED_UNIX);
    CHECK_INT(ip_given, 0);
    CHECK(test_conn_has_type(accepted, "unix"));
    CHECK_INT(connWrite(accepted, "hi", 2), 2);
    CHECK_INT(read(client, &(char[8]){0}, 8), 2);
    connClose(accepted);
    close(client);
    end();
}

static void listener_or_host_sets_the_permissions(void) {
    mode_t before = umask(022), own = 0770;

    begin();
    set_own(&own, NULL);
    CHECK_INT(connListen(&listener), C_OK);
    CHECK_INT(mode_of_socket(), 0770);
    end();

    begin(); /* nobody does: the umask */
    CHECK_INT(connListen(&listener), C_OK);
    CHECK_INT(mode_of_socket(), 0755);
    end();

    host.unix_permissions = on_permissions;
    begin();
    CHECK_INT(connListen(&listener), C_OK);
    CHECK_INT(mode_of_socket(), 0700);
    end();

    begin(); /* the listener comes first, also when it says to leave them alone */
    own = 0;
    set_own(&own, NULL);
    CHECK_INT(connListen(&listener), C_OK);
    CHECK_INT(mode_of_socket(), 0755);
    end();
    umask(before);
}

static const char *own_group(void) {
    static char group[16];

    snprintf(group, sizeof(group), "%d", (int)getgid());
    return group;
}

static const char *no_group(void) { return "no-such-group"; }

static void host_names_the_group(void) {
    host.unix_group = own_group;
    begin();
    CHECK_INT(connListen(&listener), C_OK);
    end();
    host.unix_group = no_group;
    begin();
    CHECK_INT(connListen(&listener), C_ERR);
    CHECK_INT(listener.count, 0);
    CHECK(access(path, F_OK) == -1); /* the file that bind made is gone again */
    end();
}

/* In Valkey the listener may, too, and comes first. */
static void listener_names_the_group(void) {
#ifdef TEST_VALKEY
    mode_t permissions = 0750;
    char group[16], none[] = "no-such-group";
    struct stat info;

    snprintf(group, sizeof(group), "%d", (int)test_other_group());
    host.unix_group = no_group;
    begin();
    set_own(&permissions, group);
    CHECK_INT(connListen(&listener), C_OK);
    CHECK(stat(path, &info) == 0);
    CHECK_INT(info.st_gid, test_other_group());
    CHECK_INT(mode_of_socket(), 0750);
    end();
    host.unix_group = own_group;
    begin();
    set_own(&permissions, none);
    CHECK_INT(connListen(&listener), C_ERR);
    CHECK_INT(listener.count, 0);
    end();
#else
    SKIP("listeners have no group");
#endif
}

static void socket_left_by_an_earlier_process_is_replaced(void) {
    begin();
    CHECK_INT(connListen(&listener), C_OK);
    close(listener.fd[0]);
    listener.count = 0;
    CHECK(access(path, F_OK) == 0);
    CHECK_INT(connListen(&listener), C_OK);
    close(connect_to_path());
    end();
}

static void put_at_path(const char *text) {
    int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    CHECK(file != -1);
    CHECK_INT(write(file, text, strlen(text)), strlen(text));
    close(file);
}

/* By which mkstemp and its like have taken the name. */
static void empty_file_is_replaced(void) {
    begin();
    put_at_path("");
    CHECK_INT(connListen(&listener), C_OK);
    close(connect_to_path());
    end();
}

/* Departs from upstream, which removes whatever has the name. */
static void other_kinds_of_file_are_kept(void) {
    begin();
    put_at_path("x");
    CHECK_FAILS(connListen(&listener), C_ERR, EADDRINUSE);
    CHECK(access(path, F_OK) == 0);
    CHECK(unlink(path) == 0 && mkfifo(path, 0600) == 0);
    CHECK_FAILS(connListen(&listener), C_ERR, EADDRINUSE);
    CHECK(access(path, F_OK) == 0);
    end();
}

/* Departs from upstream, which ends the process. */
static void failure_is_told_and_logged(void) {
    size_t length;

    begin();
    length = strlen(path);
    memset(path + length, 'p', 150);
    path[length + 150] = '\0';
    CHECK_FAILS(connListen(&listener), C_ERR, ENAMETOOLONG);
    CHECK_INT(listener.count, 0);
    CHECK_INT(warnings, 1);
    CHECK_CONTAINS(last_warning, folder);
    CHECK_CONTAINS(last_warning, "too long");
    end();
}

TEST_MAIN(CASE(accepts_without_an_address), CASE(listener_or_host_sets_the_permissions),
          CASE(host_names_the_group), CASE(listener_names_the_group),
          CASE(socket_left_by_an_earlier_process_is_replaced), CASE(empty_file_is_replaced),
          CASE(other_kinds_of_file_are_kept), CASE(failure_is_told_and_logged))
