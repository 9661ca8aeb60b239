/* What callbacks may do to the loop that is calling them. */
#include "ae_test.h"

enum { MANY = 8 };

static int pairs[MANY][2];
static int calls;

/* `count` sockets that are readable and watched for it. */
static void watch_ready(aeEventLoop *el, int count, aeFileProc *proc) {
    int i;

    for (i = 0; i < count; i++) {
        test_pair(pairs[i]);
        test_send(pairs[i][1], "x");
        CHECK_INT(aeCreateFileEvent(el, pairs[i][0], AE_READABLE, proc, NULL), AE_OK);
    }
}

static void close_pairs(int count) {
    int i;

    for (i = 0; i < count; i++) test_close_pair(pairs[i]);
}

static void on_quiet(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(el);
    AE_NOTUSED(fd);
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_note('q');
}

static void on_drain(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(el);
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    calls += test_drain(fd);
}

/* ---- Deleting ---- */

static void on_delete_writable(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_note('r');
    aeDeleteFileEvent(el, fd, AE_WRITABLE);
}

static void on_delete_both(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_note('d');
    aeDeleteFileEvent(el, fd, AE_READABLE | AE_WRITABLE);
}

static void first_handler_takes_the_second_away(void) {
    aeEventLoop *el = new_loop();

    watch_ready(el, 1, on_delete_writable);
    CHECK_INT(aeCreateFileEvent(el, pairs[0][0], AE_WRITABLE, on_quiet, NULL), AE_OK);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "r");

    CHECK_INT(aeCreateFileEvent(el, pairs[0][0], AE_READABLE, on_delete_both, NULL), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, pairs[0][0], AE_WRITABLE, on_quiet, NULL), AE_OK);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "d");
    CHECK_INT(el->maxfd, -1);
    CHECK_INT(poll_once(el), 0);

    /* The same behind the barrier: the writer takes the reader away. */
    CHECK_INT(aeCreateFileEvent(el, pairs[0][0], AE_READABLE, on_quiet, NULL), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, pairs[0][0], AE_WRITABLE | AE_BARRIER, on_delete_both, NULL), AE_OK);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "d");
    close_pairs(1);
    aeDeleteEventLoop(el);
}

static void on_replace_writer(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    CHECK_INT(aeCreateFileEvent(el, fd, AE_WRITABLE, on_delete_both, NULL), AE_OK);
}

static void first_handler_replaces_the_second(void) {
    aeEventLoop *el = new_loop();

    watch_ready(el, 1, on_replace_writer);
    CHECK_INT(aeCreateFileEvent(el, pairs[0][0], AE_WRITABLE, on_quiet, NULL), AE_OK);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "d");
    close_pairs(1);
    aeDeleteEventLoop(el);
}

static void on_delete_others(aeEventLoop *el, int fd, void *data, int mask) {
    int i;

    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    calls++;
    for (i = 0; i < MANY; i++)
        if (pairs[i][0] != fd) aeDeleteFileEvent(el, pairs[i][0], AE_READABLE);
}

static void one_handler_deletes_all_others_that_fired(void) {
    aeEventLoop *el = new_loop();

    watch_ready(el, MANY, on_delete_others);
    poll_once(el);
    CHECK_INT(calls, 1);
    CHECK_INT(poll_once(el), 1);
    CHECK_INT(calls, 2);
    close_pairs(MANY);
    aeDeleteEventLoop(el);
}

static void on_close_everything(aeEventLoop *el, int fd, void *data, int mask) {
    int i;

    AE_NOTUSED(fd);
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    calls++;
    for (i = 0; i < MANY; i++) {
        aeDeleteFileEvent(el, pairs[i][0], AE_READABLE);
        test_close_pair(pairs[i]);
    }
}

static void one_handler_closes_everything(void) {
    aeEventLoop *el = new_loop();

    watch_ready(el, MANY, on_close_everything);
    poll_once(el);
    CHECK_INT(calls, 1);
    CHECK_INT(el->maxfd, -1);
    CHECK_INT(poll_once(el), 0);
    aeDeleteEventLoop(el);
}

/* ---- Numbers that are used again ---- */

static int fresh[2];

/* Whichever fires first closes the other and puts a quiet socket in its place. */
static void on_reuse_other(aeEventLoop *el, int fd, void *data, int mask) {
    int other = fd == pairs[0][0] ? pairs[1][0] : pairs[0][0];

    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    calls++;
    test_drain(fd);
    aeDeleteFileEvent(el, other, AE_READABLE);
    CHECK_INT(dup2(fresh[0], other), other);
    CHECK_INT(aeCreateFileEvent(el, other, AE_READABLE, on_quiet, NULL), AE_OK);
}

/* Departs from upstream, which hands the new socket what had fired for the old one. */
static void reused_number_does_not_get_the_stale_event(void) {
    aeEventLoop *el = new_loop();

    test_pair(fresh);
    watch_ready(el, 2, on_reuse_other);
    poll_once(el);
    CHECK_INT(calls, 1);
    CHECK_TEXT(test_noted(), "");
    CHECK_INT(poll_once(el), 0);
    test_send(fresh[1], "y");
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "q");
    close_pairs(2);
    test_close_pair(fresh);
    aeDeleteEventLoop(el);
}

