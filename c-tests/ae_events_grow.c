/* redis-8.0's loops have room for few descriptors at first and grow on demand: `nevents` of `setsize`. */
#include "ae_test.h"

#include <sys/resource.h>

enum { INITIAL = 1024, LARGE = 5000 };

static aeEventLoop *large_loop(void) {
    aeEventLoop *el = aeCreateEventLoop(LARGE);
    struct rlimit limit;

    CHECK(el != NULL);
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (limit.rlim_cur < LARGE) {
        limit.rlim_cur = LARGE;
        if (setrlimit(RLIMIT_NOFILE, &limit) == -1) SKIP("%d descriptors are not allowed here", LARGE);
    }
    return el;
}

/* A descriptor of that number, the same file as `fd`. */
static int number(int fd, int wanted) {
    int high = fcntl(fd, F_DUPFD_CLOEXEC, wanted);

    if (high == -1) SKIP("%d descriptors are not allowed here", LARGE);
    CHECK_INT(high, wanted);
    return high;
}

static void begins_with_as_many_as_the_set_has(void) {
    static const int sizes[][2] = {{1, 1}, {100, 100}, {INITIAL, INITIAL}, {INITIAL + 1, INITIAL}, {LARGE, INITIAL}};
    size_t i;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        aeEventLoop *el = aeCreateEventLoop(sizes[i][0]);

        CHECK_INT(el->setsize, sizes[i][0]);
        CHECK_INT(el->nevents, sizes[i][1]);
        aeDeleteEventLoop(el);
    }
}

/* Doubled, or as many as the descriptor needs, but never more than the set. */
static void grows_for_the_descriptor(void) {
    static const int steps[][2] = {{1023, 1024}, {1024, 2048}, {1500, 2048}, {4200, 4201}, {4201, LARGE}, {4999, LARGE}};
    aeEventLoop *el = large_loop();
    int pair[2], i, high;

    ready_pair(pair);
    for (i = 0; i < 6; i++) {
        high = number(pair[0], steps[i][0]);
        CHECK_INT(aeGetFileEvents(el, high), AE_NONE);
        CHECK_NULL(aeGetFileClientData(el, high));
        aeDeleteFileEvent(el, high, AE_READABLE); /* there may be no room for it yet */
        CHECK_KEEPS_ERRNO(aeCreateFileEvent(el, high, AE_READABLE, note_readable, &high), AE_OK);
        CHECK_INT(el->nevents, steps[i][1]);
        CHECK_INT(el->events[high].mask, AE_READABLE);
        CHECK_INT(el->maxfd, high);
        CHECK_INT(poll_once(el), 1);
        CHECK_TEXT(test_noted(), "r");
        aeDeleteFileEvent(el, high, AE_READABLE);
        CHECK_INT(el->nevents, steps[i][1]); /* it does not shrink by itself */
        close(high);
    }
    CHECK_FAILS(aeCreateFileEvent(el, LARGE, AE_READABLE, note_readable, NULL), AE_ERR, ERANGE);
    CHECK_INT(el->setsize, LARGE);
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

/* A descriptor that cannot be watched leaves nothing behind but the room. */
static void failed_event_after_growing(void) {
    aeEventLoop *el = large_loop();

    CHECK_FAILS(aeCreateFileEvent(el, 3000, AE_READABLE, note_readable, NULL), AE_ERR, EBADF);
    CHECK_INT(el->maxfd, -1);
    CHECK_INT(aeGetFileEvents(el, 3000), AE_NONE);
    aeDeleteEventLoop(el);
}

static void events_are_kept(void) {
    aeEventLoop *el = large_loop();
    int pair[2], high;

    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, note_readable, pair), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_WRITABLE | AE_BARRIER, note_writable, pair), AE_OK);
    high = number(pair[1], 2000);
    CHECK_INT(aeCreateFileEvent(el, high, AE_WRITABLE, note_any, &high), AE_OK);
    CHECK_INT(el->nevents, 2048);
    CHECK_INT(aeGetFileEvents(el, pair[0]), AE_READABLE | AE_WRITABLE | AE_BARRIER);
    CHECK(aeGetFileClientData(el, pair[0]) == pair);
    CHECK(aeGetFileClientData(el, high) == &high);
    CHECK_INT(poll_once(el), 2);
    CHECK_TEXT(test_noted(), "wrb");
    close(high);
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

static int high_fd;

static void on_grow(aeEventLoop *el, int fd, void *data, int mask) {
    aeFileEvent *before = el->events;

    AE_NOTUSED(mask);
    CHECK_INT(el->nevents, INITIAL);
    CHECK_INT(aeCreateFileEvent(el, high_fd, AE_READABLE, note_any, NULL), AE_OK);
    CHECK_INT(el->nevents, 2 * INITIAL);
    CHECK(el->events != before);
    CHECK(aeGetFileClientData(el, fd) == data);
    test_note('g');
}

/* The array moves while the loop is at one of its entries: the write handler of the same descriptor runs from the
 * new one, and so does what fired besides. */
