/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The block device: its requests, what the disk offers, and its configuration space.
 *
 * A request's life: virtio_blk_pop() takes it from the queue, virtio_blk_execute() judges it and
 * carries it out through the back end, and virtio_blk_complete() writes the status and returns it.
 * virtio_blk_process() is all of it for a device that works synchronously.
 *
 * A device that does not (io_uring, threads) does the I/O itself, with <virtio/blk_transfer.h>. The
 * request and its storage stay where they are until it is completed, in any order, under the
 * queue's serialisation. A reset waits until nothing is in flight (virtio_queue_quiesced()).
 *
 * What the guest can do: cut a request into descriptors as it likes (virtio 1.4, 2.7.4.1), ask for
 * anything anywhere, and change the buffers at any time. The header, and the ranges of a discard
 * and its like, are copied once and judged in the copy; no I/O is begun before the whole request is
 * known to be good; every sum is in 64 bits and cannot wrap. Data goes between guest memory and the
 * back end without a copy in between and without being looked at. What a guest gets for a request
 * that makes no sense is a status, or, where there is no byte to put one, an empty completion.
 *
 * Threads: queues served by different threads share one struct virtio_blk.
 *   any number at once, beside all but the last line:
 *     requests, virtio_blk_offered(), virtio_blk_capacity(), virtio_blk_write_through(),
 *     virtio_blk_save(), virtio_blk_config_read(), virtio_blk_config_write()
 *   one call at a time, beside the calls above:
 *     virtio_blk_set_capacity()
 *   serialised by the caller against all use:
 *     virtio_blk_init(), virtio_blk_negotiate(), virtio_blk_reset(), virtio_blk_restore()
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

#define VIRTIO_BLK_SECTOR_SHIFT 9 /* a sector is 512 bytes, whatever blk_size says */
#define VIRTIO_BLK_SECTOR_BYTES (1u << VIRTIO_BLK_SECTOR_SHIFT)

/* The largest disk in sectors: every byte of it has an offset that fits a signed 64-bit integer. */
#define VIRTIO_BLK_MAX_CAPACITY (UINT64_C(1) << (63 - VIRTIO_BLK_SECTOR_SHIFT))

#define VIRTIO_BLK_CONFIG_BYTES 96 /* length of the configuration space */

/* Back end */

/*
 * The lifetime of storage (virtio 1.4, 5.2.6). In each 0 means not known; what lies above the last
 * value is reserved.
 */
struct virtio_blk_wear {
	uint16_t pre_eol_info; /* of the reserved blocks less than 80 % are used up (1), 80 % (2), 90 % (3) */
	uint16_t typ_a;        /* wear of SLC cells in steps of 10 %: up to 10 % (1) to up to 100 % (10), beyond (11) */
	uint16_t typ_b;        /* of MLC cells */
};

/*
 * What stores the data. Each operation is called on the thread that executes the request, with
 * ranges that lie inside the disk, and may block. With several queues on several threads several
 * operations run at once.
 */
struct virtio_blk_backend_ops {
	/*
	 * Move bytes between the disk and guest memory.
	 *
	 * @context  the back end's own
	 * @iov      host addresses of guest memory, for handing to the operating system or to
	 *           virtio_guest_copy_in() and virtio_guest_copy_out(), not for looking at
	 * @count    entries of it, 1 to max_iovecs; together at most 2^30 bytes
	 * @offset   of the first byte on the disk, a multiple of 512 unless a transfer was short
	 *
	 * Return how many bytes were moved, from the first on; fewer than asked for is a short
	 * transfer, which is continued. 0 or an error of enum virtio_error: the request fails.
	 */
	int64_t (*readv)(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset);
	int64_t (*writev)(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset);

	/*
	 * Commits to stable storage what was written by calls that have returned. Returns 0 or an
	 * error. An error stays an error: once something that was written may be lost, every call
	 * that has not returned yet fails, and every later one. Operating systems tell of a loss
	 * only once, and a driver may ask again, or on another queue. Without this operation the
	 * device does not offer VIRTIO_BLK_F_FLUSH, and its writes are as stable as the back end
	 * makes them.
	 */
	int (*flush)(void *context);

