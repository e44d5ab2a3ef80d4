/* The program's state is unchanged after much work with threads and files: locale, umask, limits, environment, folder,
 * signal handlers, masks and stack, descriptors, stdio. */
#include "check.h"
#include <locale.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { LEN = 3 << 20 };
extern char **environ;

struct world {
    char locale[200], folder[500], environment[20000], descriptors[300];
    mode_t mask;
    struct rlimit limits[RLIMIT_NLIMITS];
    void (*handlers[65])(int);
    int flags[65], priority;
    sigset_t blocked;
    stack_t stack;
    cpu_set_t processors;
};

static void look(struct world *world)
{
    memset(world, 0, sizeof *world);
    snprintf(world->locale, sizeof world->locale, "%s", setlocale(LC_ALL, NULL));
    CHECK(getcwd(world->folder, sizeof world->folder) != NULL);
    for (char **variable = environ; *variable != NULL; variable++)
        strncat(world->environment, *variable, sizeof world->environment - strlen(world->environment) - 1);
    for (int fd = 0; fd < 300; fd++)
        world->descriptors[fd] = (char)(fcntl(fd, F_GETFL) & 0x7f);
    world->mask = umask(0);
    umask(world->mask);
    for (int i = 0; i < RLIMIT_NLIMITS; i++)
        CHECK_EQ(getrlimit((__rlimit_resource_t)i, &world->limits[i]), 0);
    for (int i = 1; i < 65; i++) {
        struct sigaction action;
        if (sigaction(i, NULL, &action) == 0)
            world->handlers[i] = action.sa_handler, world->flags[i] = action.sa_flags;
    }
    world->priority = getpriority(PRIO_PROCESS, 0);
    CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &world->blocked), 0);
    CHECK_EQ(sigaltstack(NULL, &world->stack), 0);
    CHECK_EQ(sched_getaffinity(0, sizeof world->processors, &world->processors), 0);
}

static void ignore(int number)
{
    (void)number;
}

int main(void)
{
    begin();
    static struct world before, after;
    setlocale(LC_ALL, "C.UTF-8");
    umask(0137);
    setenv("SOMETHING", "of the program's", 1);
    signal(SIGUSR2, ignore);
    sigset_t some;
    sigemptyset(&some), sigaddset(&some, SIGWINCH);
    CHECK_EQ(pthread_sigmask(SIG_BLOCK, &some, NULL), 0);
    Bytef *plain = prose(LEN, 721), *back = allocate(LEN);
    const char *path = scratch("untouched.gz");
    look(&before);
    for (int level = 1; level < 10; level += 4) {
        size_t len;
        Bytef *packed = pack(plain, LEN, level, 31, &len);
        check_unpacks(packed, len, 31, plain, LEN);
        free(packed);
        gzFile file = gzopen(path, "wb");
        CHECK(file != NULL && gzwrite(file, plain, LEN) == LEN && gzprintf(file, "%d %s", level, "end") == 5 && gzclose(file) == Z_OK);
        struct stat made;
        CHECK_EQ(stat(path, &made), 0);
        CHECK_EQ(made.st_mode & 0777, 0640);
        file = gzopen(path, "rb");
        CHECK(file != NULL && gzread(file, back, LEN) == LEN && gzclose(file) == Z_OK);
        CHECK(gzopen("/no/such/file", "rb") == NULL);
        unlink(path);
    }
    look(&after);
    CHECK(memcmp(&before, &after, sizeof before) == 0);
    free(plain), free(back);
    return 0;
}
