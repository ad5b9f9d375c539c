/* Detections of a recorder's sound, as it comes: raw 16-bit PCM on standard input, a line a detection on
 * standard output.
 *
 *   arecord -q -f S16_LE -c 1 -r 48000 -t raw | ./recorder perch.safetensors 48000 1 2.5
 *
 * cc -std=c99 recorder.c $(pkg-config --cflags --libs pantanal) -o recorder
 */
#include <errno.h>
#include <pantanal/pantanal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { frames_per_block = 4096, most_channels = 8 };

static int fail(const char* what) {
  fprintf(stderr, "%s: %s\n", what, pantanal_last_error());
  return 1;
}

static void print(const pantanal_model* model, const pantanal_detection* detections, size_t count) {
  for (size_t i = 0; i < count; ++i)
    printf("%.3f\t%.3f\t%s\t%.4f\n", detections[i].start_s, detections[i].end_s,
           pantanal_model_label(model, detections[i].label), (double)detections[i].peak_logit);
  fflush(stdout);
}

/* A whole number from 1 to `most`; 0 if the text is none. */
static uint32_t number(const char* text, unsigned long most) {
  char* end = NULL;
  unsigned long value = strtoul(text, &end, 10);
  return *text < '0' || *text > '9' || *end || value > most ? 0 : (uint32_t)value;
}

/* Every window that is complete. */
static pantanal_status take_windows(pantanal_stream* stream, const pantanal_model* model) {
  const pantanal_window* window = NULL;
  pantanal_status status;
  while ((status = pantanal_stream_next(stream, &window)) == PANTANAL_OK && window)
    print(model, window->detections, window->detection_count);
  return status;
}

/* Until the sound ends. *cut is then the bytes of a last frame that broke off. */
static pantanal_status listen_to(FILE* sound, size_t channels, pantanal_stream* stream,
                                 const pantanal_model* model, size_t* cut) {
  static int16_t block[frames_per_block * most_channels];
  const size_t frame = sizeof *block * channels;
  size_t bytes; /* fread fills the block, whatever pieces a pipe brings, but for the last time */
  while ((bytes = fread(block, 1, frame * frames_per_block, sound)) > 0) {
    const size_t frames = bytes / frame;
    *cut = bytes % frame;
    for (size_t done = 0, taken = 0; done < frames; done += taken) {
      pantanal_status status =
          pantanal_stream_push_int16(stream, block + done * channels, frames - done, &taken);
      if (status == PANTANAL_OK) status = take_windows(stream, model);
      if (status != PANTANAL_OK) return status;
    }
  }
  pantanal_status status = pantanal_stream_finish(stream);
  return status == PANTANAL_OK ? take_windows(stream, model) : status;
}

int main(int argc, char** argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: %s MODEL.safetensors RATE CHANNELS THRESHOLD < PCM\n", argv[0]);
    return 2;
  }
  pantanal_stream_options options;
  pantanal_stream_options_init(&options);
  char* end = NULL;
  options.sample_rate = number(argv[2], 10000000);
  options.channels = number(argv[3], most_channels);
  options.threshold = strtof(argv[4], &end);
  if (options.sample_rate == 0 || options.channels == 0 || end == argv[4] || *end) {
    fprintf(stderr, "%s %s %s: a rate in Hz, 1 to %d channels and a logit are wanted\n", argv[2], argv[3],
            argv[4], (int)most_channels);
    return 2;
  }

  pantanal_model* model = NULL;
  pantanal_stream* stream = NULL;
  if (pantanal_model_load(argv[1], &model) != PANTANAL_OK) return fail("model");
  int result = 0;
  size_t cut = 0;
  if (pantanal_stream_create(model, &options, &stream) != PANTANAL_OK) {
    result = fail("stream");
  } else if (listen_to(stdin, options.channels, stream, model, &cut) != PANTANAL_OK) {
    result = fail("sound");
  } else {
    const pantanal_detection* rest = NULL;
    size_t count = 0;
    if (pantanal_stream_last_detections(stream, &rest, &count) == PANTANAL_OK) print(model, rest, count);
    if (ferror(stdin)) {
      fprintf(stderr, "the sound could not be read to its end: %s\n", strerror(errno));
      result = 1;
    } else if (cut > 0) {
      fprintf(stderr, "the sound broke off within a frame: %zu of its %zu bytes\n", cut,
              sizeof(int16_t) * options.channels);
      result = 1;
    }
  }
  if (fflush(stdout) != 0 || ferror(stdout)) {
    fprintf(stderr, "detections could not be written: %s\n", strerror(errno));
    result = 1;
  }
  pantanal_stream_free(stream);
  pantanal_model_free(model);
  return result;
}
