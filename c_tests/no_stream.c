/* A null, empty or null-file argument is an error code, not a crash. */
#include "check.h"

int main(void)
{
    begin();
    z_stream empty, *streams[2] = {NULL, &empty}, other;
    memset(&empty, 0, sizeof empty);
    memset(&other, 0, sizeof other);
    gz_header header;
    memset(&header, 0, sizeof header);
    for (int i = 0; i < 2; i++) {
        z_stream *strm = streams[i];
        unsigned pending;
        int bits;
        uInt len = 0;
        CHECK_EQ(deflate(strm, Z_FINISH), Z_STREAM_ERROR);
        CHECK_EQ(deflateEnd(strm), Z_STREAM_ERROR);
        CHECK_EQ(deflateReset(strm), Z_STREAM_ERROR);
        CHECK_EQ(deflateResetKeep(strm), Z_STREAM_ERROR);
        CHECK_EQ(deflateParams(strm, 1, 0), Z_STREAM_ERROR);
        CHECK_EQ(deflateTune(strm, 4, 4, 4, 4), Z_STREAM_ERROR);
        CHECK_EQ(deflatePrime(strm, 1, 1), Z_STREAM_ERROR);
        CHECK_EQ(deflatePending(strm, &pending, &bits), Z_STREAM_ERROR);
        CHECK_EQ(deflateSetHeader(strm, &header), Z_STREAM_ERROR);
        CHECK_EQ(deflateSetDictionary(strm, (const Bytef *)"abc", 3), Z_STREAM_ERROR);
        CHECK_EQ(deflateGetDictionary(strm, NULL, &len), Z_STREAM_ERROR);
        CHECK_EQ(deflateCopy(&other, strm), Z_STREAM_ERROR);
        CHECK(deflateBound(strm, 1000) >= compressBound(1000));
        CHECK_EQ(inflate(strm, Z_NO_FLUSH), Z_STREAM_ERROR);
        CHECK_EQ(inflateEnd(strm), Z_STREAM_ERROR);
        CHECK_EQ(inflateReset(strm), Z_STREAM_ERROR);
        CHECK_EQ(inflateReset2(strm, 15), Z_STREAM_ERROR);
        CHECK_EQ(inflateResetKeep(strm), Z_STREAM_ERROR);
        CHECK_EQ(inflateSync(strm), Z_STREAM_ERROR);
        CHECK_EQ(inflateSyncPoint(strm), Z_STREAM_ERROR);
        CHECK_EQ(inflatePrime(strm, 1, 1), Z_STREAM_ERROR);
        CHECK_EQ(inflateGetHeader(strm, &header), Z_STREAM_ERROR);
        CHECK_EQ(inflateSetDictionary(strm, (const Bytef *)"abc", 3), Z_STREAM_ERROR);
        CHECK_EQ(inflateGetDictionary(strm, NULL, &len), Z_STREAM_ERROR);
        CHECK_EQ(inflateCopy(&other, strm), Z_STREAM_ERROR);
        CHECK_EQ(inflateUndermine(strm, 1), Z_STREAM_ERROR);
        CHECK_EQ(inflateValidate(strm, 1), Z_STREAM_ERROR);
        CHECK_EQ(inflateMark(strm), -65536);
        CHECK_EQ(inflateCodesUsed(strm), (unsigned long)-1);
        CHECK_EQ(inflateBackEnd(strm), Z_STREAM_ERROR);
        CHECK_EQ(inflateBack(strm, NULL, NULL, NULL, NULL), Z_STREAM_ERROR);
    }
    CHECK_EQ(deflateInit(NULL, 6), Z_STREAM_ERROR);
    CHECK_EQ(inflateInit(NULL), Z_STREAM_ERROR);
    CHECK_EQ(inflateBackInit(&empty, 15, NULL), Z_STREAM_ERROR);

    char buf[8];
    int err;
    CHECK_EQ(gzclose(NULL), Z_STREAM_ERROR);
    CHECK_EQ(gzclose_r(NULL), Z_STREAM_ERROR);
    CHECK_EQ(gzclose_w(NULL), Z_STREAM_ERROR);
    CHECK_EQ(gzread(NULL, buf, 4), -1);
    CHECK_EQ(gzfread(buf, 1, 4, NULL), 0);
    CHECK_EQ(gzwrite(NULL, buf, 4), 0);
    CHECK_EQ(gzfwrite(buf, 1, 4, NULL), 0);
    CHECK_EQ((gzgetc)(NULL), -1);
    CHECK_EQ(gzgetc_(NULL), -1);
    CHECK_EQ(gzungetc('a', NULL), -1);
    CHECK(gzgets(NULL, buf, 4) == NULL);
    CHECK_EQ(gzputc(NULL, 'a'), -1);
    CHECK_EQ(gzputs(NULL, "a"), -1);
    CHECK_EQ(gzprintf(NULL, "%d", 1), Z_STREAM_ERROR);
    CHECK_EQ(gzflush(NULL, Z_FINISH), Z_STREAM_ERROR);
    CHECK_EQ(gzseek(NULL, 0, SEEK_SET), -1);
    CHECK_EQ(gztell(NULL), -1);
    CHECK_EQ(gzoffset(NULL), -1);
    CHECK_EQ(gzrewind(NULL), -1);
    CHECK_EQ(gzeof(NULL), 0);
    CHECK_EQ(gzdirect(NULL), 0);
    CHECK_EQ(gzbuffer(NULL, 8192), -1);
    CHECK_EQ(gzsetparams(NULL, 1, 0), Z_STREAM_ERROR);
    CHECK(gzerror(NULL, &err) == NULL);
    gzclearerr(NULL);
    CHECK(gzopen(NULL, "r") == NULL);
    CHECK(gzdopen(-1, "r") == NULL);
    return 0;
}
