/* malloc may fail at any call, once or from then on, or when a number of bytes are allocated. Calls then return Z_MEM_ERROR; the
 * process lives; the stream continues without loss when there is memory again; and everything is freed. */
#include "refusing.h"

enum { LEN = 110 << 10, PART = 40 << 10, MIXED = 120 << 10, ROOM = 32000 };
static Bytef *plain, *out, *back, *packed, *mixed, *written;
static size_t room, packed_len;
static const char *path;
static int refusals, goes_on;

/* After Z_MEM_ERROR tries once more, if `goes_on`; then the call must succeed. */
#define TRY(call)                                            \
    ({                                                       \
        int status_ = (call);                                \
        if (status_ == Z_MEM_ERROR) {                        \
            refusals++;                                      \
            status_ = goes_on ? (call) : Z_MEM_ERROR;        \
        }                                                    \
        status_;                                             \
    })

/* check_unpacks() with all the memory that it needs. */
static void check_unpacks_now(const Bytef *from, size_t len, int window_bits, const Bytef *wanted, size_t wanted_len)
{
    size_t first = refuse_from, last = refuse_to, count = asked;
    long left = bytes_left;
    refuse_from = 0, bytes_left = -1;
    check_unpacks(from, len, window_bits, wanted, wanted_len);
    refuse_from = first, refuse_to = last, asked = count, bytes_left = left;
}

/* Large and small pieces, flushes, a change of level, a copy, a dictionary. */
static int deflating(void)
{
    z_stream strm, copy;
    memset(&strm, 0, sizeof strm);
    int status = TRY(deflateInit2(&strm, 1, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY)), has_copy = 0, copied = Z_OK;
    if (status != Z_OK)
        return status;
    strm.next_out = out, strm.avail_out = (uInt)room, strm.next_in = plain;
    if ((status = TRY(deflateSetDictionary(&strm, plain + LEN - 1000, 0))) != Z_OK)
        goto end;
    static const struct { size_t len; int flush; } parts[] = {
        {100, Z_NO_FLUSH}, {200, Z_SYNC_FLUSH}, {50, Z_PARTIAL_FLUSH}, {PART, Z_NO_FLUSH}, {PART, Z_FULL_FLUSH}, {LEN / 5, Z_SYNC_FLUSH}, {7, Z_BLOCK},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        strm.avail_in = (uInt)parts[i].len;
        do
            status = TRY(deflate(&strm, parts[i].flush));
        while (status == Z_OK && strm.avail_in > 0);
        if (status != Z_OK)
            goto end;
    }
    if ((status = TRY(deflateParams(&strm, 6, Z_DEFAULT_STRATEGY))) != Z_OK)
        goto end;
    copied = TRY(deflateCopy(&copy, &strm));
    has_copy = copied == Z_OK;
    CHECK(has_copy || copied == Z_MEM_ERROR);
    strm.avail_in = (uInt)(LEN - strm.total_in);
    status = TRY(deflate(&strm, Z_FINISH));
    if (status == Z_STREAM_END)
        check_unpacks_now(out, strm.total_out, -15, plain, LEN);
end:
    if (has_copy)
        CHECK_EQ(deflateEnd(&copy), Z_DATA_ERROR);
    int ended = deflateEnd(&strm);
    CHECK(ended == Z_OK || (ended == Z_DATA_ERROR && status != Z_STREAM_END));
    return status == Z_STREAM_END ? copied : status;
}

/* All of it in one call, which uses workers, with the level and wrapper that need most memory. */
static int at_once(void)
{
    z_stream strm;
    memset(&strm, 0, sizeof strm);
    int status = TRY(deflateInit2(&strm, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY));
    if (status != Z_OK)
        return status;
    strm.next_in = plain, strm.avail_in = LEN, strm.next_out = out, strm.avail_out = (uInt)room;
    if ((status = TRY(deflate(&strm, Z_FINISH))) == Z_STREAM_END)
        check_unpacks_now(out, strm.total_out, 31, plain, LEN), status = Z_OK;
    int ended = deflateEnd(&strm);
    CHECK(ended == Z_OK || (ended == Z_DATA_ERROR && status != Z_OK));
    if (status != Z_OK)
        return status;
    uLongf len = (uLong)room;
    if ((status = TRY((len = (uLong)room, compress2(out, &len, plain, LEN, 1)))) != Z_OK)
        return status;
    check_unpacks_now(out, len, 15, plain, LEN);
    uLongf back_len = LEN;
    if ((status = TRY((back_len = LEN, uncompress(back, &back_len, out, len)))) != Z_OK)
        return status;
    CHECK(back_len == LEN && memcmp(back, plain, LEN) == 0);
    return Z_OK;
}

