#include "pantanal/audio/soundfile.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "audio/audio_files.hpp"
#include "core/refused.hpp"
#include "pantanal/audio/windows.hpp"

namespace pantanal::audio {
namespace {

/// A file as make_soundfile_answers.py makes it.
Bytes made_by(const std::string& recipe) {
  Bytes bytes;
  std::istringstream words(recipe);
  for (std::string step; words >> step;) {
    if (step == "take") {
      std::string name;
      long begin = 0, end = 0;
      words >> name >> begin >> end;
      const Bytes all = bytes_of(std::filesystem::path(PANTANAL_SOURCE_DIR) / name);
      bytes.insert(bytes.end(), all.begin() + begin, end < 0 ? all.end() : all.begin() + end);
    } else if (step == "junk") {
      std::size_t count = 0;
      words >> count;
      bytes.insert(bytes.end(), count, 0x6a);
    } else {
      std::size_t at = 0;
      std::string hex;
      words >> at >> hex;
      for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes.at(at + i / 2) = static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
  }
  return bytes;
}

/// Root mean square of the first channel in a quarter, as numpy.array_split cuts.
double quarter_rms(const Heard& heard, std::size_t quarter) {
  const std::size_t frames = heard.frames(), longer = frames % 4, size = frames / 4;
  const std::size_t begin = quarter * size + std::min(quarter, longer),
                    end = begin + size + (quarter < longer);
  double sum = 0;
  for (std::size_t t = begin; t < end; ++t) {
    const double x = heard.samples[t * heard.format.channels];
    sum += x * x;
  }
  return std::sqrt(sum / static_cast<double>(end - begin));
}

Heard hear_as_soundfile(const std::filesystem::path& path) {
  const auto source = open_as_soundfile(path);
  if (source) return hear(**source, 4000);
  return {.format = {}, .samples = {}, .error = source.error()};
}

TEST(Soundfile, GivesWhatItGaveInPython) {
  if (!reads_as_soundfile()) GTEST_SKIP() << "built without libsndfile";
  const TemporaryFolder folder;
  std::ifstream answers(golden("soundfile_answers.tsv"));
  int cases = 0;
  for (std::string name, recipe, answer; std::getline(answers, name, '\t') &&
                                         std::getline(answers, recipe, '\t') && std::getline(answers, answer);
       ++cases) {
    SCOPED_TRACE(name);
    const Heard heard = hear_as_soundfile(write(folder, "file", made_by(recipe)));
    if (answer == "error") {
      ASSERT_TRUE(heard.error);
      EXPECT_NE(heard.error->message().find("file: corrupt: found what libsndfile calls '"),
                std::string::npos);
      continue;
    }
    EXPECT_FALSE(heard.error);
    std::istringstream numbers(answer);
    std::size_t frames = 0;
    numbers >> frames;
    ASSERT_EQ(heard.frames(), frames);
    std::size_t quarter = 0;
    for (double rms = 0; numbers >> rms; ++quarter) EXPECT_NEAR(quarter_rms(heard, quarter), rms, 1e-6);
    EXPECT_EQ(quarter, frames < 4 ? 0u : 4u);
  }
  EXPECT_EQ(cases, 18);
}

/// What the option is for: our own rules refuse what soundfile passes over.
TEST(Soundfile, IsAskedForByAnOption) {
  const TemporaryFolder folder;
  Bytes bytes = bytes_of(golden("pcm16_stereo.wav"));
  bytes.resize(201);
  const auto path = write(folder, "cut.wav", bytes);
  std::vector<float> samples(8000);
  const auto ours = WindowStream::open(path, {.rate = 32000, .samples = samples.size()});
  auto theirs =
      WindowStream::open(path, {.rate = 32000, .samples = samples.size(), .soundfile_compat = true});
  if (!reads_as_soundfile()) {
    EXPECT_TRUE(refused(theirs, ErrorCode::unsupported, {"cut.wav", "PANTANAL_WITH_SNDFILE=ON"}));
    return;
  }
  ASSERT_TRUE(succeeded(theirs));
  const auto window = theirs->next(samples);
  ASSERT_TRUE(succeeded(window));
  EXPECT_GT((*window)->recorded, 0u);
  EXPECT_TRUE(
      refused(hear(path).error ? Status(*hear(path).error) : Status(), ErrorCode::corrupt, {"cut short"}));
  EXPECT_TRUE(refused(open_as_soundfile(folder / "absent"), ErrorCode::not_found, {"absent"}));
}

}  // namespace
}  // namespace pantanal::audio
