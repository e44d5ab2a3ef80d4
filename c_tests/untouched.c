/* Compressing and decompressing, also with threads and files, leaves the process state unchanged: locale, working directory,
 * environment, umask, resource limits, priority, CPU affinity, signal handlers, signal mask, alternate signal stack, open descriptors
 * and their flags. */
#include "check.h"
#include <locale.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { LEN = 3 << 20 };
extern char **environ;

struct process_state {
    char locale[200], directory[500], environment[20000];
    int descriptors[300];
    mode_t mask;
    struct rlimit limits[RLIMIT_NLIMITS];
    void (*handlers[65])(int);
    int handler_flags[65], priority;
    sigset_t blocked;
    stack_t stack;
    cpu_set_t processors;
};

static void read_state(struct process_state *state)
{
    memset(state, 0, sizeof *state);
    snprintf(state->locale, sizeof state->locale, "%s", setlocale(LC_ALL, NULL));
    CHECK(getcwd(state->directory, sizeof state->directory) != NULL);
    for (char **variable = environ; *variable != NULL; variable++)
        strncat(state->environment, *variable, sizeof state->environment - strlen(state->environment) - 1);
    for (int fd = 0; fd < 300; fd++)
        state->descriptors[fd] = fcntl(fd, F_GETFL);
    state->mask = umask(0);
    umask(state->mask);
    for (int i = 0; i < RLIMIT_NLIMITS; i++)
        CHECK_EQ(getrlimit((__rlimit_resource_t)i, &state->limits[i]), 0);
    for (int i = 1; i < 65; i++) {
        struct sigaction action;
        if (sigaction(i, NULL, &action) == 0)
            state->handlers[i] = action.sa_handler, state->handler_flags[i] = action.sa_flags;
    }
    state->priority = getpriority(PRIO_PROCESS, 0);
    CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &state->blocked), 0);
    CHECK_EQ(sigaltstack(NULL, &state->stack), 0);
    CHECK_EQ(sched_getaffinity(0, sizeof state->processors, &state->processors), 0);
}

static void ignore(int number)
{
    (void)number;
}

int main(void)
{
    begin();
    static struct process_state before, after;
    setlocale(LC_ALL, "C.UTF-8");
    umask(0137);
    setenv("SOMETHING", "of the program's", 1);
    signal(SIGUSR2, ignore);
    sigset_t some;
    sigemptyset(&some), sigaddset(&some, SIGWINCH);
    CHECK_EQ(pthread_sigmask(SIG_BLOCK, &some, NULL), 0);
    Bytef *plain = prose(LEN, 721), *back = allocate(LEN);
    const char *path = scratch("untouched.gz");
    read_state(&before);
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
    read_state(&after);
    CHECK(memcmp(&before, &after, sizeof before) == 0);
    free(plain), free(back);
    return 0;
}
