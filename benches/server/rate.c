/* Requests at a fixed rate: how long replies take as users see it who do not wait for each other.

   rate PORT CONNECTIONS REQUESTS_A_SECOND SECONDS VALUE_SIZE

   Every request has its time, whether the ones before it have been answered or not, and its latency counts from then: a
   server that stops for a while delays all that were due meanwhile. A tenth of them are SET, the others GET, over 100 000
   keys. Prints the median, the 99th and 99.9th percentile and the longest, in microseconds. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { KEYS = 100000, PENDING_MAX = 65536, BUFFER = 1 << 16 };

/* A connection, with the times of the requests that it has not got the replies of, as a ring. */
struct connection {
    int fd;
    unsigned first, count;
    uint64_t due[PENDING_MAX / 64];
    /* Bytes of the reply being read that are still to come; 0 between two replies. */
    size_t left;
    char line[64];
    size_t line_length;
};

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t) now.tv_sec * 1000000000u + (uint64_t) now.tv_nsec;
}

static int by_value(const void *one, const void *other) {
    uint64_t a = *(const uint64_t *) one, b = *(const uint64_t *) other;
    return (a > b) - (a < b);
}

static void open_connection(struct connection *connection, int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t) port)};
    int yes = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connection->fd < 0 || connect(connection->fd, (struct sockaddr *) &address, sizeof(address)) != 0) {
        fail("connect");
    }
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    if (fcntl(connection->fd, F_SETFL, O_NONBLOCK) != 0) {
        fail("fcntl");
    }
}

/* Sends the request of number `number`, which was due at `due`. */
static void send_request(struct connection *connection, uint64_t number, uint64_t due, const char *value, int size) {
    static char request[BUFFER + 256];
    const unsigned room = sizeof(connection->due) / sizeof(connection->due[0]);
    int key = (int) (number * 2654435761u % KEYS), length;
    if (connection->count == room) {
        fprintf(stderr, "the server does not keep up\n");
        exit(2);
    }
    if (number % 10 == 0) {
        length = snprintf(request, sizeof(request), "*3\r\n$3\r\nSET\r\n$10\r\nkey:%06d\r\n$%d\r\n%.*s\r\n", key, size, size,
                          value);
    } else {
        length = snprintf(request, sizeof(request), "*2\r\n$3\r\nGET\r\n$10\r\nkey:%06d\r\n", key);
    }
    if (write(connection->fd, request, (size_t) length) != length) {
        fail("write");
    }
    connection->due[(connection->first + connection->count++) % room] = due;
}

/* One of the replies has ended. */
static void note(struct connection *connection, uint64_t *latencies, size_t *noted, uint64_t now) {
    latencies[(*noted)++] = now - connection->due[connection->first];
    connection->first = (connection->first + 1) % (sizeof(connection->due) / sizeof(connection->due[0]));
    connection->count--;
}

static void read_replies(struct connection *connection, uint64_t *latencies, size_t *noted) {
    static char buffer[BUFFER];
    ssize_t length = read(connection->fd, buffer, sizeof(buffer));
    if (length < 0 && errno == EAGAIN) {
        return;
    }
    if (length <= 0) {
        fail("read");
    }
    uint64_t now = now_ns();
    for (ssize_t at = 0; at < length;) {
        if (connection->left > 0) {
            size_t part = (size_t) (length - at) < connection->left ? (size_t) (length - at) : connection->left;
            connection->left -= part;
            at += (ssize_t) part;
            if (connection->left == 0) {
                note(connection, latencies, noted, now);
            }
            continue;
        }
        char byte = buffer[at++];
        if (byte != '\n') {
            if (connection->line_length + 1 < sizeof(connection->line)) {
                connection->line[connection->line_length++] = byte;
            }
            continue;
        }
        connection->line[connection->line_length] = 0;
        connection->line_length = 0;
        if (connection->line[0] == '-') {
            fprintf(stderr, "%s\n", connection->line);
            exit(1);
        }
        long bulk = connection->line[0] == '$' ? atol(connection->line + 1) : -1;
        if (bulk >= 0) {
            connection->left = (size_t) bulk + 2;
        } else {
            note(connection, latencies, noted, now);
        }
    }
}

int main(int argc, char **argv) {
    if (argc != 6) {
        fprintf(stderr, "usage: rate PORT CONNECTIONS REQUESTS_A_SECOND SECONDS VALUE_SIZE\n");
        return 1;
    }
    int port = atoi(argv[1]), count = atoi(argv[2]), size = atoi(argv[5]);
    uint64_t requests = strtoull(argv[3], NULL, 10) * strtoull(argv[4], NULL, 10);
    double gap = 1e9 / atof(argv[3]);
    struct connection *connections = calloc((size_t) count, sizeof(*connections));
    uint64_t *latencies = malloc(requests * sizeof(*latencies));
    char *value = malloc((size_t) size);
    int epoll = epoll_create1(0);
    size_t noted = 0;
    if (!connections || !latencies || !value || epoll < 0 || size >= BUFFER) {
        fail("room");
    }
    memset(value, 'v', (size_t) size);
    for (int i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[i]};
        open_connection(&connections[i], port);
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].fd, &event) != 0) {
            fail("epoll_ctl");
        }
    }
    uint64_t start = now_ns(), sent = 0;
    while (noted < requests) {
        struct epoll_event events[64];
        uint64_t now = now_ns();
        while (sent < requests && start + (uint64_t) ((double) sent * gap) <= now) {
            send_request(&connections[sent % (uint64_t) count], sent, start + (uint64_t) ((double) sent * gap), value, size);
            sent++;
        }
        /* Without sleeping: it has a processor of its own, and waking up would be part of what it measures. */
        int ready = epoll_wait(epoll, events, 64, 0);
        for (int i = 0; i < ready; i++) {
            read_replies(events[i].data.ptr, latencies, &noted);
        }
    }
    qsort(latencies, noted, sizeof(*latencies), by_value);
    const double parts[] = {0.5, 0.99, 0.999};
    for (int i = 0; i < 3; i++) {
        printf("%.1f ", (double) latencies[(size_t) (parts[i] * (double) (noted - 1))] / 1e3);
    }
    printf("%.1f\n", (double) latencies[noted - 1] / 1e3);
    return 0;
}
