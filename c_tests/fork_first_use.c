/* fork while other threads use the library for the first time: the child must not wait for anything that they were
 * initialising. Each round runs in a new process, since a process has only one first use. The forks happen at many short times
 * after the start, and then at each memory allocation by another thread, the library's own included. */
#include "check.h"
#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>

enum { LEN = 1200 << 10, ROUNDS = 150, THREADS = 3 };
static Bytef *plain;

void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);

static long main_thread;      /* never held up; 0 while no thread is */
static int asked, stop_at;    /* calls of other threads, and the one that waits for the fork */
static sem_t reached, forked;

static void maybe_stop(void)
{
    if (main_thread == 0 || syscall(SYS_gettid) == main_thread || __atomic_add_fetch(&asked, 1, __ATOMIC_SEQ_CST) != stop_at)
        return;
    sem_post(&reached);
    while (sem_wait(&forked) != 0)
        ;
}

#if !defined __SANITIZE_THREAD__ && !defined __SANITIZE_ADDRESS__ /* their runtimes want to be malloc themselves */
#define STOPS
void *malloc(size_t size)
{
    maybe_stop();
    return __libc_malloc(size);
}

void *calloc(size_t items, size_t size)
{
    maybe_stop();
    return __libc_calloc(items, size);
}

void *realloc(void *memory, size_t size)
{
    maybe_stop();
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    maybe_stop();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    *memory = aligned_alloc(alignment, size);
    return *memory == NULL ? ENOMEM : 0;
}
#endif

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

static void use_in_child(void)
{
    pid_t child = fork_for(60);
    if (child == 0) {
        main_thread = 0;
        once();
        _exit(0);
    }
    sem_post(&forked);
    CHECK_EQ(child_status(child), 0);
}

static void round_of(int number)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, busy, NULL), 0);
    usleep((unsigned)number * 200);
    use_in_child();
    for (int i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
}

static void *busy_then_over(void *unused)
{
    once();
    sem_post(&reached);
    return unused;
}

/* Exits with 3 when there are fewer calls than `call`. */
static void stopped_at(int call)
{
    pthread_t thread;
    CHECK(sem_init(&reached, 0, 0) == 0 && sem_init(&forked, 0, 0) == 0);
    stop_at = call, main_thread = syscall(SYS_gettid);
    CHECK_EQ(pthread_create(&thread, NULL, busy_then_over, NULL), 0);
    while (sem_wait(&reached) != 0)
        ;
    use_in_child();
    CHECK_EQ(pthread_join(thread, NULL), 0);
    _exit(__atomic_load_n(&asked, __ATOMIC_SEQ_CST) < call ? 3 : 0);
}

int main(void)
{
    begin();
    setenv("RIGZ_THREADS", "3", 1);
    plain = prose(LEN, 232);
    for (int number = 0; number < ROUNDS; number++) {
        pid_t process = fork_for(100);
        if (process == 0) {
            round_of(number);
            _exit(0);
        }
        CHECK_EQ(child_status(process), 0);
    }
#ifdef STOPS
    int status = 0, call = 0;
    while (status == 0) {
        pid_t process = fork();
        call++;
        CHECK(process >= 0);
        if (process == 0)
            stopped_at(call);
        status = child_status(process);
    }
    CHECK_EQ(status, 3);
    CHECK(call > 3);
#else
    (void)stopped_at, (void)maybe_stop;
#endif
    free(plain);
    return 0;
}
