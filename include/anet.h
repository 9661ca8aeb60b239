/** anet.h: socket helpers. Part of libae, under the MIT licence. */

#ifndef LIBAE_ANET_H
#define LIBAE_ANET_H

/* Generated from src/abi and src/ffi by `make headers`; do not edit. */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Success. */
#define ANET_OK 0

/** Failure; `errno` and the error text say why. */
#define ANET_ERR (-1)

/** The size in bytes of the error text that every `char *err` must have room for. */
#define ANET_ERR_LEN 256

/** No flags. */
#define ANET_NONE 0

/** `anetResolve`: accept numeric addresses only, never ask the resolver. */
#define ANET_IP_ONLY 1

/** `anetResolve`: an IPv4 address if there is one. With both preferences or none, the system's order. */
#define ANET_PREFER_IPV4 2

/** `anetResolve`: an IPv6 address if there is one. */
#define ANET_PREFER_IPV6 4

#ifdef __cplusplus
extern "C" {
#endif /* __cplusplus */

/**
 * Makes `fd` non-blocking.
 *
 * Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes.
 */
int anetNonBlock(char *err, int fd);

/**
 * Makes `fd` blocking.
 *
 * Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes.
 */
int anetBlock(char *err, int fd);

/**
 * Makes `fd` non-blocking when `non_block` is not 0, else blocking.
 *
 * Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes.
 */
int anetSetBlock(char *err, int fd, int non_block);

/**
 * Whether `fd` is blocking: 1 or 0.
 *
 * Returns `ANET_ERR` with errno and the text in `err` when it is not open.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes.
 */
int anetIsBlock(char *err, int fd);

/**
 * Closes `fd` on exec.
 *
 * Returns `ANET_OK`; `ANET_ERR` with errno.
 */
int anetCloexec(int fd);

/**
 * Sends small segments at once (`TCP_NODELAY`).
 *
 * Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes.
 */
int anetEnableTcpNoDelay(char *err, int fd);

/**
 * Gathers small segments (no `TCP_NODELAY`).
 *
 * Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes.
 */
int anetDisableTcpNoDelay(char *err, int fd);

/**
 * Sends keepalive probes after `interval` seconds of silence, and gives the peer up after three
 * unanswered ones, a third of `interval` apart. `interval` is 1 second at least.
 *
 * Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes.
 */
int anetKeepAlive(char *err, int fd, int interval);

/**
 * Sends keepalive probes at the system's intervals (upstream before 6.2).
 *
 * Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes.
 */
int anetTcpKeepAlive(char *err, int fd);

/**
 * Makes a blocking send on `fd` give up after `ms` milliseconds, 0 for never.
 *
 * Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes.
 */
int anetSendTimeout(char *err, int fd, long long ms);

/**
 * Makes a blocking receive on `fd` give up after `ms` milliseconds, 0 for never.
 *
 * Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes.
 */
int anetRecvTimeout(char *err, int fd, long long ms);

/**
 * Marks the packets of `fd` with `id` (Linux `SO_MARK`, FreeBSD `SO_USER_COOKIE`, OpenBSD `SO_RTABLE`);
 * does nothing elsewhere.
 *
 * Returns `ANET_OK`; `ANET_ERR` with errno and the text in `err`.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes.
 */
int anetSetSockMarkId(char *err, int fd, uint32_t id);

/** The pending error of a socket (`SO_ERROR`), which is cleared; 0 for none, errno when it cannot be read. */
int anetGetError(int fd);

/**
 * Connects to `addr`, a name or an address, and waits for it (upstream before 6.2).
 *
 * Returns the descriptor (for exec see `libaeSetSafeSockets`); `ANET_ERR` with errno and the text in `err`.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
 */
int anetTcpConnect(char *err, const char *addr, int port);

/**
 * Starts to connect to `addr`, a name or an address. The socket becomes writable when it is connected or has
 * failed; `anetGetError` tells which.
 *
 * Returns the descriptor, non-blocking (for exec see `libaeSetSafeSockets`); `ANET_ERR` with errno and the text in
 * `err`.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
 */
int anetTcpNonBlockConnect(char *err,
                           const char *addr,
                           int port);

/**
 * Like `anetTcpNonBlockConnect`, from the local address `source_addr` (NULL: any); upstream before 6.2.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
 */
int anetTcpNonBlockBindConnect(char *err, const char *addr, int port, const char *source_addr);

/**
 * Like `anetTcpNonBlockConnect`, from the local address `source_addr` if it can be bound, else from any.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
 */
int anetTcpNonBlockBestEffortBindConnect(char *err, const char *addr, int port, const char *source_addr);

/**
 * Connects to a unix socket. `flags` is 0, or 1 for a non-blocking connect.
 *
 * Returns the descriptor (for exec see `libaeSetSafeSockets`); `ANET_ERR` with errno (`ENAMETOOLONG` when the path
 * does not fit a socket address) and the text in `err`.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
 */
int anetUnixGenericConnect(char *err,
                           const char *path,
                           int flags);

/**
 * Connects to a unix socket and waits for it (upstream before 6.2). As `anetUnixGenericConnect`.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
 */
int anetUnixConnect(char *err, const char *path);

/**
 * Starts to connect to a unix socket (upstream before 6.2). As `anetUnixGenericConnect`.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
 */
int anetUnixNonBlockConnect(char *err, const char *path);

/**
 * Listens on `port` (0: the system picks one) of every IPv4 address, or of `bindaddr` when it is not NULL.
 * `backlog` is the queue of connections not yet accepted. `SO_REUSEADDR` is set.
 *
 * Returns the descriptor, blocking (for exec see `libaeSetSafeSockets`); `ANET_ERR` with errno and the text in `err`.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
 */
int anetTcpServer(char *err,
                  int port,
                  const char *bindaddr,
                  int backlog);

/**
 * Listens on `port` (0: the system picks one) of every IPv6 address, or of `bindaddr` when it is not NULL.
 * IPv4 is not served (`IPV6_V6ONLY`).
 * `backlog` is the queue of connections not yet accepted. `SO_REUSEADDR` is set.
 *
 * Returns the descriptor, blocking (for exec see `libaeSetSafeSockets`); `ANET_ERR` with errno and the text in `err`.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
 */
int anetTcp6Server(char *err,
                   int port,
                   const char *bindaddr,
                   int backlog);

/**
 * Listens on the unix socket `path`, which must not exist. `perm`, when not 0, are its permission bits.
 *
 * Returns the descriptor, blocking (for exec see `libaeSetSafeSockets`); `ANET_ERR` with errno (`ENAMETOOLONG` when
 * the path does not fit a socket address) and the text in `err`.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes; the strings are NULL or strings.
 */
int anetUnixServer(char *err,
                   const char *path,
                   mode_t perm,
                   int backlog);

/**
 * Accepts a connection. The peer's address is written to `ip` and its port to `port`; either may be NULL. An
 * address that does not fit `ip_len` bytes is "?". `EINTR` and `ECONNABORTED` are retried.
 *
 * Returns the descriptor, non-blocking and close-on-exec (in redis-6.2 neither, see `libaeSetSafeSockets`);
 * `ANET_ERR` with errno (`EAGAIN`: nobody waits) and the text in `err`.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes; `ip` is NULL or has room for `ip_len` bytes; `port` is NULL or
 * valid.
 */
int anetTcpAccept(char *err,
                  int serversock,
                  char *ip,
                  size_t ip_len,
                  int *port);

/**
 * Accepts a connection on a unix socket. `EINTR` and `ECONNABORTED` are retried.
 *
 * Returns the descriptor, non-blocking and close-on-exec (in redis-6.2 neither, see `libaeSetSafeSockets`);
 * `ANET_ERR` with errno (`EAGAIN`: nobody waits) and the text in `err`.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes.
 */
int anetUnixAccept(char *err, int serversock);

/**
 * Whether `err`, the errno of a failed accept, is about the one connection that it took (`ECONNABORTED`, and on Linux
 * what the network had to report, like `EHOSTUNREACH`), so that the next may be accepted at once: 1 or 0. (The name in
 * Redis's point releases since 6.2.19, 7.2.10, 7.4.5 and 8.0.3.)
 */
int anetAcceptFailureNeedsRetry(int err);

/** The same under the name that it has in Valkey's point releases since 7.2.10, 8.0.4 and 8.1.3. */
int anetRetryAcceptOnError(int err);

/**
 * Resolves `host` to an address, IPv4 or IPv6, written to `ipbuf`. With `ANET_IP_ONLY` in `flags` it must be
 * an address already; `ANET_PREFER_IPV4` and `ANET_PREFER_IPV6` ask for an address of that family if there is one.
 * (Upstream before 6.2 has the same name without `flags`, and before 2.8 without `ipbuf_len`: such a caller is
 * compiled with the macro `LIBAE_BEFORE_6_2`, which accepts both.)
 *
 * Returns `ANET_OK`; `ANET_ERR` with errno (`ENOSPC` when the address does not fit) and the text in `err`.
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes; `host` is NULL or a string; `ipbuf` is NULL or has room for
 * `ipbuf_len` bytes.
 */
int anetResolve(char *err,
                const char *host,
                char *ipbuf,
                size_t ipbuf_len,
                int flags);

/**
 * `anetResolve` with `ANET_IP_ONLY` (upstream before 6.2).
 *
 * Requires: `err` is NULL or has room for `ANET_ERR_LEN` bytes; `host` is NULL or a string; `ipbuf` is NULL or has room for
 * `ipbuf_len` bytes.
 */
int anetResolveIP(char *err,
                  const char *host,
                  char *ipbuf,
                  size_t ipbuf_len);

/**
 * The address of one end of a socket: the remote end when `remote` is not 0, else the own one. (Up to
 * redis-7.0 the argument has the opposite meaning.) Of a unix socket the address is "/unixsocket" and the port
 * 0. `ip` and `port` may be NULL.
 *
 * Returns 0; -1 with errno (`ENOSPC` when the address does not fit), then the address is "?" and the port 0.
 *
 * Requires: `ip` is NULL or has room for `ip_len` bytes; `port` is NULL or valid.
 */
int anetFdToString(int fd,
                   char *ip,
                   size_t ip_len,
                   int *port,
                   int remote);

/**
 * The remote end's address, as `anetFdToString` (upstream before 6.2).
 *
 * Requires: `ip` is NULL or has room for `ip_len` bytes; `port` is NULL or valid.
 */
int anetPeerToString(int fd, char *ip, size_t ip_len, int *port);

/**
 * The own end's address, as `anetFdToString` (upstream before 6.2).
 *
 * Requires: `ip` is NULL or has room for `ip_len` bytes; `port` is NULL or valid.
 */
int anetSockName(int fd, char *ip, size_t ip_len, int *port);

/**
 * Writes `ip:port`, or `[ip]:port` for IPv6, to `fmt`, cut to `fmt_len` bytes and terminated.
 *
 * Returns the length of the whole text; -1 with errno `EINVAL` for a NULL pointer.
 *
 * Requires: `fmt` is NULL or has room for `fmt_len` bytes; `ip` is NULL or a string.
 */
int anetFormatAddr(char *fmt, size_t fmt_len, const char *ip, int port);

/**
 * The remote end's address as `anetFormatAddr` writes it (upstream before 6.2); "?:0" when there is none.
 *
 * Returns the length of the whole text; -1 with errno `EINVAL` for a NULL pointer.
 *
 * Requires: `buf` is NULL or has room for `buf_len` bytes.
 */
int anetFormatPeer(int fd, char *buf, size_t buf_len);

/**
 * The own end's address as `anetFormatAddr` writes it (upstream before 6.2); "?:0" when there is none.
 *
 * Returns the length of the whole text; -1 with errno `EINVAL` for a NULL pointer.
 *
 * Requires: `buf` is NULL or has room for `buf_len` bytes.
 */
int anetFormatSock(int fd, char *buf, size_t buf_len);

/**
 * Whether `filepath` names a FIFO: 1 or 0. 0 also when it cannot be looked at.
 *
 * Requires: `filepath` is NULL or a string.
 */
int anetIsFifo(const char *filepath);

/**
 * Makes a pipe: `fds[0]` reads, `fds[1]` writes. The flags of each end are any of `O_NONBLOCK` and
 * `O_CLOEXEC`; as upstream on Linux both ends are close-on-exec in any case.
 *
 * Returns 0; -1 with errno, `EINVAL` for other flags or a NULL `fds`, and no descriptor left open.
 *
 * Requires: `fds` is NULL or has room for two descriptors.
 */
int anetPipe(int *fds, int read_flags, int write_flags);

/**
 * Reads until `count` bytes are there or the input ends.
 *
 * Returns the bytes read, fewer than `count` at the end of the input; -1 with errno, what was read before it is lost.
 *
 * Requires: `buf` is NULL or has room for `count` bytes.
 */
int anetRead(int fd,
             char *buf,
             int count);

/**
 * Writes all `count` bytes.
 *
 * Returns `count`; -1 with errno, when an unknown part may have been written.
 *
 * Requires: `buf` is NULL or holds `count` bytes.
 */
int anetWrite(int fd, const char *buf, int count);

#ifdef __cplusplus
} /* extern "C" */
#endif /* __cplusplus */

