/* What a valkey-9.1.2 server registers with libae: the same as 9.1.0, whose tables of connection types have a slot
 * less. */

#define NEEDED_PROFILE "valkey-9.1.2"
#include "valkey-9.1.c"
