/** ae.h: the event loop. Part of libae, under the MIT licence. */

#ifndef LIBAE_AE_H
#define LIBAE_AE_H

/* Generated from src/abi and src/ffi by `make headers`; do not edit. */

#include <stdint.h>
#include <unistd.h>

/** Marks a parameter as unused. */
#define AE_NOTUSED(V) ((void) (V))

struct aeEventLoop;

#ifdef __cplusplus
extern "C" {
#endif

/** A file event's callback: the loop, the descriptor, the client data, the events that fired. */
typedef void aeFileProc(struct aeEventLoop *eventLoop, int fd, void *clientData, int mask);
/** A time event's callback; returns milliseconds until the next run, or `AE_NOMORE`. */
typedef int aeTimeProc(struct aeEventLoop *eventLoop, long long id, void *clientData);
/** Called once when a deleted time event is freed. */
typedef void aeEventFinalizerProc(struct aeEventLoop *eventLoop, void *clientData);
/** Called before the loop sleeps, or after it wakes. */
typedef void aeBeforeSleepProc(struct aeEventLoop *eventLoop);

#ifdef __cplusplus
}
#endif

/** Success. */
#define AE_OK 0

/** Failure; `errno` says why. */
#define AE_ERR (-1)

/** No event registered. */
#define AE_NONE 0

/** Fire when the descriptor is readable. */
#define AE_READABLE 1

/** Fire when the descriptor is writable. */
#define AE_WRITABLE 2

/** With `AE_WRITABLE`: never fire writable after readable in one iteration, but before it. */
#define AE_BARRIER 4

/**
 * The descriptor is served before others, and looked at again while many others are served. The value of Valkey's
 * development line.
 */
#define AE_HIGH_PRIORITY 8

/** `aeProcessEvents`: process file events. */
#define AE_FILE_EVENTS 1

/** `aeProcessEvents`: process time events. */
#define AE_TIME_EVENTS 2

/** `aeProcessEvents`: process file and time events. */
#define AE_ALL_EVENTS 3

/** `aeProcessEvents`: return once what can be processed without waiting has been. */
#define AE_DONT_WAIT 4

/** `aeProcessEvents`: call the before-sleep hook. */
#define AE_CALL_BEFORE_SLEEP 8

/** `aeProcessEvents`: call the after-sleep hook. */
#define AE_CALL_AFTER_SLEEP 16

/** Returned by a time event's callback that should not run again. */
#define AE_NOMORE (-1)

/** The id that a deleted time event carries until it is freed. */
#define AE_DELETED_EVENT_ID (-1)

/** A registered file event, found under its descriptor in `aeEventLoop.events`. */
typedef struct aeFileEvent {
    /** Any of `AE_READABLE`, `AE_WRITABLE`, `AE_BARRIER` and `AE_HIGH_PRIORITY`. */
    int mask;
    /** Called when readable. */
    aeFileProc *rfileProc;
    /** Called when writable. */
    aeFileProc *wfileProc;
    /** Passed to both. */
    void *clientData;
} aeFileEvent;

/** A descriptor that fired, and the events that did. */
typedef struct aeFiredEvent {
    /** The descriptor. */
    int fd;
    /** Any of `AE_READABLE` and `AE_WRITABLE`. */
    int mask;
} aeFiredEvent;

/** Monotonic time in microseconds. */
typedef uint64_t monotime;

/** A time event. */
typedef struct aeTimeEvent {
    /** The event's identifier, or `AE_DELETED_EVENT_ID`. */
    long long id;
    /** The deadline, in microseconds of the monotonic clock. */
    monotime when;
    /** Called at the deadline. */
    aeTimeProc *timeProc;
    /** Called when the event is freed, may be NULL. */
    aeEventFinalizerProc *finalizerProc;
    /** Passed to both. */
    void *clientData;
    /** The event created next, or NULL. */
    struct aeTimeEvent *prev;
    /** The event created before, or NULL. */
    struct aeTimeEvent *next;
    /** How many calls of `timeProc` are running; the event is freed at 0 only. */
    int refcount;
} aeTimeEvent;

