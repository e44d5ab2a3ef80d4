/* gzprintf: the one function of the ABI whose arguments vary.
 *
 * Stable Rust cannot define such a function, so C takes the arguments and hands them on as a va_list. The exported symbol is a
 * jump in gz.rs, because only Rust's symbols are exported from a Rust library. Both names here are hidden: neither may be
 * bound to anything outside this library, where another libz may be mapped.
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
