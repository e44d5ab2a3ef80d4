/* check.h - shared by the programs of this folder.
 *
 * Each program tests one hazard and could have been written by a user. If all checks hold, it returns 0 and prints only notes:
 * lines that begin with "note: ", which list skipped checks and measured values. Else it prints the failed check and returns 1.
 * The same binary runs on the system's zlib, which is the reference, and on rigz. `run` sets RIGZ_EXPECT to 1 if the library must
 * be rigz and to 0 if it must not; `begin` checks it. Without it, any library is accepted.
 */
#ifndef CHECK_H
#define CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#define CHECK(condition)                                                                  \
    do {                                                                                  \
        if (!(condition)) {                                                               \
            fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
            exit(1);                                                                      \
        }                                                                                 \
    } while (0)

#define CHECK_EQ(found, wanted)                                                           \
    do {                                                                                  \
        long long found_ = (long long)(found), wanted_ = (long long)(wanted);             \
        if (found_ != wanted_) {                                                          \
            fprintf(stderr, "%s:%d: %s is %lld, wanted %lld (%s)\n", __FILE__, __LINE__,  \
                    #found, found_, wanted_, #wanted);                                    \
            exit(1);                                                                      \
        }                                                                                 \
    } while (0)

#define CHECK_STR(found, wanted)                                                          \
    do {                                                                                  \
        const char *found_ = (found), *wanted_ = (wanted);                                \
        if (found_ == NULL || strcmp(found_, wanted_) != 0) {                             \
            fprintf(stderr, "%s:%d: %s is \"%s\", wanted \"%s\"\n", __FILE__, __LINE__,   \
                    #found, found_ ? found_ : "(null)", wanted_);                         \
            exit(1);                                                                      \
        }                                                                                 \
    } while (0)

/* Whether the functions this program calls are rigz's. */
static inline int is_rigz(void)
{
    void *ours = dlsym(RTLD_DEFAULT, "rigz_version"), *bound = dlsym(RTLD_DEFAULT, "deflate");
    Dl_info rigz, zlib;
    if (ours == NULL)
        return 0;
    CHECK(bound != NULL && dladdr(ours, &rigz) && dladdr(bound, &zlib));
    return rigz.dli_fbase == zlib.dli_fbase;
}

/* Ends the process by SIGALRM after `seconds`, in case it hangs. C_TESTS_PATIENCE multiplies the time, for slow instruments such
 * as sanitizers. */
static inline void end_after(unsigned seconds)
{
    const char *patience = getenv("C_TESTS_PATIENCE");
    alarm(seconds * (patience != NULL ? (unsigned)atoi(patience) : 1));
}

/* First line of each main: proves that the library is the expected one, and ends a hanging program. */
static inline void begin(void)
{
    const char *expect = getenv("RIGZ_EXPECT");
    if (expect != NULL)
        CHECK_EQ(is_rigz(), atoi(expect));
    end_after(300);
}

/* Sets the function pointer to the library's function `name`, or to NULL with a note if an older zlib lacks it. dlsym's result is
 * stored through a void **, as POSIX recommends, since ISO C can't convert it to a function pointer. */
#define OPTIONAL(pointer, name)                                                           \
    do {                                                                                  \
        *(void **)&(pointer) = dlsym(RTLD_DEFAULT, name);                                 \
        if ((pointer) == NULL) {                                                          \
            CHECK(!is_rigz());                                                            \
            printf("note: no %s here\n", name);                                           \
        }                                                                                 \
    } while (0)

/* ------------------------------------------------------------------------------------------------ data */

static inline uint32_t random_next(uint32_t *state)
{
    uint32_t x = *state;
    x ^= x << 13, x ^= x >> 17, x ^= x << 5;
    return *state = x;
}

static inline void *allocate(size_t len)
{
    void *memory = malloc(len ? len : 1);
    CHECK(memory != NULL);
    return memory;
}

/* Bytes that no compressor can shorten. */
static inline Bytef *noise(size_t len, uint32_t seed)
{
    Bytef *bytes = allocate(len);
    seed = seed * 2654435761u + 1;
    for (size_t i = 0; i < len; i++)
        bytes[i] = (Bytef)(random_next(&seed) >> 11);
    return bytes;
}

/* Lines of words, most of them common, a few never seen before: about as compressible as prose. */
static inline Bytef *prose(size_t len, uint32_t seed)
{
    static const char *const words[] = {"the", "window", "of", "a", "stream", "and", "its", "match", "is", "found", "in",
                                        "chain", "literal", "then", "length", "offset", "block", "to", "header", "code"};
    Bytef *text = allocate(len);
    seed = seed * 2654435761u + 1;
    for (size_t i = 0; i < len;) {
        uint32_t r = random_next(&seed);
        char made[12];
        const char *word = words[(r >> 8) % 20];
        if ((r & 15) == 0) {
            snprintf(made, sizeof made, "%x", (unsigned)random_next(&seed));
            word = made;
        }
        for (; *word && i < len; word++)
            text[i++] = (Bytef)*word;
        if (i < len)
            text[i++] = (r >> 4 & 15) == 0 ? '\n' : ' ';
    }
    return text;
}

/* ------------------------------------------------------------------------------------------------ streams */

/* deflateInit2 with default memory and strategy. */
static inline void deflate_start(z_stream *strm, int level, int window_bits)
{
    memset(strm, 0, sizeof *strm);
    CHECK_EQ(deflateInit2(strm, level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
}

static inline void inflate_start(z_stream *strm, int window_bits)
{
    memset(strm, 0, sizeof *strm);
    CHECK_EQ(inflateInit2(strm, window_bits), Z_OK);
}

/* Compresses in one call into fresh memory. */
static inline Bytef *pack(const Bytef *plain, size_t len, int level, int window_bits, size_t *packed_len)
{
    z_stream strm;
    deflate_start(&strm, level, window_bits);
    size_t room = deflateBound(&strm, len);
    Bytef *packed = allocate(room);
    strm.next_in = (Bytef *)plain, strm.avail_in = (uInt)len;
    strm.next_out = packed, strm.avail_out = (uInt)room;
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    *packed_len = strm.total_out;
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    return packed;
}

/* Decompresses and compares with what it should be. */
static inline void check_unpacks(const Bytef *packed, size_t packed_len, int window_bits, const Bytef *plain, size_t len)
{
    z_stream strm;
    inflate_start(&strm, window_bits);
    Bytef *back = allocate(len + 1);
    strm.next_in = (Bytef *)packed, strm.avail_in = (uInt)packed_len;
    strm.next_out = back, strm.avail_out = (uInt)len + 1;
    CHECK_EQ(inflate(&strm, Z_FINISH), Z_STREAM_END);
    CHECK_EQ(strm.total_out, len);
    CHECK_EQ(strm.avail_in, 0);
    CHECK(memcmp(back, plain, len) == 0);
    CHECK_EQ(inflateEnd(&strm), Z_OK);
    free(back);
}

/* For zalloc: `allocations_left` more calls succeed, later ones return NULL. */
static int allocations_left;

static inline voidpf limited_alloc(voidpf opaque, uInt items, uInt size)
{
    (void)opaque;
    return allocations_left-- > 0 ? calloc(items, size) : NULL;
}

static inline void limited_free(voidpf opaque, voidpf memory)
{
    (void)opaque;
    free(memory);
}

/* Forks. SIGALRM ends the child after `seconds`; the parent keeps its own time limit. */
static inline pid_t fork_for(unsigned seconds)
{
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        end_after(seconds);
    return child;
}

/* The exit status of a child: 0 if all its checks held. If a signal killed it: 128 plus the signal's number. */
static inline int child_status(pid_t child)
{
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The number of entries of a folder: threads in /proc/self/task, open files in /proc/self/fd (this function's own included). */
static inline int entries(const char *folder)
{
    int count = 0;
    DIR *list = opendir(folder);
    CHECK(list != NULL);
    for (struct dirent *entry; (entry = readdir(list)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(list);
    return count;
}

/* Whether fewer threads can run than the machine has processors, by /proc/loadavg. If not, rigz may decode nothing ahead. */
static inline int has_idle_processor(void)
{
    int running = 0;
    FILE *load = fopen("/proc/loadavg", "r");
    CHECK(load != NULL && fscanf(load, "%*s %*s %*s %d/", &running) == 1);
    fclose(load);
    return running < sysconf(_SC_NPROCESSORS_ONLN);
}

/* The path of a file in TMPDIR (else /tmp), unique to this process. The buffer is reused by the fourth call after this one. */
static inline const char *scratch(const char *name)
{
    static char path[4][512];
    static int turn;
    const char *folder = getenv("TMPDIR");
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%ld-%s", folder ? folder : "/tmp", (long)getpid(), name);
    return path[turn];
}

#endif /* CHECK_H */
