/* File events: what fires, and in which order. */
#include "ae_test.h"

static int calls;
static int last_mask;

static void on_readable(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(el);
    AE_NOTUSED(fd);
    AE_NOTUSED(data);
    last_mask = mask;
    calls++;
    test_note('r');
}

static void on_writable(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(el);
    AE_NOTUSED(fd);
    AE_NOTUSED(data);
    last_mask = mask;
    calls++;
    test_note('w');
}

static void on_any(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(el);
    AE_NOTUSED(fd);
    AE_NOTUSED(data);
    last_mask = mask;
    calls++;
    test_note('b');
}

/* ---- What fires ---- */

struct seen {
    aeEventLoop *el;
    int fd;
    int mask;
    void *data;
};

static struct seen seen;

static void on_seen(aeEventLoop *el, int fd, void *data, int mask) {
    seen = (struct seen){el, fd, mask, data};
    calls++;
}

static void readable_gets_its_arguments(void) {
    aeEventLoop *el = new_loop();
    int pair[2], data = 0;

    test_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_seen, &data), AE_OK);
    CHECK_INT(poll_once(el), 0);
    CHECK_INT(calls, 0);
    test_send(pair[1], "x");
    CHECK_INT(poll_once(el), 1);
    CHECK_INT(calls, 1);
    CHECK(seen.el == el);
    CHECK_INT(seen.fd, pair[0]);
    CHECK_INT(seen.mask, AE_READABLE);
    CHECK(seen.data == &data);
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

static void readable_fires_until_read(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    test_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_readable, NULL), AE_OK);
    test_send(pair[1], "x");
    CHECK_INT(poll_once(el), 1);
    CHECK_INT(poll_once(el), 1);
    test_drain(pair[0]);
    CHECK_INT(poll_once(el), 0);
    CHECK_TEXT(test_noted(), "rr");
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

static void writable_fires_while_there_is_room(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    test_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_WRITABLE, on_writable, NULL), AE_OK);
    CHECK_INT(poll_once(el), 1);
    CHECK_INT(last_mask, AE_WRITABLE);
    test_fill(pair[0]);
    CHECK_INT(poll_once(el), 0);
    test_drain(pair[1]);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "ww");
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

static void deleted_event_is_silent(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    test_pair(pair);
    test_send(pair[1], "x");
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_readable, NULL), AE_OK);
    CHECK_INT(aeGetFileEvents(el, pair[0]), AE_READABLE);
    aeDeleteFileEvent(el, pair[0], AE_READABLE);
    CHECK_INT(aeGetFileEvents(el, pair[0]), AE_NONE);
    CHECK_INT(poll_once(el), 0);
    CHECK_TEXT(test_noted(), "");
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

/* A kqueue tells each end of a pipe of its own direction alone. */
static void error_or_hangup_wakes_the_handler(aeEventLoop *el) {
    int broken[2], ended[2];

    test_pipe(broken);
    test_pipe(ended);
    CHECK_INT(aeCreateFileEvent(el, broken[1], AE_WRITABLE, on_writable, NULL), AE_OK);
    test_fill(broken[1]);
    CHECK_INT(poll_once(el), 0);
    close(broken[0]);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "w");
    aeDeleteFileEvent(el, broken[1], AE_WRITABLE);
    CHECK_INT(aeCreateFileEvent(el, ended[0], AE_READABLE, on_readable, NULL), AE_OK);
    CHECK_INT(poll_once(el), 0);
    close(ended[1]);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "r");
    close(broken[1]);
    close(ended[0]);
    aeDeleteEventLoop(el);
}

static void error_or_hangup_wakes_either_handler(void) {
    aeEventLoop *el = new_loop();
    int broken[2], ended[2];
    /* select(2) cannot report a hang-up to somebody who only wants to write. */
    int complete = strcmp(aeGetApiName(), "select") != 0;

    if (strcmp(aeGetApiName(), "kqueue") == 0) {
        error_or_hangup_wakes_the_handler(el);
        return;
    }
    test_pipe(broken);
    test_pipe(ended);
    close(broken[0]); /* the writing end has an error */
    close(ended[1]);  /* the reading end is hung up */

    CHECK_INT(aeCreateFileEvent(el, broken[1], AE_READABLE, on_readable, NULL), AE_OK);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "r");
    if (complete) CHECK_INT(last_mask, AE_READABLE | AE_WRITABLE);
    aeDeleteFileEvent(el, broken[1], AE_READABLE);
    CHECK_INT(aeCreateFileEvent(el, broken[1], AE_WRITABLE, on_writable, NULL), AE_OK);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "w");
    aeDeleteFileEvent(el, broken[1], AE_WRITABLE);

    CHECK_INT(aeCreateFileEvent(el, ended[0], AE_READABLE, on_readable, NULL), AE_OK);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "r");
    aeDeleteFileEvent(el, ended[0], AE_READABLE);
    if (complete) {
        CHECK_INT(aeCreateFileEvent(el, ended[0], AE_WRITABLE, on_writable, NULL), AE_OK);
        CHECK_INT(poll_once(el), 1);
        CHECK_TEXT(test_noted(), "w");
        CHECK_INT(last_mask, AE_READABLE | AE_WRITABLE);
    }
    close(broken[1]);
    close(ended[0]);
    aeDeleteEventLoop(el);
}

