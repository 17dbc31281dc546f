/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The block device: its requests, the disk's features, and the configuration space.
 *
 * The life of a request:
 * 1. virtio_blk_pop() pops the request.
 * 2. virtio_blk_execute() judges the request and carries it out through the back end.
 * 3. virtio_blk_complete() writes the status and returns the request to the driver.
 * virtio_blk_process() does all three steps, for a device that works synchronously.
 *
 * An asynchronous device (io_uring, threads) does the I/O itself, with <virtio/blk_transfer.h>. The
 * device may complete requests in any order. The caller serialises all calls on a queue. Before a
 * reset the caller waits until virtio_queue_quiesced() is true.
 *
 * What the guest can do: split a request into descriptors in any way (virtio 1.4, 2.7.4.1), send
 * any type and any sector, and change the buffers at any time. Therefore:
 * - The header and the ranges (of a discard, for example) are copied once. Only the copy is judged.
 * - No I/O begins before the whole request has been checked.
 * - Sums of lengths have 64 bits and cannot wrap.
 * - Data moves between guest memory and the back end without a copy, and is not inspected.
 * - A malformed request gets an error status. A request without a byte for the status is completed
 *   with length 0.
 *
 * Threads. Queues on several threads share one struct virtio_blk:
 *   functions                                        who may call     what must not run beside
 *   functions on requests                            any thread       another call with the same
 *                                                                     queue or request as argument,
 *                                                                     functions of the last row
 *   virtio_blk_offered(), virtio_blk_capacity(),     any thread       functions of the last row
 *   virtio_blk_save(), virtio_blk_write_through(),
 *   virtio_blk_config_read(),
 *   virtio_blk_config_write()
 *   virtio_blk_set_capacity()                        any thread       the same function, functions
 *                                                    of the last row
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

/* The largest capacity, in sectors: each byte's offset must fit a signed 64-bit integer. */
#define VIRTIO_BLK_MAX_CAPACITY (UINT64_C(1) << (63 - VIRTIO_BLK_SECTOR_SHIFT))

#define VIRTIO_BLK_CONFIG_BYTES 96 /* length of the configuration space */

/* Back end */

/*
 * The lifetime of storage (virtio 1.4, 5.2.6). In each member 0 means "not known". Values that are
 * not listed are reserved.
 */
struct virtio_blk_wear {
	uint16_t pre_eol_info; /* reserved blocks used: 1 (under 80 %), 2 (80 %), 3 (90 %) */
	uint16_t typ_a;        /* wear of SLC cells: 1 (up to 10 %) to 10 (100 %), 11 (more) */
	uint16_t typ_b;        /* wear of MLC cells, with the same values as typ_a */
};

/*
 * The operations of a back end. An operation runs on the thread that executes the request, and may
 * block. Each call's range lies on the disk. With several queue threads, calls may run in parallel.
 */
struct virtio_blk_backend_ops {
	/*
	 * Move bytes between the disk and guest memory.
	 *
	 * @context  `context` of struct virtio_blk_backend
	 * @iov      host addresses of guest memory. Pass them to the operating system, or to
	 *           virtio_guest_copy_in() and virtio_guest_copy_out(). Do not dereference them.
	 * @count    number of entries of iov, 1 to max_iovecs. The vector has at most 2^30 bytes.
	 * @offset   of the first byte on the disk. The offset may lie inside a sector, because an
	 *           earlier call may have ended there (a full vector or a short transfer).
	 *
	 * Return the number of bytes moved, from offset on. After a short transfer the caller calls
	 * again for the bytes that are left. 0 or an error of enum virtio_error fails the request.
	 */
	int64_t (*readv)(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset);
	int64_t (*writev)(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset);

	/*
	 * Commits to stable storage the effects of all operations that have returned. Returns 0, or
	 * an error. After an error every unfinished and every later flush must fail, too:
	 * the system reports lost data only once, but a driver may flush again, on any queue.
	 *
	 * Without this operation the device does not offer VIRTIO_BLK_F_FLUSH. The back end then
	 * decides when a write is stable.
	 */
	int (*flush)(void *context);

