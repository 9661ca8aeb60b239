/* What stands in for kqueue(2) does what FreeBSD's manual page says of it. */
#include "../../c-tests/test.h"
#include "kqueue.h"

#include <pthread.h>

enum { MANY = 8 };

static const struct timespec now = {0, 0};

static int new_queue(void) {
    int queue = kqueue();

    CHECK(queue >= 0);
    return queue;
}

static int change(int queue, int fd, short filter, unsigned short flags, intptr_t data) {
    struct kevent one;

    EV_SET(&one, (uintptr_t)fd, filter, flags, 0, data, NULL);
    return kevent(queue, &one, 1, NULL, 0, NULL);
}

static int ready(int queue, struct kevent *events, int capacity) {
    memset(events, 0, sizeof(*events) * (size_t)capacity);
    return kevent(queue, NULL, 0, events, capacity, &now);
}

/* Whether the only event is this one. */
static int fires(int queue, int fd, short filter) {
    struct kevent events[4];
    int count = ready(queue, events, 4);

    return count == 1 && events[0].ident == (uintptr_t)fd && events[0].filter == filter;
}

static int is_silent(int queue) {
    struct kevent events[4];

    return ready(queue, events, 4) == 0;
}

static void filters_are_two_and_level_triggered(void) {
    int queue = new_queue(), pair[2];
    struct kevent events[4];

    test_pair(pair);
    CHECK_INT(change(queue, pair[0], EVFILT_READ, EV_ADD, 0), 0);
    CHECK(is_silent(queue));
    test_send(pair[1], "abc");
    CHECK(fires(queue, pair[0], EVFILT_READ));
    CHECK(fires(queue, pair[0], EVFILT_READ));
    CHECK_INT(change(queue, pair[0], EVFILT_WRITE, EV_ADD, 0), 0);
    CHECK_INT(ready(queue, events, 4), 2);
    CHECK_INT(events[0].filter, EVFILT_READ);
    CHECK_INT(events[0].data, 3);
    CHECK_INT(events[1].filter, EVFILT_WRITE);
    CHECK(events[1].data > 0);
    CHECK_INT((events[0].flags | events[1].flags) & (EV_EOF | EV_ERROR), 0);
    CHECK_INT(change(queue, pair[0], EVFILT_READ, EV_DELETE, 0), 0);
    CHECK(fires(queue, pair[0], EVFILT_WRITE));
    test_fill(pair[0]);
    CHECK(is_silent(queue));
    test_close_pair(pair);
    close(queue);
}

static void what_is_not_there_is_not_changed(void) {
    int queue = new_queue(), pair[2], copy;

    test_pair(pair);
    CHECK_FAILS(change(queue, pair[0], EVFILT_READ, EV_DELETE, 0), -1, ENOENT);
    CHECK_FAILS(change(queue, pair[0], EVFILT_READ, EV_ENABLE, 0), -1, ENOENT);
    CHECK_INT(change(queue, pair[0], EVFILT_READ, EV_ADD, 0), 0);
    CHECK_INT(change(queue, pair[0], EVFILT_READ, EV_ADD, 0), 0);
    CHECK_INT(change(queue, pair[0], EVFILT_READ, EV_ENABLE, 0), 0);
    CHECK_FAILS(change(queue, pair[0], EVFILT_WRITE, EV_ENABLE, 0), -1, ENOENT);
    /* Closed, and another descriptor of the same file under its number. */
    copy = dup(pair[0]);
    test_send(pair[1], "x");
    CHECK(fires(queue, pair[0], EVFILT_READ));
    close(pair[0]);
    CHECK(is_silent(queue));
    CHECK_FAILS(change(queue, pair[0], EVFILT_READ, EV_ADD, 0), -1, EBADF);
    CHECK_INT(dup2(copy, pair[0]), pair[0]);
    CHECK(is_silent(queue));
    CHECK_FAILS(change(queue, pair[0], EVFILT_READ, EV_ENABLE, 0), -1, ENOENT);
    CHECK_INT(change(queue, pair[0], EVFILT_READ, EV_ADD, 0), 0);
    CHECK(fires(queue, pair[0], EVFILT_READ));
    CHECK_INT(dup2(copy, pair[0]), pair[0]);
    CHECK(is_silent(queue));
    close(copy);
    test_close_pair(pair);
    CHECK_FAILS(change(queue, queue, EVFILT_WRITE, EV_ADD, 0), -1, EINVAL);
    CHECK_FAILS(change(queue, queue, -100, EV_ADD, 0), -1, EINVAL);
    close(queue);
    CHECK_FAILS(change(queue, 0, EVFILT_READ, EV_ADD, 0), -1, EBADF);
}

