#pragma once
#include "sys.h"

// Brings an interface of this namespace up.
int net_up(const char *name);
// Gives `name` an address of its own only (/32), brings it up, and makes `gateway`, on its link, the default route.
// Addresses are in network byte order.
int net_configure(const char *name, u32 address, u32 gateway);
