/* A minimal program that writes and reads gzip files through zlib. The benchmark's whole-process rows compare it, with the
 * system's zlib and with rigz in LD_PRELOAD, with pigz and other programs.
 *
 *   gzpipe -LEVEL FILE    compresses FILE to stdout with gzwrite, 64 KiB per call
 *   gzpipe -d FILE        decompresses FILE to stdout with gzread, 128 KiB per call
 *   gzpipe -V             prints the library that its calls reach
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static char buffer[128 << 10];

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void compress_file(const char *path, const char *level) {
    char mode[4] = {'w', 'b', level[0], 0};
    int in = open(path, O_RDONLY);
    if (in < 0) fail(path);
    gzFile out = gzdopen(dup(STDOUT_FILENO), mode);
    if (!out) fail("gzdopen");
    ssize_t n;
    while ((n = read(in, buffer, 64 << 10)) > 0)
        if (gzwrite(out, buffer, (unsigned)n) != n) fail("gzwrite");
    if (n < 0) fail("read");
    if (gzclose(out) != Z_OK) fail("gzclose");
}

static void decompress_file(const char *path) {
    gzFile in = gzopen(path, "rb");
    if (!in) fail(path);
    int n;
    while ((n = gzread(in, buffer, sizeof buffer)) > 0)
        for (char *p = buffer; p < buffer + n;) {
            ssize_t done = write(STDOUT_FILENO, p, (size_t)(buffer + n - p));
            if (done < 0) fail("write");
            p += done;
        }
    if (n < 0) fail("gzread");
    if (gzclose(in) != Z_OK) fail("gzclose");
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "-V") == 0) {
        Dl_info info;
        void *address = dlsym(RTLD_DEFAULT, "gzwrite");
        if (!address || !dladdr(address, &info)) return 1;
        printf("%s %s\n", zlibVersion(), info.dli_fname);
    } else if (argc == 3 && strcmp(argv[1], "-d") == 0) {
        decompress_file(argv[2]);
    } else if (argc == 3 && argv[1][0] == '-' && argv[1][1] >= '0' && argv[1][1] <= '9') {
        compress_file(argv[2], argv[1] + 1);
    } else {
        fprintf(stderr, "usage: gzpipe -LEVEL|-d|-V [FILE]\n");
        return 2;
    }
    return 0;
}
