/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The block device: its requests, the disk's features, and the configuration space.
 *
 * The life of a request:
 * 1. virtio_blk_pop() takes the request from the queue.
 * 2. virtio_blk_execute() judges the request and carries it out through the back end.
 * 3. virtio_blk_complete() writes the status and returns the request to the driver.
 * virtio_blk_process() is all three, for a device that works synchronously.
 *
 * An asynchronous device (io_uring, threads) does the I/O itself, with <virtio/blk_transfer.h>. A
 * request and its storage stay in place until completion. Requests complete in any order, under the
 * queue's serialisation. A reset waits until nothing is in flight (virtio_queue_quiesced()).
 *
 * What the guest can do: cut a request into descriptors as it likes (virtio 1.4, 2.7.4.1), ask for
 * anything anywhere, and change the buffers at any time. Therefore:
 * - The header, and the ranges of commands such as discard, are copied once and judged in the copy.
 * - No I/O begins before the whole request is known to be good.
 * - Sums have 64 bits and cannot wrap.
 * - Data moves between guest memory and the back end without a copy, and is not looked at.
 * - A malformed request gets a status, or an empty completion where there is no byte for one.
 *
 * Threads. Queues on several threads share one struct virtio_blk:
 *   functions                                        who may call     what must not run beside
 *   requests, virtio_blk_offered(),                  thread-safe      the last row
 *   virtio_blk_capacity(), virtio_blk_save(),
 *   virtio_blk_write_through(),
 *   virtio_blk_config_read(),
 *   virtio_blk_config_write()
 *   virtio_blk_set_capacity()                        any thread       another such call, the last
 *                                                    row
 *   virtio_blk_init(), virtio_blk_negotiate(),       any thread       every other call
 *   virtio_blk_reset(), virtio_blk_restore()
 * Statistics and segments belong to one thread at a time.
 *
 * Freestanding: needs memcpy and memset. <virtio/blk_memory.h> and <virtio/blk_file.h> are back
 * ends.
 *
 * virtio 1.4, 5.2
 */
#ifndef VIRTIO_BLK_H
#define VIRTIO_BLK_H

#include <virtio/bindings/virtio_blk.h>
#include <virtio/blk_refusal.h>
#include <virtio/guest_memory.h>
#include <virtio/request.h>

VIRTIO_BEGIN_DECLS

#define VIRTIO_BLK_SECTOR_SHIFT 9 /* a sector has 512 bytes, whatever blk_size is */
#define VIRTIO_BLK_SECTOR_BYTES (1u << VIRTIO_BLK_SECTOR_SHIFT)

/* The largest disk in sectors. Every byte has an offset that fits a signed 64-bit integer. */
#define VIRTIO_BLK_MAX_CAPACITY (UINT64_C(1) << (63 - VIRTIO_BLK_SECTOR_SHIFT))

#define VIRTIO_BLK_CONFIG_BYTES 96 /* length of the configuration space */

/* Back end */

/*
 * The lifetime of storage (virtio 1.4, 5.2.6). 0 means not known; values above those listed are
 * reserved.
 */
struct virtio_blk_wear {
	uint16_t pre_eol_info; /* reserved blocks used: under 80 % (1), 80 % (2), 90 % (3) */
	uint16_t typ_a;        /* wear of SLC cells: 1 (up to 10 %) to 10 (100 %), 11 (more) */
	uint16_t typ_b;        /* wear of MLC cells */
};

/*
 * What stores the data. An operation runs on the thread that executes the request, gets ranges
 * inside the disk, and may block. With several queues on several threads, several operations run at
 * once.
 */
struct virtio_blk_backend_ops {
	/*
	 * Move bytes between the disk and guest memory.
	 *
	 * @context  the back end's own
	 * @iov      host addresses of guest memory. Pass them to the operating system, or to
	 *           virtio_guest_copy_in() and virtio_guest_copy_out(). Do not dereference them.
	 * @count    entries of iov, 1 to max_iovecs; together at most 2^30 bytes
	 * @offset   of the first byte on the disk. It may lie inside a sector: the driver chooses
	 *           the pieces of the data, a call has at most max_iovecs of them, and transfers
	 *           may be short.
	 *
	 * Return the number of bytes moved, from the first one on. Fewer than asked for is a short
	 * transfer, and the caller continues it. 0 or an error of enum virtio_error fails the
	 * request.
	 */
	int64_t (*readv)(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset);
	int64_t (*writev)(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset);

