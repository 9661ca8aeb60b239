/* One program with libae and another Rust library: both work, each with its own runtime. */

#include <anet.h>
#include <connection.h>
#include <libae.h>
#include <stdio.h>
#include <string.h>

int neighbour_sum(int threads);

static int sum;

/* A long long is a good int, too: which one it has to be depends on the profile. */
static long long onTime(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    sum = neighbour_sum(4);
    aeStop(el);
    return AE_NOMORE;
}

int main(int argc, char **argv) {
    aeEventLoop *el = aeCreateEventLoop(64);

    if (el == NULL || aeCreateTimeEvent(el, 1, (aeTimeProc *) onTime, NULL, NULL) == AE_ERR) {
        perror("libae");
        return 1;
    }
    aeMain(el);
    aeDeleteEventLoop(el);
    if (sum != 6 || strcmp(libaeVersion(), LIBAE_VERSION) != 0) {
        fprintf(stderr, "with %s: sum %d, version %s\n", argc > 1 ? argv[1] : "?", sum, libaeVersion());
        return 1;
    }
    return 0;
}
