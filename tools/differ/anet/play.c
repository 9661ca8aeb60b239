/* Plays a program of moves.h, on stock's anet or on libae's, with real sockets, over loopback and in a folder of its
 * own. Descriptors are told by their slots, ports by who has them. */
#ifdef STOCK
#include "fmacros.h"
#endif
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#ifdef STOCK
#include "anet.h"
#define PLAY play_stock
#define PEER FD_TO_PEER_NAME
#define OWN FD_TO_SOCK_NAME
#define PORT_CALL declared_port
#define KEEP_ALIVE_CALL declared_keep_alive
#define PATH_CALL declared_path
#define TIME_CALL declared_time_out
#define bind_connect(err, host, port, source) \
    anetTcpNonBlockBestEffortBindConnect(err, declared_host(host, source), port, source)
#else
#include <anet.h>
#include <libae.h>
#include "profile.h"
#define PLAY play_libae
#define PEER REMOTE_END
#define OWN OWN_END
#define PORT_CALL(port, call) (call)
#define KEEP_ALIVE_CALL(interval, call) (call)
#define PATH_CALL(path, call) (call)
#define TIME_CALL(ms, call) (call)
#define bind_connect anetTcpNonBlockBestEffortBindConnect
#endif
int anetUnixGenericConnect(char *err, const char *path, int flags);

#include "declared.h"
#include "moves.h"
#include "play.h"

enum { UNTOUCHED = 4242, PATIENCE_MS = 5000, NOBODYS_PORT = 1 };

static const char *const hosts[HOSTS] = {
    "127.0.0.1", "::1", "localhost", "*", "", "0.0.0.0", "::", "127.0.0.2", "256.1.1.1", "127.1.2", "::g", "::*",
    "0:0:0:0:0:0:0:1", "127.0.0.1 ",
};

static struct {
    struct trace *trace;
    int fds[SLOTS], is_server[SLOTS], waiting[SLOTS]; /* -1: closed; connections that nobody has accepted */
    char err[2][ANET_ERR_LEN];
} it;

static char folder[32]; /* of unix sockets; it stays until the process ends */

#define TELL(...) trace_add(it.trace, __VA_ARGS__)

#define EXPECT(condition, ...)                             \
    do {                                                   \
        if (!(condition)) {                                \
            TELL("\nAGAINST THE RULES: " __VA_ARGS__);     \
            it.trace->is_broken = 1;                       \
        }                                                  \
    } while (0)

/* ---- What came of a call ---- */

static char *err_text(int is_wanted) {
    memset(it.err, 'u', sizeof(it.err));
    errno = UNTOUCHED;
    return is_wanted ? it.err[0] : NULL;
}

static void tell_err(int result, int number, int is_wanted) {
    int is_told = memchr(it.err[0], '\0', ANET_ERR_LEN) != NULL;

    (void)number;
    EXPECT(memchr(it.err[1], '\0', ANET_ERR_LEN) == NULL, "the text is too long");
    if (result != -1) {
#ifndef STOCK
        EXPECT(!is_told, "success leaves a text: %s", it.err[0]);
        EXPECT(number == UNTOUCHED, "success leaves errno %d", number);
#endif
        return;
    }
#ifndef STOCK
    EXPECT(number != UNTOUCHED && number != 0, "a failure leaves no errno");
    EXPECT(is_told == is_wanted, "a failure leaves no text, or one that nobody asked for");
    if (is_told) EXPECT(strstr(it.err[0], ": ") != NULL, "no call and reason: %s", it.err[0]);
#endif
    if (is_told && is_wanted) TELL(" (%s)", declared_reason(it.err[0]));
}

static int option_of(int fd, int level, int option) {
    int value = -1;
    socklen_t length = sizeof(value);

    return getsockopt(fd, level, option, &value, &length) == 0 ? value : -1;
}

static long time_out_of(int fd, int option) {
    struct timeval time = {0, 0};
    socklen_t length = sizeof(time);

    if (getsockopt(fd, SOL_SOCKET, option, &time, &length) == -1) return -1;
    return (long)time.tv_sec * 1000 + (long)time.tv_usec / 1000;
}

