/** libae.h: the version, the host's hooks and what libae has beside upstream. Part of libae, under the MIT licence. */

#ifndef LIBAE_LIBAE_H
#define LIBAE_LIBAE_H

/* Generated from src/abi and src/ffi by `make headers`; do not edit. */

#include <stddef.h>
#include <sys/types.h>

struct aeEventLoop;
struct connection;
struct connListener;

#ifdef __cplusplus
extern "C" {
#endif

/** Called once with the loop and the data that came with it. */
typedef void aeLoopProc(struct aeEventLoop *eventLoop, void *clientData);
/** Called at even distances; returns `AE_NOMORE` (-1) to end that, anything else to go on. */
typedef int aePeriodicProc(struct aeEventLoop *eventLoop, long long id, void *clientData);
/** Called in the loop when a signal has come. */
typedef void aeSignalProc(struct aeEventLoop *eventLoop, int signum, void *clientData);
/** Called once when a child has ended: its process id, its status as `waitpid` gives it. */
typedef void aeChildProc(struct aeEventLoop *eventLoop, pid_t pid, int status, void *clientData);
struct libaeResolved;
/** Called once with what has come out of `libaeResolve`. */
typedef void libaeResolveProc(struct aeEventLoop *eventLoop, const struct libaeResolved *resolved,
                              void *clientData);
/** Called once with the socket that `libaeConnectName` has connected; or with -1, an errno and what failed. */
typedef void libaeConnectProc(struct aeEventLoop *eventLoop, int fd, int error, const char *text,
                              void *clientData);

#ifdef __cplusplus
}
#endif

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

/** How long, in milliseconds, a listener rests after accept failed for a reason that stays, like a lack of descriptors. */
#define LIBAE_ACCEPT_RETRY_MS 100

/** `libaeHost.tls_certificate`: what this side shows as a server. */
#define LIBAE_TLS_CERTIFICATE_SERVER 0

/** `libaeHost.tls_certificate`: what it shows as a client, if that is another one. */
#define LIBAE_TLS_CERTIFICATE_CLIENT 1

/** `libaeHost.tls_certificate`: of those that peers are checked with, the one whose validity ends first. */
#define LIBAE_TLS_CERTIFICATE_CA 2

/** `libaeTlsConfig.auth_clients`: clients are not asked for a certificate. */
#define LIBAE_TLS_AUTH_CLIENTS_NO 0

/** `libaeTlsConfig.auth_clients`: clients must show a certificate that the CA has signed. */
#define LIBAE_TLS_AUTH_CLIENTS_YES 1

/** `libaeTlsConfig.auth_clients`: clients may show a certificate; the CA must have signed one that is shown. */
#define LIBAE_TLS_AUTH_CLIENTS_OPTIONAL 2

/** How many sessions a server keeps when the configuration does not say. */
#define LIBAE_TLS_SESSION_CACHE_SIZE (20 * 1024)

/** How long, in seconds, a session can be resumed when the configuration does not say. */
#define LIBAE_TLS_SESSION_CACHE_TIMEOUT 300

/** How many sessions the clients of a configuration of `libaeTlsContextNew` keep when it does not say. */
#define LIBAE_TLS_CLIENT_SESSION_CACHE_SIZE 256

/** How many protocols `libaeTlsConfig.alpn_protocols` may name. */
#define LIBAE_TLS_ALPN_MAX 64

/** How many accepted connections may be in their handshake at the same time when the configuration does not say. */
#define LIBAE_TLS_MAX_HANDSHAKES 1000

/** How long, in milliseconds, a handshake may take when the configuration does not say. */
#define LIBAE_TLS_HANDSHAKE_TIMEOUT 10000

/** `LIBAE_TLS_MAX_HANDSHAKES` with upstream's configuration, whose servers count these connections as clients. */
#define LIBAE_TLS_UPSTREAM_MAX_HANDSHAKES 10000

/**
 * `LIBAE_TLS_HANDSHAKE_TIMEOUT` with upstream's configuration: upstream has no limit, and some clients connect long
 * before they say anything.
 */
#define LIBAE_TLS_UPSTREAM_HANDSHAKE_TIMEOUT 60000

/** `libaeTlsPeerName`: the common names in the subject. */
#define LIBAE_TLS_NAME_CN 0

/** `libaeTlsPeerName`: the names of hosts among the alternative names. */
#define LIBAE_TLS_NAME_DNS 1

/** `libaeTlsPeerName`: the addresses of hosts among the alternative names, as text. */
#define LIBAE_TLS_NAME_IP 2

/** `libaeTlsPeerName`: the addresses of e-mail among the alternative names. */
#define LIBAE_TLS_NAME_EMAIL 3

/** `libaeTlsPeerName`: the URIs among the alternative names. */
#define LIBAE_TLS_NAME_URI 4

/** The first of the descriptors that `libaeListenFds` counts. */
#define LIBAE_LISTEN_FDS_START 3

/** How many descriptors of ordinary priority are served until those of high priority are looked at again. */
#define LIBAE_ORDINARY_PER_LOOK 4

/** How many threads resolve names for `libaeResolve` and `libaeConnectName` at the same time, in the whole process. */
#define LIBAE_RESOLVE_THREADS 4

/** How many names may wait to be resolved, or for a loop to hear of them, in the whole process. */
#define LIBAE_RESOLVE_MAX 1024

/** How many bytes a header may have; longer ones, which the protocol's version 2 allows, are refused. */
#define LIBAE_PROXY_HEADER_MAX 4096

/** Room for an address in `libaeProxy`, with the NUL. */
#define LIBAE_PROXY_ADDRESS_LEN 46

/** The largest `libaeSocketOptions.size`: whatever later versions have is far below. */
#define LIBAE_SOCKET_OPTIONS_MAX 4096

/** `libaeSocketOptions.mptcp`: Multipath TCP, and TCP where the kernel has none. */
#define LIBAE_MPTCP_IF_AVAILABLE 1

/** `libaeSocketOptions.mptcp`: Multipath TCP, or an error. */
#define LIBAE_MPTCP_REQUIRED 2

/** A configuration beside the process's own, for the connections that are given it: `libaeTlsContextNew`. */
typedef struct libaeTlsContext libaeTlsContext;

/** A client's session of TLS over a descriptor of the program's: `libaeTlsSessionNew`. */
typedef struct libaeTlsSession libaeTlsSession;

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
 * table filled with zero bytes (except `size`) changes nothing. Every function may be called from any
 * thread that uses the library, must return normally (no `longjmp`, no exception), and may call the
 * library.
 */
