/* Plays a program of moves.h, on stock's ae or on libae's. Beside what goes into the trace, which is compared, it looks
 * whether each callback is one that has to be made: of an event that is there, with its data, and in time. */
#ifdef STOCK
#include "fmacros.h"
#endif
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "moves.h"
#include "play.h"
#include "world.h"

#ifdef STOCK
#include "declared.h"
#define PLAY play_stock
#define FIRST_TIMER 0
#define TIME_RESULT int
#define AFTER_SLEEP(name) void name(aeEventLoop *el)
/* These have declared differences: declared.c makes of stock's what docs/api.md says. */
#define aeCreateFileEvent declared_create_file_event
#define aeDeleteFileEvent declared_delete_file_event
#define aeGetFileEvents declared_get_file_events
#define aeGetFileClientData declared_get_file_client_data
#define aeCreateTimeEvent declared_create_time_event
#define aeDeleteTimeEvent declared_delete_time_event
#define aeProcessEvents declared_process_events
#define aeMain declared_main
#define aeResizeSetSize declared_resize_set_size
#define aeCreateEventLoop declared_create_event_loop
#define aeDeleteEventLoop declared_delete_event_loop
#define aeWait declared_wait
#else
#include "profile.h"
#define PLAY play_libae
#define declared_begin(backend, profile) ((void)0)
#define declared_timer_begins(el, id) ((void)0)
#define declared_timer_ends(result) ((void)0)
#endif

enum { MAX_DEPTH = 5, UNTOUCHED = 4242 };

struct slot {
    int is_open, kind, has_peer, is_shared; /* shared: another descriptor is of the same file, or was */
    int generation; /* of its files */
};

struct watch {
    int mask, reads, writes; /* the handlers' numbers */
    intptr_t data;
};

struct loop {
    aeEventLoop *el; /* NULL: there is none */
    int number;
    struct watch watches[SLOTS];
};

enum { LIVE, DELETED, FINALIZED };

struct timer {
    long long id;
    int loop, state, runs, has_finalizer, is_over; /* its loop's number, and whether that is gone */
    int64_t due;
};

static struct {
    const struct program *program;
    struct trace *trace;
    struct profile *profile;
    enum backend backend;
    int position, depth, loops_made;
    struct slot slots[SLOTS];
    struct loop loops[LOOPS];
    struct timer timers[MAX_TIMERS];
    int timer_count;
    int finalized[MAX_TIMERS], finalized_count; /* not in the trace yet */
} it;

/* ---- Telling ---- */

/* Finalizers of one pass come in any order. */
static void tell_finalized(void) {
    int i, j;

    for (i = 1; i < it.finalized_count; i++)
        for (j = i; j > 0 && it.finalized[j - 1] > it.finalized[j]; j--) {
            int timer = it.finalized[j];

            it.finalized[j] = it.finalized[j - 1];
            it.finalized[j - 1] = timer;
        }
    for (i = 0; i < it.finalized_count; i++)
        trace_add(it.trace, "%*sfinalizer of timer %d\n", 2 * it.depth, "", it.finalized[i]);
    it.finalized_count = 0;
}

#define TELL(...)                                          \
    do {                                                   \
        int told_errno_ = errno;                           \
        tell_finalized();                                  \
        trace_add(it.trace, "%*s", 2 * it.depth, "");      \
        trace_add(it.trace, __VA_ARGS__);                  \
        trace_add(it.trace, "\n");                         \
        errno = told_errno_;                               \
    } while (0)

#define EXPECT(condition, ...)                             \
    do {                                                   \
        if (!(condition)) {                                \
            TELL("AGAINST THE RULES: " __VA_ARGS__);       \
            it.trace->is_broken = 1;                       \
        }                                                  \
    } while (0)

/* Tells what a call has returned, why it failed, or that it left errno as it was. */
#define TELL_CALL(call, ...)                                                              \
    do {                                                                                  \
        long long called_;                                                                \
        errno = UNTOUCHED;                                                                \
        called_ = (long long)(call);                                                      \
        tell_result(called_, errno);                                                      \
        TELL_END(__VA_ARGS__);                                                            \
    } while (0)

static char result_text[64];

