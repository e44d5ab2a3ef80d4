/* A panic in the library, which would be a bug of ours, is only an error to the program: in an export, in the middle of a stream,
 * in a worker, in a file. The stream is dead from then on: all calls on it fail, and the end function frees it. Needs a library
 * with the feature `faults` (RIGZ_FAULTS=1 means that this is one); a release must not have it. */
#include "refusing.h"
#include <signal.h>

enum { CALL, JOB, DEFLATE, INFLATE, FILES };
enum { LEN = 1500 << 10 };
static unsigned (*fault)(int point, unsigned count);
static Bytef *plain, *out, *back;
static size_t room;

static void deflate_is_dead(z_stream *strm)
{
    z_stream copy;
    unsigned pending;
    int bits;
    Bytef byte = 0;
    uInt len;
    for (int twice = 0; twice < 2; twice++) {
        strm->next_in = plain, strm->avail_in = 10, strm->next_out = out, strm->avail_out = (uInt)room;
        CHECK_EQ(deflate(strm, Z_FINISH), Z_STREAM_ERROR);
        CHECK_EQ(strm->avail_in, 10);
        CHECK_EQ(deflateReset(strm), Z_STREAM_ERROR);
        CHECK_EQ(deflateResetKeep(strm), Z_STREAM_ERROR);
        CHECK_EQ(deflateParams(strm, 1, 0), Z_STREAM_ERROR);
        CHECK_EQ(deflateTune(strm, 1, 1, 1, 1), Z_STREAM_ERROR);
        CHECK_EQ(deflatePrime(strm, 1, 1), Z_STREAM_ERROR);
        CHECK_EQ(deflatePending(strm, &pending, &bits), Z_STREAM_ERROR);
        CHECK_EQ(deflateSetDictionary(strm, &byte, 1), Z_STREAM_ERROR);
        CHECK_EQ(deflateGetDictionary(strm, NULL, &len), Z_STREAM_ERROR);
        CHECK_EQ(deflateSetHeader(strm, NULL), Z_STREAM_ERROR);
        CHECK_EQ(deflateCopy(&copy, strm), Z_STREAM_ERROR);
        CHECK(deflateBound(strm, 1000) >= compressBound(1000));
    }
    CHECK(strm->state != NULL);
    CHECK_EQ(deflateEnd(strm), Z_STREAM_ERROR);
    CHECK(strm->state == NULL); /* freed all the same */
}

static void inflate_is_dead(z_stream *strm)
{
    z_stream copy;
    Bytef byte = 0;
    uInt len;
    for (int twice = 0; twice < 2; twice++) {
        strm->next_in = plain, strm->avail_in = 10, strm->next_out = back, strm->avail_out = LEN;
        CHECK_EQ(inflate(strm, Z_NO_FLUSH), Z_STREAM_ERROR);
        CHECK_EQ(inflateReset(strm), Z_STREAM_ERROR);
        CHECK_EQ(inflateReset2(strm, 15), Z_STREAM_ERROR);
        CHECK_EQ(inflateSync(strm), Z_STREAM_ERROR);
        CHECK_EQ(inflateSyncPoint(strm), Z_STREAM_ERROR);
        CHECK_EQ(inflateMark(strm), -65536);
        CHECK_EQ(inflatePrime(strm, 1, 1), Z_STREAM_ERROR);
        CHECK_EQ(inflateSetDictionary(strm, &byte, 1), Z_STREAM_ERROR);
        CHECK_EQ(inflateGetDictionary(strm, NULL, &len), Z_STREAM_ERROR);
        CHECK_EQ(inflateCopy(&copy, strm), Z_STREAM_ERROR);
    }
    CHECK_EQ(inflateEnd(strm), Z_STREAM_ERROR);
    CHECK(strm->state == NULL);
}

