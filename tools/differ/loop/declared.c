#include "fmacros.h"
#include "declared.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "hooks.h"
#include "world.h"

enum { POLLED = AE_READABLE | AE_WRITABLE, KNOWN = POLLED | AE_BARRIER };
enum { MOST_LOOPS = 64, MOST_LEVELS = 40, MOST_FIRED = 256, MOST_TIMERS = 256, FOR_GOOD = 1000 };

/* So far ahead that nobody comes to it. */
#define NEVER ((monotime)1 << 50)

/* A call of aeProcessEvents or aeMain, and what the one it is in had found. */
struct level {
    aeEventLoop *el;
    int flags;
    int surplus; /* descriptors that select's loop counts although they are not ready */
    aeFiredEvent outer[MOST_FIRED];
};

/* A pass over the time events. */
struct pass {
    aeEventLoop *el;
    monotime start;
    int in_callback;
    aeTimeEvent *running; /* whose callback was the last to begin */
    int has_ended; /* that callback has */
    int again; /* and has returned this */
    monotime end; /* at this time */
};

static struct {
    enum backend backend;
    const struct profile *profile;
    struct level levels[MOST_LEVELS];
    int level_count;
    struct pass passes[MOST_LEVELS];
    int pass_count;
    aeEventLoop *deleted[MOST_LOOPS]; /* inside a callback */
    int deleted_count;
} state;

static int fails(int number) {
    errno = number;
    return -1;
}

static int is_deleted(aeEventLoop *el) {
    int i;

    for (i = 0; i < state.deleted_count; i++)
        if (state.deleted[i] == el) return 1;
    return 0;
}

static int is_inside(aeEventLoop *el) {
    int i;

    for (i = 0; i < state.level_count; i++)
        if (state.levels[i].el == el) return 1;
    return 0;
}

/* ---- The clock ---- */

/* Between the callbacks of a pass it stands still: "A time event that comes due while another's callback runs waits for
 * the next pass over the time events." */
static monotime now(void) {
    const struct pass *pass = state.pass_count > 0 ? &state.passes[state.pass_count - 1] : NULL;

    return pass != NULL && !pass->in_callback ? pass->start : (monotime)world.now;
}

/* ---- File events ---- */

/* "An event is stale, and not delivered, when it was found before its descriptor was added again, or when a nested run
 * has served it." And "nested aeProcessEvents ... the outer call goes on with what the nested one has not served". */
static void forget_fired(aeEventLoop *el, int fd, int in_innermost) {
    int i, j, is_innermost = 1;

    for (i = state.level_count - 1; i >= 0; i--) {
        if (state.levels[i].el != el) continue;
        if (is_innermost && in_innermost)
            for (j = 0; j < MOST_FIRED; j++)
                if (fd == -1 || el->fired[j].fd == fd) el->fired[j].mask = AE_NONE;
        is_innermost = 0;
        for (j = 0; j < MOST_FIRED; j++)
            if (fd == -1 || state.levels[i].outer[j].fd == fd) state.levels[i].outer[j].mask = AE_NONE;
    }
}

/* The loop that polls is that of the innermost call. */
static struct level *polling(void) { return &state.levels[state.level_count - 1]; }

/* "a descriptor with only AE_BARRIER left ... is not watched". */
static int may_fire(int fd) {
    const struct level *level = polling();

    return fd >= level->el->setsize || (level->el->events[fd].mask & POLLED) != 0;
}

static void found(int fd) { forget_fired(polling()->el, fd, 0); }

/* From redis-7.2 on a call that does not ask for file events has none. */
static int wants_any(void) { return (polling()->flags & AE_FILE_EVENTS) != 0; }

/* Stock's select has an entry for each descriptor that is watched as soon as one is ready. */
static void told(int count) {
    struct level *level = polling();
    int fd;

    if (state.backend != WITH_SELECT) return;
    level->surplus -= count;
    for (fd = 0; fd <= level->el->maxfd; fd++) level->surplus += level->el->events[fd].mask != AE_NONE;
}

