/** connection.h: connections of any type. Part of libae, under the MIT licence. */

#ifndef LIBAE_CONNECTION_H
#define LIBAE_CONNECTION_H

/* Generated from src/abi and src/ffi by `make headers`; do not edit. */

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include "ae.h"

struct connection;
struct ConnectionType;

/** The name of the built-in type for TCP sockets. */
#define CONN_TYPE_SOCKET "tcp"
/** The name of the built-in type for unix sockets. */
#define CONN_TYPE_UNIX "unix"
/** The name of the TLS type. */
#define CONN_TYPE_TLS "tls"

/** The state of a connection. */
typedef enum {
    /** Created, not connected yet. */
    CONN_STATE_NONE = 0,
    /** A connect is under way. */
    CONN_STATE_CONNECTING,
    /** Accepted by the listener, `connAccept` not called yet. */
    CONN_STATE_ACCEPTING,
    /** Ready for reading and writing. */
    CONN_STATE_CONNECTED,
    /** The peer closed it. */
    CONN_STATE_CLOSED,
    /** Failed; `last_errno` says why. */
    CONN_STATE_ERROR
} ConnectionState;

/** Success. */
#ifndef C_OK
#define C_OK 0
#endif

/** Failure. */
#ifndef C_ERR
#define C_ERR -1
#endif

/** `connection.flags`: closed inside a handler, freed once the handler returns. */
#define CONN_FLAG_CLOSE_SCHEDULED 1

/** `connection.flags`: the write handler runs before the read handler. */
#define CONN_FLAG_WRITE_BARRIER 2

/** Enough bytes for what `connGetInfo` writes. */
#define CONN_INFO_LEN 32

/** How many connection types can be registered. */
#define CONN_TYPE_MAX 8

/** How many addresses one listener can have. */
#ifndef CONFIG_BINDADDR_MAX
#define CONFIG_BINDADDR_MAX 16
#endif

/** Enough bytes for any address as text: an IPv6 address with a scope, or a unix socket's name. */
#define CONN_ADDR_STR_LEN 128

/** The sockets that listen for one connection type. */
typedef struct connListener {
    /** The listening descriptors, `count` of them. */
    int fd[CONFIG_BINDADDR_MAX];
    /** How many descriptors listen. */
    int count;
    /** The addresses to bind: `bindaddr_count` strings, owned by the caller. */
    char **bindaddr;
    /** How many addresses there are. */
    int bindaddr_count;
    /** The TCP port. */
    int port;
    /** The connection type. */
    struct ConnectionType *ct;
    /** Type specific: for the unix type NULL, or a `mode_t *` with the socket's permissions. */
    void *priv;
} connListener;

/** A connection's callback. */
typedef void (*ConnectionCallbackFunc)(struct connection *conn);

/** What a connection type offers. Members that a type does not need are NULL. */
typedef struct ConnectionType {
    /** The type's name, for a connection or for NULL. */
    const char *(*get_type)(struct connection *conn);
    /** Called once when the type is registered. */
    void (*init)(void);
    /** Called by `connTypeCleanupAll`. */
    void (*cleanup)(void);
    /** Takes a type specific configuration. */
    int (*configure)(void *priv, int reconfigure);
    /** The event loop's callback for a connection's descriptor. */
    void (*ae_handler)(aeEventLoop *el, int fd, void *clientData, int mask);
    /** The event loop's callback for a listening descriptor. */
    aeFileProc *accept_handler;
    /** A connection's own or remote address. */
    int (*addr)(struct connection *conn, char *ip, size_t ip_len, int *port, int remote);
    /** Whether the peer is on this machine. */
    int (*is_local)(struct connection *conn);
    /** Opens a listener's sockets. */
    int (*listen)(struct connListener *listener);
    /** A new connection to be connected. */
    struct connection *(*conn_create)(void);
    /** A new connection over an accepted descriptor. */
    struct connection *(*conn_create_accepted)(int fd, void *priv);
    /** Shuts both directions down. */
    void (*shutdown)(struct connection *conn);
    /** Closes and frees. */
    void (*close)(struct connection *conn);
    /** Starts to connect. */
    int (*connect)(struct connection *conn,
                   const char *addr,
                   int port,
                   const char *source_addr,
                   ConnectionCallbackFunc connect_handler);
    /** Connects, waiting up to `timeout` milliseconds. */
    int (*blocking_connect)(struct connection *conn, const char *addr, int port, long long timeout);
    /** Ends an accept. */
    int (*accept)(struct connection *conn, ConnectionCallbackFunc accept_handler);
    /** Writes. */
    int (*write)(struct connection *conn, const void *data, size_t data_len);
    /** Writes several buffers. */
    int (*writev)(struct connection *conn, const struct iovec *iov, int iovcnt);
    /** Reads. */
    int (*read)(struct connection *conn, void *buf, size_t buf_len);
    /** Sets or removes the write handler. */
    int (*set_write_handler)(struct connection *conn, ConnectionCallbackFunc handler, int barrier);
    /** Sets or removes the read handler. */
    int (*set_read_handler)(struct connection *conn, ConnectionCallbackFunc handler);
    /** The last error as text. */
    const char *(*get_last_error)(struct connection *conn);
    /** Writes all, waiting up to `timeout` milliseconds. */
    ssize_t (*sync_write)(struct connection *conn, char *ptr, ssize_t size, long long timeout);
    /** Reads all, waiting up to `timeout` milliseconds. */
    ssize_t (*sync_read)(struct connection *conn, char *ptr, ssize_t size, long long timeout);
    /** Reads a line, waiting up to `timeout` milliseconds. */
    ssize_t (*sync_readline)(struct connection *conn, char *ptr, ssize_t size, long long timeout);
    /** Whether the type holds data that the kernel no longer reports. */
    int (*has_pending_data)(void);
    /** Runs the handlers of connections with such data. */
    int (*process_pending_data)(void);
    /** The peer's certificate as an owned string. */
    char *(*get_peer_cert)(struct connection *conn);
} ConnectionType;

