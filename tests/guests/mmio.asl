// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
// Where the guest's stock virtio_mmio driver finds the two devices of virtio-mmio-proxy: in the page to which the
// firmware maps the only memory BAR of the machine. Both share the interrupt of a pci-serial in slot 5.
DefinitionBlock ("mmio.aml", "SSDT", 2, "VIRTIO", "MMIO", 1)
{
    Scope (\_SB)
    {
        Device (VIO0)
        {
            Name (_HID, "LNRO0005")
            Name (_UID, 0)
            Name (_CRS, ResourceTemplate ()
            {
                Memory32Fixed (ReadWrite, 0xFEBFF000, 0x200)
                Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) { 10 }
            })
        }
        Device (VIO1)
        {
            Name (_HID, "LNRO0005")
            Name (_UID, 1)
            Name (_CRS, ResourceTemplate ()
            {
                Memory32Fixed (ReadWrite, 0xFEBFF200, 0x200)
                Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) { 10 }
            })
        }
    }
}
