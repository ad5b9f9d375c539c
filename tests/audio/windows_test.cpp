#include "pantanal/audio/windows.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "audio/audio_files.hpp"
#include "audio/vorbis_writer.hpp"
#include "core/refused.hpp"

namespace pantanal::audio {
namespace {

std::vector<float> counting(std::size_t count) {
  std::vector<float> samples(count);
  for (std::size_t i = 0; i < count; ++i) samples[i] = static_cast<float>(i + 1) / 65536;
  return samples;
}

struct Read {
  std::vector<Window> windows;
  std::vector<float> samples;
  std::optional<Error> error;
};

Read read_all(WindowStream& stream, std::size_t samples) {
  Read read;
  std::vector<float> window(samples);
  for (;;) {
    std::fill(window.begin(), window.end(), 99.0f);
    const auto got = stream.next(window);
    if (!got) read.error = got.error();
    if (!got || !*got) return read;
    read.windows.push_back(**got);
    read.samples.insert(read.samples.end(), window.begin(), window.end());
  }
}

TEST(WindowStream, CutsARecordingIntoWindows) {
  const TemporaryFolder folder;
  const auto path = write(folder, "f.wav", float_wav(counting(250), 1000));
  auto stream = WindowStream::open(path, {.rate = 1000, .samples = 100});
  ASSERT_TRUE(succeeded(stream));
  EXPECT_EQ(stream->windows(), 3u);
  EXPECT_EQ(stream->file_format().encoding, "WAV, 32-bit float");
  const Read read = read_all(*stream, 100);
  EXPECT_FALSE(read.error);
  ASSERT_EQ(read.windows.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(read.windows[i].index, i);
    EXPECT_DOUBLE_EQ(read.windows[i].start_s, 0.1 * static_cast<double>(i));
    EXPECT_EQ(read.windows[i].recorded, i < 2 ? 100u : 50u);
  }
  std::vector<float> expected = counting(250);
  expected.resize(300, 0.0f);
  EXPECT_EQ(read.samples, expected);
  EXPECT_DOUBLE_EQ(stream->duration_s(), 0.25);
}

TEST(WindowStream, HasNoEmptyWindowAtTheEnd) {
  const TemporaryFolder folder;
  for (const std::size_t count : {1u, 99u, 100u, 101u, 200u}) {
    auto stream = WindowStream::open(write(folder, "f.wav", float_wav(counting(count), 1000)),
                                     {.rate = 1000, .samples = 100});
    ASSERT_TRUE(succeeded(stream));
    EXPECT_EQ(stream->windows(), (count + 99) / 100);
    EXPECT_EQ(read_all(*stream, 100).windows.size(), (count + 99) / 100);
    std::vector<float> window(100);
    EXPECT_FALSE(*stream->next(window));  // and none after the last
  }
}

TEST(WindowStream, MixesAndResamplesAsLoadAudioDoes) {
  auto stream = WindowStream::open(golden("vorbis_44100_stereo.ogg"), {.rate = 32000, .samples = 1000});
  ASSERT_TRUE(succeeded(stream));
  EXPECT_EQ(stream->file_format().sample_rate, 44100u);
  EXPECT_EQ(stream->file_format().channels, 2u);
  const Read read = read_all(*stream, 1000);
  auto expected = *load_audio(golden("vorbis_44100_stereo.ogg"));
  EXPECT_DOUBLE_EQ(stream->duration_s(), static_cast<double>(expected.size()) / 32000);
  EXPECT_EQ(stream->windows(), read.windows.size());
  expected.resize(read.samples.size());
  EXPECT_EQ(read.samples, expected);
}

TEST(WindowStream, YieldsTheWholeWindowsBeforeDamage) {
  const TemporaryFolder folder;
  const auto path =
      write(folder, "cut.wav", riff({fmt_chunk({.sample_rate = 1000}), data_chunk(1000, Bytes(450))}));
  auto stream = WindowStream::open(path, {.rate = 1000, .samples = 100});
  ASSERT_TRUE(succeeded(stream));
  const Read read = read_all(*stream, 100);
  EXPECT_EQ(read.windows.size(), 2u);
  ASSERT_TRUE(read.error);
  EXPECT_NE(read.error->message().find("cut short"), std::string::npos);
}

TEST(WindowStream, RefusesRecordingsWithoutASample) {
  const TemporaryFolder folder;
  auto stream = WindowStream::open(write(folder, "empty.wav", wav_file({}, {})));
  ASSERT_TRUE(succeeded(stream));
  std::vector<float> window(160'000);
  EXPECT_TRUE(refused(stream->next(window), ErrorCode::corrupt, {"empty.wav", "without a single sample"}));
  stream = WindowStream::open(write(folder, "two.wav", float_wav(std::vector<float>(2, 0.5f), 192000)));
  ASSERT_TRUE(succeeded(stream));
  EXPECT_TRUE(refused(stream->next(window), ErrorCode::corrupt,
                      {"two.wav", "2 samples at 192000 Hz, less than half a sample at 32000 Hz"}));
}

TEST(WindowStream, RefusesWindowsOfAnotherSize) {
  EXPECT_TRUE(refused(WindowStream::open(golden("pcm16.wav"), {.samples = 0}), ErrorCode::invalid_argument,
                      {"0 samples"}));
  auto stream = WindowStream::open(golden("pcm16.wav"));
  ASSERT_TRUE(succeeded(stream));
  std::vector<float> window(159'999);
  EXPECT_TRUE(refused(stream->next(window), ErrorCode::invalid_argument, {"159999 samples", "160000"}));
}

TEST(WindowStream, PassesOnWhyAFileDoesNotOpen) {
  EXPECT_TRUE(refused(WindowStream::open("/nowhere/f.wav"), ErrorCode::not_found, {"/nowhere/f.wav"}));
  EXPECT_TRUE(refused(WindowStream::open(golden("opus.ogg")), ErrorCode::unsupported, {"Opus"}));
}

/// A figure of this process in KiB, from the kernel; 0 where there is none.
std::size_t status_kib(std::string_view field) {
  std::ifstream status("/proc/self/status");
  for (std::string name; status >> name;) {
    std::size_t value = 0;
    if (name == field && status >> value) return value;
    std::getline(status, name);
  }
  return 0;
}

/// How much the process's resident memory grows at most while all windows of a recording are read, in KiB.
std::size_t growth_kib(const std::filesystem::path& path, double seconds) {
  std::ofstream("/proc/self/clear_refs") << "5";  // forgets the peak
  const std::size_t before = status_kib("VmRSS:");
  auto stream = WindowStream::open(path);
  EXPECT_TRUE(succeeded(stream));
  std::vector<float> window(160'000);
  for (;;) {
    const auto got = stream->next(window);
    EXPECT_TRUE(succeeded(got));
    if (!got || !*got) break;
  }
  EXPECT_NEAR(stream->duration_s(), seconds, 1);
  return status_kib("VmHWM:") - before;
}

class Memory : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream reset("/proc/self/clear_refs");
    if (!(reset << "5" << std::flush) || status_kib("VmHWM:") == 0)
      GTEST_SKIP() << "the system does not tell peaks";
  }
  TemporaryFolder folder_;
};

TEST_F(Memory, DoesNotGrowWithAWav) {
  const auto silence = [this](double seconds) {
    const auto bytes = static_cast<std::uint32_t>(seconds * 48000 * 2);
    const auto path =
        write(folder_, "f.wav", riff({fmt_chunk({.sample_rate = 48000}), data_chunk(bytes, {})}));
    std::filesystem::resize_file(path, 44 + std::uint64_t{bytes});  // a hole reads as zeros
    return growth_kib(path, seconds);
  };
  silence(60);  // the first run pays for what stays
  const std::size_t minute = silence(60), hour = silence(3600);
  EXPECT_LE(hour, minute + 1024) << "KiB, where a minute needs " << minute;
}

TEST_F(Memory, DoesNotGrowWithAnOgg) {
  const auto packets = ogg_packets(bytes_of(golden("vorbis_8000.ogg")));
  const auto info = read_vorbis_identification(packets[0], "");
  ASSERT_TRUE(succeeded(info));
  ASSERT_EQ(info->block_sizes[0], info->block_sizes[1]);  // so that packets may follow in any order
  const auto repeated = [&](double seconds) {
    std::vector<Bytes> pages = {ogg_page({.flags = 2}, std::vector<Bytes>{packets[0]}),
                                ogg_page({.sequence = 1}, {packets[1], packets[2]})};
    const std::size_t count = static_cast<std::size_t>(seconds * 8000 / (info->block_sizes[0] / 2)) + 1;
    std::vector<Bytes> page;
    for (std::size_t i = 0; i < count; ++i) {
      page.push_back(packets[3 + i % (packets.size() - 3)]);
      const bool last = i + 1 == count;
      if (page.size() < 50 && !last) continue;
      pages.push_back(ogg_page({.flags = static_cast<std::uint8_t>(last ? 4 : 0),
                                .granule = static_cast<std::int64_t>(i * info->block_sizes[0] / 2),
                                .sequence = static_cast<std::uint32_t>(pages.size())},
                               page));
      page.clear();
    }
    const auto path = write(folder_, "f.ogg", joined(pages));
    pages = {};
    return growth_kib(path, seconds);
  };
  repeated(60);
  const std::size_t minute = repeated(60), hour = repeated(3600);
  EXPECT_LE(hour, minute + 1024) << "KiB, where a minute needs " << minute;
}

}  // namespace
}  // namespace pantanal::audio
