/* The stack use of every function, in its costly states; and that all of them work in a thread with the smallest possible
 * stack, and on a signal stack of 32 KiB. A thread fills its stack with a pattern, makes the call, and checks how much of the
 * pattern is overwritten. zlib takes 3.5 KB, ours may take 12 KiB. Without lazy binding, to exclude the dynamic linker.
 * C_TESTS_STACK=1 prints each peak. */
#include "check.h"
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>

enum { LEN = 1 << 20, SHORT = 60000, LARGE = 6 << 20, PAINTED = 192 << 10, MOST = 12 << 10, SIGNAL_STACK = 32 << 10 };
static Bytef *plain, *mixed, *packed[10], *out, *back;
static size_t packed_len[10];

/* The end of the filled stack; and the peak of all calls. */
static volatile unsigned char *bottom;
static size_t deepest;
static const char *deepest_name = "nothing";
static struct peak {
    const char *name;
    size_t bytes;
} peaks[200];

static __attribute__((noinline)) void paint(void)
{
    volatile unsigned char *top = __builtin_frame_address(0);
    for (volatile unsigned char *at = bottom; at != NULL && at < top - 512; at++)
        *at = 0xa5;
}

static __attribute__((noinline)) void look(const char *name, volatile unsigned char *top)
{
    volatile unsigned char *at = bottom;
    if (at == NULL)
        return;
    while (*at == 0xa5)
        at++;
    size_t taken = (size_t)(top - at);
    struct peak *peak = peaks;
    while (peak->name != NULL && strcmp(peak->name, name) != 0)
        peak++;
    peak->name = name;
    peak->bytes = taken > peak->bytes ? taken : peak->bytes;
    if (taken > deepest)
        deepest = taken, deepest_name = name;
}

/* The statement's stack, this function's own frame included. */
#define PEAK(name, statement)                                                                \
    do {                                                                                     \
        paint();                                                                             \
        statement;                                                                           \
        look(name, __builtin_frame_address(0));                                              \
    } while (0)

/* All of a stream's output into nowhere, in one go. */
static int deflate_all(z_stream *strm, Bytef *from, size_t len, int flush)
{
    strm->next_in = from, strm->avail_in = (uInt)len;
    strm->next_out = out, strm->avail_out = LEN + (LEN >> 3);
    return deflate(strm, flush);
}

static void compressing(int level, int window_bits, int strategy, int mem_level)
{
    static z_stream strm, copy;
    static gz_header head;
    unsigned pending;
    int bits, status;
    uInt dict_len;
    memset(&strm, 0, sizeof strm);
    PEAK("deflateInit2", status = deflateInit2(&strm, level, Z_DEFLATED, window_bits, mem_level, strategy));
    CHECK_EQ(status, Z_OK);
    if (window_bits > 15) {
        head.name = (Bytef *)"name", head.comment = (Bytef *)"comment", head.hcrc = 1;
        PEAK("deflateSetHeader", status = deflateSetHeader(&strm, &head));
        CHECK_EQ(status, Z_OK);
    } else {
        PEAK("deflateSetDictionary", status = deflateSetDictionary(&strm, plain, 40000));
        CHECK_EQ(status, Z_OK);
    }
    PEAK("deflateBound", deflateBound(&strm, SHORT));
    PEAK("deflate, a message", status = deflate_all(&strm, plain, 1000, Z_SYNC_FLUSH));
    CHECK_EQ(status, Z_OK);
    PEAK("deflate, flushed", status = deflate_all(&strm, plain, SHORT, Z_FULL_FLUSH));
    CHECK_EQ(status, Z_OK);
    PEAK("deflate, held", status = deflate_all(&strm, plain, SHORT, Z_NO_FLUSH));
    CHECK_EQ(status, Z_OK);
    PEAK("deflateCopy, held", status = deflateCopy(&copy, &strm));
    CHECK_EQ(status, Z_OK);
    PEAK("deflateEnd, held", deflateEnd(&copy));
    PEAK("deflate, block", status = deflate_all(&strm, plain, SHORT, Z_BLOCK));
    CHECK_EQ(status, Z_OK);
    PEAK("deflate, partial", status = deflate_all(&strm, plain, SHORT, Z_PARTIAL_FLUSH));
    CHECK_EQ(status, Z_OK);
    PEAK("deflate, parallel", status = deflate_all(&strm, plain, LEN, Z_NO_FLUSH));
    CHECK_EQ(status, Z_OK);
    PEAK("deflatePending", deflatePending(&strm, &pending, &bits));
    PEAK("deflateGetDictionary", deflateGetDictionary(&strm, back, &dict_len));
    PEAK("deflateCopy", status = deflateCopy(&copy, &strm));
    CHECK_EQ(status, Z_OK);
    PEAK("deflateEnd, parallel", deflateEnd(&copy));
    strm.next_in = plain, strm.avail_in = SHORT, strm.next_out = out, strm.avail_out = LEN + (LEN >> 3);
    PEAK("deflateParams", status = deflateParams(&strm, level == 6 ? 1 : 6, Z_DEFAULT_STRATEGY));
    CHECK(status == Z_OK || status == Z_BUF_ERROR);
    PEAK("deflate, to the end", status = deflate_all(&strm, plain, LEN, Z_FINISH));
    CHECK_EQ(status, Z_STREAM_END);
    PEAK("deflateReset", deflateReset(&strm));
    PEAK("deflateTune", deflateTune(&strm, 8, 16, 128, 128));
    if (window_bits < 0)
        PEAK("deflatePrime", deflatePrime(&strm, 5, 2));
    PEAK("deflate, pinned", deflate_all(&strm, plain, SHORT, Z_NO_FLUSH));
    PEAK("deflateResetKeep", deflateResetKeep(&strm));
    PEAK("deflate, whole", status = deflate_all(&strm, plain, SHORT, Z_FINISH));
    PEAK("deflateEnd", deflateEnd(&strm));
}

