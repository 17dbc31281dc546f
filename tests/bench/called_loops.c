/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The library through its out-of-line symbols, as an unoptimised caller or another language uses it. */
#include "called_symbols.h"

#define LOOP(name) called_##name
#define CALL(function) called_##function

#include "library_loops.h"
