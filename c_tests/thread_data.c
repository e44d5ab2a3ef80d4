/* A program whose thread-local data is so large that the C library uses nearly all of a small stack for it. */
/* alone: counts threads */
#include "check.h"
#include <pthread.h>

#ifndef DATA_BYTES
#define DATA_BYTES (236 << 10)
#endif

enum { LEN = 5 << 20 };
static __thread volatile char data[DATA_BYTES];
static volatile int most_threads, stop;

static void *look(void *unused)
{
    while (!stop) {
        int now = entries("/proc/self/task");
        most_threads = now > most_threads ? now : most_threads;
        usleep(300);
    }
    return unused;
}

int main(void)
{
    begin();
    setenv("RIGZ_THREADS", "4", 1);
    Bytef *plain = prose(LEN, 236);
    pthread_t looker;
    CHECK_EQ(pthread_create(&looker, NULL, look, NULL), 0);
    for (int i = 0; i < DATA_BYTES; i++)
        data[i] = (char)i;
    for (int level = 1; level <= 9; level += 4) {
        size_t len;
        Bytef *packed = pack(plain, LEN, level, 31, &len);
        check_unpacks(packed, len, 31, plain, LEN);
        free(packed);
    }
    const char *path = scratch("data.gz");
    gzFile file = gzopen(path, "wb1");
    CHECK(file != NULL);
    for (int piece = 0; piece < 4; piece++)
        CHECK_EQ(gzwrite(file, plain, LEN), LEN);
    CHECK_EQ(gzclose(file), Z_OK);
    Bytef *back = allocate(4 * LEN);
    file = gzopen(path, "rb");
    CHECK(file != NULL);
    CHECK_EQ(gzread(file, back, 4 * LEN), 4 * LEN);
    for (int piece = 0; piece < 4; piece++)
        CHECK(memcmp(back + piece * LEN, plain, LEN) == 0);
    CHECK_EQ(gzclose(file), Z_OK);
    unlink(path);
    for (int i = 0; i < DATA_BYTES; i++)
        CHECK(data[i] == (char)i);
    stop = 1;
    CHECK_EQ(pthread_join(looker, NULL), 0);
    if (is_rigz())
        CHECK(most_threads > 2); /* serial would be correct, but here there is no reason for it */
    free(plain), free(back);
    return 0;
}
