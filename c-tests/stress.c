/* Random work from callbacks, the same for the same seed: every callback creates and deletes file and time events,
 * closes descriptors and opens others of the same number, resizes the set, re-enters the loop and opens and closes
 * connections; the last one deletes the loop. What is checked is what must always hold; the rest is for valgrind and
 * the sanitizers to see. */
#include "test.h"
#include "conn_test.h"

#include <ae.h>

enum { PAIRS = 24, TIMERS = 64, CONNS = 16, SET_SIZE = 256, MAX_DEPTH = 4 };

static aeEventLoop *el;
static unsigned long long state;
static int depth, steps, deleted;

static int random_below(int limit) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (int)((state >> 33) % (unsigned)limit);
}

/* ---- Descriptors: pairs, of which one end is watched ---- */

static struct ends {
    int fds[2];
} pairs[PAIRS];

static void act(void);

static void on_file(aeEventLoop *loop, int fd, void *data, int mask) {
    struct ends *pair = data;

    CHECK(loop == el && !deleted);
    CHECK(mask & (AE_READABLE | AE_WRITABLE));
    /* Nobody is called for a descriptor that is no longer theirs. */
    CHECK_INT(pair->fds[0], fd);
    if (mask & AE_READABLE) test_drain(fd);
    act();
}

static void on_other_file(aeEventLoop *loop, int fd, void *data, int mask) { on_file(loop, fd, data, mask); }

static void open_pair(struct ends *pair) { test_pair(pair->fds); }

static void close_pair(struct ends *pair) {
    aeDeleteFileEvent(el, pair->fds[0], AE_READABLE | AE_WRITABLE);
    test_close_pair(pair->fds);
}

static void watch(struct ends *pair) {
    static const int masks[] = {AE_READABLE, AE_WRITABLE, AE_READABLE | AE_WRITABLE, AE_WRITABLE | AE_BARRIER};
    int mask = masks[random_below(4)], before = aeGetFileEvents(el, pair->fds[0]);
    aeFileProc *proc = random_below(2) ? on_file : on_other_file;

    if (pair->fds[0] >= aeGetSetSize(el)) {
        CHECK_FAILS(aeCreateFileEvent(el, pair->fds[0], mask, proc, pair), AE_ERR, ERANGE);
        return;
    }
    CHECK_INT(aeCreateFileEvent(el, pair->fds[0], mask, proc, pair), AE_OK);
    CHECK_INT(aeGetFileEvents(el, pair->fds[0]), before | mask);
    CHECK(aeGetFileClientData(el, pair->fds[0]) == pair);
}

/* ---- Time events: each owns memory that its finalizer frees ---- */

static struct timer {
    long long id;
    int runs, in_use;
} *timers[TIMERS];
static int created, finalized;

static void on_final(aeEventLoop *loop, void *data) {
    struct timer *timer = data;

    CHECK(loop == el);
    CHECK_INT(timer->in_use, 0);
    finalized++;
    free(timer);
    if (!deleted) act();
}

static TIME_RESULT on_time(aeEventLoop *loop, long long id, void *data) {
    struct timer *timer = data;
    int slot;

    CHECK(loop == el && !deleted);
    CHECK_INT(timer->id, id);
    CHECK_INT(timer->in_use++, 0); /* never inside itself */
    timer->runs++;
    act();
    timer->in_use--;
    for (slot = 0; slot < TIMERS && timers[slot] != timer; slot++) continue;
    if (random_below(3) > 0) return random_below(4);
    if (slot < TIMERS) timers[slot] = NULL;
    return AE_NOMORE;
}

static void create_timer(int slot) {
    struct timer *timer = calloc(1, sizeof(*timer));

    CHECK(timer != NULL);
    timer->id = aeCreateTimeEvent(el, random_below(5) - 1, on_time, timer, on_final);
    CHECK(timer->id != AE_ERR);
    timers[slot] = timer;
    created++;
}

static void delete_timer(int slot) {
    CHECK_INT(aeDeleteTimeEvent(el, timers[slot]->id), AE_OK);
    CHECK_FAILS(aeDeleteTimeEvent(el, timers[slot]->id), AE_ERR, ENOENT);
    timers[slot] = NULL;
}

/* ---- Connections ---- */

static struct owned {
    connection *conn;
    int peer;
} conns[CONNS];

static void on_conn(connection *conn) {
    struct owned *owned = connGetPrivateData(conn);
    char buffer[64];

    CHECK(owned->conn == conn);
    if (connRead(conn, buffer, sizeof(buffer)) == 0) CHECK_INT(connGetState(conn), CONN_STATE_CLOSED);
    act();
}

