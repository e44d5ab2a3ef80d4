/* Costs of small operations of a decoder: a line per operation, a column per library. The libraries run each operation in turn,
 * ROUNDS times; the shortest time of each is printed.
 *
 *   cc -O2 -o /tmp/decoder_costs benches/suite/decoder_costs.c -ldl
 *   /tmp/decoder_costs /lib/x86_64-linux-gnu/libz.so.1 target/release/librigz.so
 *
 * The first library compresses the data, so that all decode the same bytes. Times are CPU time of the calling thread. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

enum { DATA = 4 << 20, MEMBER = 300, BLOCK = 400, FIRST = 30000, ROUNDS = 15 };

typedef struct {
    int (*open_deflate)(z_streamp, int, int, int, int, int, const char *, int);
    int (*deflate)(z_streamp, int), (*deflateReset)(z_streamp), (*deflateEnd)(z_streamp);
    int (*open_inflate)(z_streamp, int, const char *, int);
    int (*inflate)(z_streamp, int), (*inflateReset)(z_streamp), (*inflateEnd)(z_streamp);
    uLong (*crc32_combine)(uLong, uLong, z_off_t);
} library;

static unsigned char data[DATA], out[DATA + 1000];
static unsigned char whole[DATA], members[DATA], blocks[DATA], message[200];
static size_t whole_len, members_len, blocks_len, message_len;
static size_t allocated;

static void must(int is_true, const char *what)
{
    if (!is_true) {
        fprintf(stderr, "decoder_costs: failed: %s\n", what);
        exit(1);
    }
}

static library load(const char *path)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    must(handle != NULL, path);
    library lib;
#define FIND(field, name) must((*(void **)&lib.field = dlsym(handle, name)) != NULL, name)
    FIND(open_deflate, "deflateInit2_"), FIND(deflate, "deflate"), FIND(deflateReset, "deflateReset");
    FIND(deflateEnd, "deflateEnd"), FIND(open_inflate, "inflateInit2_"), FIND(inflate, "inflate");
    FIND(inflateReset, "inflateReset"), FIND(inflateEnd, "inflateEnd"), FIND(crc32_combine, "crc32_combine");
    return lib;
}

/* Compresses `len` bytes in pieces, with `flush` after each; if `flush` is -1, each piece is a separate stream. */
static size_t pack(library *lib, unsigned char *to, size_t len, size_t piece, int bits, int flush)
{
    z_stream s = { .next_out = to, .avail_out = DATA };
    must(lib->open_deflate(&s, 6, Z_DEFLATED, bits, 8, 0, ZLIB_VERSION, sizeof s) == Z_OK, "deflateInit2");
    for (size_t at = 0; at < len; at += piece) {
        s.next_in = data + at, s.avail_in = piece < len - at ? piece : len - at;
        int is_last = flush < 0 || at + piece >= len;
        must(lib->deflate(&s, is_last ? Z_FINISH : flush) == (is_last ? Z_STREAM_END : Z_OK), "deflate");
        if (flush < 0)
            must(lib->deflateReset(&s) == Z_OK, "deflateReset");
    }
    size_t made = s.next_out - to;
    lib->deflateEnd(&s);
    return made;
}

static void prepare(library *lib)
{
    static const char *const words[] = { "the ", "stream ", "of ", "window ", "and ", "bytes ", "a ", "decoder, ", "back\n", "in " };
    unsigned seed = 1;
    for (size_t at = 0; at < DATA - 20;) {
        seed = seed * 1664525 + 1013904223;
        if (seed >> 30 == 0)
            at += sprintf((char *)data + at, "%x ", seed >> 12 & 0xffff);
        else
            at += sprintf((char *)data + at, "%s", words[(seed >> 24) % 10]);
    }
    whole_len = pack(lib, whole, DATA, DATA, 31, Z_NO_FLUSH);
    members_len = pack(lib, members, DATA / 8, MEMBER, 31, -1);
    blocks_len = pack(lib, blocks, DATA / 4, BLOCK, 15, Z_BLOCK);
    message_len = pack(lib, message, 50, 50, 15, Z_NO_FLUSH);
}

static void open_stream(library *lib, z_stream *s, int bits, const unsigned char *in, size_t len)
{
    memset(s, 0, sizeof *s);
    must(lib->open_inflate(s, bits, ZLIB_VERSION, sizeof *s) == Z_OK, "inflateInit2");
    s->next_in = (Bytef *)in, s->avail_in = len;
}

/* Each operation returns the divisor of its time: its number of calls, blocks or bytes, as in the row's name. */
static double init_end(library *lib)
{
    z_stream s;
    for (int i = 0; i < 2000; i++)
        open_stream(lib, &s, 15, NULL, 0), lib->inflateEnd(&s);
    return 2000;
}

