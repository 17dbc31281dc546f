/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* All that the libraries need from a C library. The check fails if they need more. */
#ifndef CHECK_STRING_H
#define CHECK_STRING_H

#include <stddef.h>

void *memcpy(void *dst, const void *src, size_t len);
void *memmove(void *dst, const void *src, size_t len);
void *memset(void *dst, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);

#endif
