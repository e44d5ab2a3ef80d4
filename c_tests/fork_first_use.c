/* fork in the very moment in which other threads use the library for the first time: nothing that they were making may keep
 * the child waiting. Each round is a process of its own, since a process has one first time. */
#include "check.h"
#include <pthread.h>
#include <unistd.h>

enum { LEN = 1200 << 10, ROUNDS = 150, THREADS = 3 };
static Bytef *plain;

static void once(void)
{
    size_t len;
    free(pack(plain, LEN, 1, 31, &len));
}

static void *busy(void *unused)
{
    once();
    return unused;
}

static void round_of(int number)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, busy, NULL), 0);
    usleep((unsigned)number * 200);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        hang_after(60);
        once();
        _exit(0);
    }
    CHECK_EQ(child_status(child), 0);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
}

int main(void)
{
    begin();
    plain = prose(LEN, 232);
    for (int number = 0; number < ROUNDS; number++) {
        pid_t process = fork();
        CHECK(process >= 0);
        if (process == 0) {
            round_of(number);
            _exit(0);
        }
        CHECK_EQ(child_status(process), 0);
    }
    free(plain);
    return 0;
}
