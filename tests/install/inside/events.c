/* The part of the program that looks into the loop. */
#include "ae.h"

#include <stdio.h>

aeEventLoop *newLoop(void);
int tick(aeEventLoop *loop, long long id, void *data);

static int ticks;

aeEventLoop *newLoop(void) { return aeCreateEventLoop(); }

/* By the field, as programs did. */
int tick(aeEventLoop *loop, long long id, void *data) {
    (void)id;
    if (++ticks < 3 || !*(int *)data) return 1;
    printf("hello, %d times\n", ticks);
    loop->stop = 1;
    return AE_NOMORE;
}