	/*
	 * Commits to stable storage what was written by calls that have returned. Returns 0 or an
	 * error.
	 *
	 * An error is final: every unfinished call and every later call must fail, too. An
	 * operating system reports lost data only once, but a driver may flush again, or on another
	 * queue.
	 *
	 * Without this operation the device does not offer VIRTIO_BLK_F_FLUSH, and its writes are
	 * as stable as the back end makes them.
	 */
	int (*flush)(void *context);

	/*
	 * Each of these changes a range of the disk, for a feature that the options offer. Each
	 * returns 0, or an error after which a part of the range may have changed.
	 *
	 * @offset  bytes, a multiple of 512
	 * @bytes   more than 0, a multiple of 512
	 * @unmap   whether the storage may be deallocated, if it still reads as zeroes then
	 *
	 * discard       the range is no longer needed. Its content is undefined afterwards, so a
	 *               back end may do nothing.
	 * write_zeroes  the range reads as zeroes
	 * secure_erase  the range, and every copy of it that the storage keeps, is gone
	 */
	int (*discard)(void *context, uint64_t offset, uint64_t bytes);
	int (*write_zeroes)(void *context, uint64_t offset, uint64_t bytes, bool unmap);
	int (*secure_erase)(void *context, uint64_t offset, uint64_t bytes);

	/*
	 * Reports how worn the storage is. Fills in @lifetime, which is zero before, and returns 0
	 * or an error. A reserved value counts as an error.
	 *
	 * A back end with this operation offers VIRTIO_BLK_F_LIFETIME. The operation is
	 * not for storage that has no such figures (virtio 1.4, 5.2.6.2).
	 */
	int (*lifetime)(void *context, struct virtio_blk_wear *lifetime);
};

/*
 * A back end. ops is NULL for an asynchronous disk. The owner of an asynchronous disk carries out
 * reads, writes, flushes and commands on ranges, and begins each by virtio_blk_transfer_begin().
 * Such a disk does not offer LIFETIME.
 */
struct virtio_blk_backend {
	const struct virtio_blk_backend_ops *ops;
	void *context;       /* passed to each operation */
	uint32_t max_iovecs; /* longest vector of an operation, at least 1; unused without ops */
};

/* Disk */

/*
 * What a disk is and offers. Where a comment says "0: no X", 0 means that the feature is not
 * offered and the field reads as zero.
 */
struct virtio_blk_options {
	struct virtio_blk_backend backend;
	uint64_t capacity;            /* initial; at most VIRTIO_BLK_MAX_CAPACITY */
	char id[VIRTIO_BLK_ID_BYTES]; /* answer to GET_ID: text, padded with NULs */
	bool read_only;               /* offers RO; then the back end needs no writev */
	bool flush;                   /* offers FLUSH; not needed if the back end has flush() */
	bool config_wce;              /* offers CONFIG_WCE; the disk must offer FLUSH */
	uint16_t num_queues;          /* 0: no MQ */

	/*
	 * Limits of a request. SIZE_MAX and SEG_MAX are only advertised: not all drivers keep to
	 * them, and nothing here relies on them. max_request_bytes and the arrays of the request
	 * are enforced. Segments count pieces of guest memory; a descriptor may span several.
	 */
	uint32_t size_max;          /* bytes; 0: no SIZE_MAX */
	uint32_t seg_max;           /* segments; 0: no SEG_MAX */
	uint64_t max_request_bytes; /* of data; more is an I/O error; 0: no limit */

	uint32_t blk_size; /* bytes, a power of two from 512 on; 0: no BLK_SIZE */

	uint16_t cylinders; /* 0: no GEOMETRY */
	uint8_t heads;
	uint8_t sectors;

	/* All 0: no TOPOLOGY. In units of blk_size, or of 512 bytes without it. */
	uint8_t physical_block_exp; /* log2 of logical blocks in a physical one */
	uint8_t alignment_offset;
	uint16_t min_io_size;
	uint32_t opt_io_size;

	/*
	 * Limits of commands on ranges: the sectors of one range, and the ranges of one request.
	 * Both are enforced, and their product bounds the time of a request. Both 0: the command is
	 * not offered. Both set: the back end needs the operation, and the disk is not read-only.
	 * Alignments are hints, in sectors.
	 */
	uint32_t max_discard_sectors;
	uint32_t max_discard_seg;
	uint32_t discard_sector_alignment;
	uint32_t max_write_zeroes_sectors;
	uint32_t max_write_zeroes_seg;
	bool write_zeroes_may_unmap; /* write zeroes may deallocate; else unmap is false */
	uint32_t max_secure_erase_sectors;
	uint32_t max_secure_erase_seg;
	uint32_t secure_erase_sector_alignment;
};

