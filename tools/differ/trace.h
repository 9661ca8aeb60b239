/* What a side has done, line by line. */
#ifndef DIFFER_TRACE_H
#define DIFFER_TRACE_H

#include <stddef.h>

enum { TRACE_SIZE = 1 << 18 };

struct trace {
    char text[TRACE_SIZE];
    size_t length;
    int is_broken; /* something was against the rules, whatever the other side does */
};

__attribute__((format(printf, 2, 3))) void trace_add(struct trace *trace, const char *format, ...);

#endif
