/* As thread_data, with more thread-local data than a worker's whole stack was once. */
/* alone: counts threads */
#define DATA_BYTES (1 << 20)
#include "thread_data.c"
