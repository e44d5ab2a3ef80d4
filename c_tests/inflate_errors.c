/* Bad data returns Z_DATA_ERROR with zlib's texts, which programs compare; the end of a stream is exact. */
#include "check.h"

static Bytef back[100000];

static void is_refused(int window_bits, const char *bytes, size_t len, const char *words)
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
        CHECK_STR(strm.msg, words);
        CHECK_EQ(inflate(&strm, Z_NO_FLUSH), Z_DATA_ERROR); /* and stays so */
        CHECK_EQ(inflateEnd(&strm), Z_OK);
    }
}
#define REFUSED(window_bits, bytes, words) is_refused(window_bits, bytes, sizeof bytes - 1, words)

static void ends_exactly(Bytef *plain, uInt plain_len, int window_bits)
{
    size_t len;
    Bytef *packed = pack(plain, plain_len, 6, window_bits, &len);
    packed = realloc(packed, len + 20);
    CHECK(packed != NULL);
    memset(packed + len, 0, 20);
    z_stream strm;
    inflate_start(&strm, window_bits);
    strm.next_in = packed, strm.avail_in = (uInt)len + 20, strm.next_out = back, strm.avail_out = plain_len;
    CHECK_EQ(inflate(&strm, Z_NO_FLUSH), Z_STREAM_END); /* in the call that filled the room */
    CHECK_EQ(strm.avail_in, 20);
    CHECK(strm.next_in == packed + len);
    CHECK_EQ(strm.avail_out, 0);
    CHECK_EQ(inflate(&strm, Z_NO_FLUSH), Z_STREAM_END); /* again, and nothing more is taken */
    CHECK_EQ(inflate(&strm, Z_FINISH), Z_STREAM_END);
    CHECK_EQ(strm.avail_in, 20);

    CHECK_EQ(inflateReset(&strm), Z_OK);
    strm.next_in = packed, strm.avail_in = (uInt)len, strm.next_out = back, strm.avail_out = plain_len - 1;
    CHECK_EQ(inflate(&strm, Z_FINISH), Z_BUF_ERROR);
    strm.avail_out = 1;
    CHECK_EQ(inflate(&strm, Z_FINISH), Z_STREAM_END);

    CHECK_EQ(inflateReset(&strm), Z_OK);
    strm.next_in = packed, strm.avail_in = (uInt)len - 1, strm.next_out = back, strm.avail_out = sizeof back;
    CHECK_EQ(inflate(&strm, Z_FINISH), Z_BUF_ERROR); /* cut short */
    CHECK_EQ(strm.total_out, plain_len);
    CHECK_EQ(inflate(&strm, Z_NO_FLUSH), Z_BUF_ERROR);
    CHECK_EQ(inflateEnd(&strm), Z_OK);
    free(packed);
}

int main(void)
{
    begin();
    REFUSED(15, "\x79\x9c", "incorrect header check");
    REFUSED(15, "\x77\x85", "unknown compression method");
    REFUSED(15, "\x88\x1c", "invalid window size");
    REFUSED(9, "\x78\x9c", "invalid window size");
    REFUSED(31, "\x1f\x8b\x07\x00", "unknown compression method");
    REFUSED(31, "\x1f\x8b\x08\x80", "unknown header flags set");
    REFUSED(31, "\x78\x9c\x00", "incorrect header check");
    REFUSED(-15, "\x06\x00", "invalid block type");
    REFUSED(-15, "\x00\x01\x00\x00\x00", "invalid stored block lengths");
    REFUSED(-15, "\xfc\x00\x00", "too many length or distance symbols");
    REFUSED(-15, "\x04\x00\xfe\xff", "invalid code lengths set");
    REFUSED(-15, "\x04\x00\x24\x49\x00", "invalid bit length repeat");
    REFUSED(-15, "\x04\x00\x24\xe9\xff\xff", "invalid bit length repeat");
    REFUSED(-15, "\x04\x00\x24\xe9\xff\x6d", "invalid code -- missing end-of-block");
    REFUSED(-15, "\x04\x80\x49\x92\x24\x49\x92\x24\x71\xff\xff\x93\x11\x00", "invalid literal/lengths set");
    REFUSED(-15, "\x04\x80\x49\x92\x24\x49\x92\x24\x0f\xb4\xff\xff\xc3\x84", "invalid distances set");
    REFUSED(-15, "\x04\xc0\x81\x08\x00\x00\x00\x00\x20\x7f\xeb\x0b\x00\x00", "invalid literal/length code");
    REFUSED(-15, "\x02\x7e\xff\xff", "invalid distance code");
    REFUSED(-15, "\x0c\xc0\x81\x00\x00\x00\x00\x00\x90\xff\x6b\x04\x00", "invalid distance too far back");

    Bytef *plain = prose(60000, 111);
    ends_exactly(plain, 1, 15);
    ends_exactly(plain, 1000, 15);
    ends_exactly(plain, 60000, 15);
    ends_exactly(plain, 60000, 31);

    /* Both check values and gzip's length are compared. */
    size_t len;
    Bytef *packed = pack(plain, 60000, 6, 31, &len);
    static const char *const words[] = {"incorrect data check", "incorrect length check"};
    for (int i = 0; i < 2; i++) {
        z_stream strm;
        packed[len - 8 + 4 * (size_t)i] ^= 1;
        inflate_start(&strm, 31);
        strm.next_in = packed, strm.avail_in = (uInt)len, strm.next_out = back, strm.avail_out = sizeof back;
        CHECK_EQ(inflate(&strm, Z_NO_FLUSH), Z_DATA_ERROR);
        CHECK_STR(strm.msg, words[i]);
        CHECK_EQ(strm.total_out, 60000); /* every good byte came first */
        CHECK_EQ(inflateEnd(&strm), Z_OK);
        packed[len - 8 + 4 * (size_t)i] ^= 1;
    }
    free(packed), free(plain);
    return 0;
}