/* What a program can see of a descriptor. */
static void tell_state(int fd) {
    int status = fcntl(fd, F_GETFL), flags = fcntl(fd, F_GETFD), domain = option_of(fd, SOL_SOCKET, SO_DOMAIN);

    TELL(" [");
    if (status != -1 && status & O_NONBLOCK) TELL("nonblock ");
    if (flags != -1 && flags & FD_CLOEXEC) TELL("cloexec ");
    if (domain != -1) {
        TELL("domain %d listens %d reuse %d ", domain, option_of(fd, SOL_SOCKET, SO_ACCEPTCONN),
             option_of(fd, SOL_SOCKET, SO_REUSEADDR));
        TELL("send %ld receive %ld ", time_out_of(fd, SO_SNDTIMEO), time_out_of(fd, SO_RCVTIMEO));
    }
    if (domain == AF_INET || domain == AF_INET6)
        TELL("nodelay %d alive %d idle %d every %d times %d ", option_of(fd, IPPROTO_TCP, TCP_NODELAY),
             option_of(fd, SOL_SOCKET, SO_KEEPALIVE), option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE),
             option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL), option_of(fd, IPPROTO_TCP, TCP_KEEPCNT));
    if (domain == AF_INET6) TELL("only %d ", option_of(fd, IPPROTO_IPV6, IPV6_V6ONLY));
    TELL("]");
}

static int port_of(int fd, int is_own) {
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof(address);
    int result = is_own ? getsockname(fd, (struct sockaddr *)&address, &length)
                        : getpeername(fd, (struct sockaddr *)&address, &length);

    if (result == -1) return -1;
    if (address.ss_family == AF_INET) return ntohs(((struct sockaddr_in *)&address)->sin_port);
    if (address.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return -1;
}

/* A port that the system has given, by whose it is. */
static void tell_port(int port) {
    int slot;

    for (slot = 0; slot < SLOTS && port > 0; slot++)
        if (it.fds[slot] != -1 && port_of(it.fds[slot], 1) == port) {
            TELL(" port of %d", slot);
            return;
        }
    TELL(" port %s", port > 0 ? "of nobody" : "0");
}

/* ---- Slots ---- */

static void close_slot(int slot) {
    if (it.fds[slot] != -1) close(it.fds[slot]);
    it.fds[slot] = -1;
    it.is_server[slot] = it.waiting[slot] = 0;
}

static void put(int slot, int fd) {
    close_slot(slot);
    it.fds[slot] = fd;
    if (fd != -1) tell_state(fd);
}

static int new_slot(int slot) {
    close_slot(slot);
    return slot;
}

static const char *host_of(int number) { return number == NOBODY ? NULL : hosts[number]; }

static const char *path_of(int number) {
    static char path[300];

    snprintf(path, sizeof(path), "%s/%d", folder, number);
    if (number == 2) snprintf(path, sizeof(path), "%s/none/2", folder);
    /* One that does not fit a socket's address. */
    if (number == 3) memset(path + strlen(path), 'x', 200), path[280] = '\0';
    return path;
}

static int is_listening(int slot) {
    return it.fds[slot] != -1 && option_of(it.fds[slot], SOL_SOCKET, SO_ACCEPTCONN) == 1;
}

/* A port that a slot listens on; if it does not, `other`: any other port may be another process's. */
static int port_for(int number, int other) {
    int port;

    switch (number) {
    case ANY_PORT: return 0;
    case CLOSED_PORT: return other;
    case PORT_ABOVE: return 70000;
    case PORT_BELOW: return -5;
    default:
        port = is_listening(number) ? port_of(it.fds[number], 1) : -1;
        return port > 0 ? port : other;
    }
}

/* ---- Moves ---- */

static void make(int slot, int kind) {
    int fds[2];

    new_slot(slot);
    switch (kind) {
    case TCP_SOCKET: fds[0] = socket(AF_INET, SOCK_STREAM, 0); break;
    case TCP6_SOCKET: fds[0] = socket(AF_INET6, SOCK_STREAM, 0); break;
    case NO_SOCKET: fds[0] = open("/dev/null", O_RDWR); break;
    default:
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0) close(fds[1]);
    }
    put(slot, fds[0]);
}

static void set_option(int fd, int what, int value, int is_wanted) {
    char *err = err_text(is_wanted);
    int result, number;

    switch (what) {
    case NON_BLOCK: result = anetNonBlock(err, fd); break;
    case BLOCK: result = anetBlock(err, fd); break;
    case CLOSE_ON_EXEC: result = anetCloexec(fd); break;
    case NO_DELAY: result = anetEnableTcpNoDelay(err, fd); break;
    case DELAY: result = anetDisableTcpNoDelay(err, fd); break;
    default: result = KEEP_ALIVE_CALL(value, anetKeepAlive(err, fd, value));
    }
    number = errno;
    TELL(" %d", result == -1 ? -1 : 0);
    if (result == -1) TELL(" %s", strerrorname_np(number));
    if (what != CLOSE_ON_EXEC) tell_err(result, number, is_wanted);
    tell_state(fd);
}

static void tell_result(int result, int is_wanted) {
    int number = errno;

    TELL(" %s", result == -1 ? "fails" : "works");
    tell_err(result, number, is_wanted);
}

