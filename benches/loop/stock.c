/* ae.c of Redis 7.0.15, compiled from Debian's source package. Its connections cannot be had without its server. */
#include "engine_ae.h"

const char engine_name[] = "stock";