/* Closed without aeDeleteFileEvent; the kernel forgot it, the loop could not notice. */
static void replace_without_telling(aeEventLoop *el, int fd) {
    CHECK_INT(close(fd), 0);
    CHECK_INT(dup2(fresh[0], fd), fd);
    CHECK_INT(aeCreateFileEvent(el, fd, AE_READABLE, on_quiet, NULL), AE_OK);
}

/* Departs from upstream, whose epoll backend fails with ENOENT then. */
static void number_closed_untold_and_reused_works(void) {
    aeEventLoop *el = new_loop();

    test_pair(fresh);
    watch_ready(el, 1, on_drain);
    replace_without_telling(el, pairs[0][0]);
    CHECK_INT(poll_once(el), 0);
    test_send(fresh[1], "y");
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "q");
    close_pairs(1);
    test_close_pair(fresh);
    aeDeleteEventLoop(el);
}

static void on_replace_second(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_drain(fd);
    replace_without_telling(el, pairs[1][0]);
}

/* The mask does not change, yet the kernel has to be told. Departs from upstream as above. */
static void number_closed_untold_and_reused_in_a_callback_works(void) {
    aeEventLoop *el = new_loop();

    test_pair(fresh);
    watch_ready(el, 1, on_replace_second);
    test_pair(pairs[1]);
    CHECK_INT(aeCreateFileEvent(el, pairs[1][0], AE_READABLE, on_drain, NULL), AE_OK);
    CHECK_INT(poll_once(el), 1);
    CHECK_INT(poll_once(el), 0);
    test_send(fresh[1], "y");
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "q");
    close_pairs(2);
    test_close_pair(fresh);
    aeDeleteEventLoop(el);
}

/* Departs from upstream in errno, which the failed epoll_ctl leaves there. */
static void deleting_a_closed_descriptor_frees_its_slot(void) {
    aeEventLoop *el = new_loop();

    watch_ready(el, 2, on_drain);
    close_pairs(2);
    errno = 4242;
    aeDeleteFileEvent(el, pairs[1][0], AE_READABLE);
    aeDeleteFileEvent(el, pairs[0][0], AE_READABLE);
    CHECK_INT(errno, 4242);
    CHECK_INT(el->maxfd, -1);
    CHECK_INT(poll_once(el), 0);
    aeDeleteEventLoop(el);
}

/* ---- Resizing and creating ---- */

static void on_resize_up(aeEventLoop *el, int fd, void *data, int mask) {
    int high;

    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    calls++;
    test_drain(fd);
    CHECK_INT(aeResizeSetSize(el, el->setsize * 4), AE_OK);
    high = fcntl(fd, F_DUPFD_CLOEXEC, el->setsize - 200);
    CHECK(high != -1);
    CHECK_INT(aeCreateFileEvent(el, high, AE_WRITABLE, on_quiet, NULL), AE_OK);
    aeDeleteFileEvent(el, high, AE_WRITABLE);
    close(high);
}

static void callback_grows_the_set(void) {
    aeEventLoop *el = aeCreateEventLoop(64);

    CHECK(el != NULL);
    watch_ready(el, 2, on_resize_up);
    CHECK_INT(poll_once(el), 2);
    CHECK_INT(calls, 2);
    CHECK_INT(aeGetSetSize(el), 1024);
    CHECK_INT(poll_once(el), 0);
    close_pairs(2);
    aeDeleteEventLoop(el);
}

/* Fewer slots than descriptors that fired: the rest of the list is gone with its memory. (Departs from
 * upstream, which reads on.) */
static void on_resize_down(aeEventLoop *el, int fd, void *data, int mask) {
    int i;

    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    calls++;
    for (i = 0; i < MANY; i++) aeDeleteFileEvent(el, pairs[i][0], AE_READABLE);
    CHECK_INT(aeResizeSetSize(el, 1), AE_OK);
    CHECK_FAILS(aeCreateFileEvent(el, fd, AE_READABLE, on_quiet, NULL), AE_ERR, ERANGE);
}

static void callback_shrinks_the_set(void) {
    aeEventLoop *el = new_loop();

    watch_ready(el, MANY, on_resize_down);
    poll_once(el);
    CHECK_INT(calls, 1);
    CHECK_INT(aeGetSetSize(el), 1);
    CHECK_INT(poll_once(el), 0);
    close_pairs(MANY);
    aeDeleteEventLoop(el);
}

static void on_create_other(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_note('c');
    test_drain(fd);
    CHECK_INT(aeCreateFileEvent(el, pairs[1][0], AE_READABLE, on_quiet, NULL), AE_OK);
}

static void event_created_in_a_callback_fires_next_time(void) {
    aeEventLoop *el = new_loop();

    watch_ready(el, 1, on_create_other);
    test_pair(pairs[1]);
    test_send(pairs[1][1], "x");
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "c");
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "q");
    close_pairs(2);
    aeDeleteEventLoop(el);
}

TEST_MAIN(CASE(first_handler_takes_the_second_away), CASE(first_handler_replaces_the_second),
          CASE(one_handler_deletes_all_others_that_fired), CASE(one_handler_closes_everything),
          CASE(reused_number_does_not_get_the_stale_event), CASE(number_closed_untold_and_reused_works),
          CASE(number_closed_untold_and_reused_in_a_callback_works),
          CASE(deleting_a_closed_descriptor_frees_its_slot), CASE(callback_grows_the_set),
          CASE(callback_shrinks_the_set), CASE(event_created_in_a_callback_fires_next_time))
