/* A loop for ten thousand descriptors costs the host little more than upstream's does, and what it keeps for each
 * descriptor grows with those that are used. */
#include "ae_test.h"

#include <ae.h>
#include <libae.h>

enum {
    MAXCLIENTS = 10000 + 128, /* what redis-server asks for by default */
    HIGH = 200                /* below the usual limit of descriptors */
};

static size_t asked;
static int refuses;

static void *host_malloc(size_t size, void *context) {
    (void)context;
    asked += size;
    return refuses ? NULL : malloc(size);
}

static void *host_calloc(size_t count, size_t size, void *context) {
    (void)context;
    asked += count * size;
    return refuses ? NULL : calloc(count, size);
}

static void *host_realloc(void *pointer, size_t size, void *context) {
    (void)context;
    return realloc(pointer, size);
}

static void host_free(void *pointer, void *context) {
    (void)context;
    free(pointer);
}

static aeEventLoop *loop_with_host(int setsize) {
    static const libaeHost host = {
        .size = sizeof(libaeHost),
        .allocator = {.malloc = host_malloc, .calloc = host_calloc, .realloc = host_realloc, .free = host_free},
    };
    aeEventLoop *el;

    CHECK_INT(libaeSetHost(&host), AE_OK);
    el = aeCreateEventLoop(setsize);
    CHECK(el != NULL);
    return el;
}

static TIME_RESULT never(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    return AE_NOMORE;
}

/* The events, what fired, and what the kernel fills in. */
static void costs_little_more_than_upstream(void) {
    size_t kernels = strcmp(aeGetApiName(), "kqueue") == 0 ? 32 + 1 : 12;
    size_t upstream = MAXCLIENTS * (sizeof(aeFileEvent) + sizeof(aeFiredEvent) + kernels);
    aeEventLoop *el;
    int pair[2];

    ready_pair(pair);
    el = loop_with_host(MAXCLIENTS);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, note_readable, NULL), AE_OK);
    CHECK(aeCreateTimeEvent(el, 1000, never, NULL, NULL) != AE_ERR);
    CHECK_INT(poll_once(el), 1);
    if (asked > upstream + 16 * 1024) FAIL("%zu bytes were asked for, upstream asks for %zu", asked, upstream);
    aeDeleteEventLoop(el);
    test_close_pair(pair);
}

static int high_copy(int fd) {
    int high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH);

    CHECK(high >= HIGH);
    return high;
}

/* Handlers that add events of ever higher descriptors, and interest in them that waits for the next poll. */
static void add_high(aeEventLoop *el, int fd, void *data, int mask) {
    int *high = data;

    AE_NOTUSED(mask);
    test_note('a');
    aeDeleteFileEvent(el, fd, AE_READABLE);
    CHECK_INT(aeCreateFileEvent(el, *high, AE_READABLE, note_readable, NULL), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, *high, AE_WRITABLE, note_writable, NULL), AE_OK);
}

static void grows_inside_a_handler(void) {
    aeEventLoop *el;
    int pair[2], high;

    ready_pair(pair);
    high = high_copy(pair[0]);
    el = loop_with_host(MAXCLIENTS);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, add_high, &high), AE_OK);
    CHECK_INT(poll_once(el), 1);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "arw");
    CHECK_INT(el->maxfd, high);
    aeDeleteEventLoop(el);
    close(high);
    test_close_pair(pair);
}

/* After the set has been cut and has grown again nothing is left of who was there before. */
static void a_cut_set_forgets(void) {
    aeEventLoop *el;
    int pair[2], high, round;

    ready_pair(pair);
    high = high_copy(pair[0]);
    el = loop_with_host(MAXCLIENTS);
    for (round = 0; round < 3; round++) {
        CHECK_INT(aeCreateFileEvent(el, high, AE_READABLE, note_readable, NULL), AE_OK);
        CHECK_INT(poll_once(el), 1);
        CHECK_TEXT(test_noted(), "r");
        CHECK_FAILS(aeResizeSetSize(el, high), AE_ERR, ERANGE);
        aeDeleteFileEvent(el, high, AE_READABLE);
        CHECK_INT(aeResizeSetSize(el, high), AE_OK);
        CHECK_FAILS(aeCreateFileEvent(el, high, AE_READABLE, note_readable, NULL), AE_ERR, ERANGE);
        CHECK_INT(aeResizeSetSize(el, MAXCLIENTS - round), AE_OK);
        CHECK_INT(poll_once(el), 0);
    }
    aeDeleteEventLoop(el);
    close(high);
    test_close_pair(pair);
}

static void no_memory_to_grow_is_enomem(void) {
    aeEventLoop *el;
    int pair[2], high;

    ready_pair(pair);
    high = high_copy(pair[0]);
    el = loop_with_host(MAXCLIENTS);
    refuses = 1;
    CHECK_FAILS(aeCreateFileEvent(el, high, AE_READABLE, note_readable, NULL), AE_ERR, ENOMEM);
    refuses = 0;
    CHECK_INT(aeGetFileEvents(el, high), AE_NONE);
    CHECK_INT(aeCreateFileEvent(el, high, AE_READABLE, note_readable, NULL), AE_OK);
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "r");
    aeDeleteEventLoop(el);
    close(high);
    test_close_pair(pair);
}

TEST_MAIN(CASE(costs_little_more_than_upstream), CASE(grows_inside_a_handler), CASE(a_cut_set_forgets),
          CASE(no_memory_to_grow_is_enomem))
