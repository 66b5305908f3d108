// martlet-init: what must run between clone and exec, or must stay tiny.
//
//   hold    creates namespaces and keeps them open until it is killed
//   enter   joins another process's namespaces and executes a command
//   pod     PID 1 of a pod: starts and reaps containers, writes their logs, keeps their exit codes
//
// It decides nothing: which mounts, ids and limits a container gets is a list of operations made by the node agent.
#include "modes.h"

int main(int count, char **arguments, char **environment) {
    const char *mode = count > 1 ? arguments[1] : "";
    if (!strcmp(mode, "hold")) return hold(count - 2, arguments + 2);
    if (!strcmp(mode, "enter")) return enter(count - 2, arguments + 2, environment);
    if (!strcmp(mode, "pod")) return pod(count - 2, arguments + 2);
    die("started by martlet only; modes are hold, enter and pod", 0);
}
