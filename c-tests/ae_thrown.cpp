// Callbacks that are left by an exception. It passes through the library, which goes on with the next call.
#include "ae_test.h"

#include <stdexcept>

namespace {

enum { WHOLE = AE_ALL_EVENTS | AE_DONT_WAIT };

int throws;

void throw_or_note(char event) {
    if (throws-- > 0) throw std::runtime_error("left");
    test_note(event);
}

TIME_RESULT on_time(aeEventLoop *, long long, void *) {
    throw_or_note('t');
    return AE_NOMORE;
}

TIME_RESULT on_end(aeEventLoop *loop, long long, void *) {
    aeStop(loop);
    return AE_NOMORE;
}

void on_readable(aeEventLoop *, int fd, void *, int) {
    throw_or_note('r');
    test_drain(fd);
}

void on_final(aeEventLoop *, void *) { throw_or_note('f'); }

template <typename Run> bool thrown(Run run) {
    try {
        run();
        return false;
    } catch (const std::runtime_error &) {
        return true;
    }
}

void every_kind_of_callback_may_throw() {
    aeEventLoop *el = new_loop();
    int pair[2];
    auto once = [=] { aeProcessEvents(el, WHOLE); };

    ready_pair(pair);
    CHECK_INT(aeCreateFileEvent(el, pair[0], AE_READABLE, on_readable, nullptr), AE_OK);
    CHECK(aeCreateTimeEvent(el, 0, on_time, nullptr, on_final) != AE_ERR);
    throws = 1;
    CHECK(thrown(once));  // readable
    CHECK(!thrown([=] { aeProcessEvents(el, AE_FILE_EVENTS | AE_DONT_WAIT); }));
    throws = 1;
    CHECK(thrown(once));  // the time event
    CHECK(!thrown(once));
    throws = 1;
    CHECK(thrown(once));  // its finalizer
    CHECK(!thrown(once));
    CHECK_TEXT(test_noted(), "rt");
    test_close_pair(pair);
    aeDeleteEventLoop(el);
}

void main_runs_again() {
    aeEventLoop *el = new_loop();
    auto run = [=] { aeMain(el); };

    CHECK(aeCreateTimeEvent(el, 0, on_time, nullptr, nullptr) != AE_ERR);
    throws = 2;
    CHECK(thrown(run));
    CHECK(thrown(run));
    CHECK(aeCreateTimeEvent(el, 0, on_end, nullptr, nullptr) != AE_ERR);
    CHECK(!thrown(run));
    CHECK_TEXT(test_noted(), "t");
    aeDeleteEventLoop(el);
}

void on_outer(aeEventLoop *el, int fd, void *, int) {
    test_drain(fd);
    CHECK(thrown([=] { aeProcessEvents(el, AE_TIME_EVENTS | AE_DONT_WAIT); }) == (throws >= 0));
    test_note('o');
}

void outer_call_catches() {
    aeEventLoop *el = new_loop();
    int first[2], second[2];

    ready_pair(first);
    ready_pair(second);
    CHECK_INT(aeCreateFileEvent(el, first[0], AE_READABLE, on_outer, nullptr), AE_OK);
    CHECK_INT(aeCreateFileEvent(el, second[0], AE_READABLE, on_outer, nullptr), AE_OK);
    CHECK(aeCreateTimeEvent(el, 0, on_time, nullptr, nullptr) != AE_ERR);
    throws = 1;
    CHECK(!thrown([=] { aeProcessEvents(el, WHOLE); }));
    CHECK_TEXT(test_noted(), "oto");
    test_close_pair(first);
    test_close_pair(second);
    aeDeleteEventLoop(el);
}

}  // namespace

TEST_MAIN(CASE(every_kind_of_callback_may_throw), CASE(main_runs_again), CASE(outer_call_catches))
