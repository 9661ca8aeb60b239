#include "trace.h"

#include <stdarg.h>
#include <stdio.h>

void trace_add(struct trace *trace, const char *format, ...) {
    size_t room = TRACE_SIZE - trace->length;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(trace->text + trace->length, room, format, arguments);
    va_end(arguments);
    trace->length += (size_t)length < room ? (size_t)length : room - 1;
}