/* It reads on, perhaps: what it has been sent has filled the buffer. */
static void a_peer_that_has_finished_sending_makes_nothing_writable(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    test_pair(pair);
    test_fill(pair[0]);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_readable, NULL), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_WRITABLE, on_writable, NULL), AE_OK);
    CHECK_INT(shutdown(pair[1], SHUT_WR), 0);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "r");
    CHECK_INT(last_mask, AE_READABLE);
    close(pair[1]);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "rw");
    close(pair[0]);
    aeDeleteEventLoop(el);
}

static int reads[64], writes[64];

static void count_readable(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(el);
    AE_NOTUSED(data);
    CHECK(mask & AE_READABLE);
    reads[fd]++;
}

static void count_writable(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(el);
    AE_NOTUSED(data);
    CHECK(mask & AE_WRITABLE);
    writes[fd]++;
}

/* All descriptors that there can be are ready both ways, which a kqueue has two events for. */
static void in_a_full_set_nobody_starves(void) {
    enum { COUNT = 10, ROUNDS = 20 };
    int pairs[COUNT][2], i, k;
    aeEventLoop *el;

    for (i = 0; i < COUNT; i++) ready_pair(pairs[i]);
    CHECK(pairs[COUNT - 1][1] < 64);
    el = aeCreateEventLoop(pairs[COUNT - 1][1] + 1);
    CHECK(el != NULL);
    for (i = 0; i < COUNT; i++) {
        test_send(pairs[i][0], "x");
        for (k = 0; k < 2; k++) {
            CHECK_INT(aeCreateFileEvent(el, pairs[i][k], AE_READABLE, count_readable, NULL), AE_OK);
            CHECK_INT(aeCreateFileEvent(el, pairs[i][k], AE_WRITABLE, count_writable, NULL), AE_OK);
        }
    }
    for (i = 0; i < ROUNDS; i++) CHECK(poll_once(el) >= COUNT);
    for (i = 0; i < COUNT; i++) {
        for (k = 0; k < 2; k++) {
            CHECK(reads[pairs[i][k]] >= ROUNDS / 4);
            CHECK(writes[pairs[i][k]] >= ROUNDS / 4);
        }
    }
    for (i = 0; i < COUNT; i++) test_close_pair(pairs[i]);
    aeDeleteEventLoop(el);
}

static void many_descriptors_each_fire_once(void) {
    enum { COUNT = 100 };
    aeEventLoop *el = aeCreateEventLoop(1024);
    int pairs[COUNT][2], i;

    CHECK(el != NULL);
    for (i = 0; i < COUNT; i++) {
        test_pair(pairs[i]);
        CHECK_INT(aeCreateFileEvent(el, pairs[i][0], AE_READABLE, on_readable, NULL), AE_OK);
        if (i % 2 == 0) test_send(pairs[i][1], "x");
    }
    CHECK_INT(poll_once(el), COUNT / 2);
    CHECK_INT(calls, COUNT / 2);
    for (i = 0; i < COUNT; i++) test_close_pair(pairs[i]);
    aeDeleteEventLoop(el);
}

/* What counts is the state at the time of the poll, not what has happened before it. */
static void drained_before_the_poll_is_silent(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    test_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_readable, NULL), AE_OK);
    CHECK_INT(poll_once(el), 0);
    test_send(pair[1], "x");
    CHECK_INT(test_drain(pair[0]), 1);
    CHECK_INT(poll_once(el), 0);
    CHECK_TEXT(test_noted(), "");
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

/* The loop keeps no file open: whoever closes a descriptor and forgets its event still hangs up on the peer. */
static void closing_a_watched_descriptor_closes_the_file(void) {
    aeEventLoop *el = new_loop();
    char byte;
    int pair[2];

    test_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_readable, NULL), AE_OK);
    CHECK_INT(poll_once(el), 0);
    close(pair[0]);
    CHECK_INT(read(pair[1], &byte, 1), 0);
    close(pair[1]);
    aeDeleteEventLoop(el);
}

/* ---- Order ---- */