#endif  /* LIBAE_ANET_H */

#ifdef LIBAE_INSIDE
#pragma redefine_extname anetNonBlock libae_redis_7_2_anetNonBlock
#pragma redefine_extname anetBlock libae_redis_7_2_anetBlock
#pragma redefine_extname anetSetBlock libae_redis_7_2_anetSetBlock
#pragma redefine_extname anetIsBlock libae_redis_7_2_anetIsBlock
#pragma redefine_extname anetCloexec libae_redis_7_2_anetCloexec
#pragma redefine_extname anetEnableTcpNoDelay libae_redis_7_2_anetEnableTcpNoDelay
#pragma redefine_extname anetDisableTcpNoDelay libae_redis_7_2_anetDisableTcpNoDelay
#pragma redefine_extname anetKeepAlive libae_redis_7_2_anetKeepAlive
#pragma redefine_extname anetTcpKeepAlive libae_redis_7_2_anetTcpKeepAlive
#pragma redefine_extname anetSendTimeout libae_redis_7_2_anetSendTimeout
#pragma redefine_extname anetRecvTimeout libae_redis_7_2_anetRecvTimeout
#pragma redefine_extname anetSetSockMarkId libae_redis_7_2_anetSetSockMarkId
#pragma redefine_extname anetGetError libae_redis_7_2_anetGetError
#pragma redefine_extname anetTcpConnect libae_redis_7_2_anetTcpConnect
#pragma redefine_extname anetTcpNonBlockConnect libae_redis_7_2_anetTcpNonBlockConnect
#pragma redefine_extname anetTcpNonBlockBindConnect libae_redis_7_2_anetTcpNonBlockBindConnect
#pragma redefine_extname anetTcpNonBlockBestEffortBindConnect libae_redis_7_2_anetTcpNonBlockBestEffortBindConnect
#pragma redefine_extname anetUnixGenericConnect libae_redis_7_2_anetUnixGenericConnect
#pragma redefine_extname anetUnixConnect libae_redis_7_2_anetUnixConnect
#pragma redefine_extname anetUnixNonBlockConnect libae_redis_7_2_anetUnixNonBlockConnect
#pragma redefine_extname anetTcpServer libae_redis_7_2_anetTcpServer
#pragma redefine_extname anetTcp6Server libae_redis_7_2_anetTcp6Server
#pragma redefine_extname anetUnixServer libae_redis_7_2_anetUnixServer
#pragma redefine_extname anetTcpAccept libae_redis_7_2_anetTcpAccept
#pragma redefine_extname anetUnixAccept libae_redis_7_2_anetUnixAccept
#pragma redefine_extname anetAcceptFailureNeedsRetry libae_redis_7_2_anetAcceptFailureNeedsRetry
#pragma redefine_extname anetRetryAcceptOnError libae_redis_7_2_anetRetryAcceptOnError
#pragma redefine_extname anetResolve libae_redis_7_2_anetResolve
#pragma redefine_extname anetResolveIP libae_redis_7_2_anetResolveIP
#pragma redefine_extname anetFdToString libae_redis_7_2_anetFdToString
#pragma redefine_extname anetPeerToString libae_redis_7_2_anetPeerToString
#pragma redefine_extname anetSockName libae_redis_7_2_anetSockName
#pragma redefine_extname anetFormatAddr libae_redis_7_2_anetFormatAddr
#pragma redefine_extname anetFormatPeer libae_redis_7_2_anetFormatPeer
#pragma redefine_extname anetFormatSock libae_redis_7_2_anetFormatSock
#pragma redefine_extname anetIsFifo libae_redis_7_2_anetIsFifo
#pragma redefine_extname anetPipe libae_redis_7_2_anetPipe
#pragma redefine_extname anetRead libae_redis_7_2_anetRead
#pragma redefine_extname anetWrite libae_redis_7_2_anetWrite
#endif

