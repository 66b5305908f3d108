#include "sys.h"

// The process begins with the argument count and vector on the stack, which must be aligned before any call.
#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call start\n hlt\n");
#else
__asm__(".globl _start\n_start:\n mov x29, #0\n mov x30, #0\n mov x0, sp\n and sp, x0, #-16\n bl start\n");
#endif

int main(int count, char **arguments, char **environment);
void start(long *stack);

void start(long *stack) {
    char **arguments = (char **)(stack + 1);
    sys_exit(main((int)stack[0], arguments, arguments + stack[0] + 1));
}