int declared_create_file_event(aeEventLoop *el, int fd, int mask, aeFileProc *proc, void *data) {
    aeFileEvent before;
    int result;

    /* "Bad input is an error, not a crash"; "unknown mask, NULL handler ... EINVAL". */
    if (el == NULL || proc == NULL) return fails(EINVAL);
    if (fd < 0) return fails(EBADF);
    if (fd >= el->setsize) return fails(ERANGE);
    if (mask & ~KNOWN) return fails(EINVAL);
    before = el->events[fd];
    /* "aeCreateFileEvent with a mask of 0 or AE_BARRIER alone ... EINVAL, unless it is watched". */
    if (((mask | before.mask) & POLLED) == 0) return fails(EINVAL);
    /* "a negative or closed descriptor EBADF", of which select knows nothing. */
    if (fcntl(fd, F_GETFD) == -1) return fails(EBADF);
    result = aeCreateFileEvent(el, fd, mask, proc, data);
    /* "aeCreateFileEvent for a number that now belongs to another file (ENOENT) ... added anew". */
    if (result == AE_ERR && errno == ENOENT) {
        el->events[fd].mask = AE_NONE;
        result = aeCreateFileEvent(el, fd, mask | before.mask, proc, data);
        if (result == AE_OK) {
            if (!(mask & AE_READABLE)) el->events[fd].rfileProc = before.rfileProc;
            if (!(mask & AE_WRITABLE)) el->events[fd].wfileProc = before.wfileProc;
            before.mask = AE_NONE;
        } else {
            el->events[fd] = before;
        }
    }
    if (result == AE_ERR) return AE_ERR;
    /* "a descriptor closed and added again in a callback ... does not [get the old one's event]". */
    if ((before.mask & POLLED) == 0) forget_fired(el, fd, 1);
    /* "After success errno is what it was before". */
    errno = 4242;
    return AE_OK;
}

void declared_delete_file_event(aeEventLoop *el, int fd, int mask) {
    int number = errno;

    /* "Where there is nothing to return an error with, NULL is ignored", and so is a negative descriptor. */
    if (el != NULL && fd >= 0) aeDeleteFileEvent(el, fd, mask);
    errno = number; /* "functions without a result leave it alone" */
}

int declared_get_file_events(aeEventLoop *el, int fd) { return fd < 0 ? AE_NONE : aeGetFileEvents(el, fd); }

void *declared_get_file_client_data(aeEventLoop *el, int fd) { return fd < 0 ? NULL : aeGetFileClientData(el, fd); }

int declared_wait(int fd, int mask, long long milliseconds) {
    /* "unknown mask ... EINVAL". */
    if ((mask & ~KNOWN) != 0 || (mask & POLLED) == 0) return fails(EINVAL);
    /* "aeWait on a descriptor that is not open ... -1, EBADF". */
    if (fcntl(fd, F_GETFD) == -1) return fails(EBADF);
    return aeWait(fd, mask, milliseconds);
}

/* ---- Time events ---- */

static aeTimeEvent *event_of(aeEventLoop *el, long long id) {
    aeTimeEvent *event = el->timeEventHead;

    while (event != NULL && event->id != id) event = event->next;
    return event;
}

/* When a deleted event wants a pass: "a finalizer runs exactly once, after the last use, in a later pass over the time
 * events"; without one there is nothing to do. */
static monotime when_deleted(const aeTimeEvent *event) { return event->finalizerProc != NULL ? 0 : NEVER; }

long long declared_create_time_event(aeEventLoop *el, long long milliseconds, aeTimeProc *proc, void *data,
                                     aeEventFinalizerProc *finalizer) {
    return aeCreateTimeEvent(el, milliseconds > 0 ? milliseconds : 0, proc, data, finalizer);
}

int declared_delete_time_event(aeEventLoop *el, long long id) {
    aeTimeEvent *event = event_of(el, id);
    int result;

    /* "aeDeleteTimeEvent(-1) ... ENOENT". */
    if (id == AE_DELETED_EVENT_ID) return fails(ENOENT);
    result = aeDeleteTimeEvent(el, id);
    if (result == AE_ERR) return fails(ENOENT); /* "errno says why" */
    /* One that runs is not over. */
    if (event->refcount % FOR_GOOD == 0) event->when = when_deleted(event);
    return result;
}

