#include "pantanal/stream/perch_stream.hpp"

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "audio/audio_files.hpp"
#include "core/counted_allocations.hpp"
#include "pantanal/audio/resample.hpp"
#include "pantanal/stream/polyphase_converter.hpp"
#include "pantanal/stream/soxr_converter.hpp"
#include "perch/random_model.hpp"

namespace pantanal::stream {
namespace {

constexpr std::size_t samples = 16000;  // of tiny_architecture's windows, at 32 kHz

std::vector<float> noise(std::size_t count, unsigned seed = 7) {
  perch::fixtures::RandomValues random(seed);
  return random.normals(count, 0.1);
}

perch::Session session(std::size_t threads = 1) {
  static const auto model = std::make_shared<const perch::Model>(
      perch::fixtures::random_model(perch::fixtures::tiny_architecture(), 3));
  return *perch::Session::create(model, {.threads = threads, .batch = 1});
}

PerchStream stream(const StreamOptions& options) {
  std::unique_ptr<RateConverter> converter;
  if (options.rate != 32000) converter = *SoxrConverter::create(options.rate, 32000);
  return *PerchStream::create(session(), options, std::move(converter));
}

/// What a stream said of its windows.
struct Said {
  std::vector<StreamWindow> windows;  ///< their spans are void
  std::vector<std::vector<float>> labels, embeddings;
};

void hear(PerchStream& stream, Said& said) {
  for (;;) {
    const auto next = stream.next();
    ASSERT_TRUE(next) << next.error().message();
    if (!*next) return;
    said.windows.push_back(**next);
    said.labels.emplace_back((*next)->label.begin(), (*next)->label.end());
    said.embeddings.emplace_back((*next)->embedding.begin(), (*next)->embedding.end());
  }
}

/// Pushes all of `sound` in blocks of 1 to `largest` frames.
void push(PerchStream& stream, std::span<const float> sound, std::size_t largest, Said& said) {
  const std::size_t channels = stream.options().channels;
  std::minstd_rand random(1);
  while (!sound.empty()) {
    const std::size_t frames = std::min(sound.size() / channels, 1 + random() % largest);
    const auto taken = stream.push(sound.first(frames * channels));
    ASSERT_TRUE(taken) << taken.error().message();
    sound = sound.subspan(*taken * channels);
    hear(stream, said);
  }
}

void finish(PerchStream& stream, Said& said) {
  stream.finish();
  hear(stream, said);
}

/// The label rows of a file of these samples: its windows one after the other.
std::vector<std::vector<float>> file_labels(std::span<const float> interleaved,
                                            const StreamOptions& options) {
  auto source = *audio::resample(
      audio::to_mono(std::make_unique<audio::MemorySource>(
          std::vector<float>(interleaved.begin(), interleaved.end()), options.rate, options.channels)),
      32000);
  std::vector<float> windows = audio::hear(*source, 777).samples;
  windows.resize((windows.size() + samples - 1) / samples * samples);
  auto of_file = session();
  std::vector<std::vector<float>> labels;
  for (std::size_t at = 0; at < windows.size(); at += samples) {
    labels.emplace_back(7);
    EXPECT_TRUE(of_file.run(std::span(windows).subspan(at, samples), 1, {.label = labels.back()}));
  }
  return labels;
}

TEST(PerchStream, SaysWhatAFileSays) {
  for (const StreamOptions& options :
       {StreamOptions{}, StreamOptions{.rate = 48000}, StreamOptions{.rate = 22050, .channels = 2},
        StreamOptions{.rate = 32000, .channels = 3}}) {
    const std::vector<float> sound = noise(3 * 30011 * options.channels);
    for (const std::size_t largest : {97u, 5000u, 100000u}) {
      PerchStream live = stream(options);
      Said said;
      push(live, sound, largest, said);
      finish(live, said);
      EXPECT_EQ(said.labels, file_labels(sound, options))
          << options.rate << " Hz, blocks of up to " << largest;
    }
  }
}

TEST(PerchStream, OverlapsWindows) {
  const std::vector<float> sound = noise(samples * 2);
  PerchStream live = stream({.hop = samples / 4});
  Said said;
  push(live, sound, 3001, said);
  finish(live, said);
  ASSERT_EQ(said.windows.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_DOUBLE_EQ(said.windows[i].start_s, 0.125 * static_cast<double>(i));
    EXPECT_EQ(said.labels[i], file_labels(std::span(sound).subspan(i * samples / 4, samples), {})[0]);
  }
}

TEST(PerchStream, MarksGapsAndKeepsTime) {
  for (const std::uint32_t rate : {32000u, 44100u}) {
    const std::vector<float> before = noise(20000, 1), after = noise(30000, 2);
    const std::uint64_t lost = 3 * rate;  // of half a second a window
    PerchStream live = stream({.rate = rate});
    Said said;
    push(live, before, 4000, said);
    ASSERT_TRUE(live.mark_gap(lost));
    push(live, after, 4000, said);
    finish(live, said);
    std::vector<float> whole = before;
    whole.resize(before.size() + lost);
    whole.insert(whole.end(), after.begin(), after.end());
    EXPECT_EQ(live.frames(), whole.size());
    const auto expected = file_labels(whole, {.rate = rate});
    ASSERT_EQ(said.labels.size(), expected.size());
    std::size_t silent = 0, recorded = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      recorded += said.windows[i].recorded;
      if (said.windows[i].recorded > 0) {
        EXPECT_EQ(said.labels[i], expected[i]) << i;
        continue;
      }
      ++silent;
      EXPECT_TRUE(said.labels[i].empty() && said.embeddings[i].empty());
    }
    EXPECT_GE(silent, 5u);
    const double seconds = static_cast<double>(before.size() + after.size()) / rate;
    EXPECT_NEAR(static_cast<double>(recorded), 32000 * seconds, 1.0);
  }
}

TEST(PerchStream, TakesNoMoreUntilAWindowIsTaken) {
  PerchStream live = stream({});
  const std::vector<float> sound = noise(2 * samples);
  const auto taken = live.push(sound);
  ASSERT_TRUE(taken);
  EXPECT_EQ(*taken, samples);
  EXPECT_EQ(*live.push(std::span(sound).subspan(samples)), 0u);
  ASSERT_TRUE(live.mark_gap(5)) << "noted for later";
  EXPECT_EQ(*live.push(std::span(sound).subspan(samples)), 0u);
  ASSERT_TRUE(*live.next());
  EXPECT_FALSE(*live.next());
  EXPECT_EQ(*live.push(std::span(sound).subspan(samples)), samples - 5);
}

TEST(PerchStream, GoesOnAfterWhatItRefuses) {
  const std::vector<float> sound = noise(samples);
  PerchStream live = stream({.channels = 2});
  EXPECT_EQ(live.push(std::vector<float>(3)).error().found, "3 samples");
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity(), 2e15f}) {
    std::vector<float> broken(100);
    broken[41] = bad;
    const auto refused = live.push(broken);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message().find("sample 41"), std::string::npos) << refused.error().message();
  }
  EXPECT_FALSE(live.mark_gap(std::uint64_t{1} << 60));
  Said said;
  push(live, sound, 500, said);
  finish(live, said);
  EXPECT_EQ(said.labels, file_labels(sound, {.channels = 2}));
  EXPECT_FALSE(live.push(sound));
  EXPECT_FALSE(live.mark_gap(1));
  EXPECT_FALSE(*live.next());
}

