/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The network device's wire format, under the names of Linux's <linux/virtio_net.h>. A translation
 * unit may include both headers, in either order. The first header provides the structures. Feature
 * constants are bit numbers. <virtio/bindings/virtio_net_hdr.h> converts between the forms of a
 * packet's header.
 *
 * virtio 1.4, 5.1 (network device)
 */
#ifndef VIRTIO_BINDINGS_VIRTIO_NET_H
#define VIRTIO_BINDINGS_VIRTIO_NET_H

#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ids.h>
#include <virtio/bindings/virtio_types.h>
#include <virtio/compiler.h>

/* Linux's <linux/if_ether.h> and some C libraries define ETH_ALEN, too. */
#ifndef ETH_ALEN
#define ETH_ALEN 6
#endif

/* C++ has flexible array members and anonymous structures only as extensions. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"

#ifndef _LINUX_VIRTIO_NET_H
#define _LINUX_VIRTIO_NET_H

/*
 * Feature bit numbers. In the name of an offload, GUEST means that the driver can receive packets
 * with this offload. HOST means that the device can receive packets with this offload.
 */
#define VIRTIO_NET_F_CSUM 0       /* the device accepts partial checksums */
#define VIRTIO_NET_F_GUEST_CSUM 1 /* the driver accepts partial checksums */
#define VIRTIO_NET_F_CTRL_GUEST_OFFLOADS 2
#define VIRTIO_NET_F_MTU 3 /* `mtu` is valid */
#define VIRTIO_NET_F_MAC 5 /* `mac` is valid */
#define VIRTIO_NET_F_GUEST_TSO4 7
#define VIRTIO_NET_F_GUEST_TSO6 8
#define VIRTIO_NET_F_GUEST_ECN 9
#define VIRTIO_NET_F_GUEST_UFO 10
#define VIRTIO_NET_F_HOST_TSO4 11
#define VIRTIO_NET_F_HOST_TSO6 12
#define VIRTIO_NET_F_HOST_ECN 13
#define VIRTIO_NET_F_HOST_UFO 14
#define VIRTIO_NET_F_MRG_RXBUF 15 /* a packet may use several receive buffers */
#define VIRTIO_NET_F_STATUS 16    /* `status` is valid */
#define VIRTIO_NET_F_CTRL_VQ 17   /* the control queue */
#define VIRTIO_NET_F_CTRL_RX 18
#define VIRTIO_NET_F_CTRL_VLAN 19
#define VIRTIO_NET_F_CTRL_RX_EXTRA 20
#define VIRTIO_NET_F_GUEST_ANNOUNCE 21
#define VIRTIO_NET_F_MQ 22 /* several pairs of queues */
#define VIRTIO_NET_F_CTRL_MAC_ADDR 23
#define VIRTIO_NET_F_NOTF_COAL 53    /* notification coalescing */
#define VIRTIO_NET_F_HASH_REPORT 57  /* packets' headers have a hash */
#define VIRTIO_NET_F_RSS 60          /* receive-side scaling */
#define VIRTIO_NET_F_RSC_EXT 61      /* headers describe coalesced segments */
#define VIRTIO_NET_F_STANDBY 62      /* a standby for another device with the same MAC */
#define VIRTIO_NET_F_SPEED_DUPLEX 63 /* `speed` and `duplex` are valid */
#ifndef VIRTIO_NET_NO_LEGACY
#define VIRTIO_NET_F_GSO 6
#endif

/* Bits of the status in the configuration space. */
#define VIRTIO_NET_S_LINK_UP 1
#define VIRTIO_NET_S_ANNOUNCE 2 /* the driver should announce itself */

/* Hash types, as masks. */
#define VIRTIO_NET_RSS_HASH_TYPE_IPv4 (1 << 0)
#define VIRTIO_NET_RSS_HASH_TYPE_TCPv4 (1 << 1)
#define VIRTIO_NET_RSS_HASH_TYPE_UDPv4 (1 << 2)
#define VIRTIO_NET_RSS_HASH_TYPE_IPv6 (1 << 3)
#define VIRTIO_NET_RSS_HASH_TYPE_TCPv6 (1 << 4)
#define VIRTIO_NET_RSS_HASH_TYPE_UDPv6 (1 << 5)
#define VIRTIO_NET_RSS_HASH_TYPE_IP_EX (1 << 6)
#define VIRTIO_NET_RSS_HASH_TYPE_TCP_EX (1 << 7)
#define VIRTIO_NET_RSS_HASH_TYPE_UDP_EX (1 << 8)

