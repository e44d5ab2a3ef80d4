/* As thread_data, with more thread-local data than the former size of a worker's whole stack. */
/* alone: counts threads */
#define DATA_BYTES (1 << 20)
#include "thread_data.c"