/* Gives a new stream all of `plain`, so that it dies at the `count`th pass of `point`. Returns its last status. */
static int compress_until_it_dies(z_stream *strm, int point, unsigned count, int level, int flush)
{
    deflate_start(strm, level, 31);
    CHECK_EQ(fault(point, count), 0);
    strm->next_in = plain, strm->next_out = out, strm->avail_out = (uInt)room;
    int status = Z_OK;
    int parts = point == JOB ? 1 : 4; /* jobs are for large writes */
    for (int part = 0; part < parts && status == Z_OK; part++) {
        strm->avail_in = (uInt)(LEN / parts);
        status = deflate(strm, part < parts - 1 ? flush : Z_FINISH);
    }
    CHECK_EQ(fault(point, 0), 0);
    return status;
}

static void dying(int point, unsigned count, int level, int flush)
{
    z_stream strm;
    int status = compress_until_it_dies(&strm, point, count, level, flush);
    /* A worker may still be running a job of the previous stream and take the fault; then try again. */
    for (int more = 0; more < 50 && point == JOB && status == Z_STREAM_END; more++) {
        CHECK_EQ(deflateEnd(&strm), Z_OK);
        status = compress_until_it_dies(&strm, point, count, level, flush);
    }
    CHECK_EQ(status, Z_STREAM_ERROR);
    if (point == JOB) { /* the job's error is the stream's: it stays, and ending the stream frees it */
        strm.avail_in = 0;
        CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_ERROR);
        CHECK_EQ(deflateEnd(&strm), Z_DATA_ERROR);
    } else
        deflate_is_dead(&strm);
}

static void all_is_well(void)
{
    size_t len;
    Bytef *packed = pack(plain, LEN, 1, 31, &len);
    check_unpacks(packed, len, 31, plain, LEN);
    free(packed);
}

static void dying_inflate(const Bytef *packed, size_t len, int point, unsigned count)
{
    z_stream strm;
    inflate_start(&strm, 31);
    CHECK_EQ(fault(point, count), 0);
    strm.next_in = (Bytef *)packed, strm.avail_in = (uInt)len, strm.next_out = back;
    int status;
    do
        strm.avail_out = 300000, status = inflate(&strm, Z_NO_FLUSH);
    while (status == Z_OK);
    CHECK_EQ(status, Z_STREAM_ERROR);
    inflate_is_dead(&strm);
}

static void dying_file(const char *path)
{
    int err;
    gzFile file = gzopen(path, "wb1");
    CHECK(file != NULL);
    CHECK_EQ(fault(FILES, 2), 0);
    int calls = 0;
    while (gzwrite(file, plain, LEN / 4) == LEN / 4)
        CHECK(++calls < 100);
    CHECK_EQ(gzwrite(file, plain, 1), 0);
    CHECK_EQ(gzflush(file, Z_SYNC_FLUSH), Z_STREAM_ERROR);
    CHECK(gzerror(file, &err) == NULL);
    CHECK_EQ(gztell(file), -1);
    CHECK_EQ(gzclose(file), Z_STREAM_ERROR);

    all_is_well();
    file = gzopen(path, "rb");
    CHECK(file != NULL);
    CHECK_EQ(gzread(file, back, 10), 10);
    CHECK_EQ(fault(FILES, 1), 0);
    int got;
    while ((got = gzread(file, back, LEN)) > 0)
        ;
    CHECK_EQ(got, -1);
    CHECK_EQ((gzgetc)(file), -1);
    CHECK(gzgets(file, (char *)back, 10) == NULL);
    CHECK_EQ(gzseek(file, 0, SEEK_SET), -1);
    CHECK_EQ(gzclose(file), Z_STREAM_ERROR);
}