TEST(PerchStream, LeavesOutWhatFloat32DoesNotHold) {
  PerchStream live = stream({});
  std::vector<float> sound = noise(2 * samples);
  for (std::size_t i = 0; i < samples; ++i) sound[i] *= 1e15f;
  Said said;
  for (float& x : sound) x = std::clamp(x, -1e15f, 1e15f);
  push(live, sound, 10000, said);
  finish(live, said);
  ASSERT_EQ(said.labels.size(), 2u);
  for (const auto& row : said.labels)
    for (const float x : row) EXPECT_TRUE(std::isfinite(x));
  EXPECT_EQ(said.labels[1], file_labels(std::span(sound).subspan(samples), {})[0]);
}

TEST(PerchStream, RefusesOptionsThatMakeNoSense) {
  EXPECT_FALSE(PerchStream::create(session(), {.hop = samples + 1}));
  EXPECT_FALSE(PerchStream::create(session(), {.rate = 5}));
  EXPECT_FALSE(PerchStream::create(session(), {.channels = 0}));
  EXPECT_FALSE(PerchStream::create(session(), {.channels = 257}));
  const auto no_converter = PerchStream::create(session(), {.rate = 48000});
  ASSERT_FALSE(no_converter);
  EXPECT_EQ(no_converter.error().code, ErrorCode::unsupported);
}

/// Hours of sound in blocks of odd sizes: 2 s in every `period_s`, gaps for the rest. After the first period
/// neither operator new nor, where glibc tells, any library may have asked for more.
void listen_for(PerchStream live, std::uint64_t hours, std::uint64_t period_s) {
  const std::uint32_t rate = live.options().rate;
  const std::vector<float> sound = noise(rate * 2);
  std::minstd_rand random(3);
  std::uint64_t windows = 0, recorded = 0, new_at_start = 0, heap_at_start = 0;
  const auto take = [&] {
    for (auto next = live.next(); next && *next; next = live.next()) {
      ASSERT_EQ((*next)->index, windows++);
      recorded += (*next)->recorded;
      ASSERT_EQ((*next)->label.empty(), (*next)->recorded == 0);
    }
  };
  const auto heap = [] { return static_cast<std::uint64_t>(mallinfo2().uordblks); };
  for (std::uint64_t second = 0; second < 3600 * hours; second += period_s) {
    for (std::span<const float> left(sound); !left.empty();) {
      const auto taken = live.push(left.first(std::min<std::size_t>(left.size(), 1 + random() % 9999)));
      ASSERT_TRUE(taken);
      left = left.subspan(*taken);
      take();
    }
    ASSERT_TRUE(live.mark_gap((period_s - 2) * rate));
    take();
    if (second == 0) new_at_start = allocations, heap_at_start = heap();
  }
  EXPECT_EQ(heap(), heap_at_start);
  live.finish();
  take();
  EXPECT_EQ(allocations, new_at_start);
  EXPECT_EQ(windows, 2 * 3600 * hours);
  EXPECT_EQ(recorded, 64000 * (3600 * hours / period_s));
}

TEST(PerchStream, ADayAllocatesNothing) { listen_for(stream({.rate = 32000}), 24, 300); }

TEST(PerchStream, AnHourAtAnotherRateAllocatesNothing) {
  listen_for(stream({.rate = 24000}), 1, 60);
  listen_for(*PerchStream::create(session(), {.rate = 24000}, *PolyphaseConverter::create(24000, 32000)), 1,
             60);
}

}  // namespace
}  // namespace pantanal::stream
