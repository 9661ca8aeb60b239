/* Names resolved and connected to while the loop goes on. The resolver is this program's: it answers when it is told. */
#include "ae_test.h"
#include "failing_calls.h"
#include "names_test.h"

#include <arpa/inet.h>
#include <libae.h>

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* whose runtimes have their own pthread_create */
static int no_threads;

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *data) {
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

    if (no_threads) return EAGAIN;
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    return real(thread, attributes, start, data);
}
#endif

/* ---- Names ---- */

static int told, told_error, told_count, told_fd = -1;
static char told_text[256], told_first[64];

static void on_resolved(aeEventLoop *el, const libaeResolved *resolved, void *data) {
    int i;

    AE_NOTUSED(el);
    CHECK(data == &told);
    told++;
    told_error = resolved->error;
    told_count = resolved->count;
    snprintf(told_text, sizeof(told_text), "%s", resolved->text);
    for (i = 0; i < resolved->count; i++) CHECK(resolved->addresses[i] != NULL);
    CHECK_NULL(resolved->addresses[resolved->count]);
    snprintf(told_first, sizeof(told_first), "%s", resolved->count > 0 ? resolved->addresses[0] : "");
}

static long long ask(aeEventLoop *el, const char *name) {
    long long id = libaeResolve(el, name, AF_UNSPEC, on_resolved, &told);

    CHECK(id > 0);
    return id;
}

static void run_until_told(aeEventLoop *el, int count) {
    while (told < count) CHECK(aeProcessEvents(el, AE_ALL_EVENTS) >= 0);
    CHECK_INT(told, count);
}

static void end_loop(aeEventLoop *el) {
    aeDeleteEventLoop(el);
    await_no_threads();
}

static int ticks;

static TIME_RESULT tick(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    CHECK_INT(told, 0);
    if (++ticks < 3) return 1;
    let_go();
    return AE_NOMORE;
}

static void the_loop_goes_on_meanwhile(void) {
    aeEventLoop *el = new_loop();

    ask(el, "slow");
    CHECK(aeCreateTimeEvent(el, 1, tick, NULL, NULL) >= 0);
    run_until_told(el, 1);
    CHECK_INT(ticks, 3);
    CHECK_INT(told_error, 0);
    CHECK_INT(told_count, 1);
    CHECK_TEXT(told_first, "127.0.0.1");
    CHECK_TEXT(told_text, "");
    end_loop(el);
}

static void addresses_need_no_thread(void) {
    static const char *const addresses[] = {"127.0.0.1", "::1", "192.0.2.7"};
    aeEventLoop *el = new_loop();
    int i;

    for (i = 0; i < 3; i++) {
        ask(el, addresses[i]);
        CHECK_INT(told, i);
        run_until_told(el, i + 1);
        CHECK_TEXT(told_first, addresses[i]);
    }
    /* Nor when there is none of the family. */
    CHECK(libaeResolve(el, "::1", AF_INET, on_resolved, &told) > 0);
    run_until_told(el, 4);
    CHECK(told_error != 0);
    CHECK(thread_count() <= 1);
    CHECK_INT(lookups, 0);
    end_loop(el);
}

static void all_addresses_are_told(void) {
    aeEventLoop *el = new_loop();

    ask(el, "two");
    run_until_told(el, 1);
    CHECK_INT(told_count, 2);
    CHECK_TEXT(told_first, "127.0.0.2");
    end_loop(el);
}

static void a_failure_has_a_text(void) {
    aeEventLoop *el = new_loop();

    ask(el, "none");
    run_until_told(el, 1);
    CHECK_INT(told_error, EADDRNOTAVAIL);
    CHECK_INT(told_count, 0);
    CHECK_CONTAINS(told_text, "getaddrinfo: ");
    CHECK_CONTAINS(told_text, gai_strerror(EAI_NONAME));
    ask(el, "again");
    run_until_told(el, 2);
    CHECK_INT(told_error, EAGAIN);
    CHECK_CONTAINS(told_text, gai_strerror(EAI_AGAIN));
    end_loop(el);
}

static void threads_are_few(void) {
    aeEventLoop *el = new_loop();
    int i;

    for (i = 0; i < 3 * LIBAE_RESOLVE_THREADS; i++) ask(el, "slow");
    await_lookups(LIBAE_RESOLVE_THREADS);
    CHECK_INT(thread_count(), 1 + LIBAE_RESOLVE_THREADS);
    let_go();
    run_until_told(el, 3 * LIBAE_RESOLVE_THREADS);
    CHECK_INT(lookups, 3 * LIBAE_RESOLVE_THREADS);
    CHECK_INT(most_under_way, LIBAE_RESOLVE_THREADS);
    end_loop(el);
}

