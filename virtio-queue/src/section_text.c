/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Describes the faults of a saved state as text. */
#include <string.h>
#include <virtio/section.h>

const char *virtio_section_reason_text(enum virtio_section_reason reason)
{
	static const char *const texts[VIRTIO_SECTION_REASONS] = {
		[VIRTIO_SECTION_GOOD] = "nothing is wrong",
		[VIRTIO_SECTION_NOT_A_STATE] = "this is not a saved state",
		[VIRTIO_SECTION_FILE_VERSION] = "the file has an unsupported version",
		[VIRTIO_SECTION_FILE_SHORT] = "the file is cut off",
		[VIRTIO_SECTION_FILE_LONG] = "the file has bytes after its end",
		[VIRTIO_SECTION_CHECKSUM] = "the checksum is wrong",
		[VIRTIO_SECTION_OTHER_ID] = "the file belongs to other memory",
		[VIRTIO_SECTION_HEADER_SHORT] = "a section's header is cut off",
		[VIRTIO_SECTION_BAD_NAME] = "this is not a valid name of a section",
		[VIRTIO_SECTION_BAD_FLAGS] = "unknown flags",
		[VIRTIO_SECTION_CONTENT_SHORT] = "the section is longer than the file",
		[VIRTIO_SECTION_UNKNOWN] = "the section is not expected here, and can't be skipped",
		[VIRTIO_SECTION_ABSENT] = "the section is missing",
		[VIRTIO_SECTION_VERSION] = "the section has an unsupported version",
		[VIRTIO_SECTION_MISSING_BYTES] = "bytes are missing",
		[VIRTIO_SECTION_EXTRA_BYTES] = "bytes are left over",
		[VIRTIO_SECTION_TOO_MANY_ENTRIES] = "more entries than the target has room for",
		[VIRTIO_SECTION_NOT_A_BOOL] = "neither 0 nor 1",
		[VIRTIO_SECTION_REFUSED] = "the target refuses the value",
	};

	if ((unsigned int)reason >= VIRTIO_SECTION_REASONS || !texts[reason])
		return "unknown reason";
	return texts[reason];
}

/* A text under construction. Characters that do not fit are only counted. */
struct text {
	char *at;
	size_t capacity;
	size_t length;
};

static void add(struct text *text, const char *words)
{
	for (; *words; words++) {
		if (text->length + 1 < text->capacity)
			text->at[text->length] = *words;
		text->length++;
	}
}

/*
 * Prints numbers up to 32 bits in decimal, and larger numbers in hexadecimal. Decimal digits of a
 * larger number would need a 64-bit division, which is a library call on 32-bit hosts.
 */
static void add_number(struct text *text, uint64_t value)
{
	char digits[24];
	size_t at = sizeof digits - 1;

	digits[at] = '\0';
	if (value <= UINT32_MAX) {
		uint32_t rest = (uint32_t)value;

		do {
			digits[--at] = (char)('0' + rest % 10);
			rest /= 10;
		} while (rest);
	} else {
		for (; value; value >>= 4)
			digits[--at] = "0123456789abcdef"[value & 15];
		digits[--at] = 'x';
		digits[--at] = '0';
	}
	add(text, digits + at);
}

static void add_place(struct text *text, const struct virtio_section_fault *fault)
{
	if (fault->section.name[0] == '\0') {
		add(text, "file: ");
	} else {
		add(text, "section ");
		add(text, fault->section.name);
		add(text, ", device ");
		add_number(text, fault->section.device);
		add(text, ", index ");
		add_number(text, fault->section.index);
		add(text, ": ");
	}
	if (fault->list && fault->entry != VIRTIO_SECTION_NO_ENTRY) {
		add(text, fault->list);
		add(text, "[");
		add_number(text, fault->entry);
		add(text, fault->field ? "]." : "] ");
	}
	if (fault->field) {
		add(text, fault->field);
		add(text, " ");
	}
	add(text, "at byte ");
	add_number(text, fault->offset);
	add(text, ": ");
}

/* Adds the number of the lowest refused bit. */
static void add_bit(struct text *text, const struct virtio_section_fault *fault)
{
	uint32_t bit = 0;

	while (bit < 63 && !(fault->bits >> bit & 1))
		bit++;
	add(text, ", bit ");
	add_number(text, fault->first_bit + bit);
}

/* Adds the found number and the expected number, for reasons that have such numbers. */
static void add_numbers(struct text *text, const struct virtio_section_fault *fault)
{
	switch (fault->reason) {
	case VIRTIO_SECTION_FILE_VERSION:
	case VIRTIO_SECTION_VERSION:
		add(text, ": ");
		add_number(text, fault->found);
		add(text, ", and this library reads ");
		add_number(text, fault->oldest);
		add(text, " to ");
		add_number(text, fault->newest);
		break;
	case VIRTIO_SECTION_FILE_SHORT:
	case VIRTIO_SECTION_FILE_LONG:
	case VIRTIO_SECTION_CHECKSUM:
	case VIRTIO_SECTION_CONTENT_SHORT:
	case VIRTIO_SECTION_TOO_MANY_ENTRIES:
		add(text, ": ");
		add_number(text, fault->found);
		add(text, " where ");
		add_number(text, fault->expected);
		add(text, fault->reason == VIRTIO_SECTION_TOO_MANY_ENTRIES ? " fit" : " are expected");
		break;
	case VIRTIO_SECTION_BAD_FLAGS:
	case VIRTIO_SECTION_MISSING_BYTES:
	case VIRTIO_SECTION_EXTRA_BYTES:
	case VIRTIO_SECTION_NOT_A_BOOL:
	case VIRTIO_SECTION_REFUSED:
		if (!fault->field && fault->reason == VIRTIO_SECTION_REFUSED)
			break;
		add(text, ": ");
		add_number(text, fault->found);
		if (fault->bits)
			add_bit(text, fault);
		break;
	default:
		break;
	}
}

size_t virtio_section_describe(const struct virtio_section_fault *fault, char *text, size_t capacity)
{
	struct text out = { text, capacity, 0 };

	if (fault->error)
		add_place(&out, fault);
	add(&out, virtio_section_reason_text(fault->reason));
	add_numbers(&out, fault);
	if (fault->error) {
		add(&out, " (");
		add(&out, virtio_strerror(fault->error));
		add(&out, ")");
	}
	if (capacity > 0)
		text[out.length < capacity ? out.length : capacity - 1] = '\0';
	return out.length;
}
