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

#if defined(abi_valkey)
#define anetUnixServer(err, path, ...) \
    LIBAE_FOURTH(__VA_ARGS__, anetUnixServer, libae_unix_4, libae_unix_3, 0)(err, path, __VA_ARGS__)
#define libae_unix_4(err, path, perm, backlog) anetUnixServer(err, path, perm, backlog, NULL)
#define libae_unix_3(err, path, perm) anetUnixServer(err, path, perm, LIBAE_BACKLOG, NULL)
#endif
#if !defined(abi_valkey)
#define anetUnixServer(err, path, ...) \
    LIBAE_FOURTH(__VA_ARGS__, 0, anetUnixServer, libae_unix_3, 0)(err, path, __VA_ARGS__)
#define libae_unix_3(err, path, perm) anetUnixServer(err, path, perm, LIBAE_BACKLOG)
#endif

#define anetTcpNoDelay(err, fd) anetEnableTcpNoDelay(err, fd)

static inline int anetSetSendBuffer(char *err, int fd, int bytes) {
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) == 0) return ANET_OK;
    if (err != NULL) snprintf(err, ANET_ERR_LEN, "setsockopt SO_SNDBUF: %s", strerror(errno));
    return ANET_ERR;
}
#endif