static void threads_end_and_start_again(void) {
    aeEventLoop *el = new_loop();
    int i;

    /* More often than there may be threads. */
    for (i = 1; i <= LIBAE_RESOLVE_THREADS + 1; i++) {
        ask(el, "other");
        run_until_told(el, i);
        await_no_threads();
    }
    end_loop(el);
}

static void one_thread_does_where_there_are_no_more(void) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    SKIP("sanitizers start threads themselves");
#else
    aeEventLoop *el = new_loop();

    no_threads = 1;
    CHECK_FAILS(libaeResolve(el, "other", AF_UNSPEC, on_resolved, &told), AE_ERR, EAGAIN);
    no_threads = 0;
    ask(el, "slow");
    await_lookups(1);
    no_threads = 1;
    ask(el, "other");
    let_go();
    run_until_told(el, 2);
    no_threads = 0;
    end_loop(el);
#endif
}

static void names_wait_up_to_a_limit(void) {
    aeEventLoop *el = new_loop();
    int i;

    for (i = 0; i < LIBAE_RESOLVE_MAX; i++) ask(el, "slow");
    CHECK_FAILS(libaeResolve(el, "slow", AF_UNSPEC, on_resolved, &told), AE_ERR, EAGAIN);
    await_lookups(LIBAE_RESOLVE_THREADS);
    aeDeleteEventLoop(el);
    CHECK_INT(told, LIBAE_RESOLVE_MAX);
    let_go();
    await_no_threads();
    CHECK_INT(lookups, LIBAE_RESOLVE_THREADS);
}

static void bad_arguments_are_errors(void) {
    aeEventLoop *el = new_loop();

    CHECK_FAILS(libaeResolve(el, "other", AF_UNIX, on_resolved, &told), AE_ERR, EAFNOSUPPORT);
    CHECK_FAILS(libaeCancel(el, 1), AE_ERR, ENOENT);
    CHECK_FAILS(libaeCancel(el, -1), AE_ERR, ENOENT);
    end_loop(el);
    CHECK_INT(told, 0);
}

/* ---- Ends ---- */

static void what_is_cancelled_is_not_told(void) {
    aeEventLoop *el = new_loop(), *other = new_loop();
    long long id = ask(el, "slow"), queued = 0;
    int i;

    for (i = 0; i < LIBAE_RESOLVE_THREADS; i++) queued = ask(el, "slow");
    CHECK(ask(el, "slow") > queued); /* waits behind it, and goes on waiting */
    await_lookups(LIBAE_RESOLVE_THREADS);
    CHECK_FAILS(libaeCancel(other, id), AE_ERR, ENOENT);
    CHECK_KEEPS_ERRNO(libaeCancel(el, id), AE_OK);
    CHECK_FAILS(libaeCancel(el, id), AE_ERR, ENOENT);
    CHECK_INT(libaeCancel(el, queued), AE_OK);
    let_go();
    run_until_told(el, LIBAE_RESOLVE_THREADS);
    await_no_threads();
    aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT);
    CHECK_INT(told, LIBAE_RESOLVE_THREADS);
    CHECK_INT(lookups, LIBAE_RESOLVE_THREADS + 1);
    aeDeleteEventLoop(other);
    end_loop(el);
}

static void on_cancelled(aeEventLoop *el, const libaeResolved *resolved, void *data) {
    CHECK_FAILS(libaeResolve(el, "other", AF_UNSPEC, on_cancelled, data), AE_ERR, ECANCELED);
    on_resolved(el, resolved, data);
}

static void a_loop_that_goes_first_says_so(void) {
    aeEventLoop *el = new_loop();

    CHECK(libaeResolve(el, "slow", AF_UNSPEC, on_cancelled, &told) > 0);
    await_lookups(1);
    aeDeleteEventLoop(el);
    CHECK_INT(told, 1);
    CHECK_INT(told_error, ECANCELED);
    let_go();
    await_no_threads();
    CHECK_INT(told, 1);
}

static void stop_now(aeEventLoop *el, const libaeResolved *resolved, void *data) {
    on_resolved(el, resolved, data);
    aeStopNow(el);
}

