/* total_in and total_out are shared: the library only adds to them, and the application may change them between calls, as git,
 * PHP and bsdtar's zip reader do. Also: a raw stream does not touch adler, where programs keep their own check value. */
#include "check.h"

int main(void)
{
    begin();
    enum { LEN = 300000 };
    Bytef *plain = prose(LEN, 91), *out = allocate(LEN + 1000), *back = allocate(LEN);
    static const int wraps[] = {15, 31, -15};
    for (int w = 0; w < 3; w++)
        for (int level = 0; level <= 9; level += 3) {
            z_stream strm;
            deflate_start(&strm, level, wraps[w]);
            size_t given = 0, made = 0;
            int status = Z_OK;
            strm.next_out = out;
            while (status != Z_STREAM_END) {
                uInt step = given + 4999 < LEN ? 4999 : (uInt)(LEN - given);
                strm.next_in = plain + given, strm.avail_in = step, strm.avail_out = 3000;
                uLong in_before = wraps[w] == 31 ? strm.total_in : 0; /* zlib writes total_in into the gzip trailer */
                strm.total_in = in_before, strm.total_out = 1000000; /* any value will do */
                status = deflate(&strm, given + step == LEN ? Z_FINISH : Z_NO_FLUSH);
                CHECK(status == Z_OK || status == Z_STREAM_END);
                CHECK_EQ(strm.total_in - in_before + strm.avail_in, step);
                CHECK_EQ(strm.total_out - 1000000 + strm.avail_out, 3000);
                given += strm.total_in - in_before, made += strm.total_out - 1000000;
            }
            CHECK_EQ(given, LEN);
            CHECK_EQ(deflateEnd(&strm), Z_OK);
            check_unpacks(out, made, wraps[w], plain, LEN);

            inflate_start(&strm, wraps[w]);
            if (wraps[w] < 0)
                strm.adler = 0x1234567;
            size_t used = 0, got = 0;
            for (status = Z_OK; status != Z_STREAM_END;) {
                uInt step = used + 777 < made ? 777 : (uInt)(made - used);
                strm.next_in = out + used, strm.avail_in = step, strm.next_out = back + got, strm.avail_out = 2000;
                strm.total_in = 0, strm.total_out = 0;
                status = inflate(&strm, Z_NO_FLUSH);
                CHECK(status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR);
                CHECK_EQ(strm.total_in + strm.avail_in, step);
                CHECK_EQ(strm.total_out + strm.avail_out, 2000);
                used += strm.total_in, got += strm.total_out;
                if (wraps[w] == 15)
                    CHECK_EQ(strm.adler, adler32(1, back, (uInt)got));
                if (wraps[w] == 31)
                    CHECK_EQ(strm.adler, crc32(0, back, (uInt)got));
                if (wraps[w] < 0)
                    CHECK_EQ(strm.adler, 0x1234567);
            }
            CHECK_EQ(got, LEN);
            CHECK(memcmp(back, plain, LEN) == 0);
            CHECK_EQ(inflateEnd(&strm), Z_OK);
        }
    free(plain), free(out), free(back);
    return 0;
}
