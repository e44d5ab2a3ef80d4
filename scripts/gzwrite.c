/* gzwrite INPUT OUTPUT: compresses a file to a gzip file at level 9, as a C program does with zlib. It declares zlib's functions itself,
   so that zlib's development package is not needed. */
#include <stdio.h>
#include <stdlib.h>

typedef struct gzFile_s *gzFile;
gzFile gzopen(const char *path, const char *mode);
int gzwrite(gzFile file, const void *bytes, unsigned len);
int gzclose(gzFile file);

int main(int argc, char **argv)
{
    static char buffer[1 << 16];
    FILE *in = argc == 3 ? fopen(argv[1], "rb") : NULL;
    gzFile out = in ? gzopen(argv[2], "wb9") : NULL;
    size_t n;

    if (!out) {
        fprintf(stderr, "usage: gzwrite INPUT OUTPUT (both must open)\n");
        return EXIT_FAILURE;
    }
    while ((n = fread(buffer, 1, sizeof buffer, in)) > 0)
        if (gzwrite(out, buffer, (unsigned)n) != (int)n)
            return EXIT_FAILURE;
    return ferror(in) || gzclose(out) != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
