/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The program under test as a process. The test acts as the QEMU that the program serves: it sends
 * valid and invalid messages, and has the guest's memory. The test also acts as the guest, which
 * accesses PCI configuration and registers. The program's path is the test's argument, or
 * $VIRTIO_MMIO_PROXY.
 *
 * The program dies with the test. If the program or the test hangs, the watchdog ends the test
 * (tests/common/watchdog.h). Each message counts as progress.
 */
#ifndef VM_H
#define VM_H

#include "proxy_protocol.h"

#include <stdbool.h>
#include <sys/types.h>
#include <virtio/guest_memory.h>

#define IMAGE_BYTES (UINT64_C(1) << 20)
#define GUEST_ADDR UINT64_C(0x40000000)
#define GUEST_BYTES (UINT64_C(1) << 20)
#define REGISTERS UINT32_C(0xfebff000) /* where the firmware maps the registers */
#define WINDOW UINT32_C(0x200)

struct vm {
	pid_t pid;
	int socket; /* QEMU's end of the connection */
	int irq;
	int out; /* the program's stdout */
	int memory_fd;
	uint8_t *memory; /* the guest's memory: GUEST_BYTES from GUEST_ADDR on */
	struct virtio_region region;
	struct virtio_memory_map map;
	char folder[64];
	char image[96];  /* path of the disk image: IMAGE_BYTES of zeros */
	char errors[96]; /* path of the file that gets the program's stderr */
};

/* Stores the program's path, and starts the watchdog. main() must call this. */
void vm_find_program(int argc, char **argv);

/* Returns the program's path, for tests of the command line. */
const char *vm_program(void);

/* Starts the program, with `options` after the image's name. Sends no message. */
void vm_start(struct vm *vm);
void vm_start_with(struct vm *vm, const char *options);

/*
 * Starts the program, shares the memory and places the page of registers, as a booting machine
 * does.
 */
void vm_boot(struct vm *vm);
void vm_boot_with(struct vm *vm, const char *options);

/*
 * Closes the connection, waits for the program's end, and removes the folder. Returns the program's
 * exit status.
 */
int vm_end(struct vm *vm);

/* Calls vm_end(). The exit status must be 0. */
void vm_finish(struct vm *vm);

/*
 * Checks that the program ends the connection, prints one line, and exits with status 1. Calls
 * vm_end().
 */
void vm_expect_refusal(struct vm *vm);

/*
 * vm_open_files() returns the number of the program's open descriptors plus 2, for comparisons
 * only. vm_mappings() returns the number of the program's memory mappings.
 */
unsigned int vm_open_files(const struct vm *vm);
unsigned int vm_mappings(const struct vm *vm);

/* Sends bytes and descriptors as they are. Does not check whether the program receives them. */
void vm_send_raw(const struct vm *vm, const void *bytes, size_t len, const int *fds, unsigned int fd_count);

/* Sends a message with `len` bytes of payload. The header announces `size` bytes. */
void vm_send(const struct vm *vm, int32_t command, uint64_t size, const void *payload, size_t len, const int *fds,
	     unsigned int fd_count);

/* Sends a message and returns the reply. */
uint64_t vm_ask(const struct vm *vm, int32_t command, const void *payload, size_t len);

/*
 * vm_table() returns a table with the guest's memory in one region. vm_send_table() sends a table,
 * with the same descriptor for each region.
 */
struct proxy_memory vm_table(void);
void vm_send_table(const struct vm *vm, const struct proxy_memory *table, int fd, unsigned int count);

uint32_t vm_config_read(const struct vm *vm, uint32_t addr, int32_t len);
void vm_config_write(const struct vm *vm, uint32_t addr, int32_t len, uint32_t value);
uint64_t vm_bar_read(const struct vm *vm, uint64_t addr, uint32_t size, bool is_memory);
void vm_bar_write(const struct vm *vm, uint64_t addr, uint32_t size, bool is_memory, uint64_t value);

#endif
