/* A program that ends its stream with a single deflate(Z_FINISH) into a buffer that was always large enough for zlib, as
 * Fossil and `zstd --format=gzip` do. The output held back after calls that took all input must fit that buffer.
 *
 * Buffers of 32 KiB to 2 MB, steps of 1 KiB to 8 MiB, levels 1, 6, 9, with one, two and four threads.
 */
#include "check.h"

enum { KIB = 1 << 10, MIB = 1 << 20 };
/* More than the threshold for workers, and not a multiple of anything; with the largest step, one step and a rest. */
enum { LEN = 1900 * KIB + 77, LONG = 8 * MIB + 300 * KIB + 77 };
static Bytef *data[2], *out;

/* Bytes of output of the single Z_FINISH call. */
static size_t at_the_end(const Bytef *plain, size_t len, size_t room, size_t step, int level)
{
    z_stream strm;
    memset(&strm, 0, sizeof strm);
    CHECK_EQ(deflateInit2(&strm, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    for (size_t at = 0; at < len; at += step) {
        strm.next_in = (Bytef *)plain + at, strm.avail_in = (uInt)(len - at < step ? len - at : step);
        do {
            strm.next_out = out, strm.avail_out = (uInt)room;
            CHECK_EQ(deflate(&strm, Z_NO_FLUSH), Z_OK);
        } while (strm.avail_in > 0);
    }
    strm.next_out = out, strm.avail_out = (uInt)room;
    int code = deflate(&strm, Z_FINISH);
    if (code != Z_STREAM_END) {
        fprintf(stderr, "room %zu, step %zu, level %d, %s threads, %s: Z_FINISH gives %d\n", room, step, level,
                getenv("RIGZ_THREADS"), plain == data[0] ? "prose" : "noise", code);
        exit(1);
    }
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    return room - strm.avail_out;
}

/* All cases. Returns the most bytes of output at Z_FINISH. */
static size_t all(void)
{
    static const size_t rooms[] = {32 * KIB, 64 * KIB, 80 * KIB, 300000, MIB, 2000000},
                        steps[] = {KIB, 64 * KIB, 700000, 8 * MIB};
    static const int levels[] = {1, 6, 9};
    size_t most = 0;
    for (int kind = 0; kind < 2; kind++)
        for (size_t r = 0; r < sizeof rooms / sizeof *rooms; r++)
            for (size_t s = 0; s < sizeof steps / sizeof *steps; s++)
                for (size_t l = 0; l < sizeof levels / sizeof *levels; l++) {
                    size_t len = steps[s] > LEN ? LONG : LEN;
                    size_t held = at_the_end(data[kind], len, rooms[r], steps[s], levels[l]);
                    if (held > most)
                        most = held;
                }
    return most;
}

int main(void)
{
    static const char *const threads[] = {"1", "2", "4"};
    int count = is_rigz() ? 3 : 1, failed = 0;
    begin();
    data[0] = prose(LONG, 3), data[1] = noise(LONG, 3), out = allocate(2000000);
    fflush(stdout);
    /* One process per case, since the number of threads is read once. */
    for (int i = 0; i < count; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            end_after(300);
            setenv("RIGZ_THREADS", threads[i], 1);
            size_t most = all();
            CHECK(most <= 32 * KIB);
            printf("note: %s threads, at most %zu bytes at Z_FINISH\n", threads[i], most);
            exit(0);
        }
    }
    for (int i = 0, status; i < count; i++) {
        CHECK(wait(&status) > 0);
        failed |= status;
    }
    free(data[0]), free(data[1]), free(out);
    return failed != 0;
}
