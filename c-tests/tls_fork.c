/* TLS in a child that a program with connections forks: it has its own, and leaves its parent's alone. */
#include "test.h"
#include "tls_test.h"

static int reads;

static void on_read_nothing(connection *conn) {
    (void)conn;
    reads++;
}

/* One byte has been read of what has come, so that the rest is pending. */
static void make_pending(void) {
    char first;

    tls_connect_pair();
    CHECK_INT(connSetReadHandler(server, on_read_nothing), C_OK);
    tls_write_all(client, "hello", 5);
    test_await(server->fd, POLLIN);
    CHECK_INT(tls_read_some(server, &first, 1), 1);
    CHECK_INT(tls_has_pending(el), 1);
}

static void a_child_serves_its_own_pending_data_alone(void) {
    int status;
    pid_t child;

    TLS_BEGIN();
    make_pending();
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK_INT(tls_has_pending(el), 0);
        el = aeCreateEventLoop(256); /* that and these are the parent's */
        CHECK(el != NULL);
        client = server = NULL;
        client_calls = server_calls = 0;
        make_pending();
        CHECK_INT(tls_process_pending(el), 1);
        CHECK_INT(reads, 1);
        /* Not by an exit: the sessions that it has are found by no leak detector. */
        raise(SIGKILL);
    }
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    CHECK_INT(tls_process_pending(el), 1);
    CHECK_INT(reads, 1);
    tls_end();
}

TEST_MAIN(CASE(a_child_serves_its_own_pending_data_alone))
