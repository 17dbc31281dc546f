# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A port may name another chain than the chain in flight on its queue.
# file: virtio-console/src/state_section.c
# harness: fuzz_state
s/if (!in_flight || (record\[0\]\.head == port->head && !record\[0\]\.completed))/if (!in_flight || !record[0].completed)/
