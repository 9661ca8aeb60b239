/* Descriptors that are closed before their event is deleted, and numbers that are another file's afterwards. */
#include "ae_test.h"

enum { HIGH = 100 };

static int first[2], second[2], other[2];
static int old_data, new_data, calls_of_new;

static void on_old(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(el);
    AE_NOTUSED(fd);
    AE_NOTUSED(mask);
    CHECK(data == &old_data);
    test_note('o');
}

static void on_new(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(el);
    AE_NOTUSED(fd);
    AE_NOTUSED(mask);
    CHECK(data == &new_data);
    calls_of_new++;
    test_note('n');
}

static int tells_files(void) { return strcmp(aeGetApiName(), test_poller()) == 0; }

/* To poll and select a number is as good as the file that had it before. */
static void needs_files(void) {
    if (!tells_files()) SKIP("%s does not tell one file from another", aeGetApiName());
}

/* A loop with one socket that `handler` is called for, and another that may be. */
static aeEventLoop *prepare(aeFileProc *handler) {
    aeEventLoop *el = new_loop();

    ready_pair(first);
    test_pair(second);
    test_pair(other);
    if (handler != NULL) CHECK_INT(aeCreateFileEvent(el, first[0], AE_READABLE, handler, NULL), AE_OK);
    return el;
}

static void finish(aeEventLoop *el) {
    test_close_pair(first);
    test_close_pair(second);
    test_close_pair(other);
    aeDeleteEventLoop(el);
}

/* The number goes to another file, behind the loop's back. */
static void give_away(int fd) {
    CHECK_INT(close(fd), 0);
    CHECK_INT(dup2(other[0], fd), fd);
}

/* Kept open under another number: the kernel still has it when it comes back. */
static void file_that_comes_back_is_watched(void) {
    aeEventLoop *el = prepare(NULL);
    int kept;

    CHECK_INT(aeCreateFileEvent(el, second[0], AE_READABLE, on_old, &old_data), AE_OK);
    kept = dup(second[0]);
    CHECK_INT(close(second[0]), 0);
    aeDeleteFileEvent(el, second[0], AE_READABLE);
    CHECK_INT(dup2(kept, second[0]), second[0]);
    CHECK_INT(aeCreateFileEvent(el, second[0], AE_WRITABLE, on_new, &new_data), AE_OK);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "n");
    close(kept);
    finish(el);
}

static TIME_RESULT on_over(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    *(int *)data = 1;
    return AE_NOMORE;
}

/* Every back end forgets it, as the kernel does for epoll: a loop that waits is not woken by it. */
static void closed_descriptor_does_not_fire(void) {
    aeEventLoop *el = prepare(NULL);
    int over = 0, rounds = 0;

    CHECK_INT(aeCreateFileEvent(el, second[0], AE_READABLE | AE_WRITABLE, on_old, &old_data), AE_OK);
    close(second[0]);
    CHECK(aeCreateTimeEvent(el, 50, on_over, &over, NULL) != AE_ERR);
    CHECK_INT(poll_once(el), 0);
    for (; !over; rounds++) CHECK(aeProcessEvents(el, AE_ALL_EVENTS) >= 0);
    if (rounds > 5) FAIL("the loop went round %d times", rounds);
    CHECK_TEXT(test_noted(), "");
    finish(el);
}

static void on_delete_and_reuse(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_drain(fd);
    aeDeleteFileEvent(el, second[0], AE_WRITABLE);
    CHECK_INT(dup2(other[0], second[0]), second[0]);
}

/* So what is changed afterwards is not the next file's matter. */
static void number_that_was_polled_while_closed_is_free(void) {
    aeEventLoop *el = prepare(on_delete_and_reuse);

    CHECK_INT(aeCreateFileEvent(el, second[0], AE_READABLE | AE_WRITABLE, on_old, &old_data), AE_OK);
    close(second[0]);
    CHECK_INT(poll_once(el), 1);
    test_send(other[1], "z");
    CHECK_INT(poll_once(el), 0);
    CHECK_INT(poll_once(el), 0);
    CHECK_TEXT(test_noted(), "");
    finish(el);
}

/* ---- Deleting and changing touch nobody else's file ---- */

static void late_delete_adds_nothing(void) {
    aeEventLoop *el = prepare(NULL);

    needs_files();
    CHECK_INT(aeCreateFileEvent(el, second[0], AE_READABLE | AE_WRITABLE, on_old, &old_data), AE_OK);
    give_away(second[0]);
    aeDeleteFileEvent(el, second[0], AE_READABLE);
    CHECK_INT(poll_once(el), 0);
    aeDeleteFileEvent(el, second[0], AE_WRITABLE);
    CHECK_INT(poll_once(el), 0);
    finish(el);
}

static void add_then_give_away(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_drain(fd);
    CHECK_INT(aeCreateFileEvent(el, second[0], AE_WRITABLE, on_old, &old_data), AE_OK);
    give_away(second[0]);
}

static void remove_then_give_away(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_drain(fd);
    aeDeleteFileEvent(el, second[0], AE_READABLE);
    give_away(second[0]);
}

static void change_in_a_callback_adds_nothing(void) {
    aeEventLoop *el = prepare(add_then_give_away);

    needs_files();
    CHECK_INT(aeCreateFileEvent(el, second[0], AE_READABLE, on_old, &old_data), AE_OK);
    CHECK_INT(poll_once(el), 1);
    CHECK_INT(poll_once(el), 0);
    finish(el);
}

