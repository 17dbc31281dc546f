/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The steps in an input of the memory harness. A step is a byte. Bits 0 to 3, modulo MEMORY_STEPS,
 * select the step, and the other bits are flags. An address follows, then the arguments that the
 * step's function in device.c or driver.c reads.
 */
#ifndef VIRTIO_FUZZ_MEMORY_STEPS_H
#define VIRTIO_FUZZ_MEMORY_STEPS_H

enum memory_step {
	MEMORY_READ,
	MEMORY_WRITE,
	MEMORY_CHECK,
	MEMORY_FIND,
	MEMORY_SEGMENT,
	MEMORY_SEGMENTS,
	MEMORY_LOAD,
	MEMORY_STORE,
	MEMORY_MARK,
	MEMORY_IOVEC,
	MEMORY_LOG,
	MEMORY_POKE,
	MEMORY_MAP_PAGE,
	MEMORY_CURSOR,
	MEMORY_STEPS,
};

#define MEMORY_CURSOR_1 0x10 /* uses the second cursor */
#define MEMORY_AGAIN 0x20    /* begins at the start of the last access; no address follows */
#define MEMORY_BEHIND 0x40   /* with MEMORY_AGAIN: begins at the end of the last access */

#endif
