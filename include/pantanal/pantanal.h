/* Pantanal's C interface: Perch's windows, streams and sequence heads, from C99 and whatever calls C.
 *
 * Every object is made by a *_create or *_load function and given back by its *_free function, which takes
 * NULL too. Functions that can fail return a pantanal_status; pantanal_last_error() then has a sentence that
 * names what was found and what was expected. A failed call changes nothing but where it says so. No
 * exception leaves the library, it never ends the process by itself and prints nothing.
 *
 * Threads: a pantanal_model may be used by any number of threads at once. A session, stream or sequence head
 * serves one call at a time, from whichever thread; different ones are independent. Functions without an
 * object may be called from anywhere.
 *
 * Strings are UTF-8 with a zero at their end and belong to the library. Options begin with their size, so
 * that a program compiled against an older header runs with a newer library: fill them in with their *_init
 * function, then set what differs. Who calls without this header calls *_defaults with the size of the struct
 * as it is there.
 *
 * Files that are mapped (models, packed weights) must stay as they are while they are in use: replace them by
 * renaming. One that is cut short in place, or a medium that no longer gives its bytes back, ends the process
 * by SIGBUS; so does SIGXFSZ, where a file is written beyond the process' limit and it is not ignored.
 */
#ifndef PANTANAL_PANTANAL_H
#define PANTANAL_PANTANAL_H

#include <stddef.h>
#include <stdint.h>

/* Counts the interface's changes. Functions are added, never altered. */
#define PANTANAL_API_VERSION 2

#if defined(__GNUC__)
#define PANTANAL_API __attribute__((visibility("default")))
#else
#define PANTANAL_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum pantanal_status {
  PANTANAL_OK = 0,
  PANTANAL_INVALID_ARGUMENT = 1, /* the caller passed something outside the documented domain */
  PANTANAL_NOT_FOUND = 2,        /* a file, tensor or key that must exist does not */
  PANTANAL_IO = 3,               /* the operating system refused a read */
  PANTANAL_CORRUPT = 4,          /* the bytes contradict their own format or checksum */
  PANTANAL_UNSUPPORTED = 5,      /* well-formed, but of a kind this build does not handle */
  PANTANAL_MISMATCH = 6,         /* well-formed, but of another shape, size or version than required */
  PANTANAL_OUT_OF_MEMORY = 7,
  PANTANAL_INTERNAL = 8 /* a broken promise of the library itself */
} pantanal_status;

/* "ok", "corrupt", ...; "unknown status" for other numbers. */
PANTANAL_API const char* pantanal_status_name(pantanal_status status);

/* What the calling thread's last failed call had to say; "" before the first. Lasts until its next failed
 * call. Of a sentence of more than 1023 bytes the end becomes "...". */
PANTANAL_API const char* pantanal_last_error(void);

/* The library's version, "0.1.0", and its PANTANAL_API_VERSION. */
PANTANAL_API const char* pantanal_version(void);
PANTANAL_API int pantanal_api_version(void);

/* ---- Models ---- */

/* A Perch model, mapped from its file: processes that load the same one share its memory. Replace a file in
 * use by renaming another over it, never in place. Immutable. */
typedef struct pantanal_model pantanal_model;

/* Loads and checks what pantanal-convert wrote. If the environment variable PANTANAL_ISA is set, it must name
 * instructions that this CPU has. */
PANTANAL_API pantanal_status pantanal_model_load(const char* path, pantanal_model** model);

/* A model with only the given rows of the label head, in that order; `model` stays as it is. */
PANTANAL_API pantanal_status pantanal_model_keep_classes(const pantanal_model* model, const size_t* rows,
                                                         size_t count, pantanal_model** kept);

/* What was made of a model keeps what it needs of it. */
PANTANAL_API void pantanal_model_free(pantanal_model* model);

PANTANAL_API uint32_t pantanal_model_sample_rate(const pantanal_model* model);  /* Hz */
PANTANAL_API size_t pantanal_model_window_samples(const pantanal_model* model); /* in a window */
PANTANAL_API size_t pantanal_model_embedding_size(const pantanal_model* model); /* floats */
PANTANAL_API size_t pantanal_model_classes(const pantanal_model* model); /* 0: a model without label head */
PANTANAL_API const char* pantanal_model_label(const pantanal_model* model,
                                              size_t index); /* NULL past the last */