static void a_stop_leaves_the_rest_for_later(void) {
    aeEventLoop *el = new_loop();

    CHECK(libaeResolve(el, "127.0.0.1", AF_UNSPEC, stop_now, &told) > 0);
    CHECK(libaeResolve(el, "127.0.0.2", AF_UNSPEC, stop_now, &told) > 0);
    aeMain(el);
    CHECK_INT(told, 1);
    CHECK_INT(aeGetTimeout(el), 0);
    aeMain(el);
    CHECK_INT(told, 2);
    CHECK_TEXT(told_first, "127.0.0.2");
    end_loop(el);
}

static void a_loop_is_not_idle_meanwhile(void) {
    aeEventLoop *el = new_loop();

    aeSetStopWhenIdle(el, 1);
    ask(el, "other");
    aeMain(el);
    CHECK_INT(told, 1);
    end_loop(el);
}

static void a_child_resolves_by_itself(void) {
    aeEventLoop *el = new_loop(), *own;
    int ends[2];
    pid_t child;

    if (WITH_TSAN) SKIP("ThreadSanitizer has no threads after a fork");
    test_pipe(ends);
    ask(el, "slow");
    await_lookups(1);
    child = fork();
    if (child == 0) {
        own = new_loop();
        ask(own, "two");
        run_until_told(own, 1);
        aeDeleteEventLoop(own);
        if (told_count == 2) test_send(ends[1], "x");
        /* Not by an exit: what the parent's thread had is lost here, as valgrind would say. */
        raise(SIGKILL);
    }
    CHECK(child > 0);
    test_reap(child);
    CHECK_INT(test_drain(ends[0]), 1);
    test_close_pair(ends);
    let_go();
    run_until_told(el, 1);
    end_loop(el);
}

/* ---- Connections ---- */

static void on_connected(aeEventLoop *el, int fd, int error, const char *text, void *data) {
    AE_NOTUSED(el);
    CHECK(data == &told);
    told++;
    told_fd = fd;
    told_error = error;
    snprintf(told_text, sizeof(told_text), "%s", text);
}

static long long ask_for(aeEventLoop *el, const char *name, int port) {
    long long id = libaeConnectName(el, name, port, on_connected, &told);

    CHECK(id > 0);
    CHECK_INT(told, 0);
    return id;
}

/* Listens on 127.0.0.1 alone. */
static int listen_here(int *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(fd != -1);
    CHECK_INT(bind(fd, (struct sockaddr *)&address, length), 0);
    CHECK_INT(listen(fd, 8), 0);
    CHECK_INT(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void a_refused_address_is_followed_by_the_next(void) {
    aeEventLoop *el = new_loop();
    struct sockaddr_in address;
    socklen_t length = sizeof(address);
    int port, listening = listen_here(&port);

    ask_for(el, "two", port);
    run_until_told(el, 1);
    CHECK_INT(told_error, 0);
    CHECK_TEXT(told_text, "");
    CHECK_INT(getpeername(told_fd, (struct sockaddr *)&address, &length), 0);
    CHECK_INT(ntohl(address.sin_addr.s_addr), INADDR_LOOPBACK);
    CHECK(fcntl(told_fd, F_GETFL) & O_NONBLOCK);
    CHECK_INT(aeGetFileEvents(el, told_fd), AE_NONE);
    close(told_fd);
    close(listening);
    end_loop(el);
}

static void nobody_listens(void) {
    aeEventLoop *el = new_loop();

    ask_for(el, "two", test_closed_port());
    run_until_told(el, 1);
    CHECK_INT(told_fd, -1);
    CHECK_INT(told_error, ECONNREFUSED);
    CHECK_TEXT(told_text, "connect: Connection refused");
    end_loop(el);
}

static void no_socket_to_connect_with_is_told(void) {
    aeEventLoop *el = new_loop();

    sockets = (struct failures){2, {EMFILE, EMFILE}};
    ask_for(el, "two", 1);
    run_until_told(el, 1);
    CHECK_INT(sockets.count, 0);
    CHECK_INT(told_fd, -1);
    CHECK_INT(told_error, EMFILE);
    CHECK_TEXT(told_text, "creating socket: Too many open files");
    end_loop(el);
}

static void nobody_has_the_name(void) {
    aeEventLoop *el = new_loop();

    ask_for(el, "none", 1);
    run_until_told(el, 1);
    CHECK_INT(told_fd, -1);
    CHECK_INT(told_error, EADDRNOTAVAIL);
    CHECK_CONTAINS(told_text, gai_strerror(EAI_NONAME));
    end_loop(el);
}

static void a_socket_that_is_connecting_is_closed(void) {
    aeEventLoop *el = new_loop();
    int port, listening = listen_here(&port), open;
    long long id;

    CHECK_FAILS(libaeConnectName(el, "two", 65536, on_connected, &told), AE_ERR, EINVAL);
    CHECK_FAILS(libaeConnectName(el, "two", -1, on_connected, &told), AE_ERR, EINVAL);
    /* The loop's own waker is there. */
    CHECK_INT(aeWakeup(el), AE_OK);
    aeProcessEvents(el, AE_ALL_EVENTS);
    open = test_open_fds();
    id = ask_for(el, "127.0.0.1", port);
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS), 1);
    CHECK(el->maxfd != -1);
    CHECK_INT(test_open_fds(), open + 1);
    CHECK_INT(libaeCancel(el, id), AE_OK);
    CHECK_INT(el->maxfd, -1);
    CHECK_INT(test_open_fds(), open);
    CHECK_INT(told, 0);
    CHECK_FAILS(libaeCancel(el, id), AE_ERR, ENOENT);

    ask_for(el, "127.0.0.1", port);
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS), 1);
    end_loop(el);
    CHECK_INT(told, 1);
    CHECK_INT(told_fd, -1);
    CHECK_INT(told_error, ECANCELED);
    CHECK_TEXT(told_text, "connect: Operation canceled");
    close(listening);
}

