/* A listener whose accept fails for a reason that stays rests, and accepts again when the reason is gone. */
#include "test.h"
#include "conn_test.h"

#include <ae.h>
#include <libae.h>
#include <sys/syscall.h>

static aeEventLoop *el;
static int listening, client, port;
static int failure, calls, warnings, accepted_count;
static int patience; /* after so many failures in a row one call succeeds; 0: none does */

/* The C library's, for the library as well. */
int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
    if (failure != 0) {
        calls++;
        if (patience == 0 || calls % (patience + 1) != 0) {
            errno = failure;
            return -1;
        }
    }
    return (int)syscall(SYS_accept4, fd, address, length, flags);
}

static void on_accepted(connection *conn, int flags, char *ip) {
    (void)flags;
    (void)ip;
    accepted_count++;
    connClose(conn);
}

static void on_log(int level, const char *message) {
    if (level != LIBAE_LOG_WARNING) return;
    CHECK_CONTAINS(message, "accept");
    warnings++;
}

static libaeHost host = {.size = sizeof(libaeHost), .accepted = on_accepted, .log = on_log};

static TIME_RESULT on_time(aeEventLoop *loop, long long id, void *data) {
    (void)loop;
    (void)id;
    *(int *)data = 1;
    return AE_NOMORE;
}

/* For so long, in milliseconds; returns how often the loop went round. */
static int run_for(int milliseconds) {
    int over = 0, count = 0;

    CHECK(aeCreateTimeEvent(el, milliseconds, on_time, &over, NULL) != AE_ERR);
    while (!over) {
        CHECK(aeProcessEvents(el, AE_ALL_EVENTS) >= 0);
        count++;
    }
    return count;
}

/* A loop with a listener whose accept fails with this error, and a client that waits. */
static void begin(int number) {
    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK_INT(test_conn_types(), C_OK);
    el = aeCreateEventLoop(64);
    CHECK(el != NULL);
    listening = test_listen(AF_INET, 4, &port);
    CHECK_INT(aeCreateFileEvent(el, listening, AE_READABLE, connAcceptHandler(TCP_TYPE), NULL), AE_OK);
    client = test_connect(AF_INET, port);
    failure = number;
    calls = warnings = accepted_count = 0;
}

/* Accepts the client, now that nothing is in the way. */
static void end(void) {
    failure = 0;
    while (accepted_count == 0) CHECK(aeProcessEvents(el, AE_ALL_EVENTS) >= 0);
    close(client);
    close(listening);
    aeDeleteEventLoop(el);
}

/* Fails with this error at first, so often in one call of the handler at most. */
static void expect_rest(int number, int most_calls) {
    int rounds;

    begin(number);
    rounds = run_for(3 * LIBAE_ACCEPT_RETRY_MS);
    if (rounds > 12) FAIL("with errno %d the loop went round %d times", number, rounds);
    CHECK(warnings >= 1 && warnings <= 4);
    CHECK(calls >= 1 && calls <= 4 * most_calls);
    end();
}

static void forbidden(void) {
    expect_rest(EPERM, 1);
    expect_rest(EACCES, 1);
}

static void no_socket_that_accepts(void) { expect_rest(EINVAL, 1); }

static void no_descriptors_and_no_memory(void) {
    expect_rest(EMFILE, 1);
    expect_rest(ENFILE, 1);
    expect_rest(ENOBUFS, 1);
    expect_rest(ENOMEM, 1);
}

/* What seems to be about one connection, without end. */
static void every_connection_fails(void) {
    expect_rest(EOPNOTSUPP, 1000);
    expect_rest(ENETDOWN, 1000);
}

/* Between two that were accepted, so that the limit is not reached. */
static void many_fail_one_after_the_other(void) {
    int second;

    patience = 600;
    begin(EPROTO);
    second = test_connect(AF_INET, port);
    test_await(listening, POLLIN);
    while (accepted_count < 2) CHECK(aeProcessEvents(el, AE_FILE_EVENTS) >= 0);
    CHECK_INT(warnings, 0);
    close(second);
    end();
}

/* The loop does not sleep until the timer. */
static void rest_ends_before_a_timer_that_is_far_away(void) {
    int over = 0;

    begin(EMFILE);
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 1);
    CHECK_INT(warnings, 1);
    CHECK(aeCreateTimeEvent(el, 3600000, on_time, &over, NULL) != AE_ERR);
    end();
    CHECK_INT(over, 0);
}

/* Whose hang-up is no reason either. */
static void rest_of_a_listener_that_was_shut_down_lasts(void) {
    int rounds;

    begin(EMFILE);
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 1);
    CHECK(shutdown(listening, SHUT_RDWR) == 0);
    rounds = run_for(3 * LIBAE_ACCEPT_RETRY_MS);
    if (rounds > 12) FAIL("the loop went round %d times", rounds);
    close(client);
    close(listening);
    aeDeleteEventLoop(el);
}

/* Also while the program runs timers alone; it must not go round and round. */
static void rest_ends_where_only_timers_run(void) {
    int over = 0, rounds = 0;

    begin(EMFILE);
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 1);
    CHECK_INT(warnings, 1);
    failure = 0;
    close(test_accept(listening, 0)); /* by another process, say */
    CHECK(aeCreateTimeEvent(el, 3 * LIBAE_ACCEPT_RETRY_MS, on_time, &over, NULL) != AE_ERR);
    for (; !over; rounds++) CHECK(aeProcessEvents(el, AE_TIME_EVENTS) >= 0);
    if (rounds > 12) FAIL("the loop went round %d times", rounds);
    close(client);
    client = test_connect(AF_INET, port);
    end();
}

TEST_MAIN(CASE(forbidden), CASE(no_socket_that_accepts), CASE(no_descriptors_and_no_memory),
          CASE(every_connection_fails), CASE(many_fail_one_after_the_other), CASE(rest_ends_before_a_timer_that_is_far_away),
          CASE(rest_ends_where_only_timers_run), CASE(rest_of_a_listener_that_was_shut_down_lasts))
