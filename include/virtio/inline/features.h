/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Inline bodies of <virtio/features.h>, which includes this file. Do not include it directly.
 */
#ifndef VIRTIO_INLINE_FEATURES_H
#define VIRTIO_INLINE_FEATURES_H

#include <virtio/features.h>

VIRTIO_BEGIN_DECLS

VIRTIO_INLINE void virtio_feature_set(uint32_t words[VIRTIO_FEATURE_WORDS], uint32_t bit)
{
	if (bit < 32 * VIRTIO_FEATURE_WORDS)
		words[bit / 32] |= (uint32_t)1 << bit % 32;
}

VIRTIO_INLINE bool virtio_feature_has(const uint32_t words[VIRTIO_FEATURE_WORDS], uint32_t bit)
{
	return bit < 32 * VIRTIO_FEATURE_WORDS && (words[bit / 32] >> bit % 32 & 1) != 0;
}

VIRTIO_INLINE void virtio_features_from_u64(uint32_t words[VIRTIO_FEATURE_WORDS], uint64_t mask)
{
	words[0] = (uint32_t)mask;
	words[1] = (uint32_t)(mask >> 32);
	for (uint32_t i = 2; i < VIRTIO_FEATURE_WORDS; i++)
		words[i] = 0;
}

VIRTIO_INLINE uint64_t virtio_features_to_u64(const uint32_t words[VIRTIO_FEATURE_WORDS])
{
	return words[0] | (uint64_t)words[1] << 32;
}

VIRTIO_INLINE uint64_t virtio_feature_mask(uint32_t bit)
{
	return bit < 64 ? (uint64_t)1 << bit : 0;
}

VIRTIO_END_DECLS

#endif
