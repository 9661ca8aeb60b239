/* Listeners: opening their sockets, accepting from them, and resting when there are no descriptors left. */
#include "test.h"
#include "conn_test.h"

#include <ae.h>
#include <libae.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

enum { MOST = 16 };

static aeEventLoop *el;
static connListener listener;
static connection *accepted[MOST];
static int accepted_count, last_flags, per_call = 1000, warnings;
static char last_ip[64], last_warning[256];

static void on_accepted(connection *conn, int flags, char *ip) {
    CHECK_INT(connGetState(conn), CONN_STATE_ACCEPTING);
    CHECK_INT(connAccept(conn, NULL), C_OK);
    CHECK(accepted_count < MOST);
    accepted[accepted_count++] = conn;
    last_flags = flags;
    snprintf(last_ip, sizeof(last_ip), "%s", ip != NULL ? ip : "(none)");
}

static int on_accepts_per_call(void) { return per_call; }

static void on_log(int level, const char *message) {
    if (level != LIBAE_LOG_WARNING) return;
    warnings++;
    snprintf(last_warning, sizeof(last_warning), "%s", message);
}

static libaeHost host = {
    .size = sizeof(libaeHost),
    .accepted = on_accepted,
    .accepts_per_call = on_accepts_per_call,
    .log = on_log,
};

static void begin(ConnectionType *(*type)(void), char **addresses, int count) {
    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK_INT(connTypeInitialize(), C_OK);
    el = aeCreateEventLoop(256);
    CHECK(el != NULL);
    listener = (connListener){.bindaddr = addresses, .bindaddr_count = count, .ct = type()};
}

static void watch(void) {
    int i;

    for (i = 0; i < listener.count; i++)
        CHECK_INT(aeCreateFileEvent(el, listener.fd[i], AE_READABLE, connAcceptHandler(listener.ct), &listener),
                  AE_OK);
}

static void begin_watched(char **addresses, int count) {
    begin(connectionTypeTcp, addresses, count);
    CHECK_INT(connListen(&listener), C_OK);
    CHECK_INT(listener.count, count);
    watch();
}

static void end(void) {
    while (accepted_count > 0) connClose(accepted[--accepted_count]);
    while (listener.count > 0) close(listener.fd[--listener.count]);
    aeDeleteEventLoop(el);
}

static void run_until_accepted(int count) {
    while (accepted_count < count) CHECK(aeProcessEvents(el, AE_ALL_EVENTS) >= 0);
}

static char v4[] = "127.0.0.1", v6[] = "::1";

/* ---- Opening ---- */