	/*
	 * Each does something to a range of the disk, for a feature that the options offer, and
	 * returns 0 or an error, after which the range may have changed in part.
	 *
	 * @offset  bytes; @bytes  more than 0; both multiples of 512
	 *
	 * discard: the range is no longer needed. What it reads as afterwards isn't defined, so
	 * that a back end need not do anything.
	 * write_zeroes: the range reads as zeroes. @unmap: its storage may be given back, if it
	 * still does. secure_erase: the range, and every copy of it that the storage keeps, is
	 * gone.
	 */
	int (*discard)(void *context, uint64_t offset, uint64_t bytes);
	int (*write_zeroes)(void *context, uint64_t offset, uint64_t bytes, bool unmap);
	int (*secure_erase)(void *context, uint64_t offset, uint64_t bytes);

	/*
	 * How worn the storage is. Whoever has it offers VIRTIO_BLK_F_LIFETIME: not for storage
	 * that has no such figures (virtio 1.4, 5.2.6.2). Fills in @lifetime, which is zero before,
	 * and returns 0, or an error, as which a reserved value counts too.
	 */
	int (*lifetime)(void *context, struct virtio_blk_wear *lifetime);
};

/*
 * A back end; or none, with ops NULL, for an asynchronous disk. The owner of such a disk carries
 * out reads, writes, flushes and commands on ranges, each begun by virtio_blk_transfer_begin().
 * Such a disk doesn't offer LIFETIME.
 */
struct virtio_blk_backend {
	const struct virtio_blk_backend_ops *ops;
	void *context;       /* handed to each operation */
	uint32_t max_iovecs; /* the longest vector that an operation takes, at least 1; not looked at without ops */
};

/* Disk */

/*
 * What a disk is and offers. Zero, where a comment says so, means that the feature isn't offered
 * and the field reads as zero.
 */
struct virtio_blk_options {
	struct virtio_blk_backend backend;
	uint64_t capacity;            /* at first: 512-byte sectors, at most VIRTIO_BLK_MAX_CAPACITY */
	char id[VIRTIO_BLK_ID_BYTES]; /* answer to GET_ID: text, padded with NULs, perhaps not ended by one */
	bool read_only;               /* offers RO; then the back end needs no writev */
	bool flush;                   /* offers FLUSH; a back end with a flush offers FLUSH anyway */
	bool config_wce;              /* offers CONFIG_WCE, for which the disk has to offer FLUSH */
	uint16_t num_queues;          /* 0: no MQ */

	/*
	 * What a driver should keep to, and what is enforced. The first two are advertised alone:
	 * not all drivers heed them, nothing here depends on them, and pieces of guest memory,
	 * which are counted here, are no measure of a driver's descriptors. What bounds a request
	 * is max_request_bytes, and the arrays of the request.
	 */
	uint32_t size_max;          /* bytes; 0: no SIZE_MAX */
	uint32_t seg_max;           /* segments; 0: no SEG_MAX */
	uint64_t max_request_bytes; /* of data of a read or a write; more is an I/O error; 0: no limit */

	uint32_t blk_size; /* bytes, a power of two from 512 on; 0: no BLK_SIZE */

	uint16_t cylinders; /* 0: no GEOMETRY */
	uint8_t heads;
	uint8_t sectors;

	/* All 0: no TOPOLOGY. In units of blk_size, or 512 bytes without it. */
	uint8_t physical_block_exp; /* log2 of logical blocks in a physical one */
	uint8_t alignment_offset;
	uint16_t min_io_size;
	uint32_t opt_io_size;

	/*
	 * Limits of commands on ranges: for each the sectors of one range, and the ranges of one
	 * request, both enforced. Both 0: the command isn't offered; their product bounds how long
	 * a request takes. Both set: a back end needs the operation, and the disk isn't read-only.
	 * Alignments are hints, in sectors.
	 */
	uint32_t max_discard_sectors;
	uint32_t max_discard_seg;
	uint32_t discard_sector_alignment;
	uint32_t max_write_zeroes_sectors;
	uint32_t max_write_zeroes_seg;
	bool write_zeroes_may_unmap; /* if write zeroes may give storage back; the back end is told not to without it */
	uint32_t max_secure_erase_sectors;
	uint32_t max_secure_erase_seg;
	uint32_t secure_erase_sector_alignment;
};

