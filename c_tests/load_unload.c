/* A plug-in host loads the library, uses it and unloads it, again and again. This program is not linked with any zlib. */
#include "check.h"

enum { LEN = 2 << 20 };

int main(void)
{
    const char *expect = getenv("RIGZ_EXPECT"), *path = getenv("RIGZ_LIB");
    int ours = expect != NULL && atoi(expect);
    Bytef *plain = prose(LEN, 281), *out = allocate(LEN), *back = allocate(LEN);
    int most = 1 + (int)sysconf(_SC_NPROCESSORS_ONLN); /* this thread, and the workers of one library */
    end_after(120);
    for (int round = 0; round < 25; round++) {
        void *library = dlopen(ours ? path : "libz.so.1", RTLD_NOW | RTLD_LOCAL);
        CHECK(library != NULL);
        CHECK_EQ(dlsym(library, "rigz_version") != NULL, ours);
        /* Loading starts no thread, and those of unloaded libraries do not add up. */
        CHECK(entries("/proc/self/task") <= (round == 0 ? 1 : most));
        int (*pack)(Bytef *, uLongf *, const Bytef *, uLong, int);
        int (*unpack)(Bytef *, uLongf *, const Bytef *, uLong);
        *(void **)&pack = dlsym(library, "compress2");
        *(void **)&unpack = dlsym(library, "uncompress");
        CHECK(pack != NULL && unpack != NULL);
        uLongf len = LEN, back_len = LEN;
        CHECK_EQ(pack(out, &len, plain, LEN, 1), Z_OK);
        CHECK_EQ(unpack(back, &back_len, out, len), Z_OK);
        CHECK(back_len == LEN && memcmp(plain, back, LEN) == 0);
        CHECK_EQ(dlclose(library), 0);
    }
    free(plain), free(out), free(back);
    return 0;
}
