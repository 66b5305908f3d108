// What the sanitizers of martlet-init's own build are told, as its environment is its caller's.
#define OPTIONS "log_path=" REPORTS ":detect_leaks=0:abort_on_error=1:handle_segv=2:print_stacktrace=1"

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *__asan_default_options(void) { return OPTIONS; }
const char *__ubsan_default_options(void) { return OPTIONS; }
