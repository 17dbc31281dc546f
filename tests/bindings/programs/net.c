/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Builds a packet's header and control commands of a network driver. */
#include <stdio.h>
#include <string.h>

#include <linux/virtio_net.h>

static void show(const char *name, const void *data, size_t length)
{
	const unsigned char *byte = data;

	printf("%s:", name);
	for (size_t i = 0; i < length; i++)
		printf(" %02x", byte[i]);
	printf("\n");
}

int main(void)
{
	struct virtio_net_hdr_v1 header = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					    .gso_type = VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN };
	struct virtio_net_hdr_mrg_rxbuf legacy = { .hdr.flags = VIRTIO_NET_HDR_F_DATA_VALID, .num_buffers = 2 };
	struct virtio_net_ctrl_hdr command = { .class = VIRTIO_NET_CTRL_MQ, .cmd = VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET };
	struct virtio_net_ctrl_mq pairs = { .virtqueue_pairs = VIRTIO_NET_CTRL_MQ_VQ_PAIRS_MAX };
	struct virtio_net_config config;
	virtio_net_ctrl_ack ack = VIRTIO_NET_ERR;
	__virtio16 *start = &header.csum_start;

	*start = 34;
	header.csum.offset = 16;
	header.num_buffers = 1;
	show("header", &header, sizeof header);
	header.rsc.segments = 3;
	show("header", &header, sizeof header);
	show("legacy", &legacy, sizeof legacy);
	show("command", &command, sizeof command);
	show("pairs", &pairs, sizeof pairs);
	memset(&config, 0, sizeof config);
	memset(config.mac, 0x52, ETH_ALEN);
	config.status = VIRTIO_NET_S_LINK_UP | VIRTIO_NET_S_ANNOUNCE;
	config.supported_hash_types = VIRTIO_NET_RSS_HASH_TYPE_TCPv6;
	show("config", &config, sizeof config);
	printf("%u %zu %zu\n", ack, sizeof(struct virtio_net_hdr_v1_hash), sizeof(struct virtio_net_ctrl_mac));
	printf("%zu %d\n", sizeof(struct virtio_net_rss_config), VIRTIO_NET_HASH_REPORT_UDPv6_EX);
	printf("%d %d %d\n", VIRTIO_ID_NET, VIRTIO_F_VERSION_1, VIRTIO_NET_F_SPEED_DUPLEX);
	return 0;
}
