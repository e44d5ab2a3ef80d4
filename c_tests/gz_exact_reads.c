/* A program that knows its data's length reads exactly that much, by any function and in any pieces, and then asks gzerror: damage
 * after the last byte, and a file that ends early, are reported by then. Also: a plain file that grows is read on by gzgets. */
#include "check.h"

static const char *path;

static void put(const void *bytes, size_t len, const char *mode)
{
    FILE *file = fopen(path, mode);
    CHECK(file != NULL);
    CHECK_EQ(fwrite(bytes, 1, len, file), len);
    CHECK_EQ(fclose(file), 0);
}

enum how { GZREAD, GZFREAD, FUNCTION, MACRO, GZGETS, WAYS };

/* Reads at most `len` bytes, `piece` at a time where the function has a length. Returns how many came. */
static size_t read_exactly(gzFile file, enum how how, size_t piece, Bytef *back, size_t len)
{
    size_t at = 0;
    while (at < len) {
        size_t most = piece < len - at ? piece : len - at;
        long got;
        if (how == GZREAD)
            got = gzread(file, back + at, (unsigned)most);
        else if (how == GZFREAD)
            got = (long)gzfread(back + at, 1, most, file);
        else if (how == GZGETS)
            got = gzgets(file, (char *)back + at, (int)(len - at) + 1) != NULL ? (long)strlen((char *)back + at) : 0;
        else {
            int byte = how == MACRO ? gzgetc(file) : (gzgetc)(file);
            got = byte >= 0;
            if (got)
                back[at] = (Bytef)byte;
        }
        if (got <= 0)
            break;
        at += (size_t)got;
    }
    return at;
}

/* `wanted` is the error that the file must cause. */
static void check_reads(const Bytef *plain, size_t len, int wanted)
{
    static const size_t pieces[] = {1, 7, 50, 4096, 5000}; /* shorter than zlib's buffer */
    Bytef *back = allocate(len + 1);
    for (int way = 0; way < WAYS; way++)
        for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
            gzFile file = gzopen(path, "rb");
            CHECK(file != NULL);
            size_t got = read_exactly(file, (enum how)way, pieces[p], back, len);
            CHECK(memcmp(back, plain, got) == 0);
            CHECK(got == len || wanted == Z_DATA_ERROR);
            int error;
            gzerror(file, &error);
            CHECK_EQ(error, wanted);
            CHECK_EQ(gzclose(file), wanted == Z_BUF_ERROR ? Z_BUF_ERROR : Z_OK);
        }
    free(back);
}

static void damage_after_the_last_byte(size_t len)
{
    size_t packed_len;
    Bytef *plain = prose(len, 77);
    for (size_t at = 40; at < len; at += 40)
        plain[at] = '\n';
    Bytef *packed = pack(plain, len, 6, 31, &packed_len);
    put(packed, packed_len, "wb");
    check_reads(plain, len, Z_OK);
    for (size_t cut = 1; cut <= 8; cut += 7) {
        put(packed, packed_len - cut, "wb");
        check_reads(plain, len, Z_BUF_ERROR);
    }
    for (size_t at = 1; at <= 8; at += 7) { /* the length, the CRC */
        packed[packed_len - at] ^= 1;
        put(packed, packed_len, "wb");
        check_reads(plain, len, Z_DATA_ERROR);
        packed[packed_len - at] ^= 1;
    }
    free(packed), free(plain);
}

static void a_plain_file_grows(void)
{
    char line[100];
    put("one\n", 4, "wb");
    gzFile file = gzopen(path, "rb");
    CHECK(file != NULL);
    CHECK_STR(gzgets(file, line, sizeof line), "one\n");
    CHECK(gzgets(file, line, sizeof line) == NULL);
    CHECK_EQ(gzeof(file), 1);
    put("two\n", 4, "ab");
    CHECK_STR(gzgets(file, line, sizeof line), "two\n");
    CHECK(gzgets(file, line, sizeof line) == NULL);
    CHECK_EQ(gzclose(file), Z_OK);
}

int main(void)
{
    begin();
    path = scratch("exact.gz");
    damage_after_the_last_byte(100);
    damage_after_the_last_byte(20000);
    damage_after_the_last_byte(50001);
    a_plain_file_grows();
    unlink(path);
    return 0;
}
