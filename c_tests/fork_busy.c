/* fork while other threads compress: the children have neither those threads nor the library's, and compress too, with new
 * threads. */
#include "check.h"
#include <pthread.h>

enum { LEN = 2 << 20 };
static Bytef *plain;
static int stop;

static void once(void)
{
    size_t len;
    Bytef *packed = pack(plain, LEN, 1, 31, &len);
    check_unpacks(packed, len, 31, plain, LEN);
    free(packed);
}

static void *busy(void *unused)
{
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST))
        once();
    return unused;
}

int main(void)
{
    begin();
    setenv("RIGZ_THREADS", "3", 1);
    plain = prose(LEN, 231);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, busy, NULL), 0);
    for (int round = 0; round < 12; round++) {
        pid_t child = fork_for(60);
        if (child == 0) {
            once();
            CHECK(entries("/proc/self/task") >= (is_rigz() ? 2 : 1));
            _exit(0);
        }
        CHECK_EQ(child_status(child), 0);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    free(plain);
    return 0;
}
