/* A chat over TCP and a unix socket: what one client writes, line by line, all others get.
 *
 *   cc chat.c -o chat $(pkg-config --cflags --libs libae)
 *   ./chat 7000 /tmp/chat.sock       a port (0: the system picks one), a path
 */
#define _POSIX_C_SOURCE 200809L

#include "signals.h"

#include <ae.h>
#include <anet.h>
#include <libae.h>
#include <stdio.h>
#include <stdlib.h>

enum { CLIENTS = 1000, ACCEPT_AGAIN_MS = 100, LINE = 1024, PENDING = 64 * 1024 };

struct listener {
    int fd;
    int is_tcp;
};

struct client {
    struct client *next;
    int fd, number;
    int leaving; /* closed before the loop sleeps */
    size_t received, pending;
    char line[LINE];      /* what has been received of a line */
    char output[PENDING]; /* what has not been sent yet */
};

static struct client *clients;

/* Only notes what there is to send: it leaves before the loop sleeps. Nothing is closed here, so that lists can be
 * walked while somebody is told something. */
static void tell(struct client *client, const char *text, size_t length) {
    if (client->leaving) return;
    if (length > PENDING - client->pending) { /* it does not read what it is sent */
        client->leaving = 1;
        return;
    }
    memcpy(client->output + client->pending, text, length);
    client->pending += length;
}

/* "NUMBER WHAT: text" to everybody but one. */
static void tell_others(const struct client *from, const char *what, const char *text, size_t length) {
    char said[LINE + 64];
    int size = snprintf(said, sizeof said, "%d%s%.*s\n", from->number, what, (int) length, text);
    struct client *client;

    for (client = clients; client != NULL; client = client->next)
        if (client != from) tell(client, said, (size_t) size);
}

static void take_lines(struct client *client) {
    char *begin = client->line, *end;
    size_t left = client->received;

    while ((end = memchr(begin, '\n', left)) != NULL) {
        tell_others(client, ": ", begin, (size_t) (end - begin));
        left -= (size_t) (end + 1 - begin);
        begin = end + 1;
    }
    if (left == LINE) { /* a line that does not fit */
        client->leaving = 1;
        return;
    }
    memmove(client->line, begin, left);
    client->received = left;
}

static void on_readable(aeEventLoop *el, int fd, void *data, int mask) {
    struct client *client = data;
    ssize_t count = read(fd, client->line + client->received, LINE - client->received);

    (void) el, (void) mask;
    if (count == -1 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) {
        client->leaving = 1;
        return;
    }
    client->received += (size_t) count;
    take_lines(client);
}

static void on_writable(aeEventLoop *el, int fd, void *data, int mask) {
    (void) data, (void) mask;
    aeDeleteFileEvent(el, fd, AE_WRITABLE); /* before_sleep goes on */
}

static void flush(aeEventLoop *el, struct client *client) {
    ssize_t count = write(client->fd, client->output, client->pending);

    if (count == -1 && errno != EAGAIN && errno != EINTR) {
        client->leaving = 1;
        return;
    }
    if (count > 0) {
        client->pending -= (size_t) count;
        memmove(client->output, client->output + count, client->pending);
    }
    if (client->pending > 0 && aeCreateFileEvent(el, client->fd, AE_WRITABLE, on_writable, client) == AE_ERR)
        client->leaving = 1;
}

/* Everything that one iteration has to say leaves in one write per client, and nobody is closed in the middle of it. */
static void before_sleep(aeEventLoop *el) {
    struct client **link = &clients, *client;

    while ((client = *link) != NULL) {
        if (!client->leaving) {
            link = &client->next;
            continue;
        }
        *link = client->next;
        tell_others(client, " leaves", "", 0);
        aeDeleteFileEvent(el, client->fd, AE_READABLE | AE_WRITABLE);
        close(client->fd);
        free(client);
    }
    for (client = clients; client != NULL; client = client->next)
        if (client->pending > 0 && !(aeGetFileEvents(el, client->fd) & AE_WRITABLE)) flush(el, client);
    /* Whoever has to leave since then is closed in the next iteration, which must not wait for an event. */
    for (client = clients; client != NULL && !client->leaving;) client = client->next;
    aeSetDontWait(el, client != NULL);
}

static void on_accept(aeEventLoop *el, int fd, void *data, int mask);

static int accept_again(aeEventLoop *el, long long id, void *data) {
    struct listener *listener = data;

    (void) id;
    return aeCreateFileEvent(el, listener->fd, AE_READABLE, on_accept, listener) == AE_OK ? AE_NOMORE : ACCEPT_AGAIN_MS;
}

static void on_accept(aeEventLoop *el, int fd, void *data, int mask) {
    static int numbers;
    char err[ANET_ERR_LEN];
    struct listener *listener = data;
    int accepted = listener->is_tcp ? anetTcpAccept(err, fd, NULL, 0, NULL) : anetUnixAccept(err, fd);
    struct client *client;

    (void) mask;
    if (accepted == ANET_ERR) {
        if (errno == EAGAIN) return;
        fprintf(stderr, "%s\n", err);
        /* Without descriptors left the same event would come at once, again and again: rest for a while. */
        if (aeCreateTimeEvent(el, ACCEPT_AGAIN_MS, accept_again, listener, NULL) != AE_ERR)
            aeDeleteFileEvent(el, fd, AE_READABLE);
        return;
    }
    if ((client = calloc(1, sizeof *client)) == NULL ||
        aeCreateFileEvent(el, accepted, AE_READABLE, on_readable, client) == AE_ERR) {
        perror("no room for a client");
        close(accepted);
        free(client);
        return;
    }
    client->fd = accepted;
    client->number = ++numbers;
    client->next = clients;
    clients = client;
    tell_others(client, " joins", "", 0);
}

static void on_signal(aeEventLoop *el, int number) {
    (void) number;
    aeStop(el);
}

int main(int argc, char **argv) {
    const int signals[] = {SIGINT, SIGTERM};
    char err[ANET_ERR_LEN];
    struct listener tcp = {-1, 1}, local = {-1, 0};
    int port;
    aeEventLoop *el;

    if (argc != 3) {
        fprintf(stderr, "usage: %s PORT PATH\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    libaeSetSafeSockets(1);
    /* 0600: for this user alone. The path must be free or a socket that is left over. */
    if ((tcp.fd = anetTcpServer(err, atoi(argv[1]), "127.0.0.1", 511)) == ANET_ERR ||
        (local.fd = anetUnixServer(err, argv[2], 0600, 511)) == ANET_ERR || anetNonBlock(err, tcp.fd) == ANET_ERR ||
        anetNonBlock(err, local.fd) == ANET_ERR) {
        fprintf(stderr, "%s: %s\n", argv[0], err);
        return 1;
    }
    if ((el = aeCreateEventLoop(CLIENTS)) == NULL || signals_watch(el, signals, 2, on_signal) == -1 ||
        aeCreateFileEvent(el, tcp.fd, AE_READABLE, on_accept, &tcp) == AE_ERR ||
        aeCreateFileEvent(el, local.fd, AE_READABLE, on_accept, &local) == AE_ERR ||
        anetSockName(tcp.fd, NULL, 0, &port) == -1) {
        perror(argv[0]);
        return 1;
    }
    aeSetBeforeSleepProc(el, before_sleep);
    printf("listening on port %d and %s\n", port, argv[2]);
    fflush(stdout);
    aeMain(el);
    aeDeleteEventLoop(el);
    unlink(argv[2]);
    return 0;
}