/* ---- Windows ---- */

typedef struct pantanal_session pantanal_session;

typedef struct pantanal_session_options {
  size_t struct_size;
  size_t threads; /* 0 (default): as many as the CPU has */
  size_t batch;   /* windows between two passes over the label head, default 12; memory grows with it */
  const char* packed_weights; /* a file, or NULL (default): see below */
} pantanal_session_options;

/* Writes the first `size` bytes of the defaults, `size` as struct_size. */
PANTANAL_API void pantanal_session_options_defaults(pantanal_session_options* options, size_t size);
static inline void pantanal_session_options_init(pantanal_session_options* options) {
  pantanal_session_options_defaults(options, sizeof *options);
}

/* Packs weights and sets memory aside, all that is needed. `options` may be NULL.
 *
 * Where `packed_weights` names a file, the weights are mapped from it: it saves the packing, and processes
 * share its memory. Where it is not there or does not fit (another model, another kind of CPU, damaged) it is
 * made anew, unless it is a file of another kind. A session that can neither use nor make it packs weights of
 * its own: pantanal_session_packed_weights says why. No result differs by a bit. */
PANTANAL_API pantanal_status pantanal_session_create(const pantanal_model* model,
                                                     const pantanal_session_options* options,
                                                     pantanal_session** session);

/* PANTANAL_OK where the file that was asked for is used or made, or none was asked for; else what was wrong
 * with it. */
PANTANAL_API pantanal_status pantanal_session_packed_weights(const pantanal_session* session);
PANTANAL_API void pantanal_session_free(pantanal_session* session);

/* windows [n, window_samples], mono at the model's rate -> embedding [n, embedding_size], label [n, classes]
 * (logits) and finite [n], 1 for a window whose results float32 holds. Each output may be NULL; without
 * `finite` such a window is an error, as a sample that is not finite always is. The results are the same
 * bytes for any number of threads. */
PANTANAL_API pantanal_status pantanal_session_run(pantanal_session* session, const float* windows, size_t n,
                                                  float* embedding, float* label, uint8_t* finite);

/* ---- Streams ---- */

typedef struct pantanal_stream pantanal_stream;

typedef struct pantanal_stream_options {
  size_t struct_size;
  uint32_t sample_rate; /* Hz of what is pushed, 100 to 10,000,000; 0 (default): the model's */
  uint32_t channels;    /* interleaved, mixed to one: 1 (default) to 256 */
  double hop_s;       /* from one window to the next, a sample to a window; 0 (default): a window's length */
  int normalize_peak; /* 1: remove each window's mean and scale its peak to 0.25; default 0 */
  size_t threads;     /* 1 (default) to 1024; 0: as many as the CPU has */
  float threshold;    /* a class is heard in a window from this logit on; finite, default 0 */
  double longest_s;   /* a detection that lasts is given out in pieces of about this length, at least a
                         window's; default 60 */
  const char* packed_weights; /* a file, or NULL (default): see pantanal_session_create */
} pantanal_stream_options;

PANTANAL_API void pantanal_stream_options_defaults(pantanal_stream_options* options, size_t size);
static inline void pantanal_stream_options_init(pantanal_stream_options* options) {
  pantanal_stream_options_defaults(options, sizeof *options);
}

/* A class heard in one window or several that follow each other. Seconds count from the stream's beginning;
 * the last window may end after the sound does. Where windows overlap, so may a class's detections: one ends
 * with the last window that has it, the next begins with the first that has it again. */
typedef struct pantanal_detection {
  size_t label; /* see pantanal_model_label */
  double start_s, end_s;
  double peak_s; /* beginning of the window with the largest logit, and that */
  float peak_logit;
  uint64_t windows;
} pantanal_detection;

/* A window and what it settled. The arrays last until the stream is used again
 * (pantanal_stream_last_detections is a use, too). */
typedef struct pantanal_window {
  uint64_t index;
  double start_s, end_s;
  size_t samples;  /* at the model's rate */
  size_t recorded; /* of them, pushed; the others are zeros for a gap, or after the end. Exact for up to
                      64 gaps in two windows, near otherwise */
  const float* embedding; /* [embedding_size]; NULL where nothing was recorded or float32 does not hold it */
  const float* label;     /* [classes]; likewise */
  const pantanal_detection* detections; /* that ended with the window before */
  size_t detection_count;
} pantanal_window;

