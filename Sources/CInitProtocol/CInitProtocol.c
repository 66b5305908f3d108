#include "CInitProtocol.h"

_Static_assert(sizeof(struct init_header) == 8, "a header has no gaps");
