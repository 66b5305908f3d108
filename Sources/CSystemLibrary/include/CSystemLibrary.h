// Libraries of the machine, loaded at run time.
#pragma once

// Loads a library from one of the system's own directories, which only root can write to: never from beside the
// program, a directory that the environment names, or the current one. NULL where none has it, or it cannot be loaded;
// `*problem`, unless `problem` is NULL, is then why.
void *csystem_library_open(const char *name, const char **problem);

// A function of a library, and where its address goes.
struct csystem_symbol {
    void **place;
    const char *name;
};

// Loads a library with all these functions. NULL on success, else why it cannot be had, for as long as the process lives.
const char *csystem_library_load(const char *name, const struct csystem_symbol *symbols, unsigned count);
