/* The moves of programs that use connections. */
#ifndef DIFFER_MOVES_H
#define DIFFER_MOVES_H

#include "program.h"

enum { SLOTS = 4, HANDLERS = 2, NO_HANDLER = HANDLERS };

enum {
    ACCEPT, CONNECT, CLOSE, FEED, FILL, EMPTY, HANG_UP, SHUT,
    SET_READ, SET_WRITE, READ, WRITE, WRITEV, LOOK, OPTION, PROCESS, RETURN,
    KINDS
};

enum { KEY, MOST_READY };

#endif
