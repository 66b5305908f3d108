// A kernel for martlet-init under test: what its system calls return, and the bytes that they fill in, is the input's.
// What a real kernel would refuse or be harmed by ends the test: memory that is not the caller's, descriptors that are
// not open.
#pragma once
#include "sys.h"

#include <setjmp.h>

struct kernel {
    // What is left of the input.
    const u8 *next, *end;
    // The contents of every file that is mapped: a list of operations.
    const u8 *list;
    size_t list_size;
    // Where there is one, clone returns in the child, and this is the input from then on.
    const u8 *child, *child_end;
    // Where the process's end leads.
    jmp_buf ended;
};

extern struct kernel kernel;

// The first process of the namespace that containers share; it ends as others do.
enum { kernel_leader = 2 };

// Begins anew, with descriptors from 0 to 2 open.
void kernel_begin(const u8 *input, size_t size);
// Frees what was mapped and not unmapped.
void kernel_end(void);
// A new descriptor.
int kernel_open(void);
