/* Kernels, and filters of system calls, that do not have everything the library would like. */
#include "ae_test.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

/* From now on the call fails with this error in this process. */
static void refuse(unsigned number, unsigned error) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(filter) / sizeof(*filter), filter};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
        SKIP("no filters of system calls here");
}

static int iterations, runs;

static void count_iteration(aeEventLoop *el) {
    AE_NOTUSED(el);
    iterations++;
}

static TIME_RESULT three_times(aeEventLoop *el, long long id, void *data) {
    long long *due = data, now = test_now_us();

    AE_NOTUSED(id);
    if (now < *due) test_fail(__FILE__, __LINE__, "%lld us early", *due - now);
    if (++runs == 3) {
        aeStop(el);
        return AE_NOMORE;
    }
    *due = now + 2000;
    return 2;
}

static void timers_run(void) {
    aeEventLoop *el = new_loop();
    long long due = test_now_us() + 3000;

    aeSetBeforeSleepProc(el, count_iteration);
    CHECK(aeCreateTimeEvent(el, 3, three_times, &due, NULL) != AE_ERR);
    aeMain(el);
    CHECK_INT(runs, 3);
    /* A wait that is cut to whole milliseconds would come back early, again and again. */
    CHECK(iterations <= 6);
    aeDeleteEventLoop(el);
}

static void timers_without_epoll_pwait2(void) {
    refuse(SYS_epoll_pwait2, ENOSYS);
    timers_run();
}

static void timers_where_epoll_pwait2_is_forbidden(void) {
    refuse(SYS_epoll_pwait2, EPERM);
    timers_run();
}

static void timers_with_all_calls(void) { timers_run(); }

TEST_MAIN(CASE(timers_without_epoll_pwait2), CASE(timers_where_epoll_pwait2_is_forbidden), CASE(timers_with_all_calls))
