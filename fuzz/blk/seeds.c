/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Seeds of the block harness. */
#include <virtio/bindings/virtio_blk.h>

#include "../common/seeds.h"
#include "steps.h"

#define BLK(name, ...) SEED("fuzz_blk", name, __VA_ARGS__)

/*
 * DISK and LOGGED begin an input: memory, a queue of size 16, and the options of a disk with 16
 * sectors. Memory is one region. LOGGED adds a dirty log.
 */
#define Q_SIZE_16 4
#define OPTIONS(bits) (uint8_t)(bits), (uint8_t)((bits) >> 8)
#define DISK(bits) 0, Q_SIZE_16, OPTIONS(bits)
#define LOGGED(bits) BLK_M_LOGGED, Q_SIZE_16, OPTIONS(bits)
#define PLAIN DISK(0)
#define ALL_RANGES (BLK_O_DISCARD | BLK_O_WRITE_ZEROES | BLK_O_SECURE_ERASE)
#define SIX_LIMITS 8, 4, 8, 4, 8, 4
#define MASK(feature) (1u << VIRTIO_BLK_F_##feature)
#define FEATURES(mask) (uint8_t)(mask), (uint8_t)((mask) >> 8), (uint8_t)((mask) >> 16)

/* Large numbers for fuzz_number(): a power of 4 plus or minus a small difference. */
#define POWER(half, more) (uint8_t)(0xe0 + (half)-1), (uint8_t)(more)
#define NEAR_2_32(more) POWER(16, more)
#define NEAR_2_64(more) 0xfe, (uint8_t)(more)

/*
 * Steps of the driver. USUAL puts readable bytes at the beginning of the data area, and writable
 * bytes in its middle. USUAL cuts the buffers as most drivers do.
 */
#define USUAL 0, 112, 0, 0
#define READ(sector, count) BLK_REQUEST, VIRTIO_BLK_T_IN, 0, sector, count, USUAL
#define WRITE(sector, count) BLK_REQUEST, VIRTIO_BLK_T_OUT, 0, sector, count, USUAL
#define ASK(type, flags, sector, amount) BLK_REQUEST, type, flags, sector, amount, USUAL
#define PLACED(type, flags, sector, amount, ...) BLK_REQUEST, type, flags, sector, amount, __VA_ARGS__
#define FLUSH_REQUEST BLK_REQUEST, VIRTIO_BLK_T_FLUSH, BLK_R_NO_DATA, 0, USUAL
#define GET_ID(bytes) ASK(VIRTIO_BLK_T_GET_ID, 0, 0, (bytes) + 16)
#define GET_LIFETIME(bytes) ASK(VIRTIO_BLK_T_GET_LIFETIME, 0, 0, (bytes) + 16)
#define RANGE(flags, sector, sectors) flags, sector, sectors
#define ON_RANGE(type, flags, sector, sectors) BLK_REQUEST, type, 0, 0, 1, RANGE(flags, sector, sectors), USUAL
#define ON_RANGES(type, count, ...) BLK_REQUEST, type, 0, 0, count, __VA_ARGS__, USUAL
#define DISCARD(...) ON_RANGE(VIRTIO_BLK_T_DISCARD, __VA_ARGS__)
#define ZERO(...) ON_RANGE(VIRTIO_BLK_T_WRITE_ZEROES, __VA_ARGS__)
#define ERASE(...) ON_RANGE(VIRTIO_BLK_T_SECURE_ERASE, __VA_ARGS__)
#define UNKNOWN 0x40
#define UNMAP 1
#define FROM_END 0x80
#define WRITEBACK(value) BLK_CONFIG_WRITE, 0x01 | (value) << 4
/* Replaces a descriptor of a request. The new buffer lies far away or wraps around. */
#define FAR(index, len, flags, next) BLK_DESC, index, 0xff, POWER(20, 0), len, flags, next
#define WRAPPING(index, len, flags, next) BLK_DESC, index, 0xff, NEAR_2_64(-1), len, flags, next
#define NEXT 1
#define WRITABLE 2
#define POKE_BYTES(place, byte, a, b) BLK_POKE, place, byte, 1, a, b

/* Steps of the device. */
#define DEVICE(step) (0x80 | (step))
#define SERVE DEVICE(BLK_SERVE), 0
#define SERVE_IN_PARTS DEVICE(BLK_SERVE), BLK_S_PARTS
#define SERVE_WITH(...) DEVICE(BLK_SERVE), BLK_S_FAULTS, __VA_ARGS__
#define POP DEVICE(BLK_POP)
#define PARSE(which) DEVICE(BLK_PARSE), which
#define EXECUTE(which) DEVICE(BLK_EXECUTE), 0, which
#define EXECUTE_WITH(which, ...) DEVICE(BLK_EXECUTE), BLK_S_FAULTS, which, __VA_ARGS__
#define MOVE(vector, which) DEVICE(BLK_MOVE), ((vector)-1) << 4, which
#define MOVE_WITH(vector, which, ...) DEVICE(BLK_MOVE), ((vector)-1) << 4 | BLK_S_FAULTS, which, __VA_ARGS__
#define FINISH(which) DEVICE(BLK_FINISH), 0, which
#define COMPLETE(which) DEVICE(BLK_COMPLETE), which
#define OWN(which, status, written, more) DEVICE(BLK_OWN), status, written, more, which
#define ERROR(moved) BLK_F_ERROR, moved
#define SHORT(moved) BLK_F_SHORT, moved
#define NONSENSE(which, moved) BLK_F_NONSENSE + (which), moved
/* Failures of operations that move no data. No byte with an amount follows. */
#define FAILS BLK_F_ERROR
#define SENSELESS BLK_F_NONSENSE + 1
#define RESIZE(sectors) DEVICE(BLK_RESIZE), sectors
#define RESET(how) DEVICE(BLK_RESET), how
#define MIGRATE(how) DEVICE(BLK_MIGRATE), how
#define CONFIG_READ(...) DEVICE(BLK_CONFIG_READ), __VA_ARGS__
/*
 * The arguments of BLK_ANY_CHECK are the capacity, max_request_bytes, two limits of discard, type,
 * sector, bytes out, bytes in, room for ranges, and the ranges.
 */
#define ANY_CHECK(...) DEVICE(BLK_ANY_CHECK), __VA_ARGS__
#define ANY_TRANSFER(...) DEVICE(BLK_ANY_TRANSFER), __VA_ARGS__
#define ANY_MEMORY(...) DEVICE(BLK_ANY_MEMORY), __VA_ARGS__

