/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Lays out rings as a driver does, and publishes a descriptor. */
#include <stdio.h>
#include <string.h>

#include <linux/virtio_ring.h>

static unsigned char memory[65536] __attribute__((aligned(4096)));

static void lay_out(unsigned int num, unsigned long align)
{
	struct vring ring;

	vring_init(&ring, num, memory, align);
	printf("%u %lu: %u bytes, desc %td, avail %td, used %td, used_event %td, avail_event %td\n", ring.num, align,
	       vring_size(num, align), (unsigned char *)ring.desc - memory, (unsigned char *)ring.avail - memory,
	       (unsigned char *)ring.used - memory, (unsigned char *)&vring_used_event(&ring) - memory,
	       (unsigned char *)&vring_avail_event(&ring) - memory);
}

int main(void)
{
	struct vring ring;
	__virtio64 *addr;
	vring_used_elem_t *used;

	for (unsigned int num = 1; num <= 1024; num *= 2) {
		for (unsigned long align = 4; align <= 4096; align *= 4)
			lay_out(num, align);
	}
	vring_init(&ring, 8, memory, VRING_USED_ALIGN_SIZE);
	addr = &ring.desc[3].addr;
	*addr = 0x123456789abcdefULL;
	ring.desc[3].len = 512;
	ring.desc[3].flags = VRING_DESC_F_NEXT | VRING_DESC_F_WRITE | VRING_DESC_F_INDIRECT;
	ring.avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	ring.avail->ring[ring.avail->idx++ % ring.num] = 3;
	vring_used_event(&ring) = 7;
	vring_avail_event(&ring) = 9;
	used = &ring.used->ring[7];
	used->id = 3;
	used->len = 512;
	for (unsigned int i = 0; i < vring_size(8, VRING_USED_ALIGN_SIZE); i++)
		printf("%02x", memory[i]);
	printf("\n%d %d %d\n", vring_need_event(5, 6, 5), vring_need_event(6, 6, 5), vring_need_event(65535, 1, 65534));
	printf("%zu %zu\n", sizeof(struct vring_packed_desc), sizeof(struct vring_packed_desc_event));
	printf("%d %d\n", VRING_PACKED_DESC_F_USED, VRING_PACKED_EVENT_FLAG_DESC);
	return 0;
}
