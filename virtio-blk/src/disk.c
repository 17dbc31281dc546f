/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The disk: its options, features, capacity and configuration space, and its saved state. */
#include <virtio/blk.h>
#include <virtio/blk_state.h>
#include <virtio/features.h>

#define FEATURE(name) virtio_feature_mask(VIRTIO_BLK_F_##name)

#define CONFIG_OFFSET(field) offsetof(struct virtio_blk_config, field)

const char *virtio_blk_missing_op(const struct virtio_blk_options *options)
{
	const struct virtio_blk_backend_ops *ops = options->backend.ops;

	if (!ops)
		return NULL;
	if (!ops->readv)
		return "readv";
	if (!ops->writev && !options->read_only)
		return "writev";
	/* A device that offers CONFIG_WCE must offer FLUSH, too (virtio 1.4, 5.2.5.2). */
	if (!ops->flush && (options->flush || options->config_wce))
		return "flush";
	if (!ops->discard && options->max_discard_seg)
		return "discard";
	if (!ops->write_zeroes && options->max_write_zeroes_seg)
		return "write_zeroes";
	if (!ops->secure_erase && options->max_secure_erase_seg)
		return "secure_erase";
	return NULL;
}

static int check_blocks(const struct virtio_blk_options *options)
{
	uint64_t block = options->blk_size ? options->blk_size : VIRTIO_BLK_SECTOR_BYTES;

	if (block < VIRTIO_BLK_SECTOR_BYTES || (block & (block - 1)))
		return VIRTIO_EINVAL;
	/* Drivers compute the physical block's size in 32 bits. */
	if (options->physical_block_exp > 31 || block << options->physical_block_exp > UINT32_MAX)
		return VIRTIO_EINVAL;
	return 0;
}

/* Checks that a command has both limits or neither, and that a read-only disk has no limits. */
static int check_command(bool read_only, uint32_t max_sectors, uint32_t max_seg)
{
	if (!max_sectors && !max_seg)
		return 0;
	return max_sectors && max_seg && !read_only ? 0 : VIRTIO_EINVAL;
}

static int check_commands(const struct virtio_blk_options *options)
{
	int error = check_command(options->read_only, options->max_discard_sectors, options->max_discard_seg);

	if (!error)
		error = check_command(options->read_only, options->max_write_zeroes_sectors,
				      options->max_write_zeroes_seg);
	if (!error)
		error = check_command(options->read_only, options->max_secure_erase_sectors,
				      options->max_secure_erase_seg);
	return error;
}

/* Checks for missing operations last. So VIRTIO_ENOOP means that nothing else is wrong. */
static int check_options(const struct virtio_blk_options *options)
{
	int error = check_blocks(options);

	if (!error)
		error = check_commands(options);
	if (!error && options->capacity > VIRTIO_BLK_MAX_CAPACITY)
		error = VIRTIO_EINVAL;
	if (!error &&
	    (options->backend.ops ? options->backend.max_iovecs == 0 : options->config_wce && !options->flush))
		error = VIRTIO_EINVAL;
	if (!error && virtio_blk_missing_op(options))
		error = VIRTIO_ENOOP;
	return error;
}

static bool has_topology(const struct virtio_blk_options *options)
{
	return options->physical_block_exp || options->alignment_offset || options->min_io_size || options->opt_io_size;
}

static uint64_t features_of(const struct virtio_blk_options *options)
{
	const struct virtio_blk_backend_ops *ops = options->backend.ops;
	uint64_t features = 0;

	if (options->size_max)
		features |= FEATURE(SIZE_MAX);
	if (options->seg_max)
		features |= FEATURE(SEG_MAX);
	if (options->cylinders)
		features |= FEATURE(GEOMETRY);
	if (options->read_only)
		features |= FEATURE(RO);
	if (options->blk_size)
		features |= FEATURE(BLK_SIZE);
	if (options->flush || (ops && ops->flush))
		features |= FEATURE(FLUSH);
	if (has_topology(options))
		features |= FEATURE(TOPOLOGY);
	if (options->config_wce)
		features |= FEATURE(CONFIG_WCE);
	if (options->num_queues)
		features |= FEATURE(MQ);
	if (options->max_discard_seg)
		features |= FEATURE(DISCARD);
	if (options->max_write_zeroes_seg)
		features |= FEATURE(WRITE_ZEROES);
	if (options->max_secure_erase_seg)
		features |= FEATURE(SECURE_ERASE);
	if (ops && ops->lifetime)
		features |= FEATURE(LIFETIME);
	return features;
}

static void set_writeback(struct virtio_blk *blk, uint8_t writeback)
{
	__atomic_store_n(&blk->writeback, writeback, __ATOMIC_RELAXED);
}

static uint8_t get_writeback(const struct virtio_blk *blk)
{
	return __atomic_load_n(&blk->writeback, __ATOMIC_RELAXED);
}