/* In a program without standard input. */
static void a_socket_that_is_descriptor_0_is_closed(void) {
    aeEventLoop *el = new_loop();
    int port, listening = listen_here(&port), input = fcntl(0, F_DUPFD_CLOEXEC, 0);
    long long id;

    CHECK(input != -1);
    CHECK_INT(aeWakeup(el), AE_OK);
    aeProcessEvents(el, AE_ALL_EVENTS);
    close(0);
    id = ask_for(el, "127.0.0.1", port);
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS), 1);
    CHECK_INT(el->maxfd, 0);
    CHECK_INT(libaeCancel(el, id), AE_OK);
    CHECK_INT(el->maxfd, -1);
    CHECK(!test_is_open(0));

    ask_for(el, "127.0.0.1", port);
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS), 1);
    end_loop(el);
    CHECK(!test_is_open(0));
    CHECK_TEXT(told_text, "connect: Operation canceled");
    CHECK_INT(dup2(input, 0), 0);
    close(input);
    close(listening);
}

static void a_set_that_is_too_small_is_told(void) {
    aeEventLoop *el = aeCreateEventLoop(2);
    int port, listening = listen_here(&port);

    ask_for(el, "127.0.0.1", port);
    run_until_told(el, 1);
    CHECK_INT(told_fd, -1);
    CHECK_INT(told_error, ERANGE);
    close(listening);
    end_loop(el);
}

