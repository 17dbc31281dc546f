/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Builds messages of console, socket, input, sound, graphics and entropy drivers. */
#include <stdio.h>
#include <string.h>

#include <linux/virtio_console.h>
#include <linux/virtio_gpu.h>
#include <linux/virtio_input.h>
#include <linux/virtio_rng.h>
#include <linux/virtio_snd.h>
#include <linux/virtio_vsock.h>

static const char *name_of(enum virtio_vsock_op op)
{
	switch (op) {
	case VIRTIO_VSOCK_OP_REQUEST:
		return "request";
	case VIRTIO_VSOCK_OP_RST:
		return "reset";
	default:
		return "other";
	}
}

int main(void)
{
	struct virtio_console_control control = { .id = VIRTIO_CONSOLE_BAD_ID, .event = VIRTIO_CONSOLE_DEVICE_READY };
	struct virtio_console_config size = { .cols = 80, .rows = 25 };
	struct virtio_vsock_hdr packet = { .src_cid = 3, .dst_cid = 2, .op = VIRTIO_VSOCK_OP_REQUEST };
	struct virtio_vsock_event event = { .id = VIRTIO_VSOCK_EVENT_TRANSPORT_RESET };
	struct virtio_input_event key = { .type = 1, .code = 30, .value = 1 };
	struct virtio_input_config input = { .select = VIRTIO_INPUT_CFG_ABS_INFO };
	struct virtio_snd_pcm_set_params params = { .format = VIRTIO_SND_PCM_FMT_S16,
						    .rate = VIRTIO_SND_PCM_RATE_48000 };
	struct virtio_snd_query_info query = { .hdr.code = VIRTIO_SND_R_JACK_INFO, .count = 1 };
	struct virtio_gpu_resource_create_2d create = { .hdr.type = VIRTIO_GPU_CMD_RESOURCE_CREATE_2D,
							.format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM };
	struct virtio_gpu_resp_display_info displays;
	struct virtio_gpu_display_one *first = &displays.pmodes[0];

	memset(&displays, 0, sizeof displays);
	first->r.width = 1024;
	input.u.abs.max = 4095;
	printf("%u %u %u %u\n", control.id, control.event, size.cols, size.rows);
	printf("%s %u %zu %zu\n", name_of(packet.op), event.id, sizeof packet, sizeof event);
	printf("%u %u %u %zu\n", key.code, input.select, input.u.abs.max, sizeof input);
	printf("%u %u %x %d\n", params.format, params.rate, query.hdr.code, VIRTIO_SND_CHMAP_BRC);
	printf("%x %u %u %zu\n", create.hdr.type, create.format, first->r.width, sizeof displays);
	printf("%d %d %d\n", VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER, VIRTIO_GPU_MAP_CACHE_WC, VIRTIO_ID_RNG);
	return 0;
}
