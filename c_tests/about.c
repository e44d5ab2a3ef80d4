/* The library's information about itself, which programs parse, compare and print: version, compile flags, error texts and CRC
 * table. */
#include "check.h"

int main(void)
{
    begin();
    int major, minor, revision;
    CHECK_EQ(sscanf(zlibVersion(), "%d.%d.%d", &major, &minor, &revision), 3);
    CHECK_EQ(strspn(zlibVersion(), "0123456789."), strlen(zlibVersion()));
    CHECK_EQ(major, ZLIB_VER_MAJOR);
    if (is_rigz())
        CHECK_STR(zlibVersion(), ZLIB_VERSION);
    CHECK_EQ(sscanf(ZLIB_VERSION, "%d.%d.%d", &major, &minor, &revision), 3);
    CHECK_EQ(major, ZLIB_VER_MAJOR);
    CHECK_EQ(minor, ZLIB_VER_MINOR);
    CHECK_EQ(revision, ZLIB_VER_REVISION);
    CHECK_EQ(ZLIB_VERNUM, major << 12 | minor << 8 | revision << 4 | ZLIB_VER_SUBREVISION);

    uLong flags = zlibCompileFlags();
    CHECK_EQ(flags & 0xff, 1 | 2 << 2 | 2 << 4 | 2 << 6); /* sizes in bytes: uInt 4, uLong 8, voidpf 8, z_off_t 8 */
    CHECK_EQ(flags & 0x00030000, 0);                      /* gz functions can write, and gzip streams are supported */
    CHECK_EQ(flags & 0x07000000, 0);                      /* gzprintf calls vsnprintf and uses its return value */
    if (is_rigz())
        CHECK_EQ(flags, 0xa9); /* no other flag is set */

    CHECK_STR(zError(Z_OK), "");
    CHECK_STR(zError(Z_STREAM_END), "stream end");
    CHECK_STR(zError(Z_NEED_DICT), "need dictionary");
    CHECK_STR(zError(Z_ERRNO), "file error");
    CHECK_STR(zError(Z_STREAM_ERROR), "stream error");
    CHECK_STR(zError(Z_DATA_ERROR), "data error");
    CHECK_STR(zError(Z_MEM_ERROR), "insufficient memory");
    CHECK_STR(zError(Z_BUF_ERROR), "buffer error");
    CHECK_STR(zError(Z_VERSION_ERROR), "incompatible version");

    /* The entry of a byte is the remainder of its division by the polynomial, bit by bit. */
    const z_crc_t *table = get_crc_table();
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t remainder = byte;
        for (int bit = 0; bit < 8; bit++)
            remainder = remainder & 1 ? remainder >> 1 ^ 0xedb88320 : remainder >> 1;
        CHECK_EQ(table[byte], remainder);
    }
    return 0;
}
