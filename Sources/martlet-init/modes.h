#pragma once
#include "sys.h"

int hold(int count, char **arguments);
int enter(int count, char **arguments, char **environment);
int pod(int count, char **arguments);

// Returns when there is a byte to read on standard input. Where that ends without one this process ends: whoever started
// it sends the byte once it has written down the process, for one of which nobody knows would stay.
void await_go(void);

// The remedy where the root directory is not the mount namespace's.
#define NO_CHROOT "clusters do not run within chroot(2), use pivot_root(2) instead as bwrap and systemd-nspawn do"
