/* Counts a library's allocations and page faults. `scripts/bench phases` runs it with each variant in LD_PRELOAD.
 *
 *   allocations messages LEVEL FILE   compress2 of 1 KiB pieces of FILE, each alone
 *   allocations stream LEVEL FILE     deflate of FILE, 64 KiB in and out per call, gzip format
 *
 * Runs the work once to warm up and once counted, and prints "calls allocations bytes faults" of the counted run; calls
 * are messages, or MiB of FILE. The functions below replace the C library's for the whole process, because the dynamic
 * linker searches the program first.
 */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <zlib.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static atomic_ulong allocations, bytes;

static void count(size_t len) {
    atomic_fetch_add(&allocations, 1);
    atomic_fetch_add(&bytes, len);
}

void *malloc(size_t len) {
    count(len);
    return __libc_malloc(len);
}

void *calloc(size_t items, size_t len) {
    count(items * len);
    return __libc_calloc(items, len);
}

void *realloc(void *old, size_t len) {
    count(len);
    return __libc_realloc(old, len);
}

int posix_memalign(void **place, size_t alignment, size_t len) {
    count(len);
    *place = __libc_memalign(alignment, len);
    return *place ? 0 : 12;
}

void *aligned_alloc(size_t alignment, size_t len) {
    count(len);
    return __libc_memalign(alignment, len);
}

enum { MESSAGE = 1 << 10, PIECE = 64 << 10 };
static unsigned char out[PIECE];

static void messages(int level, unsigned char *data, size_t len) {
    for (size_t at = 0; at + MESSAGE <= len; at += MESSAGE) {
        uLongf room = sizeof out;
        if (compress2(out, &room, data + at, MESSAGE, level) != Z_OK) exit(1);
    }
}

static void stream(int level, unsigned char *data, size_t len) {
    z_stream strm = {0};
    if (deflateInit2(&strm, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK) exit(1);
    strm.next_in = data;
    size_t left = len;
    int code = Z_OK;
    while (code != Z_STREAM_END) {
        if (strm.avail_in == 0 && left > 0) {
            strm.avail_in = (uInt)(left < PIECE ? left : PIECE);
            left -= strm.avail_in;
        }
        strm.next_out = out;
        strm.avail_out = sizeof out;
        code = deflate(&strm, left == 0 ? Z_FINISH : Z_NO_FLUSH);
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) exit(1);
    }
    if (deflateEnd(&strm) != Z_OK) exit(1);
}

static long faults(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    int is_stream = strcmp(argv[1], "stream") == 0, level = atoi(argv[2]);
    FILE *file = fopen(argv[3], "rb");
    if (!file || fseek(file, 0, SEEK_END)) return 1;
    size_t len = (size_t)ftell(file);
    unsigned char *data = malloc(len);
    rewind(file);
    if (!data || fread(data, 1, len, file) != len) return 1;
    void (*work)(int, unsigned char *, size_t) = is_stream ? stream : messages;
    work(level, data, len);
    unsigned long allocations_before = allocations, bytes_before = bytes;
    long faults_before = faults();
    work(level, data, len);
    printf("%zu %lu %lu %ld\n", len / (is_stream ? 1 << 20 : MESSAGE), allocations - allocations_before, bytes - bytes_before,
           faults() - faults_before);
    return 0;
}