/* Puts right what the pass has made of the event whose callback has ended: it took the time at which the pass began. */
static void settle(struct pass *pass) {
    aeTimeEvent *event = pass->running;

    if (event != NULL && pass->has_ended && !is_deleted(pass->el)) {
        if (event->id == AE_DELETED_EVENT_ID)
            event->when = when_deleted(event);
        else
            event->when = pass->end + (monotime)(pass->again > 0 ? pass->again : 0) * 1000;
    }
    if (pass->has_ended) pass->running = NULL;
}

void declared_timer_begins(aeEventLoop *el, long long id) {
    struct pass *pass = &state.passes[state.pass_count - 1];

    settle(pass);
    pass->running = event_of(el, id);
    pass->has_ended = 0;
    pass->in_callback = 1;
    /* "a timer callback that re-enters aeProcessEvents ... is not run again while it runs". */
    pass->running->when = NEVER;
}

void declared_timer_ends(int result) {
    struct pass *pass = &state.passes[state.pass_count - 1];

    pass->in_callback = 0;
    pass->has_ended = 1;
    pass->again = result;
    pass->end = (monotime)world.now;
}

static int comes_before(const aeTimeEvent *one, const aeTimeEvent *other) {
    int is_deleted_one = one->id == AE_DELETED_EVENT_ID, is_deleted_other = other->id == AE_DELETED_EVENT_ID;

    if (is_deleted_one != is_deleted_other) return is_deleted_one;
    if (one->when != other->when) return one->when < other->when;
    return one->id < other->id;
}

/* Links the events anew, in the order of the array. */
static void link_again(aeEventLoop *el, aeTimeEvent **events, int count) {
    int i;

    for (i = 0; i < count; i++) {
        events[i]->prev = i > 0 ? events[i - 1] : NULL;
        events[i]->next = i + 1 < count ? events[i + 1] : NULL;
    }
    el->timeEventHead = count > 0 ? events[0] : NULL;
}

/* "order of due timers ... by deadline, then by id"; and the finalizers of what was deleted before come first. With
 * `last`, that event is the last, so that a pass that runs it has nothing left. */
static void sort(aeEventLoop *el, const aeTimeEvent *last) {
    aeTimeEvent *events[MOST_TIMERS], *event;
    int count = 0, i;

    for (event = el->timeEventHead; event != NULL; event = event->next, count++) {
        if (count == MOST_TIMERS) abort();
        for (i = count; i > 0 && events[i - 1] == last; i--) events[i] = events[i - 1];
        for (; i > 0 && event != last && comes_before(event, events[i - 1]); i--) events[i] = events[i - 1];
        events[i] = event;
    }
    link_again(el, events, count);
}

/* An event in use is not freed: what is deleted in this pass is finalized in a later one. */
static void hold(aeEventLoop *el, int change) {
    aeTimeEvent *event;

    for (event = el->timeEventHead; event != NULL; event = event->next)
        if (change < 0 ? event->refcount >= FOR_GOOD : event->id != AE_DELETED_EVENT_ID)
            event->refcount += change * FOR_GOOD;
}

static struct pass *outer_pass(aeEventLoop *el, int below) {
    int i;

    for (i = below - 1; i >= 0; i--)
        if (state.passes[i].el == el) return &state.passes[i];
    return NULL;
}

int differ_time_events(aeEventLoop *el, int (*pass_over)(aeEventLoop *el)) {
    struct pass *pass = &state.passes[state.pass_count], *outer = outer_pass(el, state.pass_count);
    aeTimeEvent *event;
    int processed;

    if (is_deleted(el)) return 0;
    if (outer != NULL) hold(el, -1);
    sort(el, NULL);
    hold(el, 1);
    memset(pass, 0, sizeof(*pass));
    pass->el = el;
    pass->start = (monotime)world.now;
    state.pass_count++;
    processed = pass_over(el);
    settle(pass);
    state.pass_count--;
    if (is_deleted(el))
        for (event = el->timeEventHead; event != NULL; event = event->next) event->when = NEVER;
    else
        hold(el, -1);
    if (outer != NULL && outer->running != NULL) sort(el, outer->running);
    return processed;
}

/* ---- Calls ---- */

