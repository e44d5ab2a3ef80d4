/* Very large sizes. A gz function fails if the length does not fit its types: it reads and writes nothing, and the file is usable
 * after gzclearerr. A buffer that gzbuffer accepts, but that cannot be allocated, is a memory error. Output space of 64 GiB is
 * valid, and the bounds for 4 GiB of data do not overflow. */
/* alone: reserves 128 GiB of addresses, which a system with strict overcommit counts as memory */
#include "check.h"
#include <sys/mman.h>
#include <sys/resource.h>

enum { LEN = 70000 };
static Bytef *plain;

static void check_error(gzFile file, int code)
{
    int err;
    CHECK(gzerror(file, &err) != NULL);
    CHECK_EQ(err, code);
}

static void lengths_that_do_not_fit(const char *path)
{
    char few[16]; /* a call that read anything would write past its end */
    gzFile file = gzopen(path, "wb");
    CHECK(file != NULL);
    CHECK_EQ(gzbuffer(file, 0xffffffffu), -1); /* zlib allocates twice the size, which must fit in unsigned */
    CHECK_EQ(gzbuffer(file, 0x80000000u), -1);
    CHECK_EQ(gzwrite(file, plain, 0xffffffffu), 0); /* does not fit in the result, an int */
    check_error(file, Z_DATA_ERROR);
    gzclearerr(file);
    CHECK_EQ(gzfwrite(plain, (size_t)-1 / 2, 4, file), 0); /* the product does not fit in size_t */
    check_error(file, Z_STREAM_ERROR);
    gzclearerr(file);
    CHECK_EQ(gzwrite(file, plain, LEN), LEN);
    CHECK_EQ(gzclose(file), Z_OK);

    file = gzopen(path, "rb");
    CHECK(file != NULL);
    CHECK_EQ(gzread(file, few, 0xffffffffu), -1);
    check_error(file, Z_STREAM_ERROR);
    gzclearerr(file);
    CHECK_EQ(gzfread(few, (size_t)-1 / 2, 4, file), 0);
    check_error(file, Z_STREAM_ERROR);
    gzclearerr(file);
    Bytef *back = allocate(LEN);
    CHECK_EQ(gzread(file, back, LEN), LEN);
    CHECK(memcmp(plain, back, LEN) == 0);
    CHECK_EQ(gzread(file, back, LEN), 0); /* the failed writes added nothing */
    free(back);
    CHECK_EQ(gzclose(file), Z_OK);
}

/* gzbuffer accepts 2 GiB, but the process may have only 1 GiB of addresses. */
static void unallocatable_buffer(const char *path)
{
    struct rlimit limit = {1u << 30, 1u << 30};
    CHECK_EQ(setrlimit(RLIMIT_AS, &limit), 0);
    gzFile file = gzopen(path, "rb");
    CHECK(file != NULL);
    CHECK_EQ(gzbuffer(file, 0x7fffffffu), 0);
    CHECK_EQ(gzgetc(file), -1);
    check_error(file, Z_MEM_ERROR);
    gzclose(file);
    file = gzopen(path, "ab");
    CHECK(file != NULL);
    CHECK_EQ(gzbuffer(file, 0x7fffffffu), 0);
    CHECK_EQ(gzputc(file, 'a'), -1);
    check_error(file, Z_MEM_ERROR);
    gzclose(file);
}

/* Buffers larger than the 4 GiB that avail_out can hold, of which little is used. */
static void large_output_space(void)
{
    enum { GIB = 1 << 30 };
    const size_t len = (size_t)64 * GIB;
    Bytef *packed = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    Bytef *back = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (packed != MAP_FAILED && back != MAP_FAILED) {
        uLongf packed_len = len, back_len = len;
        CHECK_EQ(compress2(packed, &packed_len, plain, LEN, 6), Z_OK);
        CHECK(packed_len <= compressBound(LEN));
        CHECK_EQ(uncompress(back, &back_len, packed, packed_len), Z_OK);
        CHECK_EQ(back_len, LEN);
        CHECK(memcmp(plain, back, LEN) == 0);
        munmap(packed, len), munmap(back, len);
    } else {
        printf("note: buffers of 64 GiB cannot be reserved here\n");
    }
}

static void bounds(void)
{
    CHECK(compressBound(0xffffffffUL) > 0xffffffffUL);
    z_stream strm;
    deflate_start(&strm, 6, 31);
    CHECK(deflateBound(&strm, 0xffffffffUL) > 0xffffffffUL);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
}

int main(void)
{
    begin();
    plain = prose(LEN, 733);
    const char *path = scratch("huge.gz");
    lengths_that_do_not_fit(path);
    large_output_space();
    bounds();
    pid_t child = fork_for(60);
    if (child == 0) {
        unallocatable_buffer(path);
        _exit(0);
    }
    CHECK_EQ(child_status(child), 0);
    unlink(path);
    free(plain);
    return 0;
}
