/* Reading all kinds of files: consecutive members, trailing bytes, not gzip, empty, truncated, damaged. Writing them by appending,
 * with no data, and with gzsetparams and gzflush between the writes. */
#include "check.h"

static const char *path;

static void put(const void *bytes, size_t len, const char *mode)
{
    FILE *file = fopen(path, mode);
    CHECK(file != NULL && fwrite(bytes, 1, len, file) == len && fclose(file) == 0);
}

/* Reads the whole file with gzread calls of `step` bytes, then calls gzread once more. Returns that call's value, or the first that
 * is an error; stores the length in *len, and gzclose's value in *closed. */
static int get(Bytef *back, size_t room, unsigned step, size_t *len, int *closed)
{
    gzFile file = gzopen(path, "rb");
    CHECK(file != NULL);
    int got;
    memset(back, 0, room);
    *len = 0;
    do {
        CHECK(*len + step <= room);
        got = gzread(file, back + *len, step);
        *len += got > 0 ? (size_t)got : 0;
    } while (got > 0 && (unsigned)got == step);
    if (got >= 0)
        got = gzread(file, back + *len, step);
    *closed = gzclose(file);
    return got;
}

int main(void)
{
    begin();
    enum { LEN = 300000, ROOM = 2 << 20 };
    Bytef *plain = prose(LEN, 421), *back = allocate(ROOM);
    size_t one_len, len;
    int closed;
    path = scratch("files.gz");
    Bytef *one = pack(plain, LEN, 6, 31, &one_len);
    static const unsigned steps[] = {1000, 77777, 1 << 19};
    for (int s = 0; s < 3; s++) {
        /* Consecutive members are read as one file; an empty one adds no data. */
        size_t empty_len;
        Bytef *empty = pack(plain, 0, 6, 31, &empty_len);
        put(one, one_len, "wb"), put(empty, empty_len, "ab"), put(one, one_len, "ab"), put(one, one_len, "ab");
        CHECK_EQ(get(back, ROOM, steps[s], &len, &closed), 0);
        CHECK_EQ(len, 3 * LEN);
        CHECK_EQ(closed, Z_OK);
        for (int i = 0; i < 3; i++)
            CHECK(memcmp(back + i * LEN, plain, LEN) == 0);
        free(empty);

        /* Bytes after a member that are not another member are ignored: tapes are padded with zeros. */
        Bytef zeros[1500];
        memset(zeros, 0, sizeof zeros);
        put(one, one_len, "wb"), put(zeros, sizeof zeros, "ab");
        CHECK_EQ(get(back, ROOM, steps[s], &len, &closed), 0);
        CHECK_EQ(len, LEN);
        CHECK(memcmp(back, plain, LEN) == 0);
        CHECK_EQ(closed, Z_OK);
        put(one, one_len, "wb"), put("garbage", 7, "ab");
        CHECK_EQ(get(back, ROOM, steps[s], &len, &closed), 0);
        CHECK_EQ(len, LEN);
        CHECK(memcmp(back, plain, LEN) == 0);
        CHECK_EQ(closed, Z_OK);

        /* Not a gzip file: gzread returns the bytes unchanged. */
        put(plain, LEN, "wb");
        CHECK_EQ(get(back, ROOM, steps[s], &len, &closed), 0);
        CHECK_EQ(len, LEN);
        CHECK(memcmp(back, plain, LEN) == 0);
        put("\x1f", 1, "wb"); /* the first of gzip's two magic bytes */
        CHECK_EQ(get(back, ROOM, steps[s], &len, &closed), 0);
        CHECK_EQ(len, 1);
        CHECK_EQ(back[0], 0x1f);
        put("", 0, "wb");
        CHECK_EQ(get(back, ROOM, steps[s], &len, &closed), 0);
        CHECK_EQ(len, 0);
        CHECK_EQ(closed, Z_OK);

        /* Truncated: the data that is there can be read, then gzread returns 0 as at the end of a file, and gzclose an error. */
        put(one, one_len - 1000, "wb");
        CHECK_EQ(get(back, ROOM, steps[s], &len, &closed), 0);
        CHECK(len > LEN / 2 && len < LEN);
        CHECK(memcmp(back, plain, len) == 0);
        CHECK_EQ(closed, Z_BUF_ERROR);

        /* Damaged: gzread returns -1. The bytes decoded before the damage are right. */
        one[one_len - 6] ^= 1; /* in the CRC */
        put(one, one_len, "wb");
        CHECK_EQ(get(back, ROOM, steps[s], &len, &closed), -1);
        CHECK(len <= LEN && memcmp(back, plain, len) == 0);
        CHECK_EQ(closed, Z_OK); /* gzclose reports only truncated files */
        one[one_len - 6] ^= 1;
        one[one_len / 2] ^= 1; /* in the compressed data: may be noticed only by the CRC */
        put(one, one_len, "wb");
        CHECK_EQ(get(back, ROOM, steps[s], &len, &closed), -1);
        CHECK(memcmp(back, plain, len < LEN / 3 ? len : LEN / 3) == 0); /* the damage is behind this third */
        CHECK_EQ(closed, Z_OK);
        one[one_len / 2] ^= 1;
    }

    /* gzopen for appending adds a member. */
    put(one, one_len, "wb");
    gzFile file = gzopen(path, "ab1");
    CHECK(file != NULL);
    CHECK_EQ(gztell(file), 0);
    CHECK_EQ(gzwrite(file, plain, 1000), 1000);
    CHECK(gzoffset(file) >= (z_off_t)one_len);
    CHECK_EQ(gzclose(file), Z_OK);
    CHECK_EQ(get(back, ROOM, 1 << 20, &len, &closed), 0);
    CHECK_EQ(len, LEN + 1000);
    CHECK(memcmp(back + LEN, plain, 1000) == 0);

    /* A file that is opened and closed without a write has one empty member. */
    file = gzopen(path, "wb");
    CHECK(file != NULL);
    CHECK_EQ(gzclose(file), Z_OK);
    FILE *raw = fopen(path, "rb");
    CHECK(raw != NULL);
    CHECK_EQ(fread(back, 1, 100, raw), 20);
    fclose(raw);
    check_unpacks(back, 20, 31, plain, 0);

    /* The level may change in the middle: data written at level 0 takes more bytes than it has. gzflush(Z_FINISH) ends
     * the member; the next write begins another, which decodes alone. */
    file = gzopen(path, "wb1");
    CHECK(file != NULL);
    CHECK_EQ(gzwrite(file, plain, LEN), LEN);
    CHECK_EQ(gzsetparams(file, 9, Z_FILTERED), Z_OK);
    CHECK_EQ(gzwrite(file, plain, LEN), LEN);
    CHECK_EQ(gzsetparams(file, 0, Z_DEFAULT_STRATEGY), Z_OK);
    z_off_t compressed = gzoffset(file);
    CHECK(compressed < LEN);
    CHECK_EQ(gzwrite(file, plain, LEN), LEN);
    CHECK_EQ(gzflush(file, Z_FINISH), Z_OK);
    z_off_t member = gzoffset(file);
    CHECK(member > compressed + LEN);
    CHECK_EQ(gzwrite(file, plain, LEN), LEN);
    CHECK_EQ(gzclose(file), Z_OK);
    raw = fopen(path, "rb");
    CHECK(raw != NULL && fseek(raw, member, SEEK_SET) == 0);
    len = fread(back, 1, ROOM, raw);
    fclose(raw);
    check_unpacks(back, len, 31, plain, LEN);
    CHECK_EQ(get(back, ROOM, 1 << 19, &len, &closed), 0);
    CHECK_EQ(len, 4 * LEN);
    for (int i = 0; i < 4; i++)
        CHECK(memcmp(back + i * LEN, plain, LEN) == 0);

    unlink(path);
    free(plain), free(back), free(one);
    return 0;
}
