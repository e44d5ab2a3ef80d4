/* zconf.h - the types and the calling convention of the zlib interface, as rigz offers it.
 *
 * zlib.h includes this file; programs rarely do so themselves. It holds what depends on the platform: integer and pointer
 * names, the width of file offsets, and the words that surround a declaration. The names and their meanings are those of
 * zlib 1.3, so that a program written for zlib compiles without a change. rigz is built for 64-bit Unix systems, which
 * makes this page short: `long` and pointers have 64 bits, `int` has 32, and the compiler speaks at least C89 with prototypes.
 *
 * What an application may define before the first include:
 *   ZLIB_CONST            the pointers into input (`next_in`, `msg`, in_func's buffer) point to const
 *   _FILE_OFFSET_BITS=64  gzopen and the like are the 64-bit functions (Z_WANT64 asks for the same)
 *   _LARGEFILE64_SOURCE   as in libc; z_off64_t is then off64_t
 *   Z_SOLO                no gz* functions, no compress/uncompress, no libc types
 * Z_PREFIX is not offered: it renames every function to z_..., and the library exports no such names.
 *
 * Licence: see LICENSE.md (the zlib licence).
 */
#ifndef ZCONF_H
#define ZCONF_H

#ifdef Z_PREFIX
#  error "rigz exports zlib's own names; if you need names like z_deflate, build zlib with Z_PREFIX"
#endif

#ifndef STDC
#  define STDC
#endif

/* Headers that programs have always received through zconf.h. */
#include <limits.h>
#include <stddef.h>
#include <stdarg.h>
#ifndef Z_SOLO
#  include <sys/types.h>
#  include <unistd.h>
#  define Z_HAVE_UNISTD_H
#endif
#define Z_HAVE_STDARG_H

/* Limits of deflateInit2 and inflateInit2. */
#ifndef MAX_MEM_LEVEL
#  define MAX_MEM_LEVEL 9   /* memLevel runs from 1 to this */
#endif
#ifndef MAX_WBITS
#  define MAX_WBITS 15      /* log2 of the largest window: 32 KiB */
#endif

/* Words around declarations. Most are empty on the systems rigz runs on; old programs still write them. */
#ifndef OF
#  define OF(args) args
#endif
#ifndef Z_ARG
#  define Z_ARG(args) args
#endif
#ifndef FAR
#  define FAR
#endif
#ifndef ZEXTERN
#  define ZEXTERN extern
#endif
#ifndef ZEXPORT
#  define ZEXPORT
#endif
#ifndef ZEXPORTVA
#  define ZEXPORTVA
#endif
#if defined(ZLIB_CONST) && !defined(z_const)
#  define z_const const
#elif !defined(z_const)
#  define z_const
#endif

/* Integers. uLong has the width of a pointer here; uInt has 32 bits. */
typedef unsigned char Byte;
typedef unsigned int uInt;
typedef unsigned long uLong;
typedef size_t z_size_t;    /* lengths of the *_z functions, gzfread, gzfwrite */
typedef unsigned int z_crc_t;   /* one entry of get_crc_table(): exactly 32 bits */
#define Z_U4 unsigned

/* The same types, for what pointers refer to. */
typedef Byte FAR Bytef;
typedef char FAR charf;
typedef int FAR intf;
typedef uInt FAR uIntf;
typedef uLong FAR uLongf;
typedef void const *voidpc;
typedef void FAR *voidpf;
typedef void *voidp;

/* File offsets. Z_WANT64 chooses the 64-bit names in zlib.h, Z_LARGE64 says that libc declares off64_t. */
#if defined(_LARGEFILE64_SOURCE) && defined(_LFS64_LARGEFILE) && !defined(Z_SOLO)
#  if _LFS64_LARGEFILE - 0
#    define Z_LFS64
#    ifndef Z_LARGE64
#      define Z_LARGE64
#    endif
#  endif
#endif
#if defined(_FILE_OFFSET_BITS) && !defined(Z_WANT64) && !defined(Z_SOLO)
#  if _FILE_OFFSET_BITS - 0 == 64
#    define Z_WANT64
#  endif
#endif

#if !defined(SEEK_SET) && !defined(Z_SOLO)
#  define SEEK_SET 0
#  define SEEK_CUR 1
#  define SEEK_END 2
#endif

#ifndef z_off_t
#  ifdef Z_SOLO
#    define z_off_t long
#  else
#    define z_off_t off_t
#  endif
#endif
#ifndef z_off64_t
#  ifdef Z_LFS64
#    define z_off64_t off64_t
#  else
#    define z_off64_t z_off_t   /* off_t has 64 bits wherever rigz runs */
#  endif
#endif

#endif /* ZCONF_H */
