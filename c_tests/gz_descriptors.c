/* Descriptors: gzdopen reads nothing before it must, reading does not wait for more than a pipe holds, and gzclose closes. */
#define _FILE_OFFSET_BITS 64
#include "check.h"
#include <sys/ioctl.h>
#include <sys/stat.h>

int main(void)
{
    begin();
    int ends[2];
    char buf[100];
    size_t len;
    const char *path = scratch("fd.gz");

    /* The same thread opens the reader first and writes later: an eager read would never return. */
    CHECK_EQ(pipe(ends), 0);
    gzFile reader = gzdopen(ends[0], "rb"), writer = gzdopen(ends[1], "wb");
    CHECK(reader != NULL && writer != NULL);
    CHECK_EQ(gzputs(writer, "over the pipe"), 13);
    CHECK_EQ(gzflush(writer, Z_SYNC_FLUSH), Z_OK);
    int waiting = 0;
    CHECK_EQ(ioctl(ends[0], FIONREAD, &waiting), 0);
    CHECK(waiting > 13);
    CHECK_EQ(gzputs(writer, ", again"), 7);
    CHECK_EQ(gzclose(writer), Z_OK);
    CHECK_EQ(gzread(reader, buf, sizeof buf), 20);
    CHECK(memcmp(buf, "over the pipe, again", 20) == 0);
    CHECK_EQ(gzeof(reader), 1);
    CHECK_EQ(gzseek(reader, 0, SEEK_SET), -1); /* a pipe can't go back */
    CHECK_EQ(gzclose(reader), Z_OK);
    CHECK_EQ(fcntl(ends[0], F_GETFD), -1);
    CHECK_EQ(fcntl(ends[1], F_GETFD), -1);

    /* A member in the middle of a file, read from the descriptor's position. */
    Bytef *packed = pack((const Bytef *)"inside", 6, 6, 31, &len);
    FILE *raw = fopen(path, "wb");
    CHECK(raw != NULL && fwrite("0123456789", 1, 10, raw) == 10 && fwrite(packed, 1, len, raw) == len && fclose(raw) == 0);
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    CHECK_EQ(lseek(fd, 10, SEEK_SET), 10);
    reader = gzdopen(fd, "rb");
    CHECK(reader != NULL);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 10); /* nothing read yet */
    CHECK_EQ(gzdirect(reader), 0);
    CHECK_EQ(gzread(reader, buf, sizeof buf), 6);
    CHECK_EQ(gzrewind(reader), 0);
    CHECK_EQ(gzread(reader, buf, sizeof buf), 6);
    CHECK(memcmp(buf, "inside", 6) == 0);
    CHECK_EQ(gzclose(reader), Z_OK);

    /* A failed gzdopen leaves the descriptor open. */
    fd = open(path, O_RDONLY);
    CHECK(gzdopen(fd, "nonsense") == NULL);
    CHECK_EQ(close(fd), 0);

    /* 64-bit offsets: this program was compiled for them, so gzopen is gzopen64 here. */
    CHECK_EQ(sizeof(z_off_t), 8);
    writer = gzopen(path, "wb1");
    CHECK(writer != NULL);
    CHECK_EQ(gzseek(writer, 3000000, SEEK_SET), 3000000);
    CHECK_EQ(gzputc(writer, 'z'), 'z');
    CHECK_EQ(gztell(writer), 3000001);
    CHECK(gzoffset(writer) >= 0 && gzoffset(writer) < 3000000);
    CHECK_EQ(gzclose(writer), Z_OK);
    reader = gzopen(path, "rb");
    CHECK(reader != NULL);
    CHECK_EQ(gzoffset(reader), 0);
    CHECK_EQ(gzseek(reader, 3000000, SEEK_SET), 3000000);
    CHECK_EQ(gzgetc(reader), 'z');
    struct stat whole;
    CHECK_EQ(stat(path, &whole), 0);
    CHECK(gzoffset(reader) > 0 && gzoffset(reader) <= whole.st_size);
    CHECK_EQ(gzgetc(reader), -1);
    CHECK_EQ(gzclose(reader), Z_OK);

    /* e: closed in programs that this one starts. */
    writer = gzopen(path, "wbe");
    CHECK(writer != NULL);
    int found = 0;
    for (int i = 3; i < 64; i++)
        found += (fcntl(i, F_GETFD) & (FD_CLOEXEC | ~0x7fff)) == FD_CLOEXEC;
    CHECK(found > 0);
    CHECK_EQ(gzclose(writer), Z_OK);
    unlink(path);
    free(packed);
    return 0;
}
