/* Connections over loopback: short ones, and echo. The clients are a process of their own, a plain epoll loop. */
#define _GNU_SOURCE
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BACKLOG = 511, ACCEPTS_PER_CALL = 1000, BUFFER = 65536 };
static int listener;
static long accepted, closed;
static double cpu_at_end;
static char buffer[BUFFER];

static int accept_one(void) {
    if (engine_accept) return engine_accept(listener);
    return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static void serve(int fd) {
    ssize_t count;
    if (fd == listener) {
        for (int i = 0; i < ACCEPTS_PER_CALL; i++) {
            int one = 1, client = accept_one();
            if (client < 0) return;
            setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
            engine_watch(client);
            accepted++;
        }
        return;
    }
    count = read(fd, buffer, sizeof(buffer));
    if (count > 0 && send(fd, buffer, count, MSG_NOSIGNAL) == count) return;
    must(count == 0 || errno == ECONNRESET || errno == EPIPE, "a connection");
    if (closed++ == 0) cpu_at_end = cpu_ns();
    engine_unwatch(fd);
    close(fd);
}

static struct sockaddr_in listen_here(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    must(listener >= 0 && bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, BACKLOG) == 0, "listen");
    must(getsockname(listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
    return address;
}

static int connect_to(const struct sockaddr_in *address) {
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0, "connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

/* Closes with a reset, so that no port stays taken for a minute. */
static void hang_up(int fd) {
    struct linger reset = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(fd);
}

/* Keeps this process on one of two processors, if there are two: whether the system runs both processes on one or on two
 * would matter more than the engine. */
static void stay_on(int which) {
    cpu_set_t allowed, one;
    CPU_ZERO(&one);
    must(sched_getaffinity(0, sizeof(allowed), &allowed) == 0, "sched_getaffinity");
    if (CPU_COUNT(&allowed) < 2) return;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &allowed) || which-- > 0) continue;
        CPU_SET(cpu, &one);
        must(sched_setaffinity(0, sizeof(one), &one) == 0, "sched_setaffinity");
        return;
    }
}

static pid_t in_child(void) {
    pid_t child = fork();
    must(child >= 0, "fork");
    stay_on(child == 0);
    return child;
}

static void join(pid_t child) {
    int status;
    must(waitpid(child, &status, 0) == child && status == 0, "the clients' process");
}

static void short_connections(const struct sockaddr_in *address, long count) {
    enum { AT_ONCE = 50 };
    int fds[AT_ONCE];
    char byte = 'x';
    while (count > 0) {
        int batch = count < AT_ONCE ? (int)count : AT_ONCE;
        for (int i = 0; i < batch; i++) {
            fds[i] = connect_to(address);
            must(write(fds[i], &byte, 1) == 1, "write");
        }
        for (int i = 0; i < batch; i++) {
            must(read(fds[i], &byte, 1) == 1, "read");
            hang_up(fds[i]);
        }
        count -= batch;
    }
}

/* Connections that send one byte, get it back and go. */
void accepting(const long *numbers, int given) {
    long count = numbers[0];
    struct sockaddr_in address;
    double start, cpu;
    pid_t child;
    must(given == 1, "accept: how many connections");
    address = listen_here();
    if ((child = in_child()) == 0) {
        short_connections(&address, count);
        _exit(0);
    }
    engine_open(BENCH_MAX_FD);
    bench_readable = serve;
    engine_watch(listener);
    while (accepted == 0) engine_iterate(1);
    start = now_ns();
    cpu = cpu_ns();
    while (closed < count) engine_iterate(1);
    figure("cpu us/connection", (cpu_ns() - cpu) / 1000 / count);
    figure("connections/s", count * 1e9 / (now_ns() - start));
    join(child);
}

/* What the clients of `echo` have measured. */
struct outcome {
    long messages;
    double seconds, p50_us, p99_us;
};

struct client {
    int fd;
    long received;
    double sent;
};

static void send_message(struct client *client, long bytes) {
    client->received = 0;
    client->sent = now_ns();
    must(write(client->fd, buffer, bytes) == bytes, "write");
}

/* Each client sends its next message when the last has come back, until there were so many, or for `seconds`. */
static struct outcome exchange(struct client *clients, long count, long bytes, long messages, double seconds) {
    enum { SAMPLES = 1000000, EVENTS = 1024 };
    double *samples = room(SAMPLES, sizeof(*samples)), start, now;
    struct epoll_event events[EVENTS];
    struct outcome outcome = {0};
    long sampled = 0;
    int epoll = epoll_create1(0);
    must(epoll >= 0, "epoll_create1");
    for (long i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &clients[i]};
        must(epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i].fd, &event) == 0, "epoll_ctl");
    }
    now = start = now_ns();
    for (long i = 0; i < count; i++) send_message(&clients[i], bytes);
    while (messages ? outcome.messages < messages : now - start < seconds * 1e9) {
        int ready = epoll_wait(epoll, events, EVENTS, 1000);
        must(ready > 0, "no answer for a second");
        for (int i = 0; i < ready; i++) {
            struct client *client = events[i].data.ptr;
            ssize_t got = recv(client->fd, buffer, sizeof(buffer), MSG_DONTWAIT);
            must(got > 0, "recv");
            client->received += got;
            if (client->received < bytes) continue;
            now = now_ns();
            outcome.messages++;
            if (sampled < SAMPLES) samples[sampled++] = (now - client->sent) / 1000;
            send_message(client, bytes);
        }
    }
    outcome.seconds = (now - start) / 1e9;
    sort(samples, sampled);
    outcome.p50_us = quantile(samples, sampled, 0.5);
    outcome.p99_us = quantile(samples, sampled, 0.99);
    return outcome;
}

static void clients_process(const struct sockaddr_in *address, int go, int result, const long *numbers) {
    long count = numbers[0];
    struct client *clients = room(count, sizeof(*clients));
    struct outcome outcome;
    char byte;
    for (long i = 0; i < count; i++) clients[i].fd = connect_to(address);
    must(read(go, &byte, 1) == 1, "the server's process");
    outcome = exchange(clients, count, numbers[1], numbers[2], 0.4);
    must(write(result, &outcome, sizeof(outcome)) == sizeof(outcome), "write");
    for (long i = 0; i < count; i++) hang_up(clients[i].fd);
    _exit(0);
}

void echo(const long *numbers, int given) {
    long count = numbers[0];
    struct sockaddr_in address;
    struct outcome outcome;
    int go[2], result[2];
    double cpu;
    pid_t child;
    must(given >= 2 && numbers[1] <= BUFFER, "echo: how many connections, messages of how many bytes");
    allow_descriptors(count);
    must(pipe(go) == 0 && pipe(result) == 0, "pipe");
    address = listen_here();
    if ((child = in_child()) == 0) clients_process(&address, go[0], result[1], numbers);
    close(result[1]);
    engine_open(BENCH_MAX_FD);
    bench_readable = serve;
    engine_watch(listener);
    while (accepted < count) engine_iterate(1);
    cpu = cpu_ns();
    must(write(go[1], "x", 1) == 1, "write");
    while (closed < count) engine_iterate(1);
    must(read(result[0], &outcome, sizeof(outcome)) == sizeof(outcome), "the clients' process");
    join(child);
    figure("cpu us/message", (cpu_at_end - cpu) / 1000 / outcome.messages);
    figure("messages/s", outcome.messages / outcome.seconds);
    figure("p50 us", outcome.p50_us);
    figure("p99 us", outcome.p99_us);
}