/*
 * The capacity is kept in two copies of two halves, because a 64-bit atomic is a library call on
 * 32-bit hosts. The lowest bit of the update counter selects the copy in use. An update writes the
 * other copy, and then increments the counter.
 *
 * A reader repeats only if the counter changed during the read, so a stopped writer delays no
 * reader. An unchanged counter proves that both halves belong to one update n. Update n + 1 writes
 * the other copy, and stores the counter. Update n + 2 stores its halves into the reader's copy
 * after update n + 1, with release order. The reader loads the halves with acquire order before it
 * loads the counter again. So a reader that has loaded a half of update n + 2 sees a changed
 * counter. Only 2^32 updates during one read could make a changed counter look unchanged.
 */
static void put_capacity(struct virtio_blk *blk, uint32_t update, uint64_t sectors)
{
	uint32_t *halves = blk->capacity_halves[update & 1];

	__atomic_store_n(&halves[0], (uint32_t)sectors, __ATOMIC_RELEASE);
	__atomic_store_n(&halves[1], (uint32_t)(sectors >> 32), __ATOMIC_RELEASE);
	/* Pairs with the loads of virtio_blk_capacity(). */
	__atomic_store_n(&blk->capacity_updates, update, __ATOMIC_RELEASE);
}

uint64_t virtio_blk_capacity(const struct virtio_blk *blk)
{
	uint32_t updates = __atomic_load_n(&blk->capacity_updates, __ATOMIC_ACQUIRE), update, low, high;

	do {
		const uint32_t *halves = blk->capacity_halves[updates & 1];

		update = updates;
		/* These loads pair with the stores of put_capacity(). */
		low = __atomic_load_n(&halves[0], __ATOMIC_ACQUIRE);
		high = __atomic_load_n(&halves[1], __ATOMIC_ACQUIRE);
		updates = __atomic_load_n(&blk->capacity_updates, __ATOMIC_ACQUIRE);
	} while (updates != update);
	return (uint64_t)high << 32 | low;
}

int virtio_blk_init(struct virtio_blk *blk, const struct virtio_blk_options *options)
{
	const int error = check_options(options);

	if (error)
		return error;
	blk->options = *options;
	blk->offered = features_of(options);
	memset(blk->capacity_halves, 0, sizeof blk->capacity_halves);
	put_capacity(blk, 0, options->capacity);
	virtio_blk_reset(blk);
	return 0;
}

uint64_t virtio_blk_offered(const struct virtio_blk *blk)
{
	return blk->offered;
}

int virtio_blk_negotiate(struct virtio_blk *blk, uint64_t features)
{
	features &= VIRTIO_DEVICE_TYPE_FEATURES;
	if (features & ~blk->offered)
		return VIRTIO_EINVAL;
	/* A vhost-user front end may set the same features again while the device runs. */
	if (features == blk->negotiated)
		return 0;
	blk->negotiated = features;
	set_writeback(blk, (features & FEATURE(FLUSH)) != 0);
	return 0;
}

void virtio_blk_reset(struct virtio_blk *blk)
{
	blk->negotiated = 0;
	set_writeback(blk, 0);
}

void virtio_blk_save(const struct virtio_blk *blk, struct virtio_blk_state *out)
{
	out->features = blk->negotiated;
	out->capacity = virtio_blk_capacity(blk);
	out->writeback = get_writeback(blk);
}

/*
 * Returns whether writeback can have this value while these features are negotiated (virtio 1.4,
 * 5.2.5.2 and 5.2.6.2).
 */
static bool reachable(uint64_t features, uint8_t writeback)
{
	switch (writeback) {
	case 0:
		return !(features & FEATURE(FLUSH)) || (features & FEATURE(CONFIG_WCE));
	case 1:
		return (features & FEATURE(FLUSH)) != 0;
	default:
		return false;
	}
}

int virtio_blk_check_state(const struct virtio_blk *blk, const struct virtio_blk_state *state,
			   struct virtio_refusal *refusal)
{
	const uint64_t wrong =
		(state->features & ~blk->offered) | (blk->negotiated ? blk->negotiated ^ state->features : 0);
	const char *field = NULL;

	if (wrong)
		field = "features";
	else if (state->capacity > virtio_blk_capacity(blk))
		field = "capacity";
	else if (!reachable(state->features, state->writeback))
		field = "writeback";
	if (!field)
		return 0;
	*refusal = (struct virtio_refusal){ .field = field, .entry = VIRTIO_SECTION_NO_ENTRY, .bits = wrong };
	return VIRTIO_EINVAL;
}

int virtio_blk_restore(struct virtio_blk *blk, const struct virtio_blk_state *state)
{
	struct virtio_refusal refusal;
	const int error = virtio_blk_check_state(blk, state, &refusal);

	if (error)
		return error;
	blk->negotiated = state->features;
	set_writeback(blk, state->writeback);
	return state->capacity < virtio_blk_capacity(blk);
}

