/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The sound device's wire format, under the names of Linux's <linux/virtio_snd.h>. A translation
 * unit may include both headers, in either order. The first header provides the structures. Feature
 * constants are bit numbers.
 *
 * virtio 1.4, 5.14 (sound device)
 */
#ifndef VIRTIO_BINDINGS_VIRTIO_SND_H
#define VIRTIO_BINDINGS_VIRTIO_SND_H

#include <virtio/bindings/virtio_types.h>
#include <virtio/compiler.h>

#ifndef VIRTIO_SND_IF_H
#define VIRTIO_SND_IF_H

/* Feature bit number. */
enum {
	VIRTIO_SND_F_CTLS = 0 /* control elements */
};

struct virtio_snd_config {
	__le32 jacks;
	__le32 streams;
	__le32 chmaps;
	__le32 controls; /* valid with VIRTIO_SND_F_CTLS */
};

/* Queues. */
enum {
	VIRTIO_SND_VQ_CONTROL = 0,
	VIRTIO_SND_VQ_EVENT,
	VIRTIO_SND_VQ_TX,
	VIRTIO_SND_VQ_RX,
	VIRTIO_SND_VQ_MAX /* number of queues */
};

/* Directions of a stream. */
enum { VIRTIO_SND_D_OUTPUT = 0, VIRTIO_SND_D_INPUT };

/* Requests (R), events (EVT) and status codes (S). */
enum {
	VIRTIO_SND_R_JACK_INFO = 1,
	VIRTIO_SND_R_JACK_REMAP,
	VIRTIO_SND_R_PCM_INFO = 0x0100,
	VIRTIO_SND_R_PCM_SET_PARAMS,
	VIRTIO_SND_R_PCM_PREPARE,
	VIRTIO_SND_R_PCM_RELEASE,
	VIRTIO_SND_R_PCM_START,
	VIRTIO_SND_R_PCM_STOP,
	VIRTIO_SND_R_CHMAP_INFO = 0x0200,
	VIRTIO_SND_R_CTL_INFO = 0x0300,
	VIRTIO_SND_R_CTL_ENUM_ITEMS,
	VIRTIO_SND_R_CTL_READ,
	VIRTIO_SND_R_CTL_WRITE,
	VIRTIO_SND_R_CTL_TLV_READ,
	VIRTIO_SND_R_CTL_TLV_WRITE,
	VIRTIO_SND_R_CTL_TLV_COMMAND,
	VIRTIO_SND_EVT_JACK_CONNECTED = 0x1000,
	VIRTIO_SND_EVT_JACK_DISCONNECTED,
	VIRTIO_SND_EVT_PCM_PERIOD_ELAPSED = 0x1100,
	VIRTIO_SND_EVT_PCM_XRUN,
	VIRTIO_SND_EVT_CTL_NOTIFY = 0x1200,
	VIRTIO_SND_S_OK = 0x8000,
	VIRTIO_SND_S_BAD_MSG,
	VIRTIO_SND_S_NOT_SUPP,
	VIRTIO_SND_S_IO_ERR
};

/* The start of a control request, of its response and of an event. */
struct virtio_snd_hdr {
	__le32 code; /* VIRTIO_SND_R_..., EVT_... or S_... */
};

struct virtio_snd_event {
	struct virtio_snd_hdr hdr;
	__le32 data; /* depends on the event: the identifier of a jack or stream */
};

/* Requests information on `count` items. */
struct virtio_snd_query_info {
	struct virtio_snd_hdr hdr; /* VIRTIO_SND_R_..._INFO */
	__le32 start_id;
	__le32 count;
	__le32 size; /* bytes of the information on one item */
};

/* The start of the information on an item. */
struct virtio_snd_info {
	__le32 hda_fn_nid; /* function group node of the High Definition Audio specification */
};

/* Jacks. */
struct virtio_snd_jack_hdr {
	struct virtio_snd_hdr hdr;
	__le32 jack_id;
};

/* Bit numbers in the features of a jack. */
enum { VIRTIO_SND_JACK_F_REMAP = 0 };

struct virtio_snd_jack_info {
	struct virtio_snd_info hdr;
	__le32 features;
	__le32 hda_reg_defconf; /* pin default configuration */
	__le32 hda_reg_caps;    /* pin capabilities */
	__u8 connected;         /* 0 or 1 */
	__u8 padding[7];
};

