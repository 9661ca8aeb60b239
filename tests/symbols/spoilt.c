/* Spoils the loop's memory of a deleted time event, between the pass that finds it and its finalizer. */

#include <ae.h>
#include <stdio.h>

static aeTimeEvent *deleted;

static void finalizer(aeEventLoop *el, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(data);
}

static int never(aeEventLoop *el, long long id, void *data) {
    AE_NOTUSED(el);
    AE_NOTUSED(id);
    AE_NOTUSED(data);
    return AE_NOMORE;
}

static void spoil(aeEventLoop *el) {
    AE_NOTUSED(el);
    deleted->when = 1u << 30;
}

int main(void) {
    aeEventLoop *el = aeCreateEventLoop(16);
    long long id = aeCreateTimeEvent(el, 1000, (aeTimeProc *) never, NULL, finalizer);

    deleted = el->timeEventHead;
    aeDeleteTimeEvent(el, id);
    aeSetAfterSleepProc(el, (void *) spoil);
    aeProcessEvents(el, AE_TIME_EVENTS | AE_CALL_AFTER_SLEEP);
    puts("nothing happened");
    return 0;
}