static void opens_each_address(void) {
    char *addresses[] = {v4, v6};
    int i;

    test_needs_ipv6();
    begin(connectionTypeTcp, addresses, 2);
    CHECK_KEEPS_ERRNO(connListen(&listener), C_OK);
    CHECK_INT(listener.count, 2);
    for (i = 0; i < 2; i++) {
        CHECK_INT(fcntl(listener.fd[i], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
        CHECK_INT(fcntl(listener.fd[i], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    }
    watch();
    i = test_connect(AF_INET, test_port(listener.fd[0]));
    run_until_accepted(1);
    CHECK_TEXT(last_ip, "127.0.0.1");
    CHECK_INT(last_flags, 0);
    close(i);
    i = test_connect(AF_INET6, test_port(listener.fd[1]));
    run_until_accepted(2);
    CHECK_TEXT(last_ip, "::1");
    CHECK(test_conn_has_type(accepted[1], "tcp"));
    CHECK_INT(fcntl(accepted[1]->fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    close(i);
    end();
}

static void both_families_share_the_listeners_port(void) {
    char *addresses[] = {v4, v6};

    test_needs_ipv6();
    begin(connectionTypeTcp, addresses, 2);
    listener.port = test_closed_port();
    CHECK_INT(connListen(&listener), C_OK);
    CHECK_INT(test_port(listener.fd[0]), listener.port);
    CHECK_INT(test_port(listener.fd[1]), listener.port);
    end();
}

static void a_second_listen_adds_to_the_first(void) {
    char *addresses[] = {v4};
    int fd, port;

    begin(connectionTypeTcp, addresses, 1);
    CHECK_INT(connListen(&listener), C_OK);
    fd = listener.fd[0];
    port = listener.port;
    listener.port = 0;
    CHECK_INT(connListen(&listener), C_OK);
    CHECK_INT(listener.count, 2);
    CHECK_INT(listener.fd[0], fd);
    CHECK(listener.fd[1] != fd);
    CHECK_INT(test_port(listener.fd[0]), port);
    CHECK_INT(test_port(listener.fd[1]), listener.port);
    CHECK(listener.port != port);
    end();
}

static void no_address_is_no_socket(void) {
    begin(connectionTypeTcp, NULL, 0);
    CHECK_INT(connListen(&listener), C_OK);
    CHECK_INT(listener.count, 0);
    end();
}

static void used_port_is_told_and_logged(void) {
    char *addresses[] = {v4};
    int port, other = test_listen(AF_INET, 4, &port);

    begin(connectionTypeTcp, addresses, 1);
    listener.port = port;
    CHECK_FAILS(connListen(&listener), C_ERR, EADDRINUSE);
    CHECK_INT(listener.count, 0);
    CHECK_INT(warnings, 1);
    CHECK_CONTAINS(last_warning, "127.0.0.1");
    CHECK_CONTAINS(last_warning, "Address already in use");
    close(other);
    end();
}

/* All or nothing: the first address is closed again (which the descriptor count of each case checks). */
static void one_failure_closes_the_others(void) {
    char *addresses[] = {v4, v4}; /* the same address and port twice */

    begin(connectionTypeTcp, addresses, 2);
    listener.port = test_closed_port();
    CHECK_FAILS(connListen(&listener), C_ERR, EADDRINUSE);
    CHECK_INT(listener.count, 0);
    end();
}

static void address_of_no_interface_is_told(void) {
    char nobodys[] = "192.0.2.1", *addresses[] = {v4, nobodys};

    begin(connectionTypeTcp, addresses, 2);
    CHECK_FAILS(connListen(&listener), C_ERR, EADDRNOTAVAIL);
    CHECK_INT(listener.count, 0);
    CHECK_INT(warnings, 1);
    end();
}

static void optional_address_may_be_missing(void) {
    char missing[] = "-::2", there[] = "-127.0.0.1", *addresses[] = {missing, there};

    begin(connectionTypeTcp, addresses, 2);
    CHECK_INT(connListen(&listener), C_OK);
    CHECK_INT(listener.count, 1);
    CHECK(test_port(listener.fd[0]) > 0);
    end();
}

/* Departs from upstream, which writes behind its array. */
static void too_many_addresses_are_enospc(void) {
    char *addresses[CONFIG_BINDADDR_MAX + 1];
    int i;

    for (i = 0; i <= CONFIG_BINDADDR_MAX; i++) addresses[i] = v4;
    begin(connectionTypeTcp, addresses, CONFIG_BINDADDR_MAX + 1);
    CHECK_FAILS(connListen(&listener), C_ERR, ENOSPC);
    CHECK_INT(listener.count, 0);
    listener.bindaddr_count = CONFIG_BINDADDR_MAX;
    CHECK_INT(connListen(&listener), C_OK);
    CHECK_INT(listener.count, CONFIG_BINDADDR_MAX);
    end();
}

static int backlog_of_seven(void) { return 7; }

static void backlog_is_the_hosts(void) {
    char *addresses[] = {v4};
    struct tcp_info info;
    socklen_t length = sizeof(info);

    host.tcp_backlog = backlog_of_seven;
    begin_watched(addresses, 1);
    CHECK(getsockopt(listener.fd[0], IPPROTO_TCP, TCP_INFO, &info, &length) == 0);
    CHECK_INT(info.tcpi_sacked, 7); /* of a listening socket: its backlog */
    end();
}

static int on_listen(connListener *asked) {
    int port;

    CHECK(asked == &listener);
    asked->fd[asked->count++] = test_listen(AF_INET, 4, &port);
    return 0;
}

static int on_listen_fail(connListener *asked) {
    (void)asked;
    errno = EPROTO;
    return -1;
}

static void host_may_open_the_sockets(void) {
    char *addresses[] = {v4};

    host.listen = on_listen;
    begin_watched(addresses, 1);
    close(test_connect(AF_INET, test_port(listener.fd[0])));
    run_until_accepted(1);
    host.listen = on_listen_fail;
    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK_FAILS(connListen(&listener), C_ERR, EPROTO);
    end();
}

/* ---- Accepting ---- */

/* Until so many connections wait for being accepted, as a listening socket's "unacked" tells. */
static void await_clients(unsigned count) {
    struct tcp_info info = {0};
    socklen_t length = sizeof(info);

    while (info.tcpi_unacked < count) CHECK(getsockopt(listener.fd[0], IPPROTO_TCP, TCP_INFO, &info, &length) == 0);
}

/* A watched listener for which so many clients wait. */
static void begin_with_clients(int *clients, int count) {
    char *addresses[] = {v4};
    int i;

    begin_watched(addresses, 1);
    for (i = 0; i < count; i++) clients[i] = test_connect(AF_INET, test_port(listener.fd[0]));
    await_clients((unsigned)count);
}

static void one_call_accepts_as_many_as_the_host_says(void) {
    int clients[5], i;

    per_call = 2;
    begin_with_clients(clients, 5);
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 1);
    CHECK_INT(accepted_count, 2);
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 1);
    CHECK_INT(accepted_count, 4);
    per_call = 1000;
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 1);
    CHECK_INT(accepted_count, 5);
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS | AE_DONT_WAIT), 0);
    CHECK_INT(warnings, 0);
    for (i = 0; i < 5; i++) close(clients[i]);
    end();
}

static void on_accepted_close(connection *conn, int flags, char *ip) {
    (void)flags;
    (void)ip;
    accepted_count++;
    connClose(conn);
}

static void host_may_close_at_once(void) {
    char *addresses[] = {v4};
    int client;

    host.accepted = on_accepted_close;
    begin_watched(addresses, 1);
    client = test_connect(AF_INET, test_port(listener.fd[0]));
    run_until_accepted(1);
    accepted_count = 0;
    CHECK_INT(read(client, &(char){0}, 1), 0);
    close(client);
    end();
}

static void on_accepted_delete_the_loop(connection *conn, int flags, char *ip) {
    on_accepted_close(conn, flags, ip);
    aeDeleteEventLoop(el);
}

static void on_accepted_stop_now(connection *conn, int flags, char *ip) {
    on_accepted_close(conn, flags, ip);
    CHECK_INT(aeStopNow(el), AE_OK);
}

static void nothing_is_accepted_for_a_loop_that_breaks_off(void) {
    int clients[5], i, deletes;

    for (deletes = 0; deletes < 2; deletes++) {
        host.accepted = deletes ? on_accepted_delete_the_loop : on_accepted_stop_now;
        accepted_count = 0;
        begin_with_clients(clients, 5);
        CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 1);
        CHECK_INT(accepted_count, 1);
        for (i = 0; i < 5; i++) close(clients[i]);
        accepted_count = 0;
        if (!deletes) end();
    }
    for (i = 0; i < listener.count; i++) close(listener.fd[i]);
}

