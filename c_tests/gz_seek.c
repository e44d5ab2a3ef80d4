/* gzseek, gzrewind and gztell, in gzip files and in uncompressed ones: a reader moves forward and back, a writer only forward, by
 * writing zeros. */
#include "check.h"

enum { LEN = 2 << 20 };

static void seek_in_reader(const char *path, const Bytef *plain, int is_direct)
{
    Bytef back[1000];
    uint32_t seed = 3;
    gzFile file = gzopen(path, "rb");
    CHECK(file != NULL);
    CHECK_EQ(gzdirect(file), is_direct);
    z_off_t at = 0;
    for (int i = 0; i < 40; i++) {
        z_off_t to = (z_off_t)(random_next(&seed) % (LEN - 2000));
        if (i % 3 == 0)
            CHECK_EQ(gzseek(file, to - at, SEEK_CUR), to);
        else
            CHECK_EQ(gzseek(file, to, SEEK_SET), to);
        CHECK_EQ(gztell(file), to);
        if (i % 4 == 0)
            CHECK_EQ(gzgetc(file), plain[to++]);
        CHECK_EQ(gzread(file, back, sizeof back), sizeof back);
        CHECK(memcmp(back, plain + to, sizeof back) == 0);
        at = to + (z_off_t)sizeof back;
        if (i % 5 == 0) { /* a little back, within the data just read */
            CHECK_EQ(gzseek(file, -10, SEEK_CUR), at - 10);
            CHECK_EQ(gzgetc(file), plain[at - 10]);
            at -= 9;
        }
    }
    /* Before the start, or from an unknown end: the seek fails and the position stays. */
    CHECK_EQ(gzseek(file, -1, SEEK_SET), -1);
    CHECK_EQ(gzseek(file, 0, SEEK_END), -1);
    CHECK_EQ(gzseek(file, -at - 1, SEEK_CUR), -1);
    CHECK_EQ(gztell(file), at);
    CHECK_EQ(gzrewind(file), 0);
    CHECK_EQ(gztell(file), 0);
    CHECK_EQ(gzgetc(file), plain[0]);
    /* Past the end: the seek succeeds, the next read returns nothing. */
    CHECK_EQ(gzseek(file, LEN + 100, SEEK_SET), LEN + 100);
    CHECK_EQ(gzgetc(file), -1);
    CHECK_EQ(gzeof(file), 1);
    CHECK_EQ(gzseek(file, 5, SEEK_SET), 5);
    CHECK_EQ(gzeof(file), 0);
    CHECK_EQ(gzgetc(file), plain[5]);
    /* gzungetc moves back by a byte. A seek forward from there skips the byte put back; a seek back and a rewind discard it. */
    for (int way = 0; way < 4; way++) {
        CHECK_EQ(gzseek(file, 5, SEEK_SET), 5);
        CHECK_EQ(gzgetc(file), plain[5]);
        CHECK_EQ(gzungetc('#', file), '#');
        CHECK_EQ(gztell(file), 5);
        switch (way) {
        case 0: CHECK_EQ(gzgetc(file), '#'); break;
        case 1: CHECK_EQ(gzseek(file, 6, SEEK_SET), 6); break;
        case 2: CHECK_EQ(gzseek(file, 3, SEEK_SET), 3); break;
        default: CHECK_EQ(gzrewind(file), 0);
        }
        for (z_off_t next = gztell(file); next < 8; next++)
            CHECK_EQ(gzgetc(file), plain[next]);
    }
    CHECK_EQ(gzclose(file), Z_OK);
}

/* In a writer gzseek only notes the offset, and the next call that writes begins with the zeros. Here that fails: gzsetparams
 * accepts level 256 before the first write, but deflateInit2, which the first write calls, does not, and the call reports
 * Z_MEM_ERROR. After a failed gzflush, gzsetparams or gzputc the seek is forgotten, and gztell is 0 again; after the others it is
 * still pending. */
