/* Bits ahead of a raw stream, and bits that are made but not delivered. */
#include "check.h"

/* At the end of a raw stream, what is delivered and what is pending add up to its size, whatever the kind of blocks. */
static void pending_at_the_end(Bytef *data, uInt len, int level)
{
    static Bytef out[20000];
    z_stream strm;
    deflate_start(&strm, level, -15);
    strm.next_in = data, strm.avail_in = len, strm.next_out = out, strm.avail_out = sizeof out;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    uLong total = strm.total_out;
    for (uInt room = 1; room < 30; room += 3) {
        CHECK_EQ(deflateReset(&strm), Z_OK);
        strm.next_in = data, strm.avail_in = len, strm.next_out = out;
        int status;
        do {
            unsigned pending = 0;
            strm.avail_out = room;
            status = deflate(&strm, Z_FINISH);
            CHECK(status == Z_OK || status == Z_STREAM_END);
            CHECK_EQ(deflatePending(&strm, &pending, NULL), Z_OK);
            CHECK_EQ(strm.total_out + pending, total);
        } while (status != Z_STREAM_END);
    }
    check_unpacks(out, total, -15, data, len);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
}

/* The rest of a header that does not fit the output is pending. */
static void pending_in_the_header(int window_bits, gz_header *header, unsigned len)
{
    for (unsigned room = 1; room < len; room++) {
        z_stream strm;
        Bytef in[] = "input", out[100];
        unsigned pending = 99;
        deflate_start(&strm, 6, window_bits);
        CHECK(header == NULL || deflateSetHeader(&strm, header) == Z_OK);
        CHECK_EQ(deflatePending(&strm, &pending, NULL), Z_OK);
        CHECK_EQ(pending, 0); /* nothing is begun */
        strm.next_in = in, strm.avail_in = sizeof in, strm.next_out = out, strm.avail_out = room;
        CHECK_EQ(deflate(&strm, Z_NO_FLUSH), Z_OK);
        CHECK_EQ(strm.total_out, room);
        CHECK_EQ(deflatePending(&strm, &pending, NULL), Z_OK);
        CHECK_EQ(pending, len - room);
        CHECK_EQ(deflateEnd(&strm), Z_DATA_ERROR);
    }
}

