// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
// Tells the guest's stock virtio_mmio driver where the two devices of virtio-mmio-proxy are: in the
// page to which the firmware maps the machine's only memory BAR. The two devices and the pci-serial
// in slot 5 share an interrupt.
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