static void tell_result(long long result, int number) {
    snprintf(result_text, sizeof(result_text), "%lld%s%s", result, result == -1 ? " " : "",
             result == -1 ? strerrorname_np(number) != NULL ? strerrorname_np(number) : "errno untouched" : "");
    EXPECT(result == -1 || number == UNTOUCHED, "success leaves errno %d", number);
}

#define TELL_END(...)                                      \
    do {                                                   \
        char what_[128];                                   \
        snprintf(what_, sizeof(what_), __VA_ARGS__);       \
        TELL("%s: %s", what_, result_text);                \
    } while (0)

/* ---- Slots and loops ---- */

static int fd_of(int slot) { return FIRST_FD + slot; }
static int peer_of(int slot) { return FIRST_FD + PEERS + slot; }
static int kept_of(int slot) { return FIRST_FD + 2 * PEERS + slot; }

static struct loop *loop_of(aeEventLoop *el) {
    int i;

    for (i = 0; i < LOOPS; i++)
        if (it.loops[i].el == el && el != NULL) return &it.loops[i];
    return NULL;
}

static void stop_all(void) {
    int i;

    for (i = 0; i < LOOPS; i++)
        if (it.loops[i].el != NULL) aeStop(it.loops[i].el);
}

/* ---- Callbacks ---- */

/* A program that only waits is over at some time, too. */
static int is_over(void) { return it.position == it.program->count || world.is_stuck; }

static const struct move *next_move(void) {
    world_turn();
    return is_over() ? NULL : &it.program->moves[it.position++];
}

static void make(const struct move *move);

/* Makes moves until one says to return, and returns what that gives; AE_NOMORE when there are no more, and then all
 * loops stop. */
static int make_moves(void) {
    const struct move *move;

    it.depth++;
    while ((move = next_move()) != NULL && move->kind != RETURN) make(move);
    tell_finalized();
    it.depth--;
    if (move == NULL) stop_all();
    return move != NULL ? move->arguments[0] : AE_NOMORE;
}

static void on_file(aeEventLoop *el, int fd, void *data, int mask, int handler) {
    struct loop *loop = loop_of(el);
    int slot = fd - FIRST_FD, fits;

    TELL("file: loop %d slot %d data %ld mask %d handler %d at %lld", loop != NULL ? (int)(loop - it.loops) : -1, slot,
         (long)(intptr_t)data, mask, handler, (long long)world.now);
    EXPECT(loop != NULL, "the loop is deleted");
    EXPECT(slot >= 0 && slot < SLOTS, "nobody asked for that descriptor");
    if (loop == NULL || slot < 0 || slot >= SLOTS) return;
    fits = (loop->watches[slot].mask & mask & AE_READABLE && loop->watches[slot].reads == handler) ||
           (loop->watches[slot].mask & mask & AE_WRITABLE && loop->watches[slot].writes == handler);
    EXPECT(fits, "nobody asked for that event");
    EXPECT((intptr_t)data == loop->watches[slot].data, "the data is %ld", (long)loop->watches[slot].data);
    EXPECT((mask & ~(AE_READABLE | AE_WRITABLE)) == 0, "the mask is more than readable and writable");
    make_moves();
    /* What is ready forever would fire forever. */
    if (is_over() && (loop = loop_of(el)) != NULL) {
        aeDeleteFileEvent(el, fd, AE_READABLE | AE_WRITABLE);
        loop->watches[slot].mask = AE_NONE;
    }
}

#define HANDLER(number) \
    static void on_file_##number(aeEventLoop *el, int fd, void *data, int mask) { on_file(el, fd, data, mask, number); }
HANDLER(0)
HANDLER(1)
HANDLER(2)
HANDLER(3)
static aeFileProc *const handlers[HANDLERS] = {on_file_0, on_file_1, on_file_2, on_file_3};

static struct timer *timer_of(void *data) { return &it.timers[(intptr_t)data - 1]; }

