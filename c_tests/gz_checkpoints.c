/* Far seeks in files of several megabytes: the bytes, the positions, the end and the errors are those of a reader that decodes
 * everything from the start, also when the file is written to meanwhile. Ours must get there without decoding everything. */
#include "check.h"

enum { LEN = 9 << 20, SEEKS = 40, PIECE = 3000 };

/* Writes `plain` as a file of members of `each` bytes. */
static void write_members(const char *path, const Bytef *plain, size_t len, size_t each)
{
    unlink(path);
    for (size_t at = 0; at < len; at += each) {
        size_t part = len - at < each ? len - at : each;
        gzFile file = gzopen(path, at / each % 2 ? "ab9" : "ab1");
        CHECK(file != NULL);
        CHECK_EQ(gzwrite(file, plain + at, (unsigned)part), part);
        CHECK_EQ(gzclose(file), Z_OK);
    }
}

/* Reads the whole file, then here and there, then to the end. */
static void wander(gzFile file, const Bytef *plain, Bytef *back, uint32_t seed)
{
    CHECK_EQ(gzrewind(file), 0);
    CHECK_EQ(gzread(file, back, LEN), LEN);
    CHECK(memcmp(back, plain, LEN) == 0);
    for (int i = 0; i < SEEKS; i++) {
        z_off_t to = (z_off_t)(random_next(&seed) % (LEN - PIECE));
        if (i % 4 == 1)
            CHECK_EQ(gzrewind(file), 0);
        if (i % 3 == 0)
            CHECK_EQ(gzseek(file, to - gztell(file), SEEK_CUR), to);
        else
            CHECK_EQ(gzseek(file, to, SEEK_SET), to);
        CHECK_EQ(gztell(file), to);
        CHECK_EQ(gzeof(file), 0);
        if (i % 5 == 0) {
            CHECK_EQ(gzgetc(file), plain[to++]);
            CHECK_EQ(gzungetc('#', file), '#');
            CHECK_EQ(gztell(file), --to);
            CHECK_EQ(gzgetc(file), '#');
            to++;
        }
        CHECK_EQ(gzread(file, back, PIECE), PIECE);
        CHECK(memcmp(back, plain + to, PIECE) == 0);
        CHECK_EQ(gztell(file), to + PIECE);
    }
    CHECK_EQ(gzseek(file, LEN / 3, SEEK_SET), LEN / 3);
    CHECK_EQ(gzread(file, back, LEN), LEN - LEN / 3);
    CHECK(memcmp(back, plain + LEN / 3, LEN - LEN / 3) == 0);
    CHECK_EQ(gzeof(file), 1);
    CHECK_EQ(gzseek(file, LEN + 5, SEEK_SET), LEN + 5);
    CHECK_EQ(gzread(file, back, 1), 0);
    CHECK_EQ(gztell(file), LEN);
}

/* Sums a number of all lines of the statistics. */
static long long sum(const char *path, const char *key)
{
    char line[1000];
    long long all = 0;
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    while (fgets(line, sizeof line, file) != NULL) {
        const char *at = strstr(line, "\"inflate\"") != NULL ? strstr(line, key) : NULL;
        if (at != NULL)
            all += strtoll(at + strlen(key), NULL, 10);
    }
    CHECK_EQ(fclose(file), 0);
    return all;
}

int main(void)
{
    const char *stats = scratch("stats"), *path = scratch("far.gz");
    CHECK_EQ(setenv("RIGZ_STATS", stats, 1), 0);
    begin();
    Bytef *plain = prose(LEN, 97), *back = allocate(LEN);
    memset(plain + LEN / 2, 'z', 3 << 20); /* few and very long blocks */
    static const size_t sizes[] = {LEN, LEN / 3 + 7, 70001};
    for (int i = 0; i < 3; i++) {
        write_members(path, plain, LEN, sizes[i]);
        gzFile file = gzopen(path, "rb");
        CHECK(file != NULL);
        if (i == 1)
            CHECK_EQ(gzbuffer(file, 5000), 0);
        wander(file, plain, back, (uint32_t)i + 1);
        CHECK_EQ(gzclose(file), Z_OK);
    }
    if (is_rigz()) {
        long long decoded = sum(stats, "\"bytes_out\":"), resumed = sum(stats, "\"resumptions\":");
        CHECK(sum(stats, "\"checkpoints\":") >= 3 * (LEN / (1 << 20) - 2));
        CHECK(resumed >= 3 * SEEKS / 2);
        /* Decodes the file once, and for each seek a little more than the distance between two checkpoints. */
        CHECK(decoded < 3LL * (2LL * LEN + SEEKS * (3LL << 19)));
    }

    /* Damage in the last check value is found after a seek, each time the reader gets there. */
    write_members(path, plain, LEN, LEN);
    int fd = open(path, O_RDWR);
    CHECK(fd >= 0);
    Bytef byte;
    off_t at = lseek(fd, -8, SEEK_END);
    CHECK_EQ(pread(fd, &byte, 1, at), 1);
    byte ^= 1;
    CHECK_EQ(pwrite(fd, &byte, 1, at), 1);
    gzFile file = gzopen(path, "rb");
    CHECK(file != NULL);
    CHECK_EQ(gzread(file, back, LEN - 100000), LEN - 100000);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(gzseek(file, LEN / 4, SEEK_SET), LEN / 4);
        CHECK_EQ(gzread(file, back, LEN / 2), LEN / 2);
        CHECK(memcmp(back, plain + LEN / 4, LEN / 2) == 0);
    }
    int code, got;
    while ((got = gzread(file, back, 1000)) > 0)
        ;
    CHECK_EQ(got, -1);
    gzerror(file, &code);
    CHECK_EQ(code, Z_DATA_ERROR);
    CHECK_EQ(gzseek(file, LEN / 4, SEEK_SET), -1);
    CHECK_EQ(gzclose(file), Z_OK);
    CHECK_EQ(close(fd), 0);

    /* The file is overwritten with other data: a reader that seeks back gets the new data. */
    write_members(path, plain, LEN, LEN);
    file = gzopen(path, "rb");
    CHECK(file != NULL);
    CHECK_EQ(gzread(file, back, LEN), LEN);
    const char *other = scratch("other.gz");
    for (size_t i = 0; i < LEN; i++)
        plain[i] ^= 0x20;
    write_members(other, plain, LEN, LEN / 2);
    FILE *from = fopen(other, "rb"), *to = fopen(path, "wb"); /* the same file, cut and written anew */
    CHECK(from != NULL && to != NULL);
    size_t count = fread(back, 1, LEN, from);
    CHECK(count > 0 && fwrite(back, 1, count, to) == count);
    CHECK(fclose(from) == 0 && fclose(to) == 0);
    wander(file, plain, back, 8);
    CHECK_EQ(gzclose(file), Z_OK);
    unlink(path), unlink(other), unlink(stats);
    free(plain), free(back);
    return 0;
}
