/* Detections of a recorder's sound, as it comes: raw 16-bit PCM on standard input, a line a detection on
 * standard output.
 *
 *   arecord -q -f S16_LE -c 1 -r 48000 -t raw | ./recorder perch.safetensors 48000 1 2.5
 *
 * cc -std=c99 recorder.c $(pkg-config --cflags --libs pantanal) -o recorder
 */
#include <pantanal/pantanal.h>
#include <stdio.h>
#include <stdlib.h>

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

/* Every window that is complete. */
static pantanal_status take_windows(pantanal_stream* stream, const pantanal_model* model) {
  const pantanal_window* window = NULL;
  pantanal_status status;
  while ((status = pantanal_stream_next(stream, &window)) == PANTANAL_OK && window)
    print(model, window->detections, window->detection_count);
  return status;
}

static pantanal_status listen_to(FILE* sound, size_t channels, pantanal_stream* stream,
                                 const pantanal_model* model) {
  static int16_t block[frames_per_block * most_channels];
  size_t frames;
  while ((frames = fread(block, sizeof *block * channels, frames_per_block, sound)) > 0)
    for (size_t done = 0, taken = 0; done < frames; done += taken) {
      pantanal_status status =
          pantanal_stream_push_int16(stream, block + done * channels, frames - done, &taken);
      if (status == PANTANAL_OK) status = take_windows(stream, model);
      if (status != PANTANAL_OK) return status;
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
  options.sample_rate = (uint32_t)strtoul(argv[2], NULL, 10);
  options.channels = (uint32_t)strtoul(argv[3], NULL, 10);
  options.threshold = strtof(argv[4], NULL);
  if (options.channels < 1 || options.channels > most_channels) {
    fprintf(stderr, "%s: 1 to %d channels\n", argv[3], (int)most_channels);
    return 2;
  }

  pantanal_model* model = NULL;
  pantanal_stream* stream = NULL;
  if (pantanal_model_load(argv[1], &model) != PANTANAL_OK) return fail("model");
  int result = 0;
  if (pantanal_stream_create(model, &options, &stream) != PANTANAL_OK) {
    result = fail("stream");
  } else if (listen_to(stdin, options.channels, stream, model) != PANTANAL_OK) {
    result = fail("sound");
  } else {
    const pantanal_detection* rest = NULL;
    size_t count = 0;
    if (pantanal_stream_last_detections(stream, &rest, &count) == PANTANAL_OK) print(model, rest, count);
  }
  pantanal_stream_free(stream);
  pantanal_model_free(model);
  return result;
}