/** A connection of any type. Embedded as the first member by types that need more. */
typedef struct connection {
    /** The type's function table. */
    struct ConnectionType *type;
    /** One of the `CONN_STATE_` values. */
    ConnectionState state;
    /** The `errno` of the last failed operation. */
    int last_errno;
    /** The descriptor, -1 when there is none. */
    int fd;
    /** Any of the `CONN_FLAG_` bits. */
    short flags;
    /** How many handlers of this connection are running. */
    short refs;
    /** How many buffers one `writev` takes. */
    unsigned short iovcnt;
    /** The owner's data. */
    void *private_data;
    /** Runs once, when a connect or an accept has ended. */
    ConnectionCallbackFunc conn_handler;
    /** Runs when writable. */
    ConnectionCallbackFunc write_handler;
    /** Runs when readable. */
    ConnectionCallbackFunc read_handler;
} connection;

/**
 * What upstream's TLS type takes in `connTypeConfigure` (up to redis-7.0: in `tlsConfigure`); Valkey calls it
 * `serverTLSContextConfig`. File names and texts are strings or NULL. Redis 6.2.0 and 6.2.1 lack the passphrases: see
 * `libaeHost.tls_config_size`.
 */
typedef struct redisTLSContextConfig {
    /** The certificate as PEM, with the chain below the CA behind it; also the client's, if it has none of its own. */
    char *cert_file;
    /** Its private key, as PEM. */
    char *key_file;
    /** The passphrase of `key_file`. */
    char *key_file_pass;
    /** The certificate to show as a client. */
    char *client_cert_file;
    /** Its private key. */
    char *client_key_file;
    /** The passphrase of `client_key_file`. */
    char *client_key_file_pass;
    /** DH parameters: refused, there is no such key exchange here. */
    char *dh_params_file;
    /** The certificates of the CAs that peers' certificates are checked with. */
    char *ca_cert_file;
    /** A folder of such certificates, under the names that `openssl rehash` gives them. */
    char *ca_cert_dir;
    /** "TLSv1.2", "TLSv1.3" or both with a space between; NULL for both. */
    char *protocols;
    /** The cipher suites of TLS 1.2, as OpenSSL writes such a list; NULL for the default. */
    char *ciphers;
    /** The cipher suites of TLS 1.3, with colons between them; NULL for the default. */
    char *ciphersuites;
    /** Whether the server's order of cipher suites decides instead of the client's. */
    int prefer_server_ciphers;
    /** Whether sessions can be resumed. */
    int session_caching;
    /** How many sessions are kept; 0 for as many as it takes. */
    int session_cache_size;
    /** For how many seconds. */
    int session_cache_timeout;
} redisTLSContextConfig;