struct virtio_snd_jack_remap {
	struct virtio_snd_jack_hdr hdr; /* VIRTIO_SND_R_JACK_REMAP */
	__le32 association;
	__le32 sequence;
};

/* PCM streams. */
struct virtio_snd_pcm_hdr {
	struct virtio_snd_hdr hdr;
	__le32 stream_id;
};

/* Bit numbers in the features of a stream. */
enum {
	VIRTIO_SND_PCM_F_SHMEM_HOST = 0,
	VIRTIO_SND_PCM_F_SHMEM_GUEST,
	VIRTIO_SND_PCM_F_MSG_POLLING,
	VIRTIO_SND_PCM_F_EVT_SHMEM_PERIODS,
	VIRTIO_SND_PCM_F_EVT_XRUNS
};

/* Bit numbers in the sample formats of a stream. */
enum {
	VIRTIO_SND_PCM_FMT_IMA_ADPCM = 0,
	VIRTIO_SND_PCM_FMT_MU_LAW,
	VIRTIO_SND_PCM_FMT_A_LAW,
	VIRTIO_SND_PCM_FMT_S8,
	VIRTIO_SND_PCM_FMT_U8,
	VIRTIO_SND_PCM_FMT_S16,
	VIRTIO_SND_PCM_FMT_U16,
	VIRTIO_SND_PCM_FMT_S18_3,
	VIRTIO_SND_PCM_FMT_U18_3,
	VIRTIO_SND_PCM_FMT_S20_3,
	VIRTIO_SND_PCM_FMT_U20_3,
	VIRTIO_SND_PCM_FMT_S24_3,
	VIRTIO_SND_PCM_FMT_U24_3,
	VIRTIO_SND_PCM_FMT_S20,
	VIRTIO_SND_PCM_FMT_U20,
	VIRTIO_SND_PCM_FMT_S24,
	VIRTIO_SND_PCM_FMT_U24,
	VIRTIO_SND_PCM_FMT_S32,
	VIRTIO_SND_PCM_FMT_U32,
	VIRTIO_SND_PCM_FMT_FLOAT,
	VIRTIO_SND_PCM_FMT_FLOAT64,
	VIRTIO_SND_PCM_FMT_DSD_U8,
	VIRTIO_SND_PCM_FMT_DSD_U16,
	VIRTIO_SND_PCM_FMT_DSD_U32,
	VIRTIO_SND_PCM_FMT_IEC958_SUBFRAME
};

/* Bit numbers in the frame rates of a stream. */
enum {
	VIRTIO_SND_PCM_RATE_5512 = 0,
	VIRTIO_SND_PCM_RATE_8000,
	VIRTIO_SND_PCM_RATE_11025,
	VIRTIO_SND_PCM_RATE_16000,
	VIRTIO_SND_PCM_RATE_22050,
	VIRTIO_SND_PCM_RATE_32000,
	VIRTIO_SND_PCM_RATE_44100,
	VIRTIO_SND_PCM_RATE_48000,
	VIRTIO_SND_PCM_RATE_64000,
	VIRTIO_SND_PCM_RATE_88200,
	VIRTIO_SND_PCM_RATE_96000,
	VIRTIO_SND_PCM_RATE_176400,
	VIRTIO_SND_PCM_RATE_192000,
	VIRTIO_SND_PCM_RATE_384000
};

struct virtio_snd_pcm_info {
	struct virtio_snd_info hdr;
	__le32 features; /* 1 << VIRTIO_SND_PCM_F_... */
	__le64 formats;  /* 1 << VIRTIO_SND_PCM_FMT_... */
	__le64 rates;    /* 1 << VIRTIO_SND_PCM_RATE_... */
	__u8 direction;  /* VIRTIO_SND_D_... */
	__u8 channels_min;
	__u8 channels_max;
	__u8 padding[5];
};

struct virtio_snd_pcm_set_params {
	struct virtio_snd_pcm_hdr hdr; /* VIRTIO_SND_R_PCM_SET_PARAMS */
	__le32 buffer_bytes;           /* bytes of the device's buffer */
	__le32 period_bytes;           /* bytes between two notifications */
	__le32 features;               /* 1 << VIRTIO_SND_PCM_F_... */
	__u8 channels;
	__u8 format; /* VIRTIO_SND_PCM_FMT_... */
	__u8 rate;   /* VIRTIO_SND_PCM_RATE_... */
	__u8 padding;
};