static double messages(library *lib)
{
    z_stream s;
    for (int i = 0; i < 2000; i++) {
        open_stream(lib, &s, 15, message, message_len);
        s.next_out = out, s.avail_out = sizeof out;
        must(lib->inflate(&s, Z_FINISH) == Z_STREAM_END, "a message");
        lib->inflateEnd(&s);
    }
    return 2000;
}

static double small_blocks(library *lib)
{
    z_stream s;
    open_stream(lib, &s, 15, blocks, blocks_len);
    s.next_out = out, s.avail_out = sizeof out;
    must(lib->inflate(&s, Z_NO_FLUSH) == Z_STREAM_END, "small blocks");
    lib->inflateEnd(&s);
    return DATA / 4 / BLOCK;
}

static double small_members(library *lib)
{
    z_stream s;
    open_stream(lib, &s, 31, members, members_len);
    s.next_out = out, s.avail_out = sizeof out;
    while (s.avail_in > 0)
        must(lib->inflate(&s, Z_NO_FLUSH) == Z_STREAM_END && lib->inflateReset(&s) == Z_OK, "members");
    lib->inflateEnd(&s);
    return DATA / 8;
}

static double first_part(library *lib)
{
    z_stream s;
    for (int i = 0; i < 20; i++) {
        open_stream(lib, &s, 31, whole, 0);
        s.next_out = out, s.avail_out = FIRST;
        while (s.avail_out > 0) {
            s.avail_in = 8192;
            must(lib->inflate(&s, Z_NO_FLUSH) == Z_OK, "the first bytes");
        }
        lib->inflateEnd(&s);
    }
    return 20;
}

static double small_outputs(library *lib, unsigned room)
{
    z_stream s;
    int calls = 0;
    open_stream(lib, &s, 31, whole, whole_len);
    for (; calls < 20000; calls++) {
        s.next_out = out, s.avail_out = room;
        must(lib->inflate(&s, Z_SYNC_FLUSH) == Z_OK, "small outputs");
    }
    lib->inflateEnd(&s);
    return calls;
}
static double outputs_1(library *lib) { return small_outputs(lib, 1); }
static double outputs_4(library *lib) { return small_outputs(lib, 4); }
static double outputs_16(library *lib) { return small_outputs(lib, 16); }

static double combine(library *lib)
{
    static volatile uLong sum;
    unsigned seed = 1;
    for (int i = 0; i < 2000; i++) {
        seed = seed * 1664525 + 1013904223;
        sum += lib->crc32_combine(seed, seed >> 3, seed >> 10);
    }
    return 2000;
}

static void *counting_alloc(void *opaque, unsigned items, unsigned size)
{
    (void)opaque;
    allocated += (size_t)items * size;
    return malloc((size_t)items * size);
}

static void plain_free(void *opaque, void *memory)
{
    (void)opaque;
    free(memory);
}

/* The bytes that a stream requests from zalloc, in all, until it has decoded 1 MiB. */
static size_t memory_of(library *lib)
{
    z_stream s = { .zalloc = counting_alloc, .zfree = plain_free };
    allocated = 0;
    must(lib->open_inflate(&s, 31, ZLIB_VERSION, sizeof s) == Z_OK, "inflateInit2");
    s.next_in = whole, s.avail_in = whole_len, s.next_out = out, s.avail_out = 1 << 20;
    must(lib->inflate(&s, Z_NO_FLUSH) == Z_OK, "a megabyte");
    lib->inflateEnd(&s);
    return allocated;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv)
{
    static const struct { const char *name; double (*run)(library *); } rows[] = {
        { "inflateInit + inflateEnd, ns", init_end },
        { "the same with a message of 50 bytes, ns", messages },
        { "a block of 400 bytes, mostly dynamic, ns", small_blocks },
        { "gzip members of 300 bytes, ns a byte", small_members },
        { "the first 30 KB of a large gzip file, ns", first_part },
        { "avail_out of 1, ns a call", outputs_1 },
        { "avail_out of 4, ns a call", outputs_4 },
        { "avail_out of 16, ns a call", outputs_16 },
        { "crc32_combine, ns", combine },
    };
    enum { LIBRARIES = 8 };
    library libs[LIBRARIES];
    must(argc > 1 && argc <= LIBRARIES, "one to seven libraries as arguments");
    for (int i = 1; i < argc; i++)
        libs[i] = load(argv[i]);
    prepare(&libs[1]);
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        double best[LIBRARIES] = { 0 };
        for (int round = 0; round < ROUNDS; round++)
            for (int i = 1; i < argc; i++) {
                double start = now(), count = rows[row].run(&libs[i]), time = (now() - start) / count;
                best[i] = round == 0 || time < best[i] ? time : best[i];
            }
        printf("%-45s", rows[row].name);
        for (int i = 1; i < argc; i++)
            printf(" %9.1f", best[i]);
        printf("\n");
    }
    printf("%-45s", "bytes that a stream allocates");
    for (int i = 1; i < argc; i++)
        printf(" %9zu", memory_of(&libs[i]));
    printf("\n");
    return 0;
}