static void on_conn_write(connection *conn) {
    connSetWriteHandler(conn, NULL);
    on_conn(conn);
}

static void open_conn(struct owned *owned) {
    int fds[2];

    test_pair(fds);
    owned->conn = test_conn_create_accepted(el, UNIX_TYPE, fds[0]);
    CHECK(owned->conn != NULL);
    owned->peer = fds[1];
    connSetPrivateData(owned->conn, owned);
    CHECK_INT(connAccept(owned->conn, NULL), C_OK);
    if (fds[0] < aeGetSetSize(el)) CHECK_INT(connSetReadHandler(owned->conn, on_conn), C_OK);
}

static void close_conn(struct owned *owned) {
    connection *conn = owned->conn;

    owned->conn = NULL;
    connClose(conn);
    close(owned->peer);
}

/* ---- One random step ---- */

static void step(void) {
    struct ends *pair = &pairs[random_below(PAIRS)];
    struct owned *owned = &conns[random_below(CONNS)];
    int slot = random_below(TIMERS), size;

    switch (random_below(14)) {
    case 0:
    case 1: watch(pair); break;
    case 2: aeDeleteFileEvent(el, pair->fds[0], 1 + random_below(3)); break;
    case 3: close_pair(pair), open_pair(pair); break;
    case 4:
    case 5:
        if (write(pair->fds[1], "x", 1) == -1) CHECK_INT(errno, EAGAIN);
        break;
    case 6:
        if (timers[slot] == NULL) create_timer(slot);
        break;
    case 7:
        if (timers[slot] != NULL) delete_timer(slot);
        break;
    case 8:
        size = SET_SIZE / 4 + random_below(SET_SIZE);
        if (el->maxfd >= size)
            CHECK_FAILS(aeResizeSetSize(el, size), AE_ERR, ERANGE);
        else
            CHECK_INT(aeResizeSetSize(el, size), AE_OK);
        break;
    case 9:
        if (depth < MAX_DEPTH) {
            depth++;
            CHECK(aeProcessEvents(el, 1 + random_below(3) + AE_DONT_WAIT) >= 0);
            depth--;
        }
        break;
    case 10:
        if (owned->conn == NULL) open_conn(owned);
        break;
    case 11:
        if (owned->conn != NULL) close_conn(owned);
        break;
    case 12:
        if (owned->conn != NULL && write(owned->peer, "x", 1) == -1) CHECK_INT(errno, EAGAIN);
        break;
    case 13:
        if (owned->conn != NULL && owned->conn->fd < aeGetSetSize(el))
            CHECK_INT(connSetWriteHandlerWithBarrier(owned->conn, on_conn_write, random_below(2)), C_OK);
        break;
    }
}

static void act(void) {
    int count = random_below(4);

    while (count-- > 0 && steps > 0) steps--, step();
}

static TIME_RESULT on_last(aeEventLoop *loop, long long id, void *data) {
    (void)id;
    (void)data;
    deleted = 1;
    aeDeleteEventLoop(loop);
    CHECK(aeProcessEvents(loop, AE_ALL_EVENTS | AE_DONT_WAIT) >= 0);
    return 0;
}

static void run(unsigned seed) {
    int i;

    state = seed;
    steps = test_slow_tool() ? 4000 : 40000;
    created = finalized = depth = deleted = 0;
    memset(timers, 0, sizeof(timers));
    el = aeCreateEventLoop(SET_SIZE);
    CHECK(el != NULL);
    for (i = 0; i < PAIRS; i++) open_pair(&pairs[i]);
    while (steps > 0) {
        act();
        CHECK(aeProcessEvents(el, AE_ALL_EVENTS | AE_DONT_WAIT) >= 0);
    }
    for (i = 0; i < TIMERS; i++)
        if (timers[i] != NULL) delete_timer(i);
    for (i = 0; i < CONNS; i++)
        if (conns[i].conn != NULL) close_conn(&conns[i]);
    for (i = 0; i < PAIRS; i++) close_pair(&pairs[i]);
    CHECK_INT(el->maxfd, -1);
    CHECK_NULL(el->timeEventHead);
    CHECK(aeCreateTimeEvent(el, 0, on_last, NULL, NULL) != AE_ERR);
    aeMain(el);
    CHECK_INT(deleted, 1);
    CHECK_INT(finalized, created);
}

static void random_work(void) {
    unsigned seed;

    CHECK_INT(test_conn_types(), C_OK);
    for (seed = 1; seed <= (test_slow_tool() ? 3U : 20U); seed++) run(seed);
}

TEST_MAIN(CASE(random_work))
