/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Includes cmocka, and before it the headers that cmocka needs. */
#ifndef CMOCKA_INCLUDES_H
#define CMOCKA_INCLUDES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
