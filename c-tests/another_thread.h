/* Bodies that run in a thread of their own, one at a time. Included after test.h. */
#ifndef LIBAE_ANOTHER_THREAD_H
#define LIBAE_ANOTHER_THREAD_H

#include <pthread.h>

/* A failing check ends the process in the case's own thread alone; elsewhere it is only noted. */
static const char *volatile trouble;

#define EXPECT(condition)                       \
    do {                                        \
        if (!(condition)) trouble = #condition; \
    } while (0)

static inline void end_thread(pthread_t thread) {
    CHECK_INT(pthread_join(thread, NULL), 0);
    if (trouble != NULL) FAIL("%s", trouble);
}

static inline void in_another_thread(void *(*body)(void *)) {
    pthread_t thread;

    CHECK_INT(pthread_create(&thread, NULL, body, NULL), 0);
    end_thread(thread);
}

#endif
