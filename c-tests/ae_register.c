/* File events: registering them, what the loop's public fields then say, and every error. */
#include "ae_test.h"

struct seen {
    aeEventLoop *el;
    int fd;
    int mask;
    void *data;
};

static struct seen seen;

static void on_seen(aeEventLoop *el, int fd, void *data, int mask) {
    seen = (struct seen){el, fd, mask, data};
}

/* ---- Registering ---- */

static void masks_merge_and_split(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, note_readable, NULL), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_WRITABLE, note_writable, NULL), AE_OK);
    CHECK_INT(aeGetFileEvents(el, pair[0]), AE_READABLE | AE_WRITABLE);
    aeDeleteFileEvent(el, pair[0], AE_READABLE);
    CHECK_INT(aeGetFileEvents(el, pair[0]), AE_WRITABLE);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "w");
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, note_readable, NULL), AE_OK);
    aeDeleteFileEvent(el, pair[0], AE_WRITABLE);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "r");
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

static void later_handler_and_data_replace(void) {
    aeEventLoop *el = new_loop();
    int pair[2], first = 0, second = 0;

    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, note_readable, &first), AE_OK);
    CHECK(aeGetFileClientData(el, pair[0]) == &first);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_seen, &second), AE_OK);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "");
    CHECK(seen.data == &second);
    /* The data belongs to the descriptor, not to one of its handlers. */
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_WRITABLE, note_writable, &first), AE_OK);
    CHECK_INT(poll_once(el), 1);
    CHECK(seen.data == &first);
    CHECK_TEXT(test_noted(), "w");
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

static void client_data_is_there_while_watched(void) {
    aeEventLoop *el = new_loop();
    int pair[2], data = 0;

    test_pair(pair);
    CHECK_NULL(aeGetFileClientData(el, pair[0]));
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE | AE_WRITABLE, note_any, &data), AE_OK);
    aeDeleteFileEvent(el, pair[0], AE_WRITABLE);
    CHECK(aeGetFileClientData(el, pair[0]) == &data);
    aeDeleteFileEvent(el, pair[0], AE_READABLE);
    CHECK_NULL(aeGetFileClientData(el, pair[0]));
    CHECK_NULL(aeGetFileClientData(el, aeGetSetSize(el)));
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

static void maxfd_follows_the_highest(void) {
    aeEventLoop *el = new_loop();
    int low[2], high[2];

    test_pair(low);
    test_pair(high);
    CHECK_INT(el->maxfd, -1);
    CHECK_INT(el->setsize, 256);
    CHECK_INT(aeGetSetSize(el), 256);
    CHECK_INT(aeCreateFileEvent(el, high[1], AE_READABLE, note_readable, NULL), AE_OK);
    CHECK_INT(el->maxfd, high[1]);
    CHECK_INT(aeCreateFileEvent(el, low[0], AE_READABLE | AE_WRITABLE, note_any, NULL), AE_OK);
    CHECK_INT(el->maxfd, high[1]);
    aeDeleteFileEvent(el, high[1], AE_WRITABLE);
    CHECK_INT(el->maxfd, high[1]);
    aeDeleteFileEvent(el, high[1], AE_READABLE);
    CHECK_INT(el->maxfd, low[0]);
    aeDeleteFileEvent(el, low[0], AE_READABLE);
    CHECK_INT(el->maxfd, low[0]);
    aeDeleteFileEvent(el, low[0], AE_WRITABLE);
    CHECK_INT(el->maxfd, -1);
    test_close_pair(low);
    test_close_pair(high);
    aeDeleteEventLoop(el);
}

static void public_slot_shows_the_registration(void) {
    aeEventLoop *el = new_loop();
    int pair[2], data = 0;

    test_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, note_readable, &data), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_WRITABLE, note_writable, &data), AE_OK);
    CHECK_INT(el->events[pair[0]].mask, AE_READABLE | AE_WRITABLE);
    CHECK(el->events[pair[0]].rfileProc == note_readable);
    CHECK(el->events[pair[0]].wfileProc == note_writable);
    CHECK(el->events[pair[0]].clientData == &data);
    CHECK_INT(el->events[pair[1]].mask, AE_NONE);
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

/* ---- Errors ---- */

