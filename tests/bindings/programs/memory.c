/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Builds requests of balloon, memory, IOMMU and crypto drivers. */
#include <stdio.h>
#include <string.h>

#include <linux/virtio_balloon.h>
#include <linux/virtio_crypto.h>
#include <linux/virtio_iommu.h>
#include <linux/virtio_mem.h>

int main(void)
{
	static const char *const names[] = VIRTIO_BALLOON_S_NAMES;
	struct virtio_balloon_stat stat = { .tag = VIRTIO_BALLOON_S_AVAIL, .val = 4096 };
	struct virtio_balloon_config balloon = { .num_pages = 2 };
	struct virtio_mem_req plug = { .type = VIRTIO_MEM_REQ_PLUG, .u.plug.nb_blocks = 2 };
	struct virtio_mem_resp state = { .type = VIRTIO_MEM_RESP_ACK, .u.state.state = VIRTIO_MEM_STATE_MIXED };
	struct virtio_iommu_req_map map = { .head.type = VIRTIO_IOMMU_T_MAP, .flags = VIRTIO_IOMMU_MAP_F_MASK };
	struct virtio_iommu_config iommu = { .input_range.end = 0xffffffff };
	struct virtio_crypto_op_ctrl_req create;
	struct virtio_crypto_op_data_req data;

	memset(&create, 0, sizeof create);
	create.header.opcode = VIRTIO_CRYPTO_CIPHER_CREATE_SESSION;
	create.u.sym_create_session.u.cipher.para.algo = VIRTIO_CRYPTO_CIPHER_AES_CBC;
	memset(&data, 0, sizeof data);
	data.header.opcode = VIRTIO_CRYPTO_OPCODE(VIRTIO_CRYPTO_SERVICE_AKCIPHER, 3);
	balloon.free_page_hint_cmd_id = VIRTIO_BALLOON_CMD_ID_DONE;
	printf("%s %llu %u %zu\n", names[stat.tag], (unsigned long long)stat.val, balloon.free_page_report_cmd_id,
	       sizeof stat);
	printf("%u %u %zu %zu\n", plug.u.plug.nb_blocks, state.u.state.state, sizeof plug, sizeof state);
	printf("%u %llx %zu\n", map.flags, (unsigned long long)iommu.input_range.end, sizeof map);
	printf("%x %x %zu %zu\n", create.header.opcode, data.header.opcode, sizeof create, sizeof data);
	printf("%d %d\n", data.header.opcode == VIRTIO_CRYPTO_AKCIPHER_VERIFY, VIRTIO_CRYPTO_MAC_XCBC_AES);
	return 0;
}
