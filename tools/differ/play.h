/* What a tester consists of: its language, and the two sides. A side plays a program on its library and tells in a
 * trace what came of it; one file is compiled for each. */
#ifndef DIFFER_PLAY_H
#define DIFFER_PLAY_H

#include "program.h"
#include "trace.h"

/* libae's back ends; stock has epoll and select. */
enum backend { WITH_EPOLL, WITH_POLL, WITH_SELECT };

/* What a side is told of the other. */
struct profile {
    int is_alone; /* libae plays without stock */
    int deletion_finalizes; /* deleting a loop runs the finalizers of the time events that are left */
};

extern const struct language language;

/* A side is about to play: libae's, and then stock's. */
void side_begins(enum backend backend, int is_stock);

void play_libae(const struct program *program, struct trace *trace, enum backend backend, struct profile *profile);
void play_stock(const struct program *program, struct trace *trace, enum backend backend, struct profile *profile);

#endif
