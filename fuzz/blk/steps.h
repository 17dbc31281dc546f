/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The bytes of an input of the block harness. An input has these parts, in this order:
 *
 * - memory, then the details of memory
 * - queue
 * - options (16 bits), then their details in the order of the bits
 * - steps; the function of a step reads the step's arguments from the bytes after it
 */
#ifndef VIRTIO_FUZZ_BLK_STEPS_H
#define VIRTIO_FUZZ_BLK_STEPS_H

/* Memory. */
#define BLK_M_TOP 0x03    /* selects the start address; 3 is the top of the address space */
#define BLK_M_POINTS 0x04 /* regions cut at points, perhaps with holes between them */
#define BLK_M_FINE 0x08   /* up to 100 regions of at most 40 bytes each */
#define BLK_M_LOGGED 0x10
#define BLK_M_PAGES 0x40 /* a translation */

/* Queue: log2 of the size, and flags. */
#define BLK_Q_EVENT_IDX 0x08
#define BLK_Q_NO_INDIRECT 0x10
#define BLK_Q_IN_ORDER 0x20

/* Options. */
#define BLK_O_READ_ONLY 0x0001
#define BLK_O_WCE 0x0002
#define BLK_O_NO_FLUSH 0x0004
#define BLK_O_DISCARD 0x0008      /* followed by two limits: sectors in a range, and ranges */
#define BLK_O_WRITE_ZEROES 0x0010 /* followed by the same two limits */
#define BLK_O_SECURE_ERASE 0x0020 /* followed by the same two limits */
#define BLK_O_MAY_UNMAP 0x0040
#define BLK_O_LIFETIME 0x0080
#define BLK_O_MEMORY 0x0100   /* the library's back end in memory does the work */
#define BLK_O_LIMIT 0x0200    /* followed by max_request_bytes / 64 */
#define BLK_O_FIELDS 0x0400   /* followed by a byte that selects configuration fields */
#define BLK_O_CAPACITY 0x0800 /* followed by the capacity in sectors (16 without this bit) */
#define BLK_O_WRONG 0x1000    /* followed by a byte that selects a change, perhaps an invalid one */
#define BLK_O_SMALL 0x2000    /* followed by the room for segments and for ranges */
#define BLK_O_SUBSET 0x4000   /* followed by 3 bytes that mask the offered features */
#define BLK_O_VECTOR 0x8000   /* followed by max_iovecs (64 without this bit) */

/* Some values for BLK_O_WRONG. */
#define BLK_W_NO_OPS 0xe0 /* to 0xef: an asynchronous disk; an odd byte lets it flush */
#define BLK_W_FLUSH 0xf0  /* a disk whose options say that it can flush */

/* A byte below 0x80 selects a step of the driver, modulo the number of steps. */
enum blk_driver_step {
	BLK_REQUEST, /* adds a well-formed chain with any request: see enum blk_request_flag */
	BLK_POKE,    /* writes bytes anywhere */
	BLK_DESC,    /* writes one descriptor */
	BLK_OFFER,   /* makes a head available, and writes no descriptor */
	BLK_CONFIG_WRITE,
	BLK_MAP_PAGE, /* maps a page that was not mapped yet */
	BLK_DRIVER_STEPS,
};

/*
 * The bytes of BLK_REQUEST are, in this order:
 *
 * - the type; after 0xff, a type of 4 bytes
 * - flags, sector
 * - the amount of data: a value below 16 is a number of sectors or ranges; a value from 16 to 254
 *   is 16 plus a number of bytes; after 255, two bytes have the number of bytes, modulo 0x4000
 * - the ranges
 * - the offsets of the readable and of the writable bytes in the data area, in units of 32 bytes
 * - how the readable and the writable bytes are cut into buffers
 */
enum blk_request_flag {
	BLK_R_INDIRECT = 0x01,
	BLK_R_FROM_END = 0x02,  /* the sector is counted back from the capacity */
	BLK_R_SHORT = 0x04,     /* the length of the header follows the flags */
	BLK_R_NO_STATUS = 0x08, /* no writable byte after the data */
	BLK_R_BOTH = 0x10,      /* data in both directions; the second length follows the ranges */
	BLK_R_GAPS = 0x20,      /* buffers are not adjacent */
	BLK_R_NO_DATA = 0x40,   /* the amount of data and the ranges are left out */
};

/*
 * A byte from 0x80 on selects a step of the device, modulo the number of steps. Serve flags are a
 * byte of enum blk_serve_flag. Migrate flags are a byte of enum blk_migrate_flag.
 */
enum blk_device_step {
	BLK_SERVE, /* serves one request at once; serve flags follow */
	BLK_POP,
	BLK_PARSE,
	BLK_EXECUTE,  /* serve flags follow */
	BLK_MOVE,     /* moves one vector; a byte follows: serve flags | (entries - 1) << 4 */
	BLK_OWN,      /* sets a result that the caller has chosen */
	BLK_FINISH,   /* completes a request with its result; serve flags follow */
	BLK_COMPLETE, /* completes a request without status byte, or a completed request again */
	BLK_NOTIFY,
	BLK_CONFIG_READ,
	BLK_RESIZE,
	BLK_NEGOTIATE,
	BLK_RESET,
	BLK_ANY_CHECK, /* checks a request that was never in memory */
	/*
	 * A transfer over addresses without memory. Bit 0 of the next byte is the request's type.
	 * If bit 1 is 0, the length is rounded up to whole sectors.
	 */
	BLK_ANY_TRANSFER,
	BLK_ANY_MEMORY, /* calls the memory back end without a request */
	BLK_MIGRATE,    /* migrate flags follow, then the flags' arguments */
	BLK_DEVICE_STEPS,
};

/* Saves a disk, and restores the state into the same disk or into a new disk. */
enum blk_migrate_flag {
	BLK_G_FEATURES = 0x01,  /* 4 bytes forge the features, masked with the offered features */
	BLK_G_ANY = 0x02,       /* 8 bytes forge the features, not masked */
	BLK_G_CAPACITY = 0x04,  /* a number forges the capacity */
	BLK_G_WRITEBACK = 0x08, /* a byte forges writeback */
	BLK_G_NEW = 0x10,       /* restores into a new disk */
	BLK_G_BEFORE = 0x20,    /* negotiates the state's features before the restore */
	BLK_G_AFTER = 0x40,     /* negotiates the state's features after the restore */
};

enum blk_serve_flag {
	BLK_S_FAULTS = 0x01,   /* a byte of enum blk_fault follows for each call of the back end */
	BLK_S_NO_STATS = 0x02, /* the request is not counted */
	BLK_S_STALE = 0x04,    /* the chain is completed before the request is carried out */
	BLK_S_PARTS = 0x08,    /* separate calls for pop, execute and complete */
};

/*
 * The outcome of a call of the back end. Each constant begins a range of values. Values below
 * BLK_F_SHORT and from BLK_F_FINE on mean success. If the call moves data, a byte with the moved
 * part in 256ths follows BLK_F_SHORT, BLK_F_ERROR and BLK_F_NONSENSE.
 */
enum blk_fault {
	BLK_F_SHORT = 0x80,    /* moves only a part, or yields a lifetime with a reserved value */
	BLK_F_ERROR = 0xa0,    /* an error after a part was moved */
	BLK_F_NONSENSE = 0xb0, /* a failure without an error code */
	BLK_F_TOGGLE = 0xc0,   /* success, while the driver writes to the configuration space */
	BLK_F_POKE = 0xd0,     /* success, while the driver changes memory */
	BLK_F_FINE = 0xe0,
};

#endif
