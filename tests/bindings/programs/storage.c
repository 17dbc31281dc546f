/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Builds requests of block, SCSI, file system and persistent memory drivers. */
#include <stdio.h>
#include <string.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_fs.h>
#include <linux/virtio_pmem.h>
#include <linux/virtio_scsi.h>

int main(void)
{
	struct virtio_blk_outhdr out = { .type = VIRTIO_BLK_T_OUT, .sector = 8 };
	struct virtio_blk_discard_write_zeroes range = { .num_sectors = 8,
							 .flags = VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP };
	struct virtio_blk_config config;
	struct virtio_scsi_cmd_req command = { .lun = { 1, 0, 0x40 }, .task_attr = VIRTIO_SCSI_S_SIMPLE };
	struct virtio_scsi_cmd_resp response;
	struct virtio_scsi_config scsi = { .cdb_size = VIRTIO_SCSI_CDB_SIZE };
	struct virtio_fs_config fs = { .num_request_queues = 1 };
	struct virtio_pmem_req flush = { .type = VIRTIO_PMEM_REQ_TYPE_FLUSH };
	struct virtio_pmem_config pmem = { .size = 1 << 21 };
	__virtio64 *sector = &out.sector;

	memset(&config, 0, sizeof config);
	config.geometry.heads = 16;
	config.wce = 1;
	memset(&response, VIRTIO_SCSI_S_BAD_TARGET, sizeof response);
	memcpy(fs.tag, "shared", 7);
	command.cdb[0] = 0x28;
	printf("%llu %u %u\n", (unsigned long long)*sector, range.num_sectors, config.geometry.heads);
	printf("%u %u %zu %zu\n", command.cdb[0], response.response, sizeof command, sizeof response);
	printf("%s %u %u %llu %u\n", fs.tag, fs.num_request_queues, flush.type, (unsigned long long)pmem.size,
	       scsi.cdb_size);
	printf("%d %d %d\n", VIRTIO_BLK_F_FLUSH, VIRTIO_BLK_S_UNSUPP, VIRTIO_BLK_F_WCE);
	printf("%u %d\n", VIRTIO_SCSI_T_EVENTS_MISSED, VIRTIO_SCSI_T_TMF_QUERY_TASK_SET);
	return 0;
}
