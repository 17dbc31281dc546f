/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The configuration space of the PCI function. */
#include "pci_function.h"

#include <string.h>
#include <virtio/endian.h>

/* Offsets and values of the PCI specification. */
#define VENDOR_ID 0x00
#define DEVICE_ID 0x02
#define COMMAND 0x04
#define COMMAND_MEMORY 0x2
#define CLASS 0x0a
#define BAR_0 0x10

/* An unassigned ID, so that no driver binds to the function. */
#define OUR_VENDOR_ID 0x1234
#define OUR_DEVICE_ID 0x5678
#define OUR_CLASS 0xff00 /* a class for which no system has a driver */

void pci_function_reset(struct pci_function *pci)
{
	memset(pci, 0, sizeof *pci);
	virtio_put_le16(pci->header + VENDOR_ID, OUR_VENDOR_ID);
	virtio_put_le16(pci->header + DEVICE_ID, OUR_DEVICE_ID);
	virtio_put_le16(pci->header + CLASS, OUR_CLASS);
}

static bool is_ordinary(uint32_t addr, int32_t len)
{
	return (len == 1 || len == 2 || len == 4) && addr <= PCI_FUNCTION_HEADER - (uint32_t)len;
}

uint32_t pci_function_read(const struct pci_function *pci, uint32_t addr, int32_t len)
{
	uint8_t value[4] = { 0 };

	if (pci->hidden)
		return UINT32_MAX;
	/* A read outside the header, or with a wrong length, returns zeroes. */
	if (is_ordinary(addr, len))
		memcpy(value, pci->header + addr, (size_t)len);
	return virtio_get_le32(value);
}

void pci_function_write(struct pci_function *pci, uint32_t addr, int32_t len, uint32_t value)
{
	uint8_t bytes[4];
	uint32_t bar;

	if (pci->hidden || !is_ordinary(addr, len))
		return;
	virtio_put_le32(bytes, value);
	for (uint32_t i = 0; i < (uint32_t)len; i++) {
		const uint32_t at = addr + i;

		if (at == COMMAND || at == COMMAND + 1 || (at >= BAR_0 && at < BAR_0 + 4))
			pci->header[at] = bytes[i];
	}
	/* The low bits of the BAR stay 0, so that the firmware can find the size of the page. */
	bar = virtio_get_le32(pci->header + BAR_0) & ~(PCI_FUNCTION_PAGE - 1);
	virtio_put_le32(pci->header + BAR_0, bar);
	pci->hidden = (pci->header[COMMAND] & COMMAND_MEMORY) != 0;
}

uint32_t pci_function_address(const struct pci_function *pci)
{
	return virtio_get_le32(pci->header + BAR_0);
}
