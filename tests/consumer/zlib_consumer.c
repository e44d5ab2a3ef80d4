/* A program that knows only zlib.h. Opens and closes a stream; prints the header's version, the library's, and "rigz" if deflateInit
 * is in the same library as a symbol rigz_version, else "another". Returns 1 if the stream cannot be opened, 2 if printing fails. */
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
    Dl_info ours, used;
    void *version = dlsym(RTLD_DEFAULT, "rigz_version");
    int is_rigz = version != NULL && dladdr(version, &ours) != 0 && dladdr((void *)deflateInit_, &used) != 0 &&
                  ours.dli_fbase == used.dli_fbase;
    return printf("header %s, library %s, %s\n", ZLIB_VERSION, zlibVersion(), is_rigz ? "rigz" : "another") > 0 ? 0 : 2;
}
