/* A listener that rests, with a kernel that refuses to watch it meanwhile or afterwards. The refusals are this
 * program's: it has an epoll_ctl and an accept4 of its own, and a word to say about kevent. */
#include "test.h"
#include "conn_test.h"
#include "../tests/kqueue/kqueue.h"

#include <ae.h>
#include <anet.h>
#include <libae.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

static aeEventLoop *el;
static int listening, client, accepted, warnings;
static char last_warning[256];

/* ---- What the kernel refuses ---- */

static int accepts_to_refuse, adds_to_refuse, reads_to_refuse;

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
    if (accepts_to_refuse > 0) return accepts_to_refuse--, errno = EMFILE, -1;
    return (int)syscall(SYS_accept4, fd, address, length, flags);
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event) {
    if (fd == listening && operation == EPOLL_CTL_ADD && adds_to_refuse > 0)
        return adds_to_refuse--, errno = ENOSPC, -1;
    if (fd == listening && operation != EPOLL_CTL_DEL && event->events & EPOLLIN && reads_to_refuse > 0)
        return reads_to_refuse--, errno = ENOMEM, -1;
    return (int)syscall(SYS_epoll_ctl, epoll, operation, fd, event);
}

int kevent_fails(const struct kevent *changes, int change_count, const struct timespec *limit) {
    int i;

    (void)limit;
    for (i = 0; i < change_count; i++) {
        const struct kevent *change = &changes[i];

        if (change->ident != (uintptr_t)listening || change->flags & (EV_DELETE | EV_DISABLE)) continue;
        if (change->flags & EV_ADD && adds_to_refuse > 0) return adds_to_refuse--, ENOSPC;
        if (change->filter == EVFILT_READ && reads_to_refuse > 0) return reads_to_refuse--, ENOMEM;
    }
    return 0;
}

/* ---- A listener that rests ---- */

static void on_accepted(connection *conn, int flags, char *ip) {
    (void)flags;
    (void)ip;
    accepted++;
    connClose(conn);
}

static void on_log(int level, const char *message) {
    if (level != LIBAE_LOG_WARNING) return;
    warnings++;
    snprintf(last_warning, sizeof(last_warning), "%s", message);
}

static int watch(void) {
    return aeCreateFileEvent(el, listening, AE_READABLE, connAcceptHandler(connectionTypeTcp()), NULL);
}

/* A loop whose listener has just begun to rest, with a client that waits. */
static void begin(void) {
    libaeHost host = {.size = sizeof(libaeHost), .accepted = on_accepted, .log = on_log};
    int port;

    CHECK_INT(libaeSetHost(&host), AE_OK);
    CHECK_INT(connTypeInitialize(), C_OK);
    el = aeCreateEventLoop(256);
    CHECK(el != NULL);
    if (strcmp(aeGetLoopApiName(el), test_poller()) != 0) {
        aeDeleteEventLoop(el);
        SKIP("it is epoll_ctl or kevent that refuses");
    }
    listening = test_listen(AF_INET, 4, &port);
    test_set_nonblocking(listening);
    CHECK_INT(watch(), AE_OK);
    client = test_connect(AF_INET, port);
    accepts_to_refuse = 1;
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 1);
    CHECK_INT(warnings, 1);
    CHECK_INT(accepted, 0);
}

static void end(void) {
    while (accepted == 0) CHECK(aeProcessEvents(el, AE_FILE_EVENTS) >= 0);
    CHECK_INT(accepted, 1);
    close(client);
    close(listening);
    aeDeleteEventLoop(el);
}

static void rest_that_cannot_end_is_tried_again(void) {
    begin();
    reads_to_refuse = 2;
    end();
    CHECK_INT(reads_to_refuse, 0);
    CHECK_INT(warnings, 2);
    CHECK_CONTAINS(last_warning, "Cannot allocate memory");
}

static void failed_create_leaves_the_rest(void) {
    begin();
    adds_to_refuse = reads_to_refuse = 1;
    CHECK_INT(watch(), AE_ERR);
    CHECK_INT(aeGetFileEvents(el, listening), AE_READABLE);
    adds_to_refuse = reads_to_refuse = 0;
    end();
}

static TIME_RESULT on_late(aeEventLoop *loop, long long id, void *is_late) {
    (void)loop;
    (void)id;
    *(int *)is_late = 1;
    return AE_NOMORE;
}

static void create_ends_the_rest(void) {
    int is_late = 0;

    begin();
    CHECK_INT(watch(), AE_OK);
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS | AE_DONT_WAIT), 1);
    CHECK_INT(accepted, 1);
    /* When it would have ended, nobody is told anything. */
    reads_to_refuse = 1;
    CHECK(aeCreateTimeEvent(el, 200, on_late, &is_late, NULL) != AE_ERR);
    while (!is_late) CHECK(aeProcessEvents(el, AE_ALL_EVENTS) >= 0);
    CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS | AE_DONT_WAIT), 0);
    CHECK_INT(reads_to_refuse, 1);
    CHECK_INT(warnings, 1);
    end();
}

/* Closed while it rests: its number may be anybody's when the rest ends, or nobody's. */
static void rest_of_a_closed_listener_adds_nothing(void) {
    int pair[2], file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), kind;

    CHECK(file != -1);
    test_pair(pair);
    test_send(pair[1], "x");
    for (kind = 0; kind < 3; kind++) {
        warnings = 0;
        begin();
        if (kind == 2)
            close(listening);
        else
            CHECK_INT(dup2(kind == 0 ? pair[0] : file, listening), listening);
        /* It waits for the end of the rest. */
        CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS), 0);
        CHECK_INT(aeProcessEvents(el, AE_FILE_EVENTS | AE_DONT_WAIT), 0);
        CHECK_INT(warnings, 1);
        accepted = 1;
        end();
        accepted = 0;
    }
    test_close_pair(pair);
    close(file);
}

TEST_MAIN(CASE(rest_that_cannot_end_is_tried_again), CASE(failed_create_leaves_the_rest), CASE(create_ends_the_rest),
          CASE(rest_of_a_closed_listener_adds_nothing))
