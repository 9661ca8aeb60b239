/* Valkey's use of custom and protected polls: before the loop sleeps, a poll is sent to an I/O thread; the custom poll
 * hands its result over when it is there, and takes itself and the protection away. Meanwhile the loop's own thread
 * creates and deletes events. */
#include "ae_test.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/syscall.h>

/* ---- The thread that polls ---- */

enum { NO_POLL, POLLING, POLLED };

static struct {
    pthread_t thread;
    sem_t jobs;
    atomic_int state, id;
    int fired, quit;
    int waits; /* for something to happen */
    long sent, taken;
    aeEventLoop *el;
} io;

static void *io_thread(void *data) {
    AE_NOTUSED(data);
    atomic_store(&io.id, (int)syscall(SYS_gettid));
    for (;;) {
        struct timeval time = {0, 0};

        while (sem_wait(&io.jobs) == -1) continue;
        if (io.quit) return NULL;
        io.fired = aePoll(io.el, io.waits ? NULL : &time);
        atomic_store_explicit(&io.state, POLLED, memory_order_release);
    }
}

static int take_result(aeEventLoop *el) {
    CHECK(el == io.el);
    CHECK(el->flags & AE_PROTECT_POLL);
    if (atomic_load_explicit(&io.state, memory_order_acquire) == POLLING) return 0;
    CHECK_INT(atomic_load(&io.state), POLLED);
    atomic_store(&io.state, NO_POLL);
    aeSetCustomPollProc(el, NULL);
    aeSetPollProtect(el, 0);
    io.taken++;
    return io.fired;
}

static void send_poll(aeEventLoop *el) {
    if (atomic_load(&io.state) != NO_POLL) return;
    atomic_store(&io.state, POLLING);
    aeSetCustomPollProc(el, take_result);
    aeSetPollProtect(el, 1);
    io.sent++;
    sem_post(&io.jobs);
}

/* Until the other thread is in its poll, or about to be: it has the loop's mutex, and keeps it. */
static void await_poll(aeEventLoop *el) {
    while (pthread_mutex_trylock(&el->poll_mutex) == 0) {
        CHECK_INT(pthread_mutex_unlock(&el->poll_mutex), 0);
        test_sleep_us(500);
    }
}

static aeEventLoop *begin(void) {
    io.el = new_loop();
    CHECK(sem_init(&io.jobs, 0, 0) == 0);
    CHECK_INT(pthread_create(&io.thread, NULL, io_thread, NULL), 0);
    return io.el;
}

static void end(void) {
    while (atomic_load(&io.state) == POLLING) test_sleep_us(1000);
    io.quit = 1;
    sem_post(&io.jobs);
    CHECK_INT(pthread_join(io.thread, NULL), 0);
    sem_destroy(&io.jobs);
    aeDeleteEventLoop(io.el);
}

static int run_once(void) {
    return aeProcessEvents(io.el, AE_ALL_EVENTS | AE_DONT_WAIT | AE_CALL_BEFORE_SLEEP | AE_CALL_AFTER_SLEEP);
}

/* ---- One poll ---- */

static int told;

static void on_after_sleep(aeEventLoop *el, int count) {
    AE_NOTUSED(el);
    told += count;
}

static void result_comes_from_the_other_thread(void) {
    aeEventLoop *el = begin();
    int pair[2];

    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, note_readable, NULL), AE_OK);
    aeSetAfterSleepProc(el, on_after_sleep);
    send_poll(el);
    while (told == 0) CHECK(run_once() >= 0);
    CHECK_INT(told, 1);
    CHECK_TEXT(test_noted(), "r");
    CHECK_INT(io.taken, 1);
    CHECK_NULL(el->custompoll);
    CHECK_INT(el->flags, 0);
    CHECK_INT(run_once(), 1); /* by the loop itself again */
    CHECK_INT(io.taken, 1);
    test_close_pair(pair);
    end();
}

static atomic_int poll_may_end;

static void *end_poll(void *fd) {
    test_sleep_us(50000); /* the change waits by then */
    atomic_store(&poll_may_end, 1);
    test_send(*(int *)fd, "x");
    return NULL;
}

/* While the poll is under way, a change waits for it: it does not get between the poll and its result. */
static void changes_wait_for_the_poll(void) {
    aeEventLoop *el = begin();
    pthread_t ender;
    int pair[2], other[2];

    test_pair(pair);
    test_pair(other);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, note_readable, NULL), AE_OK);
    io.waits = 1;
    send_poll(el);
    await_poll(el);
    CHECK_INT(pthread_create(&ender, NULL, end_poll, &pair[1]), 0);
    CHECK_INT(aeCreateFileEvent(el, other[0], AE_WRITABLE, note_writable, NULL), AE_OK);
    CHECK(atomic_load(&poll_may_end));
    CHECK_INT(pthread_join(ender, NULL), 0);
    while (atomic_load(&io.state) == POLLING) test_sleep_us(1000);
    CHECK_INT(io.fired, 1);
    CHECK_INT(run_once(), 1); /* what that poll has found */
    CHECK_TEXT(test_noted(), "r");
    test_drain(pair[0]);
    io.waits = 0;
    send_poll(el);
    while (test_log[0] == '\0') CHECK(run_once() >= 0);
    CHECK_TEXT(test_noted(), "w");
    test_close_pair(pair);
    test_close_pair(other);
    end();
}