struct virtio_net_config {
	__u8 mac[ETH_ALEN];
	__le16 status;                           /* VIRTIO_NET_S_... */
	__le16 max_virtqueue_pairs;              /* 1 to 0x8000 */
	__le16 mtu;                              /* largest MTU, in bytes */
	__le32 speed;                            /* Mbit/s; unknown if above INT_MAX */
	__u8 duplex;                             /* 0 half, 1 full, otherwise unknown */
	__u8 rss_max_key_size;                   /* bytes */
	__le16 rss_max_indirection_table_length; /* entries */
	__le32 supported_hash_types;             /* VIRTIO_NET_RSS_HASH_TYPE_... */
} __attribute__((packed));

/* Flags of a packet's header. */
#define VIRTIO_NET_HDR_F_NEEDS_CSUM 1 /* checksum incomplete; csum_start, csum_offset valid */
#define VIRTIO_NET_HDR_F_DATA_VALID 2 /* the device has verified a checksum */
#define VIRTIO_NET_HDR_F_RSC_INFO 4   /* rsc is valid */

/* Segmentation: a type, and flags in addition to the type. */
#define VIRTIO_NET_HDR_GSO_NONE 0
#define VIRTIO_NET_HDR_GSO_TCPV4 1
#define VIRTIO_NET_HDR_GSO_UDP 3 /* fragmentation (UFO) */
#define VIRTIO_NET_HDR_GSO_TCPV6 4
#define VIRTIO_NET_HDR_GSO_ECN 0x80 /* flag: explicit congestion notification */

/* The header of a packet, unless a longer header is negotiated. */
struct virtio_net_hdr_v1 {
	__u8 flags;      /* VIRTIO_NET_HDR_F_... */
	__u8 gso_type;   /* VIRTIO_NET_HDR_GSO_... */
	__le16 hdr_len;  /* bytes of the packet's headers */
	__le16 gso_size; /* largest number of payload bytes in a segment */
	union {
		struct {
			__le16 csum_start;  /* first byte of the checksum's range */
			__le16 csum_offset; /* bytes from csum_start to the checksum */
		};
		struct {
			__le16 start;
			__le16 offset;
		} csum;
		struct {
			__le16 segments; /* coalesced */
			__le16 dup_acks; /* duplicated acknowledgements */
		} rsc;
	};
	__le16 num_buffers; /* receive buffers of the packet */
};

/* The type of the hash that a header reports. */
#define VIRTIO_NET_HASH_REPORT_NONE 0
#define VIRTIO_NET_HASH_REPORT_IPv4 1
#define VIRTIO_NET_HASH_REPORT_TCPv4 2
#define VIRTIO_NET_HASH_REPORT_UDPv4 3
#define VIRTIO_NET_HASH_REPORT_IPv6 4
#define VIRTIO_NET_HASH_REPORT_TCPv6 5
#define VIRTIO_NET_HASH_REPORT_UDPv6 6
#define VIRTIO_NET_HASH_REPORT_IPv6_EX 7
#define VIRTIO_NET_HASH_REPORT_TCPv6_EX 8
#define VIRTIO_NET_HASH_REPORT_UDPv6_EX 9

/*
 * The header of a packet with a hash (VIRTIO_NET_F_HASH_REPORT). Linux before 6.18 has __le32
 * hash_value instead of two halves.
 */
struct virtio_net_hdr_v1_hash {
	struct virtio_net_hdr_v1 hdr;
	__le16 hash_value_lo;
	__le16 hash_value_hi;
	__le16 hash_report; /* VIRTIO_NET_HASH_REPORT_... */
	__le16 padding;
};

