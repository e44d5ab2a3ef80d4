/* CRC-32 and Adler-32 against the plain definition, at every length and offset, and put together from pieces. */
#include "check.h"

static uint32_t table[256];

/* The CRC of each byte, by one division step per bit (RFC 1952, 8). */
static void fill_table(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        table[byte] = byte;
        for (int bit = 0; bit < 8; bit++)
            table[byte] = table[byte] >> 1 ^ (table[byte] & 1 ? 0xedb88320 : 0);
    }
}

static uLong plain_crc(uLong crc, const Bytef *bytes, size_t len)
{
    crc ^= 0xffffffff;
    while (len--)
        crc = table[(crc ^ *bytes++) & 0xff] ^ (crc >> 8);
    return crc ^ 0xffffffff;
}

static uLong plain_adler(uLong adler, const Bytef *bytes, size_t len)
{
    uLong low = adler & 0xffff, high = adler >> 16;
    while (len--) {
        low = (low + *bytes++) % 65521;
        high = (high + low) % 65521;
    }
    return high << 16 | low;
}

int main(void)
{
    begin();
    enum { LEN = 70000 };
    Bytef *bytes = noise(LEN, 101);
    fill_table();
    const z_crc_t *zlib_table = get_crc_table();
    for (int byte = 0; byte < 256; byte++)
        CHECK_EQ(zlib_table[byte], table[byte]);
    CHECK_EQ(crc32(0, NULL, 0), 0);
    CHECK_EQ(crc32(0x1234, NULL, 0), 0);
    CHECK_EQ(adler32(0, NULL, 0), 1);
    CHECK_EQ(adler32(0x1234, NULL, 0), 1);
    CHECK_EQ(crc32_z(0, NULL, 0), 0);
    CHECK_EQ(adler32_z(0, NULL, 0), 1);
    CHECK_EQ(crc32(0, (const Bytef *)"123456789", 9), 0xcbf43926);
    CHECK_EQ(adler32(1, (const Bytef *)"123456789", 9), 0x091e01de);
    CHECK_EQ(crc32(7, bytes, 0), 7);
    CHECK_EQ(adler32(7, bytes, 0), 7);

    for (size_t start = 0; start < 20; start++)
        for (size_t len = 0; len < 600; len++) {
            uLong crc = plain_crc(5, bytes + start, len), adler = plain_adler(0x30005, bytes + start, len);
            CHECK_EQ(crc32(5, bytes + start, (uInt)len), crc);
            CHECK_EQ(crc32_z(5, bytes + start, len), crc);
            CHECK_EQ(adler32(0x30005, bytes + start, (uInt)len), adler);
            CHECK_EQ(adler32_z(0x30005, bytes + start, len), adler);
        }
    CHECK_EQ(crc32(0, bytes, LEN), plain_crc(0, bytes, LEN));
    CHECK_EQ(adler32(1, bytes, LEN), plain_adler(1, bytes, LEN));
    Bytef *full = allocate(LEN);
    memset(full, 0xff, LEN); /* the sums at their largest */
    CHECK_EQ(adler32(0xfff0fff0, full, LEN), plain_adler(0xfff0fff0, full, LEN));

    uLong crc = crc32(0, bytes, LEN), adler = adler32(1, bytes, LEN);
    for (int i = 0; i <= 17; i++) {
        size_t cut = i < 17 ? ((size_t)1 << i) - 1 : LEN;
        z_off_t rest = (z_off_t)(LEN - cut);
        uLong crc1 = crc32(0, bytes, (uInt)cut), crc2 = crc32(0, bytes + cut, (uInt)rest);
        uLong adler1 = adler32(1, bytes, (uInt)cut), adler2 = adler32(1, bytes + cut, (uInt)rest);
        CHECK_EQ(crc32_combine(crc1, crc2, rest), crc);
        CHECK_EQ(crc32_combine64(crc1, crc2, rest), crc);
        CHECK_EQ(crc32_combine_op(crc1, crc2, crc32_combine_gen(rest)), crc);
        CHECK_EQ(crc32_combine_op(crc1, crc2, crc32_combine_gen64(rest)), crc);
        CHECK_EQ(adler32_combine(adler1, adler2, rest), adler);
        CHECK_EQ(adler32_combine64(adler1, adler2, rest), adler);
    }
    CHECK_EQ(adler32_combine(1, 1, -1), 0xffffffff);
    CHECK_EQ(adler32_combine64(1, 1, -1), 0xffffffff);
    /* Check values have 32 bits: the upper bits of the argument are ignored, and those of the result are 0. */
    uLong above = (uLong)0xdeadbeef << 32;
    CHECK_EQ(crc32(crc | above, bytes, 100), crc32(crc, bytes, 100));
    CHECK_EQ(crc32_z(crc | above, bytes, 0), crc);
    CHECK_EQ(adler32(adler | above, bytes, 100), adler32(adler, bytes, 100));
    CHECK_EQ(adler32_z(adler | above, bytes, 0), adler);
    CHECK_EQ(crc32_combine(crc | above, 5 | above, 77), crc32_combine(crc, 5, 77));
    CHECK_EQ(adler32_combine(adler | above, adler | above, 77), adler32_combine(adler, adler, 77));
    uLong op = crc32_combine_gen(77);
    CHECK_EQ(crc32_combine_op(crc | above, 5 | above, op), crc32_combine_op(crc, 5, op));
    /* Lengths of more than 32 bits: the CRC of as many zero bytes in small steps; Adler-32 has a period of 65521 bytes. */
    z_off64_t step = (z_off64_t)1 << 30, far = 20 * step + 17;
    uLong wanted = crc32_combine64(crc, 0, 17);
    for (int i = 0; i < 20; i++)
        wanted = crc32_combine64(wanted, 0, step);
    CHECK_EQ(crc32_combine64(crc, 0, far), wanted);
    CHECK_EQ(crc32_combine_op(crc, 0, crc32_combine_gen64(far)), wanted);
    CHECK_EQ(adler32_combine64(adler, 1, far), adler32_combine64(adler, 1, far % 65521));
    free(bytes), free(full);
    return 0;
}
