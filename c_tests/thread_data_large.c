/* As thread_data, with 1 MiB of thread-local data: more than the stack that the library requests for its threads. glibc takes this
 * data from a thread's stack, so the library must add its size. */
/* alone: counts threads */
#define DATA_BYTES (1 << 20)
#include "thread_data.c"
