/* An ae.h as programs had it that took ae from Redis 2.4, cut down to what this one uses. libae has another layout. */
#ifndef __AE_H__
#define __AE_H__

#include <time.h>

struct aeEventLoop;
typedef void aeFileProc(struct aeEventLoop *loop, int fd, void *data, int mask);
typedef int aeTimeProc(struct aeEventLoop *loop, long long id, void *data);
typedef void aeEventFinalizerProc(struct aeEventLoop *loop, void *data);

typedef struct aeEventLoop {
    int maxfd;
    long long timeEventNextId;
    time_t lastTime;
    char events[1024][32];
    void *timeEventHead;
    int stop;
} aeEventLoop;

#define AE_ERR -1
#define AE_READABLE 1
#define AE_NOMORE -1

aeEventLoop *aeCreateEventLoop(void);
void aeDeleteEventLoop(aeEventLoop *loop);
int aeCreateFileEvent(aeEventLoop *loop, int fd, int mask, aeFileProc *proc, void *data);
void aeDeleteFileEvent(aeEventLoop *loop, int fd, int mask);
long long aeCreateTimeEvent(aeEventLoop *loop, long long ms, aeTimeProc *proc, void *data,
                            aeEventFinalizerProc *finalizer);
void aeMain(aeEventLoop *loop);

#endif
