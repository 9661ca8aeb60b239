/** libae.h: the version, the host's hooks and what libae has beside upstream. Part of libae, under the MIT licence. */

#ifndef LIBAE_LIBAE_H
#define LIBAE_LIBAE_H

/* Generated from src/abi and src/ffi by `make headers`; do not edit. */

#include <stddef.h>
#include <sys/types.h>

struct aeEventLoop;
struct connection;
struct connListener;

/** The ABI profile of these headers; `libaeAbiProfile` gives that of the library. */
#define LIBAE_ABI "redis-7.2"
#define LIBAE_ABI_REDIS_7_2 1

/** The version of these headers; `libaeVersion` gives that of the library. */
#define LIBAE_VERSION "1.0.0"
#define LIBAE_VERSION_MAJOR 1
#define LIBAE_VERSION_MINOR 0
#define LIBAE_VERSION_PATCH 0

/** `libaeHost.log`: detail for debugging. */
#define LIBAE_LOG_DEBUG 0

/** `libaeHost.log`: detail. */
#define LIBAE_LOG_VERBOSE 1

/** `libaeHost.log`: normal events. */
#define LIBAE_LOG_NOTICE 2

/** `libaeHost.log`: something is wrong. */
#define LIBAE_LOG_WARNING 3

/**
 * `libaeHost.accepted`: the connection came over a unix socket. The value of upstream's
 * `CLIENT_UNIX_SOCKET`, so that `acceptCommonHandler` takes the flags as they are.
 */
#define LIBAE_ACCEPTED_UNIX (1 << 11)

/** How many connections one call of an accept handler takes at most when the host does not say. */
#define LIBAE_ACCEPTS_PER_CALL 1000

/** The listen backlog when the host does not say. */
#define LIBAE_TCP_BACKLOG 511

/** How long, in milliseconds, a listener rests after accept failed for want of descriptors or memory. */
#define LIBAE_ACCEPT_RETRY_MS 100

/**
 * The program's memory functions, with the contracts of the C library's. All or none of `malloc`,
 * `realloc` and `free` are set; `calloc` is used for large zeroed arrays and may be NULL.
 */
typedef struct libaeAllocator {
    /** Like `malloc`. */
    void *(*malloc)(size_t size, void *context);
    /** Like `calloc`; may be NULL. */
    void *(*calloc)(size_t count, size_t size, void *context);
    /** Like `realloc`. */
    void *(*realloc)(void *ptr, size_t size, void *context);
    /** Like `free`. */
    void (*free)(void *ptr, void *context);
    /** Passed to each. */
    void *context;
} libaeAllocator;

/**
 * What the library asks of the program around it. A member that is NULL keeps the library's default, so a
 * table filled with zero bytes (but for `size`) changes nothing. Every function may be called from any
 * thread that uses the library, must return normally (no `longjmp`, no exception), and may call the
 * library.
 */
typedef struct libaeHost {
    /** `sizeof(libaeHost)` as the program was compiled; later members keep their defaults. */
    size_t size;
    /**
     * The loop that connections register with. Default: the loop most recently created in this thread; a
     * connection that is registered with another loop of the thread stays with that.
     */
    struct aeEventLoop *(*current_loop)(void);
    /**
     * A connection was accepted; the host now owns it. `flags` is 0 or `LIBAE_ACCEPTED_UNIX`; `ip` is the
     * peer's address, valid during the call, NULL for unix sockets. Default: `connAccept(conn, NULL)`.
     */
    void (*accepted)(struct connection *conn, int flags, char *ip);
    /**
     * One line of log, valid during the call. Default: silent, or warnings to stderr when the environment
     * variable `LIBAE_LOG` is set.
     */
    void (*log)(int level, const char *message);
    /** How many connections one call of an accept handler takes. Default: `LIBAE_ACCEPTS_PER_CALL`. */
    int (*accepts_per_call)(void);
    /** Opens a TCP listener's sockets, returns 0 or -1. Default: binds every address of the listener. */
    int (*listen)(struct connListener *listener);
    /** The listen backlog. Default: `LIBAE_TCP_BACKLOG`. */
    int (*tcp_backlog)(void);
    /** Permission bits for unix sockets whose listener names none, 0 leaves them alone. Default: 0. */
    mode_t (*unix_permissions)(void);
    /** The group for unix sockets, a name or a number as text, NULL leaves it alone. Default: NULL. */
    const char *(*unix_group)(void);
    /** Whether TLS clients must show a certificate: 0 no, 1 yes, 2 optional. Default: 0. */
    int (*tls_auth_clients)(void);
    /** The configuration that TLS listeners use, of the TLS type's own kind. Default: none. */
    void *(*tls_context_config)(void);
    /**
     * A new string of `len` bytes that the caller of the library will own. Default: `malloc`ed, with a
     * NUL byte behind, to be freed with `free`.
     */
    char *(*new_string)(const void *bytes, size_t len);
    /** The memory functions. They cannot change once the library has allocated. */
    struct libaeAllocator allocator;
} libaeHost;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/** The library's version, like `LIBAE_VERSION`, as a static string. */
const char *libaeVersion(void);

/** The ABI profile the library was built with, like "redis-7.2", as a static string. */
const char *libaeAbiProfile(void);

/**
 * Registers the program's hooks; the table is copied. NULL goes back to the defaults. Call it before the
 * library is used from a second thread.
 *
 * Returns `AE_OK`; `AE_ERR`, with nothing changed, and errno `EINVAL` (`size` is 0 or not a multiple of a
 * pointer's, or the allocator has some of malloc, realloc and free but not all) or `EBUSY` (another
 * allocator, after the library has allocated).
 *
 * Requires: `hooks` is NULL or points to `hooks->size` bytes; its functions keep their contracts.
 */
int libaeSetHost(const struct libaeHost *hooks);

/**
 * Like `aeCreateEventLoop`, with the named backend ("epoll", "kqueue", "poll" or "select", as built in). A
 * NULL name stands for the default.
 *
 * Returns the loop; NULL with errno `EINVAL` when no backend has that name, else as `aeCreateEventLoop`.
 *
 * Requires: `backend` is NULL or a string.
 */
struct aeEventLoop *aeCreateEventLoopWithBackend(int setsize, const char *backend);

/**
 * The name of a loop's own backend, as a static string; NULL with errno `EINVAL` for a NULL loop.
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread.
 */
const char *aeGetLoopApiName(struct aeEventLoop *eventLoop);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* LIBAE_LIBAE_H */