/* Whatever export is called, a panic at its beginning is its error. */
static void every_call(const char *path)
{
    for (unsigned call = 1; call < 40; call++) {
        CHECK_EQ(fault(CALL, call), 0);
        z_stream strm, copy;
        memset(&strm, 0, sizeof strm);
        if (deflateInit(&strm, 6) == Z_OK) {
            strm.next_in = plain, strm.avail_in = 1000, strm.next_out = out, strm.avail_out = 500000;
            deflate(&strm, Z_NO_FLUSH), deflateParams(&strm, 1, 0), deflateBound(&strm, 10), deflatePrime(&strm, 3, 1);
            if (deflateCopy(&copy, &strm) == Z_OK && deflateEnd(&copy) != Z_OK && copy.state != NULL)
                CHECK_EQ(deflateEnd(&copy), Z_DATA_ERROR);
            deflateReset(&strm), deflateEnd(&strm);
            if (strm.state != NULL) /* the end itself panicked, before it began */
                CHECK_EQ(deflateEnd(&strm), Z_OK);
        }
        uLongf len = (uLongf)room, back_len = LEN;
        if (compress(out, &len, plain, 5000) == Z_OK)
            uncompress(back, &back_len, out, len);
        memset(&strm, 0, sizeof strm);
        if (inflateInit(&strm) == Z_OK) {
            strm.next_in = out, strm.avail_in = 100, strm.next_out = back, strm.avail_out = 100;
            inflate(&strm, Z_NO_FLUSH), inflateSync(&strm), inflateMark(&strm), inflateReset(&strm), inflateEnd(&strm);
            if (strm.state != NULL)
                CHECK_EQ(inflateEnd(&strm), Z_OK);
        }
        gzFile file = gzopen(path, "wb");
        if (file != NULL)
            gzwrite(file, plain, 100), gzputc(file, 'a'), gzflush(file, Z_SYNC_FLUSH), gzclose(file);
        if (fault(CALL, 0) > 0)
            return;
    }
    CHECK(0); /* there are fewer calls than this */
}

int main(void)
{
    begin();
    *(void **)&fault = dlsym(RTLD_DEFAULT, "rigz_fault");
    const char *expect = getenv("RIGZ_FAULTS");
    if (fault == NULL || !is_rigz()) {
        CHECK(fault == NULL && !(is_rigz() && expect != NULL && atoi(expect)));
        printf("note: no faults to order here\n");
        return 0;
    }
    CHECK(expect != NULL && atoi(expect));
    room = compressBound(LEN) + 100, plain = prose(LEN, 601), out = allocate(room), back = allocate(LEN);
    const char *path = scratch("panics.gz");
    size_t packed_len;
    Bytef *packed = pack(plain, LEN, 6, 31, &packed_len);

    /* With workers and without; each at least twice, so that a round reuses what an earlier one has cached. Without workers, rounds
     * go on until one adds no memory: a leak would add some in each. */
    for (int threads = 1; threads <= 3; threads += 2) {
        pid_t child = fork_for(200);
        if (child == 0) {
            setenv("RIGZ_THREADS", threads == 1 ? "1" : "3", 1);
            long added = 1;
            for (int round = 0; round < 2 || (added > 0 && threads == 1); round++) {
                CHECK(round < 20);
                long before = live;
                for (unsigned count = 1; count < 5; count++) {
                    dying(DEFLATE, count, 1, Z_NO_FLUSH);
                    dying(DEFLATE, count, 0, Z_SYNC_FLUSH);
                    if (threads > 1) { /* one thread encodes in the call and makes no job */
                        dying(JOB, count, 1, Z_NO_FLUSH);
                        dying(JOB, count, 6, Z_FULL_FLUSH);
                    }
                    dying_inflate(packed, packed_len, INFLATE, count);
                    dying_inflate(packed, packed_len, CALL, count);
                }
                all_is_well();
                dying_file(path);
                every_call(path);
                all_is_well();
                added = live - before;
            }
            _exit(0);
        }
        CHECK_EQ(child_status(child), 0);
    }
    unlink(path);
    free(plain), free(out), free(back), free(packed);
    return 0;
}