#ifndef VIRTIO_NET_NO_LEGACY
/* Legacy: the headers of a packet without and with VIRTIO_NET_F_MRG_RXBUF. */
struct virtio_net_hdr {
	__u8 flags;
	__u8 gso_type;
	__le16 hdr_len;
	__le16 gso_size;
	__le16 csum_start;
	__le16 csum_offset;
};

struct virtio_net_hdr_mrg_rxbuf {
	struct virtio_net_hdr hdr;
	__le16 num_buffers;
};
#endif

/* The header of a command. `class` is a keyword of C++. */
struct virtio_net_ctrl_hdr {
#ifdef __cplusplus
	__u8 class_; /* VIRTIO_NET_CTRL_... */
#else
	__u8 class; /* VIRTIO_NET_CTRL_... */
#endif
	__u8 cmd; /* VIRTIO_NET_CTRL_..._... */
} __attribute__((packed));

/* The device's reply to a command. */
typedef __u8 virtio_net_ctrl_ack;
#define VIRTIO_NET_OK 0
#define VIRTIO_NET_ERR 1

/* Receive filters: one byte, 0 or 1, follows the header. */
#define VIRTIO_NET_CTRL_RX 0
#define VIRTIO_NET_CTRL_RX_PROMISC 0
#define VIRTIO_NET_CTRL_RX_ALLMULTI 1
#define VIRTIO_NET_CTRL_RX_ALLUNI 2
#define VIRTIO_NET_CTRL_RX_NOMULTI 3
#define VIRTIO_NET_CTRL_RX_NOUNI 4
#define VIRTIO_NET_CTRL_RX_NOBCAST 5

/* MAC addresses: two tables or one address follow the header. */
#define VIRTIO_NET_CTRL_MAC 1
#define VIRTIO_NET_CTRL_MAC_TABLE_SET 0
#define VIRTIO_NET_CTRL_MAC_ADDR_SET 1

struct virtio_net_ctrl_mac {
	__le32 entries;
	__u8 macs[][ETH_ALEN];
} __attribute__((packed));

/* VLAN filters: a 16-bit identifier follows the header. */
#define VIRTIO_NET_CTRL_VLAN 2
#define VIRTIO_NET_CTRL_VLAN_ADD 0
#define VIRTIO_NET_CTRL_VLAN_DEL 1

#define VIRTIO_NET_CTRL_ANNOUNCE 3
#define VIRTIO_NET_CTRL_ANNOUNCE_ACK 0

/* Several pairs of queues, and receive-side scaling. */
#define VIRTIO_NET_CTRL_MQ 4
#define VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET 0
#define VIRTIO_NET_CTRL_MQ_VQ_PAIRS_MIN 1
#define VIRTIO_NET_CTRL_MQ_VQ_PAIRS_MAX 0x8000
#define VIRTIO_NET_CTRL_MQ_RSS_CONFIG 1
#define VIRTIO_NET_CTRL_MQ_HASH_CONFIG 2

struct virtio_net_ctrl_mq {
	__le16 virtqueue_pairs;
};

struct virtio_net_rss_config {
	__le32 hash_types;
	__le16 indirection_table_mask; /* entries - 1 */
	__le16 unclassified_queue;
	__le16 indirection_table[1]; /* with more entries, the later fields have higher offsets */
	__le16 max_tx_vq;
	__u8 hash_key_length; /* bytes */
	__u8 hash_key_data[];
};

/* The structure above in two parts. The first part ends with the table. */
struct virtio_net_rss_config_hdr {
	__le32 hash_types;
	__le16 indirection_table_mask; /* entries - 1 */
	__le16 unclassified_queue;
	__le16 indirection_table[];
};

struct virtio_net_rss_config_trailer {
	__le16 max_tx_vq;
	__u8 hash_key_length; /* bytes */
	__u8 hash_key_data[];
};

struct virtio_net_hash_config {
	__le32 hash_types;
	__le16 reserved[4];   /* in place of indirection_table_mask to max_tx_vq */
	__u8 hash_key_length; /* bytes */
	__u8 hash_key_data[];
};

/* Offloads: a 64-bit mask of feature bits follows the header. */
#define VIRTIO_NET_CTRL_GUEST_OFFLOADS 5
#define VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET 0