static TIME_RESULT on_time(aeEventLoop *el, long long id, void *data) {
    struct timer *timer = timer_of(data);
    struct loop *loop = loop_of(el);
    int again;

    declared_timer_begins(el, id);
    TELL("time: timer %d at %lld", (int)(timer - it.timers), (long long)world.now);
    EXPECT(loop != NULL && loop->number == timer->loop, "it is another loop's");
    EXPECT(id == timer->id, "its id is %lld, not %lld", timer->id, id);
    EXPECT(timer->state == LIVE, "it is deleted");
    EXPECT(world.now >= timer->due, "it is not due before %lld", (long long)timer->due);
    EXPECT(timer->runs == 0, "it runs already");
    timer->runs++;
    again = make_moves();
    timer->runs--;
    if (again == AE_NOMORE)
        timer->state = DELETED;
    else
        timer->due = world.now + (again > 0 ? again : 0) * 1000;
    declared_timer_ends(again);
    return again;
}

static void on_finalize(aeEventLoop *el, void *data) {
    struct timer *timer = timer_of(data);

    (void)el;
    EXPECT(timer->state == DELETED || (timer->is_over && it.profile->deletion_finalizes && timer->state == LIVE),
           "timer %d is finalized in state %d", (int)(timer - it.timers), timer->state);
    EXPECT(timer->runs == 0, "timer %d is finalized while it runs", (int)(timer - it.timers));
    timer->state = FINALIZED;
    /* Those of a deleted loop are told at the end: they come in a pass that is under way, or when the loop is freed. */
    if (!timer->is_over) it.finalized[it.finalized_count++] = (int)(timer - it.timers);
}

static void on_before(aeEventLoop *el) {
    struct loop *loop = loop_of(el);

    TELL("before sleep: loop %d at %lld", loop != NULL ? (int)(loop - it.loops) : -1, (long long)world.now);
    EXPECT(loop != NULL, "the loop is deleted");
    make_moves();
}

static AFTER_SLEEP(on_after) {
    struct loop *loop = loop_of(el);

    TELL("after sleep: loop %d at %lld", loop != NULL ? (int)(loop - it.loops) : -1, (long long)world.now);
    EXPECT(loop != NULL, "the loop is deleted");
    make_moves();
}

/* ---- Moves: files ---- */

static void place(int fd, int number) {
    dup3(fd, number, O_CLOEXEC);
    close(fd);
}

static void open_slot(int number, int kind) {
    struct slot *slot = &it.slots[number];
    int fds[2];

    if (slot->is_open) return;
    if (kind == NO_POLL) {
        /* poll and select take it for one that is always ready; stock has no poll, and epoll refuses it. */
        if (it.backend == WITH_POLL) return;
        place(open("/dev/null", O_RDWR | O_CLOEXEC), fd_of(number));
    } else if (kind == SOCKET) {
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == -1) abort();
        place(fds[0], fd_of(number));
        place(fds[1], peer_of(number));
    } else {
        if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) == -1) abort();
        place(fds[kind == PIPE_READ ? 0 : 1], fd_of(number));
        place(fds[kind == PIPE_READ ? 1 : 0], peer_of(number));
    }
    slot->is_open = 1;
    slot->kind = kind;
    slot->has_peer = kind != NO_POLL;
    slot->generation++;
}

static void duplicate_slot(int number, int of) {
    struct slot *slot = &it.slots[number], *other = &it.slots[of];

    if (slot->is_open || !other->is_open) return;
    dup3(fd_of(of), fd_of(number), O_CLOEXEC);
    if (other->has_peer) dup3(peer_of(of), peer_of(number), O_CLOEXEC);
    other->is_shared = 1;
    *slot = (struct slot){other->is_open, other->kind, other->has_peer, 1, slot->generation + 1};
}

/* The file stays open when its slot is closed, as in a fork's child, until another is kept in its place. */
static void keep_slot(int number) {
    if (!it.slots[number].is_open) return;
    dup3(fd_of(number), kept_of(number), O_CLOEXEC);
    it.slots[number].is_shared = 1;
}

static void delete_event(struct loop *loop, int slot, int mask) {
    if (mask & AE_WRITABLE) mask |= AE_BARRIER;
    loop->watches[slot].mask &= ~mask;
}

static void close_slot(int number, int events_first) {
    struct slot *slot = &it.slots[number];
    int i;

    if (!slot->is_open) return;
    for (i = 0; i < LOOPS && events_first; i++) {
        if (it.loops[i].el == NULL || it.loops[i].watches[number].mask == AE_NONE) continue;
        aeDeleteFileEvent(it.loops[i].el, fd_of(number), AE_READABLE | AE_WRITABLE);
        delete_event(&it.loops[i], number, AE_READABLE | AE_WRITABLE);
    }
    close(fd_of(number));
    if (slot->has_peer) close(peer_of(number));
    slot->is_open = slot->has_peer = slot->is_shared = 0;
    slot->generation++;
}