/* A disk. The caller allocates it, reads what it likes, and changes it through functions alone. */
struct virtio_blk {
	struct virtio_blk_options options;
	uint64_t offered;    /* masks of this device type's feature bits */
	uint64_t negotiated; /* a subset of offered */
	/*
	 * The present capacity, for virtio_blk_capacity() alone: two copies, low and high half;
	 * accessed atomically.
	 */
	uint32_t capacity_halves[2][2];
	uint32_t capacity_updates; /* the lowest bit says which copy is the present one; accessed atomically */
	uint8_t writeback;         /* the configuration field: 0 write-through, 1 write-back; accessed atomically */
};

/*
 * Prepares a disk, with no feature negotiated.
 *
 * @blk      set up; untouched on failure
 * @options  copied; what backend.context points to must live as long as blk is used
 *
 * Returns 0; or
 *   VIRTIO_EINVAL  a capacity, blk_size or physical_block_exp out of range; max_iovecs 0;
 *                  CONFIG_WCE without flush on a disk without operations; of a command on ranges
 *                  one limit without the other, or for a read-only disk
 *   VIRTIO_ENOOP   nothing else is wrong, but virtio_blk_missing_op() names an operation
 */
VIRTIO_MUST_CHECK
int virtio_blk_init(struct virtio_blk *blk, const struct virtio_blk_options *options);

/*
 * Names the first operation that options need and their back end lacks, such as "writev", for a
 * message.
 *
 * A back end needs readv; writev, unless read_only; flush for FLUSH or CONFIG_WCE (virtio 1.4,
 * 5.2.5.2); and the operation of each command on ranges whose limit of ranges is set. The order is
 * that of struct virtio_blk_backend_ops.
 *
 * Returns static text, or NULL if none is missing, as of a disk that has no operations at all.
 */
const char *virtio_blk_missing_op(const struct virtio_blk_options *options);

/*
 * The features of the block device that the disk offers, as a mask of bits 0 to 23. Those of queue
 * and transport are the caller's to add.
 */
uint64_t virtio_blk_offered(const struct virtio_blk *blk);

/*
 * Takes the features that the driver has accepted, and sets writeback to its initial value: 1 if
 * the driver can flush, 0 if not (virtio 1.4, 5.2.5.2). To take the same features once more changes
 * nothing.
 *
 * @features  all negotiated features; bits above 23 are not looked at
 *
 * To be called when FEATURES_OK is set and before requests are served. A device that never calls it
 * treats every write as write-through, which is safe. Returns 0, or VIRTIO_EINVAL for a bit that
 * was not offered, and then changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_blk_negotiate(struct virtio_blk *blk, uint64_t features);

/*
 * Back to what virtio_blk_init() made: to be called when the device is reset. Keeps the capacity.
 */
void virtio_blk_reset(struct virtio_blk *blk);

/* The capacity in 512-byte sectors: the last that was set, or that of the options. */
uint64_t virtio_blk_capacity(const struct virtio_blk *blk);

/*
 * Changes the capacity, while requests go on. The caller sends a configuration change notification
 * (virtio 1.4, 5.2.6.2). Between this call and the change of a configuration generation the driver
 * must not read the configuration space, because its two reads of one capacity could differ.
 *
 * @sectors  of 512 bytes
 *
 * virtio_blk_refusal_of() judges a request by one value: the old capacity or the new one. A request
 * that goes by the new capacity sees everything that the caller did before this call: storage is
 * made larger first.
 *
 * A caller who takes storage away does three things in this order: set the capacity; wait, on the
 * thread of each queue, until the requests that were checked before are completed; make the storage
 * smaller.
 *
 * Returns 0, or VIRTIO_EINVAL above VIRTIO_BLK_MAX_CAPACITY, and then changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_blk_set_capacity(struct virtio_blk *blk, uint64_t sectors);

/*
 * Whether a write must be committed to stable storage before it is reported as done (virtio 1.4,
 * 5.2.6.2): the disk offers FLUSH and the driver has not accepted it, or the driver has switched
 * the cache to write-through. To be asked after the write. virtio_blk_execute() does what it says;
 * a device that does its own I/O must.
 */
bool virtio_blk_write_through(const struct virtio_blk *blk);

/* Configuration space */

/*
 * Reads from the configuration space. Fields whose feature isn't offered, padding, and everything
 * from VIRTIO_BLK_CONFIG_BYTES on read as zero.
 *
 * @offset  of the first byte; any value
 * @data    the caller's memory, len bytes, wholly filled in
 * @len     bytes; any value
 */
void virtio_blk_config_read(const struct virtio_blk *blk, uint64_t offset, void *data, size_t len);

