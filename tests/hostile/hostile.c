/* Calls the public functions with inputs that are intended to be slow to process; callgrind counts the instructions of each
 * measurement separately (see `run`).
 *
 *   hostile make FOLDER              writes the inputs; run without valgrind, because some are found by a long search
 *   hostile measure FOLDER LEVEL...  run under callgrind: compresses the inputs of the array `plain` at each level, decompresses
 *                                    those of `packed`, reads empty gzip members, and compresses one input in many small calls
 *
 * Each measurement is made with a short input and one three times as long, so that more than linear time is noticed. Callgrind's
 * dump of its count after each of them is labelled "NAME BYTES", for example "deflate6:noise 49152". Only the cost is checked
 * here: other tests check the results.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <valgrind/callgrind.h>
#include <zlib.h>

enum { SHORT = 48 << 10, LONG = 3 * SHORT };
#define CHECK(condition) ((condition) ? (void)0 : (fprintf(stderr, "%d: failed: %s\n", __LINE__, #condition), exit(1)))

static const char *folder;
/* The input in use, with room for a last item that ends after LONG bytes; and memory for the results. */
static unsigned char bytes[LONG + 1000], compressed[4 * LONG], decompressed[1 << 20];

static uint32_t state = 1;
static uint32_t next_random(void)
{
    state ^= state << 13, state ^= state >> 17, state ^= state << 5;
    return state;
}

static const char *path_of(const char *name)
{
    static char path[600];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void keep(const char *name, size_t len)
{
    FILE *file = fopen(path_of(name), "wb");
    CHECK(file != NULL && fwrite(bytes, 1, len, file) == len && fclose(file) == 0);
}

static size_t load(const char *name)
{
    FILE *file = fopen(path_of(name), "rb");
    CHECK(file != NULL);
    size_t len = fread(bytes, 1, sizeof bytes, file);
    CHECK(fclose(file) == 0 && len > 0);
    return len;
}

/* ---------------------------------------------------------------------------------------------- to be compressed */

/* Repeats `len` bytes. If `is_near`, the last byte of each period is random, so nearly every period differs from the one before. */
static void period(const char *name, size_t len, int is_near)
{
    for (size_t i = 0; i < LONG; i++)
        bytes[i] = (unsigned char)(is_near && i % len == len - 1 ? next_random() : i % len * 7);
    keep(name, LONG);
}

/* A de Bruijn sequence, by the usual recursion: each word of three letters of an alphabet of 53 occurs at most once, so there
 * are no matches, and every key is new. */
static int letters[4], at;
static void de_bruijn(int t, int p)
{
    if (t > 3) {
        for (int j = 1; 3 % p == 0 && j <= p && at < LONG; j++)
            bytes[at++] = (unsigned char)('A' + letters[j]);
        return;
    }
    letters[t] = letters[t - p];
    de_bruijn(t + 1, p);
    for (int j = letters[t - p] + 1; j < 53; j++)
        letters[t] = j, de_bruijn(t + 1, t);
}

/* Words of `length` bytes that all have the same hash of `bits` bits, by the function `hash` of src/deflate/match_finder. */
static void flood(const char *name, int length, int bits)
{
    static unsigned char words[400][8];
    uint64_t mask = (1ull << 8 * length) - 1;
    for (int found = 0; found < 400;) {
        uint64_t word = ((uint64_t)next_random() << 32 | next_random()) & mask;
        if (((word << (64 - 8 * length)) * 0x9E3779B185EBCA87ull) >> (64 - bits) == 77)
            memcpy(words[found++], &word, 8);
    }
    for (size_t i = 0; i < LONG; i += (size_t)length)
        memcpy(bytes + i, words[next_random() % 400], (size_t)length);
    keep(name, LONG);
}

static void make_plain(void)
{
    memset(bytes, 0, LONG);
    keep("zeros", LONG);
    for (int i = 0; i < LONG; i++)
        bytes[i] = (unsigned char)(next_random() >> 9);
    keep("noise", LONG);
    for (int i = 0; i < LONG; i++)
        bytes[i] = "ab"[next_random() >> 13 & 1];
    keep("two_letters", LONG);
    for (int i = 0; i < LONG; i++)
        bytes[i] = next_random() % 40 ? 'a' : 'b';
    keep("nearly_a_run", LONG);
    period("period_2", 2, 0);
    period("period_3", 3, 0);
    period("period_259", 259, 0);
    period("long_near_matches", 258, 1);
    period("near_matches_of_40", 40, 1);
    de_bruijn(1, 1);
    keep("de_bruijn", LONG);
    /* Three common bytes, and then two random ones: long chains of useless matches. */
    for (int i = 0; i < LONG; i++)
        bytes[i] = i % 5 < 3 ? 'x' : (unsigned char)(next_random() >> 7);
    keep("short_matches", LONG);
    /* The keys of the tables: `near_heads` and `five_heads` of distance_rings.rs, and the long one of hash_table.rs. */
    flood("flood_4", 4, 16);
    flood("flood_5", 5, 16);
    flood("flood_6", 6, 15);
    /* The period is noise, so there is no shorter one: all long matches have the maximum offset. */
    for (int i = 0; i < LONG; i++)
        bytes[i] = i < 32768 ? (unsigned char)(next_random() >> 9) : bytes[i - 32768];
    keep("period_32768", LONG);
}

static const char *const plain[] = {"zeros", "noise", "two_letters", "nearly_a_run", "period_2", "period_3", "period_259", "period_32768",
                                    "long_near_matches", "near_matches_of_40", "de_bruijn", "short_matches", "flood_4", "flood_5", "flood_6"};

/* ---------------------------------------------------------------------------------------------- to be decompressed */

/* The number of bits of `bytes` that are written. */
static size_t bit_count;
static void put(unsigned value, int count)
{
    for (int i = 0; i < count; i++, bit_count++) {
        if (bit_count % 8 == 0)
            bytes[bit_count / 8] = 0;
        bytes[bit_count / 8] |= (unsigned char)((value >> i & 1) << bit_count % 8);
    }
}

/* A codeword, whose most significant bit is written first. */
static void put_code(unsigned code, int length)
{
    while (length--)
        put(code >> length & 1, 1);
}

/* A dynamic block without data that has the most codewords: 286 for literals and lengths, 30 for distances. */
static void put_empty_dynamic(void)
{
    static const unsigned char order[] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4};
    put(4, 3), put(29, 5), put(29, 5), put(8, 4);
    for (int i = 0; i < 12; i++) /* codeword lengths 4, 5, 8 and 9 have 2 bits each */
        put(strchr("\4\5\10\11", order[i]) != NULL && order[i] ? 2 : 0, 3);
    for (int i = 0; i < 286; i++) /* 226 codewords of 8 bits, 60 of 9 */
        put_code(i < 226 ? 2 : 3, 2);
    for (int i = 0; i < 30; i++) /* 2 of 4 bits, 28 of 5 */
        put_code(i < 2 ? 0 : 1, 2);
    put_code(226 * 2 + (256 - 226), 9); /* the end of the block */
}

