// The list of operations that a container's process carries out. An input is a byte that says how many bytes follow of
// what the kernel answers, these, and the list.
#include "kernel.h"
#include "pod.h"
// Included: its root is none again with each input.
#include "root.c"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    size_t answers = size ? data[0] : 0;
    if (!size || size - 1 < answers) return 0;
    kernel_begin(NULL, 0);
    kernel.child = data + 1;
    kernel.child_end = kernel.list = kernel.child + answers;
    kernel.list_size = size - 1 - answers;
    // The log's directory, no cgroup, the keys.
    static const char body[] = "\1\0\0\0\0\0\0\0a/0\0a.log\0\0";
    enum { descriptors = 6 };
    struct packet packet = {.header = {.type = request_start}, .size = sizeof body, .descriptor_count = descriptors};
    memcpy(packet.body, body, sizeof body);
    for (int i = 0; i < descriptors; i++) packet.descriptors[i] = kernel_open();
    struct failure failure = {0};
    struct container *started;
    containers = NULL;
    shared_processes = root = -1;
    if (!setjmp(kernel.ended)) container_start(&packet, &failure, &started);
    kernel_end();
    return 0;
}
