/* fork at random moments while threads compress for streams with their own allocator, with zfree alone, or without: a child may
 * exit at once, or end, copy or continue the stream, and never waits for a thread that exists only in the parent. The allocator's
 * functions are called only on the stream's own thread, even if the program set only zfree. */
#include "check.h"
#include <linux/futex.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/syscall.h>

enum { LEN = 400 << 10, FORKS = 260, MOST_THREADS = 4 };
static Bytef *plain;
static size_t room;
static int stop;
static __thread int is_program_thread;

/* Simulates a scheduler that preempts each thread of the library right after it has woken another thread: a worker that has
 * done so must still release what it used. */
long syscall(long number, ...)
{
    static void *found;
    void *address = __atomic_load_n(&found, __ATOMIC_RELAXED);
    long (*next)(long, ...);
    long words[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        words[i] = va_arg(list, long);
    va_end(list);
    if (address == NULL) {
        address = dlsym(RTLD_NEXT, "syscall");
        __atomic_store_n(&found, address, __ATOMIC_RELAXED);
    }
    *(void **)&next = address;
    long result = next(number, words[0], words[1], words[2], words[3], words[4], words[5]);
    int error = errno;
    if (number == SYS_futex && (words[1] & FUTEX_CMD_MASK) == FUTEX_WAKE && !is_program_thread && result > 0)
        usleep(700);
    errno = error;
    return result;
}

/* Must run on the thread that `owner` points to; in a forked child it has the same id. */
static void *own_alloc(void *owner, uInt items, uInt size)
{
    CHECK(pthread_equal(pthread_self(), *(pthread_t *)owner));
    return malloc((size_t)items * size);
}

static void own_free(void *owner, void *address)
{
    CHECK(pthread_equal(pthread_self(), *(pthread_t *)owner));
    free(address);
}

static __thread pthread_t this_thread;

/* With zfree alone zlib clears `opaque`. */
static void free_alone(void *opaque, void *address)
{
    CHECK(opaque == NULL && pthread_equal(pthread_self(), this_thread));
    free(address);
}

/* `kind` is 0 for the default allocator, 1 for zfree alone, else zalloc and zfree. */
static void start(z_stream *strm, int level, int kind)
{
    this_thread = pthread_self();
    memset(strm, 0, sizeof *strm);
    strm->opaque = &this_thread;
    if (kind > 0)
        strm->zfree = kind == 1 ? free_alone : own_free;
    if (kind > 1)
        strm->zalloc = own_alloc;
    CHECK_EQ(deflateInit2(strm, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
}

static void feed(z_stream *strm, Bytef *out, size_t count)
{
    count = count < LEN - strm->total_in ? count : LEN - strm->total_in;
    strm->next_in = plain + strm->total_in, strm->avail_in = (uInt)count;
    strm->next_out = out + strm->total_out, strm->avail_out = (uInt)(room - strm->total_out);
    CHECK_EQ(deflate(strm, Z_NO_FLUSH), Z_OK);
    CHECK_EQ(strm->avail_in, 0);
}

static void finish(z_stream *strm, Bytef *out)
{
    strm->next_in = plain + strm->total_in, strm->avail_in = (uInt)(LEN - strm->total_in);
    strm->next_out = out + strm->total_out, strm->avail_out = (uInt)(room - strm->total_out);
    CHECK_EQ(deflate(strm, Z_FINISH), Z_STREAM_END);
    check_unpacks(out, strm->total_out, 31, plain, LEN);
    CHECK_EQ(deflateEnd(strm), Z_OK);
}

/* What a child does with its parent's stream, chosen by `way`. */
static void in_child(z_stream *strm, Bytef *out, int way)
{
    z_stream copy;
    switch (way % 4) {
    case 0:
        _exit(0);
    case 1:
        CHECK_EQ(deflateEnd(strm), Z_DATA_ERROR);
        break;
    case 2:
        CHECK_EQ(deflateCopy(&copy, strm), Z_OK);
        CHECK_EQ(deflateEnd(strm), Z_DATA_ERROR);
        finish(&copy, out);
        break;
    default:
        finish(strm, out);
    }
    _exit(0);
}

/* Another thread, whose jobs keep the library's locks in use. */
static void *busy(void *unused)
{
    is_program_thread = 1;
    Bytef *out = allocate(room);
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
        z_stream strm;
        start(&strm, 1, 2);
        finish(&strm, out);
    }
    free(out);
    return unused;
}

static void forks(int threads, int has_busy_thread)
{
    char number[] = {(char)('0' + threads), 0};
    setenv("RIGZ_THREADS", number, 1), setenv("RIGZ_CHUNK", "32K", 1), setenv("RIGZ_THRESHOLD", "64K", 1);
    Bytef *out = allocate(room);
    uint32_t seed = 77 + (uint32_t)threads;
    pthread_t thread;
    if (has_busy_thread)
        CHECK_EQ(pthread_create(&thread, NULL, busy, NULL), 0);
    for (int done = 0; done < FORKS;) {
        z_stream strm;
        int kind = (int)(random_next(&seed) >> 8) % 4;
        start(&strm, 1 + (int)(random_next(&seed) >> 8) % 3, kind);
        while (strm.total_in < LEN - 1) {
            feed(&strm, out, 1 + (random_next(&seed) >> 8) % (random_next(&seed) & 256 ? LEN : LEN / 10));
            if (random_next(&seed) & 256) {
                /* Fork with the workers in any state. */
                uint32_t way = random_next(&seed) >> 8;
                for (volatile uint32_t wait = way % 4 == 0 ? way % 5000 : 0; wait > 0; wait--)
                    ;
                pid_t child = fork_for(60);
                if (child == 0)
                    in_child(&strm, out, (int)(way >> 12));
                CHECK_EQ(child_status(child), 0);
                done++;
            }
        }
        finish(&strm, out);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    if (has_busy_thread)
        CHECK_EQ(pthread_join(thread, NULL), 0);
    free(out);
}

int main(void)
{
    begin();
    is_program_thread = 1;
    plain = prose(LEN, 233), room = compressBound(LEN) + 1000;
    for (int threads = 1; threads <= MOST_THREADS; threads++) {
        pid_t process = fork_for(200);
        if (process == 0) {
            forks(threads, threads % 2 == 0);
            _exit(0);
        }
        CHECK_EQ(child_status(process), 0);
    }
    free(plain);
    return 0;
}