/* Data of a stream: the header before the data, and the status after the data. */
struct virtio_snd_pcm_xfer {
	__le32 stream_id;
};

struct virtio_snd_pcm_status {
	__le32 status;        /* VIRTIO_SND_S_... */
	__le32 latency_bytes; /* present latency of the device, in bytes */
};

/* Channel maps. */
struct virtio_snd_chmap_hdr {
	struct virtio_snd_hdr hdr;
	__le32 chmap_id;
};

/*
 * Positions of a channel. Most names begin with F (front), R (rear), S (side), B (bottom) or T
 * (top), and F, R or S can follow T. Then L (left), R (right) or C (center) follows. LLFE and RLFE
 * are the left and the right LFE.
 */
enum {
	VIRTIO_SND_CHMAP_NONE = 0,
	VIRTIO_SND_CHMAP_NA, /* silent */
	VIRTIO_SND_CHMAP_MONO,
	VIRTIO_SND_CHMAP_FL,
	VIRTIO_SND_CHMAP_FR,
	VIRTIO_SND_CHMAP_RL,
	VIRTIO_SND_CHMAP_RR,
	VIRTIO_SND_CHMAP_FC,
	VIRTIO_SND_CHMAP_LFE, /* low frequency */
	VIRTIO_SND_CHMAP_SL,
	VIRTIO_SND_CHMAP_SR,
	VIRTIO_SND_CHMAP_RC,
	VIRTIO_SND_CHMAP_FLC,
	VIRTIO_SND_CHMAP_FRC,
	VIRTIO_SND_CHMAP_RLC,
	VIRTIO_SND_CHMAP_RRC,
	VIRTIO_SND_CHMAP_FLW, /* wide */
	VIRTIO_SND_CHMAP_FRW,
	VIRTIO_SND_CHMAP_FLH, /* high */
	VIRTIO_SND_CHMAP_FCH,
	VIRTIO_SND_CHMAP_FRH,
	VIRTIO_SND_CHMAP_TC,
	VIRTIO_SND_CHMAP_TFL,
	VIRTIO_SND_CHMAP_TFR,
	VIRTIO_SND_CHMAP_TFC,
	VIRTIO_SND_CHMAP_TRL,
	VIRTIO_SND_CHMAP_TRR,
	VIRTIO_SND_CHMAP_TRC,
	VIRTIO_SND_CHMAP_TFLC,
	VIRTIO_SND_CHMAP_TFRC,
	VIRTIO_SND_CHMAP_TSL,
	VIRTIO_SND_CHMAP_TSR,
	VIRTIO_SND_CHMAP_LLFE,
	VIRTIO_SND_CHMAP_RLFE,
	VIRTIO_SND_CHMAP_BC,
	VIRTIO_SND_CHMAP_BLC,
	VIRTIO_SND_CHMAP_BRC
};

#define VIRTIO_SND_CHMAP_MAX_SIZE 18

struct virtio_snd_chmap_info {
	struct virtio_snd_info hdr;
	__u8 direction;                            /* VIRTIO_SND_D_... */
	__u8 channels;                             /* positions in use */
	__u8 positions[VIRTIO_SND_CHMAP_MAX_SIZE]; /* VIRTIO_SND_CHMAP_... */
};

/* Control elements. */
struct virtio_snd_ctl_hdr {
	struct virtio_snd_hdr hdr;
	__le32 control_id;
};

enum {
	VIRTIO_SND_CTL_ROLE_UNDEFINED = 0,
	VIRTIO_SND_CTL_ROLE_VOLUME,
	VIRTIO_SND_CTL_ROLE_MUTE,
	VIRTIO_SND_CTL_ROLE_GAIN
};

enum {
	VIRTIO_SND_CTL_TYPE_BOOLEAN = 0,
	VIRTIO_SND_CTL_TYPE_INTEGER,
	VIRTIO_SND_CTL_TYPE_INTEGER64,
	VIRTIO_SND_CTL_TYPE_ENUMERATED,
	VIRTIO_SND_CTL_TYPE_BYTES,
	VIRTIO_SND_CTL_TYPE_IEC958
};