	/*
	 * Change a range of the disk. An operation is needed only if the options offer its feature.
	 * Return 0 or an error. After an error a part of the range may have changed.
	 *
	 * @offset  bytes, a multiple of 512
	 * @bytes   more than 0, a multiple of 512
	 * @unmap   whether the storage may be deallocated. With either value the range must read
	 *          as zeroes afterwards.
	 *
	 * discard       the range is no longer needed. Its content is undefined afterwards, so a
	 *               back end may do nothing.
	 * write_zeroes  afterwards the range reads as zeroes
	 * secure_erase  afterwards the data of the range is erased, with every copy that the
	 *               storage keeps
	 */
	int (*discard)(void *context, uint64_t offset, uint64_t bytes);
	int (*write_zeroes)(void *context, uint64_t offset, uint64_t bytes, bool unmap);
	int (*secure_erase)(void *context, uint64_t offset, uint64_t bytes);

	/*
	 * Reports how worn the storage is. Fills in @lifetime, which the caller has zeroed, and
	 * returns 0 or an error. The caller treats a reserved value as an error.
	 *
	 * With this operation the disk offers VIRTIO_BLK_F_LIFETIME. The operation must be NULL for
	 * storage that does not know its wear (virtio 1.4, 5.2.6.2).
	 */
	int (*lifetime)(void *context, struct virtio_blk_wear *lifetime);
};

/*
 * A back end. ops is NULL for an asynchronous disk. The owner of an asynchronous disk carries out
 * reads, writes, flushes and commands on ranges, and begins each of these requests by
 * virtio_blk_transfer_begin(). An asynchronous disk does not offer LIFETIME.
 */
struct virtio_blk_backend {
	const struct virtio_blk_backend_ops *ops;
	void *context;       /* passed to each operation */
	uint32_t max_iovecs; /* limit of entries in one vector, at least 1; unused if ops is NULL */
};

/* Disk */

/*
 * The properties of a disk, and its features. Where a comment says "0: no X", the value 0 means
 * that feature X is not offered. Then the feature's configuration field reads as zero.
 */
struct virtio_blk_options {
	struct virtio_blk_backend backend;
	uint64_t capacity;            /* initial value in sectors, up to VIRTIO_BLK_MAX_CAPACITY */
	char id[VIRTIO_BLK_ID_BYTES]; /* answer to GET_ID: text, padded with NULs */
	bool read_only;               /* offers RO; then the back end needs no writev */
	bool flush;                   /* offers FLUSH; not needed if the back end has flush() */
	bool config_wce;              /* offers CONFIG_WCE; the disk must offer FLUSH, too */
	uint16_t num_queues;          /* 0: no MQ */

	/*
	 * Limits of a request. size_max and seg_max are only advertised: not all drivers obey
	 * them, and the library does not rely on them. max_request_bytes and the capacities in
	 * struct virtio_blk_storage are enforced. seg_max counts descriptors, and one descriptor
	 * may need several entries of struct virtio_segment.
	 */
	uint32_t size_max;          /* bytes; 0: no SIZE_MAX */
	uint32_t seg_max;           /* segments; 0: no SEG_MAX */
	uint64_t max_request_bytes; /* of a read or write; longer requests get IOERR; 0: no limit */

	uint32_t blk_size; /* bytes, a power of two from 512 on; 0: no BLK_SIZE */

	uint16_t cylinders; /* 0: no GEOMETRY */
	uint8_t heads;
	uint8_t sectors;

	/* All four 0: no TOPOLOGY. A logical block has blk_size bytes, or 512 if blk_size is 0. */
	uint8_t physical_block_exp; /* log2 of the number of logical blocks in a physical block */
	uint8_t alignment_offset;   /* in logical blocks, like the next two members */
	uint16_t min_io_size;
	uint32_t opt_io_size;

	/*
	 * Each command on ranges has two limits: the sectors in one range, and the ranges in one
	 * request. Both limits are enforced. Their product bounds the sectors of a request, and so
	 * its duration. If both limits are 0, the command is not offered. If both limits are set,
	 * the disk must not be read-only, and a back end with operations needs the command's
	 * operation. The two alignments below are in sectors, and are only hints for the driver.
	 */
	uint32_t max_discard_sectors;
	uint32_t max_discard_seg;
	uint32_t discard_sector_alignment;
	uint32_t max_write_zeroes_sectors;
	uint32_t max_write_zeroes_seg;
	bool write_zeroes_may_unmap; /* if false, write_zeroes() gets unmap = false */
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
	 * Two copies of the capacity, each with a low and a high half. Read the capacity by
	 * virtio_blk_capacity(). Atomic.
	 */
	uint32_t capacity_halves[2][2];
	uint32_t capacity_updates; /* a counter; its lowest bit selects the copy. Atomic. */
	uint8_t writeback;         /* configuration field: 0 write-through, 1 write-back. Atomic. */
};