/* Notification coalescing. */
#define VIRTIO_NET_CTRL_NOTF_COAL 6
#define VIRTIO_NET_CTRL_NOTF_COAL_TX_SET 0
#define VIRTIO_NET_CTRL_NOTF_COAL_RX_SET 1

struct virtio_net_ctrl_coal_tx {
	__le32 tx_max_packets;
	__le32 tx_usecs;
};

struct virtio_net_ctrl_coal_rx {
	__le32 rx_max_packets;
	__le32 rx_usecs;
};

VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_config) == 24, "size of struct virtio_net_config");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_hdr_v1) == 12, "size of struct virtio_net_hdr_v1");
#ifndef VIRTIO_NET_NO_LEGACY
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_hdr) == 10, "size of struct virtio_net_hdr");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_hdr_mrg_rxbuf) == 12, "size of struct virtio_net_hdr_mrg_rxbuf");
#endif
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_ctrl_mac) == 4, "size of struct virtio_net_ctrl_mac");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_ctrl_mq) == 2, "size of struct virtio_net_ctrl_mq");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_rss_config) == 16, "size of struct virtio_net_rss_config");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_hash_config) == 16, "size of struct virtio_net_hash_config");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_ctrl_coal_tx) == 8, "size of struct virtio_net_ctrl_coal_tx");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_ctrl_coal_rx) == 8, "size of struct virtio_net_ctrl_coal_rx");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_hdr_v1_hash) == 20, "size of struct virtio_net_hdr_v1_hash");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_ctrl_hdr) == 2, "size of struct virtio_net_ctrl_hdr");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_rss_config_hdr) == 8, "size of struct virtio_net_rss_config_hdr");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_rss_config_trailer) == 4, "size of struct virtio_net_rss_config_trailer");

#endif /* _LINUX_VIRTIO_NET_H */

/*
 * Linux 6.1 lacks these names: segmentation of UDP, statistics, coalescing for each queue, and the
 * feature of an exact hdr_len.
 */
#ifndef VIRTIO_NET_F_DEVICE_STATS
#define VIRTIO_NET_F_DEVICE_STATS 50
#endif
#ifndef VIRTIO_NET_F_VQ_NOTF_COAL
#define VIRTIO_NET_F_VQ_NOTF_COAL 52
#endif
#ifndef VIRTIO_NET_F_GUEST_USO4
#define VIRTIO_NET_F_GUEST_USO4 54
#define VIRTIO_NET_F_GUEST_USO6 55
#define VIRTIO_NET_F_HOST_USO 56
#endif
#ifndef VIRTIO_NET_F_GUEST_HDRLEN
#define VIRTIO_NET_F_GUEST_HDRLEN 59 /* hdr_len is exact */
#endif
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5 /* UDP segmentation (USO) */
#endif

#ifndef VIRTIO_NET_CTRL_NOTF_COAL_VQ_SET
#define VIRTIO_NET_CTRL_NOTF_COAL_VQ_SET 2
#define VIRTIO_NET_CTRL_NOTF_COAL_VQ_GET 3

struct virtio_net_ctrl_coal {
	__le32 max_packets;
	__le32 max_usecs;
};

struct virtio_net_ctrl_coal_vq {
	__le16 vqn; /* index of the queue */
	__le16 reserved;
	struct virtio_net_ctrl_coal coal;
};

VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_ctrl_coal) == 8, "size of struct virtio_net_ctrl_coal");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_ctrl_coal_vq) == 12, "size of struct virtio_net_ctrl_coal_vq");
#endif

#ifndef VIRTIO_NET_CTRL_STATS
#define VIRTIO_NET_CTRL_STATS 8
#define VIRTIO_NET_CTRL_STATS_QUERY 0
#define VIRTIO_NET_CTRL_STATS_GET 1