typedef struct libaeHost {
    /** `sizeof(libaeHost)` as the program was compiled; later members keep their defaults. */
    size_t size;
    /**
     * The loop that connections register with, until their events are gone. Default: the loop that accepted them or
     * had them last, if it was in this thread; else this thread's newest.
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
    /**
     * Whether TLS clients must show a certificate: 0 no, 1 yes, 2 optional. Default: what `libaeTlsConfigure` was
     * told, else 0.
     */
    int (*tls_auth_clients)(void);
    /**
     * The configuration of TLS, a `redisTLSContextConfig`, asked for when a TLS connection is created and there is
     * none yet. Default: none.
     */
    void *(*tls_context_config)(void);
    /**
     * A new string of `len` bytes that the caller of the library will own. Default: `malloc`ed, with a
     * NUL byte behind, to be freed with `free`.
     */
    char *(*new_string)(const void *bytes, size_t len);
    /** The memory functions. They cannot change once the library has allocated. */
    struct libaeAllocator allocator;
    /**
     * How many connections one call of a TLS accept handler takes. Default: 1 from redis-8.0 and valkey-8.0 on,
     * `LIBAE_ACCEPTS_PER_CALL` before.
     */
    int (*tls_accepts_per_call)(void);
    /**
     * A setting of a `redisTLSContextConfig` that means nothing here (`tls-dh-params-file`: there is no such key
     * exchange) has a value; `reason` says why. Both are valid during the call. Returns 0 to refuse the configuration,
     * another number to go on without the setting. Default: 0.
     */
    int (*tls_meaningless)(const char *setting, const char *reason);
    /**
     * How many accepted TLS connections may be in their handshake at the same time. Default: what `libaeTlsConfigure`
     * was told; with upstream's configuration `LIBAE_TLS_UPSTREAM_MAX_HANDSHAKES`.
     */
    int (*tls_max_handshakes)(void);
    /**
     * How many milliseconds a TLS handshake may take, below 0: no limit. Default: what `libaeTlsConfigure` was told;
     * with upstream's configuration `LIBAE_TLS_UPSTREAM_HANDSHAKE_TIMEOUT`.
     */
    int (*tls_handshake_timeout)(void);
    /**
     * `sizeof` the program's own `redisTLSContextConfig`. A smaller one than the profile's is refused, except in
     * redis-6.2 that of Redis 6.2.0 and 6.2.1, which has no passphrases. Default: the profile's.
     */
    size_t (*tls_config_size)(void);
    /**
     * The path of the program's unix socket, NULL for none, which from valkey-9.0 on is the address of every
     * connection over one. Default: the path that the connection's socket has.
     */
    const char *(*unix_socket)(void);
    /**
     * From valkey-9.1 on: the user of that name, a `struct user *` that stays the program's, or NULL when there is
     * none or it is disabled. `name` holds `len` bytes, with a NUL behind. Default: there is none.
     */
    void *(*enabled_user)(const char *name, size_t len);
    /** From valkey-9.1 on: has `tlsConfigureAsync` called in another thread. Default: it is called at once. */
    void (*tls_reload)(void);
    /**
     * From valkey-9.1 on: a certificate in use, for statistics. `which` is one of the `LIBAE_TLS_CERTIFICATE_` values,
     * `expires` the end of its validity in seconds since 1970, `serial` its number in hexadecimal, valid during the
     * call; 0 and NULL when there is none, or no longer one. Default: nothing.
     */
    void (*tls_certificate)(int which, long long expires, const char *serial);
} libaeHost;

/**
 * The configuration of TLS for programs that are not forks of Redis. All zero except `size` is valid: a member that is
 * NULL or 0 has the default that is stated with it. The strings are copied.
 */
typedef struct libaeTlsConfig {
    /**
     * `sizeof(libaeTlsConfig)` as the program was compiled; later members keep their defaults. What a program has
     * behind the members that the library knows must be 0.
     */
    size_t size;
    /**
     * The certificate as PEM, with the chain below the CA behind it; also the client's, if it has none of its own.
     * Default: none, and then connections can be made but not accepted.
     */
    const char *cert_file;
    /** Its private key, as PEM (PKCS #8, PKCS #1 or SEC 1). */
    const char *key_file;
    /** The passphrase of `key_file` when that is encrypted (PKCS #8, `BEGIN ENCRYPTED PRIVATE KEY`). */
    const char *key_file_pass;
    /** The certificate to show as a client. Default: `cert_file`. */
    const char *client_cert_file;
    /** Its private key. */
    const char *client_key_file;
    /** The passphrase of `client_key_file`. */
    const char *client_key_file_pass;
    /** The certificates of the CAs that peers' certificates are checked with, as PEM. */
    const char *ca_cert_file;
    /** A folder of such certificates, under the names that `openssl rehash` gives them. */
    const char *ca_cert_dir;
    /** "TLSv1.2", "TLSv1.3" or both with a space between. Default: both. */
    const char *protocols;
    /** The cipher suites of TLS 1.2, as OpenSSL writes such a list. Default: all that there are. */
    const char *ciphers;
    /** The cipher suites of TLS 1.3, with colons between them. Default: all that there are. */
    const char *ciphersuites;
    /**
     * The name to send to servers (SNI) and to look for in their certificates. Default: the address that
     * `connConnect` was given.
     */
    const char *server_name;
    /** One of the `LIBAE_TLS_AUTH_CLIENTS_` values. */
    int auth_clients;
    /** Not 0: a server's certificate is checked, but not whether it has been made out for the server's name. */
    int any_server_name;
    /** Not 0: the server's order of cipher suites decides instead of the client's. */
    int prefer_server_ciphers;
    /** Not 0: no session can be resumed. */
    int no_session_cache;
    /** How many sessions a server keeps. Default: `LIBAE_TLS_SESSION_CACHE_SIZE`. */
    int session_cache_size;
    /** For how many seconds. Default: `LIBAE_TLS_SESSION_CACHE_TIMEOUT`. */
    int session_cache_timeout;
    /**
     * How many accepted connections may be in their handshake at the same time; for one more the oldest fails.
     * Default:
     * `LIBAE_TLS_MAX_HANDSHAKES`.
     */
    int max_handshakes;
    /** How many milliseconds a handshake may take. Default: `LIBAE_TLS_HANDSHAKE_TIMEOUT`; below 0: no limit. */
    int handshake_timeout;
    /**
     * How many records are sent with one key. With TLS 1.3 the keys are changed then; with TLS 1.2, where they cannot
     * be, the connection ends with close_notify, a few records earlier when they are written together. Default: 16 777
     * 216 (2^24) with TLS 1.3 and AES-GCM, else unlimited, as with OpenSSL.
     */
    long long records_per_key;
    /**
     * The protocols to agree on (ALPN), with commas between them, the most wanted first: `LIBAE_TLS_ALPN_MAX` at most,
     * of 1 to 255 bytes each. A server's order decides, and a client that offers others only is refused; one that
     * offers none is not. Default: clients offer none, and servers ignore what is offered.
     */
    const char *alpn_protocols;
    /**
     * A file to which the keys of all sessions are appended, as Wireshark reads them (`SSLKEYLOGFILE`): whoever has it
     * can read everything. It is made if need be, for its owner alone. Default: none, whatever the environment says.
     */
    const char *key_log_file;
    /**
     * How many sessions clients keep so as to resume them: up to 8 for each server, by the name or address that is
     * looked for in its certificate. When there is no room, the server that was met first is forgotten. Below 0: none.
     * Default: `LIBAE_TLS_CLIENT_SESSION_CACHE_SIZE` with `libaeTlsContextNew`, none with `libaeTlsConfigure`.
     */
    int client_session_cache_size;
} libaeTlsConfig;