static void readable_comes_before_writable(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_WRITABLE, on_writable, NULL), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_readable, NULL), AE_OK);
    CHECK_INT(poll_once(el), 1); /* one descriptor, however many handlers */
    CHECK_TEXT(test_noted(), "rw");
    CHECK_INT(last_mask, AE_READABLE | AE_WRITABLE);
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

static void barrier_turns_the_order_round(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_readable, NULL), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_WRITABLE | AE_BARRIER, on_writable, NULL), AE_OK);
    CHECK_INT(aeGetFileEvents(el, pair[0]), AE_READABLE | AE_WRITABLE | AE_BARRIER);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "wr");
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

static void barrier_goes_with_writable(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_readable, NULL), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_WRITABLE | AE_BARRIER, on_writable, NULL), AE_OK);
    aeDeleteFileEvent(el, pair[0], AE_WRITABLE);
    CHECK_INT(aeGetFileEvents(el, pair[0]), AE_READABLE);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_WRITABLE, on_writable, NULL), AE_OK);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "rw");
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

static void barrier_can_be_removed_alone(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_readable, NULL), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_WRITABLE | AE_BARRIER, on_writable, NULL), AE_OK);
    aeDeleteFileEvent(el, pair[0], AE_BARRIER);
    CHECK_INT(aeGetFileEvents(el, pair[0]), AE_READABLE | AE_WRITABLE);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "rw");
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

static void one_handler_for_both_runs_once(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE | AE_WRITABLE, on_any, NULL), AE_OK);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "b");
    CHECK_INT(last_mask, AE_READABLE | AE_WRITABLE);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_WRITABLE | AE_BARRIER, on_any, NULL), AE_OK);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "b");
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

/* A read handler puts another socket, which is not writable, under its descriptor's number. */
static void put_another_there(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(mask);
    test_note('r');
    aeDeleteFileEvent(el, fd, AE_READABLE | AE_WRITABLE);
    CHECK_INT(dup2(*(int *)data, fd), fd);
    CHECK_INT(aeCreateFileEvent(el, fd, AE_WRITABLE, note_writable, NULL), AE_OK);
}

static void what_is_new_is_not_writable_for_what_was_there(void) {
    aeEventLoop *el = new_loop();
    int pair[2], other[2];

    ready_pair(pair);
    test_pair(other);
    test_fill(other[0]);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, put_another_there, &other[0]), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_WRITABLE, note_writable, &other[0]), AE_OK);
    poll_once(el);
    CHECK_TEXT(test_noted(), "r");
    aeDeleteEventLoop(el);
    test_close_pair(pair);
    test_close_pair(other);
}

static void one_handler_for_both_stays_for_one(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    test_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE | AE_WRITABLE, note_any, NULL), AE_OK);
    aeDeleteFileEvent(el, pair[0], AE_READABLE);
    close(pair[1]); /* which makes the other end readable and writable */
    poll_once(el);
    CHECK_TEXT(test_noted(), "b");
    aeDeleteEventLoop(el);
    close(pair[0]);
}

static void descriptor_0_is_one_as_well(void) {
    aeEventLoop *el = new_loop();
    int pair[2], kept = fcntl(0, F_DUPFD_CLOEXEC, 3);

    ready_pair(pair);
    CHECK_INT(dup2(pair[0], 0), 0);
    CHECK_INT(aeCreateFileEvent(el, 0, AE_READABLE, note_readable, NULL), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, note_writable, NULL), AE_OK);
    aeDeleteFileEvent(el, pair[0], AE_READABLE);
    CHECK_INT(el->maxfd, 0);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "r");
    aeDeleteEventLoop(el);
    CHECK_INT(dup2(kept, 0), 0);
    close(kept);
    test_close_pair(pair);
}

TEST_MAIN(CASE(what_is_new_is_not_writable_for_what_was_there), CASE(one_handler_for_both_stays_for_one),
          CASE(descriptor_0_is_one_as_well), CASE(readable_gets_its_arguments), CASE(readable_fires_until_read),
          CASE(writable_fires_while_there_is_room), CASE(deleted_event_is_silent),
          CASE(error_or_hangup_wakes_either_handler), CASE(in_a_full_set_nobody_starves),
          CASE(a_peer_that_has_finished_sending_makes_nothing_writable),
          CASE(many_descriptors_each_fire_once),
          CASE(drained_before_the_poll_is_silent), CASE(closing_a_watched_descriptor_closes_the_file),
          CASE(readable_comes_before_writable), CASE(barrier_turns_the_order_round),
          CASE(barrier_goes_with_writable), CASE(barrier_can_be_removed_alone),
          CASE(one_handler_for_both_runs_once))
