/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The configuration space of a PCI function with nothing but a page of memory (BAR 0), behind which
 * the registers of virtio-mmio devices are.
 *
 * The guest is to see these, where an ACPI table says they are, and no PCI device. But the page
 * must be mapped there by the firmware. So the function vanishes when the firmware has switched its
 * memory on: then all of its configuration space reads as ones, which is what an empty slot gives,
 * and no operating system will move the page.
 */
#ifndef PCI_FUNCTION_H
#define PCI_FUNCTION_H

#include <stdbool.h>
#include <stdint.h>

#define PCI_FUNCTION_PAGE 0x1000u
#define PCI_FUNCTION_HEADER 64

struct pci_function {
	uint8_t header[PCI_FUNCTION_HEADER]; /* little-endian */
	bool hidden;
};

/* As after a reset of the machine. */
void pci_function_reset(struct pci_function *pci);

/*
 * Guest and QEMU may use any address and length; what is out of the ordinary reads as ones, and
 * does nothing.
 */
uint32_t pci_function_read(const struct pci_function *pci, uint32_t addr, int32_t len);
void pci_function_write(struct pci_function *pci, uint32_t addr, int32_t len, uint32_t value);

/* Where the page is on the bus. */
uint32_t pci_function_address(const struct pci_function *pci);

#endif