/* Types of statistics: masks in capabilities and requests, numbers in headers of replies. */
#define VIRTIO_NET_STATS_TYPE_CVQ (1ULL << 32)
#define VIRTIO_NET_STATS_TYPE_RX_BASIC (1ULL << 0)
#define VIRTIO_NET_STATS_TYPE_RX_CSUM (1ULL << 1)
#define VIRTIO_NET_STATS_TYPE_RX_GSO (1ULL << 2)
#define VIRTIO_NET_STATS_TYPE_RX_SPEED (1ULL << 3)
#define VIRTIO_NET_STATS_TYPE_TX_BASIC (1ULL << 16)
#define VIRTIO_NET_STATS_TYPE_TX_CSUM (1ULL << 17)
#define VIRTIO_NET_STATS_TYPE_TX_GSO (1ULL << 18)
#define VIRTIO_NET_STATS_TYPE_TX_SPEED (1ULL << 19)

#define VIRTIO_NET_STATS_TYPE_REPLY_CVQ 32
#define VIRTIO_NET_STATS_TYPE_REPLY_RX_BASIC 0
#define VIRTIO_NET_STATS_TYPE_REPLY_RX_CSUM 1
#define VIRTIO_NET_STATS_TYPE_REPLY_RX_GSO 2
#define VIRTIO_NET_STATS_TYPE_REPLY_RX_SPEED 3
#define VIRTIO_NET_STATS_TYPE_REPLY_TX_BASIC 16
#define VIRTIO_NET_STATS_TYPE_REPLY_TX_CSUM 17
#define VIRTIO_NET_STATS_TYPE_REPLY_TX_GSO 18
#define VIRTIO_NET_STATS_TYPE_REPLY_TX_SPEED 19

/* VIRTIO_NET_CTRL_STATS_QUERY */
struct virtio_net_stats_capabilities {
	__le64 supported_stats_types[1]; /* VIRTIO_NET_STATS_TYPE_... */
};

/* VIRTIO_NET_CTRL_STATS_GET: an entry for each queue whose statistics the driver requests. */
struct virtio_net_ctrl_queue_stats {
	struct {
		__le16 vq_index;
		__le16 reserved[3];
		__le64 types_bitmap[1]; /* VIRTIO_NET_STATS_TYPE_... */
	} stats[1];
};

/* The start of each reply below. */
struct virtio_net_stats_reply_hdr {
	__u8 type; /* VIRTIO_NET_STATS_TYPE_REPLY_... */
	__u8 reserved;
	__le16 vq_index;
	__le16 reserved1;
	__le16 size; /* bytes, this header included */
};

/* Replies. */
struct virtio_net_stats_cvq {
	struct virtio_net_stats_reply_hdr hdr;
	__le64 command_num;
	__le64 ok_num;
};

struct virtio_net_stats_rx_basic {
	struct virtio_net_stats_reply_hdr hdr;
	__le64 rx_notifications;
	__le64 rx_packets;
	__le64 rx_bytes;
	__le64 rx_interrupts;
	__le64 rx_drops;
	__le64 rx_drop_overruns;
};

struct virtio_net_stats_tx_basic {
	struct virtio_net_stats_reply_hdr hdr;
	__le64 tx_notifications;
	__le64 tx_packets;
	__le64 tx_bytes;
	__le64 tx_interrupts;
	__le64 tx_drops;
	__le64 tx_drop_malformed;
};

struct virtio_net_stats_rx_csum {
	struct virtio_net_stats_reply_hdr hdr;
	__le64 rx_csum_valid;
	__le64 rx_needs_csum;
	__le64 rx_csum_none;
	__le64 rx_csum_bad;
};

struct virtio_net_stats_tx_csum {
	struct virtio_net_stats_reply_hdr hdr;
	__le64 tx_csum_none;
	__le64 tx_needs_csum;
};

struct virtio_net_stats_rx_gso {
	struct virtio_net_stats_reply_hdr hdr;
	__le64 rx_gso_packets;
	__le64 rx_gso_bytes;
	__le64 rx_gso_packets_coalesced;
	__le64 rx_gso_bytes_coalesced;
};

struct virtio_net_stats_tx_gso {
	struct virtio_net_stats_reply_hdr hdr;
	__le64 tx_gso_packets;
	__le64 tx_gso_bytes;
	__le64 tx_gso_segments;
	__le64 tx_gso_segments_bytes;
	__le64 tx_gso_packets_noseg;
	__le64 tx_gso_bytes_noseg;
};