/* Nor do the parent's threads and names count there. */
static void a_child_of_a_busy_parent_resolves_by_itself(void) {
    aeEventLoop *el = new_loop(), *own;
    int ends[2], i;
    pid_t child;

    if (WITH_TSAN) SKIP("ThreadSanitizer has no threads after a fork");
    test_pipe(ends);
    for (i = 0; i < LIBAE_RESOLVE_THREADS; i++) ask(el, "slow");
    await_lookups(LIBAE_RESOLVE_THREADS);
    ask(el, "none"); /* which waits for a thread */
    child = fork();
    if (child == 0) {
        /* What the parent's threads had locked, or waited for. */
        memcpy(&mutex, &(pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER, sizeof(mutex));
        memcpy(&changed, &(pthread_cond_t)PTHREAD_COND_INITIALIZER, sizeof(changed));
        lookups = 0;
        own = new_loop();
        ask(own, "two");
        run_until_told(own, 1);
        aeDeleteEventLoop(own);
        if (told_count == 2 && lookups == 1) test_send(ends[1], "x");
        raise(SIGKILL); /* as above */
    }
    CHECK(child > 0);
    test_reap(child);
    CHECK_INT(test_drain(ends[0]), 1);
    test_close_pair(ends);
    let_go();
    run_until_told(el, LIBAE_RESOLVE_THREADS + 1);
    end_loop(el);
}

/* As many as there may be: the child has as much room as any process, and its parent has none. */
static void a_child_of_a_full_parent_has_room(void) {
    aeEventLoop *el = new_loop(), *own;
    int ends[2], i;
    pid_t child;

    test_pipe(ends);
    for (i = 0; i < LIBAE_RESOLVE_MAX; i++) ask(el, "127.0.0.1");
    CHECK_FAILS(libaeResolve(el, "127.0.0.1", AF_UNSPEC, on_resolved, &told), AE_ERR, EAGAIN);
    child = fork();
    if (child == 0) {
        own = new_loop();
        for (i = 0; i < LIBAE_RESOLVE_MAX; i++) ask(own, "127.0.0.1");
        CHECK_FAILS(libaeResolve(own, "127.0.0.1", AF_UNSPEC, on_resolved, &told), AE_ERR, EAGAIN);
        run_until_told(own, LIBAE_RESOLVE_MAX);
        aeDeleteEventLoop(own);
        test_send(ends[1], "x");
        raise(SIGKILL); /* as above */
    }
    CHECK(child > 0);
    test_reap(child);
    CHECK_INT(test_drain(ends[0]), 1);
    test_close_pair(ends);
    run_until_told(el, LIBAE_RESOLVE_MAX);
    end_loop(el);
}

/* They would run the program's handlers beside what the program does. */
static void its_threads_take_no_signals(void) {
    aeEventLoop *el = new_loop();

    ask(el, "other");
    run_until_told(el, 1);
    CHECK_INT(sigismember(&blocked_there, SIGUSR1), 1);
    CHECK_INT(sigismember(&blocked_there, SIGTERM), 1);
    CHECK_INT(sigismember(&blocked_there, SIGCHLD), 1);
    end_loop(el);
}

static int asked_again;

static void ask_again(aeEventLoop *el, const libaeResolved *resolved, void *data) {
    AE_NOTUSED(resolved);
    if (++asked_again < 1000) CHECK(libaeResolve(el, "127.0.0.1", AF_UNSPEC, ask_again, data) > 0);
}

static void run_until_asked_often(aeEventLoop *el) {
    int before;

    while (asked_again < 1000) {
        before = asked_again;
        CHECK(aeProcessEvents(el, AE_ALL_EVENTS) >= 0);
        CHECK(asked_again <= before + 1);
    }
    end_loop(el);
}

/* An address is known at once; that keeps no other event waiting. */
static void each_iteration_tells_what_was_asked_before(void) {
    aeEventLoop *el = new_loop();

    CHECK(libaeResolve(el, "127.0.0.1", AF_UNSPEC, ask_again, NULL) > 0);
    run_until_asked_often(el);
}

/* A group of hosts, to which nobody connects. */
static const char nowhere[] = "224.0.0.1";

static void connect_again(aeEventLoop *el, int fd, int error, const char *text, void *data) {
    AE_NOTUSED(text);
    CHECK_INT(fd, -1);
    CHECK_INT(error, ENETUNREACH);
    if (++asked_again < 1000) CHECK(libaeConnectName(el, nowhere, 1, connect_again, data) > 0);
}

/* Nor does a connect that fails at once. */
static void each_iteration_tells_which_connects_failed_before(void) {
    aeEventLoop *el = new_loop();

    CHECK(libaeConnectName(el, nowhere, 1, connect_again, NULL) > 0);
    run_until_asked_often(el);
}

TEST_MAIN(CASE(each_iteration_tells_which_connects_failed_before), CASE(each_iteration_tells_what_was_asked_before),
          CASE(a_child_of_a_busy_parent_resolves_by_itself), CASE(a_child_of_a_full_parent_has_room),
          CASE(its_threads_take_no_signals),
          CASE(the_loop_goes_on_meanwhile), CASE(addresses_need_no_thread), CASE(all_addresses_are_told),
          CASE(a_failure_has_a_text), CASE(threads_are_few), CASE(threads_end_and_start_again),
          CASE(one_thread_does_where_there_are_no_more), CASE(names_wait_up_to_a_limit),
          CASE(bad_arguments_are_errors), CASE(what_is_cancelled_is_not_told),
          CASE(a_loop_that_goes_first_says_so), CASE(a_stop_leaves_the_rest_for_later),
          CASE(a_loop_is_not_idle_meanwhile), CASE(a_child_resolves_by_itself),
          CASE(a_refused_address_is_followed_by_the_next), CASE(nobody_listens),
          CASE(no_socket_to_connect_with_is_told), CASE(nobody_has_the_name),
          CASE(a_socket_that_is_connecting_is_closed), CASE(a_socket_that_is_descriptor_0_is_closed),
          CASE(a_set_that_is_too_small_is_told))
