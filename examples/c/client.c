/* A client: connects, sends a line, prints the answer until the server has finished, and gives up when that takes too
 * long.
 *
 *   cc client.c -o client $(pkg-config --cflags --libs libae)
 *   ./client localhost 7000 hello
 */
#define _POSIX_C_SOURCE 200809L

#include <ae.h>
#include <anet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TIME_LIMIT_MS = 5000 };

struct request {
    const char *text;
    size_t length, sent;
    int status; /* of the program */
};

static void finish(aeEventLoop *el, struct request *request, const char *what, int error) {
    if (what != NULL) fprintf(stderr, "%s: %s\n", what, strerror(error));
    request->status = what != NULL;
    aeStop(el);
}

static void on_answer(aeEventLoop *el, int fd, void *data, int mask) {
    char buffer[4096];
    ssize_t count = read(fd, buffer, sizeof buffer);

    (void) mask;
    if (count > 0)
        fwrite(buffer, 1, (size_t) count, stdout);
    else if (count == 0)
        finish(el, data, NULL, 0);
    else if (errno != EAGAIN && errno != EINTR)
        finish(el, data, "read", errno);
}

static void on_writable(aeEventLoop *el, int fd, void *data, int mask) {
    struct request *request = data;
    ssize_t count = write(fd, request->text + request->sent, request->length - request->sent);

    (void) mask;
    if (count == -1) {
        if (errno != EAGAIN && errno != EINTR) finish(el, request, "write", errno);
        return;
    }
    request->sent += (size_t) count;
    if (request->sent < request->length) return;
    aeDeleteFileEvent(el, fd, AE_WRITABLE);
    shutdown(fd, SHUT_WR); /* tells the server that this was all */
}

/* The first event after a connect: it has succeeded or failed, and the socket knows which. */
static void on_connected(aeEventLoop *el, int fd, void *data, int mask) {
    int error = anetGetError(fd);

    if (error != 0) {
        finish(el, data, "connect", error);
        return;
    }
    if (aeCreateFileEvent(el, fd, AE_READABLE, on_answer, data) == AE_ERR ||
        aeCreateFileEvent(el, fd, AE_WRITABLE, on_writable, data) == AE_ERR) {
        finish(el, data, "connect", errno);
        return;
    }
    on_writable(el, fd, data, mask);
}

static int on_time_out(aeEventLoop *el, long long id, void *data) {
    (void) id;
    finish(el, data, "no answer", ETIMEDOUT);
    return AE_NOMORE;
}

int main(int argc, char **argv) {
    struct request request = {NULL, 0, 0, 1};
    char err[ANET_ERR_LEN], line[1024];
    char *end;
    long port;
    int fd;
    aeEventLoop *el;

    if (argc != 4 || (port = strtol(argv[2], &end, 10)) < 1 || port > 65535 || *end != '\0') {
        fprintf(stderr, "usage: %s HOST PORT TEXT\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    if (snprintf(line, sizeof line, "%s\n", argv[3]) >= (int) sizeof line) {
        fprintf(stderr, "%s: the text is too long\n", argv[0]);
        return 1;
    }
    request.text = line;
    request.length = strlen(line);
    /* Names are looked up here, which may take a while; nothing else blocks. */
    if ((fd = anetTcpNonBlockConnect(err, argv[1], (int) port)) == ANET_ERR) {
        fprintf(stderr, "%s: %s\n", argv[0], err);
        return 1;
    }
    if ((el = aeCreateEventLoop(fd + 16)) == NULL ||
        aeCreateFileEvent(el, fd, AE_WRITABLE, on_connected, &request) == AE_ERR ||
        aeCreateTimeEvent(el, TIME_LIMIT_MS, on_time_out, &request, NULL) == AE_ERR) {
        perror(argv[0]);
        return 1;
    }
    aeMain(el);
    aeDeleteEventLoop(el);
    close(fd);
    return request.status;
}