/* A disk. The caller allocates it, may read every member, and changes it by functions only. */
struct virtio_blk {
	struct virtio_blk_options options;
	uint64_t offered;    /* mask of the device type's feature bits */
	uint64_t negotiated; /* a subset of offered */
	/*
	 * The capacity, for virtio_blk_capacity(): two copies, each with a low and a high half.
	 * Atomic.
	 */
	uint32_t capacity_halves[2][2];
	uint32_t capacity_updates; /* the lowest bit selects the copy. Atomic. */
	uint8_t writeback;         /* configuration field: 0 write-through, 1 write-back. Atomic. */
};

/*
 * Prepares a disk, with no feature negotiated.
 *
 * @blk      set up; untouched on failure
 * @options  copied; the context of the back end must live as long as blk is used
 *
 * Returns 0, or:
 *   VIRTIO_EINVAL  capacity, blk_size or physical_block_exp is out of range; max_iovecs is 0;
 *                  CONFIG_WCE without flush on a disk without operations; for a command on ranges
 *                  one limit is set without the other, or the disk is read-only
 *   VIRTIO_ENOOP   nothing else is wrong, and virtio_blk_missing_op() names an operation
 */
VIRTIO_MUST_CHECK
int virtio_blk_init(struct virtio_blk *blk, const struct virtio_blk_options *options);

/*
 * Names the first operation that the options need and the back end lacks, such as "writev", for a
 * message. The order is that of struct virtio_blk_backend_ops.
 *
 *   Operation         Needed
 *   readv             always
 *   writev            unless read_only
 *   flush             for FLUSH or CONFIG_WCE (virtio 1.4, 5.2.5.2)
 *   of a command      if the command's limit of ranges is set
 *
 * Returns static text, or NULL if none is missing. NULL also for a disk without any operations.
 */
const char *virtio_blk_missing_op(const struct virtio_blk_options *options);

/*
 * Returns the block features that the disk offers, as a mask of bits 0 to 23. The caller adds the
 * features of queue and transport.
 */
uint64_t virtio_blk_offered(const struct virtio_blk *blk);

/*
 * Takes over the features that the driver has accepted, and sets writeback to its initial value: 1
 * if the driver can flush, 0 if not (virtio 1.4, 5.2.5.2). Another call with the same features
 * changes nothing.
 *
 * @features  all negotiated features; bits above 23 are ignored
 *
 * Call this when FEATURES_OK is set, and before requests are served. A device that never calls it
 * treats every write as write-through, which is safe. Returns 0; VIRTIO_EINVAL for a bit that was
 * not offered. A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_blk_negotiate(struct virtio_blk *blk, uint64_t features);

/*
 * Restores what virtio_blk_init() made, except the capacity. Call this when the device is reset,
 * and no request is in flight any more.
 */
void virtio_blk_reset(struct virtio_blk *blk);

/* The capacity in 512-byte sectors: the last value set, or that of the options. */
uint64_t virtio_blk_capacity(const struct virtio_blk *blk);

/*
 * Changes the capacity while requests run. The caller sends a configuration change notification
 * (virtio 1.4, 5.2.6.2). Between this call and the new configuration generation the driver must not
 * read the configuration space: its two reads of one capacity could differ.
 *
 * @sectors  of 512 bytes
 *
 * virtio_blk_refusal_of() judges a request by one value: the old capacity or the new one. A request
 * judged by the new capacity sees everything that the caller did before this call. So a caller
 * enlarges the storage first.
 *
 * To shrink the storage, a caller
 * 1. sets the capacity,
 * 2. waits, on the thread of each queue, until all requests that were judged before are completed,
 * 3. makes the storage smaller.
 *
 * Returns 0; VIRTIO_EINVAL above VIRTIO_BLK_MAX_CAPACITY. A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_blk_set_capacity(struct virtio_blk *blk, uint64_t sectors);

/*
 * Whether a write must be on stable storage before it is reported as done (virtio 1.4, 5.2.6.2).
 * True if the disk offers FLUSH and the driver has not accepted it, or if the driver has switched
 * the cache to write-through. Ask after the write. virtio_blk_execute() follows this answer; a
 * device that does its own I/O must, too.
 */
bool virtio_blk_write_through(const struct virtio_blk *blk);

