/* What stock's ae.c is compiled with: build.py puts calls of these into its copy. */
#ifndef DIFFER_HOOKS_H
#define DIFFER_HOOKS_H

struct aeEventLoop;

/* Where the loop is about to wait, before it looks for how long; returns the flags that it goes on with. */
int differ_before_sleep(struct aeEventLoop *el, int flags);

/* In place of a pass over the time events, which `pass` makes. */
int differ_time_events(struct aeEventLoop *el, int (*pass)(struct aeEventLoop *el));

#endif