#if defined(LIBAE_BEFORE_6_2) && !defined(LIBAE_ANET_BEFORE_6_2)
#define LIBAE_ANET_BEFORE_6_2 1

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* Calls in every form that they have had since 1.0, told apart by how many arguments there are. */
#define LIBAE_FOURTH(a1, a2, a3, a4, ...) a4
/* What a buffer holds whose length is not said: an IPv4 address. */
#define LIBAE_IPV4_LEN sizeof("255.255.255.255")
#define LIBAE_BACKLOG 511
/* What a profile whose functions can use MPTCP is told behind the other arguments. */
#ifdef LIBAE_ANET_MPTCP
#define LIBAE_NO_MPTCP , 0
#else
#define LIBAE_NO_MPTCP
#endif

/* What was accepted was blocking. */
static inline int libae_blocking(int fd) {
    if (fd != ANET_ERR) anetBlock(NULL, fd);
    return fd;
}

#define anetResolve(err, host, ...) \
    LIBAE_FOURTH(__VA_ARGS__, anetResolve, libae_resolve_4, libae_resolve_3, 0)(err, host, __VA_ARGS__)
#define libae_resolve_4(err, host, ip, ip_len) anetResolve(err, host, ip, ip_len, ANET_NONE)
#define libae_resolve_3(err, host, ip) anetResolve(err, host, ip, LIBAE_IPV4_LEN, ANET_PREFER_IPV4)