/** An event loop. */
typedef struct aeEventLoop {
    /** The highest descriptor registered, -1 when there is none. */
    int maxfd;
    /** Descriptors from 0 to `setsize - 1` can be registered. */
    int setsize;
    /** The id that the next time event gets. */
    long long timeEventNextId;
    /** The registered events, each under its descriptor. */
    struct aeFileEvent *events;
    /** Where the backend puts what fired. */
    struct aeFiredEvent *fired;
    /** The newest time event. */
    struct aeTimeEvent *timeEventHead;
    /** Non-zero ends `aeMain`. */
    int stop;
    /** The library's own state. */
    void *apidata;
    /** Called before the loop sleeps, may be NULL. */
    aeBeforeSleepProc *beforesleep;
    /** Called after the loop slept, may be NULL. */
    aeBeforeSleepProc *aftersleep;
    /** Flags of `aeProcessEvents` that always hold: `AE_DONT_WAIT`. */
    int flags;
} aeEventLoop;

#ifdef __cplusplus
extern "C" {
#endif /* __cplusplus */

/**
 * Creates an event loop that watches descriptors below `setsize`.
 *
 * The backend is the platform's best, or the one that the environment variable `LIBAE_BACKEND` names.
 *
 * Returns the loop, to be freed with `aeDeleteEventLoop`; NULL with errno
 * `EINVAL` (`setsize` below 1, or `LIBAE_BACKEND` names no backend), `ENOMEM`, `EMFILE` or `ENFILE`.
 */
struct aeEventLoop *aeCreateEventLoop(int setsize);

/**
 * Frees an event loop, its file events and its time events. Descriptors stay open. The
 * finalizers of time events already deleted run; those of time events that are still registered run from redis-8.0
 * on, as upstream has it. Inside one of the loop's own callbacks the loop ends first and is freed when it returns.
 * NULL is ignored.
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread.
 */
void aeDeleteEventLoop(struct aeEventLoop *eventLoop);

/**
 * Makes `aeMain` return once the current iteration is done. NULL is ignored.
 *
 * Requires: `eventLoop` is NULL or a live loop.
 */
void aeStop(struct aeEventLoop *eventLoop);

/**
 * Watches `fd` for the events of `mask` (`AE_READABLE`, `AE_WRITABLE`, either with `AE_BARRIER`) besides
 * those it is already watched for. `proc` becomes the handler of the events in `mask`, `clientData` that
 * of all the descriptor's events.
 *
 * With `AE_HIGH_PRIORITY` the descriptor, with all its events, is served before the others that an iteration finds,
 * and is looked at again after every `LIBAE_ORDINARY_PER_LOOK` of them. That stays until `AE_HIGH_PRIORITY` or its
 * last event is deleted.
 *
 * It reaches the kernel at once. A descriptor that was closed without its event being deleted, and is another file
 * now, is added anew.
 *
 * Returns `AE_OK`; `AE_ERR` with errno `ERANGE` (`fd` is not below the set size), `EBADF` (negative or not
 * open), `EINVAL` (NULL loop or handler, unknown mask, neither of the two events asked for or watched before),
 * `EPERM` (a kind of file that cannot be polled),
 * `ENOMEM` or `ENOSPC`; for a loop's first with `AE_HIGH_PRIORITY` also `EMFILE` or `ENFILE`.
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread; `proc` may be called with `clientData`.
 */
int aeCreateFileEvent(struct aeEventLoop *eventLoop,
                      int fd,
                      int mask,
                      aeFileProc *proc,
                      void *clientData);

/**
 * Stops watching `fd` for the events of `mask`. Removing `AE_WRITABLE` removes `AE_BARRIER` with it, and removing the
 * last event `AE_HIGH_PRIORITY`. A NULL loop, a descriptor that is not watched and one out of range are ignored. errno
 * is left alone.
 *
 * Inside a callback a removal that leaves something to watch reaches the kernel right before the loop next polls, or
 * when the outermost call returns; everything else reaches it at once. A file that was not registered under this
 * number is left alone.
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread.
 */
void aeDeleteFileEvent(struct aeEventLoop *eventLoop,
                       int fd,
                       int mask);

/**
 * The events that `fd` is watched for, with `AE_BARRIER` and `AE_HIGH_PRIORITY`; `AE_NONE` for a NULL loop or a
 * descriptor out of range.
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread.
 */
int aeGetFileEvents(struct aeEventLoop *eventLoop,
                    int fd);

/**
 * The client data of `fd`'s events; NULL when it has none, for a NULL loop and for a descriptor out of
 * range.
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread.
 */
void *aeGetFileClientData(struct aeEventLoop *eventLoop, int fd);

/**
 * Creates a time event that first runs `milliseconds` from now (0 or less: in the next pass), never
 * earlier. `proc` returns the milliseconds from its end to its next run, or `AE_NOMORE`.
 * `finalizerProc`, when not NULL, runs exactly once after the event was deleted and its last call has
 * returned: in a later pass over the time events, or when the loop is freed.
 *
 * Returns the event's id, larger than every earlier one; `AE_ERR` with errno `EINVAL` (NULL loop or
 * handler) or `ENOMEM`.
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread; `proc` and `finalizerProc` may be called with
 * `clientData`.
 */
long long aeCreateTimeEvent(struct aeEventLoop *eventLoop,
                            long long milliseconds,
                            aeTimeProc *proc,
                            void *clientData,
                            aeEventFinalizerProc *finalizerProc);

/**
 * Deletes a time event. It does not run again; its finalizer runs later. An event may delete itself or any
 * other inside a callback.
 *
 * Returns `AE_OK`; `AE_ERR` with errno `ENOENT` when no event has that id (none has -1), `EINVAL` for a NULL loop.
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread.
 */
int aeDeleteTimeEvent(struct aeEventLoop *eventLoop,
                      long long id);

/**
 * Runs one iteration. `flags` says what to process: `AE_FILE_EVENTS`, `AE_TIME_EVENTS` or `AE_ALL_EVENTS`;
 * besides, `AE_DONT_WAIT`, `AE_CALL_BEFORE_SLEEP` and `AE_CALL_AFTER_SLEEP`. Without `AE_DONT_WAIT` it waits
 * for the first file event, or the first time event when those are asked for. It may be called again
 * inside a callback. A callback may be left by `longjmp` or an exception: the next call goes on.
 *
 * Returns how many descriptors and time events were processed; `AE_ERR` with errno `EINVAL` for a NULL
 * loop, or as the backend failed (upstream aborts there).
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread.
 */
int aeProcessEvents(struct aeEventLoop *eventLoop, int flags);

/**
 * Waits until `fd` is readable, writable or both, as `mask` says, for at most `milliseconds` (below 0:
 * forever). Needs no loop. An error or a hang-up on the descriptor counts as writable.
 *
 * Returns the events that are ready, 0 after the time is over, -1 with errno `EBADF`, `EINVAL`, `EINTR` or
 * `ENOMEM`.
 */
int aeWait(int fd, int mask, long long milliseconds);

/**
 * Runs iterations, with the sleep hooks, until `aeStop`. Also returns when the backend fails for good, with
 * errno saying why. NULL is ignored.
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread.
 */
void aeMain(struct aeEventLoop *eventLoop);

/**
 * The name of the backend that `aeCreateEventLoop` uses: "epoll", "kqueue", "poll" or "select". The string
 * is static.
 */
char *aeGetApiName(void);

/**
 * Sets the function that runs before the loop sleeps, NULL for none.
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread; `beforesleep` may be called with it.
 */
void aeSetBeforeSleepProc(struct aeEventLoop *eventLoop, aeBeforeSleepProc *beforesleep);

/**
 * Sets the function that runs after the loop slept, NULL for none.
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread; `aftersleep` may be called with it.
 */
void aeSetAfterSleepProc(struct aeEventLoop *eventLoop, aeBeforeSleepProc *aftersleep);

/**
 * Descriptors below this number can be watched; `AE_ERR` with errno `EINVAL` for a NULL loop.
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread.
 */
int aeGetSetSize(struct aeEventLoop *eventLoop);

/**
 * Changes the set size.
 *
 * Returns `AE_OK`; `AE_ERR`, with nothing changed, and errno `ERANGE` (a watched descriptor would be cut
 * off), `EINVAL` (NULL loop, `setsize` below 1) or `ENOMEM`.
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread.
 */
int aeResizeSetSize(struct aeEventLoop *eventLoop, int setsize);

/**
 * With `noWait` not 0, the following iterations of the loop do not wait, until it is called with 0.
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread.
 */
void aeSetDontWait(struct aeEventLoop *eventLoop, int noWait);

#ifdef __cplusplus
} /* extern "C" */
#endif /* __cplusplus */

