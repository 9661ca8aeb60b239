/* An echo server that closes clients which have been silent for too long.
 *
 *   cc echo.c -o echo $(pkg-config --cflags --libs libae)
 *   ./echo 7000 60000                a port (0: the system picks one), milliseconds of silence
 */
#define _POSIX_C_SOURCE 200809L

#include "signals.h"

#include <ae.h>
#include <anet.h>
#include <libae.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CLIENTS = 1000, ACCEPT_AGAIN_MS = 100 };

struct client {
    int fd;
    long long timer;  /* the id of its time event */
    long long active; /* when it last did something, in milliseconds */
    size_t length, sent;
    char buffer[4096]; /* what has been received and not been sent back yet */
};

static int idle_ms;

static void on_accept(aeEventLoop *el, int fd, void *data, int mask);
static void on_readable(aeEventLoop *el, int fd, void *data, int mask);
static void on_writable(aeEventLoop *el, int fd, void *data, int mask);

static long long now(void) {
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (long long) time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* The order matters: no event is left when the descriptor is closed, none when the memory is freed. */
static void close_client(aeEventLoop *el, struct client *client) {
    aeDeleteTimeEvent(el, client->timer);
    aeDeleteFileEvent(el, client->fd, AE_READABLE | AE_WRITABLE);
    close(client->fd);
    free(client);
}

/* One timer per client, which is not touched when the client does something: it looks for itself how long that is ago. */
static int on_timer(aeEventLoop *el, long long id, void *data) {
    struct client *client = data;
    long long left = client->active + idle_ms - now();

    (void) id;
    if (left > 0) return (int) left;
    close_client(el, client);
    return AE_NOMORE;
}

/* Sends what there is. While something is left the client is watched for writable instead of readable, so that one which
 * does not read its answers fills no memory. */
static void reply(aeEventLoop *el, struct client *client) {
    while (client->sent < client->length) {
        ssize_t count = write(client->fd, client->buffer + client->sent, client->length - client->sent);

        if (count == -1 && errno == EINTR) continue;
        if (count == -1 && errno == EAGAIN) {
            if (aeCreateFileEvent(el, client->fd, AE_WRITABLE, on_writable, client) == AE_ERR) {
                close_client(el, client);
                return;
            }
            aeDeleteFileEvent(el, client->fd, AE_READABLE);
            return;
        }
        if (count == -1) {
            close_client(el, client);
            return;
        }
        client->sent += (size_t) count;
    }
    client->length = client->sent = 0;
}

static void on_writable(aeEventLoop *el, int fd, void *data, int mask) {
    struct client *client = data;

    (void) mask;
    client->active = now();
    if (aeCreateFileEvent(el, fd, AE_READABLE, on_readable, client) == AE_ERR) {
        close_client(el, client);
        return;
    }
    aeDeleteFileEvent(el, fd, AE_WRITABLE);
    reply(el, client);
}

static void on_readable(aeEventLoop *el, int fd, void *data, int mask) {
    struct client *client = data;
    ssize_t count = read(fd, client->buffer, sizeof client->buffer);

    (void) mask;
    if (count == -1 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) { /* an error, or the client has finished */
        close_client(el, client);
        return;
    }
    client->active = now();
    client->length = (size_t) count;
    reply(el, client);
}

static int add_client(aeEventLoop *el, int fd) {
    struct client *client = calloc(1, sizeof *client);

    if (client == NULL) return -1;
    client->fd = fd;
    client->active = now();
    client->timer = aeCreateTimeEvent(el, idle_ms, on_timer, client, NULL);
    if (client->timer != AE_ERR) {
        if (aeCreateFileEvent(el, fd, AE_READABLE, on_readable, client) == AE_OK) return 0;
        aeDeleteTimeEvent(el, client->timer);
    }
    free(client);
    return -1;
}

static int accept_again(aeEventLoop *el, long long id, void *data) {
    int *server = data;

    (void) id;
    return aeCreateFileEvent(el, *server, AE_READABLE, on_accept, server) == AE_OK ? AE_NOMORE : ACCEPT_AGAIN_MS;
}

static void on_accept(aeEventLoop *el, int fd, void *data, int mask) {
    char err[ANET_ERR_LEN];
    int client = anetTcpAccept(err, fd, NULL, 0, NULL);

    (void) mask;
    if (client == ANET_ERR) {
        if (errno == EAGAIN) return;
        fprintf(stderr, "%s\n", err);
        /* Without descriptors left the same event would come at once, again and again: rest for a while. */
        if (aeCreateTimeEvent(el, ACCEPT_AGAIN_MS, accept_again, data, NULL) != AE_ERR)
            aeDeleteFileEvent(el, fd, AE_READABLE);
        return;
    }
    if (add_client(el, client) == -1) {
        perror("no room for a client");
        close(client);
    }
}

static void on_signal(aeEventLoop *el, int number) {
    (void) number;
    aeStop(el);
}

int main(int argc, char **argv) {
    const int signals[] = {SIGINT, SIGTERM};
    char err[ANET_ERR_LEN];
    int server, port;
    aeEventLoop *el;

    if (argc != 3 || (idle_ms = atoi(argv[2])) < 1) {
        fprintf(stderr, "usage: %s PORT IDLE-MILLISECONDS\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN); /* a client that is gone is an error of write, not the end */
    libaeSetSafeSockets(1);   /* accepted sockets do not block, and no socket survives an exec */
    server = anetTcpServer(err, atoi(argv[1]), "127.0.0.1", 511);
    if (server == ANET_ERR || anetNonBlock(err, server) == ANET_ERR) {
        fprintf(stderr, "%s: %s\n", argv[0], err);
        return 1;
    }
    if ((el = aeCreateEventLoop(CLIENTS)) == NULL || signals_watch(el, signals, 2, on_signal) == -1 ||
        aeCreateFileEvent(el, server, AE_READABLE, on_accept, &server) == AE_ERR ||
        anetSockName(server, NULL, 0, &port) == -1) {
        perror(argv[0]);
        return 1;
    }
    printf("listening on port %d\n", port);
    fflush(stdout);
    aeMain(el);
    aeDeleteEventLoop(el);
    close(server);
    return 0; /* the process's end closes what is left */
}
