/* A program written for zlib: prints the versions of header and library, and whether the process has "rigz_version". */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

int main(void)
{
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (deflateInit(&stream, Z_BEST_COMPRESSION) != Z_OK || deflateEnd(&stream) != Z_OK)
        return 1;
    return printf("header %s, library %s, %s\n", ZLIB_VERSION, zlibVersion(),
                  dlsym(RTLD_DEFAULT, "rigz_version") ? "rigz" : "another") > 0 ? 0 : 2;
}
