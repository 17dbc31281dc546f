# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A bad buffer ends the walk, so that the status behind it is lost.
# file: virtio-queue/src/chain.c
# harness: fuzz_queue
/^static int end_at_bad_buffer(/,/^}/s/while ((got = next_desc(walking, loaded, &desc)) == 1)/if ((got = next_desc(walking, loaded, \&desc)) == 1)/