/*
 * Prepares a disk, with no feature negotiated.
 *
 * @blk      set up by this call; untouched on failure
 * @options  copied; the context of the back end must live as long as blk is used
 *
 * Returns 0, or:
 *   VIRTIO_EINVAL  - capacity, blk_size or physical_block_exp is out of range
 *                  - max_iovecs is 0 although the back end has operations
 *                  - an asynchronous disk has the option config_wce, but not the option flush
 *                  - a command on ranges has only one limit, or has limits on a read-only disk
 *   VIRTIO_ENOOP   an operation is missing, and nothing else is wrong (virtio_blk_missing_op())
 */
VIRTIO_MUST_CHECK
int virtio_blk_init(struct virtio_blk *blk, const struct virtio_blk_options *options);

/*
 * Names the first operation that the options need and the back end lacks, such as "writev", for a
 * message. The check follows the order of struct virtio_blk_backend_ops.
 *
 *   Operation         Needed
 *   readv             always
 *   writev            unless read_only
 *   flush             if flush or config_wce is set (virtio 1.4, 5.2.5.2)
 *   discard           if max_discard_seg is set
 *   write_zeroes      if max_write_zeroes_seg is set
 *   secure_erase      if max_secure_erase_seg is set
 *
 * Returns static text, or NULL if no operation is missing. Returns NULL for an asynchronous disk.
 */
const char *virtio_blk_missing_op(const struct virtio_blk_options *options);

/*
 * Returns the block features that the disk offers, as a mask of bits 0 to 23. The caller adds the
 * features of queue and transport.
 */
uint64_t virtio_blk_offered(const struct virtio_blk *blk);

/*
 * Stores the features that the driver has accepted, and sets writeback to its initial value: 1 if
 * the driver has accepted FLUSH, otherwise 0 (virtio 1.4, 5.2.5.2). Another call with the same
 * features changes nothing.
 *
 * @features  all negotiated features; bits above 23 are ignored
 *
 * Call this when FEATURES_OK is set, and before requests are served. Without this call a disk that
 * offers FLUSH treats every write as write-through. Returns 0; VIRTIO_EINVAL for a bit that was not
 * offered. A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_blk_negotiate(struct virtio_blk *blk, uint64_t features);

/*
 * Clears the negotiated features, and sets the field `writeback` to 0. The capacity does not
 * change. Call this when the device is reset and no request is in flight any more.
 */
void virtio_blk_reset(struct virtio_blk *blk);

/* Returns the capacity in 512-byte sectors: the last value set, or the value of the options. */
uint64_t virtio_blk_capacity(const struct virtio_blk *blk);

/*
 * Changes the capacity while requests run. The caller sends a configuration change notification
 * (virtio 1.4, 5.2.6.2). The configuration space must not be read between this call and the change
 * of the configuration generation. Otherwise a driver could combine halves of the old and the new
 * capacity.
 *
 * @sectors  the new capacity, in sectors of 512 bytes
 *
 * virtio_blk_refusal_of() judges a request by one value: the old or the new capacity. The I/O of a
 * request judged by the new capacity begins after everything that the caller did before this call.
 * So enlarge the storage first.
 *
 * To shrink the storage, a caller
 * 1. sets the capacity,
 * 2. waits until the thread of each queue has completed all requests judged before step 1,
 * 3. makes the storage smaller.
 *
 * Returns 0; VIRTIO_EINVAL above VIRTIO_BLK_MAX_CAPACITY. A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_blk_set_capacity(struct virtio_blk *blk, uint64_t sectors);

/*
 * Returns whether a write must be on stable storage before its completion (virtio 1.4, 5.2.6.2).
 * This is true if the disk offers FLUSH and the driver has not accepted FLUSH, or if the driver has
 * switched the cache to write-through. Call this after the write. A device that does its own I/O
 * must follow the result, as virtio_blk_execute() does.
 */
