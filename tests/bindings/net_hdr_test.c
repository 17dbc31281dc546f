/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests the conversions between a packet's header in host byte order and two forms on the wire. The
 * program also runs on a big-endian machine, so it uses no test library.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <virtio/bindings/virtio_net_hdr.h>

/* Every byte differs, so a test notices if two fields are exchanged. */
static const unsigned char wire[20] = { 0x01, 0x84, 0x36, 0x12, 0xb4, 0x05, 0x22, 0x13, 0x10, 0x14,
					0x02, 0x15, 0xef, 0xbe, 0xad, 0xde, 0x06, 0x16, 0x77, 0x88 };
static const struct virtio_net_hdr_host host = {
	.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
	.gso_type = VIRTIO_NET_HDR_GSO_TCPV6 | VIRTIO_NET_HDR_GSO_ECN,
	.hdr_len = 0x1236,
	.gso_size = 0x05b4,
	.csum_start = 0x1322,
	.csum_offset = 0x1410,
	.num_buffers = 0x1502,
	.hash_report = 0x1606,
	.hash_value = 0xdeadbeef,
};

static bool hosts_are_equal(const struct virtio_net_hdr_host *a, const struct virtio_net_hdr_host *b)
{
	return a->flags == b->flags && a->gso_type == b->gso_type && a->hdr_len == b->hdr_len &&
	       a->gso_size == b->gso_size && a->csum_start == b->csum_start && a->csum_offset == b->csum_offset &&
	       a->num_buffers == b->num_buffers && a->hash_report == b->hash_report && a->hash_value == b->hash_value;
}

static bool net_hdr_v1_to_host_has_no_hash(void)
{
	struct virtio_net_hdr_v1 from;
	struct virtio_net_hdr_host to, expected = host;

	expected.hash_report = VIRTIO_NET_HASH_REPORT_NONE;
	expected.hash_value = 0;
	memcpy(&from, wire, sizeof from);
	memset(&to, 0xff, sizeof to);
	virtio_net_hdr_v1_to_host(&to, &from);
	return hosts_are_equal(&to, &expected);
}

static bool net_hdr_v1_from_host_writes_little_endian(void)
{
	struct virtio_net_hdr_v1 to;

	memset(&to, 0xff, sizeof to);
	virtio_net_hdr_v1_from_host(&to, &host);
	return memcmp(&to, wire, sizeof to) == 0;
}

static bool net_hdr_v1_hash_to_host_reads_little_endian(void)
{
	struct virtio_net_hdr_v1_hash from;
	struct virtio_net_hdr_host to;

	memcpy(&from, wire, sizeof from);
	memset(&to, 0xff, sizeof to);
	virtio_net_hdr_v1_hash_to_host(&to, &from);
	return hosts_are_equal(&to, &host);
}

static bool net_hdr_v1_hash_from_host_clears_padding(void)
{
	unsigned char expected[20];
	struct virtio_net_hdr_v1_hash to;

	memcpy(expected, wire, sizeof expected);
	expected[18] = expected[19] = 0;
	memset(&to, 0xff, sizeof to);
	virtio_net_hdr_v1_hash_from_host(&to, &host);
	return memcmp(&to, expected, sizeof to) == 0;
}

static bool net_hdr_v1_to_hash_reports_none(void)
{
	unsigned char expected[20] = { 0 };
	struct virtio_net_hdr_v1 from;
	struct virtio_net_hdr_v1_hash to;

	memcpy(expected, wire, sizeof from);
	memcpy(&from, wire, sizeof from);
	memset(&to, 0xff, sizeof to);
	virtio_net_hdr_v1_to_hash(&to, &from);
	return memcmp(&to, expected, sizeof to) == 0;
}

static bool net_hdr_v1_from_hash_keeps_the_rest(void)
{
	struct virtio_net_hdr_v1_hash from;
	struct virtio_net_hdr_v1 to;

	memcpy(&from, wire, sizeof from);
	memset(&to, 0xff, sizeof to);
	virtio_net_hdr_v1_from_hash(&to, &from);
	return memcmp(&to, wire, sizeof to) == 0;
}

int main(void)
{
	static const struct {
		const char *name;
		bool (*run)(void);
	} tests[] = {
		{ "net_hdr_v1_to_host_has_no_hash", net_hdr_v1_to_host_has_no_hash },
		{ "net_hdr_v1_from_host_writes_little_endian", net_hdr_v1_from_host_writes_little_endian },
		{ "net_hdr_v1_hash_to_host_reads_little_endian", net_hdr_v1_hash_to_host_reads_little_endian },
		{ "net_hdr_v1_hash_from_host_clears_padding", net_hdr_v1_hash_from_host_clears_padding },
		{ "net_hdr_v1_to_hash_reports_none", net_hdr_v1_to_hash_reports_none },
		{ "net_hdr_v1_from_hash_keeps_the_rest", net_hdr_v1_from_hash_keeps_the_rest },
	};
	int failures = 0;

	for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
		bool passed = tests[i].run();

		printf("%s: %s\n", passed ? "passed" : "FAILED", tests[i].name);
		failures += !passed;
	}
	return failures != 0;
}
