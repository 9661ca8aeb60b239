/* A loop inside another one, which waits for the epoll descriptor itself, as asyncio and GLib would: what callbacks
 * change has reached the kernel when aeProcessEvents returns. */
#include "ae_test.h"

#include <sys/epoll.h>

static int first[2], second[2];

/* The loop's own descriptor: the one that came with it. */
static int backend_descriptor(void) {
    char path[64], target[64];
    int fd;

    for (fd = 0; fd < 64; fd++) {
        ssize_t length;

        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        length = readlink(path, target, sizeof(target) - 1);
        if (length <= 0) continue;
        target[length] = '\0';
        if (strcmp(target, "anon_inode:[eventpoll]") == 0) return fd;
    }
    return -1;
}

/* Whether the outer loop would call the inner one now. */
static int is_ready(int epoll) {
    struct pollfd one = {.fd = epoll, .events = POLLIN};

    CHECK(poll(&one, 1, 0) >= 0);
    return one.revents & POLLIN;
}

static void remove_writable(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    aeDeleteFileEvent(el, fd, AE_WRITABLE);
}

static void swap(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_drain(fd);
    aeDeleteFileEvent(el, second[0], AE_WRITABLE);
    CHECK_INT(aeCreateFileEvent(el, fd, AE_WRITABLE, remove_writable, NULL), AE_OK);
}

static void prepare(aeEventLoop *el, aeFileProc *writable) {
    ready_pair(first);
    test_pair(second);
    CHECK_INT(aeCreateFileEvent(el, first[0], AE_READABLE, swap, NULL), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, second[0], AE_READABLE | AE_WRITABLE, writable, NULL), AE_OK);
}

static void finish(aeEventLoop *el) {
    test_close_pair(first);
    test_close_pair(second);
    aeDeleteEventLoop(el);
}

static void outer_loop_hears_of_what_callbacks_change(void) {
    aeEventLoop *el = new_loop();
    int epoll = backend_descriptor();

    if (epoll == -1) {
        aeDeleteEventLoop(el);
        SKIP("only epoll has a descriptor of its own here");
    }
    prepare(el, note_writable);
    CHECK(is_ready(epoll));
    CHECK_INT(poll_once(el), 2);
    /* Added: the first is writable. */
    CHECK(is_ready(epoll));
    CHECK_INT(poll_once(el), 1);
    /* Removed again, from both: nothing is left to hear of. */
    CHECK(!is_ready(epoll));
    test_send(second[1], "x");
    CHECK(is_ready(epoll));
    finish(el);
}

static aeEventLoop *inner;
static int inner_epoll;

static TIME_RESULT look_in(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    /* Not the outermost call of its own loop, but of the other one. */
    CHECK_INT(poll_once(inner), 2);
    CHECK_INT(poll_once(inner), 1);
    CHECK(!is_ready(inner_epoll));
    aeStop(el);
    return AE_NOMORE;
}

static void loop_in_a_callback_of_another(void) {
    aeEventLoop *el;

    inner = new_loop();
    inner_epoll = backend_descriptor();
    if (inner_epoll == -1) {
        aeDeleteEventLoop(inner);
        SKIP("only epoll has a descriptor of its own here");
    }
    el = new_loop();
    prepare(inner, note_writable);
    CHECK(aeCreateTimeEvent(el, 0, look_in, NULL, NULL) != AE_ERR);
    aeMain(el);
    aeDeleteEventLoop(el);
    finish(inner);
}

static void stop_too(aeEventLoop *el, int fd, void *data, int mask) {
    remove_writable(el, fd, data, mask);
    aeStop(el);
}

static void when_main_returns(void) {
    aeEventLoop *el = new_loop();
    int epoll = backend_descriptor();

    if (epoll == -1) {
        aeDeleteEventLoop(el);
        SKIP("only epoll has a descriptor of its own here");
    }
    test_pair(first);
    test_pair(second);
    CHECK_INT(aeCreateFileEvent(el, first[0], AE_READABLE | AE_WRITABLE, stop_too, NULL), AE_OK);
    aeMain(el);
    CHECK(!is_ready(epoll));
    finish(el);
}

TEST_MAIN(CASE(outer_loop_hears_of_what_callbacks_change), CASE(loop_in_a_callback_of_another), CASE(when_main_returns))
