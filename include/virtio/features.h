/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Sets of feature bits.
 *
 * A bit has the number that the specification gives it, such as VIRTIO_RING_F_EVENT_IDX of
 * <virtio/bindings/virtio_ring.h>. A set is an array of four 32-bit words, as in
 * <virtio/device.h>. Device types and vhost-user use a 64-bit mask of the bits 0 to 63 instead.
 *
 *	virtio_features_from_u64(options.features, virtio_blk_offered(&blk));
 *	virtio_feature_set(options.features, VIRTIO_RING_F_EVENT_IDX);
 *
 * Threads:
 *   functions                             who may call   what must not run beside
 *   virtio_feature_set(),                 any thread     another call on the same set
 *   virtio_features_from_u64()
 *   all other functions                   any thread     a change of the same set
 *
 * No function fails.
 *
 * virtio 1.4, 2.2 and 6
 */
#ifndef VIRTIO_FEATURES_H
#define VIRTIO_FEATURES_H

#include <stdbool.h>
#include <stdint.h>
#include <virtio/compiler.h>

VIRTIO_BEGIN_DECLS

#define VIRTIO_FEATURE_WORDS 4 /* 32-bit words of a set: 128 feature bits (virtio 1.4, 2.2) */

/*
 * Mask of the feature bits 0 to 23, which each device type defines for itself (virtio 1.4, 2.2).
 * Bits 41, 42 and 50 to 127 also belong to device types. Block, console and socket devices do not
 * use them.
 */
#define VIRTIO_DEVICE_TYPE_FEATURES ((UINT64_C(1) << 24) - 1)

/*
 * Adds a bit to a set.
 *
 * @words  the set
 * @bit    any number; above 127 nothing changes
 */
VIRTIO_INLINE void virtio_feature_set(uint32_t words[VIRTIO_FEATURE_WORDS], uint32_t bit);

/*
 * Returns whether a set has a bit.
 *
 * @words  the set
 * @bit    any number; above 127 the result is false
 */
VIRTIO_INLINE bool virtio_feature_has(const uint32_t words[VIRTIO_FEATURE_WORDS], uint32_t bit);

/*
 * Makes a set from a mask. Bit i of the mask is feature bit i. The set has no bits above 63.
 *
 * @words  the set; every word is written
 */
VIRTIO_INLINE void virtio_features_from_u64(uint32_t words[VIRTIO_FEATURE_WORDS], uint64_t mask);

/* Returns the mask of a set, without bits above 63. */
VIRTIO_INLINE uint64_t virtio_features_to_u64(const uint32_t words[VIRTIO_FEATURE_WORDS]);

/*
 * Returns the mask of one feature bit.
 *
 * @bit  any number; above 63 the mask is 0
 */
VIRTIO_INLINE uint64_t virtio_feature_mask(uint32_t bit);

VIRTIO_END_DECLS

#include <virtio/inline/features.h>

#endif