static unsigned feed(void *desc, z_const unsigned char **buf)
{
    z_const unsigned char **from = desc;
    *buf = *from;
    *from += packed_len[9];
    return (unsigned)packed_len[9];
}

static int drain(void *unused, unsigned char *buf, unsigned len)
{
    (void)unused, (void)buf, (void)len;
    return 0;
}

static void decompressing(int level)
{
    static z_stream strm, copy;
    static gz_header head;
    static Bytef name[100], window[32768];
    int status;
    uInt dict_len;
    memset(&strm, 0, sizeof strm);
    PEAK("inflateInit2", status = inflateInit2(&strm, 47));
    CHECK_EQ(status, Z_OK);
    head.name = name, head.name_max = sizeof name;
    PEAK("inflateGetHeader", inflateGetHeader(&strm, &head));
    strm.next_in = packed[level], strm.avail_in = (uInt)packed_len[level] / 2, strm.next_out = back, strm.avail_out = LEN;
    PEAK("inflate", status = inflate(&strm, Z_NO_FLUSH));
    CHECK_EQ(status, Z_OK);
    PEAK("inflateCopy", status = inflateCopy(&copy, &strm));
    CHECK_EQ(status, Z_OK);
    PEAK("inflateGetDictionary", inflateGetDictionary(&copy, out, &dict_len));
    PEAK("inflateMark", inflateMark(&copy));
    PEAK("inflateUndermine", inflateUndermine(&copy, 0));
    PEAK("inflateValidate", inflateValidate(&copy, 1));
    PEAK("inflateCodesUsed", inflateCodesUsed(&copy));
    PEAK("inflateSyncPoint", inflateSyncPoint(&copy));
    PEAK("inflateSync", inflateSync(&copy));
    PEAK("inflateResetKeep", inflateResetKeep(&copy));
    PEAK("inflateReset", inflateReset(&copy));
    PEAK("inflateReset2", inflateReset2(&copy, -15));
    PEAK("inflatePrime", inflatePrime(&copy, 3, 0));
    PEAK("inflateSetDictionary", inflateSetDictionary(&copy, plain, 32768));
    PEAK("inflateEnd", inflateEnd(&copy));
    strm.avail_in = (uInt)(packed_len[level] - (size_t)(strm.next_in - packed[level]));
    PEAK("inflate, to the end", status = inflate(&strm, Z_FINISH));
    CHECK_EQ(status, Z_STREAM_END);
    CHECK(memcmp(back, plain, LEN) == 0);
    inflateEnd(&strm);

    z_const unsigned char *from = packed[level] + 10;
    memset(&strm, 0, sizeof strm);
    PEAK("inflateBackInit", status = inflateBackInit(&strm, 15, window));
    CHECK_EQ(status, Z_OK);
    strm.next_in = packed[level] + 10, strm.avail_in = (uInt)packed_len[level] - 10;
    PEAK("inflateBack", status = inflateBack(&strm, feed, &from, drain, NULL));
    CHECK_EQ(status, Z_STREAM_END);
    PEAK("inflateBackEnd", inflateBackEnd(&strm));
}

/* Whole buffers in one call, and the functions that are not for gzip. */
static void whole_buffers(int level)
{
    uLong len = LEN + (LEN >> 3), back_len = LEN, used;
    int status;
    PEAK("compress2", status = compress2(out, &len, plain, LEN, level));
    CHECK_EQ(status, Z_OK);
    PEAK("uncompress", status = uncompress(back, &back_len, out, len));
    CHECK(status == Z_OK && memcmp(back, plain, LEN) == 0);
    used = len, back_len = LEN;
    PEAK("uncompress2", status = uncompress2(back, &back_len, out, &used));
    CHECK_EQ(status, Z_OK);
    len = SHORT;
    PEAK("compress", status = compress(out, &len, plain, SHORT / 3));
    CHECK_EQ(status, Z_OK);
    back_len = 100;
    PEAK("uncompress, no room", status = uncompress(back, &back_len, out, len));
    CHECK_EQ(status, Z_BUF_ERROR);
}

