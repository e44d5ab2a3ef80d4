/* fork while two threads compress, decompress and write files, and this thread is in the middle of a file. The child forks again;
 * child and grandchild each complete a copy of the file. Then the child runs this program again, which compresses: by exec in odd
 * rounds, by posix_spawn in even ones. */
#include "check.h"
#include <pthread.h>
#include <spawn.h>

enum { LEN = 1200 << 10, ROUNDS = 6 }; /* several chunks, so that rigz compresses with threads */
static Bytef *plain;
static int stop;

static void once(int level)
{
    size_t len;
    Bytef *packed = pack(plain, LEN, level, 31, &len);
    check_unpacks(packed, len, 31, plain, LEN);
    free(packed);
}

static void *busy(void *unused)
{
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
        once(1);
        gzFile file = gzopen("/dev/null", "wb1");
        CHECK(file != NULL && gzwrite(file, plain, LEN) == LEN && gzclose(file) == Z_OK);
    }
    return unused;
}

/* Writes the second half, closes the file, checks all of it and removes it. */
static void finish(gzFile file, const char *path)
{
    Bytef *back = allocate(2 * LEN);
    CHECK_EQ(gzwrite(file, plain, LEN), LEN);
    CHECK_EQ(gzclose(file), Z_OK);
    file = gzopen(path, "rb");
    CHECK(file != NULL);
    CHECK_EQ(gzread(file, back, 2 * LEN), 2 * LEN);
    CHECK(memcmp(back, plain, LEN) == 0 && memcmp(back + LEN, plain, LEN) == 0);
    CHECK_EQ(gzclose(file), Z_OK);
    unlink(path);
    free(back);
}

/* Copies what is written of the file so far to a new file, and makes `fd` refer to that one in this process. */
static void move_to(int fd, const char *from, const char *to)
{
    static char part[1 << 16];
    int source = open(from, O_RDONLY), target = open(to, O_RDWR | O_CREAT | O_TRUNC, 0600);
    ssize_t got;
    CHECK(source >= 0 && target >= 0);
    while ((got = read(source, part, sizeof part)) > 0)
        CHECK_EQ(write(target, part, (size_t)got), got);
    CHECK_EQ(dup2(target, fd), fd);
    close(source), close(target);
}

int main(int argc, char **argv)
{
    begin();
    plain = prose(LEN, 235);
    if (argc > 1) { /* the program that a child became */
        once(6);
        return 0;
    }
    char name[100], path[600], own[640];
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, busy, NULL), 0);
    for (int round = 0; round < ROUNDS; round++) {
        snprintf(name, sizeof name, "parent-%d.gz", round);
        snprintf(path, sizeof path, "%s", scratch(name));
        int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
        gzFile file = gzdopen(fd, round % 2 ? "wb1" : "wb6");
        CHECK(file != NULL);
        CHECK_EQ(gzwrite(file, plain, LEN), LEN);
        if (round % 3 == 2)
            CHECK_EQ(gzflush(file, Z_SYNC_FLUSH), Z_OK);

        pid_t child = fork_for(120);
        if (child == 0) {
            pid_t grandchild = fork_for(120);
            snprintf(own, sizeof own, "%s-%ld", path, (long)getpid());
            move_to(fd, path, own); /* the parent waits for us before it writes on */
            finish(file, own);
            once(1);
            if (grandchild == 0)
                _exit(0);
            CHECK_EQ(child_status(grandchild), 0);
            if (round % 2) {
                execl("/proc/self/exe", argv[0], "again", (char *)NULL);
                _exit(127);
            }
            pid_t spawned;
            char *const arguments[] = {argv[0], "again", NULL};
            extern char **environ;
            CHECK_EQ(posix_spawn(&spawned, "/proc/self/exe", NULL, NULL, arguments, environ), 0);
            _exit(child_status(spawned));
        }
        CHECK_EQ(child_status(child), 0);
        finish(file, path);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    free(plain);
    return 0;
}
