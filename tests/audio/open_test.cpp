#include "pantanal/audio/open.hpp"

#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <random>
#include <set>

#include "audio/audio_files.hpp"
#include "core/refused.hpp"

#if defined(PANTANAL_HAVE_SNDFILE)
#include <sndfile.h>
#endif

namespace pantanal::audio {
std::atomic<std::size_t> live_bytes{0}, peak_bytes{0};
}  // namespace pantanal::audio

namespace {
using pantanal::audio::live_bytes, pantanal::audio::peak_bytes;

void* counted(std::size_t size) {
  void* const memory = std::malloc(size ? size : 1);
  if (!memory) throw std::bad_alloc();
  const std::size_t live = live_bytes += ::malloc_usable_size(memory);
  std::size_t peak = peak_bytes;
  while (live > peak && !peak_bytes.compare_exchange_weak(peak, live)) {
  }
  return memory;
}

void uncounted(void* memory) {
  live_bytes -= ::malloc_usable_size(memory);
  std::free(memory);
}
}  // namespace

// The whole test program allocates through these.
void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* memory) noexcept { uncounted(memory); }
void operator delete[](void* memory) noexcept { uncounted(memory); }
void operator delete(void* memory, std::size_t) noexcept { uncounted(memory); }
void operator delete[](void* memory, std::size_t) noexcept { uncounted(memory); }

namespace pantanal::audio {
namespace {

TEST(OpenAudio, GoesByContentNotByName) {
  const TemporaryFolder folder;
  EXPECT_TRUE(succeeded(open_audio(write(folder, "a.ogg", bytes_of(golden("pcm16.wav"))))));
  EXPECT_TRUE(succeeded(open_audio(write(folder, "b.txt", bytes_of(golden("vorbis_8000.ogg"))))));
}

TEST(OpenAudio, NamesWhatItCannotRead) {
  using namespace std::string_view_literals;
  const TemporaryFolder folder;
  const std::pair<std::string_view, std::string_view> files[] = {{"\xff\xf1\x50\x80"sv, "AAC"},
                                                                 {"FORM\0\0\1\0AIFF"sv, "AIFF"},
                                                                 {"RIFX\0\0\1\0WAVE"sv, "big-endian WAV"},
                                                                 {"riff\x2e\x91\xcf\x11\xa5"sv, "Wave64"},
                                                                 {"caff\0\1"sv, "Core Audio"},
                                                                 {"\0\0\0\x20"
                                                                  "ftypM4A "sv,
                                                                  "MP4"},
                                                                 {"wvpk"sv, "WavPack"},
                                                                 {"\x1a\x45\xdf\xa3"sv, "Matroska"},
                                                                 {"hello, this is text"sv, "unknown type"},
                                                                 {"R"sv, "unknown type"}};
  for (const auto& [bytes, name] : files)
    EXPECT_TRUE(refused(open_audio(write(folder, "f.bin", Bytes(bytes.begin(), bytes.end()))),
                        ErrorCode::unsupported, {"f.bin", name, "WAV", "Ogg Vorbis"}));
  EXPECT_TRUE(refused(open_audio(write(folder, "f.bin", {})), ErrorCode::corrupt, {"an empty file"}));
  EXPECT_TRUE(refused(open_audio(folder / "absent.wav"), ErrorCode::not_found, {"absent.wav"}));
  EXPECT_TRUE(refused(open_audio(folder.path()), ErrorCode::invalid_argument, {"a folder"}));
}

/// Changes files in the ways in which files get damaged, and in ways that somebody means to do damage with.
class Damage {
 public:
  explicit Damage(std::uint32_t seed) : random_(seed) {}

  Bytes of(Bytes bytes) {
    const bool is_ogg = bytes[0] == 'O';
    for (std::uint32_t left = 1 + below(4); left > 0 && bytes.size() > 16; --left) change(bytes);
    if (is_ogg && below(8) != 0) repair(bytes);  // or else nothing behind the checksum is ever reached
    return bytes;
  }

 private:
  std::uint32_t below(std::size_t n) { return static_cast<std::uint32_t>(random_() % n); }

  void change(Bytes& bytes) {
    constexpr std::uint8_t edges[] = {0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff};
    // Headers are what matters most.
    const std::size_t at = below(below(2) ? bytes.size() : std::min<std::size_t>(bytes.size(), 120));
    const auto there = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    const auto further = there + below(std::min<std::size_t>(bytes.size() - at, 300));
    switch (below(9)) {
      case 0:
      case 1:
      case 2:
        *there = static_cast<std::uint8_t>(*there ^ 1u << below(8));
        break;
      case 3:
        *there = static_cast<std::uint8_t>(random_());
        break;
      case 4:
        std::fill(there, there + below(std::min<std::size_t>(bytes.size() - at, 9)), edges[below(6)]);
        break;
      case 5:
        bytes.erase(there, further);
        break;
      case 6:
        bytes.insert(there, 1 + below(20), edges[below(6)]);
        break;
      case 7: {
        const Bytes piece(there, further);
        bytes.insert(bytes.begin() + below(bytes.size()), piece.begin(), piece.end());
        break;
      }
      default:
        bytes.resize(std::max<std::size_t>(16, at));
    }
  }

  static void repair(Bytes& bytes) {
    std::span<std::uint8_t> rest(bytes);
    while (!rest.empty()) {
      const std::size_t length = ogg_page_length(rest);
      if (length > 0) repair_checksum(rest.first(length));
      rest = rest.subspan(std::max<std::size_t>(1, length));
    }
  }

