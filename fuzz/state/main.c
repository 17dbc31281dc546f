/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Fuzzes saved state. The input chooses a machine in a random valid state, and then changes the
 * machine's file. A new machine, the target, reads the file as it is, or with a correct length and
 * checksum. If the read fails, the fault must be at the offset that the format specifies, or at a
 * value that the target refuses. A read must not change the target. If the read succeeds, the
 * target is restored from the file. The target must then save the model's bytes, serve its queues,
 * and reset.
 */
#include "../../tests/unit/state/random_state.h"
#include "edit.h"
#include "format.h"
#include "model.h"
#include "steps.h"

#define MOST_STEPS 60u
#define MOST_JUDGED 6u

struct state_harness {
	struct fuzz_input in;
	struct machine from, to, other, before;
	struct machine_state state;
	struct virtio_section_reader reader;
	struct format_view view;
	struct edit_file good, file, judged, expected;
	uint8_t saved[MACHINE_FILE_BYTES];
	uint8_t storage[MACHINE_SECTORS * 512];
	uint8_t ram[MACHINE_RAM], ram_before[MACHINE_RAM];
	uint32_t judgements;
};

static size_t shorter(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Checks that the text of a fault has the length that was measured before. */
static void check_text(const struct state_harness *h)
{
	const size_t length = virtio_section_describe(&h->reader.fault, NULL, 0);
	char *text = fuzz_alloc(length + 1);

	FUZZ_CHECK(virtio_section_describe(&h->reader.fault, text, length + 1) == length && strlen(text) == length,
		   "the text of a fault does not have the measured length");
	FUZZ_CHECK(strstr(text, "at byte") || !h->reader.fault.field, "the text of a fault has no offset: %s", text);
	free(text);
}

/*
 * Checks a fault that the target reports. The fault must name a value of the file with the right
 * offset.
 */
static void check_refusal(const struct state_harness *h)
{
	const struct virtio_section_fault *fault = &h->reader.fault;
	const struct format_section *section = NULL;
	size_t offset = 0;
	uint8_t bytes = 4;

	for (uint32_t i = 0; i < h->view.count && !section; i++) {
		if (h->view.sections[i].content == fault->section.offset)
			section = &h->view.sections[i];
	}
	FUZZ_CHECK(section && fault->field, "a refusal names no section or no field");
	FUZZ_CHECK(strcmp(fault->section.name, section->kind->name) == 0 && fault->section.device == section->device &&
			   fault->section.index == section->index,
		   "a refusal names a wrong section");
	if (section->kind->list && strcmp(fault->field, section->kind->list) == 0)
		offset = format_list(section);
	else
		FUZZ_CHECK(format_find(section, fault->field, fault->entry, &offset, &bytes),
			   "a refusal names the value %s, which section %s lacks", fault->field, section->kind->name);
	FUZZ_CHECK(fault->offset == offset, "%s is at offset %zu, the refusal says %zu", fault->field, offset,
		   fault->offset);
	FUZZ_CHECK(fault->found == format_number(h->judged.bytes + offset, bytes),
		   "a refusal reports a wrong value of %s", fault->field);
}

static void check_refused(const struct state_harness *h)
{
	const struct virtio_section_fault *fault = &h->reader.fault;

	FUZZ_CHECK(fault->offset <= h->judged.length, "a fault has an offset past the end of the file");
	if (fault->reason == VIRTIO_SECTION_REFUSED) {
		check_refusal(h);
	} else {
		FUZZ_CHECK(fault->reason == h->view.reason, "the fault has reason %d, not %d", (int)fault->reason,
			   (int)h->view.reason);
		FUZZ_CHECK(fault->offset == h->view.offset, "the fault is at offset %zu, not %zu", fault->offset,
			   h->view.offset);
	}
	check_text(h);
	FUZZ_CHECK(memcmp(&h->to, &h->before, sizeof h->to) == 0, "a refused file changes the target");
}

/* Reads a file from memory of its exact size, so that the sanitizer sees reads past its end. */
static int read_exact(struct state_harness *h, const struct machine *to, const uint8_t *bytes, size_t length)
{
	uint8_t *exact = malloc(length ? length : 1);
	int error;

	if (!exact)
		abort();
	memcpy(exact, bytes, length);
	memset(&h->state, 0xa5, sizeof h->state);
	/* For an empty file, passes the end of the memory, so the sanitizer sees any read. */
	error = machine_read(to, length ? exact : exact + 1, length, &h->state, &h->reader);
	free(exact);
	return error;
}

static void check_saved(struct state_harness *h, const struct machine *m, const char *what)
{
	const size_t length = machine_save(m, h->saved);

	FUZZ_CHECK(length == h->expected.length, "%s: %zu bytes, not %zu", what, length, h->expected.length);
	for (size_t i = 0; i < shorter(length, h->expected.length - 4); i++)
		FUZZ_CHECK(h->saved[i] == h->expected.bytes[i], "%s: byte %zu is %u, not %u", what, i, h->saved[i],
			   h->expected.bytes[i]);
	FUZZ_CHECK(memcmp(h->saved, h->expected.bytes, length) == 0, "%s: wrong checksum", what);
}

/* Serves a queue. If nothing is in flight afterwards, all requests must be in the used ring. */
static void serve(struct state_harness *h, uint32_t device, uint32_t n)
{
	struct machine_part *part = &h->to.parts[device];
	struct virtio_queue *queue = &part->queues[n];
	const uint32_t before = queue->next_avail, held = part->held_count[n];

	random_serve(&h->to, device, n);
	if (queue->size == 0 || queue->broken || (queue->next_avail == before && held == 0))
		return;
	FUZZ_CHECK(virtio_get_le16(h->ram + queue->config.addr[VIRTIO_QUEUE_USED] + 2) == (uint16_t)queue->next_avail ||
			   !virtio_queue_quiesced(queue),
		   "queue %u of device %u has served requests that are not in the used ring", n, device);
}

/* Serves the restored machine's queues, saves and restores the machine again, and resets it. */
static void run(struct state_harness *h)
{
	size_t length;

	machine_resume(&h->to);
	for (uint32_t device = 0; device < MACHINE_DEVICES; device++)
		for (uint32_t i = 0; i < machine_queues(device); i++)
			serve(h, device, i);
	length = machine_save(&h->to, h->saved);
	machine_make(&h->other, h->ram, h->storage);
	FUZZ_CHECK(read_exact(h, &h->other, h->saved, length) == 0, "a machine that has served can't be restored");
	FUZZ_CHECK(machine_restore(&h->other, &h->state) == 0, "a file that was read can't be restored");
	for (uint32_t device = 0; device < MACHINE_DEVICES; device++) {
		FUZZ_CHECK(virtio_device_write_status(&h->to.parts[device].device, 0) == 0 &&
				   virtio_device_status(&h->to.parts[device].device) == 0,
			   "device %u can't be reset", device);
		for (uint32_t i = 0; i < machine_queues(device); i++)
			FUZZ_CHECK(virtio_queue_quiesced(&h->to.parts[device].queues[i]),
				   "requests are in flight after a reset");
	}
}

/* Checks a file that was accepted, and the restore from it. */
static void check_accepted(struct state_harness *h)
{
	FUZZ_CHECK(h->view.reason == VIRTIO_SECTION_GOOD, "the file is accepted, but has reason %d at offset %zu",
		   (int)h->view.reason, h->view.offset);
	FUZZ_CHECK(h->reader.skipped_count == h->view.skipped, "%u sections were skipped, the model says %u",
		   h->reader.skipped_count, h->view.skipped);
	FUZZ_CHECK(memcmp(&h->to, &h->before, sizeof h->to) == 0, "reading changes the target");
	model_judge(h->judged.bytes, &h->view);
	model_saved(h->judged.bytes, &h->view, &h->expected);
	FUZZ_CHECK(machine_restore(&h->to, &h->state) == 0, "a file that was read can't be restored");
	check_saved(h, &h->to, "saved again");
	FUZZ_CHECK(memcmp(h->ram, h->ram_before, sizeof h->ram) == 0 || h->to.parts[0].device.active ||
			   h->to.parts[1].device.active || h->to.parts[2].device.active,
		   "guest memory changes, but no device is active");
	run(h);
	memcpy(h->ram, h->ram_before, sizeof h->ram);
}

static void judge(struct state_harness *h, bool framed)
{
	int error;

	if (h->judgements++ >= MOST_JUDGED)
		return;
	h->judged.length = h->file.length;
	memcpy(h->judged.bytes, h->file.bytes, h->file.length);
	if (framed && h->judged.length >= FORMAT_FRAME)
		format_frame(h->judged.bytes, h->judged.length);
	format_read(h->judged.bytes, h->judged.length, machine_id, &h->view);
	machine_make(&h->to, h->ram, h->storage);
	memcpy(&h->before, &h->to, sizeof h->to);
	error = read_exact(h, &h->to, h->judged.bytes, h->judged.length);
	FUZZ_CHECK(memcmp(h->ram, h->ram_before, sizeof h->ram) == 0, "reading a file changes guest memory");
	FUZZ_CHECK(error == h->reader.fault.error, "the read does not return the error of its fault");
	if (error)
		check_refused(h);
	else
		check_accepted(h);
}

/* Reads the rest of the input as a file, or as the sections of a file. */
static void take_bytes(struct state_harness *h)
{
	const bool framed = fuzz_u8(&h->in) & 1;
	const size_t front = framed ? FORMAT_BEGIN : 0, count = shorter(h->in.left, EDIT_ROOM - FORMAT_FRAME);

	/*
	 * If the input has only sections, the envelope of the good file stays before the sections.
	 */
	memcpy(h->file.bytes + front, h->in.at, count);
	h->file.length = framed ? count + FORMAT_FRAME : count;
	h->in.left = 0;
	judge(h, framed);
}

static void step(struct state_harness *h)
{
	const enum state_step what = fuzz_u8(&h->in) % STATE_STEPS;

	switch (what) {
	case STATE_JUDGE_RAW:
	case STATE_JUDGE:
		judge(h, what == STATE_JUDGE);
		break;
	case STATE_FRESH:
		h->file = h->good;
		break;
	case STATE_BYTES:
		h->file = h->good;
		take_bytes(h);
		break;
	default:
		edit(&h->file, what, &h->in);
	}
}

/* Makes the machine that the input chooses, and saves it to the first file. */
static void begin(struct state_harness *h)
{
	uint64_t random = fuzz_u16(&h->in);

	machine_make(&h->from, h->ram, h->storage);
	random_state(&h->from, &random);
	memcpy(h->ram_before, h->ram, sizeof h->ram);
	h->good.length = machine_save(&h->from, h->good.bytes);
	h->file = h->good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct state_harness *h = fuzz_alloc(sizeof *h);

	h->in = (struct fuzz_input){ data, size };
	begin(h);
	for (uint32_t i = 0; i < MOST_STEPS && h->in.left > 0; i++)
		step(h);
	/* The last file is read as it is, and then with a correct length and checksum. */
	h->judgements = 0;
	judge(h, false);
	judge(h, true);
	free(h);
	return 0;
}