static int print(gzFile file, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int len = gzvprintf(file, format, list);
    va_end(list);
    return len;
}

static void write_file(const char *path, const char *mode)
{
    gzFile file;
    long long got;
    PEAK("gzopen", file = gzopen(path, mode));
    CHECK(file != NULL);
    PEAK("gzbuffer", gzbuffer(file, 8192));
    PEAK("gzputc", gzputc(file, 'x'));
    PEAK("gzputs", gzputs(file, "a line\n"));
    PEAK("gzprintf", got = gzprintf(file, "%d %s\n", 17, "words"));
    PEAK("gzvprintf", got = print(file, "%d %s\n", 17, "words"));
    CHECK_EQ(got, 9);
    PEAK("gzwrite, small", got = gzwrite(file, plain, 10000));
    PEAK("gzflush", gzflush(file, Z_SYNC_FLUSH));
    PEAK("gzwrite", got = gzwrite(file, plain, LEN));
    CHECK_EQ(got, LEN);
    PEAK("gzfwrite", gzfwrite(plain, 1, LEN, file));
    PEAK("gzsetparams", gzsetparams(file, 3, Z_DEFAULT_STRATEGY));
    PEAK("gzseek, writing", gzseek(file, 100000, SEEK_CUR));
    PEAK("gztell", gztell(file));
    PEAK("gzoffset", gzoffset(file));
    PEAK("gzerror", gzerror(file, (int *)&got));
    PEAK("gzclearerr", gzclearerr(file));
    PEAK("gzwrite", gzwrite(file, plain, LEN));
    PEAK("gzclose, writing", got = gzclose(file));
    CHECK_EQ(got, Z_OK);
}

/* A file large enough to be decoded ahead of its reader. */
static void write_large(const char *path)
{
    gzFile file = gzopen(path, "wb1");
    CHECK(file != NULL);
    CHECK_EQ(gzputs(file, "x, and a line\n"), 14);
    CHECK_EQ(gzwrite(file, mixed, LARGE), LARGE);
    CHECK_EQ(gzclose(file), Z_OK);
}

static void read_file(const char *path)
{
    gzFile file;
    long long got = 0;
    PEAK("gzopen, reading", file = gzopen(path, "rb"));
    CHECK(file != NULL);
    PEAK("gzdirect", gzdirect(file));
    PEAK("gzgetc", got = (gzgetc)(file));
    CHECK_EQ(got, 'x');
    PEAK("gzungetc", gzungetc('x', file));
    PEAK("gzgets", gzgets(file, (char *)back, 100));
    PEAK("gzread, small", got = gzread(file, back, 10000));
    for (int i = 0; i < 32; i++) /* some of it is decoded ahead */
        PEAK("gzread", got = gzread(file, back, LEN / 8));
    PEAK("gzseek, back", gzseek(file, LEN, SEEK_SET));
    PEAK("gzread, behind a seek", gzread(file, back, LEN / 8));
    PEAK("gzfread", gzfread(back, 1, LEN, file));
    PEAK("gzeof", gzeof(file));
    PEAK("gzrewind", gzrewind(file));
    PEAK("gzread", gzread(file, back, LEN));
    PEAK("gzclose, reading", got = gzclose(file));
    CHECK_EQ(got, Z_OK);
    int fd = open(path, O_RDONLY);
    PEAK("gzdopen", file = gzdopen(fd, "rb"));
    PEAK("gzread", gzread(file, back, LEN));
    PEAK("gzclose_r", got = gzclose_r(file));
    CHECK_EQ(got, Z_OK);
    PEAK("gzopen, no file", file = gzopen("/no/such/file", "rb"));
    CHECK(file == NULL);
}

static void sums(void)
{
    uLong sum = 0;
    PEAK("crc32", sum = crc32(0, plain, LEN));
    PEAK("crc32_z", sum ^= crc32_z(0, plain, LEN));
    PEAK("adler32", sum = adler32(1, plain, LEN));
    PEAK("adler32_z", sum ^= adler32_z(1, plain, LEN));
    CHECK_EQ(sum, 0);
    PEAK("crc32_combine", crc32_combine(1, 2, LEN));
    PEAK("adler32_combine", adler32_combine(1, 2, LEN));
    PEAK("get_crc_table", sum = get_crc_table()[0]);
    PEAK("zlibVersion", zlibVersion());
    PEAK("zlibCompileFlags", zlibCompileFlags());
    PEAK("zError", zError(Z_MEM_ERROR));
    PEAK("compressBound", compressBound(LEN));
}