/* Configuration space */

/*
 * Reads from the configuration space. These read as zero: fields whose feature is not offered,
 * padding, and everything from VIRTIO_BLK_CONFIG_BYTES on.
 *
 * @offset  of the first byte; any value
 * @data    the caller's memory, len bytes, all filled in
 * @len     bytes; any value
 */
void virtio_blk_config_read(const struct virtio_blk *blk, uint64_t offset, void *data, size_t len);

/*
 * The driver writes to the configuration space. Only writeback can be written, under CONFIG_WCE:
 * with 0, or with 1 by a driver that can flush. Everything else is ignored.
 *
 * @offset  of the first byte; any value
 * @data    len bytes
 * @len     bytes; any value
 *
 * Returns whether writeback was among the bytes and has their value now.
 */
bool virtio_blk_config_write(struct virtio_blk *blk, uint64_t offset, const void *data, size_t len);

/* Requests */

/* Data of a request, in order, in the array given to virtio_blk_request_init(). */
struct virtio_blk_data {
	const struct virtio_segment *segments;
	uint32_t count;
	uint64_t bytes; /* in all */
};

/* A part of the disk, as the driver named it; in the host's byte order. */
struct virtio_blk_range {
	uint64_t sector;
	uint32_t sectors;
	uint32_t flags; /* VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP, or any other value */
};

/* The caller's arrays for one request. They must live as long as the request is used. */
struct virtio_blk_storage {
	struct virtio_segment *segments;
	/*
	 * At least 1. For every possible chain: the queue size (more with long indirect tables),
	 * and one more for each place where a buffer continues in another region or another
	 * translation.
	 */
	uint32_t segment_capacity;
	struct virtio_blk_range *ranges; /* NULL if no command on ranges is offered */
	uint32_t range_capacity;         /* the largest max_..._seg; more ranges are an I/O error */
};

#define VIRTIO_BLK_HEADER_BYTES 16 /* of a request (virtio 1.4, 5.2.6) */

/*
 * A request. It contains its header, so it must not be copied or moved while in flight. Another
 * thread may use it in place.
 */
struct virtio_blk_request {
	/*
	 * The chain. base.token completes it, and base.data.last_writable is the status byte, if
	 * there is one. base.error is 0, or why the request can only fail: see
	 * struct virtio_request. After an error type and sector are 0, and there is no data.
	 */
	struct virtio_request base;
	uint8_t header[VIRTIO_BLK_HEADER_BYTES]; /* as the driver wrote it */
	uint32_t type;                           /* VIRTIO_BLK_T_..., or any other value */
	uint64_t sector;                         /* as the driver wrote it */
	struct virtio_blk_range *ranges;         /* of the storage */
	uint32_t range_capacity;
	uint32_t range_count; /* of a command on ranges, as far as they fit */
};

/*
 * What the driver sends: the readable bytes after the header. What it wants: the writable bytes
 * before the status.
 */
VIRTIO_INLINE struct virtio_blk_data virtio_blk_out(const struct virtio_blk_request *request);
VIRTIO_INLINE struct virtio_blk_data virtio_blk_in(const struct virtio_blk_request *request);

/* The outcome of a request. */
struct virtio_blk_result {
	uint8_t status;                  /* VIRTIO_BLK_S_... */
	uint64_t written;                /* bytes put into virtio_blk_in() without a gap */
	uint64_t touched;                /* first bytes of virtio_blk_in() that may have changed */
	int error;                       /* 0, or the host's reason for a failure */
	enum virtio_blk_refusal refusal; /* why the request was refused */
};

/*
 * Statistics for an operator. virtio_blk_complete() counts; the caller zeroes the struct at first.
 */
struct virtio_blk_stats {
	uint64_t reads; /* requests by type, successful or not */
	uint64_t writes;
	uint64_t flushes;
	uint64_t ids;
	uint64_t discards;
	uint64_t write_zeroes;
	uint64_t secure_erases;
	uint64_t others;                       /* of other types, such as GET_LIFETIME */
	uint64_t read_bytes;                   /* put into guest memory by reads */
	uint64_t written_bytes;                /* of writes that succeeded */
	uint64_t failed;                       /* answered VIRTIO_BLK_S_IOERR */
	uint64_t unsupported;                  /* answered VIRTIO_BLK_S_UNSUPP */
	uint64_t malformed;                    /* completed without a status byte */
	int first_error;                       /* of a chain, a request or the back end; or 0 */
	enum virtio_blk_refusal first_refusal; /* or VIRTIO_BLK_REFUSAL_NONE */
};