/* Lines that differ at their ends, then prose. */
static void mix(void)
{
    Bytef *text = prose(MIXED, 503), *hard = noise(MIXED, 504);
    mixed = allocate(MIXED), written = allocate(2 * MIXED);
    for (size_t i = 0; i < MIXED; i++)
        mixed[i] = i < MIXED / 2 && i % 90 >= 80 ? hard[i] : text[i < MIXED / 2 ? i % 90 : i];
    free(text), free(hard);
}

/* Data that changes its kind within a chunk: the encoder allocates another parser's memory after it has written output in the same
 * call. The room is so small that the chunk is compressed as it arrives. */
static int changing(void)
{
    for (int level = 9; level >= 6; level -= 3) {
        z_stream strm;
        memset(&strm, 0, sizeof strm);
        int status = TRY(deflateInit2(&strm, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY));
        if (status != Z_OK)
            return status;
        strm.next_in = mixed, strm.avail_in = MIXED, strm.next_out = written;
        while (status == Z_OK) {
            strm.avail_out = ROOM;
            status = TRY(deflate(&strm, Z_FINISH));
        }
        if (status == Z_STREAM_END) {
            check_unpacks_now(written, strm.total_out, -15, mixed, MIXED);
            status = Z_OK;
        }
        int ended = deflateEnd(&strm);
        CHECK(ended == Z_OK || (ended == Z_DATA_ERROR && status != Z_OK));
        if (status != Z_OK)
            return status;
    }
    return Z_OK;
}

static unsigned no_more(void *unused, unsigned char **next)
{
    (void)unused, (void)next;
    return 0;
}

static int discard(void *unused, unsigned char *bytes, unsigned len)
{
    (void)unused, (void)bytes, (void)len;
    return 0;
}

static int inflating(void)
{
    z_stream strm, copy;
    memset(&strm, 0, sizeof strm);
    int status = TRY(inflateInit2(&strm, 47)), copied = Z_OK;
    if (status != Z_OK)
        return status;
    strm.next_in = packed, strm.avail_in = (uInt)packed_len, strm.next_out = back;
    do {
        strm.avail_out = 20000;
        status = inflate(&strm, Z_NO_FLUSH); /* zlib cannot continue after a failed allocation here */
        if (strm.total_out == 60000 && (copied = TRY(inflateCopy(&copy, &strm))) == Z_OK)
            CHECK_EQ(inflateEnd(&copy), Z_OK);
    } while (status == Z_OK);
    CHECK_EQ(inflateEnd(&strm), Z_OK);
    if (status == Z_MEM_ERROR) {
        refusals++;
        return goes_on ? Z_OK : status;
    }
    CHECK_EQ(status, Z_STREAM_END);
    CHECK(memcmp(back, plain, LEN) == 0);

    static Bytef window[32768];
    memset(&strm, 0, sizeof strm);
    if ((status = TRY(inflateBackInit(&strm, 15, window))) != Z_OK)
        return status;
    strm.next_in = packed + 10, strm.avail_in = (uInt)packed_len - 10;
    status = inflateBack(&strm, no_more, NULL, discard, NULL);
    CHECK(status == Z_STREAM_END || status == Z_MEM_ERROR);
    CHECK_EQ(inflateBackEnd(&strm), Z_OK);
    if (status == Z_MEM_ERROR) {
        refusals++;
        return goes_on ? Z_OK : status;
    }
    return copied;
}

/* Files do not retry: the error persists, and gzclose returns it. */
static int files(void)
{
    int written = 1, err = Z_OK, closed;
    gzFile file = gzopen(path, "wb1");
    if (file == NULL) {
        refusals++;
        return goes_on ? Z_OK : Z_MEM_ERROR;
    }
    written &= gzwrite(file, plain, 1000) == 1000;
    written &= gzprintf(file, "%.*s", 100, (char *)plain + 1000) == 100;
    written &= gzputc(file, plain[1100]) == plain[1100];
    written &= gzwrite(file, plain + 1101, LEN - 1101) == LEN - 1101;
    written &= gzflush(file, Z_SYNC_FLUSH) == Z_OK;
    gzerror(file, &err);
    CHECK(written ? err == Z_OK : err == Z_MEM_ERROR);
    closed = gzclose(file);
    if (!written || closed == Z_MEM_ERROR) {
        refusals++;
        return goes_on ? Z_OK : Z_MEM_ERROR;
    }
    CHECK_EQ(closed, Z_OK);
    file = gzopen(path, "rb");
    if (file == NULL) {
        refusals++;
        return goes_on ? Z_OK : Z_MEM_ERROR;
    }
    int got = gzread(file, back, LEN);
    if (got == LEN)
        CHECK(memcmp(back, plain, LEN) == 0);
    else {
        gzerror(file, &err);
        CHECK_EQ(err, Z_MEM_ERROR);
        refusals++;
    }
    CHECK_EQ(gzclose(file), Z_OK);
    return got == LEN || goes_on ? Z_OK : Z_MEM_ERROR;
}

