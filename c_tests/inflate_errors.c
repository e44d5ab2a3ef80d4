/* inflate returns Z_DATA_ERROR for damaged data, with the message of zlib, because programs compare messages. It stops exactly at
 * the end of a stream, and reports Z_BUF_ERROR for a truncated one. */
#include "check.h"

static Bytef back[100000];

/* Checks that the stream is rejected with this message, both when it comes byte by byte and when it comes in one call. */
static void check_rejected(int window_bits, const char *bytes, size_t len, const char *message)
{
    for (uInt step = 1; step <= len; step += (uInt)len - 1) {
        z_stream strm;
        int status = Z_OK;
        inflate_start(&strm, window_bits);
        strm.next_in = (Bytef *)bytes, strm.next_out = back, strm.avail_out = sizeof back;
        while (status == Z_OK && strm.total_in < len) {
            strm.avail_in = step;
            status = inflate(&strm, Z_NO_FLUSH);
        }
        CHECK_EQ(status, Z_DATA_ERROR);
        CHECK_STR(strm.msg, message);
        CHECK_EQ(inflate(&strm, Z_NO_FLUSH), Z_DATA_ERROR); /* the error is permanent */
        CHECK_STR(strm.msg, message);
        CHECK_EQ(inflateEnd(&strm), Z_OK);
    }
}
#define CHECK_REJECTED(window_bits, bytes, message) check_rejected(window_bits, bytes, sizeof bytes - 1, message)

/* Checks the end of a zlib or gzip stream with other bytes after it, with one byte of room missing, and with one byte of input
 * missing. */
static void check_exact_end(const Bytef *plain, uInt plain_len, int window_bits)
{
    size_t len;
    Bytef *packed = pack(plain, plain_len, 6, window_bits, &len);
    packed = realloc(packed, len + 20);
    CHECK(packed != NULL);
    memset(packed + len, 0, 20);
    z_stream strm;
    memset(back, 0, sizeof back);
    inflate_start(&strm, window_bits);
    strm.next_in = packed, strm.avail_in = (uInt)len + 20, strm.next_out = back, strm.avail_out = plain_len;
    CHECK_EQ(inflate(&strm, Z_NO_FLUSH), Z_STREAM_END); /* the call that fills the room also reads the trailer */
    CHECK_EQ(strm.avail_in, 20);
    CHECK(strm.next_in == packed + len);
    CHECK_EQ(strm.avail_out, 0);
    CHECK(memcmp(back, plain, plain_len) == 0);
    CHECK_EQ(inflate(&strm, Z_NO_FLUSH), Z_STREAM_END); /* later calls return the same and take no input */
    CHECK_EQ(inflate(&strm, Z_FINISH), Z_STREAM_END);
    CHECK_EQ(strm.avail_in, 20);

    memset(back, 0, sizeof back);
    CHECK_EQ(inflateReset(&strm), Z_OK);
    strm.next_in = packed, strm.avail_in = (uInt)len, strm.next_out = back, strm.avail_out = plain_len - 1;
    CHECK_EQ(inflate(&strm, Z_FINISH), Z_BUF_ERROR);
    CHECK_EQ(strm.total_out, plain_len - 1);
    strm.avail_out = 1;
    CHECK_EQ(inflate(&strm, Z_FINISH), Z_STREAM_END);
    CHECK(memcmp(back, plain, plain_len) == 0);

    CHECK_EQ(inflateReset(&strm), Z_OK);
    strm.next_in = packed, strm.avail_in = (uInt)len - 1, strm.next_out = back, strm.avail_out = sizeof back;
    CHECK_EQ(inflate(&strm, Z_FINISH), Z_BUF_ERROR); /* the trailer lacks its last byte */
    CHECK_EQ(strm.total_out, plain_len);
    CHECK_EQ(inflate(&strm, Z_NO_FLUSH), Z_BUF_ERROR);
    strm.avail_in = 1;
    CHECK_EQ(inflate(&strm, Z_NO_FLUSH), Z_STREAM_END); /* Z_BUF_ERROR is not permanent */
    CHECK_EQ(inflateEnd(&strm), Z_OK);
    free(packed);
}

