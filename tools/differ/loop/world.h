/* The world that both sides see: a clock that moves when somebody waits or a program says so, and descriptors whose
 * state the program alone changes. The calls that would wait for real are taken in here (world.c), so that no real time
 * passes and what is ready at once comes in an order of our own. */
#ifndef DIFFER_WORLD_H
#define DIFFER_WORLD_H

#include <stdint.h>

/* How the descriptors that one poll finds are put in order. */
enum order {
    ORDER_KEYED, /* by a key, which the program's settings give */
    ORDER_ASCENDING, /* as select has them */
    ORDER_AS_BEFORE, /* as the other side's poll had them in its array */
};

struct world {
    int64_t now; /* microseconds */
    uint64_t key; /* of the order */
    int most_ready; /* so many descriptors at once, 0 for all */
    enum order order;
    int interrupted; /* the next wait that finds nothing ends with EINTR */
    int turn; /* how often somebody has taken a move, or found none */
    int waits; /* how many there were since */
    int is_stuck; /* they were too many: whoever waits does nothing else */
    int for_one; /* aeWait's poll, which is no loop's */
    void (*nothing_left)(void); /* nobody would ever wake whoever waits */

    /* Of the stock side. */
    int (*may_fire)(int fd); /* whether the loop is told of it */
    int (*wants_any)(void); /* whether it is told of any */
    void (*found)(int fd); /* the loop is told of it */
    void (*told)(int count); /* of so many */
    int64_t (*exact)(int64_t rounded); /* what a time-out was before it was rounded up */
};

enum { MAX_READY = 64 };

extern struct world world;

/* Somebody takes a move. */
void world_turn(void);

#endif
