/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Uses the structures and register numbers of virtio-pci and virtio-mmio, as a driver does. */
#include <stdio.h>
#include <string.h>

#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_types.h>

struct device {
	int msix_enabled;
};

int main(void)
{
	struct virtio_pci_common_cfg common;
	struct virtio_pci_notify_cap notify = { .cap.cfg_type = VIRTIO_PCI_CAP_NOTIFY_CFG, .notify_off_multiplier = 4 };
	struct virtio_pci_cap64 shared = { .cap.id = 1, .length_hi = 1 };
	struct device device = { .msix_enabled = 1 };
	__virtio16 vector = VIRTIO_MSI_NO_VECTOR;
	__le32 offset = 0;
	__u8 status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;

	memset(&common, 0, sizeof common);
	common.msix_config = vector;
	common.device_status = status;
	notify.cap.offset = offset;
	printf("%u %u %zu\n", common.msix_config, common.device_status, sizeof common);
	printf("%u %u %u %zu\n", notify.cap.cfg_type, notify.notify_off_multiplier, shared.length_hi, sizeof shared);
	printf("%d %d\n", VIRTIO_PCI_CONFIG(&device), VIRTIO_PCI_CONFIG_OFF(0));
	printf("%d %d\n", VIRTIO_PCI_COMMON_Q_USEDHI, VIRTIO_PCI_VRING_ALIGN);
	printf("%x %x %d\n", VIRTIO_MMIO_QUEUE_NOTIFY, VIRTIO_MMIO_CONFIG, VIRTIO_MMIO_INT_CONFIG);
	printf("%d %d %d\n", VIRTIO_ID_BT, VIRTIO_F_ORDER_PLATFORM, VIRTIO_TRANSPORT_F_START);
	return 0;
}
