/* No call computes with floating-point numbers: no exception flag is set, so a program that traps them (feenableexcept) is not ended
 * by one, and the rounding mode stays. */
#include "check.h"
#include <fenv.h>

enum { LEN = 12 << 20, STEP = 100000 };

static void read_file(const char *path)
{
    static char piece[STEP];
    gzFile file = gzopen(path, "rb");
    CHECK(file != NULL);
    size_t total = 0;
    for (int got; (got = gzread(file, piece, STEP)) > 0;)
        total += (size_t)got;
    CHECK_EQ(total, LEN);
    CHECK_EQ(gzclose(file), Z_OK);
}

static void inflate_in_steps(Bytef *packed, size_t len)
{
    static Bytef piece[STEP];
    z_stream strm;
    inflate_start(&strm, 31);
    strm.next_in = packed, strm.avail_in = (uInt)len;
    int code = Z_OK;
    while (code == Z_OK) {
        strm.next_out = piece, strm.avail_out = STEP;
        code = inflate(&strm, Z_NO_FLUSH);
    }
    CHECK_EQ(code, Z_STREAM_END);
    CHECK_EQ(strm.total_out, LEN);
    CHECK_EQ(inflateEnd(&strm), Z_OK);
}

int main(void)
{
    begin();
    setenv("RIGZ_THREADS", "3", 1);
    /* Compressed to more than 1 MiB, so that it is decoded in parallel. */
    Bytef *plain = prose(LEN, 5);
    CHECK_EQ(feclearexcept(FE_ALL_EXCEPT), 0);
    CHECK_EQ(fesetround(FE_UPWARD), 0);
    for (int level = 1; level < 10; level += 4) {
        size_t len;
        Bytef *packed = pack(plain, LEN, level, 31, &len);
        const char *path = scratch("floating_point.gz");
        gzFile file = gzopen(path, "wb");
        CHECK(file != NULL && gzwrite(file, plain, LEN) == LEN && gzclose(file) == Z_OK);
        for (int round = 0; round < 4; round++) {
            inflate_in_steps(packed, len);
            read_file(path);
        }
        unlink(path);
        free(packed);
    }
    CHECK_EQ(fetestexcept(FE_ALL_EXCEPT), 0);
    CHECK_EQ(fegetround(), FE_UPWARD);
    free(plain);
    return 0;
}
