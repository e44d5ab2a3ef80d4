/* gzprintf: the only variadic function of the ABI.
 *
 * Stable Rust cannot define such a function, so C takes the arguments and passes them on as a va_list. The exported symbol is a
 * jump in gz.rs, because only Rust's symbols are exported from a Rust library. Both names here are hidden: neither may
 * resolve to a symbol outside this library, where another libz may be loaded.
 */

#include <stdarg.h>

#pragma GCC visibility push(hidden)
int rigz_gzvprintf(void *file, const char *format, va_list arguments);
int rigz_gzprintf(void *file, const char *format, ...);
#pragma GCC visibility pop

int rigz_gzprintf(void *file, const char *format, ...) {
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = rigz_gzvprintf(file, format, arguments);
    va_end(arguments);
    return length;
}