static void what_is_disabled_is_there(void) {
    int queue = new_queue(), pair[2];

    test_pair(pair);
    test_send(pair[1], "x");
    CHECK_INT(change(queue, pair[0], EVFILT_READ, EV_ADD | EV_DISABLE, 0), 0);
    CHECK(is_silent(queue));
    CHECK_INT(change(queue, pair[0], EVFILT_READ, EV_ENABLE, 0), 0);
    CHECK(fires(queue, pair[0], EVFILT_READ));
    CHECK_INT(change(queue, pair[0], EVFILT_WRITE, EV_ADD, 0), 0);
    CHECK_INT(change(queue, pair[0], EVFILT_READ, EV_DISABLE, 0), 0);
    CHECK(fires(queue, pair[0], EVFILT_WRITE));
    CHECK_INT(change(queue, pair[0], EVFILT_WRITE, EV_DELETE, 0), 0);
    CHECK(is_silent(queue));
    CHECK_INT(dup2(pair[1], pair[0]), pair[0]);
    CHECK_FAILS(change(queue, pair[0], EVFILT_READ, EV_ENABLE, 0), -1, ENOENT);
    CHECK_FAILS(change(queue, pair[0], EVFILT_READ, EV_DISABLE, 0), -1, ENOENT);
    test_close_pair(pair);
    close(queue);
}

static void changes_stop_at_the_first_that_fails(void) {
    int queue = new_queue(), pair[2];
    struct kevent changes[3], events[4];

    test_pair(pair);
    EV_SET(&changes[0], (uintptr_t)pair[0], EVFILT_READ, EV_ENABLE, 0, 0, NULL);
    EV_SET(&changes[1], (uintptr_t)pair[0], EVFILT_WRITE, EV_ADD, 0, 0, NULL);
    EV_SET(&changes[2], (uintptr_t)pair[1], EVFILT_READ, EV_DELETE, 0, 0, NULL);
    CHECK_FAILS(kevent(queue, changes, 3, NULL, 0, NULL), -1, ENOENT);
    CHECK(is_silent(queue));
    /* With room they are told as events, and the others made. */
    CHECK_INT(kevent(queue, changes, 3, events, 4, NULL), 2);
    CHECK_INT(events[0].flags & EV_ERROR, EV_ERROR);
    CHECK_INT(events[0].data, ENOENT);
    CHECK_INT(events[1].ident, pair[1]);
    CHECK(fires(queue, pair[0], EVFILT_WRITE));
    test_close_pair(pair);
    close(queue);
}

