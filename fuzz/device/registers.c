/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The model of the virtio-mmio registers: their offsets, widths and directions (virtio 1.4, 4.2.2).
 */
#include "registers.h"

static uint32_t half(uint64_t value, bool high)
{
	return (uint32_t)(high ? value >> 32 : value);
}

static const struct virtio_shm_region *find_shm(const struct device_model *m)
{
	for (uint32_t i = 0; i < m->options.num_shm; i++)
		if (m->shm[i].id == m->shm_sel)
			return &m->shm[i];
	return NULL;
}

/* Reads a register (virtio 1.4, 4.2.2). Returns false if no register can be read there. */
static bool readable(const struct device_model *m, uint32_t offset, uint32_t *value)
{
	const struct device_model_queue *q = device_model_queue(m, m->queue_sel);
	const struct virtio_shm_region *shm = find_shm(m);

	switch (offset) {
	case 0x000:
		*value = 0x74726976;
		return true;
	case 0x004:
		*value = 2;
		return true;
	case 0x008:
		*value = m->options.type;
		return true;
	case 0x00c:
		*value = m->options.vendor;
		return true;
	case 0x010:
		*value = m->device_features_sel < 4 ? m->options.features[m->device_features_sel] : 0;
		return true;
	case 0x034:
		*value = q ? q->config.max_size : 0;
		return true;
	case 0x044:
		*value = q && q->config.ready;
		return true;
	case 0x060:
		*value = m->interrupt_status;
		return true;
	case 0x070:
		*value = m->status;
		return true;
	case 0x0b0:
	case 0x0b4:
		*value = half(shm ? shm->len : UINT64_MAX, offset & 4);
		return true;
	case 0x0b8:
	case 0x0bc:
		*value = half(shm ? shm->base : UINT64_MAX, offset & 4);
		return true;
	case 0x0c0:
		*value = q && q->resetting;
		return true;
	case 0x0fc:
		*value = m->generation;
		return true;
	default:
		*value = 0;
		return false;
	}
}

static void ignore_unless(struct device_model *m, bool took)
{
	m->ignored += !took;
}

static int write_register(struct device_model *m, uint32_t offset, uint32_t value)
{
	switch (offset) {
	case 0x014:
		m->device_features_sel = value;
		return 0;
	case 0x020:
		ignore_unless(m, device_model_accept_features(m, value));
		return 0;
	case 0x024:
		m->driver_features_sel = value;
		return 0;
	case 0x030:
		m->queue_sel = value;
		return 0;
	case 0x038:
		ignore_unless(m, device_model_set_size(m, value));
		return 0;
	case 0x044:
		return device_model_write_ready(m, value);
	case 0x050:
		device_model_notify(m, value);
		return 0;
	case 0x064:
		device_model_ack(m, value);
		return 0;
	case 0x070:
		return device_model_write_status(m, value);
	case 0x080:
	case 0x084:
	case 0x090:
	case 0x094:
	case 0x0a0:
	case 0x0a4:
		ignore_unless(m, device_model_set_addr(m, (int)(offset - 0x80) / 16, offset & 4, value));
		return 0;
	case 0x0ac:
		m->shm_sel = value;
		return 0;
	case 0x0c0:
		return device_model_write_queue_reset(m, value);
	default:
		m->ignored++;
		return 0;
	}
}

static bool config_width(uint32_t len)
{
	return len == 1 || len == 2 || len == 4 || len == 8;
}

void device_model_read(struct device_model *m, uint64_t offset, uint8_t *data, uint32_t len)
{
	uint32_t value;

	memset(data, 0, len);
	if (offset >= 0x100 && config_width(len)) {
		device_model_read_config(m, offset - 0x100, data, len);
	} else if (offset < 0x100 && len == 4 && readable(m, (uint32_t)offset, &value)) {
		for (int i = 0; i < 4; i++)
			data[i] = (uint8_t)(value >> 8 * i);
	} else {
		m->ignored++;
	}
}

int device_model_write(struct device_model *m, uint64_t offset, const uint8_t *data, uint32_t len)
{
	if (offset >= 0x100 && config_width(len))
		device_model_write_config(m, offset - 0x100, data, len);
	else if (offset < 0x100 && len == 4)
		return write_register(m, (uint32_t)offset,
				      data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 |
					      (uint32_t)data[3] << 24);
	else
		m->ignored++;
	return 0;
}
