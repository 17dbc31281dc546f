#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# /init of the guest of uml-kill.sh. It writes to four disks until they are gone, and reports each
# write that a disk has acknowledged.
# shellcheck shell=dash source=tests/guests/guest.sh
. /guest.sh

begin
load_drivers

step "writing"
for serial in busy-0 busy-1 calm-0 calm-1; do until_true has_disk $serial; done
# The two busy disks get three processes each. The two calm disks get one process each, which pauses
# after each record. When the daemon is killed, the process of a calm disk has usually reported its
# last record.
disk_io number "/dev/$(disk_name busy-0)" 0 3 0 &
disk_io number "/dev/$(disk_name busy-1)" 3 3 0 &
disk_io number "/dev/$(disk_name calm-0)" 6 1 10 &
disk_io number "/dev/$(disk_name calm-1)" 7 1 10 &
# A process ends only when it fails.
wait
exit 1