#ifdef __cplusplus
extern "C" {
#endif /* __cplusplus */

/**
 * A new connection, to be connected. The caller owns it and frees it with `connClose`.
 *
 * Returns it; NULL with errno `EINVAL` (NULL, or a type that cannot) or `ENOMEM`.
 *
 * Requires: `ct` is NULL or a connection type.
 */
struct connection *connCreate(struct ConnectionType *ct);

/**
 * A new connection over the accepted descriptor `fd`, which it owns from now on, in `CONN_STATE_ACCEPTING`.
 * `priv` is type specific, NULL for TCP and unix sockets. Errors as `connCreate`; then `fd` stays the caller's.
 *
 * Requires: `ct` is NULL or a connection type.
 */
struct connection *connCreateAccepted(struct ConnectionType *ct,
                                      int fd,
                                      void *priv);

/**
 * Configures a connection type; with `reconfigure` not 0 again.
 *
 * Returns `C_OK`; `C_ERR` with errno, `EINVAL` for NULL and for a type that takes no configuration, like TCP and
 * unix sockets.
 *
 * Requires: `ct` is NULL or a connection type; `priv` is what its configuration expects.
 */
int connTypeConfigure(struct ConnectionType *ct,
                      void *priv,
                      int reconfigure);

/**
 * Opens a listener's sockets: fills `fd` and `count`. For the TCP type through the host's `listen` hook.
 *
 * Returns `C_OK`; `C_ERR` with errno.
 *
 * Requires: `listener` is NULL or a listener whose `bindaddr` holds `bindaddr_count` strings.
 */
int connListen(struct connListener *listener);

/**
 * The callback for a listening descriptor of this type, to be given to `aeCreateFileEvent`; NULL when there is
 * none. It accepts until nobody waits, so the descriptor has to be non-blocking: `connListen` makes it so,
 * `anetTcpServer` and its like do not.
 *
 * Requires: `ct` is NULL or a connection type.
 */
aeFileProc *connAcceptHandler(struct ConnectionType *ct);

/**
 * Registers a connection type under the name that its `get_type` gives for NULL, and calls its `init`. The table
 * is not copied: it must stay.
 *
 * Returns `C_OK`; `C_ERR` with errno `EINVAL` (NULL, or no name), `EEXIST` (the name is taken, whatever its case) or
 * `ENOSPC` (`CONN_TYPE_MAX` types are registered).
 *
 * Requires: `ct` is NULL or a connection type that is never freed.
 */
int connTypeRegister(struct ConnectionType *ct);

/**
 * Registers the built-in types "tcp" and "unix"; calling it again is harmless. Then calls the functions that register
 * "tls" and the like, which a program may bring itself; whether these succeed does not matter here.
 *
 * Returns `C_OK`; `C_ERR` with errno when another type has taken a name.
 */
int connTypeInitialize(void);

/**
 * Registers the built-in type "tcp".
 *
 * Returns `C_OK`; `C_ERR` with errno `EEXIST` when the name is taken.
 */
int RedisRegisterConnectionTypeSocket(void);

/**
 * Registers the built-in type "unix".
 *
 * Returns `C_OK`; `C_ERR` with errno `EEXIST` when the name is taken.
 */
int RedisRegisterConnectionTypeUnix(void);

/**
 * Registers the built-in type "tls"; calling it again is harmless. libae.a has it as a weak symbol, so that a fork's
 * own tls.o takes its place.
 *
 * Returns `C_OK`; `C_ERR` with errno `EEXIST` when the name is taken, or `EOPNOTSUPP` in a library that has been built
 * without TLS.
 */
int RedisRegisterConnectionTypeTLS(void);

/**
 * The registered type of that name, whatever its case.
 *
 * Returns it; NULL with errno `ENOENT`, or `EINVAL` for NULL.
 *
 * Requires: `type_name` is NULL or a string.
 */
struct ConnectionType *connectionByType(const char *type_name);

/**
 * The index of the registered type of that name: 0 to `CONN_TYPE_MAX - 1`, in the order of registration.
 *
 * Returns it; -1 with errno as `connectionByType`.
 *
 * Requires: `type_name` is NULL or a string.
 */
int connectionIndexByType(const char *type_name);

/** The registered type "tcp", NULL when there is none. */
struct ConnectionType *connectionTypeTcp(void);

/** The registered type "tls", NULL when there is none. */
struct ConnectionType *connectionTypeTls(void);

/** The registered type "unix", NULL when there is none. */
struct ConnectionType *connectionTypeUnix(void);

/** Calls the `cleanup` of every registered type. */
void connTypeCleanupAll(void);

/** Whether any type holds data that the kernel no longer reports: then the loop must not wait. 1 or 0. */
int connTypeHasPendingData(void);

/** Runs the handlers of connections with such data. Returns how many. */
int connTypeProcessPendingData(void);

/**
 * Shuts both directions of the socket down; the peer sees the end of the input. The connection stays to be
 * closed.
 *
 * Requires: `conn` is NULL or a live connection of this thread.
 */
void connShutdown(struct connection *conn);

/**
 * Starts to connect to `addr`, a name or an address (for the unix type a path), from `src_addr` (NULL: any).
 * `connect_handler` runs once, when it is connected (`CONN_STATE_CONNECTED`) or has failed
 * (`CONN_STATE_ERROR`). A connection that has failed or was closed by the peer may connect again; it then no
 * longer has a read or a write handler.
 *
 * Returns `C_OK`; `C_ERR` with the state `CONN_STATE_ERROR`, errno and `last_errno` when it failed at once, then
 * the handler does not run; `C_ERR` with errno `EALREADY` or `EISCONN` when it is connecting or connected.
 *
 * Requires: `conn` is NULL or a live connection of this thread; the strings are NULL or strings; the handler may be called with
 * the connection.
 */
int connConnect(struct connection *conn,
                const char *addr,
                int port,
                const char *src_addr,
                ConnectionCallbackFunc connect_handler);

/**
 * Connects, waiting for at most `timeout` milliseconds (below 0: forever). Afterwards the descriptor is
 * non-blocking.
 *
 * Returns `C_OK`; `C_ERR` with the state `CONN_STATE_ERROR` and `last_errno` (`ETIMEDOUT` when the time is over:
 * upstream returns `C_OK` then).
 *
 * Requires: `conn` is NULL or a live connection of this thread; the strings are NULL or strings.
 */
int connBlockingConnect(struct connection *conn,
                        const char *addr,
                        int port,
                        long long timeout);

/**
 * Ends the accept of a connection that the listener delivered: for TCP and unix sockets at once. The handler,
 * when not NULL, runs once, possibly before this returns, and may close the connection.
 *
 * Returns `C_OK`; `C_ERR` when the connection is not in `CONN_STATE_ACCEPTING` (errno `EINVAL`), or when the
 * handler has closed it: then it is still there, and the caller frees it with `connClose`.
 *
 * Requires: `conn` is NULL or a live connection of this thread; the handler may be called with it.
 */
int connAccept(struct connection *conn, ConnectionCallbackFunc accept_handler);

/**
 * Writes up to `data_len` bytes.
 *
 * Returns how many were taken; -1 with errno: `EAGAIN` when the socket is full; others also go to `last_errno` and,
 * except for `EINTR`, turn a connected connection to `CONN_STATE_ERROR`.
 *
 * After `EAGAIN` the next call brings the same bytes again, with or without more behind them, as OpenSSL demands: a
 * connection over TLS has already encrypted them, sends those, and then counts as many of the new call's bytes as
 * taken without looking at them. Other bytes in their place are lost. Fewer bytes than before are answered with
 * `EAGAIN`.
 *
 * Requires: `conn` is NULL or a live connection of this thread; `data` is NULL or holds `data_len` bytes.
 */
int connWrite(struct connection *conn,
              const void *data,
              size_t data_len);

/**
 * Like `connWrite`, from `iovcnt` buffers.
 *
 * Requires: `conn` is NULL or a live connection of this thread; `iov` is NULL or holds `iovcnt` elements.
 */
int connWritev(struct connection *conn, const struct iovec *iov, int iovcnt);

/**
 * Reads up to `buf_len` bytes.
 *
 * Returns how many were read; 0 when the peer has closed (`CONN_STATE_CLOSED`); -1 with errno as `connWrite`.
 *
 * Requires: `conn` is NULL or a live connection of this thread; `buf` is NULL or has room for `buf_len` bytes.
 */
int connRead(struct connection *conn, void *buf, size_t buf_len);

/**
 * Runs `func` whenever the connection is writable; NULL stops that.
 *
 * Returns `C_OK`; `C_ERR` with errno as `aeCreateFileEvent`.
 *
 * Requires: `conn` is NULL or a live connection of this thread; the handler may be called with it.
 */
int connSetWriteHandler(struct connection *conn, ConnectionCallbackFunc func);

/**
 * Like `connSetWriteHandler`; with `barrier` not 0 it runs before the read handler when both are due, so that
 * what a read handler produced is never written in the same iteration.
 *
 * Requires: `conn` is NULL or a live connection of this thread; the handler may be called with it.
 */
int connSetWriteHandlerWithBarrier(struct connection *conn, ConnectionCallbackFunc func, int barrier);

/**
 * Runs `func` whenever the connection is readable or closed by the peer; NULL stops that.
 *
 * Returns `C_OK`; `C_ERR` with errno as `aeCreateFileEvent`.
 *
 * Requires: `conn` is NULL or a live connection of this thread; the handler may be called with it.
 */
int connSetReadHandler(struct connection *conn, ConnectionCallbackFunc func);

/**
 * Writes all `size` bytes, waiting for at most `timeout` milliseconds in all.
 *
 * Returns `size`; -1 with errno, `ETIMEDOUT` when the time is over.
 *
 * Requires: `conn` is NULL or a live connection of this thread; `ptr` is NULL or valid for `size` bytes.
 */
ssize_t connSyncWrite(struct connection *conn, const char *ptr, ssize_t size, long long timeout);

/**
 * Reads exactly `size` bytes, waiting for at most `timeout` milliseconds in all.
 *
 * Returns `size`; -1 with errno: `ETIMEDOUT` when the time is over, `ECONNRESET` when the peer has closed.
 *
 * Requires: `conn` is NULL or a live connection of this thread; `ptr` is NULL or valid for `size` bytes.
 */
ssize_t connSyncRead(struct connection *conn, char *ptr, ssize_t size, long long timeout);

/**
 * Reads up to a newline, or `size - 1` bytes, waiting for at most `timeout` milliseconds for each byte. The text
 * is terminated; the newline and a carriage return before it are left out.
 *
 * Returns the length, in which a carriage return that was left out counts; -1 with errno as `connSyncRead`.
 *
 * Requires: `conn` is NULL or a live connection of this thread; `ptr` is NULL or valid for `size` bytes.
 */
ssize_t connSyncReadLine(struct connection *conn,
                         char *ptr,
                         ssize_t size,
                         long long timeout);

/**
 * Closes the connection and frees it; inside one of its handlers, once that returns. NULL is ignored.
 *
 * Requires: `conn` is NULL or a live connection of this thread.
 */
void connClose(struct connection *conn);

/**
 * The text of the last error, valid until the next call in this thread.
 *
 * Requires: `conn` is NULL or a live connection of this thread.
 */
const char *connGetLastError(struct connection *conn);

/**
 * Whether the last error was an interruption (`EINTR`), so that the call can be repeated: 1 or 0.
 *
 * Requires: `conn` is NULL or a live connection of this thread.
 */
int connLastErrorRetryable(struct connection *conn);

/**
 * The connection's state, one of the `CONN_STATE_` values; -1 with errno `EINVAL` for NULL.
 *
 * Requires: `conn` is NULL or a live connection of this thread.
 */
int connGetState(struct connection *conn);

/**
 * Whether a write handler is set: 1 or 0.
 *
 * Requires: `conn` is NULL or a live connection of this thread.
 */
int connHasWriteHandler(struct connection *conn);

/**
 * Whether a read handler is set: 1 or 0.
 *
 * Requires: `conn` is NULL or a live connection of this thread.
 */
int connHasReadHandler(struct connection *conn);

/**
 * Stores the owner's data; the library does not look at it.
 *
 * Requires: `conn` is NULL or a live connection of this thread.
 */
void connSetPrivateData(struct connection *conn, void *data);

/**
 * The owner's data.
 *
 * Requires: `conn` is NULL or a live connection of this thread.
 */
void *connGetPrivateData(struct connection *conn);

/**
 * Writes a short description for a log, like "fd=8", to `buf`, cut to `buf_len` bytes and terminated; of NULL
 * "fd=-1". Returns `buf`.
 *
 * Requires: `conn` is NULL or a live connection of this thread; `buf` is NULL or has room for `buf_len` bytes.
 */
const char *connGetInfo(struct connection *conn, char *buf, size_t buf_len);

/**
 * Makes the connection's descriptor blocking.
 *
 * Returns `C_OK`; `C_ERR` with errno, `EBADF` for a connection without descriptor.
 *
 * Requires: `conn` is NULL or a live connection of this thread.
 */
int connBlock(struct connection *conn);

/**
 * Makes the connection's descriptor non-blocking.
 *
 * Returns `C_OK`; `C_ERR` with errno, `EBADF` for a connection without descriptor.
 *
 * Requires: `conn` is NULL or a live connection of this thread.
 */
int connNonBlock(struct connection *conn);

/**
 * Sends small segments at once (`TCP_NODELAY`).
 *
 * Returns `C_OK`; `C_ERR` with errno, `EBADF` for a connection without descriptor.
 *
 * Requires: `conn` is NULL or a live connection of this thread.
 */
int connEnableTcpNoDelay(struct connection *conn);

/**
 * Gathers small segments (no `TCP_NODELAY`).
 *
 * Returns `C_OK`; `C_ERR` with errno, `EBADF` for a connection without descriptor.
 *
 * Requires: `conn` is NULL or a live connection of this thread.
 */
int connDisableTcpNoDelay(struct connection *conn);

/**
 * As `anetKeepAlive`, `interval` in seconds.
 *
 * Returns `C_OK`; `C_ERR` with errno, `EBADF` for a connection without descriptor.
 *
 * Requires: `conn` is NULL or a live connection of this thread.
 */
int connKeepAlive(struct connection *conn, int interval);

/**
 * As `anetSendTimeout`, `ms` in milliseconds.
 *
 * Returns `C_OK`; `C_ERR` with errno, `EBADF` for a connection without descriptor.
 *
 * Requires: `conn` is NULL or a live connection of this thread.
 */
int connSendTimeout(struct connection *conn, long long ms);

/**
 * As `anetRecvTimeout`, `ms` in milliseconds.
 *
 * Returns `C_OK`; `C_ERR` with errno, `EBADF` for a connection without descriptor.
 *
 * Requires: `conn` is NULL or a live connection of this thread.
 */
int connRecvTimeout(struct connection *conn, long long ms);

/**
 * The name of the connection's type: "tcp", "unix", "tls" or a registered one; NULL for NULL.
 *
 * Requires: `conn` is NULL or a live connection of this thread.
 */
const char *connGetType(struct connection *conn);

/**
 * The address of one end of the connection: the remote end when `remote` is not 0, else the own one. As
 * `anetFdToString`.
 *
 * Returns `C_OK`; `C_ERR` with errno, also in `last_errno`.
 *
 * Requires: `conn` is NULL or a live connection of this thread; `ip` is NULL or has room for `ip_len` bytes; `port` is NULL or
 * valid.
 */
int connAddr(struct connection *conn,
             char *ip,
             size_t ip_len,
             int *port,
             int remote);

/**
 * `connAddr` of the remote end.
 *
 * Requires: `conn` is NULL or a live connection of this thread; `ip` is NULL or has room for `ip_len` bytes; `port` is NULL or
 * valid.
 */
int connAddrPeerName(struct connection *conn,
                     char *ip,
                     size_t ip_len,
                     int *port);

/**
 * `connAddr` of the own end.
 *
 * Requires: `conn` is NULL or a live connection of this thread; `ip` is NULL or has room for `ip_len` bytes; `port` is NULL or
 * valid.
 */
int connAddrSockName(struct connection *conn,
                     char *ip,
                     size_t ip_len,
                     int *port);

/**
 * Writes `ip:port`, or `[ip]:port` for IPv6, to `buf`, cut to `buf_len` bytes and terminated.
 *
 * Returns the length of the whole text; -1 with errno `EINVAL` for a NULL pointer.
 *
 * Requires: `buf` is NULL or has room for `buf_len` bytes; `ip` is NULL or a string.
 */
int formatAddr(char *buf, size_t buf_len, const char *ip, int port);

/**
 * The address of one end of the connection as `formatAddr` writes it.
 *
 * Returns the length of the whole text; -1 with errno.
 *
 * Requires: `conn` is NULL or a live connection of this thread; `buf` is NULL or has room for `buf_len` bytes.
 */
int connFormatAddr(struct connection *conn, char *buf, size_t buf_len, int remote);

/**
 * Whether the peer is on this machine: 1 or 0, -1 when that is not known.
 *
 * Requires: `conn` is NULL or a live connection of this thread.
 */
int connIsLocal(struct connection *conn);

/**
 * The certificate of a TLS peer as an owned string (see `libaeHost.new_string`); NULL when there is none, as
 * for TCP and unix sockets.
 *
 * Requires: `conn` is NULL or a live connection of this thread.
 */
char *connGetPeerCert(struct connection *conn);

/**
 * Whether the connection is of the TLS type: 1 or 0.
 *
 * Requires: `conn` is NULL or a live connection of this thread.
 */
int connIsTLS(struct connection *conn);

#ifdef __cplusplus
} /* extern "C" */
#endif /* __cplusplus */

#endif  /* LIBAE_CONNECTION_H */