/* Bit numbers in the access rights. */
enum {
	VIRTIO_SND_CTL_ACCESS_READ = 0,
	VIRTIO_SND_CTL_ACCESS_WRITE,
	VIRTIO_SND_CTL_ACCESS_VOLATILE,
	VIRTIO_SND_CTL_ACCESS_INACTIVE,
	VIRTIO_SND_CTL_ACCESS_TLV_READ,
	VIRTIO_SND_CTL_ACCESS_TLV_WRITE,
	VIRTIO_SND_CTL_ACCESS_TLV_COMMAND
};

struct virtio_snd_ctl_info {
	struct virtio_snd_info hdr;
	__le32 role;   /* VIRTIO_SND_CTL_ROLE_... */
	__le32 type;   /* VIRTIO_SND_CTL_TYPE_... */
	__le32 access; /* 1 << VIRTIO_SND_CTL_ACCESS_... */
	__le32 count;  /* number of values */
	__le32 index;  /* distinguishes elements with the same name */
	__u8 name[44];
	union {
		struct {
			__le32 min;
			__le32 max;
			__le32 step;
		} integer;
		struct {
			__le64 min;
			__le64 max;
			__le64 step;
		} integer64;
		struct {
			__le32 items;
		} enumerated;
	} value;
};

struct virtio_snd_ctl_enum_item {
	__u8 item[64];
};

struct virtio_snd_ctl_iec958 {
	__u8 status[24];
	__u8 subcode[147];
	__u8 pad;
	__u8 dig_subframe[4];
};

struct virtio_snd_ctl_value {
	union {
		__le32 integer[128];
		__le64 integer64[64];
		__le32 enumerated[128];
		__u8 bytes[512];
		struct virtio_snd_ctl_iec958 iec958;
	} value;
};

/* Bit numbers in the mask of an event. */
enum { VIRTIO_SND_CTL_EVT_MASK_VALUE = 0, VIRTIO_SND_CTL_EVT_MASK_INFO, VIRTIO_SND_CTL_EVT_MASK_TLV };

struct virtio_snd_ctl_event {
	struct virtio_snd_hdr hdr; /* VIRTIO_SND_EVT_CTL_NOTIFY */
	__le16 control_id;
	__le16 mask; /* 1 << VIRTIO_SND_CTL_EVT_MASK_... */
};

VIRTIO_STATIC_ASSERT(sizeof(struct virtio_snd_config) == 16, "size of struct virtio_snd_config");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_snd_hdr) == 4, "size of struct virtio_snd_hdr");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_snd_event) == 8, "size of struct virtio_snd_event");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_snd_query_info) == 16, "size of struct virtio_snd_query_info");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_snd_info) == 4, "size of struct virtio_snd_info");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_snd_jack_hdr) == 8, "size of struct virtio_snd_jack_hdr");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_snd_jack_info) == 24, "size of struct virtio_snd_jack_info");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_snd_jack_remap) == 16, "size of struct virtio_snd_jack_remap");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_snd_pcm_hdr) == 8, "size of struct virtio_snd_pcm_hdr");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_snd_pcm_info) == 32, "size of struct virtio_snd_pcm_info");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_snd_pcm_set_params) == 24, "size of struct virtio_snd_pcm_set_params");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_snd_pcm_xfer) == 4, "size of struct virtio_snd_pcm_xfer");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_snd_pcm_status) == 8, "size of struct virtio_snd_pcm_status");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_snd_chmap_hdr) == 8, "size of struct virtio_snd_chmap_hdr");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_snd_chmap_info) == 24, "size of struct virtio_snd_chmap_info");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_snd_ctl_hdr) == 8, "size of struct virtio_snd_ctl_hdr");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_snd_ctl_enum_item) == 64, "size of struct virtio_snd_ctl_enum_item");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_snd_ctl_iec958) == 176, "size of struct virtio_snd_ctl_iec958");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_snd_ctl_value) == 512, "size of struct virtio_snd_ctl_value");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_snd_ctl_event) == 8, "size of struct virtio_snd_ctl_event");

/*
 * The union in struct virtio_snd_ctl_info is aligned like a 64-bit integer, as in Linux. Padding
 * precedes the union, but not on 32-bit x86.
 */
#ifndef __i386__
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_snd_ctl_info) == 96, "size of struct virtio_snd_ctl_info");
#endif

#endif /* VIRTIO_SND_IF_H */

#endif