/* epoll_wait's time-out is rounded up to milliseconds; libae waits for the rest as well where it has epoll_pwait2. */
static int64_t exact(int64_t rounded) {
    const aeTimeEvent *event;
    monotime first = NEVER;
    int64_t wait;

    for (event = polling()->el->timeEventHead; event != NULL; event = event->next)
        if (event->when < first) first = event->when;
    wait = first <= (monotime)world.now ? 0 : (int64_t)(first - (monotime)world.now);
    return (wait + 999) / 1000 * 1000 == rounded ? wait : rounded;
}

int differ_before_sleep(aeEventLoop *el, int flags) {
    polling()->flags = flags;
    /* From redis-7.2 on the loop looks after this hook how long to wait. */
    if (flags & AE_CALL_BEFORE_SLEEP && el->beforesleep != NULL && !is_deleted(el)) el->beforesleep(el);
    return flags & ~AE_CALL_BEFORE_SLEEP;
}

static void free_loop(aeEventLoop *el) {
    aeTimeEvent *event;

    /* "finalizers of deleted timers when the loop is freed ... run". */
    for (event = el->timeEventHead; event != NULL; event = event->next)
        if (event->finalizerProc != NULL && (event->id == AE_DELETED_EVENT_ID || state.profile->deletion_finalizes))
            event->finalizerProc(el, event->clientData);
    aeDeleteEventLoop(el);
}

static void begin_call(aeEventLoop *el, int flags) {
    struct level *level = &state.levels[state.level_count++];

    if (state.level_count == MOST_LEVELS) abort();
    level->el = el;
    level->flags = flags;
    level->surplus = 0;
    memcpy(level->outer, el->fired, sizeof(level->outer));
}

static int end_call(aeEventLoop *el) {
    const struct level *level = &state.levels[--state.level_count];
    int i;

    if (is_inside(el)) {
        memcpy(el->fired, level->outer, sizeof(level->outer));
        return level->surplus;
    }
    for (i = 0; i < state.deleted_count; i++) {
        if (state.deleted[i] != el) continue;
        /* "aeDeleteEventLoop in a callback ... freed when the loop returns". */
        state.deleted[i] = state.deleted[--state.deleted_count];
        free_loop(el);
        break;
    }
    return level->surplus;
}

int declared_process_events(aeEventLoop *el, int flags) {
    int processed;

    begin_call(el, flags);
    processed = aeProcessEvents(el, flags);
    return processed - end_call(el);
}

void declared_main(aeEventLoop *el) {
    begin_call(el, AE_ALL_EVENTS);
    aeMain(el);
    end_call(el);
}

aeEventLoop *declared_create_event_loop(int setsize) {
    aeEventLoop *el;

    if (setsize < 1) {
        errno = EINVAL;
        return NULL;
    }
    el = aeCreateEventLoop(setsize);
    getMonotonicUs = now;
    errno = 4242;
    return el;
}

void declared_delete_event_loop(aeEventLoop *el) {
    aeTimeEvent *event;
    int number = errno, i;

    if (is_inside(el)) {
        /* Until then nothing more is called: "In a deleted loop all is stale". */
        state.deleted[state.deleted_count++] = el;
        forget_fired(el, -1, 1);
        for (i = 0; i < el->setsize; i++) aeDeleteFileEvent(el, i, KNOWN);
        el->stop = 1;
        el->beforesleep = el->aftersleep = NULL;
        el->flags |= AE_DONT_WAIT;
        for (event = el->timeEventHead; event != NULL; event = event->next) {
            event->when = NEVER;
            event->refcount += FOR_GOOD;
        }
    } else {
        free_loop(el);
    }
    errno = number;
}

int declared_resize_set_size(aeEventLoop *el, int setsize) {
    int result;

    if (setsize < 1) return fails(EINVAL);
    result = aeResizeSetSize(el, setsize);
    if (result == AE_ERR) return fails(ERANGE);
    errno = 4242;
    return result;
}

void declared_begin(enum backend backend, const struct profile *profile) {
    memset(&state, 0, sizeof(state));
    state.backend = backend;
    state.profile = profile;
    world.may_fire = may_fire;
    world.found = found;
    world.wants_any = wants_any;
    world.told = told;
    world.exact = backend == WITH_EPOLL ? exact : NULL;
}