const struct seed blk_seeds[] = {
	BLK("read", PLAIN, READ(3, 2), SERVE, DEVICE(BLK_NOTIFY), READ(0, 1), SERVE),
	BLK("write", PLAIN, WRITE(3, 2), SERVE, READ(3, 2), SERVE, FLUSH_REQUEST, SERVE),
	BLK("flush", PLAIN, FLUSH_REQUEST, SERVE, ASK(VIRTIO_BLK_T_FLUSH, 0, 77, 30), SERVE, BLK_REQUEST,
	    VIRTIO_BLK_T_FLUSH, BLK_R_BOTH, 9, 30, 12, USUAL, SERVE, WRITE(1, 1), SERVE, FLUSH_REQUEST,
	    SERVE_WITH(FAILS), FLUSH_REQUEST, SERVE_WITH(SENSELESS)),
	BLK("id", PLAIN, GET_ID(20), SERVE, GET_ID(19), SERVE, GET_ID(25), SERVE, BLK_REQUEST, VIRTIO_BLK_T_GET_ID,
	    BLK_R_BOTH, 0, 36, 1, USUAL, SERVE, PLACED(VIRTIO_BLK_T_GET_ID, 0, 0, 36, 0, 112, 0, 7), SERVE),
	BLK("lifetime", DISK(BLK_O_LIFETIME), GET_LIFETIME(6), SERVE, GET_LIFETIME(5), SERVE, GET_LIFETIME(9), SERVE,
	    GET_LIFETIME(6), SERVE_WITH(FAILS), GET_LIFETIME(6), SERVE_WITH(BLK_F_SHORT), GET_LIFETIME(6),
	    SERVE_WITH(BLK_F_SHORT + 1), GET_LIFETIME(6), SERVE_WITH(BLK_F_SHORT + 2), GET_LIFETIME(6),
	    SERVE_WITH(SENSELESS)),
	BLK("answers_logged", LOGGED(BLK_O_LIFETIME), GET_ID(30), SERVE,
	    PLACED(VIRTIO_BLK_T_GET_ID, 0, 0, 41, 0, 112, 0, 7), SERVE, GET_LIFETIME(6), SERVE_WITH(0x40), GET_ID(30),
	    POP, PARSE(0), EXECUTE(0), FINISH(0), COMPLETE(0), GET_LIFETIME(8), POP, PARSE(0),
	    EXECUTE_WITH(0, BLK_F_ERROR + 1), FINISH(0), COMPLETE(0)),
	BLK("lifetime_not_offered", PLAIN, GET_LIFETIME(6), SERVE),
	BLK("types", PLAIN, ASK(2, 0, 0, 20), SERVE, ASK(3, 0, 0, 20), SERVE, ASK(16, 0, 0, 20), SERVE,
	    ASK(24, 0, 0, 0), SERVE, BLK_REQUEST, 0xff, 1, 0, 0, 0x80, 0, 1, 1, USUAL, SERVE, BLK_REQUEST, 0xff, 0, 1,
	    0, 0, 0, 1, 1, USUAL, SERVE, DEVICE(BLK_SERVE), BLK_S_NO_STATS),
	BLK("end_of_disk", PLAIN, READ(15, 1), SERVE, READ(15, 2), SERVE, READ(16, 0), SERVE, READ(16, 1), SERVE,
	    READ(17, 0), SERVE, WRITE(15, 1), SERVE, WRITE(15, 2), SERVE, WRITE(16, 0), SERVE, WRITE(17, 0), SERVE),
	BLK("sector_wraps", PLAIN, BLK_REQUEST, VIRTIO_BLK_T_IN, 0, NEAR_2_64(-1), 1, USUAL, SERVE, BLK_REQUEST,
	    VIRTIO_BLK_T_OUT, 0, NEAR_2_64(-1), 2, USUAL, SERVE, BLK_REQUEST, VIRTIO_BLK_T_IN, 0, POWER(28, -1), 2,
	    USUAL, SERVE),
	BLK("huge_disk", DISK(BLK_O_CAPACITY), POWER(27, 0), ASK(VIRTIO_BLK_T_IN, BLK_R_FROM_END, 2, 2), SERVE,
	    ASK(VIRTIO_BLK_T_OUT, BLK_R_FROM_END, 1, 2), SERVE, ASK(VIRTIO_BLK_T_OUT, BLK_R_FROM_END, 1, 1), SERVE),
	BLK("odd_lengths", PLAIN, ASK(VIRTIO_BLK_T_IN, 0, 1, 116), SERVE, ASK(VIRTIO_BLK_T_OUT, 0, 1, 116), SERVE,
	    BLK_REQUEST, VIRTIO_BLK_T_IN, 0, 1, 255, 1, 2, USUAL, SERVE, BLK_REQUEST, VIRTIO_BLK_T_OUT, 0, 1, 255, 0xff,
	    1, USUAL, SERVE),
	BLK("no_data", PLAIN, READ(1, 0), SERVE, WRITE(1, 0), SERVE),
	BLK("wrong_direction", PLAIN, BLK_REQUEST, VIRTIO_BLK_T_IN, BLK_R_BOTH, 1, 1, 10, USUAL, SERVE, BLK_REQUEST,
	    VIRTIO_BLK_T_OUT, BLK_R_BOTH, 1, 1, 10, USUAL, SERVE),
	BLK("short_header", LOGGED(0), BLK_REQUEST, VIRTIO_BLK_T_IN, BLK_R_SHORT, 15, 1, 1, USUAL, SERVE, BLK_REQUEST,
	    VIRTIO_BLK_T_FLUSH, BLK_R_SHORT | BLK_R_NO_DATA, 0, 1, USUAL, SERVE),
	BLK("no_status", PLAIN, ASK(VIRTIO_BLK_T_OUT, BLK_R_NO_STATUS, 1, 1), SERVE,
	    ASK(VIRTIO_BLK_T_IN, BLK_R_NO_STATUS, 1, 1), SERVE, BLK_REQUEST, VIRTIO_BLK_T_OUT,
	    BLK_R_NO_STATUS | BLK_R_SHORT, 7, 1, 0, USUAL, SERVE),
	BLK("indirect", PLAIN, ASK(VIRTIO_BLK_T_IN, BLK_R_INDIRECT, 1, 2), SERVE,
	    ASK(VIRTIO_BLK_T_OUT, BLK_R_INDIRECT, 1, 2), SERVE),
	BLK("cut", LOGGED(0), PLACED(VIRTIO_BLK_T_IN, 0, 1, 1, 0, 112, 3, 100), SERVE,
	    PLACED(VIRTIO_BLK_T_OUT, BLK_R_GAPS, 1, 1, 0, 112, 60, 1), SERVE,
	    PLACED(VIRTIO_BLK_T_IN, BLK_R_GAPS | BLK_R_INDIRECT, 1, 1, 0, 112, 1, 37), SERVE,
	    PLACED(VIRTIO_BLK_T_IN, 0, 1, 2, 0, 112, 0x82, 7, 0, 9, 0, 0x82, 1, 0, 0xff, 3), SERVE),
	BLK("one_piece", PLAIN, PLACED(VIRTIO_BLK_T_IN, 0, 1, 1, 0, 112, 127, 0x80), SERVE,
	    PLACED(VIRTIO_BLK_T_OUT, 0, 1, 1, 0, 112, 0x80, 0x80), SERVE),
	BLK("on_itself", LOGGED(0), PLACED(VIRTIO_BLK_T_IN, 0, 1, 1, 8, 8, 0, 0), SERVE,
	    PLACED(VIRTIO_BLK_T_OUT, 0, 1, 1, 8, 8, 0, 0), SERVE, PLACED(VIRTIO_BLK_T_OUT, 0, 1, 1, 8, 20, 0, 0),
	    SERVE),
	/*
 * BLK_DESC puts the data buffer of the first read over the rings: 1024 bytes from the first
 * descriptor on.
 */
	BLK("on_rings", PLAIN, READ(1, 1), READ(2, 1), BLK_DESC, 1, 0, POWER(5, 0), 3, 2, SERVE, SERVE, RESET(3), 0, 0,
	    0, 0, READ(1, 1), SERVE),
	BLK("read_only", DISK(BLK_O_READ_ONLY), WRITE(1, 1), SERVE, READ(1, 1), SERVE, WRITE(1, 0), SERVE),
	BLK("read_only_unaccepted", DISK(BLK_O_READ_ONLY | BLK_O_SUBSET), FEATURES(0), WRITE(1, 1), SERVE),
	BLK("write_through", DISK(BLK_O_SUBSET), FEATURES(0), WRITE(1, 1), SERVE, WRITE(1, 0), SERVE, FLUSH_REQUEST,
	    SERVE, WRITE(1, 1), SERVE_WITH(0, FAILS), WRITE(1, 1), SERVE_WITH(ERROR(99)), WRITE(1, 1),
	    SERVE_WITH(SHORT(100), 0, 0)),
	BLK("failed_writes", DISK(BLK_O_SUBSET), FEATURES(0), WRITE(1, 2), SERVE_WITH(SHORT(100), ERROR(3)),
	    DEVICE(BLK_NEGOTIATE), 1, 0, 2, 0, 0, WRITE(1, 2), SERVE_WITH(SHORT(100), ERROR(3)), WRITE(1, 2), POP,
	    PARSE(0), EXECUTE_WITH(0, BLK_F_ERROR + 1, 3), FINISH(0), COMPLETE(0)),
	BLK("no_flush", DISK(BLK_O_NO_FLUSH), WRITE(1, 1), SERVE, FLUSH_REQUEST, SERVE),
	BLK("writeback", DISK(BLK_O_WCE), WRITE(1, 1), SERVE, WRITEBACK(0), WRITE(2, 1), SERVE, WRITEBACK(2),
	    WRITE(3, 1), SERVE, WRITEBACK(1), WRITE(4, 1), SERVE, FLUSH_REQUEST, SERVE, DEVICE(BLK_NEGOTIATE), 0,
	    BLK_CONFIG_WRITE, 0x02, 31, 1, BLK_CONFIG_WRITE, 0x12, 30, 5, BLK_CONFIG_WRITE, 2, 0, 32, BLK_CONFIG_WRITE,
	    0, 33),
	BLK("writeback_without_flush", DISK(BLK_O_WCE | BLK_O_SUBSET), FEATURES(MASK(CONFIG_WCE)), WRITEBACK(1),
	    WRITE(1, 1), SERVE, WRITEBACK(0), WRITE(1, 1), SERVE),
	BLK("writeback_unaccepted", DISK(BLK_O_WCE | BLK_O_SUBSET), FEATURES(MASK(FLUSH)), WRITEBACK(0), WRITE(1, 1),
	    SERVE),
	BLK("writeback_meanwhile", DISK(BLK_O_WCE), WRITE(1, 1), SERVE_WITH(BLK_F_TOGGLE, 1, 0), WRITE(2, 1),
	    SERVE_WITH(BLK_F_TOGGLE, 0x11), WRITE(2, 1), SERVE_WITH(BLK_F_TOGGLE, 1, BLK_F_TOGGLE, 0x11)),
	BLK("discard", DISK(ALL_RANGES), SIX_LIMITS, DISCARD(0, 3, 2), SERVE, READ(3, 2), SERVE, DISCARD(UNMAP, 3, 2),
	    SERVE, DISCARD(UNKNOWN, 3, 2), SERVE, DISCARD(0, 9, 8), SERVE, DISCARD(0, 8, 8), SERVE, DISCARD(0, 3, 9),
	    SERVE, DISCARD(0, 16, 0), SERVE, DISCARD(0, 17, 0), SERVE),
	BLK("zeroes", DISK(ALL_RANGES), SIX_LIMITS, ZERO(0, 3, 2), SERVE, READ(3, 2), SERVE, ZERO(UNMAP, 3, 2), SERVE,
	    ZERO(2, 3, 2), SERVE, ZERO(UNKNOWN, 3, 2), SERVE, ZERO(FROM_END, 4, 5), SERVE),
	BLK("zeroes_unmap", DISK(ALL_RANGES | BLK_O_MAY_UNMAP), SIX_LIMITS, ZERO(0, 3, 2), SERVE, ZERO(UNMAP, 3, 2),
	    SERVE, DISCARD(UNMAP, 3, 2), SERVE, ERASE(UNMAP, 3, 2), SERVE),
	BLK("erase", DISK(ALL_RANGES), SIX_LIMITS, ERASE(0, 3, 2), SERVE, READ(3, 2), SERVE, ERASE(UNMAP, 3, 2), SERVE,
	    ERASE(0, 3, 9), SERVE),
	BLK("ranges", DISK(ALL_RANGES), SIX_LIMITS,
	    ON_RANGES(VIRTIO_BLK_T_DISCARD, 4, RANGE(0, 1, 1), RANGE(0, 3, 0), RANGE(0, 2, 5), RANGE(0, 15, 1)), SERVE,
	    ON_RANGES(VIRTIO_BLK_T_DISCARD, 5, RANGE(0, 1, 1), RANGE(0, 3, 0), RANGE(0, 2, 5), RANGE(0, 15, 1),
		      RANGE(0, 1, 1)),
	    SERVE, ON_RANGES(VIRTIO_BLK_T_WRITE_ZEROES, 2, RANGE(0, 1, 1), RANGE(0, 16, 1)), SERVE,
	    ON_RANGES(VIRTIO_BLK_T_SECURE_ERASE, 2, RANGE(0, 1, 1), RANGE(UNMAP, 2, 1)), SERVE),
	BLK("ranges_cut", DISK(ALL_RANGES), SIX_LIMITS, BLK_REQUEST, VIRTIO_BLK_T_DISCARD, BLK_R_GAPS, 0, 2,
	    RANGE(0, 1, 1), RANGE(0, 3, 2), 0, 112, 5, 0, SERVE),
	BLK("ranges_odd", DISK(ALL_RANGES), SIX_LIMITS, ASK(VIRTIO_BLK_T_DISCARD, 0, 0, 33), SERVE,
	    ASK(VIRTIO_BLK_T_DISCARD, 0, 0, 31), SERVE, ASK(VIRTIO_BLK_T_DISCARD, 0, 0, 0), SERVE, BLK_REQUEST,
	    VIRTIO_BLK_T_DISCARD, BLK_R_BOTH, 0, 1, RANGE(0, 1, 1), 3, USUAL, SERVE),
	BLK("ranges_little_room", DISK(ALL_RANGES | BLK_O_SMALL), SIX_LIMITS, 20, 1, DISCARD(0, 1, 1), SERVE,
	    ON_RANGES(VIRTIO_BLK_T_DISCARD, 2, RANGE(0, 1, 1), RANGE(0, 3, 1)), SERVE,
	    ON_RANGES(VIRTIO_BLK_T_DISCARD, 2, RANGE(UNMAP, 1, 1), RANGE(0, 3, 1)), SERVE),
	BLK("ranges_no_room", DISK(ALL_RANGES | BLK_O_SMALL), SIX_LIMITS, 20, 0, DISCARD(0, 1, 1), SERVE),
	BLK("ranges_unaccepted", DISK(ALL_RANGES | BLK_O_SUBSET), SIX_LIMITS, FEATURES(0), DISCARD(0, 1, 1), SERVE,
	    ZERO(0, 1, 1), SERVE, ERASE(0, 1, 1), SERVE),
	BLK("ranges_write_through", DISK(ALL_RANGES | BLK_O_SUBSET), SIX_LIMITS,
	    FEATURES(MASK(DISCARD) | MASK(WRITE_ZEROES) | MASK(SECURE_ERASE)), DISCARD(0, 1, 1), SERVE, ZERO(0, 1, 1),
	    SERVE, ERASE(0, 1, 1), SERVE, ZERO(0, 1, 0), SERVE, ZERO(0, 1, 1), SERVE_WITH(0, FAILS), ZERO(0, 1, 1),
	    SERVE_WITH(FAILS)),
	BLK("ranges_no_flush", DISK(ALL_RANGES | BLK_O_NO_FLUSH), SIX_LIMITS, DISCARD(0, 1, 1), SERVE),
	BLK("ranges_fail", DISK(ALL_RANGES), SIX_LIMITS,
	    ON_RANGES(VIRTIO_BLK_T_DISCARD, 2, RANGE(0, 1, 1), RANGE(0, 3, 1)), SERVE_WITH(FAILS),
	    ON_RANGES(VIRTIO_BLK_T_DISCARD, 2, RANGE(0, 1, 1), RANGE(0, 3, 1)), SERVE_WITH(0, SENSELESS)),
	/*
	 * In the first request a range changes during the work on another range. The ranges of the
	 * second request change after the parse.
	 */
	BLK("ranges_change", DISK(ALL_RANGES), SIX_LIMITS,
	    ON_RANGES(VIRTIO_BLK_T_DISCARD, 2, RANGE(0, 1, 1), RANGE(0, 3, 1)),
	    SERVE_WITH(BLK_F_POKE, 33, 0, 0, 9, BLK_F_FINE),
	    ON_RANGES(VIRTIO_BLK_T_WRITE_ZEROES, 2, RANGE(0, 1, 1), RANGE(0, 3, 1)), POP, PARSE(0),
	    POKE_BYTES(32, 16, 7, 7), POKE_BYTES(33, 8, 9, 9), EXECUTE(0), FINISH(0), COMPLETE(0)),
	BLK("short_moves", LOGGED(0), READ(1, 2), SERVE_WITH(SHORT(100), SHORT(0), 0), WRITE(1, 2),
	    SERVE_WITH(SHORT(255), 0)),
	BLK("failed_reads", LOGGED(0), READ(1, 2), SERVE_WITH(ERROR(0)), READ(1, 2), SERVE_WITH(ERROR(200)), READ(1, 2),
	    SERVE_WITH(SHORT(128), ERROR(128)), READ(1, 2), SERVE_WITH(SHORT(3), BLK_F_ERROR + 3, 3)),
	BLK("nonsense", LOGGED(0), READ(1, 1), SERVE_WITH(NONSENSE(0, 9)), READ(1, 1), SERVE_WITH(NONSENSE(1, 9)),
	    READ(1, 1), SERVE_WITH(NONSENSE(2, 9)), READ(1, 1), SERVE_WITH(NONSENSE(3, 9)), READ(1, 1),
	    SERVE_WITH(NONSENSE(4, 9)), WRITE(1, 1), SERVE_WITH(NONSENSE(5, 9)), WRITE(1, 1),
	    SERVE_WITH(NONSENSE(6, 9)), WRITE(1, 1), SERVE_WITH(NONSENSE(7, 9))),
	BLK("memory_changes", PLAIN, WRITE(1, 1), SERVE_WITH(BLK_F_POKE, 33, 0, 1, 9, 9), READ(1, 1),
	    SERVE_WITH(BLK_F_POKE, 32, 0, 7, 1, 1, 1, 1, 1, 1, 1, 1)),
	BLK("one_entry", DISK(BLK_O_VECTOR), 1, PLACED(VIRTIO_BLK_T_IN, 0, 1, 2, 0, 112, 0, 100), SERVE,
	    PLACED(VIRTIO_BLK_T_OUT, 0, 1, 2, 0, 112, 100, 0), SERVE),
	BLK("by_memory", DISK(ALL_RANGES | BLK_O_MEMORY), SIX_LIMITS, READ(1, 2), SERVE, WRITE(3, 2), SERVE,
	    FLUSH_REQUEST, SERVE, DISCARD(0, 1, 1), SERVE, ZERO(0, 3, 1), SERVE, ERASE(0, 5, 1), SERVE),
	BLK("limit", DISK(BLK_O_LIMIT), 8, READ(1, 1), SERVE, READ(1, 2), SERVE, WRITE(1, 1), SERVE, WRITE(1, 2),
	    SERVE),
	BLK("few_segments", DISK(BLK_O_SMALL), 3, 0, READ(1, 1), SERVE,
	    PLACED(VIRTIO_BLK_T_IN, 0, 1, 1, 0, 112, 0, 100), SERVE, PLACED(VIRTIO_BLK_T_IN, 0, 1, 1, 0, 112, 4, 0),
	    POP, PARSE(0), EXECUTE(0), FINISH(0), COMPLETE(0),
	    PLACED(VIRTIO_BLK_T_OUT, BLK_R_NO_STATUS, 1, 1, 0, 112, 50, 0), SERVE),
	BLK("no_segments", DISK(BLK_O_SMALL), 0, 0, READ(1, 1), SERVE),
	BLK("fields", DISK(BLK_O_FIELDS | BLK_O_WCE | ALL_RANGES | BLK_O_MAY_UNMAP), SIX_LIMITS, 0xff,
	    CONFIG_READ(0, 96), CONFIG_READ(90, 20), CONFIG_READ(96, 1), CONFIG_READ(0, 0),
	    CONFIG_READ(NEAR_2_64(-1), 9)),
	BLK("fields_not_offered", DISK(BLK_O_FIELDS | BLK_O_MAY_UNMAP), 0, CONFIG_READ(0, 96)),
	BLK("fields_half", DISK(BLK_O_FIELDS), 0x55, CONFIG_READ(3, 9)),
	BLK("fields_other_half", DISK(BLK_O_FIELDS | BLK_O_DISCARD), 5, 5, 0xaa, CONFIG_READ(30, 60)),
	BLK("wrong_readv", DISK(BLK_O_WRONG), 0, READ(1, 1), SERVE),
	BLK("wrong_writev", DISK(BLK_O_WRONG), 1),
	BLK("no_writev", DISK(BLK_O_WRONG | BLK_O_READ_ONLY), 1, WRITE(1, 1), SERVE),
	BLK("wrong_discard", DISK(BLK_O_WRONG | ALL_RANGES), SIX_LIMITS, 2),
	BLK("wrong_zeroes", DISK(BLK_O_WRONG | ALL_RANGES), SIX_LIMITS, 3),
	BLK("wrong_erase", DISK(BLK_O_WRONG | ALL_RANGES), SIX_LIMITS, 4),
	BLK("wrong_block", DISK(BLK_O_WRONG), 5, 0, 1, 0, 0),
	BLK("wrong_block_odd", DISK(BLK_O_WRONG), 5, 0, 3, 0, 0),
	BLK("right_block", DISK(BLK_O_WRONG), 5, 0, 4, 0, 0),
	BLK("wrong_exponent", DISK(BLK_O_WRONG), 6, 23),
	BLK("wrong_exponent_huge", DISK(BLK_O_WRONG), 6, 200),
	BLK("right_exponent", DISK(BLK_O_WRONG), 6, 22),
	BLK("wrong_capacity", DISK(BLK_O_WRONG), 7, POWER(27, 1)),
	BLK("wrong_limit", DISK(BLK_O_WRONG | ALL_RANGES), SIX_LIMITS, 8),
	BLK("wrong_limit_too", DISK(BLK_O_WRONG | ALL_RANGES), SIX_LIMITS, 9),
	BLK("no_ops", DISK(BLK_O_WRONG | BLK_O_WCE | ALL_RANGES), SIX_LIMITS, BLK_W_NO_OPS + 1, READ(1, 1), SERVE,
	    READ(1, 1), POP, PARSE(0), MOVE(1, 0), FINISH(0), COMPLETE(0), WRITEBACK(0), WRITE(1, 1), POP, PARSE(0),
	    MOVE(1, 0), FINISH(0), COMPLETE(0), FLUSH_REQUEST, POP, PARSE(0), MOVE(1, 0), FINISH(0), COMPLETE(0),
	    GET_ID(20), SERVE, DISCARD(0, 3, 2), POP, PARSE(0), MOVE(1, 0), EXECUTE(0), FINISH(0), COMPLETE(0),
	    READ(17, 1), SERVE),
	BLK("no_ops_no_flush", DISK(BLK_O_WRONG), BLK_W_NO_OPS, FLUSH_REQUEST, SERVE, WRITE(1, 1), SERVE),
	BLK("wrong_no_ops", DISK(BLK_O_WRONG | BLK_O_WCE), BLK_W_NO_OPS),
	BLK("no_ops_vector", DISK(BLK_O_WRONG | BLK_O_VECTOR), BLK_W_NO_OPS, 0, GET_ID(20), SERVE),
	BLK("wrong_flush", DISK(BLK_O_WRONG | BLK_O_NO_FLUSH), BLK_W_FLUSH),
	BLK("wrong_vector", DISK(BLK_O_VECTOR), 0),
	BLK("wrong_wce", DISK(BLK_O_WCE | BLK_O_NO_FLUSH)),
	BLK("wrong_read_only", DISK(BLK_O_READ_ONLY | BLK_O_DISCARD), 5, 5),
	BLK("resize", PLAIN, RESIZE(18), READ(17, 1), SERVE, RESIZE(2), READ(1, 1), SERVE, READ(2, 1), SERVE,
	    DEVICE(BLK_RESIZE), POWER(27, 1), DEVICE(BLK_RESIZE), POWER(27, 0), READ(2, 1), SERVE),
	BLK("negotiate", PLAIN, DEVICE(BLK_NEGOTIATE), 1, 0, 0, 0, 0, WRITE(1, 1), SERVE, DEVICE(BLK_NEGOTIATE), 1, 0,
	    2, 0, 0, WRITE(1, 1), SERVE, DEVICE(BLK_NEGOTIATE), 2, 8, 0, 0, 0, 0, 0, 0, 0, DEVICE(BLK_NEGOTIATE), 2, 0,
	    2, 0, 0xff, 0xff, 0xff, 0xff, 0xff),
	BLK("apart", LOGGED(0), READ(1, 2), WRITE(5, 2), POP, POP, PARSE(0), PARSE(1), MOVE(1, 0), MOVE(1, 1),
	    POKE_BYTES(33, 0, 7, 7), MOVE(2, 1), FINISH(1), COMPLETE(1), MOVE(1, 0), FINISH(0), COMPLETE(0)),
	BLK("apart_begun", PLAIN, READ(17, 1), POP, PARSE(0), MOVE(1, 0), FINISH(0), COMPLETE(0), ASK(99, 0, 0, 1), POP,
	    PARSE(0), MOVE(1, 0), FINISH(0), COMPLETE(0), FLUSH_REQUEST, POP, PARSE(0), MOVE(1, 0), FINISH(0),
	    COMPLETE(0), GET_ID(20), POP, PARSE(0), MOVE(1, 0), EXECUTE(0), FINISH(0), COMPLETE(0)),
	BLK("refused_ranges", DISK(ALL_RANGES), SIX_LIMITS,
	    ON_RANGES(VIRTIO_BLK_T_DISCARD, 2, RANGE(0, 99, 1), RANGE(0, 0, 9)), SERVE_IN_PARTS,
	    ON_RANGES(VIRTIO_BLK_T_DISCARD, 2, RANGE(0, 99, 1), RANGE(0, 0, 8)), SERVE_IN_PARTS),
	BLK("apart_cut", LOGGED(0), PLACED(VIRTIO_BLK_T_IN, 0, 1, 2, 0, 112, 0, 100), POP, PARSE(0), MOVE(2, 0),
	    MOVE_WITH(2, 0, SHORT(9)), MOVE(3, 0), MOVE_WITH(1, 0, ERROR(77)), FINISH(0), COMPLETE(0)),
	BLK("apart_one_piece", PLAIN, PLACED(VIRTIO_BLK_T_OUT, 0, 1, 1, 0, 112, 0x80, 0x80), POP, PARSE(0), EXECUTE(0),
	    FINISH(0), COMPLETE(0), PLACED(VIRTIO_BLK_T_OUT, 0, 1, 1, 0, 112, 25, 0x80), POP, PARSE(0), EXECUTE(0),
	    FINISH(0), COMPLETE(0)),
	BLK("apart_fail", LOGGED(0), READ(1, 1), POP, PARSE(0), MOVE_WITH(2, 0, NONSENSE(1, 30)), FINISH(0),
	    COMPLETE(0), READ(1, 1), POP, PARSE(0), MOVE_WITH(2, 0, NONSENSE(0, 30)), FINISH(0), COMPLETE(0)),
	BLK("apart_write_through", DISK(BLK_O_SUBSET), FEATURES(0), WRITE(1, 1), POP, PARSE(0), MOVE(1, 0), FINISH(0),
	    COMPLETE(0), WRITE(1, 1), POP, PARSE(0), MOVE_WITH(1, 0, 0, FAILS), FINISH(0), COMPLETE(0)),
	BLK("apart_no_data", PLAIN, READ(1, 0), POP, PARSE(0), MOVE(1, 0), FINISH(0), COMPLETE(0)),
	BLK("apart_shrinks", PLAIN, WRITE(9, 2), POP, PARSE(0), RESIZE(9), EXECUTE(0), FINISH(0), COMPLETE(0),
	    RESIZE(16), WRITE(9, 2), POP, PARSE(0), MOVE(1, 0), RESIZE(9), MOVE(1, 0), FINISH(0), COMPLETE(0)),
	BLK("header_changes", PLAIN, READ(1, 1), POP, PARSE(0), POKE_BYTES(32, 0, 1, 0), POKE_BYTES(32, 8, 9, 0),
	    EXECUTE(0), FINISH(0), COMPLETE(0)),
	BLK("own", LOGGED(0), READ(1, 1), POP, PARSE(0), OWN(0, 1, 100, 70), FINISH(0), COMPLETE(0), READ(1, 0), POP,
	    PARSE(0), OWN(0, 2, 0, 0), DEVICE(BLK_FINISH), BLK_S_NO_STATS, 0, COMPLETE(0), WRITE(1, 1), POP, PARSE(0),
	    OWN(0, 0, 0, 0), FINISH(0), COMPLETE(0)),
	BLK("apart_refused", PLAIN, ASK(VIRTIO_BLK_T_OUT, BLK_R_NO_STATUS, 1, 1), POP, PARSE(0), COMPLETE(0),
	    READ(16, 1), POP, PARSE(0), EXECUTE(0), FINISH(0), COMPLETE(0), READ(16, 1), POP, PARSE(0), MOVE(1, 0)),
	BLK("in_order", 0, Q_SIZE_16 | BLK_Q_IN_ORDER | BLK_Q_EVENT_IDX, OPTIONS(0), READ(1, 1), READ(2, 1),
	    WRITE(3, 1), POP, POP, POP, PARSE(2), EXECUTE(2), FINISH(2), COMPLETE(2), DEVICE(BLK_NOTIFY), PARSE(0),
	    EXECUTE(0), FINISH(0), COMPLETE(0), PARSE(0), EXECUTE_WITH(0, ERROR(30)), FINISH(0), COMPLETE(0),
	    DEVICE(BLK_NOTIFY)),
	BLK("stale", PLAIN, WRITE(1, 1), DEVICE(BLK_SERVE), BLK_S_STALE, READ(1, 1), DEVICE(BLK_SERVE),
	    BLK_S_STALE | BLK_S_NO_STATS, ASK(VIRTIO_BLK_T_IN, BLK_R_NO_STATUS | BLK_R_NO_DATA, 1, 0),
	    DEVICE(BLK_SERVE), BLK_S_STALE),
	BLK("uncounted", PLAIN, READ(1, 1), DEVICE(BLK_SERVE), BLK_S_NO_STATS, BLK_REQUEST, VIRTIO_BLK_T_OUT,
	    BLK_R_NO_STATUS, 1, 1, USUAL, DEVICE(BLK_SERVE), BLK_S_NO_STATS),
	BLK("reset", PLAIN, READ(1, 1), WRITE(2, 1), POP, PARSE(0), MOVE(1, 0), POP, RESET(1), WRITE(3, 1), SERVE,
	    DEVICE(BLK_NEGOTIATE), 1, 0, 2, 0, 0),
	BLK("reset_writeback", DISK(BLK_O_WCE), WRITE(1, 1), SERVE, RESET(1), WRITE(1, 1), SERVE, RESET(3), 0, 0, 0, 0,
	    WRITE(1, 1), SERVE),
	BLK("migrate", DISK(BLK_O_WCE), WRITE(1, 1), SERVE, MIGRATE(0), WRITEBACK(0), MIGRATE(BLK_G_NEW), WRITE(1, 1),
	    SERVE, MIGRATE(BLK_G_NEW | BLK_G_BEFORE), WRITE(2, 1), SERVE, MIGRATE(BLK_G_NEW | BLK_G_AFTER), WRITE(3, 1),
	    SERVE, RESIZE(18), MIGRATE(BLK_G_NEW), READ(17, 1), SERVE),
	BLK("migrate_forged", DISK(BLK_O_WCE), MIGRATE(BLK_G_WRITEBACK), 2, MIGRATE(BLK_G_CAPACITY), 17,
	    MIGRATE(BLK_G_CAPACITY), 15, MIGRATE(BLK_G_FEATURES), 0, 2, 0, 0, MIGRATE(BLK_G_NEW | BLK_G_FEATURES), 0, 2,
	    0, 0, MIGRATE(BLK_G_NEW | BLK_G_FEATURES | BLK_G_WRITEBACK), 0, 2, 0, 0, 0,
	    MIGRATE(BLK_G_NEW | BLK_G_FEATURES | BLK_G_WRITEBACK), 0, 8, 0, 0, 1, MIGRATE(BLK_G_NEW | BLK_G_ANY), 0, 2,
	    0, 0, 1, 0, 0, 0, WRITE(1, 1), SERVE),
	BLK("reset_in_flight", PLAIN, READ(1, 1), POP, PARSE(0), RESET(2), 0, 0, 0, 0, READ(1, 1), SERVE),
	BLK("chain_loops", PLAIN, BLK_DESC, 0, 32, 16, 1, 0, BLK_OFFER, 0, SERVE, BLK_DESC, 0, 32, 16, 1, 77, BLK_OFFER,
	    0, POP, PARSE(0), COMPLETE(0), BLK_OFFER, 99, SERVE),
	BLK("far_away", PLAIN, BLK_DESC, 2, 0xff, POWER(20, 0), 40, 2, 0, BLK_OFFER, 2, SERVE),
	BLK("bad_data", LOGGED(0), READ(1, 1), FAR(1, 40, NEXT | WRITABLE, 2), SERVE, READ(1, 1), SERVE),
	BLK("bad_data_wraps", LOGGED(0), READ(1, 1), WRAPPING(1, 40, NEXT | WRITABLE, 2), SERVE),
	BLK("bad_data_of_write", PLAIN, WRITE(1, 1), FAR(1, 40, NEXT, 2), SERVE),
	BLK("bad_data_of_flush", PLAIN, ASK(VIRTIO_BLK_T_FLUSH, 0, 0, 30), FAR(1, 9, NEXT, 2), SERVE),
	BLK("bad_data_of_id", LOGGED(0), GET_ID(20), FAR(1, 20, NEXT | WRITABLE, 2), SERVE),
	BLK("bad_ranges", DISK(ALL_RANGES), SIX_LIMITS, DISCARD(0, 1, 1), FAR(1, 16, NEXT, 2), SERVE),
	BLK("bad_header", LOGGED(0), READ(1, 1), FAR(0, 16, NEXT, 1), SERVE),
	BLK("bad_status", LOGGED(0), READ(1, 1), FAR(2, 1, WRITABLE, 0), SERVE),
	BLK("bad_status_and_data", LOGGED(0), READ(1, 1), FAR(1, 40, NEXT | WRITABLE, 2), WRAPPING(2, 9, WRITABLE, 0),
	    SERVE),
	BLK("bad_data_malformed", LOGGED(0), READ(1, 1), FAR(1, 40, NEXT | WRITABLE, 2), BLK_DESC, 2, 60, 1,
	    NEXT | WRITABLE, 77, SERVE),
	BLK("bad_data_without_status", PLAIN, WRITE(1, 1), FAR(1, 40, 0, 0), SERVE),
	BLK("bad_data_apart", LOGGED(0), READ(1, 1), FAR(1, 40, NEXT | WRITABLE, 2), POP, PARSE(0), EXECUTE(0),
	    FINISH(0), COMPLETE(0)),
	BLK("bad_data_parts", LOGGED(0), READ(1, 1), FAR(1, 40, NEXT | WRITABLE, 2), SERVE_IN_PARTS),
	BLK("bad_data_own", LOGGED(0), READ(1, 1), FAR(1, 40, NEXT | WRITABLE, 2), POP, PARSE(0), OWN(0, 1, 100, 70),
	    FINISH(0)),
	/*
	 * The status is the last byte of a buffer that begins in a hole, or the only byte of a
	 * buffer after the hole.
	 */
	BLK("bad_data_in_hole", BLK_M_POINTS | BLK_M_LOGGED, 2, 100, 0, 20, 1, Q_SIZE_16, OPTIONS(0),
	    PLACED(VIRTIO_BLK_T_IN, 0, 1, 2, 0, 70, 0, 0x80), SERVE, PLACED(VIRTIO_BLK_T_IN, 0, 1, 2, 0, 70, 0, 0),
	    SERVE),
	BLK("bad_data_in_read_only", BLK_M_POINTS | BLK_M_LOGGED, 2, 100, 0, 20, 2, Q_SIZE_16, OPTIONS(0),
	    PLACED(VIRTIO_BLK_T_IN, 0, 1, 2, 0, 70, 0, 0x80), SERVE, PLACED(VIRTIO_BLK_T_IN, 0, 1, 2, 0, 70, 0, 0),
	    SERVE, PLACED(VIRTIO_BLK_T_OUT, 0, 1, 1, 68, 112, 0, 0), SERVE),
	/* The data lies in no page, and the status lies in a page that is not mapped yet. */
	BLK("bad_data_not_mapped", BLK_M_PAGES, 0x10, 40, 0x30, Q_SIZE_16, OPTIONS(0), READ(1, 1),
	    FAR(1, 40, NEXT | WRITABLE, 2), SERVE, BLK_MAP_PAGE, 0, SERVE),
	BLK("parts", LOGGED(BLK_O_LIFETIME), READ(1, 1), SERVE_IN_PARTS, WRITE(1, 1), SERVE_IN_PARTS, GET_ID(20),
	    SERVE_IN_PARTS, READ(1, 1), SERVE, DEVICE(BLK_COMPLETE), 0),
	BLK("reused", LOGGED(0), READ(1, 1), POP, PARSE(0), EXECUTE(0), FINISH(0), READ(1, 1), POP, PARSE(0),
	    EXECUTE(0), FINISH(0), COMPLETE(0)),
	BLK("long_status", PLAIN, READ(1, 1), BLK_DESC, 2, 100, 13, WRITABLE, 0, SERVE),
	BLK("fine", BLK_M_FINE | BLK_M_LOGGED, 15, Q_SIZE_16, OPTIONS(ALL_RANGES), SIX_LIMITS, READ(1, 1), SERVE,
	    WRITE(3, 1), SERVE, ON_RANGES(VIRTIO_BLK_T_DISCARD, 2, RANGE(0, 1, 1), RANGE(0, 3, 1)), SERVE, GET_ID(20),
	    SERVE),
	BLK("bytes", BLK_M_FINE | BLK_M_LOGGED, 0, Q_SIZE_16, OPTIONS(ALL_RANGES), SIX_LIMITS,
	    ON_RANGES(VIRTIO_BLK_T_DISCARD, 1, RANGE(0, 1, 1)), SERVE,
	    PLACED(VIRTIO_BLK_T_GET_ID, 0, 0, 36, 0, 1, 0, 0), SERVE, GET_ID(20), SERVE),
	BLK("points", BLK_M_POINTS, 3, 40, 3, 9, 0, 30, 2, Q_SIZE_16, OPTIONS(0), READ(1, 1), SERVE, WRITE(1, 1),
	    SERVE),
	BLK("holes", BLK_M_POINTS, 2, 40, 0, 9, 1, Q_SIZE_16, OPTIONS(0), WRITE(1, 1), SERVE,
	    PLACED(VIRTIO_BLK_T_IN, 0, 1, 1, 112, 0, 0, 0), SERVE),
	BLK("top", BLK_M_TOP, Q_SIZE_16, OPTIONS(0), READ(1, 1), SERVE, PLACED(VIRTIO_BLK_T_IN, 0, 1, 1, 0, 208, 0, 0),
	    SERVE),
	BLK("pages", BLK_M_PAGES | BLK_M_LOGGED, 0, Q_SIZE_16, OPTIONS(0), READ(1, 2), SERVE, WRITE(1, 2), SERVE),
	BLK("pages_twisted", BLK_M_PAGES, 0x31, 9, 1, 60, 8, 6, 20, 2, Q_SIZE_16, OPTIONS(0), READ(1, 2), SERVE,
	    WRITE(1, 2), SERVE),
	BLK("not_mapped", BLK_M_PAGES, 0x20, 8, 0x30, 36, 0x20, Q_SIZE_16, OPTIONS(0), READ(1, 1), SERVE, POP, PARSE(0),
	    BLK_MAP_PAGE, 0, SERVE, READ(1, 1), READ(1, 1), BLK_MAP_PAGE, 0, SERVE, SERVE),
	BLK("not_mapped_late", BLK_M_PAGES, 0x10, 8, 0x30, Q_SIZE_16, OPTIONS(0), READ(1, 1), READ(1, 1), POP, POP,
	    PARSE(0), PARSE(0)),
	BLK("any_check", PLAIN, ANY_CHECK(16, 0, 8, 4, VIRTIO_BLK_T_IN, 15, 0, POWER(5, -0), 0),
	    ANY_CHECK(POWER(27, -1), 0, 8, 4, VIRTIO_BLK_T_IN, 0, 0, NEAR_2_32(0), 0),
	    ANY_CHECK(POWER(27, -1), 0, 8, 4, VIRTIO_BLK_T_IN, 0, 0, 0xff, 0, 0xfe, 0xff, 0xff, 0, 0, 0, 0, 0),
	    ANY_CHECK(POWER(27, -1), 0, 8, 4, VIRTIO_BLK_T_OUT, 0, NEAR_2_32(0), 0, 0),
	    ANY_CHECK(POWER(27, -1), NEAR_2_32(-1), 8, 4, VIRTIO_BLK_T_OUT, 0, NEAR_2_32(0), 0, 0)),
	BLK("any_ranges", PLAIN, ANY_CHECK(16, 0, 8, 4, VIRTIO_BLK_T_DISCARD, 0, 17, 0, 4, 1, 1, 0),

	    ANY_CHECK(POWER(27, -1), 0, NEAR_2_32(-1), 4, VIRTIO_BLK_T_DISCARD, 0, 16, 0, 4, POWER(27, -1),
		      NEAR_2_32(-1), 0),
	    ANY_CHECK(POWER(27, -1), 0, NEAR_2_32(-1), 4, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16, 0, 4, NEAR_2_64(-1), 2, 1),
	    ANY_CHECK(16, 0, 8, 4, VIRTIO_BLK_T_DISCARD, 0, POWER(17, 0), 0, 4, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0)),
	BLK("any_transfer", PLAIN, ANY_TRANSFER(0, 3, 100, 200, 50, 7, 0, 0x80, 1, 0, 5, 0),
	    ANY_TRANSFER(1, 3, POWER(15, 0), POWER(15, 9), 50, 7, 5, 0, 5, 0, 5, 0, 5, 0),
	    ANY_TRANSFER(0, 2, 100, 100, 7, 5, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff),
	    ANY_TRANSFER(0, 0, 7, 1, 0), ANY_TRANSFER(0, 1, 3, 7, 1, 0xff, 99), ANY_TRANSFER(0, 1, 3, 7, 1, 0xff, 0)),
	BLK("any_memory", PLAIN, ANY_MEMORY(50, 10, 20, 30, 7), ANY_MEMORY(50, 10, 20, 30, 1),
	    ANY_MEMORY(50, 40, 20, 30, 7), ANY_MEMORY(50, 60, 0, 9, 1), ANY_MEMORY(0, 0, 0, 9, 1),
	    ANY_MEMORY(50, 50, 1, 0), ANY_MEMORY(50, NEAR_2_64(-1), 3, 9, 0)),
};

const size_t blk_seed_count = sizeof blk_seeds / sizeof blk_seeds[0];