/* Whether the other thread, which has the mutex, waits: that is, in the poll. */
static int other_waits(void) {
    char path[64], line[256], *state;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", atomic_load(&io.id));
    file = fopen(path, "r");
    CHECK(file != NULL);
    state = fgets(line, sizeof(line), file);
    fclose(file);
    if (state != NULL) state = strrchr(state, ')');
    return state != NULL && state[1] == ' ' && state[2] == 'S';
}

static void have_the_other_poll(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    test_note('o');
    if (io.sent > 0) return;
    test_drain(fd);
    io.waits = 1;
    send_poll(el);
    await_poll(el);
    while (!other_waits()) test_sleep_us(500);
}

/* It would wait until something happens. */
static void no_look_at_high_priority_waits_for_the_poll(void) {
    enum { COPIES = 2 * LIBAE_ORDINARY_PER_LOOK };
    aeEventLoop *el = begin();
    int pair[2], high[2], copies[COPIES], i;

    ready_pair(pair);
    test_pair(high);
    for (i = 0; i < COPIES; i++) {
        copies[i] = fcntl(pair[0], F_DUPFD_CLOEXEC, 0);
        CHECK_INT(aeCreateFileEvent(el, copies[i], AE_READABLE, have_the_other_poll, NULL), AE_OK);
    }
    CHECK_INT(aeCreateFileEvent(el, high[0], AE_READABLE | AE_HIGH_PRIORITY, note_readable, NULL), AE_OK);
    CHECK_INT(poll_once(el), COPIES);
    CHECK_INT(atomic_load(&io.state), POLLING);
    test_send(high[1], "x");
    while (strchr(test_log, 'r') == NULL) CHECK(run_once() >= 0);
    test_close_pair(pair);
    test_close_pair(high);
    for (i = 0; i < COPIES; i++) close(copies[i]);
    end();
}

static int high_pair[2];

static void have_the_other_find_it(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(fd);
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    if (io.sent > 0) return;
    test_send(high_pair[1], "x");
    send_poll(el);
    while (atomic_load(&io.state) == POLLING) test_sleep_us(1000);
}

static void on_high(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(el);
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    CHECK(test_drain(fd) > 0);
    test_note('h');
}

/* A look comes between the other thread's poll and its result. */
static void whom_a_look_has_served_is_not_served_by_an_earlier_poll(void) {
    enum { COPIES = 2 * LIBAE_ORDINARY_PER_LOOK };
    aeEventLoop *el = begin();
    int pair[2], copies[COPIES], i;

    ready_pair(pair);
    test_pair(high_pair);
    for (i = 0; i < COPIES; i++) {
        copies[i] = fcntl(pair[0], F_DUPFD_CLOEXEC, 0);
        CHECK_INT(aeCreateFileEvent(el, copies[i], AE_READABLE, have_the_other_find_it, NULL), AE_OK);
    }
    CHECK_INT(aeCreateFileEvent(el, high_pair[0], AE_READABLE | AE_HIGH_PRIORITY, on_high, NULL), AE_OK);
    CHECK_INT(poll_once(el), COPIES + 1);
    CHECK_TEXT(test_noted(), "h");
    CHECK_INT(io.fired, COPIES + 1);
    CHECK_INT(poll_once(el), COPIES + 1);
    CHECK_INT(io.taken, 1);
    CHECK_TEXT(test_noted(), "");
    test_close_pair(pair);
    test_close_pair(high_pair);
    for (i = 0; i < COPIES; i++) close(copies[i]);
    end();
}

static void on_stale(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(el);
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    FAIL("descriptor %d is another file now", fd);
}

/* What a poll has found for a file is not told to the next one that gets its number. */
static void result_is_of_the_file_that_was_polled(void) {
    aeEventLoop *el = begin();
    int pair[2], other[2], fd;

    ready_pair(pair);
    test_pair(other);
    fd = pair[0];
    CHECK_INT(aeCreateFileEvent(el, fd, AE_READABLE, note_readable, NULL), AE_OK);
    send_poll(el);
    while (atomic_load(&io.state) == POLLING) test_sleep_us(1000);
    CHECK_INT(io.fired, 1);
    aeDeleteFileEvent(el, fd, AE_READABLE);
    CHECK_INT(dup2(other[0], fd), fd);
    CHECK_INT(aeCreateFileEvent(el, fd, AE_READABLE, on_stale, NULL), AE_OK);
    run_once();
    CHECK_INT(io.taken, 1);
    CHECK_TEXT(test_noted(), "");
    test_close_pair(pair);
    test_close_pair(other);
    end();
}

/* ---- Many polls, and changes all the time ---- */

enum { PAIRS = 32 };

static struct ends {
    int fds[2];
    long written, read;
} pairs[PAIRS];
static unsigned long long state = 1;
static long nested;
static int resting;

static int random_below(int limit) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (int)((state >> 33) % (unsigned)limit);
}