/*
 * A write of the driver's to the configuration space. Only writeback can be written, under
 * CONFIG_WCE: with 0, or, by a driver that can flush, with 1. Everything else is ignored.
 *
 * @offset  of the first byte; any value
 * @data    len bytes
 * @len     bytes; any value
 *
 * Returns whether writeback was among the bytes and has taken their value.
 */
bool virtio_blk_config_write(struct virtio_blk *blk, uint64_t offset, const void *data, size_t len);

/* Requests */

/* Data of a request, in order, in the array that the caller gave to virtio_blk_request_init(). */
struct virtio_blk_data {
	const struct virtio_segment *segments;
	uint32_t count;
	uint64_t bytes; /* in all */
};

/* A part of the disk that a request names: the driver's words, in the host's byte order. */
struct virtio_blk_range {
	uint64_t sector;
	uint32_t sectors;
	uint32_t flags; /* VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP, or anything else */
};

/* Arrays of the caller's for one request, to be kept as long as the request is used. */
struct virtio_blk_storage {
	struct virtio_segment *segments;
	/*
	 * At least 1; for any chain the size of the queue, and more with long indirect tables. Each
	 * place where a buffer goes on in another region, or behind a translation in another piece
	 * of it, needs one more.
	 */
	uint32_t segment_capacity;
	struct virtio_blk_range *ranges; /* NULL if no command on ranges is offered */
	uint32_t range_capacity;         /* the largest max_..._seg of the options; a longer list is an I/O error */
};

#define VIRTIO_BLK_HEADER_BYTES 16 /* of a request (virtio 1.4, 5.2.6) */

/*
 * A request. It owns its header, and so must neither be copied nor moved while it is in flight.
 * Another thread may use it where it is.
 */
struct virtio_blk_request {
	/*
	 * Its chain: base.token completes it, and base.data.last_writable is the status byte, if it
	 * has one. base.error is 0, or why nothing but a failure can come of it: see struct
	 * virtio_request. Then type and sector are 0, and there is no data.
	 */
	struct virtio_request base;
	uint8_t header[VIRTIO_BLK_HEADER_BYTES]; /* as the driver wrote it */
	uint32_t type;                           /* VIRTIO_BLK_T_..., or whatever the driver wrote */
	uint64_t sector;                         /* as the driver wrote it */
	struct virtio_blk_range *ranges;         /* of the storage */
	uint32_t range_capacity;
	uint32_t range_count; /* of a command on ranges: those sent, or as many as there was room for; otherwise 0 */
};

/*
 * What the driver sends: the readable bytes after the header. And what it wants: the writable bytes
 * before the status.
 */
VIRTIO_INLINE struct virtio_blk_data virtio_blk_out(const struct virtio_blk_request *request);
VIRTIO_INLINE struct virtio_blk_data virtio_blk_in(const struct virtio_blk_request *request);

/* What came of a request. */
struct virtio_blk_result {
	uint8_t status;                  /* VIRTIO_BLK_S_... */
	uint64_t written;                /* bytes put into virtio_blk_in(), from its start on without a gap */
	uint64_t touched;                /* bytes from there on that may have changed, at least written */
	int error;                       /* 0, or the host's reason for a failure, for an operator */
	enum virtio_blk_refusal refusal; /* why the request wasn't carried out, for an operator */
};

/*
 * What an operator may ask. Counted by virtio_blk_complete(); the caller zeroes it to begin with.
 */
struct virtio_blk_stats {
	uint64_t reads; /* requests by type, whatever came of them */
	uint64_t writes;
	uint64_t flushes;
	uint64_t ids;
	uint64_t discards;
	uint64_t write_zeroes;
	uint64_t secure_erases;
	uint64_t others;                       /* of other types, GET_LIFETIME among them, or of none */
	uint64_t read_bytes;                   /* put into guest memory by reads */
	uint64_t written_bytes;                /* of writes that succeeded */
	uint64_t failed;                       /* answered VIRTIO_BLK_S_IOERR */
	uint64_t unsupported;                  /* answered VIRTIO_BLK_S_UNSUPP */
	uint64_t malformed;                    /* completed without a status, for there is no byte for one */
	int first_error;                       /* the first error of a chain, request or back end, or 0 */
	enum virtio_blk_refusal first_refusal; /* the first one, or VIRTIO_BLK_REFUSAL_NONE */
};

