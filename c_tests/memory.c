/* Memory use of compression: small messages allocate nothing once the library has warmed up, an idle stream holds no more than
 * zlib's, and one compressing thread stays below 2 MiB. Counts every allocation of the process; only our library is checked. */
/* alone: counts memory */
#include "check.h"
#include <malloc.h>

static size_t live, peak, calls;

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static void *count(void *memory)
{
    calls++;
    live += memory != NULL ? malloc_usable_size(memory) : 0;
    peak = live > peak ? live : peak;
    return memory;
}

void *malloc(size_t size) { return count(__libc_malloc(size)); }
void *calloc(size_t items, size_t size) { return count(__libc_calloc(items, size)); }
void *memalign(size_t align, size_t size) { return count(__libc_memalign(align, size)); }
void *aligned_alloc(size_t align, size_t size) { return memalign(align, size); }

int posix_memalign(void **memory, size_t align, size_t size)
{
    *memory = memalign(align, size);
    return *memory != NULL ? 0 : 12;
}

void *realloc(void *memory, size_t size)
{
    live -= memory != NULL ? malloc_usable_size(memory) : 0;
    return count(__libc_realloc(memory, size));
}

void free(void *memory)
{
    live -= memory != NULL ? malloc_usable_size(memory) : 0;
    __libc_free(memory);
}

static Bytef *plain, *packed;
enum { PLAIN = 4 << 20, PACKED = PLAIN + PLAIN / 8, STREAMS = 300, ZLIB_STREAM = 268 << 10 };

static void one_shot(uInt len, int level)
{
    uLongf packed_len = PACKED;
    CHECK_EQ(compress2(packed, &packed_len, plain, len, level), Z_OK);
}

static void message(z_stream *stream, uInt len, int flush)
{
    stream->next_in = plain, stream->avail_in = len;
    stream->next_out = packed, stream->avail_out = PACKED;
    CHECK_EQ(deflate(stream, flush), flush == Z_FINISH ? Z_STREAM_END : Z_OK);
}

/* Allocations in 50 messages of this length, by one-shot calls or one stream. */
static size_t allocations(uInt len, int level, int is_stream)
{
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    CHECK_EQ(deflateInit(&stream, level), Z_OK);
    size_t before = 0;
    for (int i = 0; i < 55; i++) {
        if (i == 5)
            before = calls;
        if (is_stream)
            message(&stream, len, Z_FINISH), deflateReset(&stream);
        else
            one_shot(len, level);
    }
    size_t made = calls - before;
    deflateEnd(&stream);
    return made;
}

int main(void)
{
    setenv("RIGZ_THREADS", "1", 1);
    begin();
    int is_ours = getenv("RIGZ_EXPECT") != NULL && strcmp(getenv("RIGZ_EXPECT"), "1") == 0;
    plain = prose(PLAIN, 5);
    packed = malloc(PACKED);

    size_t before = live;
    for (int level = 9; level >= 1; level--) {
        peak = live;
        z_stream stream;
        memset(&stream, 0, sizeof stream);
        CHECK_EQ(deflateInit(&stream, level), Z_OK);
        for (uInt at = 0; at < PLAIN; at += 65536) {
            stream.next_in = plain + at, stream.avail_in = 65536;
            stream.next_out = packed, stream.avail_out = PACKED;
            CHECK_EQ(deflate(&stream, Z_NO_FLUSH), Z_OK);
        }
        message(&stream, 0, Z_FINISH);
        deflateEnd(&stream);
        printf("note: level %d: %zu KiB at most, %zu KiB kept\n", level, (peak - before) >> 10, (live - before) >> 10);
        /* Level 9 comes first: its cached memory must suffice for all other levels. */
        if (is_ours && getenv("RIGZ_LEVEL_MAP") == NULL)
            CHECK(peak - before < 2 << 20);
    }
    for (int level = 1; level <= 9; level++) {
        for (int i = 0; i < 4; i++) {
            size_t made = allocations(i & 1 ? 10240 : 1024, level, i & 2);
            /* A message allocates nothing; longer data a few small pieces for the pipeline. */
            if (is_ours)
                CHECK(made <= (i & 1 ? 5 * 50 : 0));
        }
    }
    static z_stream streams[STREAMS];
    for (uInt len = 1000; len <= 100000; len *= 10) {
        before = live;
        for (int i = 0; i < STREAMS; i++) {
            CHECK_EQ(deflateInit(&streams[i], 6), Z_OK);
            message(&streams[i], len, Z_SYNC_FLUSH);
            message(&streams[i], len, Z_SYNC_FLUSH);
        }
        size_t each = (live - before) / STREAMS;
        printf("note: a stream at rest behind two messages of %u bytes: %zu bytes\n", len, each);
        for (int i = 0; i < STREAMS; i++)
            deflateEnd(&streams[i]);
        if (is_ours && len >= 10000)
            CHECK(each <= ZLIB_STREAM);
    }
    return 0;
}