int main(void)
{
    begin();
    /* Headers of zlib and gzip, then raw streams. Most of the raw streams are from zlib's test/infcover.c. */
    CHECK_REJECTED(15, "\x79\x9c", "incorrect header check");
    CHECK_REJECTED(15, "\x77\x85", "unknown compression method");
    CHECK_REJECTED(15, "\x88\x1c", "invalid window size");
    CHECK_REJECTED(9, "\x78\x9c", "invalid window size");
    CHECK_REJECTED(31, "\x1f\x8b\x07\x00", "unknown compression method");
    CHECK_REJECTED(31, "\x1f\x8b\x08\x80", "unknown header flags set");
    CHECK_REJECTED(31, "\x1f\x8b\x08\x02\0\0\0\0\0\xff\0\0", "header crc mismatch");
    CHECK_REJECTED(31, "\x78\x9c\x00", "incorrect header check");
    CHECK_REJECTED(-15, "\x06\x00", "invalid block type");
    CHECK_REJECTED(-15, "\x00\x01\x00\x00\x00", "invalid stored block lengths");
    CHECK_REJECTED(-15, "\xfc\x00\x00", "too many length or distance symbols");
    CHECK_REJECTED(-15, "\x04\x00\xfe\xff", "invalid code lengths set");
    CHECK_REJECTED(-15, "\x04\x00\x24\x49\x00", "invalid bit length repeat");
    CHECK_REJECTED(-15, "\x04\x00\x24\xe9\xff\xff", "invalid bit length repeat");
    CHECK_REJECTED(-15, "\x04\x00\x24\xe9\xff\x6d", "invalid code -- missing end-of-block");
    CHECK_REJECTED(-15, "\x04\x80\x49\x92\x24\x49\x92\x24\x71\xff\xff\x93\x11\x00", "invalid literal/lengths set");
    CHECK_REJECTED(-15, "\x04\x80\x49\x92\x24\x49\x92\x24\x0f\xb4\xff\xff\xc3\x84", "invalid distances set");
    CHECK_REJECTED(-15, "\x04\xc0\x81\x08\x00\x00\x00\x00\x20\x7f\xeb\x0b\x00\x00", "invalid literal/length code");
    CHECK_REJECTED(-15, "\x02\x7e\xff\xff", "invalid distance code");
    CHECK_REJECTED(-15, "\x0c\xc0\x81\x00\x00\x00\x00\x00\x90\xff\x6b\x04\x00", "invalid distance too far back");

    Bytef *plain = prose(60000, 111);
    check_exact_end(plain, 1, 15);
    check_exact_end(plain, 1000, 15);
    check_exact_end(plain, 60000, 15);
    check_exact_end(plain, 60000, 31);

    /* Each field of a trailer is compared, after all data has been delivered. */
    static const struct {
        int window_bits;
        size_t from_end;
        const char *message;
    } fields[] = {{15, 4, "incorrect data check"}, {31, 8, "incorrect data check"}, {31, 4, "incorrect length check"}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        z_stream strm;
        size_t len;
        Bytef *packed = pack(plain, 60000, 6, fields[i].window_bits, &len);
        packed[len - fields[i].from_end] ^= 1;
        memset(back, 0, sizeof back);
        inflate_start(&strm, fields[i].window_bits);
        strm.next_in = packed, strm.avail_in = (uInt)len, strm.next_out = back, strm.avail_out = sizeof back;
        CHECK_EQ(inflate(&strm, Z_NO_FLUSH), Z_DATA_ERROR);
        CHECK_STR(strm.msg, fields[i].message);
        CHECK_EQ(strm.total_out, 60000);
        CHECK(memcmp(back, plain, 60000) == 0);
        CHECK_EQ(inflateEnd(&strm), Z_OK);
        free(packed);
    }
    free(plain);
    return 0;
}