static void read_all(int fd) {
    char buffer[65536];

    while (read(fd, buffer, sizeof(buffer)) > 0) continue;
}

static void write_much(int fd) {
    static const char block[8192];
    int small = 1;

    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    fcntl(fd, F_SETPIPE_SZ, 4096);
    while (write(fd, block, sizeof(block)) > 0) continue;
    while (write(fd, block, 1) > 0) continue;
}

static void change_slot(int kind, int number) {
    struct slot *slot = &it.slots[number];

    if (!slot->is_open || slot->kind == NO_POLL) return;
    switch (kind) {
    case FEED:
        if (slot->has_peer && slot->kind != PIPE_WRITE && write(peer_of(number), "x", 1) == 1) return;
        break;
    case DRAIN: read_all(fd_of(number)); break;
    case FILL: write_much(fd_of(number)); break;
    case EMPTY:
        if (slot->has_peer) read_all(peer_of(number));
        break;
    case SHUT: shutdown(peer_of(number), SHUT_WR); break;
    case HANG_UP:
        if (slot->has_peer) close(peer_of(number));
        slot->has_peer = 0;
        break;
    default: break;
    }
}

/* ---- Moves: events ---- */

static void create(struct loop *loop, int slot, int mask, int handler) {
    /* Another file has other data, so that it does not come to the case that docs/api.md declares to go unnoticed. */
    intptr_t data = it.slots[slot].generation * 16 + handler % 2;
    struct watch *watch = &loop->watches[slot];
    int result;

    errno = UNTOUCHED;
    result = aeCreateFileEvent(loop->el, fd_of(slot), mask, handlers[handler], (void *)data);
    tell_result(result, errno);
    TELL_END("create: loop %d slot %d mask %d", (int)(loop - it.loops), slot, mask);
    if (result == AE_OK) {
        watch->mask |= mask;
        if (mask & AE_READABLE) watch->reads = handler;
        if (mask & AE_WRITABLE) watch->writes = handler;
        watch->data = data;
    }
    EXPECT(aeGetFileEvents(loop->el, fd_of(slot)) == watch->mask, "the mask is %d after that, not %d",
           aeGetFileEvents(loop->el, fd_of(slot)), watch->mask);
}

static void create_badly(struct loop *loop, int how) {
    int fd = it.slots[0].is_open ? FIRST_FD : 0, mask = AE_READABLE;
    aeEventLoop *el = loop->el;
    aeFileProc *handler = on_file_0;

    switch (how) {
    case BAD_NEGATIVE: fd = -1; break;
    case BAD_SETSIZE: fd = aeGetSetSize(el); break;
    case BAD_ABOVE: fd = aeGetSetSize(el) + 5; break;
    case BAD_MASK: mask = 16; break;
    case BAD_MASKS: mask = 17; break;
    case BAD_HANDLER: handler = NULL; break;
    case BAD_CLOSED: fd = FIRST_FD + SLOTS + 1; break;
    case BAD_LOOP: el = NULL; break;
    default: return;
    }
    TELL_CALL(aeCreateFileEvent(el, fd, mask, handler, NULL), "create badly: loop %d %d", (int)(loop - it.loops), how);
}

static void look(struct loop *loop) {
    TELL("loop %d: maxfd %d setsize %d flags %d stop %d next timer %lld", (int)(loop - it.loops), loop->el->maxfd,
         aeGetSetSize(loop->el), loop->el->flags, loop->el->stop, loop->el->timeEventNextId - FIRST_TIMER);
}

static void create_timer(struct loop *loop, int milliseconds, int has_finalizer) {
    struct timer *timer = &it.timers[it.timer_count];

    if (it.timer_count == MAX_TIMERS) return;
    errno = UNTOUCHED;
    memset(timer, 0, sizeof(*timer));
    timer->loop = loop->number;
    timer->has_finalizer = has_finalizer;
    timer->due = world.now + (milliseconds > 0 ? milliseconds : 0) * 1000;
    timer->id = aeCreateTimeEvent(loop->el, milliseconds, on_time, (void *)(intptr_t)(it.timer_count + 1),
                                  has_finalizer ? on_finalize : NULL);
    tell_result(timer->id == AE_ERR ? AE_ERR : timer->id - FIRST_TIMER, errno);
    TELL_END("timer %d: loop %d in %d ms", it.timer_count, (int)(loop - it.loops), milliseconds);
    it.timer_count++;
}

