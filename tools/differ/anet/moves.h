/* The moves of programs that use anet. */
#ifndef DIFFER_MOVES_H
#define DIFFER_MOVES_H

#include "program.h"

enum { SLOTS = 6, NOBODY = -1 };

/* What a slot may be made without anet. */
enum { TCP_SOCKET, TCP6_SOCKET, UNIX_PAIR, NO_SOCKET, MADE_KINDS };

enum {
    MAKE, CLOSE, SET, TIME_OUT, MARK, PIPE,
    TCP_SERVER, UNIX_SERVER, CONNECT, CONNECT_UNIX, ACCEPT, ACCEPT_UNIX,
    RESOLVE, FORMAT, ADDRESS,
    KINDS
};

/* What SET sets. */
enum { NON_BLOCK, BLOCK, CLOSE_ON_EXEC, NO_DELAY, DELAY, KEEP_ALIVE, SET_KINDS };

enum { HOSTS = 14, PATHS = 4, PORTS = 5 };

/* Ports: those of slots, and these. */
enum { ANY_PORT = -1, CLOSED_PORT = -2, PORT_ABOVE = -3, PORT_BELOW = -4 };

#endif
