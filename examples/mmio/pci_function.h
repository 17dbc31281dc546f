/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The configuration space of a PCI function with one page of memory (BAR 0). The page holds the
 * registers of virtio-mmio devices.
 *
 * The guest's system must find these registers by an ACPI table, and must see no PCI device. But
 * the firmware must see the PCI function, because the firmware maps the page. So the function
 * vanishes when the firmware sets the function's Memory Space bit. From then on the configuration
 * space reads as ones, like an empty slot, and no operating system moves the page.
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

/* Sets the state that the function has after a reset of the machine. */
void pci_function_reset(struct pci_function *pci);

/*
 * Accesses the configuration space. The guest and QEMU may use any address and length. If an access
 * lies outside the header, or its length is not 1, 2 or 4, a read returns zeroes, and a write does
 * nothing. While the function is hidden, all reads return ones.
 */
uint32_t pci_function_read(const struct pci_function *pci, uint32_t addr, int32_t len);
void pci_function_write(struct pci_function *pci, uint32_t addr, int32_t len, uint32_t value);

/* Returns the page's address on the bus. */
uint32_t pci_function_address(const struct pci_function *pci);

#endif
