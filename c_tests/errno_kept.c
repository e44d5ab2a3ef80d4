/* A call that succeeds leaves errno as it was, also with threads; so does a read at the end of a file. A call that fails for a
 * reason of the system sets it. */
#include "check.h"

enum { LEN = 6 << 20, MARK = 4321 };

/* Runs a call and checks that it left errno alone. */
#define KEEPS(call)                                                                                                          \
    do {                                                                                                                     \
        errno = MARK;                                                                                                        \
        call;                                                                                                                \
        CHECK_EQ(errno, MARK);                                                                                               \
    } while (0)

static void streams(const Bytef *plain)
{
    uLong bound = compressBound(LEN);
    Bytef *packed = allocate(bound), *back = allocate(LEN);
    uLongf len = bound, back_len = LEN;
    KEEPS(CHECK_EQ(compress2(packed, &len, plain, LEN, 6), Z_OK));
    KEEPS(CHECK_EQ(uncompress(back, &back_len, packed, len), Z_OK));
    z_stream strm = {0};
    KEEPS(CHECK_EQ(deflateInit(&strm, 1), Z_OK));
    strm.next_in = (Bytef *)plain, strm.next_out = packed, strm.avail_out = (uInt)bound;
    for (int i = 0; i < 3; i++) {
        strm.avail_in = LEN / 3;
        KEEPS(CHECK_EQ(deflate(&strm, Z_NO_FLUSH), Z_OK));
    }
    KEEPS(CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END));
    len = strm.total_out;
    KEEPS(CHECK_EQ(deflateReset(&strm), Z_OK));
    KEEPS(CHECK_EQ(deflateEnd(&strm), Z_OK));
    KEEPS(CHECK_EQ(inflateInit(&strm), Z_OK));
    strm.next_in = packed, strm.avail_in = (uInt)len, strm.next_out = back;
    int status = Z_OK;
    while (status == Z_OK) {
        strm.avail_out = LEN - strm.total_out < 100000 ? (uInt)(LEN - strm.total_out) : 100000;
        KEEPS(status = inflate(&strm, Z_NO_FLUSH));
    }
    CHECK_EQ(status, Z_STREAM_END);
    KEEPS(CHECK_EQ(inflateEnd(&strm), Z_OK));
    free(packed), free(back);
}

static void write_file(const char *path, const Bytef *plain)
{
    gzFile file;
    KEEPS(CHECK((file = gzopen(path, "wb6")) != NULL));
    for (int i = 0; i < 3; i++)
        KEEPS(CHECK_EQ(gzwrite(file, plain + i * (LEN / 3), LEN / 3), LEN / 3));
    KEEPS(CHECK_EQ(gzflush(file, Z_SYNC_FLUSH), Z_OK));
    KEEPS(CHECK_EQ(gzclose(file), Z_OK));
}

/* Reads to the end by lines, bytes or pieces. */
static void read_file(const char *path, int how)
{
    static char line[1 << 17];
    gzFile file;
    KEEPS(CHECK((file = gzopen(path, "rb")) != NULL));
    for (int more = 1; more;) {
        if (how == 0)
            KEEPS(more = gzgets(file, line, sizeof line) != NULL);
        else if (how == 1)
            KEEPS(more = gzgetc(file) >= 0);
        else
            KEEPS(more = gzread(file, line, how) > 0);
    }
    KEEPS(CHECK_EQ(gzeof(file), 1));
    KEEPS(CHECK_EQ(gzseek(file, LEN / 2, SEEK_SET), LEN / 2));
    KEEPS(CHECK_EQ(gzread(file, line, 1000), 1000));
    KEEPS(CHECK_EQ(gzclose(file), Z_OK));
}

/* gzopen of a pipe may set errno, since it asks for the position; later calls do not. */
static void read_pipe(void)
{
    int ends[2];
    char line[20];
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(write(ends[1], "a line\n", 7), 7);
    close(ends[1]);
    gzFile file = gzdopen(ends[0], "rb");
    CHECK(file != NULL);
    KEEPS(CHECK_STR(gzgets(file, line, sizeof line), "a line\n"));
    KEEPS(CHECK(gzgets(file, line, sizeof line) == NULL));
    errno = MARK;
    CHECK_EQ(gzrewind(file), -1);
    CHECK_EQ(errno, ESPIPE);
    KEEPS(CHECK_EQ(gzclose(file), Z_OK));
}

static void failures(void)
{
    char line[20];
    errno = MARK;
    CHECK(gzopen("/no/such/file", "rb") == NULL);
    CHECK_EQ(errno, ENOENT);
    gzFile file = gzopen("/", "rb");
    CHECK(file != NULL);
    errno = MARK;
    CHECK_EQ(gzread(file, line, 10), -1);
    CHECK_EQ(errno, EISDIR);
    KEEPS(CHECK_EQ(gzread(file, line, 10), -1)); /* the same failure again, without a system call */
    KEEPS(CHECK_EQ(gzclose(file), Z_OK));
    file = gzdopen(4000, "wb");
    CHECK(file != NULL);
    errno = MARK;
    CHECK_EQ(gzclose(file), Z_ERRNO);
    CHECK_EQ(errno, EBADF);
}

int main(void)
{
    begin();
    setenv("RIGZ_THREADS", "3", 1);
    Bytef *plain = prose(LEN, 91);
    for (size_t at = 100; at < LEN; at += 100)
        plain[at] = '\n';
    const char *path = scratch("errno.gz");
    streams(plain);
    write_file(path, plain);
    static const int pieces[] = {0, 1, 500, 100000};
    for (int i = 0; i < 4; i++)
        read_file(path, pieces[i]);
    read_pipe();
    failures();
    unlink(path);
    free(plain);
    return 0;
}