#define anetTcpAccept(err, sock, ...) \
    libae_blocking(LIBAE_FOURTH(__VA_ARGS__, anetTcpAccept, libae_accept_4, 0)(err, sock, __VA_ARGS__))
#define libae_accept_4(err, sock, ip, port) anetTcpAccept(err, sock, ip, LIBAE_IPV4_LEN, port)
#define anetAccept(err, sock, ip, port) anetTcpAccept(err, sock, ip, port)
#define anetUnixAccept(err, sock) libae_blocking(anetUnixAccept(err, sock))

#define anetPeerToString(fd, ip, ...) \
    LIBAE_FOURTH(__VA_ARGS__, 0, anetPeerToString, libae_peer_3, 0)(fd, ip, __VA_ARGS__)
#define libae_peer_3(fd, ip, port) anetPeerToString(fd, ip, LIBAE_IPV4_LEN, port)
#define anetSockName(fd, ip, ...) \
    LIBAE_FOURTH(__VA_ARGS__, 0, anetSockName, libae_sock_3, 0)(fd, ip, __VA_ARGS__)
#define libae_sock_3(fd, ip, port) anetSockName(fd, ip, LIBAE_IPV4_LEN, port)

#define anetTcpServer(err, port, ...) \
    LIBAE_FOURTH(__VA_ARGS__, anetTcpServer, libae_server_4, libae_server_3, 0)(err, port, __VA_ARGS__)