int main(void)
{
    begin();
    gz_header header = {.name = (Bytef *)"a name", .comment = (Bytef *)"a comment"};
    pending_in_the_header(15, NULL, 2);
    pending_in_the_header(31, NULL, 10);
    pending_in_the_header(31, &header, 10 + sizeof "a name" + sizeof "a comment");
    Bytef *plain = prose(40000, 41), out[50000], back[40001];
    z_stream strm;
    unsigned pending = 99;
    int bits = 99;

    /* Three bits of our own, then the stream; the reader drops the three. */
    deflate_start(&strm, 6, -15);
    CHECK_EQ(deflatePrime(&strm, 3, 5), Z_OK);
    CHECK_EQ(deflatePending(&strm, &pending, &bits), Z_OK);
    CHECK_EQ(pending, 0);
    CHECK_EQ(bits, 3);
    CHECK_EQ(deflatePrime(&strm, 16, 0xabcd), Z_OK);
    CHECK_EQ(deflatePending(&strm, &pending, &bits), Z_OK);
    CHECK_EQ(pending * 8 + (unsigned)bits, 19);
    CHECK_EQ(deflatePrime(&strm, 5, 0), Z_OK);
    CHECK_EQ(deflatePrime(&strm, 17, 0), Z_BUF_ERROR);
    strm.next_in = plain, strm.avail_in = 40000, strm.next_out = out, strm.avail_out = sizeof out;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    size_t len = strm.total_out;
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    CHECK_EQ(out[0] & 7, 5);
    CHECK_EQ((out[0] | out[1] << 8 | out[2] << 16) >> 3 & 0xffff, 0xabcd);
    check_unpacks(out + 3, len - 3, -15, plain, 40000);

    inflate_start(&strm, -15);
    CHECK_EQ(inflatePrime(&strm, 8, out[3]), Z_OK); /* a byte taken from the input by other means */
    strm.next_in = out + 4, strm.avail_in = (uInt)len - 4, strm.next_out = back, strm.avail_out = sizeof back;
    CHECK_EQ(inflate(&strm, Z_NO_FLUSH), Z_STREAM_END);
    CHECK_EQ(strm.total_out, 40000);
    CHECK(memcmp(back, plain, 40000) == 0);
    CHECK_EQ(inflateReset(&strm), Z_OK);
    CHECK_EQ(inflatePrime(&strm, 17, 0), Z_STREAM_ERROR);
    CHECK_EQ(inflatePrime(&strm, 16, 0), Z_OK);
    CHECK_EQ(inflatePrime(&strm, 16, 0), Z_OK);
    CHECK_EQ(inflatePrime(&strm, 1, 0), Z_STREAM_ERROR); /* more than fits */
    CHECK_EQ(inflatePrime(&strm, -1, 0), Z_OK);          /* all dropped */
    strm.next_in = out + 3, strm.avail_in = (uInt)len - 3, strm.next_out = back, strm.avail_out = sizeof back;
    CHECK_EQ(inflate(&strm, Z_NO_FLUSH), Z_STREAM_END);
    CHECK_EQ(inflateEnd(&strm), Z_OK);

    /* Bits of the value beyond the bit count are ignored, and so is a value with a count of 0. */
    deflate_start(&strm, 6, -15);
    CHECK_EQ(deflatePrime(&strm, 0, 0xff), Z_OK);
    CHECK_EQ(deflatePrime(&strm, 5, 0xffe2), Z_OK);
    CHECK_EQ(deflatePrime(&strm, 5, -32), Z_OK);
    strm.next_in = plain, strm.avail_in = 40000, strm.next_out = out, strm.avail_out = sizeof out;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    check_unpacks(out, strm.total_out, -15, plain, 40000); /* the ten bits are an empty block */

    /* Output that does not fit is pending, and later calls deliver it: delivered and pending add up. */
    deflate_start(&strm, 1, 15);
    Bytef *hard = noise(40000, 9);
    strm.next_in = hard, strm.avail_in = 40000, strm.next_out = out, strm.avail_out = 10;
    CHECK_EQ(deflate(&strm, Z_SYNC_FLUSH), Z_OK);
    CHECK_EQ(deflatePending(&strm, &pending, &bits), Z_OK);
    CHECK(pending > 0);
    CHECK_EQ(deflatePending(&strm, NULL, NULL), Z_OK);
    strm.avail_out = sizeof out - 10;
    CHECK_EQ(deflate(&strm, Z_SYNC_FLUSH), Z_OK);
    CHECK_EQ(deflatePending(&strm, &pending, &bits), Z_OK);
    CHECK_EQ(pending, 0);
    CHECK_EQ(bits, 0);
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    check_unpacks(out, strm.total_out, 15, hard, 40000);
    CHECK_EQ(deflateEnd(&strm), Z_OK);

    /* The two bits that a Z_BLOCK flush leaves inside count. */
    deflate_start(&strm, 6, -15);
    strm.next_in = plain, strm.avail_in = 1000, strm.next_out = out, strm.avail_out = sizeof out;
    CHECK_EQ(deflate(&strm, Z_BLOCK), Z_OK);
    CHECK_EQ(deflatePending(&strm, &pending, &bits), Z_OK);
    CHECK_EQ(pending, 0);
    CHECK(bits >= 0 && bits <= 7);
    strm.avail_in = 1000;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    check_unpacks(out, strm.total_out, -15, plain, 2000);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    Bytef *letters = allocate(4000);
    for (int i = 0; i < 4000; i++)
        letters[i] = (Bytef)"ACGT"[hard[i] & 3];
    for (int level = 0; level <= 9; level++)
        pending_at_the_end(plain, 4000, level), pending_at_the_end(hard, 4000, level), pending_at_the_end(letters, 4000, level);
    free(plain), free(hard), free(letters);
    return 0;
}