  std::mt19937 random_;
};

class DamagedFile : public ::testing::TestWithParam<const char*> {};

/// Reads a file to its end, keeping nothing. The error that it ends with, if any.
std::optional<Error> read_through(const std::filesystem::path& path, std::span<float> frames) {
  const auto source = open_audio(path);
  if (!source) return source.error();
  for (;;) {
    const auto count = (*source)->read(frames);
    if (!count) return count.error();
    if (*count == 0) return std::nullopt;
    for (const float x : frames.first(*count * (*source)->format().channels))
      EXPECT_LE(std::fabs(x), largest_sample);  // and it is a number
  }
}

TEST_P(DamagedFile, IsDecodedOrRefusedInBoundedMemory) {
  const TemporaryFolder folder;
  const Bytes whole = bytes_of(golden(GetParam()));
  constexpr std::size_t most_bytes = 16 << 20;  // half of it the decoder's arena
  Damage damage(1);
  std::vector<float> frames(4096);
  int sound = 0, refusals = 0;
  for (int i = 0; i < 600; ++i) {
    const auto path = write(folder, "f", damage.of(whole));
    const std::size_t before = live_bytes;
    peak_bytes = before;
    const std::optional<Error> error = read_through(path, frames);
    EXPECT_LT(peak_bytes - before, most_bytes) << i;
    if (error) {
      EXPECT_EQ(error->where, path.string()) << i;
    }
    (error ? refusals : sound) += 1;
  }
  EXPECT_GT(sound, 10);
  EXPECT_GT(refusals, 100);
}

TEST_P(DamagedFile, CutAnywhereIsAPrefixAndAnError) {
  const TemporaryFolder folder;
  const Bytes whole = bytes_of(golden(GetParam()));
  const Heard sound = hear(golden(GetParam()));
  ASSERT_FALSE(sound.error);
  for (std::size_t length = 0; length < whole.size(); length += 1 + length / 40) {
    const Heard cut = hear(write(folder, "f", std::span(whole).first(length)));
    if (!cut.error) {
      EXPECT_EQ(cut.samples, sound.samples) << length;  // what follows the data of a WAV may go
    }
    ASSERT_LE(cut.samples.size(), sound.samples.size());
    for (std::size_t i = 0; i < cut.samples.size(); ++i)
      ASSERT_EQ(cut.samples[i], sound.samples[i]) << length;
  }
}

INSTANTIATE_TEST_SUITE_P(All, DamagedFile,
                         ::testing::Values("pcm16_stereo.wav", "pcm24.wav", "extensible_float32.wav",
                                           "float64.wav", "rf64.wav", "chunks.wav", "vorbis_8000.ogg",
                                           "vorbis_22050_stereo.ogg", "vorbis_short.ogg", "late_start.ogg"),
                         [](const auto& instance) {
                           const std::string name = instance.param;
                           return name.substr(0, name.find('.'));
                         });

#if defined(PANTANAL_HAVE_SNDFILE)
/// Reads a file with libsndfile beside ours. The largest difference, or what is wrong.
void expect_as_libsndfile(const std::filesystem::path& path) {
  SCOPED_TRACE(path.string());
  auto source = open_audio(path);
  ASSERT_TRUE(succeeded(source));
  const Format& format = (*source)->format();
  SF_INFO info = {};
  SNDFILE* const other = sf_open(path.c_str(), SFM_READ, &info);
  ASSERT_NE(other, nullptr) << sf_strerror(nullptr);
  EXPECT_EQ(format.sample_rate, static_cast<std::uint32_t>(info.samplerate));
  ASSERT_EQ(format.channels, static_cast<std::uint32_t>(info.channels));
  EXPECT_EQ(format.frames, static_cast<std::uint64_t>(info.frames));
  std::vector<float> ours(8192 * std::size_t{format.channels}), theirs(ours.size());
  double worst = 0;
  for (;;) {
    const auto count = (*source)->read(ours);
    const sf_count_t other_count = sf_readf_float(other, theirs.data(), 8192);
    ASSERT_TRUE(succeeded(count));
    ASSERT_EQ(static_cast<sf_count_t>(*count), other_count);
    if (other_count == 0) break;
    for (std::size_t i = 0; i < *count * format.channels; ++i)
      worst = std::max(worst, std::fabs(static_cast<double>(ours[i]) - static_cast<double>(theirs[i])));
  }
  sf_close(other);
  EXPECT_LE(worst, 1e-4);
  char figure[32];
  std::snprintf(figure, sizeof figure, "%.2e", worst);
  ::testing::Test::RecordProperty(path.filename().string(), figure);
}

TEST(OpenAudio, AgreesWithLibsndfileOnOtherPeoplesRecordings) {
  const std::filesystem::path folder = std::filesystem::path(PANTANAL_SOURCE_DIR) / "../shared/data/audio";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is absent";
  const std::set<std::string> broken = {"opso_empty_2c.wav"};
  std::size_t decoded = 0, refusals = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string(), type = entry.path().extension().string();
    const bool is_readable = type == ".wav" || type == ".ogg" || (type == ".flac" && reads_flac()) ||
                             (type == ".mp3" && reads_mp3());
    if (is_readable && !broken.contains(name)) {
      expect_as_libsndfile(entry.path());
      ++decoded;
    } else {
      auto source = open_audio(entry.path());
      const Error error = source ? hear(**source).error.value_or(Error{}) : source.error();
      EXPECT_TRUE(refused(Status(error), broken.contains(name) ? ErrorCode::corrupt : ErrorCode::unsupported,
                          {name}));
      ++refusals;
    }
  }
  EXPECT_GE(decoded, 8u);
  EXPECT_GE(decoded + refusals, 14u);
}
#endif

}  // namespace
}  // namespace pantanal::audio