#define libae_server_4(err, port, address, backlog) anetTcpServer(err, port, address, backlog LIBAE_NO_MPTCP)
#define libae_server_3(err, port, address) anetTcpServer(err, port, address, LIBAE_BACKLOG LIBAE_NO_MPTCP)
#define anetTcp6Server(err, port, ...) \
    LIBAE_FOURTH(__VA_ARGS__, anetTcp6Server, libae_server6_4, libae_server6_3, 0)(err, port, __VA_ARGS__)
#define libae_server6_4(err, port, address, backlog) anetTcp6Server(err, port, address, backlog LIBAE_NO_MPTCP)
#define libae_server6_3(err, port, address) anetTcp6Server(err, port, address, LIBAE_BACKLOG LIBAE_NO_MPTCP)
#define anetTcpNonBlockBestEffortBindConnect(err, address, port, ...) \
    LIBAE_FOURTH(__VA_ARGS__, 0, anetTcpNonBlockBestEffortBindConnect, libae_connect_4, 0) \
    (err, address, port, __VA_ARGS__)
#define libae_connect_4(err, address, port, source) \
    anetTcpNonBlockBestEffortBindConnect(err, address, port, source LIBAE_NO_MPTCP)

#define anetUnixServer(err, path, ...) \
    LIBAE_FOURTH(__VA_ARGS__, 0, anetUnixServer, libae_unix_3, 0)(err, path, __VA_ARGS__)
#define libae_unix_3(err, path, perm) anetUnixServer(err, path, perm, LIBAE_BACKLOG)

#define anetTcpNoDelay(err, fd) anetEnableTcpNoDelay(err, fd)

static inline int anetSetSendBuffer(char *err, int fd, int bytes) {
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) == 0) return ANET_OK;
    if (err != NULL) snprintf(err, ANET_ERR_LEN, "setsockopt SO_SNDBUF: %s", strerror(errno));
    return ANET_ERR;
}
#endif
