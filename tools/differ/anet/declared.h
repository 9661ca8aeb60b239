/* What docs/api.md declares different in anet: stock's results and texts with these differences taken in. */
#ifndef DIFFER_DECLARED_H
#define DIFFER_DECLARED_H

#include <errno.h>
#include <netdb.h>
#include <string.h>

/* "a failure leaves a terminated text there that names the call and the reason, like `bind: Address already in
 * use`". Stock's texts name calls in other words, or none, so that the reasons are compared: what comes after the last
 * colon. */
static inline const char *declared_reason(char *text) {
    char *reason = strrchr(text, ':');
    size_t length = strlen(text);

    /* Some of stock's texts end with a newline. */
    if (length > 0 && text[length - 1] == '\n') text[length - 1] = '\0';
    if (strncmp(text, "unix socket path too long", 25) == 0) return "File name too long";
    return reason != NULL && reason[1] == ' ' ? reason + 2 : text;
}

/* "a port out of range is EINVAL": stock cuts it to five characters, and takes what is left. */
#define declared_port(port, call) \
    ((port) < 0 || (port) > 65535 ? (strcpy(err, "port: Invalid argument"), errno = EINVAL, -1) : (call))

/* "anetKeepAlive with less than a second ... EINVAL". */
#define declared_keep_alive(interval, call) \
    ((interval) < 1 \
         ? (err != NULL ? (void)strcpy(err, "interval: Invalid argument") : (void)0, errno = EINVAL, -1) : (call))

/* "anetUnixGenericConnect with a path that is too long ... ENAMETOOLONG". */
#define declared_path(path, call) \
    (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path) \
         ? (strcpy(err, "connect: File name too long"), errno = ENAMETOOLONG, -1) : (call))

/* "a connect from a source address that an address of the host does not fit ... the host's next address is tried". */
static inline const char *declared_host(const char *host, const char *source) {
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM}, *found;
    const char *only;

    if (strcmp(host, "localhost") != 0 && strcmp(host, "*") != 0) return host;
    if (getaddrinfo(source, NULL, &hints, &found) != 0) return host;
    only = found->ai_family == AF_INET6 ? "::1" : "127.0.0.1";
    freeaddrinfo(found);
    return only;
}

/* "Bad input is an error": of two errors that of the argument comes before that of the kind of descriptor. */
#define declared_time_out(ms, call) \
    ((ms) < 0 && fcntl(fd, F_GETFD) != -1 \
         ? (err != NULL ? (void)strcpy(err, "time: Numerical argument out of domain") : (void)0, errno = EDOM, -1) \
         : (call))

#endif
