/* Has stock's ae.c take select. */
#include "fmacros.h"
#include "config.h"
#undef HAVE_EPOLL
