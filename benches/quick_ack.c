/* What TCP_QUICKACK is worth for requests that come in two segments: a client that does not set TCP_NODELAY writes each in
 * two parts, so that its kernel holds the second back until the first is acknowledged. The server acknowledges as the
 * system does by itself; after libaeSetQuickAck once; and after libaeSetQuickAck for each part.
 *
 *   make lib && cc -O2 -Iinclude benches/quick_ack.c build/libae.a -lpthread -ldl -lm -o target/quick_ack && target/quick_ack
 */
#include <anet.h>
#include <libae.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { REQUESTS = 100, HALF = 8, NEVER = 0, ONCE, EACH, MODES };

static char err[ANET_ERR_LEN];

static void must(int done, const char *what) {
    if (done) return;
    fprintf(stderr, "%s: %s\n", what, err);
    exit(1);
}

struct server {
    int fd, mode;
};

static void *serve(void *data) {
    struct server *server = data;
    char request[2 * HALF];
    int have = 0;
    ssize_t count;

    if (server->mode != NEVER) must(libaeSetQuickAck(err, server->fd, 1) == 0, "libaeSetQuickAck");
    while ((count = read(server->fd, request + have, sizeof(request) - have)) > 0) {
        have += count;
        if (have < (int)sizeof(request)) {
            if (server->mode == EACH) must(libaeSetQuickAck(err, server->fd, 1) == 0, "libaeSetQuickAck");
            continue;
        }
        have = 0;
        must(write(server->fd, "+", 1) == 1, "write");
    }
    return NULL;
}

/* Microseconds a request takes in the middle: half of them take longer. */
static int ascending(const void *a, const void *b) { return *(const double *)a > *(const double *)b ? 1 : -1; }

static double measured(int mode) {
    libaeSocketOptions options = {.size = sizeof(options), .blocking = 1, .no_delay = -1};
    static double took[REQUESTS];
    char half[HALF] = {0}, reply;
    struct server server = {.mode = mode};
    int listening = libaeListen(err, "127.0.0.1", 0, &options), port, client, i;
    pthread_t thread;

    must(listening != ANET_ERR, "libaeListen");
    must(anetFdToString(listening, NULL, 0, &port, 0 /* its own end */) == 0, "port");
    client = libaeConnect(err, "127.0.0.1", port, &options);
    must(client != ANET_ERR, "libaeConnect");
    server.fd = anetTcpAccept(err, listening, NULL, 0, NULL);
    must(server.fd != ANET_ERR && anetBlock(err, server.fd) == ANET_OK, "anetTcpAccept");
    must(pthread_create(&thread, NULL, serve, &server) == 0, "pthread_create");
    for (i = 0; i < REQUESTS; i++) {
        struct timespec before, after;

        clock_gettime(CLOCK_MONOTONIC, &before);
        must(write(client, half, HALF) == HALF && write(client, half, HALF) == HALF, "write");
        must(read(client, &reply, 1) == 1, "read");
        clock_gettime(CLOCK_MONOTONIC, &after);
        took[i] = (after.tv_sec - before.tv_sec) * 1e6 + (after.tv_nsec - before.tv_nsec) / 1e3;
    }
    close(client);
    pthread_join(thread, NULL);
    close(server.fd);
    close(listening);
    qsort(took, REQUESTS, sizeof(took[0]), ascending);
    return took[REQUESTS / 2];
}

int main(void) {
    static const char *const names[MODES] = {"as the system does", "set once", "set for each part"};
    double never = 0;
    int mode;

    for (mode = 0; mode < MODES; mode++) {
        double median = measured(mode);

        if (mode == NEVER) never = median;
        printf("%-20s %8.0f us a request, 1/%.0f\n", names[mode], median, never / median);
    }
    return 0;
}
