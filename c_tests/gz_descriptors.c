/* The descriptor of a gz file: gzdopen reads nothing and keeps the descriptor's position, gzclose closes the descriptor, a failed
 * gzdopen does not, and `e` sets close-on-exec. Also the functions that a program calls with 64-bit file offsets. */
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

    /* One thread opens the reader and then writes: if gzdopen read from the empty pipe, it would never return. */
    CHECK_EQ(pipe(ends), 0);
    gzFile reader = gzdopen(ends[0], "rb"), writer = gzdopen(ends[1], "wb");
    CHECK(reader != NULL && writer != NULL);
    CHECK_EQ(gzputs(writer, "over the pipe"), 13);
    CHECK_EQ(gzflush(writer, Z_SYNC_FLUSH), Z_OK);
    int waiting = 0;
    CHECK_EQ(ioctl(ends[0], FIONREAD, &waiting), 0);
    CHECK(waiting > 13); /* the gzip header has ten bytes; the compressed text follows */
    CHECK_EQ(gzputs(writer, ", again"), 7);
    CHECK_EQ(gzclose(writer), Z_OK);
    CHECK_EQ(gzread(reader, buf, sizeof buf), 20);
    CHECK(memcmp(buf, "over the pipe, again", 20) == 0);
    CHECK_EQ(gzeof(reader), 1);
    CHECK_EQ(gzseek(reader, 0, SEEK_SET), -1); /* a pipe can't be rewound */
    CHECK_EQ(gzclose(reader), Z_OK);
    /* Both descriptors are closed. */
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
    CHECK(memcmp(buf, "inside", 6) == 0);
    memset(buf, 0, sizeof buf);
    CHECK_EQ(gzrewind(reader), 0); /* to the position that the descriptor had at gzdopen */
    CHECK_EQ(gzread(reader, buf, sizeof buf), 6);
    CHECK(memcmp(buf, "inside", 6) == 0);
    CHECK_EQ(gzclose(reader), Z_OK);

    /* A failed gzdopen leaves the descriptor open. */
    fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    CHECK(gzdopen(fd, "nonsense") == NULL);
    CHECK_EQ(close(fd), 0);

    /* With _FILE_OFFSET_BITS=64, zlib.h replaces gzopen, gzseek, gztell and gzoffset by gzopen64 and so on. This
     * test uses offsets of a few megabytes, which do not need 64 bits. */
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
    struct stat status;
    CHECK_EQ(stat(path, &status), 0);
    CHECK(gzoffset(reader) > 0 && gzoffset(reader) <= status.st_size);
    CHECK_EQ(gzgetc(reader), -1);
    CHECK_EQ(gzclose(reader), Z_OK);

    /* `e`: programs that this one executes do not inherit the descriptor. gzopen gets the lowest free number, like open. */
    for (int with_e = 0; with_e <= 1; with_e++) {
        fd = open(path, O_RDONLY);
        CHECK_EQ(close(fd), 0);
        writer = gzopen(path, with_e ? "wbe" : "wb");
        CHECK(writer != NULL);
        CHECK_EQ(fcntl(fd, F_GETFD), with_e ? FD_CLOEXEC : 0);
        CHECK_EQ(gzclose(writer), Z_OK);
    }
    unlink(path);
    free(packed);
    return 0;
}
