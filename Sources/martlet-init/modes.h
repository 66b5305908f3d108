#pragma once
#include "sys.h"

int hold(int count, char **arguments);
int enter(int count, char **arguments, char **environment);
int pod(int count, char **arguments);