/*
 * Prepares a request, which can be popped into again and again.
 *
 * @request  the caller's; stays where it is
 * @storage  where its segments and ranges go; copied, but for the arrays
 *
 * Returns 0; VIRTIO_EINVAL for no segments, or an array of some entries that is NULL, and the
 * request is untouched.
 */
VIRTIO_MUST_CHECK
int virtio_blk_request_init(struct virtio_blk_request *request, const struct virtio_blk_storage *storage);

/*
 * Takes the next request from a queue, without doing anything about it.
 *
 * @queue    started
 * @request  initialised, and not in flight; filled in if 1 is returned. Otherwise untouched, but
 *           for the arrays and the header
 *
 * Returns as virtio_request_pop(): 1 for a request, which must be completed whatever its error; 0
 * for none; or an error.
 */
VIRTIO_MUST_CHECK
VIRTIO_INLINE VIRTIO_HOT int virtio_blk_pop(struct virtio_queue *queue, struct virtio_blk_request *request);

/*
 * Fills in a request from a chain that has been popped already, or has come back after a restore.
 *
 * @chain    as for virtio_request_parse()
 * @request  as for virtio_blk_pop()
 *
 * Returns 0, whatever request->base.error is; or VIRTIO_ENOTMAPPED: see virtio_request_parse().
 */
VIRTIO_MUST_CHECK
int virtio_blk_parse(struct virtio_chain *chain, struct virtio_blk_request *request);

/*
 * Judges a request by the disk's capacity of the moment.
 *
 * FLUSH bears any sector and data. A read, a write or a range of no sectors is in order inside the
 * disk, or at its end. Flags are judged in all ranges for which the storage has room, also where
 * the list as a whole is wrong.
 *
 * Returns why it must not be carried out, or VIRTIO_BLK_REFUSAL_NONE; virtio_blk_refusal_status()
 * has the status for that.
 */
enum virtio_blk_refusal virtio_blk_refusal_of(const struct virtio_blk *blk, const struct virtio_blk_request *request);

/*
 * Checks a request and carries it out. Blocks as the back end does.
 *
 * @blk      the disk
 * @request  popped
 * @result   filled in
 *
 * Nothing is read, written or flushed for a request that virtio_blk_refusal_of() has a reason to
 * refuse. A write, or a change of ranges, under write-through is flushed before it counts as done.
 * Under a back end's failure the rest of a request is not begun; how much of a failed write is on
 * the disk is not defined.
 *
 * A disk without operations answers GET_ID and refused requests. Other requests fail with
 * VIRTIO_BLK_S_IOERR and the error VIRTIO_ENOOP, and nothing is touched.
 */
void virtio_blk_execute(const struct virtio_blk *blk, const struct virtio_blk_request *request,
			struct virtio_blk_result *result);

/*
 * Records in the dirty log what a request has changed, writes its status and returns it to the
 * driver.
 *
 * @queue    that it came from, started, or broken since
 * @request  in flight
 * @result   what came of it, from virtio_blk_execute() or the caller's own
 * @stats    counted into if the request was in flight, or NULL
 *
 * A request without a byte for a status is completed with length 0. The used length of others is
 * the bytes written from the first writable byte on without a gap, so that the status counts only
 * after data that was wholly written (virtio 1.4, 2.7.8.2).
 *
 * Returns as virtio_request_complete(). After VIRTIO_ESTALE, which a completion after a reset gets,
 * nothing has been written, recorded or counted.
 */
int virtio_blk_complete(struct virtio_queue *queue, const struct virtio_blk_request *request,
			const struct virtio_blk_result *result, struct virtio_blk_stats *stats);

/*
 * Pops, executes and completes one request, for a device that works synchronously.
 *
 * @blk      the disk
 * @queue    started
 * @request  as for virtio_blk_pop()
 * @stats    counted into, or NULL
 *
 * Returns 1 when a request is completed, whatever was in it; 0 for none; an error of
 * virtio_blk_pop(); or of virtio_blk_complete(), and then the request was carried out and stays in
 * flight, which can happen only to rings that aren't contiguous host memory.
 */
VIRTIO_MUST_CHECK
int virtio_blk_process(const struct virtio_blk *blk, struct virtio_queue *queue, struct virtio_blk_request *request,
		       struct virtio_blk_stats *stats);

VIRTIO_END_DECLS

#include <virtio/inline/blk.h>

#endif