static void delete_timer(int number) {
    struct timer *timer = &it.timers[number];
    int i, result;

    if (number >= it.timer_count) return;
    for (i = 0; i < LOOPS && (it.loops[i].el == NULL || it.loops[i].number != timer->loop); i++) continue;
    if (i == LOOPS) return;
    errno = UNTOUCHED;
    result = aeDeleteTimeEvent(it.loops[i].el, timer->id);
    tell_result(result, errno);
    TELL_END("delete timer %d", number);
    EXPECT((result == AE_OK) == (timer->state == LIVE), "its state is %d", timer->state);
    if (timer->state == LIVE) timer->state = DELETED;
}

/* ---- Moves: loops ---- */

static void new_loop(struct loop *loop, int setsize) {
    if (loop->el != NULL) return;
    memset(loop, 0, sizeof(*loop));
    errno = UNTOUCHED;
    loop->el = aeCreateEventLoop(setsize);
    tell_result(loop->el == NULL ? -1 : 0, errno);
    TELL_END("new loop %d of %d", (int)(loop - it.loops), setsize);
    loop->number = ++it.loops_made;
}

static void delete_loop(struct loop *loop) {
    aeEventLoop *el = loop->el;
    int i;

    TELL("delete loop %d", (int)(loop - it.loops));
    for (i = 0; i < it.timer_count; i++)
        if (it.timers[i].loop == loop->number) it.timers[i].is_over = 1;
    loop->el = NULL;
    errno = UNTOUCHED;
    aeDeleteEventLoop(el);
    EXPECT(errno == UNTOUCHED, "it leaves errno %d", errno);
}

static void process(struct loop *loop, int flags) {
    int number = (int)(loop - it.loops), before = loop->number, result;

    if (it.depth >= MAX_DEPTH) return;
    TELL("process: loop %d flags %d", number, flags);
    result = aeProcessEvents(loop->el, flags);
    if (loop->el != NULL && loop->number == before)
        TELL("processed: loop %d: %d", number, result);
    else
        TELL("processed: loop %d, which is deleted", number);
}

static void run_main(struct loop *loop) {
    int number = (int)(loop - it.loops);

    if (it.depth >= MAX_DEPTH) return;
    TELL("main: loop %d", number);
    aeMain(loop->el);
    TELL("main has ended: loop %d", number);
}

static void make_of_loop(const struct move *move, struct loop *loop) {
    const int *arguments = move->arguments;
    int number = arguments[0], slot = arguments[1], fd;

    if (move->kind == NEW_LOOP) {
        new_loop(loop, arguments[1]);
        return;
    }
    if (loop->el == NULL) return;
    switch (move->kind) {
    case CREATE: create(loop, slot, arguments[2], arguments[3]); break;
    case CREATE_BADLY: create_badly(loop, arguments[1]); break;
    case DELETE:
        errno = UNTOUCHED;
        aeDeleteFileEvent(loop->el, fd_of(slot), arguments[2]);
        EXPECT(errno == UNTOUCHED, "deleting leaves errno %d", errno);
        if (fd_of(slot) < aeGetSetSize(loop->el)) delete_event(loop, slot, arguments[2]);
        TELL("delete: loop %d slot %d mask %d: %d, maxfd %d", number, slot, arguments[2],
             aeGetFileEvents(loop->el, fd_of(slot)), loop->el->maxfd);
        break;
    case GET:
        fd = slot == -1 ? -1 : slot == -2 ? aeGetSetSize(loop->el) : fd_of(slot);
        TELL("get: loop %d slot %d: %d, data %ld", number, slot, aeGetFileEvents(loop->el, fd),
             (long)(intptr_t)aeGetFileClientData(loop->el, fd));
        break;
    case TIMER: create_timer(loop, arguments[1], arguments[2]); break;
    case UNTIMER_ID:
        TELL_CALL(aeDeleteTimeEvent(loop->el, arguments[1]), "delete timer with id %d", arguments[1]);
        break;
    case PROCESS: process(loop, arguments[1]); break;
    case MAIN: run_main(loop); break;
    case STOP: aeStop(loop->el); break;
    case RESIZE:
        TELL_CALL(aeResizeSetSize(loop->el, arguments[1]), "resize: loop %d to %d", number, arguments[1]);
        TELL("setsize %d maxfd %d", aeGetSetSize(loop->el), loop->el->maxfd);
        break;
    case DONT_WAIT: aeSetDontWait(loop->el, arguments[1]); break;
    case BEFORE: aeSetBeforeSleepProc(loop->el, arguments[1] ? on_before : NULL); break;
    case AFTER: aeSetAfterSleepProc(loop->el, arguments[1] ? on_after : NULL); break;
    case DELETE_LOOP: delete_loop(loop); break;
    case LOOK: look(loop); break;
    default: break;
    }
}

