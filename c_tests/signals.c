/* Signals go only to the program's own threads, never to the library's. */
#include "check.h"
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

enum { LEN = 4 << 20 };
static pthread_t owner;
static volatile sig_atomic_t seen, elsewhere;

static void note_thread(int number)
{
    (void)number;
    seen++;
    if (!pthread_equal(pthread_self(), owner))
        elsewhere++;
}

int main(void)
{
    begin();
    owner = pthread_self();
    Bytef *plain = prose(LEN, 261);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = note_thread, action.sa_flags = SA_RESTART;
    CHECK_EQ(sigaction(SIGVTALRM, &action, NULL), 0);
    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    size_t len;
    Bytef *packed = pack(plain, LEN, 6, 15, &len); /* threads, if any, are there from now on */

    /* A timer that interrupts all the time. */
    struct itimerval often = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
    CHECK_EQ(setitimer(ITIMER_VIRTUAL, &often, NULL), 0);
    for (int round = 0; round < 3; round++) {
        size_t again;
        Bytef *other = pack(plain, LEN, 6, 15, &again);
        CHECK(again == len && memcmp(packed, other, len) == 0);
        free(other);
    }
    CHECK_EQ(setitimer(ITIMER_VIRTUAL, &never, NULL), 0);
    CHECK(seen > 0);
    CHECK_EQ(elsewhere, 0);

    /* A signal that this thread blocks stays pending: no other thread may take it. */
    sigset_t usr1, pending;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    CHECK_EQ(pthread_sigmask(SIG_BLOCK, &usr1, NULL), 0);
    seen = 0;
    CHECK_EQ(kill(getpid(), SIGUSR1), 0);
    check_unpacks(packed, len, 15, plain, LEN);
    free(pack(plain, LEN, 6, 15, &len));
    CHECK_EQ(seen, 0);
    CHECK_EQ(sigpending(&pending), 0);
    CHECK(sigismember(&pending, SIGUSR1));
    CHECK_EQ(pthread_sigmask(SIG_UNBLOCK, &usr1, NULL), 0);
    CHECK_EQ(seen, 1);
    CHECK_EQ(elsewhere, 0);
    free(packed), free(plain);
    return 0;
}
