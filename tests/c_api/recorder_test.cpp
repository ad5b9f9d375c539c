// examples/recorder.c on the demo's recording, against the windows of the file.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "io/temporary_folder.hpp"
#include "pantanal/audio/load_audio.hpp"
#include "pantanal/perch/model_file.hpp"
#include "pantanal/perch/session.hpp"
#include "pantanal/stream/detection_tracker.hpp"

namespace pantanal {
namespace {

const std::filesystem::path weights = std::filesystem::path(PANTANAL_SOURCE_DIR) / "weights/demo";
constexpr float threshold = 0.5f;

std::string lines(std::span<const stream::Detection> detections, const std::vector<std::string>& labels) {
  std::string text;
  for (const stream::Detection& d : detections) {
    char line[300];
    std::snprintf(line, sizeof line, "%.3f\t%.3f\t%s\t%.4f\n", d.start_s, d.end_s, labels[d.label].c_str(),
                  static_cast<double>(d.peak_logit));
    text += line;
  }
  return text;
}

/// The detections in a file of these samples, as the example prints them.
std::string expected_of(std::vector<float> samples) {
  const auto model = std::make_shared<perch::Model>(*perch::load_model(weights / "perch.safetensors"));
  auto session = *perch::Session::create(model);
  const std::size_t length = model->architecture.frontend.samples,
                    classes = model->architecture.label.classes;
  const std::size_t n = (samples.size() + length - 1) / length;
  samples.resize(n * length);
  std::vector<float> labels(n * classes);
  EXPECT_TRUE(session.run(samples, n, {.label = labels}));
  stream::DetectionTracker tracker(classes, {.threshold = threshold});
  std::string text;
  for (std::size_t i = 0; i < n; ++i)
    text += lines(tracker.update(std::span(labels).subspan(i * classes, classes),
                                 5.0 * static_cast<double>(i), 5.0 * static_cast<double>(i) + 5),
                  model->labels);
  return text + lines(tracker.interrupt(), model->labels);
}

TEST(RecorderExample, PrintsWhatTheFileHolds) {
  const auto samples = audio::load_audio(weights / "soundscape.ogg");
  ASSERT_TRUE(samples);
  std::vector<std::int16_t> pcm;
  std::vector<float> quantized;
  for (const float x : *samples) {
    pcm.push_back(static_cast<std::int16_t>(std::lrintf(x * 32767)));
    quantized.push_back(static_cast<float>(pcm.back()) / 32768);
  }
  const TemporaryFolder folder;
  write_bytes(folder / "pcm", {reinterpret_cast<const char*>(pcm.data()), 2 * pcm.size()});
  const std::string pcm_file = "'" + (folder / "pcm").string() + "'",
                    listening = PANTANAL_RECORDER " '" + (weights / "perch.safetensors").string() +
                                "' 32000 1 0.5 > '" + (folder / "out").string() + "' 2> '" +
                                (folder / "err").string() + "'";
  ASSERT_EQ(std::system((listening + " < " + pcm_file).c_str()), 0);
  const std::string expected = expected_of(quantized);
  EXPECT_GT(std::ranges::count(expected, '\n'), 5) << "something is heard";
  EXPECT_EQ(read_bytes(folder / "out"), expected);
  // In pieces that end within frames, and with half a frame too much.
  ASSERT_EQ(std::system(("dd bs=997 status=none if=" + pcm_file + " | " + listening).c_str()), 0);
  EXPECT_EQ(read_bytes(folder / "out"), expected);
  EXPECT_EQ(WEXITSTATUS(std::system(("(cat " + pcm_file + "; printf x) | " + listening).c_str())), 1);
  EXPECT_EQ(read_bytes(folder / "out"), expected);
  EXPECT_EQ(read_bytes(folder / "err"), "the sound broke off within a frame: 1 of its 2 bytes\n");
}

TEST(RecorderExample, SaysWhatIsWrong) {
  EXPECT_EQ(WEXITSTATUS(std::system(PANTANAL_RECORDER " 2> /dev/null")), 2);
  EXPECT_EQ(WEXITSTATUS(std::system(PANTANAL_RECORDER " /no/model 32000 1 0 < /dev/null 2> /dev/null")), 1);
  const std::string listening =
      std::string(PANTANAL_RECORDER) + " '" + (weights / "perch.safetensors").string() + "' ";
  EXPECT_EQ(WEXITSTATUS(std::system((listening + "32kHz 1 0 < /dev/null 2> /dev/null").c_str())), 2);
  EXPECT_EQ(WEXITSTATUS(std::system((listening + "32000 1 x < /dev/null 2> /dev/null").c_str())), 2);
  EXPECT_EQ(WEXITSTATUS(std::system((listening + "32000 1 0 < / 2> /dev/null").c_str())), 1)
      << "no sound to read";
  const std::string sound = "head -c 640000 /dev/zero | ";
  EXPECT_EQ(WEXITSTATUS(std::system((sound + listening + "32000 1 -100 > /dev/full 2> /dev/null").c_str())),
            1);
}

}  // namespace
}  // namespace pantanal