/** What a header of the PROXY protocol says of a connection. */
typedef struct libaeProxy {
    /** `sizeof(libaeProxy)` as the program was compiled; later members are not written. */
    size_t size;
    /** The protocol's version, 1 or 2. */
    int version;
    /**
     * `AF_INET` or `AF_INET6`; `AF_UNSPEC` when the header names no such addresses: the connection is the proxy's own, or
     * of a kind that it does not tell.
     */
    int family;
    /** The port of whoever connected to the proxy. */
    int source_port;
    /** The port that the proxy was reached on. */
    int destination_port;
    /** The address of whoever connected to the proxy, empty without one. */
    char source[LIBAE_PROXY_ADDRESS_LEN];
    /** The address that the proxy was reached at, empty without one. */
    char destination[LIBAE_PROXY_ADDRESS_LEN];
} libaeProxy;

/**
 * How a socket that listens or connects is made. Members that are 0 or NULL change nothing, so set `size`, fill in
 * what you need and leave the rest zero. An option that is for the other kind of socket is `EINVAL`, one that the
 * system does not have `EOPNOTSUPP`; what the system refuses is the system's errno (`EPERM` for `mark` and `device`
 * without the capability). The error's text names the option.
 */
typedef struct libaeSocketOptions {
    /**
     * `sizeof(libaeSocketOptions)` as the program was compiled. A smaller one than the first version's is `EINVAL`. A
     * larger one is fine while everything that this library does not know is 0, else `E2BIG`.
     */
    size_t size;
    /**
     * The network interface that the socket is bound to, by name (`SO_BINDTODEVICE`), NULL: any. Accepted sockets
     * inherit it. Linux; another user than root may need `CAP_NET_RAW`.
     */
    const char *device;
    /**
     * Connects alone: the address, without a port, that it comes from, NULL: the system's choice. One that cannot be
     * bound is an error.
     */
    const char *source;
    /** Listeners with a path alone: the group of the socket's file, a name or a number as text, NULL leaves it alone. */
    const char *unix_group;
    /** Listeners with a path alone: the permission bits of the socket's file, 0 leaves them alone. */
    unsigned int unix_permissions;
    /** Listeners alone: how many connections wait to be accepted, 0: as many as the host's hook `tcp_backlog` says. */
    int backlog;
    /**
     * A mark on the socket's packets, for routing and filters (`SO_MARK`, elsewhere what `anetSetSockMarkId` sets), 0:
     * none. Accepted sockets inherit it. Needs `CAP_NET_ADMIN`.
     */
    unsigned int mark;
    /**
     * After so many milliseconds with data that the peer has not acknowledged the connection fails
     * (`TCP_USER_TIMEOUT`), 0: the system's default, of many minutes. Accepted sockets inherit it. Linux.
     */
    int user_timeout;
    /**
     * Probes the peer after so many seconds of silence, as `anetKeepAlive` does, 0: never. Accepted sockets inherit
     * it.
     */
    int keep_alive;
    /**
     * Above 0: small segments are sent at once (`TCP_NODELAY`); below 0: they are gathered; 0: as in the profile.
     * Accepted sockets inherit it, except where the profile sets it on them.
     */
    int no_delay;
    /**
     * Connects alone, since accepted sockets do not inherit it: `TCP_QUICKACK`, above 0 on, below 0 off. It only says
     * how the socket begins (off: the handshake's last acknowledgement goes with the first data); see
     * `libaeSetQuickAck` for what comes then. Linux.
     */
    int quick_ack;
    /**
     * TCP Fast Open. For listeners how many connections that came with data may wait for the end of their handshake.
     * For connects any other number than 0: a connect to a server that is known sends nothing and is done at once, and
     * the first write begins the handshake. The system's setting `net.ipv4.tcp_fastopen` decides in both cases. Linux.
     */
    int fast_open;
    /** One of the `LIBAE_MPTCP_` values, 0: TCP. Linux. Some options are refused over Multipath TCP. */
    int mptcp;
    /**
     * Listeners alone, not 0: several sockets, also those of other processes of the user, may listen on the same
     * address and port if all have this (`SO_REUSEPORT`). On Linux the system spreads connections over them.
     */
    int reuse_port;
    /**
     * Listeners alone, not 0: the socket of an IPv6 address takes IPv4 connections as well (`IPV6_V6ONLY` off). With
     * it NULL and `*` mean every address of both families.
     */
    int dual_stack;
    /** Not 0: the address that is bound (for connects `source`) need not be this machine's yet (`IP_FREEBIND`). Linux. */
    int free_bind;
    /** Not 0: the descriptor blocks, and a connect waits until it is connected. */
    int blocking;
    /** Not 0: the descriptor survives an exec. */
    int keep_on_exec;
} libaeSocketOptions;

/** What has come out of `libaeResolve`. All of it lives as long as the call that it is for. */
typedef struct libaeResolved {
    /** 0; or why there is no address: an errno, the nearest to what the resolver says. */
    int error;
    /** How many addresses there are, 0 when there is an error. */
    int count;
    /** The addresses as text, in the order in which they are to be tried, and a NULL behind. */
    const char *const *addresses;
    /** What the resolver says, empty when there is no error. */
    const char *text;
} libaeResolved;