static void removal_in_a_callback_adds_nothing(void) {
    aeEventLoop *el = prepare(remove_then_give_away);

    needs_files();
    test_fill(second[0]);
    CHECK_INT(aeCreateFileEvent(el, second[0], AE_READABLE | AE_WRITABLE, on_old, &old_data), AE_OK);
    CHECK_INT(poll_once(el), 1);
    CHECK_INT(poll_once(el), 0);
    finish(el);
}

static void failed_create_then_delete_adds_nothing(void) {
    aeEventLoop *el = prepare(NULL);

    needs_files();
    CHECK_INT(aeCreateFileEvent(el, second[0], AE_READABLE | AE_WRITABLE, on_old, &old_data), AE_OK);
    CHECK_INT(close(second[0]), 0);
    CHECK_FAILS(aeCreateFileEvent(el, second[0], AE_WRITABLE, on_old, &old_data), AE_ERR, EBADF);
    CHECK_INT(dup2(other[0], second[0]), second[0]);
    aeDeleteFileEvent(el, second[0], AE_READABLE);
    CHECK_INT(poll_once(el), 0);
    finish(el);
}

/* ---- Creating heals, at once ---- */

/* Of two sockets that are readable, the one that is served first gives the other's number away. */
static void renew_the_other(aeEventLoop *el, int fd, void *data, int mask) {
    int renewed = fd == first[0] ? second[0] : first[0];

    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    aeDeleteFileEvent(el, fd, AE_READABLE);
    give_away(renewed);
    CHECK_INT(aeCreateFileEvent(el, renewed, AE_READABLE | AE_WRITABLE, on_new, &new_data), AE_OK);
}

static void the_old_files_event_does_not_reach_the_new_handler(void) {
    aeEventLoop *el = prepare(renew_the_other);

    needs_files();
    test_send(second[1], "x");
    CHECK_INT(aeCreateFileEvent(el, second[0], AE_READABLE, renew_the_other, NULL), AE_OK);
    CHECK_INT(poll_once(el), 2);
    CHECK_INT(calls_of_new, 0);
    CHECK_INT(poll_once(el), 1);
    CHECK_INT(calls_of_new, 1);
    finish(el);
}

static void add_and_take_back(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_drain(fd);
    CHECK_INT(aeCreateFileEvent(el, second[0], AE_READABLE, on_old, &old_data), AE_OK);
    aeDeleteFileEvent(el, second[0], AE_READABLE);
}

static void a_create_that_is_taken_back_has_healed(void) {
    aeEventLoop *el = prepare(add_and_take_back);

    CHECK_INT(aeCreateFileEvent(el, second[0], AE_WRITABLE, on_old, &old_data), AE_OK);
    give_away(second[0]);
    /* poll and select find the new file by its number. */
    CHECK_INT(poll_once(el), tells_files() ? 1 : 2);
    test_noted();
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "o");
    finish(el);
}

/* ---- A create that fails ---- */

static void failed_create_forgets_nothing(void) {
    aeEventLoop *el = prepare(NULL);

    CHECK_INT(dup2(other[0], HIGH), HIGH);
    CHECK_INT(aeCreateFileEvent(el, second[0], AE_READABLE, on_old, &old_data), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, HIGH, AE_WRITABLE, on_old, &old_data), AE_OK);
    CHECK_INT(close(HIGH), 0);
    CHECK_FAILS(aeCreateFileEvent(el, HIGH, AE_WRITABLE, on_old, &old_data), AE_ERR, EBADF);
    /* The same file has the number once more, and is not watched any longer. */
    CHECK_INT(dup2(other[0], HIGH), HIGH);
    aeDeleteFileEvent(el, HIGH, AE_WRITABLE);
    CHECK_INT(poll_once(el), 0);
    CHECK_INT(aeResizeSetSize(el, HIGH), AE_OK);
    CHECK_INT(close(HIGH), 0);
    CHECK_INT(poll_once(el), 0);
    finish(el);
}

/* Since the loop has heard of the closed one, by whatever backend. */
static void after_a_failed_create_the_next_file_does_not_fire(void) {
    aeEventLoop *el = prepare(NULL);

    CHECK_INT(aeCreateFileEvent(el, second[0], AE_WRITABLE, on_old, &old_data), AE_OK);
    CHECK_INT(close(second[0]), 0);
    CHECK_FAILS(aeCreateFileEvent(el, second[0], AE_READABLE, on_old, &old_data), AE_ERR, EBADF);
    CHECK_INT(dup2(other[0], second[0]), second[0]);
    CHECK_INT(poll_once(el), 0);
    CHECK_TEXT(test_noted(), "");
    finish(el);
}

TEST_MAIN(CASE(file_that_comes_back_is_watched), CASE(closed_descriptor_does_not_fire),
          CASE(number_that_was_polled_while_closed_is_free), CASE(late_delete_adds_nothing), CASE(change_in_a_callback_adds_nothing),
          CASE(removal_in_a_callback_adds_nothing), CASE(failed_create_then_delete_adds_nothing),
          CASE(the_old_files_event_does_not_reach_the_new_handler), CASE(a_create_that_is_taken_back_has_healed),
          CASE(failed_create_forgets_nothing), CASE(after_a_failed_create_the_next_file_does_not_fire))