/* Another rate than the model's is converted: by libsoxr in a library built with audio, as files are,
 * otherwise by a filter of the library's own, as flat. `options` may be NULL. */
PANTANAL_API pantanal_status pantanal_stream_create(const pantanal_model* model,
                                                    const pantanal_stream_options* options,
                                                    pantanal_stream** stream);
/* As pantanal_session_packed_weights. */
PANTANAL_API pantanal_status pantanal_stream_packed_weights(const pantanal_stream* stream);
PANTANAL_API void pantanal_stream_free(pantanal_stream* stream);

/* Takes `*taken` of `frames` frames, [frames, channels], fewer if a window is ready, or if they are many:
 * call pantanal_stream_next until there is none and push the rest. Among the frames that would be taken a
 * sample that is not finite, or beyond 1e15, is an error: none is taken then, and *taken is 0. After other
 * errors *taken is as it was. Full scale is 1, or 32768. */
PANTANAL_API pantanal_status pantanal_stream_push(pantanal_stream* stream, const float* samples,
                                                  size_t frames, size_t* taken);
PANTANAL_API pantanal_status pantanal_stream_push_int16(pantanal_stream* stream, const int16_t* samples,
                                                        size_t frames, size_t* taken);

/* `frames` frames, at most 2^48, were lost before what is pushed next. Time goes on; the first window of
 * which nothing was recorded ends detections. */
PANTANAL_API pantanal_status pantanal_stream_mark_gap(pantanal_stream* stream, uint64_t frames);

/* Nothing will be pushed any more. */
PANTANAL_API pantanal_status pantanal_stream_finish(pantanal_stream* stream);

/* Computes the next window. *window is NULL if more must be pushed first, or after the last. With one thread
 * nothing is allocated here, nor in pantanal_stream_push at the model's rate; libsoxr's queues grow during
 * the first seconds of another. */
PANTANAL_API pantanal_status pantanal_stream_next(pantanal_stream* stream, const pantanal_window** window);

/* After the last window: the detections that it left open. Called earlier, it ends those that are open. The
 * array lasts until the stream is used again. */
PANTANAL_API pantanal_status pantanal_stream_last_detections(pantanal_stream* stream,
                                                             const pantanal_detection** detections,
                                                             size_t* count);

/* ---- Sequence heads ---- */

/* ProtoSSM: scores a file's windows by their place in a sequence. */
typedef struct pantanal_proto_ssm pantanal_proto_ssm;

/* The sizes that it was trained with, under their names in PyTorch. */
typedef struct pantanal_proto_ssm_options {
  size_t struct_size;
  size_t d_input, d_model, d_state, d_conv, n_ssm_layers, n_classes, n_windows, n_sites, meta_dim;
  int use_cross_attn;
  size_t cross_attn_heads, n_families, n_prototypes;
  size_t threads; /* default 1; 0: as many as the CPU has */
} pantanal_proto_ssm_options;

/* The sizes of the published run. */
PANTANAL_API void pantanal_proto_ssm_options_defaults(pantanal_proto_ssm_options* options, size_t size);
static inline void pantanal_proto_ssm_options_init(pantanal_proto_ssm_options* options) {
  pantanal_proto_ssm_options_defaults(options, sizeof *options);
}

PANTANAL_API pantanal_status pantanal_proto_ssm_load(const char* path,
                                                     const pantanal_proto_ssm_options* options,
                                                     pantanal_proto_ssm** head);
PANTANAL_API void pantanal_proto_ssm_free(pantanal_proto_ssm* head);

/* embedding [files, steps, d_input], label [files, steps, n_classes] or NULL, site_ids and hours [files] or
 * both NULL -> species [files, steps, n_classes] logits. steps is 1 to n_windows. */
PANTANAL_API pantanal_status pantanal_proto_ssm_run(pantanal_proto_ssm* head, const float* embedding,
                                                    const float* label, const int64_t* site_ids,
                                                    const int64_t* hours, size_t files, size_t steps,
                                                    float* species);

#ifdef __cplusplus
}
#endif

#endif
