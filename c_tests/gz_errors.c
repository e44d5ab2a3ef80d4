/* File errors: invalid modes, missing files, a full disk, a closed pipe, damaged data, calls that do not suit the file's mode.
 * Checks the return values and, where zlib sets them, the error code, its text and errno. */
#include "check.h"
#include <signal.h>

static int descriptor_flags(const char *path, const char *mode)
{
    int fd = open("/dev/null", O_RDONLY); /* open returns the lowest free number, so gzopen uses this one next */
    CHECK(fd >= 0 && close(fd) == 0);
    gzFile file = gzopen(path, mode);
    CHECK(file != NULL);
    int flags = fcntl(fd, F_GETFD);
    CHECK_EQ(gzclose(file), Z_OK);
    return flags;
}

static void refused_modes(const char *path)
{
    static const char *const wrong[] = {"", "b", "rw+", "w+", "rT", "9"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(gzopen(path, wrong[i]) == NULL);
    errno = 0;
    CHECK(gzopen("/no/such/folder/file.gz", "rb") == NULL);
    CHECK_EQ(errno, ENOENT);
    CHECK(gzopen("/no/such/folder/file.gz", "wb") == NULL);
    CHECK_EQ(errno, ENOENT);
    gzFile file = gzopen(path, "wxb"); /* the refused modes did not create the file */
    CHECK(file != NULL);
    CHECK_EQ(gzclose(file), Z_OK);
    CHECK(gzopen(path, "wxb") == NULL); /* exists now */
    CHECK_EQ(errno, EEXIST);
    CHECK_EQ(descriptor_flags(path, "wb"), 0);
    CHECK_EQ(descriptor_flags(path, "wbe"), FD_CLOEXEC);
}

/* The call that writes to the file reports the error: gzflush, a later gzwrite, or gzclose. Then the error persists. */
static void full_disk(Bytef *plain, size_t len)
{
    int err;
    if (access("/dev/full", W_OK) != 0) {
        printf("note: no /dev/full here\n");
        return;
    }
    gzFile file = gzopen("/dev/full", "wb1");
    CHECK(file != NULL);
    CHECK_EQ(gzwrite(file, plain, 10), 10); /* buffered */
    CHECK_EQ(gzflush(file, Z_SYNC_FLUSH), Z_ERRNO);
    CHECK_EQ(errno, ENOSPC);
    CHECK_STR(gzerror(file, &err), "/dev/full: No space left on device");
    CHECK_EQ(err, Z_ERRNO);
    CHECK_EQ(gzwrite(file, plain, 10), 0);
    CHECK_EQ(gzputc(file, 'a'), -1);
    CHECK_EQ(gzclose(file), Z_ERRNO);

    file = gzopen("/dev/full", "wb6");
    CHECK(file != NULL);
    int refused = 0;
    for (int i = 0; i < 5; i++) {
        int took = gzwrite(file, plain, (unsigned)len);
        CHECK(took == 0 || (refused == 0 && took == (int)len));
        refused += took == 0;
    }
    CHECK(refused > 0);
    CHECK_EQ(gzclose(file), Z_ERRNO);

    file = gzopen("/dev/full", "wb"); /* only the close writes */
    CHECK(file != NULL);
    CHECK_EQ(gzputs(file, "few"), 3);
    CHECK_EQ(gzclose(file), Z_ERRNO);
}

static void closed_pipe(Bytef *plain, size_t len)
{
    int ends[2], err;
    signal(SIGPIPE, SIG_IGN);
    CHECK_EQ(pipe(ends), 0);
    close(ends[0]);
    gzFile file = gzdopen(ends[1], "wb1");
    CHECK(file != NULL);
    int calls = 0; /* the first calls may succeed: a later one may be the one that writes their output */
    while (gzwrite(file, plain, (unsigned)len) != 0)
        CHECK(++calls < 100);
    CHECK_EQ(errno, EPIPE);
    char words[100];
    snprintf(words, sizeof words, "<fd:%d>: Broken pipe", ends[1]);
    CHECK_STR(gzerror(file, &err), words);
    CHECK_EQ(err, Z_ERRNO);
    CHECK_EQ(gzclose(file), Z_ERRNO);
    CHECK_EQ(fcntl(ends[1], F_GETFD), -1); /* the failed gzclose closed it too */
    signal(SIGPIPE, SIG_DFL);
}

static void damaged(const char *path, Bytef *plain)
{
    size_t len;
    Bytef *packed = pack(plain, 50000, 6, 31, &len), back[60000];
    memset(packed + len - 500, 0xff, 100); /* near the end, so that most of the data stays readable */
    FILE *raw = fopen(path, "wb");
    CHECK(raw != NULL && fwrite(packed, 1, len, raw) == len && fclose(raw) == 0);
    gzFile file = gzopen(path, "rb");
    int err, got, delivered = 0;
    CHECK(file != NULL);
    while ((got = gzread(file, back, 100)) > 0) {
        /* The bytes just before the error may be wrong. */
        CHECK(delivered >= 30000 || memcmp(back, plain + delivered, (size_t)got) == 0);
        delivered += got;
    }
    CHECK_EQ(got, -1);
    CHECK(delivered >= 30000);
    const char *words = gzerror(file, &err);
    CHECK_EQ(err, Z_DATA_ERROR);
    CHECK(strncmp(words, path, strlen(path)) == 0 && strncmp(words + strlen(path), ": ", 2) == 0);
    CHECK_EQ(gzread(file, back, 10), -1); /* the error persists */
    CHECK_EQ(gzgetc(file), -1);
    CHECK(gzgets(file, (char *)back, 10) == NULL);
    CHECK_EQ(gzseek(file, 0, SEEK_SET), -1);
    gzclearerr(file);
    CHECK_STR(gzerror(file, &err), "");
    CHECK_EQ(err, Z_OK);
    CHECK_EQ(gzrewind(file), 0); /* after gzclearerr reading can start again */
    CHECK_EQ(gzread(file, back, 10), 10);
    CHECK(memcmp(back, plain, 10) == 0);
    CHECK_EQ(gzclose(file), Z_OK);

    /* An unknown method in the header. */
    packed[2] = 7;
    raw = fopen(path, "wb");
    CHECK(raw != NULL && fwrite(packed, 1, len, raw) == len && fclose(raw) == 0);
    file = gzopen(path, "rb");
    CHECK(file != NULL);
    CHECK_EQ(gzread(file, back, 10), -1);
    words = gzerror(file, &err);
    CHECK_EQ(err, Z_DATA_ERROR);
    CHECK_STR(words + strlen(path), ": unknown compression method");
    CHECK_EQ(gzclose(file), Z_OK);
    free(packed);
}

/* Reading from a file opened for writing, writing to one opened for reading, and invalid arguments. */
static void unsuitable_calls(const char *path)
{
    char buf[10];
    int err;
    gzFile file = gzopen(path, "wb");
    CHECK(file != NULL);
    CHECK_EQ(gzread(file, buf, 1), -1);
    CHECK_EQ(gzfread(buf, 1, 1, file), 0);
    CHECK_EQ((gzgetc)(file), -1); /* the function, not the macro */
    CHECK_EQ(gzungetc('a', file), -1);
    CHECK(gzgets(file, buf, 5) == NULL);
    CHECK_EQ(gzclose_r(file), Z_STREAM_ERROR);
    CHECK_EQ(gzflush(file, 9), Z_STREAM_ERROR); /* no flush has this number */
    CHECK_EQ(gzfwrite(buf, (size_t)-1, 2, file), 0); /* the product does not fit in size_t */
    gzerror(file, &err);
    CHECK_EQ(err, Z_STREAM_ERROR);
    gzclearerr(file);
    CHECK_EQ(gzwrite(file, "0123456789", 10), 10);
    CHECK_EQ(gzclose_w(file), Z_OK);
    file = gzopen(path, "rb");
    CHECK(file != NULL);
    CHECK_EQ(gzwrite(file, "a", 1), 0);
    CHECK_EQ(gzputc(file, 'a'), -1);
    CHECK_EQ(gzputs(file, "a"), -1);
    CHECK_EQ(gzflush(file, Z_FINISH), Z_STREAM_ERROR);
    CHECK_EQ(gzsetparams(file, 1, 0), Z_STREAM_ERROR);
    CHECK_EQ(gzclose_w(file), Z_STREAM_ERROR);
    CHECK_EQ(gzread(file, buf, (unsigned)-1), -1); /* does not fit in int */
    gzerror(file, &err);
    CHECK_EQ(err, Z_STREAM_ERROR);
    gzclearerr(file);
    CHECK_EQ(gzread(file, buf, 10), 10);
    CHECK(gzgets(file, buf, 0) == NULL);
    CHECK_EQ(gzungetc(-1, file), -1);
    CHECK_EQ(gzclose_r(file), Z_OK);
}

int main(void)
{
    begin();
    enum { LEN = 2 << 20 };
    Bytef *hard = noise(LEN, 431), *plain = prose(50000, 432);
    const char *path = scratch("errors.gz");
    refused_modes(path);
    full_disk(hard, LEN);
    closed_pipe(hard, LEN);
    damaged(path, plain);
    unsuitable_calls(path);
    unlink(path);
    free(hard), free(plain);
    return 0;
}