static void grows_while_a_handler_runs(void) {
    aeEventLoop *el = large_loop();
    int first[2], second[2];

    ready_pair(first);
    ready_pair(second);
    high_fd = number(first[0], INITIAL);
    CHECK_INT(aeCreateFileEvent(el, first[0], AE_READABLE, on_grow, first), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, first[0], AE_WRITABLE, note_writable, first), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, second[0], AE_READABLE, note_readable, NULL), AE_OK);
    CHECK_INT(poll_once(el), 2);
    CHECK_TEXT(test_noted(), "gwr");
    aeDeleteFileEvent(el, first[0], AE_READABLE | AE_WRITABLE);
    CHECK_INT(poll_once(el), 2);
    CHECK_TEXT(test_noted(), "rb");
    close(high_fd);
    test_close_pair(first);
    test_close_pair(second);
    aeDeleteEventLoop(el);
}

static int calls;

static void on_count(aeEventLoop *el, int fd, void *data, int mask) {
    CHECK(aeGetFileClientData(el, fd) == data);
    CHECK_INT(mask, AE_READABLE);
    calls++;
}

/* One poll reports all that fire, also when they are more than there was room for at first. */
static void fired_follows(void) {
    enum { MANY = INITIAL + 400 };
    aeEventLoop *el = large_loop();
    int pair[2], fds[MANY], i;

    ready_pair(pair);
    for (i = 0; i < MANY; i++) {
        fds[i] = fcntl(pair[0], F_DUPFD_CLOEXEC, 100);
        if (fds[i] == -1) SKIP("%d descriptors are not allowed here", MANY);
        CHECK_INT(aeCreateFileEvent(el, fds[i], AE_READABLE, on_count, &fds[i]), AE_OK);
    }
    CHECK_INT(poll_once(el), MANY);
    CHECK_INT(calls, MANY);
    for (i = 0; i < MANY; i++) close(fds[i]);
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

/* As upstream: the room shrinks with the set, and does not grow with it. */
static void shrinks_with_the_set(void) {
    aeEventLoop *el = large_loop();
    int pair[2], high;

    ready_pair(pair);
    CHECK_INT(aeResizeSetSize(el, 2 * LARGE), AE_OK);
    CHECK_INT(el->nevents, INITIAL);
    CHECK_INT(aeResizeSetSize(el, 600), AE_OK);
    CHECK_INT(el->nevents, 600);
    CHECK_INT(aeResizeSetSize(el, LARGE), AE_OK);
    CHECK_INT(el->nevents, 600);
    high = number(pair[0], 700);
    CHECK_INT(aeCreateFileEvent(el, high, AE_READABLE, note_readable, NULL), AE_OK);
    CHECK_INT(el->nevents, 1200);
    CHECK_FAILS(aeResizeSetSize(el, 700), AE_ERR, ERANGE);
    CHECK_INT(el->nevents, 1200);
    CHECK_INT(aeResizeSetSize(el, 701), AE_OK);
    CHECK_INT(el->nevents, 701);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "r");
    close(high);
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

/* ---- Memory that runs out while it grows ---- */

static int refuses;

static void *may_malloc(size_t size, void *context) {
    (void)context;
    return refuses ? NULL : malloc(size);
}

static void *may_realloc(void *pointer, size_t size, void *context) {
    (void)context;
    return refuses ? NULL : realloc(pointer, size);
}

static void just_free(void *pointer, void *context) {
    (void)context;
    free(pointer);
}

static void no_memory_to_grow_is_enomem(void) {
    libaeHost host = {
        .size = sizeof(host),
        .allocator = {.malloc = may_malloc, .realloc = may_realloc, .free = just_free},
    };
    aeEventLoop *el;
    int pair[2], high;

    CHECK_INT(libaeSetHost(&host), AE_OK);
    el = large_loop();
    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, note_readable, NULL), AE_OK);
    high = number(pair[0], 2000);
    refuses = 1;
    CHECK_FAILS(aeCreateFileEvent(el, high, AE_READABLE, note_any, NULL), AE_ERR, ENOMEM);
    refuses = 0;
    CHECK_INT(el->nevents, INITIAL);
    CHECK_INT(el->maxfd, pair[0]);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "r");
    close(high);
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

/* ---- What is the program's ---- */

static void private_data_is_left_alone(void) {
    aeEventLoop *el = new_loop();
    int one, two;

    CHECK_INT(sizeof(el->privdata) / sizeof(el->privdata[0]), 2);
    CHECK_NULL(el->privdata[0]);
    CHECK_NULL(el->privdata[1]);
    el->privdata[0] = &one;
    el->privdata[1] = &two;
    CHECK_INT(aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT), 0);
    CHECK_INT(aeResizeSetSize(el, 100), AE_OK);
    CHECK(el->privdata[0] == &one && el->privdata[1] == &two);
    aeDeleteEventLoop(el);
}

TEST_MAIN(CASE(begins_with_as_many_as_the_set_has), CASE(grows_for_the_descriptor),
          CASE(failed_event_after_growing), CASE(events_are_kept), CASE(grows_while_a_handler_runs),
          CASE(fired_follows), CASE(shrinks_with_the_set), CASE(no_memory_to_grow_is_enomem),
          CASE(private_data_is_left_alone))