static void zeros_that_cannot_be_written(const char *path)
{
    for (int call = 0; call < 9; call++) {
        gzFile file = gzopen(path, "wb");
        CHECK(file != NULL);
        CHECK_EQ(gzsetparams(file, 256, Z_DEFAULT_STRATEGY), Z_OK);
        CHECK_EQ(gzseek(file, 100, SEEK_CUR), 100);
        int err = Z_OK, is_forgotten = call == 1 || call >= 5;
        switch (call) {
        case 0: CHECK_EQ(gzwrite(file, path, 3), 0); break;
        case 1: CHECK_EQ(gzputc(file, 'a'), -1); break;
        case 2: CHECK_EQ(gzputs(file, "abc"), -1); break;
        case 3: CHECK_EQ(gzprintf(file, "%d", 7), Z_MEM_ERROR); break;
        case 4: CHECK_EQ(gzfwrite(path, 1, 3, file), 0); break;
        case 5: CHECK_EQ(gzflush(file, Z_SYNC_FLUSH), Z_MEM_ERROR); break;
        case 6: CHECK_EQ(gzflush(file, Z_FINISH), Z_MEM_ERROR); break;
        case 7: CHECK_EQ(gzsetparams(file, 6, Z_DEFAULT_STRATEGY), Z_MEM_ERROR); break;
        default: CHECK_EQ(gzsetparams(file, 256, Z_FILTERED), Z_MEM_ERROR);
        }
        CHECK_EQ(gztell(file), is_forgotten ? 0 : 100);
        CHECK(gzerror(file, &err) != NULL);
        CHECK_EQ(err, Z_MEM_ERROR);
        gzclearerr(file);
        CHECK_EQ(gztell(file), is_forgotten ? 0 : 100);
        CHECK_EQ(gzclose(file), Z_MEM_ERROR);
    }
}

int main(void)
{
    begin();
    Bytef *plain = prose(LEN, 411);
    const char *path = scratch("seek.gz");
    /* Where the writer seeks. */
    memset(plain + 5000, 0, 70000);
    memset(plain + LEN - 1000000, 0, 999999);
    static const char *const modes[] = {"wb6", "wb9", "wbT"};
    for (int i = 0; i < 3; i++) {
        gzFile file = gzopen(path, modes[i]);
        CHECK(file != NULL);
        CHECK_EQ(gzwrite(file, plain, 5000), 5000);
        CHECK_EQ(gzseek(file, 30000, SEEK_CUR), 35000);
        CHECK_EQ(gzseek(file, 75000, SEEK_SET), 75000);
        CHECK_EQ(gztell(file), 75000);
        CHECK_EQ(gzwrite(file, plain + 75000, LEN - 1000000 - 75000), LEN - 1000000 - 75000);
        CHECK_EQ(gzseek(file, LEN - 1000001, SEEK_SET), -1); /* a writer can't seek back */
        CHECK_EQ(gzrewind(file), -1);
        CHECK_EQ(gzseek(file, LEN - 1, SEEK_SET), LEN - 1);
        CHECK_EQ(gzputc(file, plain[LEN - 1]), plain[LEN - 1]);
        CHECK_EQ(gzclose(file), Z_OK);
        seek_in_reader(path, plain, i == 2);
    }
    /* If the seek is the last call before gzclose, gzclose writes the zeros. If nothing was written before, zlib writes as many
     * bytes, but of uninitialised memory. */
    for (int written = 0; written <= 1; written++) {
        static const Bytef zeros[1000];
        Bytef back[1100];
        gzFile file = gzopen(path, "wb");
        CHECK(file != NULL);
        CHECK_EQ(gzwrite(file, "\0", (unsigned)written), written);
        CHECK_EQ(gzseek(file, 1000, SEEK_SET), 1000);
        CHECK_EQ(gzclose(file), Z_OK);
        file = gzopen(path, "rb");
        CHECK(file != NULL);
        CHECK_EQ(gzread(file, back, sizeof back), 1000);
        if (written > 0 || is_rigz())
            CHECK(memcmp(back, zeros, 1000) == 0);
        CHECK_EQ(gzclose(file), Z_OK);
    }
    zeros_that_cannot_be_written(path);
    unlink(path);
    free(plain);
    return 0;
}
