/* What other threads are at while a process forks is not what its child finds: a fork waits until no thread is at what the
 * whole process shares.
 *
 * A handler that is registered before the library's own is called after it, just before the kernel copies the process. A
 * thread that then asks for what is shared has to wait until the fork is over. */
#include "test.h"
#include "another_thread.h"
#include "conn_test.h"

#include <libae.h>
#include <stdatomic.h>
#include <sys/syscall.h>

static void (*prepare)(void), (*ask)(void);
static atomic_int number, may_ask, is_asking, is_done, has_waited;

/* What comes before is in the same thread, so that it need not tell the library that it is another one. */
static void *run(void *data) {
    prepare();
    number = (int)syscall(SYS_gettid);
    while (!may_ask) test_sleep_us(100);
    is_asking = 1;
    ask();
    is_done = 1;
    return data;
}

/* Whether a thread of this process sleeps: its state stands behind its name in brackets. */
static int sleeps(int task) {
    char path[64], text[512], *end;
    int fd;
    ssize_t len;

    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", task);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1) return 0;
    len = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (len <= 0) return 0;
    text[len] = '\0';
    end = strrchr(text, ')');
    return end != NULL && end[2] == 'S';
}

static void just_before(void) {
    int seen = 0;

    if (number == 0) return;
    may_ask = 1;
    while (!is_asking) test_sleep_us(100);
    /* Whoever only sleeps for a moment is not found asleep so often in a row. */
    while (!is_done && seen < 50) {
        seen = sleeps(number) ? seen + 1 : 0;
        test_sleep_us(100);
    }
    has_waited = !is_done;
}

static void forks_while_a_thread_asks(void (*before)(void), void (*body)(void)) {
    pthread_t thread;
    pid_t child;

    CHECK_INT(pthread_atfork(just_before, NULL, NULL), 0);
    prepare = before;
    ask = body;
    CHECK_INT(pthread_create(&thread, NULL, run, NULL), 0);
    while (number == 0) test_sleep_us(100);
    child = fork();
    CHECK(child != -1);
    /* Not by an exit: what the thread has is lost here, as valgrind would say. */
    if (child == 0) raise(SIGKILL);
    end_thread(thread);
    test_reap(child);
    CHECK_INT(has_waited, 1);
}

static aeEventLoop *el;
static connection *conn;

static void make_loop(void) {
    EXPECT(test_conn_types() == C_OK);
    el = aeCreateEventLoop(64);
    EXPECT(el != NULL);
}

static void delete_loop(void) { aeDeleteEventLoop(el); }

static void no_thread_is_at_a_loop(void) { forks_while_a_thread_asks(make_loop, delete_loop); }

/* ---- Names ---- */

static void on_resolved(aeEventLoop *loop, const libaeResolved *resolved, void *data) {
    (void)loop;
    (void)resolved;
    (void)data;
}

static void resolve(void) { EXPECT(libaeResolve(el, "127.0.0.1", AF_INET, on_resolved, NULL) > 0); }

static void make_loop_and_resolve(void) {
    make_loop();
    resolve();
}

static void no_thread_is_at_a_name(void) {
    forks_while_a_thread_asks(make_loop_and_resolve, resolve);
    aeDeleteEventLoop(el);
}

/* ---- Connections by name, of which is known who has asked for what ---- */

static int listening;

static void on_connected(connection *told) { (void)told; }

static void start_to_connect(void) {
    int port;

    make_loop();
    listening = test_listen(AF_INET, 8, &port);
    conn = test_conn_create(el, TCP_TYPE);
    EXPECT(libaeConnConnectName(NULL, conn, "127.0.0.1", port, NULL, on_connected) == C_OK);
    EXPECT(aeProcessEvents(el, AE_ALL_EVENTS) == 1);
    test_await(el->maxfd, POLLOUT);
    EXPECT(connGetState(conn) == CONN_STATE_CONNECTING);
}

static void connect_it(void) {
    EXPECT(aeProcessEvents(el, AE_FILE_EVENTS | AE_DONT_WAIT) == 1);
    EXPECT(connGetState(conn) == CONN_STATE_CONNECTED);
}

static void no_thread_is_at_a_connection_by_name(void) {
    forks_while_a_thread_asks(start_to_connect, connect_it);
    connClose(conn);
    close(listening);
    aeDeleteEventLoop(el);
}

/* ---- Types ---- */

#ifndef TEST_CONN_V1
static void register_again(void) { EXPECT(connTypeRegister(TCP_TYPE) != C_OK); }

static void no_thread_registers_a_type(void) {
    forks_while_a_thread_asks(make_loop, register_again);
    aeDeleteEventLoop(el);
}
#endif

TEST_MAIN(
#ifndef TEST_CONN_V1
    CASE(no_thread_registers_a_type),
#endif
    CASE(no_thread_is_at_a_connection_by_name), CASE(no_thread_is_at_a_name), CASE(no_thread_is_at_a_loop))