/* In the headers, bit 0 is set in the last block, and the next two are its type: 0 is stored, 1 fixed, 2 dynamic. The codeword
 * for the end of a fixed block is 7 zeros. */
static void make_packed(void)
{
    for (bit_count = 0; bit_count / 8 < LONG - 1000;)
        put_empty_dynamic();
    put(3, 3), put(0, 7);
    keep("empty_dynamic_blocks", bit_count / 8 + 1);
    for (bit_count = 0; bit_count / 8 < LONG - 1000;)
        put(2, 3), put(0, 7);
    put(3, 3), put(0, 7);
    keep("empty_fixed_blocks", bit_count / 8 + 1);
    for (bit_count = 0; bit_count / 8 < LONG - 1000;)
        put(0, 8), put(0, 16), put(0xffff, 16);
    put(3, 3), put(0, 7);
    keep("empty_stored_blocks", bit_count / 8 + 1);
    for (bit_count = 0; bit_count / 8 < LONG - 1000;)
        put(0, 8), put(1, 16), put(0xfffe, 16), put(7, 8);
    put(3, 3), put(0, 7);
    keep("stored_blocks_of_1", bit_count / 8 + 1);
    bit_count = 0, put(2, 3), put_code(0x30 + 'a', 8);
    while (bit_count / 8 < LONG / 8)
        put_code(0xc0 + 284 - 280, 8), put(30, 5), put_code(0, 5); /* 257 bytes, offset 1 */
    put(0, 7), put(3, 3), put(0, 7);
    keep("bomb", bit_count / 8 + 1);
    size_t len = 0;
    static const unsigned char member[] = {31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    for (; len < LONG - 1000; len += sizeof member)
        memcpy(bytes + len, member, sizeof member);
    keep("empty_members", len);
}

static const char *const packed[] = {"empty_dynamic_blocks", "empty_fixed_blocks", "empty_stored_blocks", "stored_blocks_of_1", "bomb"};

/* ---------------------------------------------------------------------------------------------- the measured part */

enum { NO_LEVEL = -1 };

/* Ends a measurement: writes the counter's value, with a label. */
static void dump(const char *what, const char *name, int level, size_t len)
{
    char label[100], digits[12] = "";
    if (level != NO_LEVEL)
        snprintf(digits, sizeof digits, "%d", level);
    snprintf(label, sizeof label, "%s%s:%s %zu", what, digits, name, len);
    CALLGRIND_DUMP_STATS_AT(label);
}

static void compress_all(const char *name, int level)
{
    CHECK(load(name) == LONG);
    for (size_t len = SHORT; len <= LONG; len += LONG - SHORT) {
        z_stream strm = {0};
        CALLGRIND_ZERO_STATS;
        CHECK(deflateInit2(&strm, level, 8, -15, 8, 0) == Z_OK);
        strm.next_in = bytes, strm.avail_in = (uInt)len, strm.next_out = compressed, strm.avail_out = sizeof compressed;
        CHECK(deflate(&strm, Z_FINISH) == Z_STREAM_END && deflateEnd(&strm) == Z_OK);
        dump("deflate", name, level, len);
    }
}

/* Calls with `piece` bytes of input each, all with `flush`: the shortest input that a program may pass, or short messages. */
static void compress_pieces(const char *name, int level, int flush, size_t piece, const char *what)
{
    CHECK(load(name) == LONG);
    for (size_t len = SHORT / 4; len <= LONG / 4; len += (LONG - SHORT) / 4) {
        z_stream strm = {0};
        CALLGRIND_ZERO_STATS;
        CHECK(deflateInit2(&strm, level, 8, -15, 8, 0) == Z_OK);
        strm.next_in = bytes, strm.next_out = compressed, strm.avail_out = sizeof compressed;
        while (strm.total_in < len) {
            strm.avail_in = (uInt)piece;
            CHECK(deflate(&strm, flush) == Z_OK && strm.avail_in == 0);
        }
        CHECK(deflate(&strm, Z_FINISH) == Z_STREAM_END && deflateEnd(&strm) == Z_OK);
        dump(what, name, level, len);
    }
}

/* Each call has up to `step` bytes of input and room for `room` bytes of output. */
static void decompress_all(const char *name, size_t step, size_t room, const char *what)
{
    size_t all = load(name);
    if (step < all)
        all /= 8; /* so that many calls do not take too long */
    for (size_t len = all / 3; len <= all; len += all - all / 3) {
        z_stream strm = {0};
        CALLGRIND_ZERO_STATS;
        CHECK(inflateInit2(&strm, -15) == Z_OK);
        strm.next_in = bytes;
        int status = Z_OK;
        while (strm.total_in < len && (status == Z_OK || status == Z_BUF_ERROR)) {
            strm.avail_in = (uInt)(step < len - strm.total_in ? step : len - strm.total_in);
            strm.next_out = decompressed, strm.avail_out = (uInt)room;
            status = inflate(&strm, Z_NO_FLUSH);
        }
        CHECK(status == Z_OK || status == Z_BUF_ERROR || status == Z_STREAM_END);
        CHECK(inflateEnd(&strm) == Z_OK);
        /* If the output is longer than the input, as for `bomb`, the cost is counted per byte of output. */
        dump(what, name, NO_LEVEL, strm.total_out > len ? strm.total_out : len);
    }
}

static void read_members(void)
{
    size_t all = load("empty_members");
    for (size_t len = all / 3; len <= all; len += all - all / 3) {
        keep("members", len);
        CALLGRIND_ZERO_STATS;
        gzFile gz = gzopen(path_of("members"), "rb");
        CHECK(gz != NULL && gzread(gz, decompressed, 1000) == 0 && gzclose(gz) == Z_OK);
        dump("gzread", "empty_members", NO_LEVEL, len);
    }
}

int main(int argc, char **argv)
{
    CHECK(argc >= 3);
    folder = argv[2];
    if (strcmp(argv[1], "make") == 0) {
        make_plain();
        make_packed();
        return 0;
    }
    for (int i = 3; i < argc; i++)
        for (size_t kind = 0; kind < sizeof plain / sizeof *plain; kind++)
            compress_all(plain[kind], atoi(argv[i]));
    for (size_t kind = 0; kind < sizeof packed / sizeof *packed; kind++) {
        decompress_all(packed[kind], LONG, sizeof decompressed, "inflate");
        decompress_all(packed[kind], 1, 1000, "inflate_bytes");
    }
    read_members();
    compress_pieces("two_letters", 6, Z_NO_FLUSH, 1, "bytes");
    compress_pieces("two_letters", 6, Z_SYNC_FLUSH, 16, "sync");
    compress_pieces("two_letters", 6, Z_FULL_FLUSH, 16, "full");
    compress_pieces("two_letters", 6, Z_BLOCK, 16, "block");
    return 0;
}
