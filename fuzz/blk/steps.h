/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The bytes of an input of the block harness: what stands at its beginning, and its steps.
 *
 * Beginning: memory, its details; queue; options (16 bits), their details in the order of the bits;
 * features, if BLK_O_SUBSET. Then steps.
 */
#ifndef VIRTIO_FUZZ_BLK_STEPS_H
#define VIRTIO_FUZZ_BLK_STEPS_H

/* Memory. */
#define BLK_M_TOP 0x03    /* mask of the start address; 3: memory ends with the address space */
#define BLK_M_POINTS 0x04 /* regions cut at points, perhaps with holes between them */
#define BLK_M_FINE 0x08   /* up to 100 regions of some bytes */
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
#define BLK_O_DISCARD 0x0008      /* sectors of a range, ranges */
#define BLK_O_WRITE_ZEROES 0x0010 /* likewise */
#define BLK_O_SECURE_ERASE 0x0020 /* likewise */
#define BLK_O_MAY_UNMAP 0x0040
#define BLK_O_LIFETIME 0x0080
#define BLK_O_MEMORY 0x0100   /* the library's back end in memory does the work */
#define BLK_O_LIMIT 0x0200    /* max_request_bytes */
#define BLK_O_FIELDS 0x0400   /* the options that only fill the configuration space */
#define BLK_O_CAPACITY 0x0800 /* in sectors; else 16 */
#define BLK_O_WRONG 0x1000    /* one value that may have to be refused: its number */
#define BLK_O_SMALL 0x2000    /* storage: segments, ranges */
#define BLK_O_SUBSET 0x4000   /* features: 3 bytes, masked with the offered ones; else all */
#define BLK_O_VECTOR 0x8000   /* max_iovecs; else 64 */

/* Some values for BLK_O_WRONG. */
#define BLK_W_NO_OPS 0xe0 /* an asynchronous disk, which can flush if the value is odd */
#define BLK_W_FLUSH 0xf0  /* a disk that claims to flush */

/* A byte below 0x80 selects a step of the driver, modulo their number. */
enum blk_driver_step {
	BLK_REQUEST, /* well behaved, except for what it asks: see enum blk_request_flag */
	BLK_POKE,    /* bytes anywhere */
	BLK_DESC,    /* one descriptor */
	BLK_OFFER,   /* a bare head */
	BLK_CONFIG_WRITE,
	BLK_MAP_PAGE, /* a translation becomes known */
	BLK_DRIVER_STEPS,
};

/*
 * BLK_REQUEST: type (0xff: then 4 bytes), flags, sector, amount of data, ranges, places of what is
 * read and of what is written in units of 32 bytes, cut. An amount below 16 is in sectors, or in
 * ranges for the commands on them. Else it is bytes + 16; 255: two bytes follow.
 */
enum blk_request_flag {
	BLK_R_INDIRECT = 0x01,
	BLK_R_FROM_END = 0x02,  /* the sector counts back from the capacity */
	BLK_R_SHORT = 0x04,     /* header bytes follow the flags */
	BLK_R_NO_STATUS = 0x08, /* no writable byte beyond the data */
	BLK_R_BOTH = 0x10,      /* data in the other direction too: its bytes follow */
	BLK_R_GAPS = 0x20,      /* pieces are not adjacent */
	BLK_R_NO_DATA = 0x40,
};

/* A byte from 0x80 on selects a step of the device, modulo their number. */
enum blk_device_step {
	BLK_SERVE, /* one request at once, with flags: see enum blk_serve_flag */
	BLK_POP,
	BLK_PARSE,
	BLK_EXECUTE,  /* flags */
	BLK_MOVE,     /* flags; one vector of a transfer by the caller */
	BLK_OWN,      /* a result of the caller's own */
	BLK_FINISH,   /* flags; completes one with its result */
	BLK_COMPLETE, /* completes a request without an answer, or a completed one again */
	BLK_NOTIFY,
	BLK_CONFIG_READ,
	BLK_RESIZE,
	BLK_NEGOTIATE,
	BLK_RESET,
	BLK_ANY_CHECK, /* checks a request that was never in memory */
	/* Segments that do not exist. Bit 0: type. Bit 1: any length, else whole sectors. */
	BLK_ANY_TRANSFER,
	BLK_ANY_MEMORY, /* calls of the back end in memory, without a request */
	BLK_MIGRATE,    /* flags: see enum blk_migrate_flag; then their operands */
	BLK_DEVICE_STEPS,
};

/* Saves, and restores into the same disk, or into a new one. */
enum blk_migrate_flag {
	BLK_G_FEATURES = 0x01,  /* other features in the state, masked: 4 bytes */
	BLK_G_ANY = 0x02,       /* any others: 8 bytes */
	BLK_G_CAPACITY = 0x04,  /* another one: a number */
	BLK_G_WRITEBACK = 0x08, /* another one: a byte */
	BLK_G_NEW = 0x10,       /* into a new disk */
	BLK_G_BEFORE = 0x20,    /* the features that were saved are negotiated before the restore */
	BLK_G_AFTER = 0x40,     /* and after it */
};

enum blk_serve_flag {
	BLK_S_FAULTS = 0x01,   /* each call of the back end takes a byte: its outcome */
	BLK_S_NO_STATS = 0x02, /* nothing is counted */
	BLK_S_STALE = 0x04,    /* the chain is completed before the request is carried out */
	BLK_S_PARTS = 0x08,    /* pop, execute and complete, instead of one call */
};

/* The outcome of a call of the back end. Values below BLK_F_SHORT are success. */
enum blk_fault {
	BLK_F_SHORT = 0x80,    /* less than asked for; the lower bits say how much */
	BLK_F_ERROR = 0xa0,    /* an error after some bytes were moved: how many */
	BLK_F_NONSENSE = 0xb0, /* an impossible answer */
	BLK_F_TOGGLE = 0xc0,   /* the driver writes writeback meanwhile */
	BLK_F_POKE = 0xd0,     /* the driver changes memory meanwhile */
	BLK_F_FINE = 0xe0,
};

#endif
