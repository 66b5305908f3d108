#pragma once
#include "CLinuxProcess.h"
