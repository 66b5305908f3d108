#include "modes.h"

int pod(int count, char **arguments) {
    (void)count, (void)arguments;
    die("pod: not built yet", 0);
}
