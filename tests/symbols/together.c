/* One program with libae and another Rust library: both work, each with its own runtime. */

#include <anet.h>
#include <connection.h>
#include <libae.h>
#include <stdio.h>
#include <string.h>

int neighbour_sum(int threads);

static int sum;

static void beforeSleep(aeEventLoop *el) {
    sum = neighbour_sum(4);
    aeStop(el);
}

int main(int argc, char **argv) {
    aeEventLoop *el = aeCreateEventLoop(64);

    if (el == NULL) {
        perror("libae");
        return 1;
    }
    aeSetBeforeSleepProc(el, beforeSleep);
    aeMain(el);
    aeDeleteEventLoop(el);
    if (sum != 6 || strcmp(libaeVersion(), LIBAE_VERSION) != 0) {
        fprintf(stderr, "with %s: sum %d, version %s\n", argc > 1 ? argv[1] : "?", sum, libaeVersion());
        return 1;
    }
    return 0;
}
