/* The host's allocator: one that counts, and fails when it is told to. Included after test.h. */
#ifndef LIBAE_COUNTED_HEAP_H
#define LIBAE_COUNTED_HEAP_H

#include <libae.h>
#include <malloc.h>

static struct {
    long allocations, live, calls_left; /* calls_left below 0: without end */
    int fails_once, refused;
} heap = {0, 0, -1, 0, 0};

static inline int may_allocate(void) {
    if (heap.calls_left == 0) {
        heap.refused++;
        if (heap.fails_once) heap.calls_left = -1;
        return 0;
    }
    if (heap.calls_left > 0) heap.calls_left--;
    return 1;
}

static inline void *counted(void *pointer) {
    if (pointer != NULL) heap.live++;
    heap.allocations++;
    return pointer;
}

static inline void *heap_malloc(size_t size, void *context) {
    void *pointer;

    CHECK(context == &heap);
    if (!may_allocate()) return NULL;
    pointer = counted(malloc(size));
    if (pointer != NULL) memset(pointer, 0xa5, size); /* whatever was there before */
    return pointer;
}

static inline void *heap_calloc(size_t count, size_t size, void *context) {
    CHECK(context == &heap);
    return may_allocate() ? counted(calloc(count, size)) : NULL;
}

static inline void *heap_realloc(void *pointer, size_t size, void *context) {
    CHECK(context == &heap);
    if (!may_allocate()) return NULL;
    if (pointer == NULL) return counted(malloc(size));
    return realloc(pointer, size);
}

static inline void heap_free(void *pointer, void *context) {
    CHECK(context == &heap);
    if (pointer != NULL) {
        heap.live--;
        memset(pointer, 0x5a, malloc_usable_size(pointer)); /* whoever still reads it is to notice */
    }
    free(pointer);
    errno = ESTALE; /* which is the allocator's own matter */
}

#define COUNTED_HEAP                                                                                             \
    {.malloc = heap_malloc, .calloc = heap_calloc, .realloc = heap_realloc, .free = heap_free, .context = &heap}

/* Whether something has worked. It may fail only when there is no memory. */
static inline int heap_worked(int line, int works) {
    if (!works && (errno != ENOMEM || heap.refused == 0))
        test_fail(__FILE__, line, "it fails with errno %d after %d refused allocations", errno, heap.refused);
    return works;
}

#define WORKS(condition) heap_worked(__LINE__, (condition))

/* A scenario, then again with each allocation failing in turn, first with all that follow and then alone. Nothing but
 * what the first has left is left. */
static inline void every_allocation(void (*scenario)(void)) {
    enum { MOST = 400 };
    int open = test_open_fds(), once, call;
    long live;

    scenario();
    live = heap.live;
    for (once = 0; once < 2; once++) {
        for (call = 0;; call++) {
            CHECK(call < MOST);
            heap.refused = 0;
            heap.fails_once = once;
            heap.calls_left = call;
            scenario();
            heap.calls_left = -1;
            if (heap.live != live) FAIL("allocation %d: %ld are left, before %ld", call, heap.live, live);
            CHECK_INT(test_open_fds(), open);
            if (heap.refused == 0) break;
        }
    }
}

#endif