static int (*const uses[])(void) = {deflating, at_once, inflating, files, changing};
enum { USES = sizeof uses / sizeof *uses };

/* Runs `use` in a child process that has not called the library before, unless `is_warm`. Returns 0 if an allocation failed,
 * whether the program saw it or not, and all is well; 3 if no allocation failed. */
static int in_child(int use, int is_warm, size_t from, size_t to, long bytes)
{
    pid_t child = fork_for(120);
    if (child == 0) {
        if (uses[use] == changing)
            unsetenv("RIGZ_THRESHOLD"), unsetenv("RIGZ_CHUNK");
        if (is_warm)
            CHECK_EQ(uses[use](), Z_OK);
        long before = live;
        goes_on = from == to && bytes < 0, refusals = 0;
        bytes_left = bytes < 0 ? -1 : live_bytes + bytes;
        refuse(from, to);
        int status = uses[use](), was_refused = failed > 0;
        refuse(0, 0), bytes_left = -1;
        if (status != Z_OK && (status != Z_MEM_ERROR || refusals == 0))
            fprintf(stderr, "status %d of use %d, warm %d, calls %zu to %zu or %ld bytes: ", status, use, is_warm, from, to, bytes);
        CHECK(status == Z_OK || (status == Z_MEM_ERROR && refusals > 0));
        if (goes_on)
            CHECK_EQ(status, Z_OK);
        if (is_warm && atoi(getenv("RIGZ_THREADS")) == 1)
            CHECK(live <= before);
        CHECK_EQ(uses[use](), Z_OK); /* and with memory all is well */
        _exit(was_refused ? 0 : 3);
    }
    return child_status(child);
}

int main(void)
{
    begin();
    setenv("RIGZ_THRESHOLD", "40K", 1), setenv("RIGZ_CHUNK", "32K", 1); /* so that little data takes the paths of much */
    room = compressBound(LEN) + 1000;
    plain = prose(LEN, 501), out = allocate(room), back = allocate(LEN), path = scratch("refused.gz");
    pid_t child = fork_for(100); /* packed by another process: this one must not have used the library */
    if (child == 0) {
        packed = pack(plain, LEN, 6, 31, &packed_len);
        FILE *file = fopen(path, "wb");
        _exit(!(file != NULL && fwrite(packed, 1, packed_len, file) == packed_len && fclose(file) == 0));
    }
    CHECK_EQ(child_status(child), 0);
    mix();
    packed = allocate(room);
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL && (packed_len = fread(packed, 1, room, file)) > 0 && fclose(file) == 0);

    for (int threads = 1; threads <= 3; threads += 2) {
        setenv("RIGZ_THREADS", threads == 1 ? "1" : "3", 1);
        for (int use = 0; use < USES; use++) {
            /* One call fails, or all from one on, at the first use of the library, workers included, and at a later one. */
            for (int is_warm = 0; is_warm < 2; is_warm++)
                for (int ever = 0; ever < 2; ever++) {
                    size_t call = 1;
                    int status;
                    while ((status = in_child(use, is_warm, call, ever ? (size_t)-1 : call, -1)) == 0 || (status == 3 && call < 8))
                        call++;
                    CHECK_EQ(status, 3);
                    CHECK(call > 2);
                }
            /* A limit on allocated bytes: from none to enough, from the first use of the library on. */
            int status = 0;
            for (long bytes = 0; status != 3; bytes += bytes < 4096 ? 1024 : bytes / 5) {
                CHECK(bytes < 16 << 20);
                status = in_child(use, 0, 0, 0, bytes);
                CHECK(status == 0 || status == 3);
            }
        }
    }
    unlink(path);
    free(plain), free(out), free(back), free(packed), free(mixed), free(written);
    return 0;
}
