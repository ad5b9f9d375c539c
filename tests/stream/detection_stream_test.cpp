#include "pantanal/stream/detection_stream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "pantanal/stream/polyphase_converter.hpp"
#include "perch/random_model.hpp"

namespace pantanal::stream {
namespace {

constexpr std::size_t window = 16000;  // samples of tiny_architecture's, at 32 kHz

perch::Session tiny_session() {
  static const auto model = std::make_shared<const perch::Model>(
      perch::fixtures::random_model(perch::fixtures::tiny_architecture(), 3));
  return *perch::Session::create(model, {.threads = 1, .batch = 1});
}

Result<DetectionStream> create(const DetectionStreamOptions& options) {
  return DetectionStream::create(tiny_session(), options, PolyphaseConverter::create);
}

std::vector<float> sound(std::size_t count) {
  perch::fixtures::RandomValues random(9);
  return random.normals(count, 0.1);
}

/// Pushes all and takes windows until there is none.
void listen(DetectionStream& heard, std::span<const float> samples, std::vector<Detection>& detections,
            std::vector<StreamWindow>& windows) {
  do {
    const auto taken = heard.stream().push(samples);
    ASSERT_TRUE(taken);
    samples = samples.subspan(*taken);
    for (;;) {
      const auto next = heard.next();
      ASSERT_TRUE(next);
      if (!*next) break;
      windows.push_back((*next)->window);
      detections.insert(detections.end(), (*next)->detections.begin(), (*next)->detections.end());
    }
  } while (!samples.empty());
}

TEST(DetectionStream, HearsWhatATrackerOfItsWindowsHears) {
  constexpr float always = -1e9f;
  auto heard = *create({.hop_s = 0.25, .detections = {.threshold = always}});
  std::vector<Detection> detections;
  std::vector<StreamWindow> windows;
  listen(heard, sound(3 * window), detections, windows);
  ASSERT_EQ(windows.size(), 5u);
  EXPECT_EQ(windows[1].start_s, 0.25);
  EXPECT_TRUE(detections.empty()) << "all goes on";
  const std::span<const Detection> last = heard.last_detections();
  ASSERT_EQ(last.size(), 7u);
  for (const Detection& detection : last) {
    EXPECT_EQ(detection.windows, 5u);
    EXPECT_EQ(detection.end_s, 1.5);
  }
}

TEST(DetectionStream, AGapOfAWindowEndsWhatIsOpen) {
  auto heard = *create({.detections = {.threshold = -1e9f}});
  std::vector<Detection> detections;
  std::vector<StreamWindow> windows;
  listen(heard, sound(window), detections, windows);
  ASSERT_TRUE(heard.stream().mark_gap(window));
  listen(heard, sound(window), detections, windows);
  ASSERT_EQ(windows.size(), 3u);
  EXPECT_EQ(windows[1].recorded, 0u);
  ASSERT_EQ(detections.size(), 7u);
  EXPECT_EQ(detections[0].end_s, 0.5);
  EXPECT_EQ(heard.last_detections().size(), 7u);
}

TEST(DetectionStream, ConvertsAnotherRateAndTakesTheModelsAsIts) {
  EXPECT_EQ(create({})->stream().options().rate, 32000u);
  auto heard = *create({.rate = 48000});
  std::vector<Detection> detections;
  std::vector<StreamWindow> windows;
  listen(heard, sound(48000), detections, windows);
  ASSERT_EQ(windows.size(), 1u) << "the second one's end is still in the converter";
  heard.stream().finish();
  const auto last = heard.next();
  ASSERT_TRUE(last && *last);
  EXPECT_EQ((*last)->window.end_s, 1.0);
  EXPECT_EQ((*last)->window.recorded, window);
}

TEST(DetectionStream, RefusesOptionsThatMakeNoSense) {
  EXPECT_FALSE(create({.hop_s = 0.6}));
  EXPECT_FALSE(create({.hop_s = 1e-9}));
  EXPECT_FALSE(create({.hop_s = std::nan("")}));
  EXPECT_FALSE(create({.detections = {.threshold = std::nanf("")}}));
  EXPECT_FALSE(create({.detections = {.longest_s = 0.4}}));
  EXPECT_FALSE(create({.detections = {.longest_s = std::nan("")}}));
  EXPECT_FALSE(create({.rate = 48000, .channels = 0}));
  EXPECT_FALSE(create({.rate = 7}));
  EXPECT_FALSE(DetectionStream::create(tiny_session(), {.rate = 48000}, [](std::uint32_t, std::uint32_t) {
    return Result<std::unique_ptr<RateConverter>>(std::unique_ptr<RateConverter>());
  }));
}

}  // namespace
}  // namespace pantanal::stream
