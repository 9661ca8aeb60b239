/* The moves of programs that use loops. */
#ifndef DIFFER_MOVES_H
#define DIFFER_MOVES_H

#include "program.h"

enum { SLOTS = 10, LOOPS = 3, FIRST_FD = 16, PEERS = 100, DATA = 3, HANDLERS = 4, MAX_TIMERS = 200 };

/* What a slot's descriptor is. */
enum { SOCKET, PIPE_READ, PIPE_WRITE, NO_POLL, FILE_KINDS };

/* Calls of aeCreateFileEvent that cannot succeed. */
enum { BAD_NEGATIVE, BAD_SETSIZE, BAD_ABOVE, BAD_MASK, BAD_MASKS, BAD_HANDLER, BAD_CLOSED, BAD_LOOP, BAD_KINDS };

enum {
    OPEN, CLOSE, CLOSE_FIRST, FEED, DRAIN, FILL, EMPTY, HANG_UP, SHUT,
    CREATE, CREATE_BADLY, DELETE, GET,
    TIMER, UNTIMER, UNTIMER_ID,
    PROCESS, MAIN, STOP, RETURN,
    RESIZE, DONT_WAIT, BEFORE, AFTER, NEW_LOOP, DELETE_LOOP, LOOK,
    WAIT, TICK, INTERRUPT,
    KINDS
};

enum { KEY, MOST_READY, CLOSES_FIRST };

#endif
