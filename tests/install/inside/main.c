/* A program from the days of Redis 2.4: it sends itself a greeting, and ends after three ticks of a timer. */
#include "ae.h"
#include "anet.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

aeEventLoop *newLoop(void);
int tick(aeEventLoop *loop, long long id, void *data);

static int greeted, accepted[2];

/* The accepted socket blocks: one call reads all of the greeting, though its second half has not been sent yet. */
static void onAccept(aeEventLoop *loop, int server, void *data, int mask) {
    char err[ANET_ERR_LEN], ip[16], greeting[10];
    int port, fd = anetTcpAccept(err, server, ip, &port);

    (void)data, (void)mask;
    if (fd == ANET_ERR || anetTcpNoDelay(err, fd) == ANET_ERR) {
        fprintf(stderr, "%s\n", err);
        return;
    }
    if (write(accepted[1], "a", 1) != 1) perror("write");
    greeted = strcmp(ip, "127.0.0.1") == 0 && port > 0 && anetRead(fd, greeting, 10) == 10;
    close(fd);
    aeDeleteFileEvent(loop, server, AE_READABLE);
}

int main(void) {
    char err[ANET_ERR_LEN] = "", host[] = "127.0.0.1", ip[16];
    aeEventLoop *loop = newLoop();
    int port, client, server = anetTcpServer(err, 0, host);
    pid_t child;

    if (pipe(accepted) != 0 || loop == NULL || server == ANET_ERR || anetSockName(server, ip, &port) == ANET_ERR ||
        aeCreateFileEvent(loop, server, AE_READABLE, onAccept, NULL) == AE_ERR ||
        aeCreateTimeEvent(loop, 1, tick, &greeted, NULL) == AE_ERR) {
        fprintf(stderr, "set-up: %s\n", err);
        return 1;
    }
    child = fork();
    if (child == 0) {
        client = anetTcpConnect(err, host, port);
        if (client == ANET_ERR || anetWrite(client, "hello", 5) != 5) _exit(1);
        if (read(accepted[0], err, 1) != 1) _exit(1);
        _exit(anetWrite(client, "again", 5) != 5);
    }
    aeMain(loop);
    aeDeleteEventLoop(loop);
    return 0;
}
