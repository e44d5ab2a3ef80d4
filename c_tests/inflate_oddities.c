/* Sync, SyncPoint, Mark, Undermine, Validate, CodesUsed, which repair tools and rsync use. */
#include "check.h"

static Bytef out[100000], back[100000];
enum { LEN = 30000 };

/* Damage before a full flush is skipped; the data after it is correct. */
static void sync_finds_the_next_flush(Bytef *plain)
{
    z_stream strm;
    deflate_start(&strm, 6, 15);
    strm.next_in = plain, strm.avail_in = LEN, strm.next_out = out, strm.avail_out = sizeof out;
    CHECK_EQ(deflate(&strm, Z_FULL_FLUSH), Z_OK);
    size_t second = strm.total_out;
    strm.next_in = plain, strm.avail_in = LEN;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    size_t len = strm.total_out;
    CHECK_EQ(deflateEnd(&strm), Z_OK);

    inflate_start(&strm, 15);
    out[50] = 0xff, out[51] = 0xff, out[52] = 0xff, out[53] = 0xff;
    strm.next_in = out, strm.avail_in = 10, strm.next_out = back, strm.avail_out = sizeof back;
    CHECK_EQ(inflate(&strm, Z_NO_FLUSH), Z_OK);
    CHECK_EQ(inflateSync(&strm), Z_BUF_ERROR); /* nothing to look at */
    strm.next_in = out + 10, strm.avail_in = 100;
    CHECK_EQ(inflateSync(&strm), Z_DATA_ERROR);
    CHECK_EQ(strm.avail_in, 0);
    strm.avail_in = (uInt)(len - 110);
    CHECK_EQ(inflateSync(&strm), Z_OK);
    CHECK_EQ(strm.next_in - out, second);
    strm.next_out = back, strm.avail_out = sizeof back;
    int status = inflate(&strm, Z_NO_FLUSH);
    CHECK(status == Z_DATA_ERROR || status == Z_STREAM_END); /* the check value is of all the data; 1.2.12 and on don't compare */
    CHECK_EQ(strm.next_out - back, LEN);
    CHECK(memcmp(back, plain, LEN) == 0);
    CHECK_EQ(inflateEnd(&strm), Z_OK);
}

static void sync_point_and_mark(Bytef *plain)
{
    z_stream strm;
    deflate_start(&strm, 6, -15);
    strm.next_in = plain, strm.avail_in = LEN, strm.next_out = out, strm.avail_out = sizeof out;
    CHECK_EQ(deflate(&strm, Z_SYNC_FLUSH), Z_OK);
    size_t len = strm.total_out;
    CHECK_EQ(deflateEnd(&strm), Z_DATA_ERROR);

    inflate_start(&strm, -15);
    CHECK_EQ(inflateSyncPoint(&strm), 0);
    CHECK_EQ(inflateMark(&strm), -65536);
    strm.next_in = out, strm.avail_in = (uInt)len - 4, strm.next_out = back, strm.avail_out = sizeof back;
    CHECK_EQ(inflate(&strm, Z_NO_FLUSH), Z_OK);
    CHECK_EQ(strm.total_out, LEN);
    CHECK_EQ(inflateSyncPoint(&strm), 1); /* just before the length of an empty stored block */
    strm.avail_in = 4;
    CHECK_EQ(inflate(&strm, Z_NO_FLUSH), Z_OK);
    CHECK_EQ(inflateSyncPoint(&strm), 0);
    CHECK_EQ(inflateMark(&strm), -65536);
    CHECK_EQ(inflateReset(&strm), Z_OK);
    /* If the output space ends inside a match, the mark shows how much of the match was written. */
    Bytef same[1000];
    memset(same, 'x', sizeof same);
    size_t packed_len;
    Bytef *packed = pack(same, sizeof same, 6, -15, &packed_len);
    strm.next_in = packed, strm.avail_in = (uInt)packed_len, strm.next_out = back, strm.avail_out = 100;
    CHECK_EQ(inflate(&strm, Z_NO_FLUSH), Z_OK);
    long mark = inflateMark(&strm) & 0xffff; /* one or two literals came before */
    CHECK(mark == 98 || mark == 99);
    free(packed);
    CHECK_EQ(inflateEnd(&strm), Z_OK);
}

static void validate_and_the_rest(Bytef *plain)
{
    size_t len;
    Bytef *packed = pack(plain, LEN, 6, 15, &len);
    packed[len - 1] ^= 1;
    z_stream strm;
    inflate_start(&strm, 15);
    for (int check = 1; check >= 0; check--) {
        CHECK_EQ(inflateReset(&strm), Z_OK);
        CHECK_EQ(inflateValidate(&strm, check), Z_OK);
        strm.next_in = packed, strm.avail_in = (uInt)len, strm.next_out = back, strm.avail_out = sizeof back;
        CHECK_EQ(inflate(&strm, Z_NO_FLUSH), check ? Z_DATA_ERROR : Z_STREAM_END);
        if (check)
            CHECK_STR(strm.msg, "incorrect data check");
    }
    CHECK_EQ(inflateUndermine(&strm, 1), Z_DATA_ERROR);
    CHECK_EQ(inflateReset(&strm), Z_OK);
    strm.next_in = packed, strm.avail_in = 2000, strm.next_out = back, strm.avail_out = sizeof back;
    CHECK_EQ(inflate(&strm, Z_NO_FLUSH), Z_OK);
    CHECK(inflateCodesUsed(&strm) > 0 && inflateCodesUsed(&strm) < 2000);
    CHECK_EQ(inflateEnd(&strm), Z_OK);
    free(packed);
}

/* The check value survives inflateSync, for a program that enables the comparison again. */
static void validate_after_sync(void)
{
    z_stream strm;
    static Bytef end[] = {0x78, 0x9c, 3, 0, 0, 0, 0, 1, 0, 0, 0xff, 0xff, 3, 0, 0, 0, 0, 1};
    for (int is_right = 0; is_right < 2; is_right++) {
        end[17] = (Bytef)is_right;
        inflate_start(&strm, 15);
        strm.next_in = end, strm.avail_in = sizeof end, strm.next_out = back, strm.avail_out = sizeof back;
        CHECK_EQ(inflate(&strm, Z_NO_FLUSH), Z_STREAM_END);
        CHECK_EQ(inflateSync(&strm), Z_OK);
        CHECK_EQ(inflateValidate(&strm, 1), Z_OK);
        CHECK_EQ(inflate(&strm, Z_NO_FLUSH), is_right ? Z_STREAM_END : Z_DATA_ERROR);
        CHECK_EQ(strm.avail_in, 0);
        CHECK_EQ(inflateEnd(&strm), Z_OK);
    }
}

int main(void)
{
    begin();
    validate_after_sync();
    Bytef *plain = prose(LEN, 61);
    sync_finds_the_next_flush(plain);
    sync_point_and_mark(plain);
    validate_and_the_rest(plain);
    free(plain);
    return 0;
}
