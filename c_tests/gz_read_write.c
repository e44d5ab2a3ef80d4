/* Data written through a gzFile by any mix of its write functions can be read back by any mix of its read functions. */
#include "check.h"

enum { LEN = 3 << 20 };

static void write_in_pieces(const char *path, const Bytef *plain, const char *mode, unsigned buffer, uint32_t seed)
{
    gzFile file = gzopen(path, mode);
    CHECK(file != NULL);
    if (buffer)
        CHECK_EQ(gzbuffer(file, buffer), 0);
    CHECK_EQ(gzdirect(file), strchr(mode, 'T') != NULL);
    for (size_t at = 0; at < LEN;) {
        uint32_t r = random_next(&seed);
        size_t piece = r % 9 == 0 ? r % 400000 : r % 3000;
        piece = piece < LEN - at ? piece : LEN - at;
        if (r % 5 == 0 && piece > 0) {
            CHECK_EQ(gzputc(file, plain[at]), plain[at]);
            piece = 1;
        } else if (r % 5 == 1) {
            piece -= piece % 7;
            CHECK_EQ(gzfwrite(plain + at, 7, piece / 7, file), piece / 7);
        } else {
            CHECK_EQ(gzwrite(file, plain + at, (unsigned)piece), piece);
        }
        if (r % 97 == 0 && strchr(mode, 'T') == NULL)
            CHECK_EQ(gzflush(file, r % 2 ? Z_SYNC_FLUSH : Z_FULL_FLUSH), Z_OK);
        at += piece;
        CHECK_EQ(gztell(file), at);
    }
    CHECK_EQ(gzbuffer(file, 9000), -1); /* too late: the buffers exist */
    CHECK_EQ(gzeof(file), 0);
    CHECK_EQ(gzread(file, (voidp)plain, 1), -1); /* open for writing */
    CHECK_EQ(gzclose(file), Z_OK);
}

static void read_in_pieces(const char *path, const Bytef *plain, unsigned buffer, uint32_t seed)
{
    static Bytef back[400000];
    gzFile file = gzopen(path, "rb");
    CHECK(file != NULL);
    if (buffer)
        CHECK_EQ(gzbuffer(file, buffer), 0);
    size_t at = 0;
    while (at < LEN) {
        uint32_t r = random_next(&seed);
        size_t piece = r % 9 == 0 ? r % sizeof back : r % 3000;
        piece = piece < LEN - at ? piece : LEN - at;
        CHECK_EQ(gzeof(file), 0);
        switch (r % 6) {
        case 0:
            CHECK_EQ(gzgetc(file), plain[at]);
            CHECK_EQ(gzungetc('?', file), '?');
            CHECK_EQ(gztell(file), at);
            CHECK_EQ(gzgetc(file), '?');
            at++;
            break;
        case 1:
            CHECK(gzgets(file, (char *)back, (int)sizeof back) == (char *)back);
            piece = strlen((char *)back);
            CHECK(memcmp(back, plain + at, piece) == 0);
            at += piece;
            CHECK(back[piece - 1] == '\n' || at == LEN || piece == sizeof back - 1);
            break;
        case 2:
            piece -= piece % 3;
            CHECK_EQ(gzfread(back, 3, piece / 3, file), piece / 3);
            CHECK(memcmp(back, plain + at, piece) == 0);
            at += piece;
            break;
        default:
            CHECK_EQ(gzread(file, back, (unsigned)piece), piece);
            CHECK(memcmp(back, plain + at, piece) == 0);
            at += piece;
        }
        CHECK_EQ(gztell(file), at);
    }
    CHECK_EQ(gzgetc(file), -1);
    CHECK_EQ(gzeof(file), 1);
    CHECK_EQ(gzread(file, back, 10), 0);
    CHECK(gzgets(file, (char *)back, 10) == NULL);
    int err;
    CHECK_STR(gzerror(file, &err), "");
    CHECK_EQ(err, Z_OK);
    CHECK_EQ(gzwrite(file, back, 1), 0); /* open for reading */
    CHECK_EQ(gzclose(file), Z_OK);
}

int main(void)
{
    begin();
    Bytef *plain = prose(LEN, 401);
    const char *path = scratch("rw.gz");
    static const char *const modes[] = {"wb", "w9", "wb1", "wb0", "wbf", "wbh3", "wR", "w6F", "wbT"};
    static const unsigned buffers[] = {0, 300, 5000, 8192, 1 << 20};
    for (uint32_t i = 0; i < 9; i++) {
        write_in_pieces(path, plain, modes[i], buffers[i % 5], 7 + i);
        read_in_pieces(path, plain, buffers[(i + 2) % 5], 70 + i);
    }
    unlink(path);
    free(plain);
    return 0;
}
