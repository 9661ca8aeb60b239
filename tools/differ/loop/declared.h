/* What docs/api.md declares different: stock's functions with these differences taken in, and nothing else. Each is
 * named by the words that docs/api.md has for it. */
#ifndef DIFFER_DECLARED_H
#define DIFFER_DECLARED_H

#include "ae.h"
#include "play.h"

/* A new program. */
void declared_begin(enum backend backend, const struct profile *profile);

int declared_create_file_event(aeEventLoop *el, int fd, int mask, aeFileProc *proc, void *data);
void declared_delete_file_event(aeEventLoop *el, int fd, int mask);
int declared_get_file_events(aeEventLoop *el, int fd);
void *declared_get_file_client_data(aeEventLoop *el, int fd);
long long declared_create_time_event(aeEventLoop *el, long long milliseconds, aeTimeProc *proc, void *data,
                                     aeEventFinalizerProc *finalizer);
int declared_delete_time_event(aeEventLoop *el, long long id);
int declared_process_events(aeEventLoop *el, int flags);
void declared_main(aeEventLoop *el);
int declared_resize_set_size(aeEventLoop *el, int setsize);
aeEventLoop *declared_create_event_loop(int setsize);
void declared_delete_event_loop(aeEventLoop *el);
int declared_wait(int fd, int mask, long long milliseconds);

/* A time event's function begins, and ends. */
void declared_timer_begins(aeEventLoop *el, long long id);
void declared_timer_ends(int result);

#endif
