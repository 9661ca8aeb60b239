/* What stock's connection.c takes from the server's own header. */
#ifndef DIFFER_SERVER_H
#define DIFFER_SERVER_H

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ae.h"
#include "anet.h"
#include "sds.h"
#include "zmalloc.h"

/* As libae's side has the loop: with what docs/api.md declares different (loop/declared.c). */
#include "loop/declared.h"
#define aeCreateFileEvent declared_create_file_event
#define aeDeleteFileEvent declared_delete_file_event

#define C_OK 0
#define C_ERR -1
#define UNUSED(value) ((void)(value))

struct server {
    aeEventLoop *el;
};

extern struct server server;

ssize_t syncWrite(int fd, char *ptr, ssize_t size, long long timeout);
ssize_t syncRead(int fd, char *ptr, ssize_t size, long long timeout);
ssize_t syncReadLine(int fd, char *ptr, ssize_t size, long long timeout);

#include "connection.h"

#endif
