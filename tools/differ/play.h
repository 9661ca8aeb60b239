/* A side: plays a program on its library and tells in a trace what came of it. play.c is compiled for each. */
#ifndef DIFFER_PLAY_H
#define DIFFER_PLAY_H

#include "program.h"
#include "trace.h"

/* libae's back ends; stock has epoll and select. */
enum backend { WITH_EPOLL, WITH_POLL, WITH_SELECT };

/* What the side of stock is told of the other one's profile. */
struct profile {
    int deletion_finalizes; /* deleting a loop runs the finalizers of the time events that are left */
};

void play_libae(const struct program *program, struct trace *trace, enum backend backend, struct profile *profile);
void play_stock(const struct program *program, struct trace *trace, enum backend backend, struct profile *profile);

#endif
