/* Plays a program of moves.h, on stock's connection.c or on libae's connections: over pairs of sockets, whose other end
 * the program has, and over loopback where it connects. */
#ifdef STOCK
#include "fmacros.h"
#endif
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifdef STOCK
#include "server.h"
#define PLAY play_stock
#define aeProcessEvents declared_process_events
#define aeCreateEventLoop declared_create_event_loop
#define aeDeleteEventLoop declared_delete_event_loop
#define test_conn_create(el, type) connCreateSocket()
#define test_conn_create_accepted(el, type, fd) connCreateAcceptedSocket(fd)
struct server server;
ssize_t syncWrite(int fd, char *ptr, ssize_t size, long long timeout) { return fd + !ptr + size + timeout; }
ssize_t syncRead(int fd, char *ptr, ssize_t size, long long timeout) { return fd + !ptr + size + timeout; }
ssize_t syncReadLine(int fd, char *ptr, ssize_t size, long long timeout) { return fd + !ptr + size + timeout; }
#else
#include "conn_test.h"
#define PLAY play_libae
#define declared_begin(backend, profile) ((void)backend)
#endif

#include "loop/world.h"
#include "moves.h"
#include "play.h"

enum { FIRST_FD = 40, PEERS = 20, MAX_DEPTH = 4, PATIENCE_MS = 5000 };

struct slot {
    connection *conn; /* NULL: closed */
    int peer; /* the other end, -1: gone */
    int is_connecting;
    int reads, writes, accepts; /* which handlers have to be called, NO_HANDLER for none */
};

static struct {
    const struct program *program;
    struct trace *trace;
    aeEventLoop *el;
    int position, depth;
    struct slot slots[SLOTS];
    int listening, port, in_place_of_waker;
} it;

#define TELL(...)                                        \
    do {                                                 \
        trace_add(it.trace, "%*s", 2 * it.depth, "");    \
        trace_add(it.trace, __VA_ARGS__);                \
        trace_add(it.trace, "\n");                       \
    } while (0)

#define EXPECT(condition, ...)                           \
    do {                                                 \
        if (!(condition)) {                              \
            TELL("AGAINST THE RULES: " __VA_ARGS__);     \
            it.trace->is_broken = 1;                     \
        }                                                \
    } while (0)

static void make(const struct move *move);

static const struct move *next_move(void) {
    world_turn();
    if (it.position == it.program->count || world.is_stuck) return NULL;
    return &it.program->moves[it.position++];
}

static void stop(void) {}

static void tell_state(int number, connection *conn) {
    TELL("connection %d: state %d, reads %d, writes %d, data %ld%s%s", number, connGetState(conn),
         connHasReadHandler(conn) != 0, connHasWriteHandler(conn) != 0, (long)(intptr_t)connGetPrivateData(conn),
         connGetState(conn) == CONN_STATE_ERROR ? ", " : "",
         connGetState(conn) == CONN_STATE_ERROR ? connGetLastError(conn) : "");
}

/* ---- Handlers ---- */

static void run(connection *conn, const char *what, int handler, int wanted) {
    int number = (int)(intptr_t)connGetPrivateData(conn);
    const struct move *move;

    TELL("%s handler %d of %d", what, handler, number);
    EXPECT(it.slots[number].conn == conn, "the connection is closed");
    EXPECT(handler == wanted, "nobody asked for that handler, but for %d", wanted);
    tell_state(number, conn);
    it.depth++;
    while ((move = next_move()) != NULL && move->kind != RETURN) make(move);
    it.depth--;
}

static struct slot *slot_of(connection *conn) { return &it.slots[(intptr_t)connGetPrivateData(conn)]; }

static void on_read_0(connection *conn) { run(conn, "read", 0, slot_of(conn)->reads); }
static void on_read_1(connection *conn) { run(conn, "read", 1, slot_of(conn)->reads); }
static void on_write_0(connection *conn) { run(conn, "write", 0, slot_of(conn)->writes); }
static void on_write_1(connection *conn) { run(conn, "write", 1, slot_of(conn)->writes); }

static void on_ready(connection *conn) {
    struct slot *slot = slot_of(conn);

    EXPECT(slot->accepts, "it is called twice");
    slot->accepts = slot->is_connecting = 0;
    run(conn, "accept or connect", 0, 0);
}