#endif  /* LIBAE_AE_H */

#ifdef LIBAE_INSIDE
#pragma redefine_extname aeCreateEventLoop libae_redis_7_2_aeCreateEventLoop
#pragma redefine_extname aeDeleteEventLoop libae_redis_7_2_aeDeleteEventLoop
#pragma redefine_extname aeStop libae_redis_7_2_aeStop
#pragma redefine_extname aeCreateFileEvent libae_redis_7_2_aeCreateFileEvent
#pragma redefine_extname aeDeleteFileEvent libae_redis_7_2_aeDeleteFileEvent
#pragma redefine_extname aeGetFileEvents libae_redis_7_2_aeGetFileEvents
#pragma redefine_extname aeGetFileClientData libae_redis_7_2_aeGetFileClientData
#pragma redefine_extname aeCreateTimeEvent libae_redis_7_2_aeCreateTimeEvent
#pragma redefine_extname aeDeleteTimeEvent libae_redis_7_2_aeDeleteTimeEvent
#pragma redefine_extname aeProcessEvents libae_redis_7_2_aeProcessEvents
#pragma redefine_extname aeWait libae_redis_7_2_aeWait
#pragma redefine_extname aeMain libae_redis_7_2_aeMain
#pragma redefine_extname aeGetApiName libae_redis_7_2_aeGetApiName
#pragma redefine_extname aeSetBeforeSleepProc libae_redis_7_2_aeSetBeforeSleepProc
#pragma redefine_extname aeSetAfterSleepProc libae_redis_7_2_aeSetAfterSleepProc
#pragma redefine_extname aeGetSetSize libae_redis_7_2_aeGetSetSize
#pragma redefine_extname aeResizeSetSize libae_redis_7_2_aeResizeSetSize
#pragma redefine_extname aeSetDontWait libae_redis_7_2_aeSetDontWait
#endif

#if defined(LIBAE_BEFORE_6_2) && !defined(LIBAE_AE_BEFORE_6_2)
#define LIBAE_AE_BEFORE_6_2 1

/** How many descriptors a loop is for that is created without saying so. */
#define AE_SETSIZE (1024 * 10)
/** What select calls exceptional conditions: nobody waits for them now. */
#define AE_EXCEPTION 0

#define LIBAE_FOURTH(a1, a2, a3, a4, ...) a4

/** Without an argument (before 2.6), or with the set size. */
#define aeCreateEventLoop(setsize) aeCreateEventLoop(sizeof(#setsize) > 1 ? (setsize + 0) : AE_SETSIZE)
/** With a finalizer (up to 1.2), which has to be NULL or the call fails with `EINVAL`, or without. */
#define aeCreateFileEvent(loop, fd, mask, ...) \
    LIBAE_FOURTH(__VA_ARGS__, libae_file_event_6, aeCreateFileEvent, 0)(loop, fd, mask, __VA_ARGS__)
#define libae_file_event_6(loop, fd, mask, proc, data, finalizer) \
    aeCreateFileEvent(loop, fd, (finalizer) != NULL ? -1 : (mask), proc, data)
#endif
