/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The compiler's extensions to C11 that the suite needs: branch hints, attributes, and one spelling
 * for words that C and C++ spell differently. The suite needs gcc or clang. Nothing here changes a
 * structure's layout.
 *
 * A freestanding program provides memcpy, memset, memmove and memcmp, and a <string.h> that
 * declares them. All other standard headers come with a freestanding compiler. Only
 * <virtio/queue_pthread.h>, <virtio/sys_iovec.h> and <virtio/blk_file.h> need more headers.
 */
#ifndef VIRTIO_COMPILER_H
#define VIRTIO_COMPILER_H

/*
 * Under gnu89 rules every object file defines each inline function, so a program of two object
 * files does not link.
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

/* Tells the compiler that x is true. x must be true whatever a guest does. */
#define VIRTIO_ASSUME(x) ((x) ? (void)0 : __builtin_unreachable())

/* Defined if ThreadSanitizer is on. gcc and clang report ThreadSanitizer in different ways. */
#if defined(__SANITIZE_THREAD__)
#define VIRTIO_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define VIRTIO_TSAN 1
#endif
#endif

/* For functions that are not on the fast path: never inlined, and placed apart from hot code. */
#define VIRTIO_COLD __attribute__((cold, noinline))

/*
 * Stands for the keyword inline: C99 inline with external linkage. In each library that has inline
 * functions, one source file defines this macro as extern inline, and then includes the headers of
 * these functions. That file contains the external copies (C11, 6.7.4).
 */
#ifndef VIRTIO_INLINE
#define VIRTIO_INLINE inline
#endif

/* For functions on the fast path: always inlined. VIRTIO_INLINE adds an external copy. */
#define VIRTIO_HOT __attribute__((always_inline))

/* For functions whose result the caller must act on. A caller that ignores the result has a bug. */
#define VIRTIO_MUST_CHECK __attribute__((warn_unused_result))

#endif
