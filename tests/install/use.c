/* A program against the installed library: a TCP connection to itself through the loop. Prints what it was linked
 * with. Compiles as C and as C++. */

#include <anet.h>
#include <connection.h>
#include <libae.h>
#include <stdio.h>
#include <unistd.h>

static int received;

static void onReadable(aeEventLoop *el, int fd, void *data, int mask) {
    char byte;
    AE_NOTUSED(data);
    AE_NOTUSED(mask);
    received = read(fd, &byte, 1) == 1 && byte == 'x';
    aeStop(el);
}

static void onAccept(aeEventLoop *el, int fd, void *data, int mask) {
    char err[ANET_ERR_LEN];
    int accepted = anetTcpAccept(err, fd, NULL, 0, NULL);
    AE_NOTUSED(mask);
    if (accepted == ANET_ERR || aeCreateFileEvent(el, accepted, AE_READABLE, onReadable, NULL) == AE_ERR) {
        fprintf(stderr, "accept: %s\n", err);
        aeStop(el);
    }
    *(int *) data = accepted;
}

int main(void) {
    char err[ANET_ERR_LEN] = "", host[] = "127.0.0.1", address[64];
    int port, server, client, accepted = -1;
    aeEventLoop *el = aeCreateEventLoop(64);

    if (el == NULL) {
        perror("aeCreateEventLoop");
        return 1;
    }
    if ((server = anetTcpServer(err, 0, host, 16)) == ANET_ERR ||
        anetFdToString(server, address, sizeof address, &port, 0) == ANET_ERR ||
        (client = anetTcpNonBlockConnect(err, host, port)) == ANET_ERR ||
        aeCreateFileEvent(el, server, AE_READABLE, onAccept, &accepted) == AE_ERR) {
        fprintf(stderr, "set-up: %s\n", err);
        return 1;
    }
    if (aeWait(client, AE_WRITABLE, 1000) != AE_WRITABLE || write(client, "x", 1) != 1) {
        perror("connect");
        return 1;
    }
    aeMain(el);
    aeDeleteEventLoop(el);
    close(server);
    close(client);
    close(accepted);
    if (connTypeInitialize() != C_OK || connectionTypeTcp() == NULL) {
        perror("connTypeInitialize");
        return 1;
    }
    printf("libae %s %s\n", libaeVersion(), libaeAbiProfile());
    return received ? 0 : 1;
}