static char written[600], large[600];

/* Everything at every level; in short, one level of each kind of engine. */
static void *everything(void *in_short)
{
    if (bottom != NULL) {
        pthread_attr_t attributes;
        void *start;
        size_t size;
        CHECK_EQ(pthread_getattr_np(pthread_self(), &attributes), 0);
        CHECK_EQ(pthread_attr_getstack(&attributes, &start, &size), 0);
        CHECK_EQ(pthread_attr_destroy(&attributes), 0);
        bottom = start;
    }
    sums();
    for (int level = 0; level <= 9; level += in_short != NULL && level > 0 ? 5 : 1) {
        compressing(level, level % 3 == 0 ? 31 : level % 3 == 1 ? 15 : -15, Z_DEFAULT_STRATEGY, 8);
        if (in_short == NULL)
            compressing(level, 31, Z_FILTERED, 8);
        if (in_short == NULL)
            decompressing(level);
        whole_buffers(level);
        char mode[] = "wb0";
        mode[2] = (char)('0' + level);
        write_file(written, mode);
    }
    read_file(written);
    read_file(large);
    for (int strategy = Z_HUFFMAN_ONLY; strategy <= Z_FIXED; strategy++)
        compressing(6, 15, strategy, 9);
    compressing(6, 12, Z_DEFAULT_STRATEGY, 1);
    decompressing(9);
    write_file(written, "wbT");
    read_file(written);
    return NULL;
}

static void in_thread(size_t size, void *in_short)
{
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK_EQ(pthread_attr_init(&attributes), 0);
    CHECK_EQ(pthread_attr_setstacksize(&attributes, size), 0);
    CHECK_EQ(pthread_create(&thread, &attributes, everything, in_short), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(pthread_attr_destroy(&attributes), 0);
}

static void on_signal(int unused)
{
    (void)unused;
    everything("in short");
}

static void on_signal_stack(void)
{
    stack_t stack = {.ss_size = SIGNAL_STACK};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    Bytef *memory = mmap(NULL, SIGNAL_STACK + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    CHECK_EQ(mprotect(memory, 4096, PROT_NONE), 0);
    stack.ss_sp = memory + 4096;
    CHECK_EQ(sigaltstack(&stack, NULL), 0);
    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_EQ(raise(SIGUSR1), 0);
}

/* In a child process: a stack overflow ends it. */
static void alone(const char *what, void (*work)(void))
{
    pid_t child = fork_for(300);
    if (child == 0) {
        work();
        exit(0);
    }
    int status = child_status(child);
    if (status != 0)
        fprintf(stderr, "%s: %d\n", what, status);
    CHECK_EQ(status, 0);
}

/* 16 KiB, or the least that the system allows. musl allows 2 KiB, in which zlib does not work either. */
static void least_thread(void)
{
    in_thread(PTHREAD_STACK_MIN > 16384 ? PTHREAD_STACK_MIN : 16384, "in short");
}

static void painted_thread(void)
{
    bottom = (unsigned char *)1;
    in_thread(PAINTED, NULL);
    for (struct peak *peak = peaks; peak->name != NULL; peak++)
        if (getenv("C_TESTS_STACK") != NULL)
            printf("note: %6zu %s\n", peak->bytes, peak->name);
        else if (peak->bytes > MOST)
            fprintf(stderr, "%zu bytes of stack: %s\n", peak->bytes, peak->name);
    printf("note: at most %zu bytes: %s\n", deepest, deepest_name);
    CHECK(deepest <= MOST);
}

int main(int argc, char **argv)
{
    (void)argc;
    if (getenv("LD_BIND_NOW") == NULL) {
        setenv("LD_BIND_NOW", "1", 1);
        execv("/proc/self/exe", argv);
    }
    begin();
    setenv("RIGZ_THREADS", "4", 1);
    setenv("RIGZ_THRESHOLD", "300K", 1);
    plain = prose(LEN, 1401), mixed = noise(LARGE, 1402), out = allocate(LEN + (LEN >> 3)), back = allocate(LEN);
    for (int level = 0; level <= 9; level++)
        packed[level] = pack(plain, LEN, level, 31, &packed_len[level]);
    for (size_t i = 0; i < LARGE; i++)
        mixed[i] &= 63;
    snprintf(written, sizeof written, "%s", scratch("stack.gz"));
    snprintf(large, sizeof large, "%s", scratch("large.gz"));
    write_large(large);
    alone("painted thread", painted_thread);
    alone("a thread with the least stack", least_thread);
    alone("a signal stack of 32 KiB", on_signal_stack);
    unlink(written), unlink(large);
    free(plain), free(mixed), free(out), free(back);
    for (int level = 0; level <= 9; level++)
        free(packed[level]);
    return 0;
}
