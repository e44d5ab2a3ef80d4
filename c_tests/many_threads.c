/* Eight threads compress and decompress at the same time, each with its own data, streams (3 MiB and 5000 bytes) and gzip file.
 * Each must get its own data back. */
#include "check.h"
#include <pthread.h>

enum { THREADS = 8, LEN = 3 << 20 };

static void *work(void *arg)
{
    uint32_t me = (uint32_t)(uintptr_t)arg;
    Bytef *plain = prose(LEN, 300 + me), *back = allocate(LEN);
    char path[600];
    snprintf(path, sizeof path, "%s/%ld-many-%u.gz", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (long)getpid(), me);
    for (int round = 0; round < 3; round++) {
        size_t len, size = round == 1 ? 5000 : LEN;
        int level = (int)(me + (uint32_t)round) % 9 + 1, window_bits = me % 2 ? 15 : 31; /* zlib or gzip format */
        Bytef *packed = pack(plain, size, level, window_bits, &len);
        check_unpacks(packed, len, window_bits, plain, size);
        free(packed);
        gzFile file = gzopen(path, "wb3");
        CHECK(file != NULL);
        CHECK_EQ(gzwrite(file, plain, (unsigned)size), size);
        CHECK_EQ(gzclose(file), Z_OK);
        file = gzopen(path, "rb");
        CHECK(file != NULL);
        CHECK_EQ(gzread(file, back, LEN), size);
        CHECK(memcmp(plain, back, size) == 0);
        CHECK_EQ(gzclose(file), Z_OK);
    }
    unlink(path);
    free(plain), free(back);
    return arg;
}

int main(void)
{
    begin();
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, work, (void *)i), 0);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    return 0;
}