struct virtio_net_stats_rx_speed {
	struct virtio_net_stats_reply_hdr hdr;
	__le64 rx_ratelimit_packets;
	__le64 rx_ratelimit_bytes;
};

struct virtio_net_stats_tx_speed {
	struct virtio_net_stats_reply_hdr hdr;
	__le64 tx_ratelimit_packets;
	__le64 tx_ratelimit_bytes;
};

VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_stats_capabilities) == 8, "size of struct virtio_net_stats_capabilities");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_ctrl_queue_stats) == 16, "size of struct virtio_net_ctrl_queue_stats");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_stats_reply_hdr) == 8, "size of struct virtio_net_stats_reply_hdr");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_stats_cvq) == 24, "size of struct virtio_net_stats_cvq");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_stats_rx_basic) == 56, "size of struct virtio_net_stats_rx_basic");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_stats_tx_basic) == 56, "size of struct virtio_net_stats_tx_basic");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_stats_rx_csum) == 40, "size of struct virtio_net_stats_rx_csum");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_stats_tx_csum) == 24, "size of struct virtio_net_stats_tx_csum");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_stats_rx_gso) == 40, "size of struct virtio_net_stats_rx_gso");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_stats_tx_gso) == 56, "size of struct virtio_net_stats_tx_gso");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_stats_rx_speed) == 24, "size of struct virtio_net_stats_rx_speed");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_stats_tx_speed) == 24, "size of struct virtio_net_stats_tx_speed");
#endif

/* Linux 6.12 lacks these names: segmentation in UDP tunnels. */
#ifndef VIRTIO_NET_F_GUEST_UDP_TUNNEL_GSO
#define VIRTIO_NET_F_GUEST_UDP_TUNNEL_GSO 65
#define VIRTIO_NET_F_GUEST_UDP_TUNNEL_GSO_CSUM 66 /* with partial checksums of the outer header */
#define VIRTIO_NET_F_HOST_UDP_TUNNEL_GSO 67
#define VIRTIO_NET_F_HOST_UDP_TUNNEL_GSO_CSUM 68 /* with partial checksums of the outer header */

/* The bit numbers of the GUEST features in the 64-bit mask of offloads. */
#define VIRTIO_NET_F_GUEST_UDP_TUNNEL_GSO_MAPPED 46
#define VIRTIO_NET_F_GUEST_UDP_TUNNEL_GSO_CSUM_MAPPED 47

#define VIRTIO_NET_HDR_F_UDP_TUNNEL_CSUM 8 /* flag: the outer checksum is partial, or verified */

/* Flags in addition to the segmentation type. */
#define VIRTIO_NET_HDR_GSO_UDP_TUNNEL_IPV4 0x20
#define VIRTIO_NET_HDR_GSO_UDP_TUNNEL_IPV6 0x40
#define VIRTIO_NET_HDR_GSO_UDP_TUNNEL (VIRTIO_NET_HDR_GSO_UDP_TUNNEL_IPV4 | VIRTIO_NET_HDR_GSO_UDP_TUNNEL_IPV6)

/* With a UDP_TUNNEL feature: the header of a packet, unless a longer header is negotiated. */
struct virtio_net_hdr_v1_hash_tunnel {
	struct virtio_net_hdr_v1_hash hash_hdr;
	__le16 outer_th_offset; /* outer transport header */
	__le16 inner_nh_offset; /* inner network header */
};

VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_hdr_v1_hash_tunnel) == 24,
		     "size of struct virtio_net_hdr_v1_hash_tunnel");
#endif

#pragma GCC diagnostic pop

/* Only the specification has these names (virtio 1.4, 5.1.3). */
#ifndef VIRTIO_NET_F_HASH_TUNNEL
#define VIRTIO_NET_F_HASH_TUNNEL 51
#endif
#ifndef VIRTIO_NET_F_RSS_CONTEXT
#define VIRTIO_NET_F_RSS_CONTEXT 64
#endif
#ifndef VIRTIO_NET_F_OUT_NET_HEADER
#define VIRTIO_NET_F_OUT_NET_HEADER 69
#endif
#ifndef VIRTIO_NET_F_IPSEC
#define VIRTIO_NET_F_IPSEC 70
#endif

#endif