static const ConnectionCallbackFunc read_handlers[] = {on_read_0, on_read_1, NULL};
static const ConnectionCallbackFunc write_handlers[] = {on_write_0, on_write_1, NULL};

/* ---- Moves ---- */

static void place(int fd, int number) {
    dup3(fd, number, O_CLOEXEC);
    close(fd);
}

static void begin(int number, connection *conn) {
    struct slot *slot = &it.slots[number];

    if (conn == NULL) abort();
    memset(slot, 0, sizeof(*slot));
    slot->conn = conn;
    slot->peer = -1;
    slot->reads = slot->writes = NO_HANDLER;
    slot->accepts = 1;
    connSetPrivateData(conn, (void *)(intptr_t)number);
}

static void accept_one(int number) {
    struct slot *slot = &it.slots[number];
    connection *conn;
    int fds[2], result;

    if (slot->conn != NULL || slot->peer != -1 || it.depth >= MAX_DEPTH) return;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == -1) abort();
    place(fds[0], FIRST_FD + number);
    place(fds[1], FIRST_FD + PEERS + number);
    begin(number, conn = test_conn_create_accepted(it.el, TCP_TYPE, FIRST_FD + number));
    slot->peer = FIRST_FD + PEERS + number;
    TELL("accept %d", number);
    result = connAccept(conn, on_ready);
    TELL("accepted %d: %d", number, result);
    /* One that its handler has closed is left to the caller to free. */
    if (result == C_ERR) connClose(conn);
}

static void connect_one(int number, int is_refused) {
    struct slot *slot = &it.slots[number];

    if (slot->conn != NULL || slot->peer != -1) return;
    begin(number, test_conn_create(it.el, TCP_TYPE));
    slot->is_connecting = 1;
    TELL("connect %d: %d", number, connConnect(slot->conn, "127.0.0.1", is_refused ? 1 : it.port, NULL, on_ready));
    /* Over loopback it has come to something now, of which the loop hears when it next polls. */
    syscall(SYS_poll, &(struct pollfd){slot->conn->fd, POLLOUT, 0}, 1, PATIENCE_MS);
}

static void hang_up(int number) {
    if (it.slots[number].peer != -1) close(it.slots[number].peer);
    it.slots[number].peer = -1;
}

static void close_one(int number) {
    struct slot *slot = &it.slots[number];
    connection *conn = slot->conn;

    hang_up(number);
    if (conn == NULL) return;
    TELL("close %d", number);
    slot->conn = NULL;
    connClose(conn);
}

static void read_all(int fd) {
    char buffer[65536];

    while (read(fd, buffer, sizeof(buffer)) > 0) continue;
}

static void write_much(int fd) {
    static const char block[8192];
    int small = 1;

    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    while (write(fd, block, sizeof(block)) > 0) continue;
    while (write(fd, block, 1) > 0) continue;
}

static void set_read(struct slot *slot, int number, int handler) {
    TELL("set read %d: %d", number, connSetReadHandler(slot->conn, read_handlers[handler]));
    slot->reads = handler;
}

static void set_write(struct slot *slot, int number, int handler, int barrier) {
    /* "write handler removed during a connect | the connect never ends | it ends". */
    if (slot->is_connecting && handler == NO_HANDLER) return;
    TELL("set write %d: %d", number, connSetWriteHandlerWithBarrier(slot->conn, write_handlers[handler], barrier));
    slot->writes = handler;
}

static void transfer(int kind, struct slot *slot, int number, int length) {
    char buffer[128] = {0};
    struct iovec parts[2] = {{buffer, (size_t)length / 2}, {buffer, (size_t)(length - length / 2)}};
    int result;

    /* "`connRead` with room for nothing | the connection counts as closed by its peer | 0, and nothing else". */
    if (kind == READ && length == 0) return;
    if (kind == READ)
        result = connRead(slot->conn, buffer, (size_t)length);
    else if (kind == WRITE)
        result = connWrite(slot->conn, buffer, (size_t)length);
    else
        result = connWritev(slot->conn, parts, 2);
    TELL("%s %d: %d", kind == READ ? "read" : "write", number, result);
    tell_state(number, slot->conn);
}