bool virtio_blk_write_through(const struct virtio_blk *blk);

/* Configuration space */

/*
 * Reads from the configuration space. These bytes read as zero: fields whose feature is not
 * offered, padding, and all bytes from the offset VIRTIO_BLK_CONFIG_BYTES on.
 *
 * @offset  of the first byte; any value
 * @data    the caller's memory, len bytes, all filled in
 * @len     bytes; any value
 */
void virtio_blk_config_read(const struct virtio_blk *blk, uint64_t offset, void *data, size_t len);

/*
 * Handles the driver's write to the configuration space. If CONFIG_WCE is negotiated, the driver
 * can set writeback to 0, and to 1 if FLUSH is also negotiated. All other writes are ignored.
 *
 * @offset  of the first byte; any value
 * @data    len bytes
 * @len     bytes; any value
 *
 * Returns whether the write has set writeback.
 */
bool virtio_blk_config_write(struct virtio_blk *blk, uint64_t offset, const void *data, size_t len);

/* Requests */

/* Data of a request: segments in order, in the array given to virtio_blk_request_init(). */
struct virtio_blk_data {
	const struct virtio_segment *segments;
	uint32_t count;
	uint64_t bytes; /* of all segments together */
};

/* A range of the disk, as the driver sent it, in the host's byte order. */
struct virtio_blk_range {
	uint64_t sector;
	uint32_t sectors;
	uint32_t flags; /* VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP, or any other value */
};

/* The caller's arrays for one request. The arrays must live as long as the request is used. */
struct virtio_blk_storage {
	struct virtio_segment *segments;
	/*
	 * At least 1. To hold every chain, set this to the queue size (more with long indirect
	 * tables). Add 1 for each boundary of regions or translations inside a buffer.
	 */
	uint32_t segment_capacity;
	struct virtio_blk_range *ranges; /* may be NULL if no command on ranges is offered */
	uint32_t range_capacity;         /* the largest max_..._seg; longer lists get IOERR */
};

#define VIRTIO_BLK_HEADER_BYTES 16 /* of a request (virtio 1.4, 5.2.6) */

/*
 * A request. `base.header` points to the member `header`, so do not copy or move a request after
 * virtio_blk_request_init(). Another thread may use the request in place.
 */
struct virtio_blk_request {
	/*
	 * The chain. base.token completes the chain. base.data.last_writable is the status byte, or
	 * has length 0 if no status can be written. If base.error is not 0, the request can only
	 * fail: see struct virtio_request. Then type and sector are 0, and there is no data.
	 */
	struct virtio_request base;
	uint8_t header[VIRTIO_BLK_HEADER_BYTES]; /* as the driver wrote it */
	uint32_t type;                           /* VIRTIO_BLK_T_..., or any other value */
	uint64_t sector;                         /* as the driver wrote it */
	struct virtio_blk_range *ranges;         /* the array of the storage */
	uint32_t range_capacity;
	uint32_t range_count; /* number of ranges of the command that fit into the array */
};

/*
 * virtio_blk_out() returns the readable bytes after the header: data that the driver sends.
 * virtio_blk_in() returns the writable bytes before the status: buffers for data to the driver.
 */
VIRTIO_INLINE struct virtio_blk_data virtio_blk_out(const struct virtio_blk_request *request);
VIRTIO_INLINE struct virtio_blk_data virtio_blk_in(const struct virtio_blk_request *request);

/* The outcome of a request. */
struct virtio_blk_result {
	uint8_t status;   /* VIRTIO_BLK_S_... */
	uint64_t written; /* bytes of virtio_blk_in() written before the first gap */
	/* Bytes of virtio_blk_in() before this offset may have changed. */
	uint64_t touched;
	int error;                       /* 0, or an error of the chain or the back end */
	enum virtio_blk_refusal refusal; /* why the request was refused */
};

