#include "CNftables.h"

#include "CSystemLibrary.h"

#include <pthread.h>
#include <stdint.h>

// As in nftables/libnftables.h, which is not needed to build.
enum { OUTPUT_STATELESS = 1 << 2, OUTPUT_TERSE = 1 << 11 };

static struct {
    struct cnftables *(*open)(uint32_t);
    void (*close)(struct cnftables *);
    int (*run)(struct cnftables *, const char *);
    int (*buffer_output)(struct cnftables *);
    int (*buffer_error)(struct cnftables *);
    const char *(*output)(struct cnftables *);
    const char *(*error)(struct cnftables *);
    void (*set_output)(struct cnftables *, unsigned);
    const char *failure;
} library;

static void load(void) {
    const struct csystem_symbol symbols[] = {
        {(void **)&library.open, "nft_ctx_new"},
        {(void **)&library.close, "nft_ctx_free"},
        {(void **)&library.run, "nft_run_cmd_from_buffer"},
        {(void **)&library.buffer_output, "nft_ctx_buffer_output"},
        {(void **)&library.buffer_error, "nft_ctx_buffer_error"},
        {(void **)&library.output, "nft_ctx_get_output_buffer"},
        {(void **)&library.error, "nft_ctx_get_error_buffer"},
        {(void **)&library.set_output, "nft_ctx_output_set_flags"},
    };
    library.failure = csystem_library_load("libnftables.so.1", symbols, sizeof symbols / sizeof *symbols);
}

const char *cnftables_load(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return library.failure;
}

struct cnftables *cnftables_open(void) {
    if (cnftables_load()) return 0;
    struct cnftables *context = library.open(0);
    if (!context) return 0;
    library.buffer_output(context);
    library.buffer_error(context);
    library.set_output(context, OUTPUT_STATELESS | OUTPUT_TERSE);
    return context;
}

void cnftables_close(struct cnftables *context) { library.close(context); }
int cnftables_run(struct cnftables *context, const char *commands) { return library.run(context, commands); }
const char *cnftables_output(struct cnftables *context) { return library.output(context); }
const char *cnftables_error(struct cnftables *context) { return library.error(context); }