static int successor;

/* Closes the listener at its first connection; its number goes to another one, for which a client waits. */
static void on_accepted_replace_listener(connection *conn, int flags, char *ip) {
    int port, fd = listener.fd[0];

    on_accepted(conn, flags, ip);
    if (accepted_count > 1) return;
    aeDeleteFileEvent(el, fd, AE_READABLE);
    close(fd);
    successor = test_listen(AF_INET, 4, &port);
    CHECK_INT(successor, fd);
    close(test_connect(AF_INET, port));
}

/* Departs from upstream, which takes what belongs to the successor. */
static void host_may_close_the_listener(void) {
    static char *addresses[] = {v4};
    int clients[2], i;

    host.accepted = on_accepted_replace_listener;
    begin_watched(addresses, 1);
    for (i = 0; i < 2; i++) clients[i] = test_connect(AF_INET, test_port(listener.fd[0]));
    run_until_accepted(1);
    CHECK_INT(accepted_count, 1);
    CHECK_INT(warnings, 0);
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT), 0);
    for (i = 0; i < 2; i++) close(clients[i]);
    end();
}

/* ---- No descriptors left ---- */

static struct rlimit before_limit;

static void forbid_new_descriptors(void) {
    struct rlimit limit;

    CHECK(getrlimit(RLIMIT_NOFILE, &before_limit) == 0);
    limit = before_limit;
    limit.rlim_cur = (rlim_t)test_unused_fd();
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static void allow_new_descriptors(void) { CHECK(setrlimit(RLIMIT_NOFILE, &before_limit) == 0); }

static int time_is_up;

static TIME_RESULT on_time_up(aeEventLoop *loop, long long id, void *data) {
    (void)loop;
    (void)id;
    (void)data;
    time_is_up++;
    return AE_NOMORE;
}

/* Runs the loop for a while; returns how many iterations that took. */
static int run_for(long long ms) {
    int iterations = 0;

    time_is_up = 0;
    CHECK(aeCreateTimeEvent(el, ms, on_time_up, NULL, NULL) != AE_ERR);
    while (!time_is_up) {
        CHECK(aeProcessEvents(el, AE_ALL_EVENTS) >= 0);
        iterations++;
    }
    return iterations;
}

static int client;

static void begin_exhausted(void) {
    static char *addresses[] = {v4};

    begin_watched(addresses, 1);
    client = test_connect(AF_INET, test_port(listener.fd[0]));
    forbid_new_descriptors();
}

/* Departs from upstream, whose loop spins until a descriptor is free. */
static void listener_rests_without_descriptors(void) {
    int iterations;

    begin_exhausted();
    iterations = run_for(4 * LIBAE_ACCEPT_RETRY_MS);
    allow_new_descriptors();
    if (iterations > 30) FAIL("%d iterations while there were no descriptors", iterations);
    if (warnings < 1 || warnings > 10) FAIL("%d warnings while there were no descriptors", warnings);
    CHECK_CONTAINS(last_warning, "Too many open files");
    CHECK_INT(accepted_count, 0);
    CHECK_INT(aeGetFileEvents(el, listener.fd[0]), AE_READABLE); /* it is still registered */
    if (test_slow_tool()) { /* valgrind's limit is its own: it has accepted the client, and closed it */
        close(client);
        client = test_connect(AF_INET, test_port(listener.fd[0]));
    }
    run_until_accepted(1);
    close(client);
    client = test_connect(AF_INET, test_port(listener.fd[0]));
    run_until_accepted(accepted_count + 1);
    close(client);
    end();
}

static void rest_ends_in_a_loop_of_file_events_alone(void) {
    begin_exhausted();
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 1);
    allow_new_descriptors();
    if (test_slow_tool()) { /* valgrind's limit is its own: it has accepted the client, and closed it */
        close(client);
        client = test_connect(AF_INET, test_port(listener.fd[0]));
    }
    while (accepted_count == 0) CHECK(aeProcessEvents(el, AE_FILE_EVENTS) >= 0);
    close(client);
    end();
}

