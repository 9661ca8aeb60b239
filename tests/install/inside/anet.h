/* An anet.h as programs had it that took anet from Redis 2.4, cut down to what this one uses. */
#ifndef ANET_H
#define ANET_H

#define ANET_ERR -1
#define ANET_ERR_LEN 256

int anetTcpServer(char *err, int port, char *address);
int anetTcpConnect(char *err, char *address, int port);
int anetTcpAccept(char *err, int server, char *ip, int *port);
int anetTcpNoDelay(char *err, int fd);
int anetSockName(int fd, char *ip, int *port);
int anetRead(int fd, char *buffer, int count);
int anetWrite(int fd, char *buffer, int count);

#endif
