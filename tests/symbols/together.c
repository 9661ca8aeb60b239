/* One program with libae and another Rust library: both work, each with its own runtime. */

#include <anet.h>
#include <connection.h>
#include <libae.h>
#include <stdio.h>
#include <string.h>

int neighbour_sum(int threads);

#ifdef LIBAE_ABI_VALKEY_8_1
#define TIME_RESULT long long
#else
#define TIME_RESULT int
#endif

static TIME_RESULT onTime(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(id);
    *(int *) data = neighbour_sum(4);
    aeStop(el);
    return AE_NOMORE;
}

int main(int argc, char **argv) {
    int sum = 0;
    aeEventLoop *el = aeCreateEventLoop(64);

    if (el == NULL || aeCreateTimeEvent(el, 1, onTime, &sum, NULL) == AE_ERR) {
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