static void each_direction_has_its_end(void) {
    int queue = new_queue(), pair[2];
    struct kevent events[4];

    test_pair(pair);
    test_fill(pair[0]);
    CHECK_INT(change(queue, pair[0], EVFILT_READ, EV_ADD, 0), 0);
    CHECK_INT(change(queue, pair[0], EVFILT_WRITE, EV_ADD, 0), 0);
    CHECK_INT(shutdown(pair[1], SHUT_WR), 0);
    CHECK_INT(ready(queue, events, 4), 1);
    CHECK_INT(events[0].filter, EVFILT_READ);
    CHECK(events[0].flags & EV_EOF);
    close(pair[1]);
    CHECK_INT(ready(queue, events, 4), 2);
    CHECK(events[0].flags & events[1].flags & EV_EOF);
    close(pair[0]);

    test_pipe(pair);
    CHECK_INT(change(queue, pair[0], EVFILT_READ, EV_ADD, 0), 0);
    CHECK_INT(change(queue, pair[0], EVFILT_WRITE, EV_ADD, 0), 0);
    CHECK(is_silent(queue));
    close(pair[1]);
    CHECK_INT(ready(queue, events, 4), 1);
    CHECK(events[0].filter == EVFILT_READ && events[0].flags & EV_EOF);
    close(pair[0]);

    test_pipe(pair);
    test_fill(pair[1]);
    CHECK_INT(change(queue, pair[1], EVFILT_WRITE, EV_ADD, 0), 0);
    CHECK(is_silent(queue));
    close(pair[0]);
    CHECK_INT(ready(queue, events, 4), 1);
    CHECK(events[0].filter == EVFILT_WRITE && events[0].flags & EV_EOF);
    CHECK_INT(change(queue, pair[1], EVFILT_WRITE, EV_DELETE, 0), 0);
    CHECK_FAILS(change(queue, pair[1], EVFILT_WRITE, EV_ADD, 0), -1, EPIPE);
    close(pair[1]);
    close(queue);
}

/* In little room all have their turn, one after the other. */
static void nobody_starves(void) {
    int queue = new_queue(), pairs[MANY][2], seen[2][256] = {{0}}, room, i;
    struct kevent events[5];

    for (i = 0; i < MANY; i++) {
        test_pair(pairs[i]);
        test_send(pairs[i][1], "x");
        CHECK_INT(change(queue, pairs[i][0], EVFILT_READ, EV_ADD, 0), 0);
        CHECK_INT(change(queue, pairs[i][0], EVFILT_WRITE, EV_ADD, 0), 0);
    }
    for (room = 1; room <= 5; room++) {
        memset(seen, 0, sizeof(seen));
        for (i = 0; i < 2 * 2 * MANY; i++) {
            int count = ready(queue, events, room), k;

            CHECK_INT(count, room);
            for (k = 0; k < count; k++) seen[events[k].filter == EVFILT_WRITE][events[k].ident]++;
        }
        for (i = 0; i < MANY; i++)
            if (seen[0][pairs[i][0]] == 0 || seen[1][pairs[i][0]] == 0) FAIL("room for %d: %d starves", room, i);
    }
    for (i = 0; i < MANY; i++) test_close_pair(pairs[i]);
    close(queue);
}

static void a_file_is_readable_until_its_end(void) {
    int queue = new_queue(), fd;
    FILE *file = tmpfile();

    CHECK(file != NULL);
    fd = fileno(file);
    CHECK_INT(change(queue, fd, EVFILT_READ, EV_ADD, 0), 0);
    CHECK(is_silent(queue));
    CHECK_INT(pwrite(fd, "x", 1, 0), 1);
    CHECK(fires(queue, fd, EVFILT_READ));
    test_await(queue, POLLIN);
    CHECK_INT(lseek(fd, 0, SEEK_END), 1);
    CHECK(is_silent(queue));
    CHECK_INT(change(queue, fd, EVFILT_WRITE, EV_ADD, 0), 0);
    CHECK(fires(queue, fd, EVFILT_WRITE));
    fclose(file);
    close(queue);
}

static void a_queue_may_be_watched(void) {
    int inner = new_queue(), outer = new_queue(), pair[2];

    test_pair(pair);
    CHECK_INT(change(outer, inner, EVFILT_READ, EV_ADD, 0), 0);
    CHECK_INT(change(inner, pair[0], EVFILT_READ, EV_ADD, 0), 0);
    CHECK(is_silent(outer));
    test_send(pair[1], "x");
    CHECK(fires(outer, inner, EVFILT_READ));
    test_drain(pair[0]);
    CHECK(is_silent(outer));
    CHECK_INT(change(inner, 1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 1), 0);
    test_await(outer, POLLIN);
    CHECK(fires(outer, inner, EVFILT_READ));
    CHECK_INT(change(inner, 1, EVFILT_TIMER, EV_DELETE, 0), 0);
    CHECK(is_silent(outer));
    close(inner);
    close(outer);
    test_close_pair(pair);
}