/* Statistics for an operator, counted by virtio_blk_complete(). The caller must zero them. */
struct virtio_blk_stats {
	uint64_t reads; /* this and the next seven members count requests, successful or not */
	uint64_t writes;
	uint64_t flushes;
	uint64_t ids;
	uint64_t discards;
	uint64_t write_zeroes;
	uint64_t secure_erases;
	uint64_t others;                       /* requests of other types, or with base.error set */
	uint64_t read_bytes;                   /* bytes that reads put into guest memory */
	uint64_t written_bytes;                /* bytes of writes that succeeded */
	uint64_t failed;                       /* requests completed with VIRTIO_BLK_S_IOERR */
	uint64_t unsupported;                  /* requests completed with VIRTIO_BLK_S_UNSUPP */
	uint64_t malformed;                    /* chains that get no status; counted only here */
	int first_error;                       /* error of a chain or of the back end, or 0 */
	enum virtio_blk_refusal first_refusal; /* VIRTIO_BLK_REFUSAL_NONE: no refusal so far */
};

/*
 * Prepares a request. Then virtio_blk_pop() can fill it in any number of times.
 *
 * @request  the caller's; must not move
 * @storage  the arrays of the request. The struct is copied; the arrays are used in place.
 *
 * Returns 0; VIRTIO_EINVAL if segment_capacity is 0, or if an array is NULL and its capacity is not
 * 0. A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_blk_request_init(struct virtio_blk_request *request, const struct virtio_blk_storage *storage);

/*
 * Pops the next request from a queue, but does not carry it out.
 *
 * @queue    started
 * @request  initialised, not in flight. Filled in if 1 is returned. Otherwise only the header and
 *           the content of the arrays may change.
 *
 * Returns as virtio_request_pop(): 1 for a request, 0 for none, or an error. The caller must
 * complete or unpop each request, even if base.error is set.
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
 * Judges a request by the disk's options, its negotiated features and its current capacity.
 *
 * - FLUSH may have any sector and data.
 * - A read, a write or a range may have 0 sectors, even at the end of the disk, but not beyond.
 * - Flags are judged in all ranges that fit the array, even if the list as a whole is wrong.
 *
 * Returns the reason for a refusal, or VIRTIO_BLK_REFUSAL_NONE. virtio_blk_refusal_status() returns
 * the status for a reason.
 */
enum virtio_blk_refusal virtio_blk_refusal_of(const struct virtio_blk *blk, const struct virtio_blk_request *request);

/*
 * Judges a request and carries it out. Blocks while an operation of the back end blocks.
 *
 * @blk      the disk
 * @request  popped
 * @result   filled in
 *
 * - If virtio_blk_refusal_of() refuses the request, nothing is read, written or flushed.
 * - Under write-through, a write or a change of ranges succeeds only after a flush, unless the
 *   request covers 0 sectors.
 * - After a failure of the back end the rest of the request is not begun. It is undefined which
 *   part of a failed write is on the disk.
 * - On an asynchronous disk only GET_ID is carried out. Legal requests of other types fail
 *   with VIRTIO_BLK_S_IOERR and VIRTIO_ENOOP, and touch nothing.
 */
void virtio_blk_execute(const struct virtio_blk *blk, const struct virtio_blk_request *request,
			struct virtio_blk_result *result);

/*
 * Records in the dirty log what a request has changed, writes the status, and returns the request
 * to the driver.
 *
 * @queue    the queue of the request: started, and perhaps broken since
 * @request  in flight
 * @result   from virtio_blk_execute(), or the caller's own
 * @stats    counts the request if 0 is returned; may be NULL
 *
 * The used length is 0 if base.error is set, even if a status is written. Otherwise the used length
 * is the number of bytes written from the first writable byte to the first gap. The number includes
 * the status byte only if all data before that byte was written (virtio 1.4, 2.7.8.2).
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
 * @stats    counts the request if 1 is returned; may be NULL
 *
 * Returns 1 if a request was completed, whatever its outcome; 0 if there was no request; or an
 * error of virtio_blk_pop() or virtio_blk_complete(). A completion can fail only if the ring is not
 * contiguous in host memory. After that error the request was carried out, and stays in flight.
 */
VIRTIO_MUST_CHECK
int virtio_blk_process(const struct virtio_blk *blk, struct virtio_queue *queue, struct virtio_blk_request *request,
		       struct virtio_blk_stats *stats);

VIRTIO_END_DECLS

#include <virtio/inline/blk.h>

#endif