static void act(aeEventLoop *el);

static void on_file(aeEventLoop *el, int fd, void *data, int mask) {
    struct ends *pair = data;

    CHECK_INT(pair->fds[0], fd);
    if (mask & AE_READABLE) {
        int count = test_drain(fd);

        if (count == 0) CHECK(mask & AE_WRITABLE || nested > 0);
        pair->read += count;
    }
    if (!resting) act(el);
    if (random_below(50) == 0 && nested < 3) {
        nested++; /* as Valkey does while it loads or runs a script, custom poll or not */
        CHECK(aeProcessEvents(el, AE_FILE_EVENTS | AE_DONT_WAIT) >= 0);
        nested--;
    }
}

static void on_writable(aeEventLoop *el, int fd, void *data, int mask) {
    AE_NOTUSED(mask);
    CHECK_INT(((struct ends *)data)->fds[0], fd);
    aeDeleteFileEvent(el, fd, AE_WRITABLE);
}

static void act(aeEventLoop *el) {
    struct ends *pair = &pairs[random_below(PAIRS)];
    int fd = pair->fds[0];

    switch (random_below(8)) {
    case 0:
    case 1:
    case 2:
        if (write(pair->fds[1], "x", 1) == 1) pair->written++;
        break;
    case 3: CHECK_INT(aeCreateFileEvent(el, fd, AE_WRITABLE, on_writable, pair), AE_OK); break;
    case 4: aeDeleteFileEvent(el, fd, AE_WRITABLE); break;
    case 5: aeDeleteFileEvent(el, fd, AE_READABLE); break;
    case 6: CHECK_INT(aeCreateFileEvent(el, fd, AE_READABLE, on_file, pair), AE_OK); break;
    case 7: /* another socket of the same number, most likely */
        if (random_below(4) > 0) break;
        aeDeleteFileEvent(el, fd, AE_READABLE | AE_WRITABLE);
        pair->read += test_drain(fd);
        test_close_pair(pair->fds);
        test_pair(pair->fds);
        CHECK_INT(aeCreateFileEvent(el, pair->fds[0], AE_READABLE, on_file, pair), AE_OK);
        break;
    }
}

static void nothing_is_lost_between_the_threads(void) {
    const long rounds = test_slow_tool() ? 3000 : 100000;
    aeEventLoop *el = begin();
    long round, i, done;

    for (i = 0; i < PAIRS; i++) {
        test_pair(pairs[i].fds);
        CHECK_INT(aeCreateFileEvent(el, pairs[i].fds[0], AE_READABLE, on_file, &pairs[i]), AE_OK);
    }
    aeSetBeforeSleepProc(el, send_poll);
    /* And until the other thread, however slow it is, had its share. */
    for (round = 0; round < rounds || io.taken < rounds / 1000; round++) {
        int count = random_below(4);

        while (count-- > 0) act(el);
        CHECK(run_once() >= 0);
        if (round % 64 == 0) test_sleep_us(50); /* with one processor the other thread gets its turn here */
    }
    /* Whatever was written arrives. */
    resting = 1;
    do {
        for (i = done = 0; i < PAIRS; i++) {
            if (!(aeGetFileEvents(el, pairs[i].fds[0]) & AE_READABLE))
                CHECK_INT(aeCreateFileEvent(el, pairs[i].fds[0], AE_READABLE, on_file, &pairs[i]), AE_OK);
            done += pairs[i].read == pairs[i].written;
        }
        CHECK(run_once() >= 0);
    } while (done < PAIRS);
    for (i = 0; i < PAIRS; i++) test_close_pair(pairs[i].fds);
    end();
}

static void *poll_without_end(void *el) {
    aePoll(el, NULL);
    return NULL;
}

static void cancelled_poll_holds_nothing(void) {
    aeEventLoop *el;
    pthread_t thread;
    int pair[2];

#ifdef __SANITIZE_ADDRESS__
    SKIP("only the library as it is shipped lets others unwind");
#endif
#ifdef __SANITIZE_THREAD__
    SKIP("ThreadSanitizer does not know that a mutex passes on when the thread ends that holds it");
#endif
    el = new_loop();
    test_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, note_readable, NULL), AE_OK);
    aeSetPollProtect(el, 1);
    CHECK_INT(pthread_create(&thread, NULL, poll_without_end, el), 0);
    await_poll(el);
    CHECK_INT(pthread_cancel(thread), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(aeCreateFileEvent(el, pair[1], AE_READABLE, note_readable, NULL), AE_OK);
    aeSetPollProtect(el, 0);
    test_send(pair[1], "x");
    CHECK_INT(poll_once(el), 1);
    CHECK_TEXT(test_noted(), "r");
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

TEST_MAIN(CASE(cancelled_poll_holds_nothing), CASE(result_comes_from_the_other_thread), CASE(changes_wait_for_the_poll),
          CASE(no_look_at_high_priority_waits_for_the_poll),
          CASE(whom_a_look_has_served_is_not_served_by_an_earlier_poll),
          CASE(result_is_of_the_file_that_was_polled), CASE(nothing_is_lost_between_the_threads))
