// System calls for servers that Swift's Glibc module has not.
#pragma once

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

extern int accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);
