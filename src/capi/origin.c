/* deflateInit_ and deflateInit2_: the file that creates a stream is found by the call's return address, which Rust cannot get.
 *
 * The exported symbols are jumps in deflate.rs, because only Rust's symbols are exported from a Rust library. All names here are
 * hidden.
 */

#define ORIGIN __builtin_extract_return_addr(__builtin_return_address(0))

#pragma GCC visibility push(hidden)
int rigz_deflate_init_at(void *strm, int level, int method, int window_bits, int mem_level, int strategy, const char *version,
                         int stream_size, const void *origin);
int rigz_deflate_init(void *strm, int level, const char *version, int stream_size);
int rigz_deflate_init2(void *strm, int level, int method, int window_bits, int mem_level, int strategy, const char *version,
                       int stream_size);
#pragma GCC visibility pop

int rigz_deflate_init(void *strm, int level, const char *version, int stream_size) {
    return rigz_deflate_init_at(strm, level, 8, 15, 8, 0, version, stream_size, ORIGIN);
}

int rigz_deflate_init2(void *strm, int level, int method, int window_bits, int mem_level, int strategy, const char *version,
                       int stream_size) {
    return rigz_deflate_init_at(strm, level, method, window_bits, mem_level, strategy, version, stream_size, ORIGIN);
}