/*
 * Prepares a request. It can be popped into again and again.
 *
 * @request  the caller's; must not move
 * @storage  its segments and ranges. The struct is copied; the arrays are used in place.
 *
 * Returns 0; VIRTIO_EINVAL without segments, or if ranges is NULL with range_capacity above 0. A
 * failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_blk_request_init(struct virtio_blk_request *request, const struct virtio_blk_storage *storage);

/*
 * Pops the next request from a queue, and does nothing else with it.
 *
 * @queue    started
 * @request  initialised, not in flight. Filled in if 1 is returned; otherwise untouched, except the
 *           arrays and the header.
 *
 * Returns as virtio_request_pop(): 1 for a request, 0 for none, or an error. The caller completes
 * each request, whatever its error.
 */
VIRTIO_MUST_CHECK
VIRTIO_INLINE VIRTIO_HOT int virtio_blk_pop(struct virtio_queue *queue, struct virtio_blk_request *request);

/*
 * Fills in a request from a chain that was popped already, or replayed after a restore.
 *
 * @chain    as for virtio_request_parse()
 * @request  as for virtio_blk_pop()
 *
 * Returns 0, whatever request->base.error is; or VIRTIO_ENOTMAPPED: see virtio_request_parse().
 */
VIRTIO_MUST_CHECK
int virtio_blk_parse(struct virtio_chain *chain, struct virtio_blk_request *request);

/*
 * Judges a request by the present capacity of the disk.
 *
 * - FLUSH may have any sector and data.
 * - A read, a write or a range of no sectors is legal inside the disk and at its end.
 * - Flags are judged in all ranges that the storage holds, even if the list as a whole is wrong.
 *
 * Returns the reason for a refusal, or VIRTIO_BLK_REFUSAL_NONE. virtio_blk_refusal_status() has the
 * status for a reason.
 */
enum virtio_blk_refusal virtio_blk_refusal_of(const struct virtio_blk *blk, const struct virtio_blk_request *request);

/*
 * Judges a request and carries it out. Blocks as the back end does.
 *
 * @blk      the disk
 * @request  popped
 * @result   filled in
 *
 * - A request that virtio_blk_refusal_of() refuses reads, writes and flushes nothing.
 * - Under write-through, a write or a change of ranges is flushed before it counts as done.
 * - After a failure of the back end the rest of the request is not begun. How much of a failed
 *   write is on the disk is undefined.
 * - A disk without operations answers GET_ID and refused requests. Other requests fail with
 *   VIRTIO_BLK_S_IOERR and VIRTIO_ENOOP, and nothing is touched.
 */
void virtio_blk_execute(const struct virtio_blk *blk, const struct virtio_blk_request *request,
			struct virtio_blk_result *result);

/*
 * Records in the dirty log what a request has changed, writes its status and returns it to the
 * driver.
 *
 * @queue    of the request; started, perhaps broken since
 * @request  in flight
 * @result   from virtio_blk_execute(), or the caller's own
 * @stats    counts the request if it was in flight; may be NULL
 *
 * A request without a byte for a status is completed with length 0. For others the used length is
 * the bytes written from the first writable byte on without a gap. So the status counts only after
 * data that was written completely (virtio 1.4, 2.7.8.2).
 *
 * Returns as virtio_request_complete(). After VIRTIO_ESTALE, for example after a reset, nothing was
 * written, recorded or counted.
 */
int virtio_blk_complete(struct virtio_queue *queue, const struct virtio_blk_request *request,
			const struct virtio_blk_result *result, struct virtio_blk_stats *stats);

/*
 * Pops, executes and completes one request, for a device that works synchronously.
 *
 * @blk      the disk
 * @queue    started
 * @request  as for virtio_blk_pop()
 * @stats    counts the request; may be NULL
 *
 * Returns 1 when a request was completed, whatever its outcome; 0 for none; an error of
 * virtio_blk_pop() or of virtio_blk_complete(). After an error of virtio_blk_complete() the request
 * was carried out and stays in flight. Only a ring that is not contiguous in host memory can cause
 * that.
 */
VIRTIO_MUST_CHECK
int virtio_blk_process(const struct virtio_blk *blk, struct virtio_queue *queue, struct virtio_blk_request *request,
		       struct virtio_blk_stats *stats);

VIRTIO_END_DECLS

#include <virtio/inline/blk.h>

#endif
