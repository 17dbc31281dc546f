/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The external copies of the inline functions, for callers that compile without optimisation, take
 * a function's address, or use another language: see VIRTIO_INLINE.
 */
#define VIRTIO_INLINE extern inline
#include <virtio/descriptor.h>
#include <virtio/features.h>
#include <virtio/request.h>
