/* A plug-in host loads the library with dlopen, uses it and closes it, again and again; threads do not accumulate. This program
 * is not linked with any zlib: RIGZ_EXPECT=1 selects rigz at RIGZ_LIB, otherwise libz.so.1 is loaded. */
#include "check.h"

enum { LEN = 2 << 20 };

int main(void)
{
    const char *expect = getenv("RIGZ_EXPECT"), *path = getenv("RIGZ_LIB");
    int is_rigz_run = expect != NULL && atoi(expect);
    Bytef *plain = prose(LEN, 281), *out = allocate(LEN), *back = allocate(LEN);
    int max_threads = 1 + (int)sysconf(_SC_NPROCESSORS_ONLN); /* the main thread, and at most one worker for each processor */
    end_after(120);
    for (int round = 0; round < 25; round++) {
        void *library = dlopen(is_rigz_run ? path : "libz.so.1", RTLD_NOW | RTLD_LOCAL);
        CHECK(library != NULL);
        CHECK_EQ(dlsym(library, "rigz_version") != NULL, is_rigz_run);
        /* Loading alone starts no thread, and reloading does not start a second set of workers. */
        CHECK(entries("/proc/self/task") <= (round == 0 ? 1 : max_threads));
        int (*compress_with)(Bytef *, uLongf *, const Bytef *, uLong, int);
        int (*decompress_with)(Bytef *, uLongf *, const Bytef *, uLong);
        *(void **)&compress_with = dlsym(library, "compress2");
        *(void **)&decompress_with = dlsym(library, "uncompress");
        CHECK(compress_with != NULL && decompress_with != NULL);
        uLongf len = LEN, back_len = LEN;
        CHECK_EQ(compress_with(out, &len, plain, LEN, 1), Z_OK);
        CHECK_EQ(decompress_with(back, &back_len, out, len), Z_OK);
        CHECK(back_len == LEN && memcmp(plain, back, LEN) == 0);
        CHECK_EQ(dlclose(library), 0);
    }
    free(plain), free(out), free(back);
    return 0;
}