static int set_option(connection *conn, int which) {
    switch (which) {
    case 0: return connBlock(conn) | connNonBlock(conn);
    case 1: return connEnableTcpNoDelay(conn);
    case 2: return connDisableTcpNoDelay(conn);
    case 3: return connKeepAlive(conn, 3);
    default: return connSendTimeout(conn, 10) | connRecvTimeout(conn, 10);
    }
}

static void make(const struct move *move) {
    const int *arguments = move->arguments;
    int number = arguments[0] < SLOTS ? arguments[0] : 0, result;
    struct slot *slot = &it.slots[number];

    switch (move->kind) {
    case ACCEPT: accept_one(number); return;
    case CONNECT: connect_one(number, arguments[1]); return;
    case HANG_UP: hang_up(number); return;
    case FEED:
        if (slot->peer != -1 && write(slot->peer, "abc", 3) == 3) return;
        return;
    case EMPTY:
        if (slot->peer != -1) read_all(slot->peer);
        return;
    case SHUT:
        if (slot->peer != -1) shutdown(slot->peer, SHUT_WR);
        return;
    case PROCESS:
        if (it.depth >= MAX_DEPTH) return;
        TELL("process %d", arguments[0]);
        result = aeProcessEvents(it.el, arguments[0]);
        TELL("processed: %d", result);
        return;
    case RETURN: return;
    default: break;
    }
    if (slot->conn == NULL) return;
    switch (move->kind) {
    case CLOSE: close_one(number); break;
    case FILL:
        /* Over TCP what is written goes on its way, and there is room again. */
        if (slot->peer != -1) write_much(slot->conn->fd);
        break;
    case SET_READ: set_read(slot, number, arguments[1]); break;
    case SET_WRITE: set_write(slot, number, arguments[1], arguments[2]); break;
    case READ:
    case WRITE:
    case WRITEV: transfer(move->kind, slot, number, arguments[1]); break;
    case LOOK: tell_state(number, slot->conn); break;
    case OPTION: TELL("option %d of %d: %d", arguments[1], number, set_option(slot->conn, arguments[1])); break;
    default: break;
    }
}

/* ---- A program ---- */

static int first_free(void) {
    int fd = fcntl(0, F_DUPFD_CLOEXEC, 0);

    close(fd);
    return fd;
}

static void listen_here(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (bind(fd, (struct sockaddr *)&address, length) == -1 || listen(fd, 100) == -1) abort();
    getsockname(fd, (struct sockaddr *)&address, &length);
    it.port = ntohs(address.sin_port);
    it.listening = FIRST_FD + 2 * PEERS;
    place(fd, it.listening);
}

static int connects(const struct program *program) {
    int i;

    for (i = 0; i < program->count; i++)
        if (program->moves[i].kind == CONNECT) return 1;
    return 0;
}

void PLAY(const struct program *program, struct trace *trace, enum backend backend, struct profile *profile) {
    const struct move *move;
    int before = first_free(), i;

    (void)profile;
    memset(&it, 0, sizeof(it));
    for (i = 0; i < SLOTS; i++) it.slots[i].peer = -1;
    it.program = program;
    it.trace = trace;
    trace->length = 0;
    trace->is_broken = 0;
    world.key = (uint64_t)program->settings[KEY];
    world.most_ready = program->settings[MOST_READY];
    world.nothing_left = stop;
    declared_begin(backend, profile);
    it.el = aeCreateEventLoop(128);
#ifdef STOCK
    server.el = it.el;
    /* libae's loop has a descriptor here, too; connections get the same numbers on both sides. */
    if (backend == WITH_SELECT) it.in_place_of_waker = open("/dev/null", O_RDONLY | O_CLOEXEC);
#else
    test_conn_types();
#endif
    if (connects(program)) listen_here();
    while ((move = next_move()) != NULL) make(move);
    for (i = 0; i < SLOTS; i++) close_one(i);
    aeDeleteEventLoop(it.el);
    if (it.listening > 0) close(it.listening);
    if (it.in_place_of_waker > 0) close(it.in_place_of_waker);
    EXPECT(first_free() == before, "descriptor %d is left open", before);
}