static void on_drain(aeEventLoop *loop, int fd, void *data, int mask) {
    (void)loop;
    (void)mask;
    *(int *)data += test_drain(fd);
}

static void others_are_served_while_a_listener_rests(void) {
    int pair[2], count = 0;

    test_pair(pair);
    begin_exhausted();
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_drain, &count), AE_OK);
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS), 1); /* accept fails */
    test_send(pair[1], "x");
    while (count == 0) CHECK(aeProcessEvents(el, AE_ALL_EVENTS) >= 0);
    allow_new_descriptors();
    close(client);
    test_close_pair(pair);
    end();
}

/* The number of a listener that was closed while it rested belongs to somebody else. */
static void resting_listener_can_be_closed(void) {
    int pair[2], count = 0, fd;

    test_pair(pair);
    begin_exhausted();
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS), 1);
    allow_new_descriptors();
    fd = listener.fd[0];
    aeDeleteFileEvent(el, fd, AE_READABLE);
    CHECK_INT(dup2(pair[0], fd), fd);
    test_send(pair[1], "x");
    CHECK_INT(aeCreateFileEvent(el, fd, AE_READABLE, on_drain, &count), AE_OK);
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS), 1); /* it does not rest */
    CHECK_INT(count, 1);
    aeDeleteFileEvent(el, fd, AE_READABLE);
    test_send(pair[1], "x");
    run_for(2 * LIBAE_ACCEPT_RETRY_MS); /* the end of the rest wakes nobody */
    CHECK_INT(count, 1);
    close(client);
    test_close_pair(pair);
    end();
}

static void loop_can_be_deleted_while_a_listener_rests(void) {
    begin_exhausted();
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS), 1);
    allow_new_descriptors();
    close(client);
    end();
}

static void on_writable(aeEventLoop *loop, int fd, void *data, int mask) {
    (void)loop;
    (void)data;
    (void)mask;
    FAIL("%d listens, and is writable", fd);
}

/* Whatever else its socket is watched for. */
static void a_resting_listener_may_be_watched_for_writable(void) {
    int iterations;

    if (test_slow_tool()) SKIP("valgrind's limit of descriptors is its own");
    begin_exhausted();
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS), 1);
    CHECK_INT(aeCreateFileEvent(el, listener.fd[0], AE_WRITABLE, on_writable, &listener), AE_OK);
    iterations = run_for(2 * LIBAE_ACCEPT_RETRY_MS);
    allow_new_descriptors();
    if (iterations > 20) FAIL("%d iterations while the listener rested", iterations);
    aeDeleteFileEvent(el, listener.fd[0], AE_WRITABLE);
    run_until_accepted(1);
    close(client);
    end();
}

TEST_MAIN(CASE(a_resting_listener_may_be_watched_for_writable),
          CASE(opens_each_address), CASE(both_families_share_the_listeners_port),
          CASE(a_second_listen_adds_to_the_first),
          CASE(no_address_is_no_socket),
          CASE(used_port_is_told_and_logged), CASE(one_failure_closes_the_others),
          CASE(address_of_no_interface_is_told), CASE(optional_address_may_be_missing), CASE(too_many_addresses_are_enospc), CASE(backlog_is_the_hosts),
          CASE(host_may_open_the_sockets), CASE(one_call_accepts_as_many_as_the_host_says),
          CASE(host_may_close_at_once), CASE(nothing_is_accepted_for_a_loop_that_breaks_off), CASE(host_may_close_the_listener),
          CASE(listener_rests_without_descriptors),
          CASE(rest_ends_in_a_loop_of_file_events_alone), CASE(others_are_served_while_a_listener_rests),
          CASE(resting_listener_can_be_closed),
          CASE(loop_can_be_deleted_while_a_listener_rests))