static void a_timer_fires_once(void) {
    int queue = new_queue();
    struct kevent event;
    long long before = test_now_us();

    CHECK_FAILS(change(queue, 1, EVFILT_TIMER, EV_DELETE, 0), -1, ENOENT);
    CHECK_FAILS(change(queue, 1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, INTPTR_MAX), -1, EINVAL);
    CHECK_FAILS(change(queue, 1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, -1), -1, EINVAL);
    CHECK_INT(change(queue, 1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 10), 0);
    CHECK_INT(kevent(queue, NULL, 0, &event, 1, NULL), 1);
    CHECK(test_now_us() - before >= 10000);
    CHECK_INT(event.ident, 1);
    CHECK_INT(event.filter, EVFILT_TIMER);
    CHECK_INT(event.data, 1);
    CHECK_FAILS(change(queue, 1, EVFILT_TIMER, EV_DELETE, 0), -1, ENOENT);
    close(queue);
}

static void a_wait_has_its_limits(void) {
    struct timespec far = {1000000000, 0}, wrong = {0, 1000000000}, brief = {0, 5000500};
    int queue = new_queue();
    struct kevent event;
    long long before;
    pid_t signals;

    CHECK_FAILS(kevent(queue, NULL, 0, &event, 1, &far), -1, EINVAL);
    CHECK_FAILS(kevent(queue, NULL, 0, &event, 1, &wrong), -1, EINVAL);
    CHECK_INT(kevent(queue, NULL, 0, NULL, 0, NULL), 0);
    before = test_now_us();
    CHECK_INT(kevent(queue, NULL, 0, &event, 1, &brief), 0);
    CHECK(test_now_us() - before >= 5000);
    signals = test_start_signals();
    CHECK_FAILS(kevent(queue, NULL, 0, &event, 1, NULL), -1, EINTR);
    test_stop_signals(signals);
    close(queue);
}

static int waiting_queue, late[2];

static void *add_later(void *data) {
    test_sleep_us(10000);
    change(waiting_queue, late[0], EVFILT_READ, EV_ADD, 0);
    return data;
}

static void whoever_waits_hears_of_changes(void) {
    struct kevent event;
    pthread_t thread;

    waiting_queue = new_queue();
    test_pair(late);
    test_send(late[1], "x");
    CHECK_INT(pthread_create(&thread, NULL, add_later, NULL), 0);
    CHECK_INT(kevent(waiting_queue, NULL, 0, &event, 1, NULL), 1);
    CHECK_INT(event.ident, late[0]);
    CHECK_INT(pthread_join(thread, NULL), 0);
    test_close_pair(late);
    close(waiting_queue);
}

static void a_child_has_no_queue(void) {
    int queue = new_queue(), pair[2], status;
    pid_t child;

    test_pair(pair);
    test_send(pair[1], "x");
    CHECK_INT(change(queue, pair[0], EVFILT_READ, EV_ADD, 0), 0);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        int is_there = test_is_open(queue);

        close(pair[0]);
        _exit(is_there);
    }
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(status, 0);
    CHECK(fires(queue, pair[0], EVFILT_READ));
    test_close_pair(pair);
    close(queue);
}

static void descriptors_are_few(void) {
    int before = test_open_fds(), queue = new_queue();

    CHECK_INT(test_open_fds(), before + 1);
    CHECK_INT(change(queue, 1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 1000), 0);
    close(queue);
    CHECK_INT(test_open_fds(), before);
}

TEST_MAIN(CASE(filters_are_two_and_level_triggered), CASE(what_is_not_there_is_not_changed),
          CASE(what_is_disabled_is_there), CASE(changes_stop_at_the_first_that_fails),
          CASE(each_direction_has_its_end), CASE(nobody_starves),
          CASE(a_file_is_readable_until_its_end), CASE(a_queue_may_be_watched), CASE(a_timer_fires_once),
          CASE(a_wait_has_its_limits), CASE(whoever_waits_hears_of_changes), CASE(a_child_has_no_queue),
          CASE(descriptors_are_few))