static void out_of_range_is_erange(void) {
    aeEventLoop *el = aeCreateEventLoop(64);
    int pair[2], last;

    CHECK(el != NULL);
    test_pair(pair);
    CHECK_FAILS(aeCreateFileEvent(el, 64, AE_READABLE, note_readable, NULL), AE_ERR, ERANGE);
    CHECK_FAILS(aeCreateFileEvent(el, 100000, AE_READABLE, note_readable, NULL), AE_ERR, ERANGE);
    last = dup2(pair[0], 63);
    CHECK_INT(last, 63);
    CHECK_INT(aeCreateFileEvent(el, last, AE_READABLE, note_readable, NULL), AE_OK);
    CHECK_INT(el->maxfd, 63);
    CHECK_INT(aeGetFileEvents(el, 64), AE_NONE);
    close(last);
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

static void closed_descriptor_is_ebadf(void) {
    aeEventLoop *el = new_loop();
    int closed = test_unused_fd();

    CHECK_FAILS(aeCreateFileEvent(el, closed, AE_READABLE, note_readable, NULL), AE_ERR, EBADF);
    CHECK_INT(aeGetFileEvents(el, closed), AE_NONE);
    CHECK_NULL(aeGetFileClientData(el, closed));
    CHECK_INT(el->maxfd, -1);
    /* Departs from upstream, which indexes its array with a negative number. */
    CHECK_FAILS(aeCreateFileEvent(el, -1, AE_READABLE, note_readable, NULL), AE_ERR, EBADF);
    CHECK_INT(aeGetFileEvents(el, -1), AE_NONE);
    aeDeleteFileEvent(el, -1, AE_READABLE);
    aeDeleteEventLoop(el);
}

/* Departs from upstream, which trusts its callers. */
static void nonsense_is_einval(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    test_pair(pair);
    CHECK_FAILS(aeCreateFileEvent(NULL, pair[0], AE_READABLE, note_readable, NULL), AE_ERR, EINVAL);
    CHECK_FAILS(aeCreateFileEvent(el, pair[0], AE_READABLE, NULL, NULL), AE_ERR, EINVAL);
    CHECK_FAILS(aeCreateFileEvent(el, pair[0], 16, note_readable, NULL), AE_ERR, EINVAL);
    CHECK_FAILS(aeCreateFileEvent(el, pair[0], -1, note_readable, NULL), AE_ERR, EINVAL);
    CHECK_INT(aeGetFileEvents(el, pair[0]), AE_NONE);
    CHECK_INT(el->maxfd, -1);
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

/* Departs from upstream, which takes a NULL handler and calls it later. */
static void failure_leaves_the_registration_alone(void) {
    aeEventLoop *el = new_loop();
    int pair[2], data = 0;

    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, note_readable, &data), AE_OK);
    CHECK_FAILS(aeCreateFileEvent(el, pair[0], AE_WRITABLE, NULL, NULL), AE_ERR, EINVAL);
    CHECK_INT(aeGetFileEvents(el, pair[0]), AE_READABLE);
    CHECK(aeGetFileClientData(el, pair[0]) == &data);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "r");
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

static void regular_file_depends_on_the_backend(void) {
    aeEventLoop *el = new_loop();
    FILE *file = tmpfile();
    int fd;

    CHECK(file != NULL);
    fd = fileno(file);
    if (strcmp(aeGetApiName(), "epoll") == 0) {
        CHECK_FAILS(aeCreateFileEvent(el, fd, AE_READABLE, note_readable, NULL), AE_ERR, EPERM);
        CHECK_INT(aeGetFileEvents(el, fd), AE_NONE);
    } else {
        CHECK_INT(aeCreateFileEvent(el, fd, AE_READABLE, note_readable, NULL), AE_OK);
        if (strcmp(aeGetApiName(), "kqueue") == 0) {
            CHECK_INT(poll_once(el), 0); /* it is at its end */
            CHECK_INT(pwrite(fd, "x", 1, 0), 1);
        }
        CHECK_INT(poll_once(el), 1);
    }
    fclose(file);
    aeDeleteEventLoop(el);
}

static void success_leaves_errno_alone(void) {
    aeEventLoop *el = new_loop();
    int pair[2];

    ready_pair(pair);
    CHECK_KEEPS_ERRNO(aeCreateFileEvent(el, pair[0], AE_READABLE, note_readable, NULL), AE_OK);
    CHECK_KEEPS_ERRNO(aeCreateFileEvent(el, pair[0], AE_WRITABLE, note_writable, NULL), AE_OK);
    CHECK_KEEPS_ERRNO(aeGetFileEvents(el, pair[0]), AE_READABLE | AE_WRITABLE);
    CHECK_KEEPS_ERRNO(poll_once(el), 1);
    CHECK_KEEPS_ERRNO(aeGetSetSize(el), 256);
    errno = 4242;
    aeDeleteFileEvent(el, pair[0], AE_WRITABLE);
    aeDeleteFileEvent(el, pair[0], AE_READABLE);
    aeDeleteFileEvent(el, pair[0], AE_READABLE); /* no longer watched */
    aeDeleteFileEvent(el, 100000, AE_READABLE);
    CHECK_NULL(aeGetFileClientData(el, pair[0]));
    aeDeleteEventLoop(el);
    CHECK_INT(errno, 4242);
    test_close_pair(pair);
}

TEST_MAIN(CASE(masks_merge_and_split), CASE(later_handler_and_data_replace),
          CASE(client_data_is_there_while_watched), CASE(maxfd_follows_the_highest),
          CASE(public_slot_shows_the_registration), CASE(out_of_range_is_erange),
          CASE(closed_descriptor_is_ebadf), CASE(nonsense_is_einval),
          CASE(failure_leaves_the_registration_alone), CASE(regular_file_depends_on_the_backend),
          CASE(success_leaves_errno_alone))
