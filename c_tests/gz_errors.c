/* File errors: invalid modes, missing files, full disks, closed pipes; the texts, the codes and errno. */
#include "check.h"
#include <signal.h>

static void refused_modes(const char *path)
{
    static const char *const wrong[] = {"", "b", "rw+", "w+", "rT", "9"};
    for (int i = 0; i < 6; i++) {
        gzFile file = gzopen(path, wrong[i]);
        CHECK(file == NULL);
    }
    errno = 0;
    CHECK(gzopen("/no/such/folder/file.gz", "rb") == NULL);
    CHECK_EQ(errno, ENOENT);
    CHECK(gzopen("/no/such/folder/file.gz", "wb") == NULL);
    CHECK_EQ(errno, ENOENT);
    gzFile file = gzopen(path, "wxb");
    CHECK(file != NULL);
    CHECK_EQ(gzclose(file), Z_OK);
    CHECK(gzopen(path, "wxb") == NULL); /* exists now */
    CHECK_EQ(errno, EEXIST);
    file = gzopen(path, "wbe");
    CHECK(file != NULL);
    CHECK_EQ(gzclose(file), Z_OK);
}

/* Some write, flush or the close reports the error, and it persists. */
static void full_disk(Bytef *plain, size_t len)
{
    int err;
    gzFile file = gzopen("/dev/full", "wb1");
    if (file == NULL)
        return;
    CHECK_EQ(gzwrite(file, plain, 10), 10); /* held */
    CHECK_EQ(gzflush(file, Z_SYNC_FLUSH), Z_ERRNO);
    CHECK_STR(gzerror(file, &err), "/dev/full: No space left on device");
    CHECK_EQ(err, Z_ERRNO);
    CHECK_EQ(gzwrite(file, plain, 10), 0);
    CHECK_EQ(gzputc(file, 'a'), -1);
    CHECK_EQ(gzclose(file), Z_ERRNO);

    file = gzopen("/dev/full", "wb6");
    CHECK(file != NULL);
    int refused = 0;
    for (int i = 0; i < 5; i++)
        refused += gzwrite(file, plain, (unsigned)len) == 0;
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
    int calls = 0; /* the first bytes may be on their way for a while */
    while (gzwrite(file, plain, (unsigned)len) != 0)
        CHECK(++calls < 100);
    char words[100];
    snprintf(words, sizeof words, "<fd:%d>: Broken pipe", ends[1]);
    CHECK_STR(gzerror(file, &err), words);
    CHECK_EQ(err, Z_ERRNO);
    CHECK_EQ(gzclose(file), Z_ERRNO);
    CHECK_EQ(fcntl(ends[1], F_GETFD), -1); /* closed all the same */
    signal(SIGPIPE, SIG_DFL);
}

static void damaged(const char *path, Bytef *plain)
{
    size_t len;
    Bytef *packed = pack(plain, 50000, 6, 31, &len), back[60000];
    memset(packed + len - 500, 0xff, 100); /* far after the start, which stays readable */
    FILE *raw = fopen(path, "wb");
    CHECK(raw != NULL && fwrite(packed, 1, len, raw) == len && fclose(raw) == 0);
    gzFile file = gzopen(path, "rb");
    int err, got;
    CHECK(file != NULL);
    while ((got = gzread(file, back, 100)) > 0)
        ;
    CHECK_EQ(got, -1);
    const char *words = gzerror(file, &err);
    CHECK_EQ(err, Z_DATA_ERROR);
    CHECK(strncmp(words, path, strlen(path)) == 0 && strncmp(words + strlen(path), ": ", 2) == 0);
    CHECK_EQ(gzread(file, back, 10), -1); /* it stays */
    CHECK_EQ(gzgetc(file), -1);
    CHECK(gzgets(file, (char *)back, 10) == NULL);
    CHECK_EQ(gzseek(file, 0, SEEK_SET), -1);
    gzclearerr(file);
    CHECK_STR(gzerror(file, &err), "");
    CHECK_EQ(err, Z_OK);
    CHECK_EQ(gzrewind(file), 0); /* and goes when cleared */
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
    CHECK_STR(words + strlen(path), ": unknown compression method");
    CHECK_EQ(gzclose(file), Z_OK);
    free(packed);
}

static void wrong_kind(const char *path)
{
    char buf[10];
    int err;
    gzFile file = gzopen(path, "wb");
    CHECK(file != NULL);
    CHECK_EQ(gzread(file, buf, 1), -1);
    CHECK_EQ(gzfread(buf, 1, 1, file), 0);
    CHECK_EQ((gzgetc)(file), -1);
    CHECK_EQ(gzungetc('a', file), -1);
    CHECK(gzgets(file, buf, 5) == NULL);
    CHECK_EQ(gzclose_r(file), Z_STREAM_ERROR);
    CHECK_EQ(gzflush(file, 9), Z_STREAM_ERROR);
    CHECK_EQ(gzfwrite(buf, (size_t)-1, 2, file), 0); /* more than size_t can count */
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
    wrong_kind(path);
    unlink(path);
    free(hard), free(plain);
    return 0;
}
