/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The library through its headers. */
#include "loops.h"

#define LOOP(name) inline_##name
#define CALL(function) function

#include "library_loops.h"
