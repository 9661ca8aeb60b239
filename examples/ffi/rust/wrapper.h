#include <ae.h>
#include <anet.h>
#include <libae.h>
