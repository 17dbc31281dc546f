/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* cmocka's header needs these headers before it. */
#ifndef VIRTIO_TESTS_README_CMOCKA_INCLUDES_H
#define VIRTIO_TESTS_README_CMOCKA_INCLUDES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