static void make(const struct move *move) {
    const int *arguments = move->arguments;

    switch (move->kind) {
    case OPEN: open_slot(arguments[0], arguments[1]); break;
    case DUPLICATE: duplicate_slot(arguments[0], arguments[1]); break;
    case KEEP: keep_slot(arguments[0]); break;
    case CLOSE: close_slot(arguments[0], 1); break;
    case CLOSE_FIRST:
        /* What poll and select do then depends on what has the number (docs/api.md), and stock's select ends the
         * process. Of a file that is open elsewhere epoll goes on telling, of what the kernel was told last. */
        close_slot(arguments[0], !it.program->settings[CLOSES_FIRST] || it.slots[arguments[0]].is_shared ||
                                     (it.backend != WITH_EPOLL && !it.profile->is_alone));
        break;
    case FEED:
    case DRAIN:
    case FILL:
    case EMPTY:
    case HANG_UP:
    case SHUT: change_slot(move->kind, arguments[0]); break;
    case UNTIMER: delete_timer(arguments[0]); break;
    case WAIT:
        world.for_one = 1;
        TELL_CALL(aeWait(fd_of(arguments[0]), arguments[1], arguments[2]), "wait: slot %d mask %d %d ms at %lld",
                  arguments[0], arguments[1], arguments[2], (long long)world.now);
        world.for_one = 0;
        break;
    case TICK: world.now += arguments[0]; break;
    case INTERRUPT: world.interrupted = 1; break;
    case RETURN: break;
    default: make_of_loop(move, &it.loops[arguments[0]]);
    }
}

/* ---- A program ---- */

static int first_free(void) {
    int fd = fcntl(0, F_DUPFD_CLOEXEC, 0);

    close(fd);
    return fd;
}

static void check_timers(void) {
    int i;

    for (i = 0; i < it.timer_count; i++) {
        const struct timer *timer = &it.timers[i];
        int is_due = timer->state == DELETED || (timer->state == LIVE && it.profile->deletion_finalizes);

        EXPECT(!(timer->has_finalizer && is_due), "timer %d was never finalized", i);
        TELL("timer %d: %d", i, timer->state);
    }
}

void PLAY(const struct program *program, struct trace *trace, enum backend backend, struct profile *profile) {
    const struct move *move;
    int before = first_free(), i;

    memset(&it, 0, sizeof(it));
    it.program = program;
    it.trace = trace;
    it.profile = profile;
    it.backend = backend;
#ifndef STOCK
    profile->deletion_finalizes = LOOP_DELETION_FINALIZES;
#endif
    trace->length = 0;
    trace->is_broken = 0;
    world.key = (uint64_t)program->settings[KEY];
    world.most_ready = program->settings[MOST_READY];
    world.nothing_left = stop_all;
    declared_begin(backend, profile);
    new_loop(&it.loops[0], 64);
    while ((move = next_move()) != NULL) make(move);
    for (i = 0; i < LOOPS; i++)
        if (it.loops[i].el != NULL) delete_loop(&it.loops[i]);
    for (i = 0; i < SLOTS; i++) {
        close_slot(i, 0);
        close(kept_of(i));
    }
    TELL("the end at %lld", (long long)world.now);
    check_timers();
    EXPECT(first_free() == before, "descriptor %d is left open", before);
}
