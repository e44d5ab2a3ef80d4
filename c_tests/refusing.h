/* refusing.h - a malloc that fails on request: the program's own malloc replaces the C library's in every library of the
 * process. It calls glibc's by its other names.
 */
#ifndef REFUSING_H
#define REFUSING_H

#include "check.h"
#include <malloc.h>

void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);
void __libc_free(void *);

static size_t asked;                   /* calls since `refuse_from` was set */
static size_t refuse_from, refuse_to;  /* the calls that fail, counted from 1; none if 0 */
static long failed;                    /* calls that failed since then */
static long live, live_bytes, most_bytes; /* currently allocated, and the peak */
static long bytes_left = -1;           /* the limit of bytes; none when negative */
static long largest;                   /* the largest piece asked for */

static inline int refused(size_t size)
{
    long before = __atomic_load_n(&live_bytes, __ATOMIC_RELAXED), limit = __atomic_load_n(&bytes_left, __ATOMIC_RELAXED);
    size_t call = __atomic_add_fetch(&asked, 1, __ATOMIC_RELAXED);
    if ((long)size > largest)
        largest = (long)size;
    int no = (refuse_from && call >= refuse_from && call <= refuse_to) || (limit >= 0 && before + (long)size > limit);
    if (no) {
        __atomic_add_fetch(&failed, 1, __ATOMIC_RELAXED);
        errno = ENOMEM;
    }
    return no;
}

static inline void *given(void *memory)
{
    if (memory != NULL) {
        long now = __atomic_add_fetch(&live_bytes, (long)malloc_usable_size(memory), __ATOMIC_RELAXED);
        __atomic_add_fetch(&live, 1, __ATOMIC_RELAXED);
        if (now > most_bytes)
            most_bytes = now;
    }
    return memory;
}

static inline void taken(void *memory)
{
    if (memory != NULL) {
        __atomic_sub_fetch(&live_bytes, (long)malloc_usable_size(memory), __ATOMIC_RELAXED);
        __atomic_sub_fetch(&live, 1, __ATOMIC_RELAXED);
    }
}

void *malloc(size_t size)
{
    return refused(size) ? NULL : given(__libc_malloc(size));
}

void *calloc(size_t items, size_t size)
{
    return refused(items * size) ? NULL : given(__libc_calloc(items, size));
}

void *realloc(void *memory, size_t size)
{
    if (refused(size))
        return NULL;
    taken(memory);
    return given(__libc_realloc(memory, size));
}

void *memalign(size_t alignment, size_t size)
{
    return refused(size) ? NULL : given(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    void *place = memalign(alignment, size);
    if (place == NULL)
        return ENOMEM;
    *memory = place;
    return 0;
}

void free(void *memory)
{
    taken(memory);
    __libc_free(memory);
}

/* Makes calls number `from` to `to` fail, counted from now; all from `from` on if `to` is (size_t)-1; none if `from` is 0. */
static inline void refuse(size_t from, size_t to)
{
    asked = 0, failed = 0, refuse_from = from, refuse_to = to;
}

#endif /* REFUSING_H */
