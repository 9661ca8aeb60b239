/* A program that uses ae and anet alone, and has functions of its own that are called as libae's for connections are.
 * Prints what it was linked with. */

#include <ae.h>
#include <anet.h>
#include <libae.h>
#include <stdio.h>
#include <unistd.h>

#ifdef LIBAE_ABI_VALKEY_8_1
#define TIME_RESULT long long
#else
#define TIME_RESULT int
#endif

#ifndef WITHOUT_NAMESAKES
struct conn {
    int fd;
};

static int asked;

int connRead(struct conn *c);
int connRead(struct conn *c) {
    asked++;
    return c->fd;
}

void connClose(struct conn *c);
void connClose(struct conn *c) {
    asked++;
    c->fd = -1;
}

int tlsInit;

static int namesakes(void) {
    struct conn c = {7};
    int fd = connRead(&c);
    connClose(&c);
    tlsInit = 1;
    return fd == 7 && c.fd == -1 && asked == 2;
}
#else
static int namesakes(void) { return 1; }
#endif

static TIME_RESULT enough(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(id);
    ++*(int *) data;
    aeStop(el);
    return AE_NOMORE;
}

int main(void) {
    char err[ANET_ERR_LEN] = "", host[] = "127.0.0.1";
    int calls = 0, server = anetTcpServer(err, 0, host, 16);
    aeEventLoop *el = aeCreateEventLoop(64);

    if (server == ANET_ERR || el == NULL || aeCreateTimeEvent(el, 1, enough, &calls, NULL) == AE_ERR) {
        fprintf(stderr, "set-up: %s\n", err);
        return 1;
    }
    aeMain(el);
    aeDeleteEventLoop(el);
    close(server);
    printf("libae %s %s\n", libaeVersion(), libaeAbiProfile());
    return calls == 1 && namesakes() ? 0 : 1;
}