#ifdef __cplusplus
extern "C" {
#endif /* __cplusplus */

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
 * With `on` not 0, all sockets that the library makes from now on are close-on-exec, and accepted ones non-blocking
 * as well. With 0 they are what upstream of the profile makes them: accepted ones are both, in redis-6.2 neither;
 * those that connect are close-on-exec in Valkey's profiles, the one of `anetUnixServer` in valkey-8.1, and no
 * others, so that a program can hand its listening sockets to its successor. Whatever is set here, the sockets of
 * `connListen`, and connections that the library's own accept handlers take, are non-blocking and close-on-exec.
 *
 * Returns what was set before: 1 or 0, at first 0.
 */
int libaeSetSafeSockets(int on);

/**
 * Configures the "tls" connection type, for new connections: those that there are keep their settings. Calling it
 * again replaces the whole configuration. When it fails nothing changes, and why is written into `err` (NULL:
 * nowhere), cut to `err_len` bytes with the NUL.
 *
 * Returns `AE_OK`; `AE_ERR` with errno `EINVAL` (a setting cannot be used, or `config` is NULL) or `EOPNOTSUPP` (a
 * library without TLS).
 *
 * Requires: `config` is NULL or points to `config->size` bytes, in which the strings are NULL or valid; `err` has room for
 * `err_len` bytes.
 */
int libaeTlsConfigure(const struct libaeTlsConfig *config,
                      char *err,
                      size_t err_len);

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

/**
 * Makes the loop's poll that is under way return, or its next one not wait. Many calls before the loop has heard of the
 * first are one. Any thread may call it while the loop is there, and any signal handler.
 *
 * Returns `AE_OK`; `AE_ERR` with errno `EINVAL` (NULL loop), or `EMFILE`, `ENFILE`, `ENOMEM` or `ENOSPC` (the first call
 * for a loop makes a descriptor).
 *
 * Requires: `eventLoop` is NULL or a live loop.
 */
int aeWakeup(struct aeEventLoop *eventLoop);

/**
 * Has the loop call `proc` once, in its own thread, after what has been posted before: as soon as it next processes
 * file events. What a posted function posts has its turn in the next iteration. Any thread may call it while the loop
 * is there, but no signal handler. If the loop is freed first, `drop` is called in place of `proc`, unless it is NULL,
 * by the thread that frees it. What this thread has done before is done for `proc`.
 *
 * Returns `AE_OK`; `AE_ERR`, with nothing taken over, and errno `EINVAL` (NULL loop or `proc`), `ENOMEM`, `ECANCELED`
 * (the loop is being freed), or as `aeWakeup`.
 *
 * Requires: `eventLoop` is NULL or a live loop; `proc` and `drop` may be called with `clientData`.
 */
int aePost(struct aeEventLoop *eventLoop,
           aeLoopProc *proc,
           void *clientData,
           aeLoopProc *drop);

/**
 * Makes all calls of `aeMain` and `aeProcessEvents` that are inside the loop return as soon as the callback that is
 * running does, or the poll; when there are none, the next call. `aeStop` lets the iteration end first. What is left
 * fires again in the next call. Any thread may call it while the loop is there, and any signal handler: then callbacks
 * that are ready may still run until the loop hears of it.
 *
 * Returns as `aeWakeup`.
 *
 * Requires: `eventLoop` is NULL or a live loop.
 */
int aeStopNow(struct aeEventLoop *eventLoop);

/**
 * A descriptor for programs that wait elsewhere (another loop, `poll`): it is readable whenever
 * `aeProcessEvents(eventLoop, AE_ALL_EVENTS | AE_DONT_WAIT)` has something to do, be it a file event, a time event, a
 * wake-up or a post. It may also be when there is nothing to do. It stays the loop's: it must not be read or closed, and
 * lives as long as the loop. The program may create and delete events at any time, and need not ask for it again.
 *
 * On the poll and select backends it leaves out files that are always ready, as those on a disk.
 *
 * Returns the descriptor; `AE_ERR` with errno `EINVAL` (NULL loop), `EMFILE`, `ENFILE`, `ENOMEM`, `ENOSPC` or
 * `EOPNOTSUPP` (a system with neither epoll nor kqueue).
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread.
 */
int aeGetBackendFd(struct aeEventLoop *eventLoop);

/**
 * How long, in milliseconds rounded up, a program may wait for the loop's descriptors in its place: until the first
 * time event is due. 0 when it must not wait, -1 when there is no limit; -1 with errno `EINVAL` for a NULL loop.
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread.
 */
long long aeGetTimeout(struct aeEventLoop *eventLoop);

/**
 * With `on` not 0, `aeMain` returns when no file event, no time event and no signal or child event is registered any
 * more, nothing is posted, and no name is being resolved or connected to.
 * NULL is ignored. It does not hold where a custom poll waits.
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread.
 */
void aeSetStopWhenIdle(struct aeEventLoop *eventLoop,
                       int on);

/**
 * Keeps a pointer of the program's for the loop, which the library does not look at. NULL is ignored.
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread.
 */
void aeSetLoopData(struct aeEventLoop *eventLoop, void *data);

/**
 * That pointer; NULL when there is none, and for a NULL loop.
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread.
 */
void *aeGetLoopData(struct aeEventLoop *eventLoop);

/**
 * Gives a time event another deadline, `milliseconds` from now (0 or less: the next pass), without the cost of deleting
 * and creating it. It keeps its id, data and finalizer; among events that are due at the same time it comes last. One of
 * `aeCreatePeriodicTimeEvent` runs then, and from then on every `period` milliseconds, as if it were created now.
 *
 * Returns `AE_OK`; `AE_ERR` with errno `EINVAL` (NULL loop), `ENOENT` (no event has that id), `EBUSY` (its callback is
 * running: what that returns decides) or `ENOMEM`.
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread.
 */
int aeResetTimeEvent(struct aeEventLoop *eventLoop,
                     long long id,
                     long long milliseconds);

/**
 * Creates a time event that runs `milliseconds` from now and then every `period` milliseconds, at even distances from
 * the first time however late a run is: it does not drift. Runs that a busy loop has missed are left out. `proc` returns
 * `AE_NOMORE` to end it, and anything else to go on. `aeDeleteTimeEvent` deletes it, and `finalizerProc`, when not NULL,
 * is called as `aeCreateTimeEvent` says.
 *
 * Returns its id; `AE_ERR` with errno `EINVAL` (NULL loop or `proc`, a period below 1) or `ENOMEM`.
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread; `proc` and `finalizerProc` may be called with `clientData`.
 */
long long aeCreatePeriodicTimeEvent(struct aeEventLoop *eventLoop,
                                    long long milliseconds,
                                    long long period,
                                    aePeriodicProc *proc,
                                    void *clientData,
                                    aeLoopProc *finalizerProc);

/**
 * Has the loop call `proc` in an iteration after a signal has come: there it may do anything. It takes the place of what
 * the signal did before, until `aeDeleteSignalEvent` or the end of the loop, and of what this loop called for it before.
 * Signals that come before the loop has heard of one are one. A signal is one loop's. A child of a fork should delete
 * what it does not need, or exec.
 *
 * Returns `AE_OK`; `AE_ERR` with errno `EINVAL` (NULL loop or `proc`, no signal, or one that cannot be handled or after
 * which the program cannot go on: SIGSEGV, SIGBUS, SIGFPE, SIGILL), `EBUSY`
 * (it is another loop's), `ENOMEM`, or as `aeWakeup`.
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread; `proc` may be called with `clientData`.
 */
int aeCreateSignalEvent(struct aeEventLoop *eventLoop,
                        int signum,
                        aeSignalProc *proc,
                        void *clientData);

/**
 * Leaves a signal to what handled it before `aeCreateSignalEvent`.
 *
 * Returns `AE_OK`; `AE_ERR` with errno `EINVAL` (NULL loop, no signal) or `ENOENT` (the loop does not watch it).
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread.
 */
int aeDeleteSignalEvent(struct aeEventLoop *eventLoop,
                        int signum);

/**
 * Has the loop wait for a child of this process and call `proc` once when it has ended, with its status as `waitpid`
 * gives it: the child is waited for then, and its process id free. The status is -1 when another part of the program has
 * waited for it first. Uses a descriptor, a file event below the set size, until then.
 *
 * Returns `AE_OK`; `AE_ERR` with errno `EINVAL` (NULL loop or `proc`, a process id below 1), `ESRCH` (no such process),
 * `EEXIST` (the loop waits for it already), `ENOSYS` (a system without pidfd), `ERANGE`, `EMFILE`, `ENFILE` or `ENOMEM`.
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread; `proc` may be called with `clientData`.
 */
int aeCreateChildEvent(struct aeEventLoop *eventLoop,
                       pid_t pid,
                       aeChildProc *proc,
                       void *clientData);

/**
 * Waits for a child no more; it stays the program's to wait for.
 *
 * Returns `AE_OK`; `AE_ERR` with errno `EINVAL` (NULL loop) or `ENOENT` (the loop does not wait for it).
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread.
 */
int aeDeleteChildEvent(struct aeEventLoop *eventLoop, pid_t pid);

/**
 * How many listening sockets whoever started this process has opened for it, from the descriptor
 * `LIBAE_LISTEN_FDS_START` on, by the protocol of systemd (`LISTEN_FDS` and `LISTEN_PID` in the environment): it goes on
 * to hold them while the process restarts, so that no client is refused. They are the program's from then on, and
 * close-on-exec; `libaeIsListening` tells what they are. To be asked for before the program opens anything: what it opens
 * itself could have the number of one that is missing.
 *
 * Returns their number, 0 when there are none for this process; `AE_ERR` with errno `EINVAL` (no number) or `EBADF` (one
 * is not open).
 */
int libaeListenFds(void);

/**
 * Runs another program, such as the next version of this one, in the place of this process's, and hands it these
 * listening sockets, which it finds as `libaeListenFds` does: whoever connects meanwhile waits in their queues. The
 * process keeps its number and its environment. `argv` ends with NULL; `path` is looked for in `PATH` if it has no slash.
 * All other descriptors that are not close-on-exec go on as well. No signal is blocked in the new program, and SIGPIPE
 * does there what it does by default; signals that have come and are still blocked are delivered before.
 *
 * Returns only if that fails, and then nothing has changed: `AE_ERR` with errno `EINVAL` (NULL, an empty `argv`, a
 * negative `count`, or a socket that does not listen), `EBADF` or `ENOTSOCK` (no socket), `EMFILE` or `ENFILE`, or as
 * `execve`. After `fork` in a process of several threads it must not be called: it allocates.
 *
 * Requires: `path` is NULL or a string, `argv` NULL or an array of strings and a NULL, and `sockets` has room for `count`.
 */
int libaeExecWithListeners(const char *path,
                           char *const *argv,
                           const int *sockets,
                           int count);

/**
 * Whether `fd` is a socket that listens for connections.
 *
 * Returns 1 or 0; `AE_ERR` with errno `EBADF` or `ENOTSOCK`.
 */
int libaeIsListening(int fd);

/**
 * Looks up the addresses of a host without stopping the loop, in a thread of the library's own, and has the loop call
 * `proc` once with what comes out: never before this returns, and as soon as it next processes file events. `family`
 * is `AF_INET`, `AF_INET6`, or `AF_UNSPEC` for both. The addresses are in the order in which the system prefers them;
 * an IPv6 address has no zone (`%eth0`) in its text.
 *
 * There are at most `LIBAE_RESOLVE_THREADS` threads in the process, none when there is nothing to look up, and they
 * get no signals. A numeric address needs none. If the loop is freed first, `proc` is called with `ECANCELED` by the
 * thread that frees it; it must not use the loop's functions then, except to read its data. In the child of a fork
 * nothing comes of what the parent has asked for.
 *
 * Returns a number above 0 for `libaeCancel`; `AE_ERR` with errno `EINVAL` (NULL loop, `name` or `proc`),
 * `EAFNOSUPPORT` (another family), `EAGAIN` (`LIBAE_RESOLVE_MAX` names wait already, or there can be no thread),
 * `ENOMEM`, `ECANCELED` (the loop is being freed), or as `aeWakeup`.
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread; `name` is NULL or a string; `proc` may be called with
 * `clientData`.
 */
long long libaeResolve(struct aeEventLoop *eventLoop,
                       const char *name,
                       int family,
                       libaeResolveProc *proc,
                       void *clientData);

/**
 * Connects to a port of a host without stopping the loop: looks up its addresses as `libaeResolve` does, and tries one
 * after the other, each in its time, until one accepts. Then the loop calls `proc` once with the connected socket,
 * which is non-blocking and the program's from then on; or, when there is none, with -1, an errno and the reason as
 * text, those of the last address. It is never called before this returns. While it connects, a socket below the set
 * size is watched for writable. There is no limit in time but the system's: a time event that calls `libaeCancel` sets
 * one.
 *
 * If the loop is freed first, `proc` is called with -1 and `ECANCELED`, as `libaeResolve` says.
 *
 * Returns a number above 0 for `libaeCancel`; `AE_ERR` with errno `EINVAL` (NULL loop, `name` or `proc`, no port), or
 * as `libaeResolve`.
 *
 * Requires: As for `libaeResolve`.
 */
long long libaeConnectName(struct aeEventLoop *eventLoop,
                           const char *name,
                           int port,
                           libaeConnectProc *proc,
                           void *clientData);

/**
 * Cancels what `libaeResolve` or `libaeConnectName` was asked for: its `proc` is not called, and a socket that was
 * connecting is closed. A thread that is looking the name up goes on until the system's resolver gives up.
 *
 * Returns `AE_OK`; `AE_ERR` with errno `EINVAL` (NULL loop) or `ENOENT` (it has ended, or is another loop's).
 *
 * Requires: `eventLoop` is NULL or a live loop of this thread.
 */
int libaeCancel(struct aeEventLoop *eventLoop,
                long long id);

/**
 * Reads the header of the PROXY protocol (version 1 or 2) that a connection starts with, into `proxy`, whose member
 * `size` is set. A server asks this of connections from proxies that it trusts alone, and of these always: anybody else
 * could say what they like. What comes behind the header is the connection's.
 *
 * Returns the header's length in bytes; 0 when it is not all there yet: ask again with more; -1 with errno `EPROTO` (it is
 * none, or longer than `LIBAE_PROXY_HEADER_MAX`: close the connection) or `EINVAL` (a NULL pointer, a `size` that is none).
 *
 * Requires: `data` is NULL or has `len` bytes; `proxy` is NULL or has as many as its member `size` says.
 */
int libaeParseProxy(const void *data,
                    size_t len,
                    struct libaeProxy *proxy);

/**
 * Listens. `address` is an IPv4 or IPv6 address or a name (NULL and `*`: every IPv4 address; two colons: every IPv6
 * address), or a unix socket: a path, which has a slash in it, or `@` and a name in the abstract namespace, which has
 * no file and is gone with its last descriptor (Linux). `port` is for TCP, 0: the system picks one. A name is looked
 * for among IPv4 addresses first. A file that is in a path's place stays there and is `EADDRINUSE`. `SO_REUSEADDR` is
 * set.
 *
 * Returns the descriptor, which is the caller's, non-blocking and close-on-exec unless `options` (NULL: none) say
 * otherwise, so that `connAcceptHandler` can have it; `ANET_ERR` with errno and the text in `err`.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes; `address` is NULL or a string; `options` is NULL or has as many
 * bytes as its member `size` says, in which strings are NULL or valid.
 */
int libaeListen(char *err,
                const char *address,
                int port,
                const struct libaeSocketOptions *options);

/**
 * Connects to `address` as `libaeListen` has it, an address, a name or a unix socket; `port` is for TCP. The socket
 * becomes writable when it is connected or has failed; `anetGetError` tells which. A unix socket whose queue is full
 * is `EAGAIN`.
 *
 * Returns the descriptor, which is the caller's, non-blocking and close-on-exec unless `options` (NULL: none) say
 * otherwise; `ANET_ERR` with errno and the text in `err`.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes; `address` is NULL or a string; `options` is NULL or has as many
 * bytes as its member `size` says, in which strings are NULL or valid.
 */
int libaeConnect(char *err,
                 const char *address,
                 int port,
                 const struct libaeSocketOptions *options);

/**
 * With `on` not 0, a TCP socket acknowledges what comes at once, otherwise later, together with data if there is some
 * (`TCP_QUICKACK`). The system changes that by itself: with the first reply it goes back to acknowledging later, so
 * whoever wants this for each request sets it again after each reply.
 *
 * Returns `AE_OK`; `AE_ERR` with errno, `EOPNOTSUPP` where the system has no such option, and the text in `err`.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes.
 */
int libaeSetQuickAck(char *err,
                     int fd,
                     int on);

/**
 * Who is at the other end of a unix socket: the process that connected, or for the one that connected the process that
 * listened, and its user and group at that time. Each goes where it is wanted (NULL: nowhere). The process is 0 where
 * the system does not tell (BSD, macOS) and where it is in another namespace; it may have ended, and its number be
 * another's.
 *
 * Returns `AE_OK`; `AE_ERR` with errno `EOPNOTSUPP` (no unix socket), `ENOTCONN` (one without a peer, such as one that
 * listens), `EBADF` or `ENOTSOCK`.
 *
 * Requires: `pid`, `uid` and `gid` are NULL or valid.
 */
int libaePeerCredentials(int fd,
                         pid_t *pid,
                         uid_t *uid,
                         gid_t *gid);

/**
 * Like `connConnect`, with `options` (NULL: none) for the socket, which is non-blocking whatever they say, and with
 * the reason of a failure in `err`. A TCP or TLS connection connects to a name or an address; one of the unix type to
 * a path, or to `@` and a name in the abstract namespace; up to redis-7.0, where one type does for both, `address` is
 * as for `libaeConnect`. Unlike with `connConnect`, a `source` that cannot be bound is an error.
 *
 * Returns `C_OK`; `C_ERR` with errno as `connConnect` and `libaeConnect`, and `EOPNOTSUPP` for a program's own type.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes; `conn` is NULL or a live connection of this thread, and
 * `handler` may be called with it; `address` is NULL or a string; `options` is NULL or has as many bytes as its member
 * `size` says, in which strings are NULL or valid.
 */
int libaeConnConnect(char *err,
                     struct connection *conn,
                     const char *address,
                     int port,
                     const struct libaeSocketOptions *options,
                     void (*handler)(struct connection *conn));

/**
 * Like `libaeConnConnect` to a port of a host whose name, or address, is looked up without stopping the loop, as
 * `libaeConnectName` does: its addresses are tried one after the other, each in its time, until one accepts. The
 * handler is called once, in the loop and never before this returns, as for `connConnect`: when the connection is
 * connected, over TLS after the handshake; or with `CONN_STATE_ERROR`, and in `last_errno` why the name has no address
 * (`EADDRNOTAVAIL`: there is none, `EAGAIN`) or the last address did not accept. Over TLS the name is what
 * `connConnect` takes the host for: sent to the server, and looked for in its certificate, as the configuration says.
 *
 * Until an address has accepted, the connection is in `CONN_STATE_CONNECTING` without a descriptor (`fd` is -1). Its
 * handlers can be set already; reads and writes fail with `EAGAIN`. There is no limit in time but the system's, and
 * for TLS that of a handshake from then on: a time event that calls `connClose` sets one. `connClose` ends it at any
 * time, without the handler. If the loop is deleted first, the handler is called with `ECANCELED` in `last_errno` by
 * the thread that deletes it; it must not use the loop's functions then.
 *
 * Of `options`, a `source` has to be an address: nothing waits for its name.
 *
 * Returns `C_OK`; `C_ERR` with errno as `libaeConnConnect` and `libaeConnectName` and the reason in `err`, and
 * `EOPNOTSUPP` for a connection of the unix type (up to redis-7.0, for `name` with a slash in it or `@` in front) and
 * for a program's own type.
 *
 * Requires: As for `libaeConnConnect`, with `name` for `address`.
 */
int libaeConnConnectName(char *err,
                         struct connection *conn,
                         const char *name,
                         int port,
                         const struct libaeSocketOptions *options,
                         void (*handler)(struct connection *conn));

/**
 * Like `connListen`, with `options` (NULL: none) for the sockets, which are non-blocking whatever they say, and with
 * the reason of a failure in `err`. The host's hooks `listen`, `unix_permissions` and `unix_group` and the listener's
 * `priv` are not asked; a listener of the unix type may have `@` and a name in the abstract namespace as an address.
 *
 * Returns `C_OK`; `C_ERR`, with the listener as it was, and errno as `connListen` and `libaeListen`, and `EOPNOTSUPP`
 * for a program's own type.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes; `listener` is NULL or a listener whose `bindaddr` holds
 * `bindaddr_count` strings; `options` is NULL or has as many bytes as its member `size` says, in which strings are
 * NULL or valid.
 */
int libaeConnListen(char *err,
                    struct connListener *listener,
                    const struct libaeSocketOptions *options);

/**
 * Which listener a connection came from: the `clientData` that the accept handler (`connAcceptHandler`) which took it
 * had been given to `aeCreateFileEvent` with, from the host's hook `accepted` on for as long as the connection lives.
 * It is the program's pointer, at which the library does not look: it stays the same when the listener is closed, and
 * what it leads to has to live as long as the program follows it.
 *
 * NULL for a connection that no accept handler of the library's has taken, and with errno `EINVAL` for NULL.
 *
 * Requires: `conn` is NULL or a live connection of this thread.
 */
void *libaeConnAcceptData(struct connection *conn);

/**
 * A new client's session over `fd`, with the configuration in force (`libaeTlsConfigure`, or upstream's structure).
 * Nothing is sent yet; `fd` may still be connecting. `server_name` is the name or address of the server, sent to it if
 * it is a name and, if the configuration asks for that, looked for in its certificate; NULL stands for none. The
 * configuration's own `server_name` comes first.
 *
 * For programs that connect and watch the socket themselves, as hiredis does: no loop and no connection of the
 * library's is involved. A session is used by one thread at a time. The descriptor stays the program's, and is neither
 * watched nor closed here; it may be blocking, and then the calls block. A program that uses one ignores `SIGPIPE`, as
 * with `write`.
 *
 * Returns the session, to be freed with `libaeTlsSessionFree`; NULL with errno `EINVAL` (`fd` is negative, or there is
 * no configuration with a CA), `EOPNOTSUPP` (a library without TLS) or `ENOMEM`, and the reason in `err` (NULL:
 * nowhere), cut to `err_len` bytes with the NUL.
 *
 * Requires: `server_name` is NULL or a string; `err` has room for `err_len` bytes.
 */
struct libaeTlsSession *libaeTlsSessionNew(int fd,
                                           const char *server_name,
                                           char *err,
                                           size_t err_len);

/**
 * `libaeTlsSessionNew` with a configuration beside the process's own. Sessions with the same one resume each other's.
 *
 * Returns as `libaeTlsSessionNew`, and NULL with errno `EINVAL` also for a NULL `context`.
 *
 * Requires: `context` is NULL or a configuration; `server_name` is NULL or a string; `err` has room for `err_len` bytes.
 */
struct libaeTlsSession *libaeTlsSessionNewWith(struct libaeTlsContext *context,
                                               int fd,
                                               const char *server_name,
                                               char *err,
                                               size_t err_len);

/**
 * Begins the handshake or goes on with it.
 *
 * Returns 0 when it is over: now data can be read and written; `AE_READABLE` or `AE_WRITABLE` when it goes on once the
 * descriptor is that; -1 with errno `EPROTO` (TLS failed), `EINTR` (call it again), `EINVAL` (NULL) or what the socket
 * answers. After a failure every call fails in the same way.
 *
 * Requires: `session` is NULL or a live session that no other thread uses.
 */
int libaeTlsSessionHandshake(struct libaeTlsSession *session);

/**
 * Reads up to `len` bytes. What has been received may be more than fits; then no poll of the descriptor tells of the
 * rest: read until `EAGAIN`, or as long as `libaeTlsSessionHasPending` says so.
 *
 * Returns how many; 0 at the end (and for a `len` of 0); -1 with errno `EAGAIN` (nothing there), `EINTR`, `ENOTCONN`
 * (the handshake is not over), `EPIPE` (after `libaeTlsSessionShutdown`), `EPROTO`, `EINVAL` (NULL) or what the socket
 * answers.
 *
 * Requires: `session` is NULL or a live session that no other thread uses; `buf` is NULL or has room for `len` bytes.
 */
ssize_t libaeTlsSessionRead(struct libaeTlsSession *session,
                            void *buf,
                            size_t len);

/**
 * Writes up to `len` bytes.
 *
 * Returns how many were taken; -1 with errno `EAGAIN` (the socket is full: call it again with the same data, or more
 * of it, when the descriptor is writable, since a part is already in records), `EINTR` (as `EAGAIN`), `ENOTCONN` (the
 * handshake is not over), `EPIPE` (after `libaeTlsSessionShutdown`, or the peer is gone), `EPROTO`, `EINVAL` (NULL) or
 * what the socket answers.
 *
 * Requires: `session` is NULL or a live session that no other thread uses; `data` is NULL or holds `len` bytes.
 */
ssize_t libaeTlsSessionWrite(struct libaeTlsSession *session,
                             const void *data,
                             size_t len);

/**
 * Returns 1 when `libaeTlsSessionRead` has something to give that was received before, else 0.
 *
 * Requires: `session` is NULL or a live session that no other thread uses.
 */
int libaeTlsSessionHasPending(struct libaeTlsSession *session);

/**
 * Tells the peer that nothing more comes (close_notify), if the socket takes that at once; call it before the
 * descriptor is closed. What has not been read is lost. Without it, or before the handshake is over, the peer only
 * sees the connection end.
 *
 * Requires: `session` is NULL or a live session that no other thread uses.
 */
void libaeTlsSessionShutdown(struct libaeTlsSession *session);

/**
 * Why the session has failed, as text that is valid until it is freed; NULL when it has not.
 *
 * Requires: `session` is NULL or a live session that no other thread uses.
 */
const char *libaeTlsSessionError(struct libaeTlsSession *session);

/**
 * Frees a session. Nothing is sent; the descriptor, which may be closed already, stays as it is.
 *
 * Requires: `session` is NULL or a live session, which is not used afterwards.
 */
void libaeTlsSessionFree(struct libaeTlsSession *session);

/**
 * A configuration of TLS beside the process's own (`libaeTlsConfigure`), which stays as it is. `libaeTlsSetContext`
 * gives it to a connection, `libaeTlsSetListenerContext` to all that a listening socket accepts, and
 * `libaeTlsSessionNewWith` makes a session with it. Its `auth_clients` decides for their clients, whatever
 * `conn_create_accepted` and the hook `tls_auth_clients` say.
 *
 * A configuration may be used in any number of threads at once, as may all functions that take one, except that nobody
 * uses it after `libaeTlsContextFree`.
 *
 * Returns the configuration, to be freed with `libaeTlsContextFree`; NULL with errno `EINVAL` (a setting cannot be
 * used, or `config` is NULL) or `EOPNOTSUPP` (a library without TLS), and the reason in `err` (NULL: nowhere), cut to
 * `err_len` bytes with the NUL. `max_handshakes` is of the whole process, and refused here.
 *
 * Requires: `config` is NULL or points to `config->size` bytes, in which the strings are NULL or valid; `err` has room for
 * `err_len` bytes.
 */
struct libaeTlsContext *libaeTlsContextNew(const struct libaeTlsConfig *config,
                                           char *err,
                                           size_t err_len);

/**
 * Reads the files of a configuration anew, for connections that begin from now on; those that there are keep what they
 * were made with. Nobody else waits meanwhile, so another thread than a loop's may do it. When something cannot be
 * used, all stays as it was. Sessions of before cannot be resumed afterwards.
 *
 * Returns `AE_OK`; `AE_ERR` with errno `EINVAL` (NULL, or a file that cannot be used), and the reason in `err` (NULL:
 * nowhere), cut to `err_len` bytes with the NUL.
 *
 * Requires: `context` is NULL or a configuration; `err` has room for `err_len` bytes.
 */
int libaeTlsContextReload(struct libaeTlsContext *context,
                          char *err,
                          size_t err_len);

/**
 * Frees a configuration. Connections and listening sockets that have it keep it.
 *
 * Requires: `context` is NULL or came from `libaeTlsContextNew`, and is not used afterwards.
 */
void libaeTlsContextFree(struct libaeTlsContext *context);

/**
 * Has clients that ask for a server of this name (SNI) served with another configuration: by the connections that have
 * `context` and accept from now on. `name` is a name of a host, or has `*.` in front: then the first part of what is
 * asked for may be anything; a whole name comes first. Capitals do not matter. Who asks for another name, or for none,
 * is served with `context` itself. A name that is there already gets the new configuration; with NULL for `other` it
 * is removed. `other` stays in use until then, freed or not, and is reloaded by itself; names that were added to it do
 * not count here.
 *
 * Returns `AE_OK`; `AE_ERR` with errno `EINVAL` (NULL for `context` or `name`, no name of a host, or `other` has no
 * certificate).
 *
 * Requires: `context` is NULL or a configuration, as is `other`; `name` is NULL or a string.
 */
int libaeTlsContextAddName(struct libaeTlsContext *context,
                           const char *name,
                           struct libaeTlsContext *other);

/**
 * Gives a connection its configuration: one that is to be connected before `connConnect`, one that has been accepted
 * before `connAccept`, for instance in the hook `accepted`. It keeps it for each `connConnect` to come. An accepted
 * one may have been created without any configuration in the process: then it was in `CONN_STATE_ERROR`, and is in
 * `CONN_STATE_ACCEPTING` afterwards.
 *
 * Returns `AE_OK`; `AE_ERR`, with nothing changed, and errno `EALREADY` (the handshake has begun), `EOPNOTSUPP` (not a
 * connection over TLS, or a library without) or `EINVAL` (NULL, or a configuration without a certificate to accept
 * with).
 *
 * Requires: `conn` is NULL or a live connection of this thread; `context` is NULL or a configuration.
 */
int libaeTlsSetContext(struct connection *conn,
                       struct libaeTlsContext *context);

/**
 * Gives all connections that the library's accept handler for TLS takes from a listening socket from now on a
 * configuration; NULL: the process's again. A `connListener` has the descriptors of its sockets in `fd`. A closed
 * socket's configuration is forgotten when its number is used again, or with NULL before.
 *
 * Returns `AE_OK`; `AE_ERR` with errno `EBADF` (no descriptor), or `EOPNOTSUPP`: a library without TLS, or a profile
 * up to redis-7.0, where programs accept themselves and use `libaeTlsSetContext`.
 *
 * Requires: `context` is NULL or a configuration.
 */
int libaeTlsSetListenerContext(int fd,
                               struct libaeTlsContext *context);

/**
 * The version of the protocol, "TLSv1.2" or "TLSv1.3", as a static string.
 *
 * Returns NULL with errno `ENOTCONN` (the handshake is not over), `EOPNOTSUPP` (not a connection over TLS, or a
 * library without) or `EINVAL` (NULL).
 *
 * Requires: `conn` is NULL or a live connection of this thread.
 */
const char *libaeTlsVersion(struct connection *conn);

/**
 * OpenSSL's name of the cipher suite, as a static string: "ECDHE-RSA-AES128-GCM-SHA256" or "TLS_AES_128_GCM_SHA256"
 * for example. In TLS 1.3 that is IANA's as well.
 *
 * Returns NULL with errno as `libaeTlsVersion`.
 *
 * Requires: `conn` is NULL or a live connection of this thread.
 */
const char *libaeTlsCipher(struct connection *conn);

/**
 * Whether the handshake has resumed an earlier session: 1 or 0.
 *
 * Returns -1 with errno as `libaeTlsVersion`.
 *
 * Requires: `conn` is NULL or a live connection of this thread.
 */
int libaeTlsResumed(struct connection *conn);

/**
 * The protocol of the application that both sides have agreed on (ALPN). It is written into `buf` (NULL: nowhere), cut
 * to `len` bytes with the NUL.
 *
 * Returns the length of the whole name; -1 with errno `ENODATA` (there is none), `EILSEQ` (it has a NUL byte inside)
 * or as `libaeTlsVersion`.
 *
 * Requires: `conn` is NULL or a live connection of this thread; `buf` is NULL or has room for `len` bytes.
 */
int libaeTlsAlpn(struct connection *conn,
                 char *buf,
                 size_t len);

/**
 * The name of the server that the client has asked for (SNI), on either side. It is written into `buf` (NULL:
 * nowhere), cut to `len` bytes with the NUL.
 *
 * Returns the length of the whole name; -1 with errno `ENODATA` (it has asked for none, as for an address) or as
 * `libaeTlsVersion`.
 *
 * Requires: `conn` is NULL or a live connection of this thread; `buf` is NULL or has room for `len` bytes.
 */
int libaeTlsServerName(struct connection *conn,
                       char *buf,
                       size_t len);

/**
 * The peer's certificate as DER; `connGetPeerCert` gives it as PEM. It is written into `buf` if all of it fits into
 * `len` bytes; NULL: nowhere.
 *
 * Returns the length of the certificate, which is above `len` when nothing was written; -1 with errno `ENODATA` (the
 * peer has shown none) or as `libaeTlsVersion`.
 *
 * Requires: `conn` is NULL or a live connection of this thread; `buf` is NULL or has room for `len` bytes.
 */
ssize_t libaeTlsPeerCertificate(struct connection *conn,
                                void *buf,
                                size_t len);

/**
 * A name in the peer's certificate: the one with number `index`, from 0 on, of a kind, one of the `LIBAE_TLS_NAME_`
 * values. It is written into `buf` (NULL: nowhere), cut to `len` bytes with the NUL. A server checks it only if its
 * configuration asks clients for certificates.
 *
 * Returns the length of the whole name; -1 with errno `ENODATA` (the peer has shown no certificate, or there are not
 * so many such names), `EILSEQ` (the name has a NUL byte inside, and so belongs to nobody), `EINVAL` (NULL, or no such
 * kind) or as `libaeTlsVersion`.
 *
 * Requires: `conn` is NULL or a live connection of this thread; `buf` is NULL or has room for `len` bytes.
 */
int libaeTlsPeerName(struct connection *conn,
                     int kind,
                     int index,
                     char *buf,
                     size_t len);

#ifdef __cplusplus
} /* extern "C" */
#endif /* __cplusplus */

#endif  /* LIBAE_LIBAE_H */
