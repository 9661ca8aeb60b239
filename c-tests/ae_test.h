/* What the tests of the event loop share. */
#ifndef AE_TEST_H
#define AE_TEST_H

#include "test.h"
#include "profile.h"

enum { SET_SIZE = 256 };

static inline aeEventLoop *new_loop(void) {
    aeEventLoop *el = aeCreateEventLoop(SET_SIZE);

    CHECK(el != NULL);
    return el;
}

/* One iteration over what is ready now. */
static inline int poll_once(aeEventLoop *el) { return aeProcessEvents(el, AE_FILE_EVENTS | AE_DONT_WAIT); }

/* A socket that is readable and writable. */
static inline void ready_pair(int pair[2]) {
    test_pair(pair);
    test_send(pair[1], "x");
}

/* Handlers that note that they ran. */
#define NOTING_HANDLER(name, letter)                                             \
    static inline void name(aeEventLoop *el, int fd, void *data, int mask) {     \
        AE_NOTUSED(el);                                                          \
        AE_NOTUSED(fd);                                                          \
        AE_NOTUSED(data);                                                        \
        AE_NOTUSED(mask);                                                        \
        test_note(letter);                                                       \
    }

NOTING_HANDLER(note_readable, 'r')
NOTING_HANDLER(note_writable, 'w')
NOTING_HANDLER(note_any, 'b')

#endif
