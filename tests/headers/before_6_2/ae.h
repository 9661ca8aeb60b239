#if defined(LIBAE_BEFORE_6_2) && !defined(LIBAE_AE_BEFORE_6_2)
#define LIBAE_AE_BEFORE_6_2 1

/** How many descriptors a loop is for that is created without saying so. */
#define AE_SETSIZE (1024 * 10)
/** What select calls exceptional conditions: nobody waits for them now. */
#define AE_EXCEPTION 0

#define LIBAE_FOURTH(a1, a2, a3, a4, ...) a4

/** Without an argument (before 2.6), or with the set size. */
#define aeCreateEventLoop(setsize) aeCreateEventLoop(sizeof(#setsize) > 1 ? (setsize + 0) : AE_SETSIZE)
/** With a finalizer (up to 1.2), which has to be NULL or the call fails with `EINVAL`, or without. */
#define aeCreateFileEvent(loop, fd, mask, ...) \
    LIBAE_FOURTH(__VA_ARGS__, libae_file_event_6, aeCreateFileEvent, 0)(loop, fd, mask, __VA_ARGS__)
#define libae_file_event_6(loop, fd, mask, proc, data, finalizer) \
    aeCreateFileEvent(loop, fd, (finalizer) != NULL ? -1 : (mask), proc, data)
#endif