static void make_pipe(int slot, int read_flags, int write_flags) {
    static const int flags[] = {0, O_NONBLOCK, O_CLOEXEC, O_NONBLOCK | O_CLOEXEC};
    int fds[2] = {-1, -1}, result;

    errno = UNTOUCHED;
    result = anetPipe(fds, flags[read_flags], flags[write_flags]);
    TELL(" %d", result);
    if (result == -1) return;
    put(slot, fds[0]);
    put((slot + 1) % SLOTS, fds[1]);
}

/* A listening descriptor that does not block: nobody may be there when a program accepts. */
static void put_server(int slot, int fd) {
    put(slot, fd);
    it.is_server[slot] = fd != -1;
    if (fd != -1) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void tcp_server(int slot, int is_ipv6, int port, int host) {
    char *err, *address = (char *)host_of(host);
    int fd;

    new_slot(slot);
    port = port_for(port, 0);
    err = err_text(1);
    fd = PORT_CALL(port, is_ipv6 ? anetTcp6Server(err, port, address, 16) : anetTcpServer(err, port, address, 16));
    tell_result(fd, 1);
    put_server(slot, fd);
}

static void unix_server(int slot, int path, int mode, int backlog) {
    struct stat about;
    char *err;
    int fd;

    new_slot(slot);
    if (path == 0 && mode == 0) unlink(path_of(path));
    err = err_text(1);
#ifdef STOCK
    fd = anetUnixServer(err, (char *)path_of(path), (mode_t)mode, backlog);
#else
    fd = test_unix_server(err, (char *)path_of(path), (mode_t)mode, backlog);
#endif
    tell_result(fd, 1);
    put_server(slot, fd);
    if (stat(path_of(path), &about) == 0) TELL(" mode %o", about.st_mode & 07777);
}

/* What a connect in the background comes to. */
static void tell_outcome(int fd) {
    struct pollfd entry = {fd, POLLOUT, 0};

    poll(&entry, 1, PATIENCE_MS);
    TELL(" comes to %d", option_of(fd, SOL_SOCKET, SO_ERROR));
}

static void await_server(int slot) {
    struct pollfd entry = {it.fds[slot], POLLIN, 0};

    if (it.fds[slot] != -1 && it.waiting[slot] > 0) poll(&entry, 1, PATIENCE_MS);
}

static void connect_to(int slot, int port, int host, int source) {
    int target = port >= 0 && port != slot && is_listening(port) ? port : NOBODY, fd, number;
    char *err;

    new_slot(slot);
    port = port_for(port, NOBODYS_PORT);
    err = err_text(1);
    fd = PORT_CALL(port, source == NOBODY ? anetTcpNonBlockConnect(err, host_of(host), port)
                                     : bind_connect(err, host_of(host), port, host_of(source)));
    number = errno;
    TELL(" %s", fd == -1 ? "fails" : "works");
    /* Best effort: stock leaves the text of the attempt that failed, and connect's errno. */
    if (fd == -1) tell_err(fd, number, 1);
    put(slot, fd);
    if (fd == -1) return;
    tell_outcome(fd);
    if (target != NOBODY && port_of(fd, 0) > 0) it.waiting[target]++;
}

static void connect_unix(int slot, int path, int flags) {
    char *err;
    int fd;

    new_slot(slot);
    err = err_text(1);
    fd = PATH_CALL(path_of(path), anetUnixGenericConnect(err, path_of(path), flags));
    tell_result(fd, 1);
    put(slot, fd);
}

static void accept_one(int slot, int server, int length) {
    char ip[64], *err;
    int port = -7, fd, listening = it.fds[server];

    /* Of a unix socket stock takes the path for an IPv6 address. */
    if (slot == server || option_of(listening, SOL_SOCKET, SO_DOMAIN) == AF_UNIX) return;
    if (is_listening(server)) fcntl(listening, F_SETFL, fcntl(listening, F_GETFL) | O_NONBLOCK);
    await_server(server);
    memset(ip, 'i', sizeof(ip));
    new_slot(slot);
    err = err_text(1);
    fd = anetTcpAccept(err, listening, length > 0 ? ip : NULL, (size_t)length, &port);
    tell_result(fd, 1);
    put(slot, fd);
    if (fd == -1) return;
    if (it.waiting[server] > 0) it.waiting[server]--;
    if (length > 0) {
        /* "an address that does not fit the buffer | garbage or cut | `?`". */
#ifndef STOCK
        EXPECT(memchr(ip, '\0', (size_t)length) != NULL, "the address is not terminated");
#endif
        TELL(" from %s", length < 16 ? "somewhere" : ip);
    }
    tell_port(port);
}

static void accept_unix(int slot, int server) {
    char *err;
    int fd, listening = it.fds[server];

    if (slot == server) return;
    if (is_listening(server)) fcntl(listening, F_SETFL, fcntl(listening, F_GETFL) | O_NONBLOCK);
    new_slot(slot);
    err = err_text(1);
    fd = anetUnixAccept(err, listening);
    tell_result(fd, 1);
    put(slot, fd);
}

static void resolve(int host, int length, int flags) {
    char ip[64] = "", *err;
    int result;

    if (length < 46) length = 46; /* "an address that does not fit the buffer": stock leaves nothing */
    err = err_text(1);
    result = anetResolve(err, (char *)host_of(host), ip, (size_t)length, flags);
    tell_result(result, 1);
    if (result == 0) TELL(" %s", ip);
}

static void format(int host, int length, int port) {
    char text[64];
    int result;

    memset(text, 't', sizeof(text));
    result = anetFormatAddr(text, (size_t)length, (char *)host_of(host), port);
    TELL(" %d %.*s", result, length, text);
    EXPECT(text[length] == 't', "it writes beyond the end");
}

static void address(int fd, int is_own, int length, int wants_port) {
    char ip[64];
    int port = -7, result;

    memset(ip, 'i', sizeof(ip));
    errno = UNTOUCHED;
    result = anetFdToString(fd, ip, (size_t)length, wants_port ? &port : NULL, is_own ? OWN : PEER);
    TELL(" %d %.*s", result, length, ip);
    EXPECT(ip[length] == 'i', "it writes beyond the end");
    if (wants_port) tell_port(port);
}

static void make_move(const struct move *move) {
    const int *arguments = move->arguments;
    int slot = arguments[0], fd = slot < SLOTS ? it.fds[slot] : -1, number;
    char *err;

    TELL("%s %d %d %d:", language.kinds[move->kind].name, arguments[0], arguments[1], arguments[2]);
    switch (move->kind) {
    case MAKE: make(slot, arguments[1]); break;
    case CLOSE: close_slot(slot); break;
    case SET: set_option(fd, arguments[1], arguments[2], arguments[3]); break;
    case TIME_OUT:
        err = err_text(arguments[3]);
        number = TIME_CALL(arguments[2], arguments[1] ? anetRecvTimeout(err, fd, arguments[2])
                                                      : anetSendTimeout(err, fd, arguments[2]));
        tell_result(number, arguments[3]);
        tell_state(fd);
        break;
    case MARK:
        err = err_text(arguments[1]);
        tell_result(anetSetSockMarkId(err, fd, 7), arguments[1]);
        break;
    case PIPE: make_pipe(slot, arguments[1], arguments[2]); break;
    case TCP_SERVER: tcp_server(slot, arguments[1], arguments[2], arguments[3]); break;
    case UNIX_SERVER: unix_server(slot, arguments[1], arguments[2], arguments[3]); break;
    case CONNECT: connect_to(slot, arguments[1], arguments[2], arguments[3]); break;
    case CONNECT_UNIX: connect_unix(slot, arguments[1], arguments[2]); break;
    case ACCEPT: accept_one(slot, arguments[1], arguments[2]); break;
    case ACCEPT_UNIX: accept_unix(slot, arguments[1]); break;
    case RESOLVE: resolve(arguments[0], arguments[1], arguments[2]); break;
    case FORMAT: format(arguments[0], arguments[1], arguments[2]); break;
    default: address(fd, arguments[1], arguments[2], arguments[3]);
    }
    TELL("\n");
}

static int first_free(void) {
    int fd = fcntl(0, F_DUPFD_CLOEXEC, 0);

    close(fd);
    return fd;
}

static void remove_folder(void) { rmdir(folder); }

void PLAY(const struct program *program, struct trace *trace, enum backend backend, struct profile *profile) {
    int before = first_free(), i;

    (void)backend;
    (void)profile;
    memset(&it, 0, sizeof(it));
    memset(it.fds, -1, sizeof(it.fds));
    it.trace = trace;
    trace->length = 0;
    trace->is_broken = 0;
    if (folder[0] == '\0') {
        strcpy(folder, access("/dev/shm", W_OK) == 0 ? "/dev/shm/differ-XXXXXX" : "/tmp/differ-XXXXXX");
        if (mkdtemp(folder) == NULL) abort();
        atexit(remove_folder);
    }
    for (i = 0; i < program->count; i++) make_move(&program->moves[i]);
    for (i = 0; i < SLOTS; i++) close_slot(i);
    for (i = 0; i < PATHS; i++) unlink(path_of(i));
    EXPECT(first_free() == before, "descriptor %d is left open", before);
}
