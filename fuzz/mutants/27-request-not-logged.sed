# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The status of a request is written without a trace in the dirty log.
# file: virtio-queue/src/request.c
# harness: fuzz_queue
s/request->fast_complete = data->last_writable.region->dirty == NULL;/request->fast_complete = 1;/