int virtio_blk_set_capacity(struct virtio_blk *blk, uint64_t sectors)
{
	if (sectors > VIRTIO_BLK_MAX_CAPACITY)
		return VIRTIO_EINVAL;
	put_capacity(blk, __atomic_load_n(&blk->capacity_updates, __ATOMIC_RELAXED) + 1, sectors);
	return 0;
}

bool virtio_blk_write_through(const struct virtio_blk *blk)
{
	if (blk->negotiated & FEATURE(CONFIG_WCE))
		return get_writeback(blk) == 0;
	/*
	 * If the device offered FLUSH and the driver did not accept it, the driver relies on the
	 * device for stable writes. A device that does not offer FLUSH promises no stable writes.
	 */
	return (blk->offered & FEATURE(FLUSH)) && !(blk->negotiated & FEATURE(FLUSH));
}

/* If a command is not offered, its fields have no meaning and stay 0. */
static void build_command_limits(const struct virtio_blk *blk, uint8_t *config)
{
	const struct virtio_blk_options *options = &blk->options;

	if (blk->offered & FEATURE(DISCARD)) {
		virtio_put_le32(config + CONFIG_OFFSET(max_discard_sectors), options->max_discard_sectors);
		virtio_put_le32(config + CONFIG_OFFSET(max_discard_seg), options->max_discard_seg);
		virtio_put_le32(config + CONFIG_OFFSET(discard_sector_alignment), options->discard_sector_alignment);
	}
	if (blk->offered & FEATURE(WRITE_ZEROES)) {
		virtio_put_le32(config + CONFIG_OFFSET(max_write_zeroes_sectors), options->max_write_zeroes_sectors);
		virtio_put_le32(config + CONFIG_OFFSET(max_write_zeroes_seg), options->max_write_zeroes_seg);
		config[CONFIG_OFFSET(write_zeroes_may_unmap)] = options->write_zeroes_may_unmap;
	}
	if (blk->offered & FEATURE(SECURE_ERASE)) {
		virtio_put_le32(config + CONFIG_OFFSET(max_secure_erase_sectors), options->max_secure_erase_sectors);
		virtio_put_le32(config + CONFIG_OFFSET(max_secure_erase_seg), options->max_secure_erase_seg);
		virtio_put_le32(config + CONFIG_OFFSET(secure_erase_sector_alignment),
				options->secure_erase_sector_alignment);
	}
}

/* Tests for a feature only where the value can be nonzero although the feature is not offered. */
static void build_config(const struct virtio_blk *blk, uint8_t *config)
{
	const struct virtio_blk_options *options = &blk->options;

	memset(config, 0, VIRTIO_BLK_CONFIG_BYTES);
	virtio_put_le64(config + CONFIG_OFFSET(capacity), virtio_blk_capacity(blk));
	virtio_put_le32(config + CONFIG_OFFSET(size_max), options->size_max);
	virtio_put_le32(config + CONFIG_OFFSET(seg_max), options->seg_max);
	if (blk->offered & FEATURE(GEOMETRY)) {
		virtio_put_le16(config + CONFIG_OFFSET(geometry.cylinders), options->cylinders);
		config[CONFIG_OFFSET(geometry.heads)] = options->heads;
		config[CONFIG_OFFSET(geometry.sectors)] = options->sectors;
	}
	virtio_put_le32(config + CONFIG_OFFSET(blk_size), options->blk_size);
	config[CONFIG_OFFSET(physical_block_exp)] = options->physical_block_exp;
	config[CONFIG_OFFSET(alignment_offset)] = options->alignment_offset;
	virtio_put_le16(config + CONFIG_OFFSET(min_io_size), options->min_io_size);
	virtio_put_le32(config + CONFIG_OFFSET(opt_io_size), options->opt_io_size);
	if (blk->offered & FEATURE(CONFIG_WCE))
		config[CONFIG_OFFSET(wce)] = get_writeback(blk);
	virtio_put_le16(config + CONFIG_OFFSET(num_queues), options->num_queues);
	build_command_limits(blk, config);
}

void virtio_blk_config_read(const struct virtio_blk *blk, uint64_t offset, void *data, size_t len)
{
	uint8_t config[VIRTIO_BLK_CONFIG_BYTES];
	size_t part;

	if (len == 0)
		return;
	memset(data, 0, len);
	if (offset >= sizeof config)
		return;
	build_config(blk, config);
	part = sizeof config - (size_t)offset;
	memcpy(data, config + offset, len < part ? len : part);
}

bool virtio_blk_config_write(struct virtio_blk *blk, uint64_t offset, const void *data, size_t len)
{
	const uint64_t field = CONFIG_OFFSET(wce);
	uint8_t value;

	if (!(blk->negotiated & FEATURE(CONFIG_WCE)))
		return false;
	if (offset > field || field - offset >= len)
		return false;
	value = ((const uint8_t *)data)[field - offset];
	/* Write-back needs FLUSH: no other command could make a write stable later. */
	if (value > 1 || (value == 1 && !(blk->negotiated & FEATURE(FLUSH))))
		return false;
	set_writeback(blk, value);
	return true;
}
