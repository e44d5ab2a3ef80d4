/* A program that ends its stream with one deflate(Z_FINISH) into a room that was always enough for zlib, and looks no further: Fossil
 * and `zstd --format=gzip` do. What a stream holds back after calls that took all input must fit that room. */
#include "check.h"

enum { LEN = 5 << 20 };
static Bytef *data[2], *out;

/* Bytes of output at the one call of Z_FINISH. */
static size_t at_the_end(const Bytef *plain, size_t room, size_t step, int level)
{
    z_stream strm;
    memset(&strm, 0, sizeof strm);
    CHECK_EQ(deflateInit2(&strm, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    for (size_t at = 0; at < LEN; at += step) {
        strm.next_in = (Bytef *)plain + at, strm.avail_in = (uInt)(LEN - at < step ? LEN - at : step);
        do {
            strm.next_out = out, strm.avail_out = (uInt)room;
            CHECK_EQ(deflate(&strm, Z_NO_FLUSH), Z_OK);
        } while (strm.avail_in > 0);
    }
    strm.next_out = out, strm.avail_out = (uInt)room;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    return room - strm.avail_out;
}

int main(void)
{
    static const size_t rooms[] = {40000, 65536, 100000, 1 << 20}, steps[] = {1000, 65536, 3 << 20};
    begin();
    setenv("RIGZ_THREADS", "4", 1);
    data[0] = prose(LEN, 3), data[1] = noise(LEN, 3), out = allocate(1 << 20);
    size_t most = 0;
    for (int kind = 0; kind < 2; kind++)
        for (size_t r = kind; r < sizeof rooms / sizeof *rooms; r++)
            for (size_t s = 0; s < sizeof steps / sizeof *steps; s++)
                for (int level = 1; level <= 9; level += 4) {
                    /* Noise needs room for a block and what was taken after it; zlib itself holds more than 64 KB there. */
                    if (kind == 1 && rooms[r] < 70000)
                        continue;
                    size_t held = at_the_end(data[kind], rooms[r], steps[s], level);
                    if (held > most)
                        most = held;
                }
    CHECK(most <= 68 << 10);
    printf("note: at most %zu bytes at Z_FINISH\n", most);
    free(data[0]), free(data[1]), free(out);
    return 0;
}
