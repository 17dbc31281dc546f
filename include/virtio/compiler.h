/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * What the suite needs from a compiler beyond C11: branch hints, attributes, and one spelling for
 * what C and C++ spell differently. Needs gcc or clang. Nothing here changes a layout.
 *
 * A freestanding program provides memcpy, memset, memmove and memcmp, and a <string.h> that
 * declares them. The suite needs no other standard header than those of a freestanding compiler.
 * <virtio/queue_pthread.h> and <virtio/sys_iovec.h> are the exceptions.
 */
#ifndef VIRTIO_COMPILER_H
#define VIRTIO_COMPILER_H

/*
 * Under gnu89 rules every object defines each inline function, and a program of two objects does
 * not link.
 */
#if defined(__GNUC_GNU_INLINE__) && !defined(__cplusplus)
#error "the headers need C99 inline functions: compile with -std=c99 or later, or without -fgnu89-inline"
#endif

#ifdef __cplusplus
#define VIRTIO_BEGIN_DECLS extern "C" {
#define VIRTIO_END_DECLS }
#define VIRTIO_STATIC_ASSERT(cond, text) static_assert(cond, text)
#else
#define VIRTIO_BEGIN_DECLS
#define VIRTIO_END_DECLS
#define VIRTIO_STATIC_ASSERT(cond, text) _Static_assert(cond, text)
#endif

#define VIRTIO_LIKELY(x) __builtin_expect(!!(x), 1)
#define VIRTIO_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* A fact for the compiler. It must hold whatever a guest does. */
#define VIRTIO_ASSUME(x) ((x) ? (void)0 : __builtin_unreachable())

/* Whether ThreadSanitizer is on, by gcc's name or clang's. */
#if defined(__SANITIZE_THREAD__)
#define VIRTIO_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define VIRTIO_TSAN 1
#endif
#endif

/* For functions off the hot path: out of line, and away from the code that calls them. */
#define VIRTIO_COLD __attribute__((cold, noinline))

/*
 * Replaces the word inline: C99 inline with external linkage. One source file of each library
 * defines this macro as extern inline before it includes the headers. That file has the external
 * copies (C11, 6.7.4).
 */
#ifndef VIRTIO_INLINE
#define VIRTIO_INLINE inline
#endif

/*
 * For functions that a request passes several times: always inlined. An external copy exists too.
 */
#define VIRTIO_HOT __attribute__((always_inline))

/* The result says whether the operation happened. A caller that ignores it has a bug. */
#define VIRTIO_MUST_CHECK __attribute__((warn_unused_result))

#endif
