#include "pantanal/competition/soundscape.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "core/refused.hpp"
#include "infer/wav_files.hpp"
#include "io/temporary_folder.hpp"

namespace pantanal::competition {
namespace {

void touch(const std::filesystem::path& path) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << "x";
}

TEST(Soundscape, IsFilledUpToAMinuteOrCutOff) {
  const TemporaryFolder folder;
  infer::write_chirp(folder / "short.ogg", 1.5);
  infer::write_chirp(folder / "long.ogg", 61);
  const auto filled = read_soundscape_60s(folder / "short.ogg"),
             cut = read_soundscape_60s(folder / "long.ogg");
  ASSERT_TRUE(succeeded(filled));
  ASSERT_TRUE(succeeded(cut));
  ASSERT_EQ(filled->size(), 60u * 32000u);
  ASSERT_EQ(cut->size(), 60u * 32000u);
  for (std::size_t i = 48000; i < filled->size(); ++i) ASSERT_EQ((*filled)[i], 0.0f);
  EXPECT_NE((*filled)[20000], 0.0f);
  EXPECT_NE((*cut)[59 * 32000 + 777], 0.0f);
}

TEST(Soundscape, RefusesOtherRatesAndFiles) {
  const TemporaryFolder folder;
  write_bytes(folder / "slow.ogg", infer::chirp_wav(0.5, 0, 22050));
  EXPECT_TRUE(refused(read_soundscape_60s(folder / "slow.ogg"), ErrorCode::unsupported,
                      {"slow.ogg", "22050 Hz", "32000 Hz"}));
  touch(folder / "text.ogg");
  EXPECT_TRUE(refused(read_soundscape_60s(folder / "text.ogg"), ErrorCode::unsupported, {"text.ogg"}));
  EXPECT_TRUE(refused(read_soundscape_60s(folder / "none.ogg"), ErrorCode::not_found, {"none.ogg"}));
  infer::write_chirp(folder / "empty.ogg", 0);
  EXPECT_TRUE(
      refused(read_soundscape_60s(folder / "empty.ogg"), ErrorCode::corrupt, {"without a single sample"}));
}

TEST(TestSet, IsTheTestSoundscapesByName) {
  const TemporaryFolder folder;
  for (const char* const name : {"b.ogg", "a.ogg", "c.txt", "B.ogg", "d.OGG", "c.wav", ".e.wav"})
    touch(folder.path() / "test_soundscapes" / name);
  touch(folder.path() / "train_soundscapes/t.ogg");
  const auto set = find_test_set(folder.path(), 20);
  ASSERT_TRUE(succeeded(set));
  EXPECT_FALSE(set->is_dry_run);
  std::vector<std::string> names;
  for (const auto& path : set->paths) names.push_back(path.filename());
  EXPECT_EQ(names, (std::vector<std::string>{"B.ogg", "a.ogg", "b.ogg"}));
  EXPECT_EQ(set->left_out, (std::vector<std::string>{"c.wav", "d.OGG"}));
}

TEST(TestSet, IsTheFirstTrainingSoundscapesWhereThereIsNone) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "test_soundscapes");
  for (const char* const name : {"b.ogg", "a.ogg", "c.ogg"})
    touch(folder.path() / "train_soundscapes" / name);
  const auto set = find_test_set(folder.path(), 2);
  ASSERT_TRUE(succeeded(set));
  EXPECT_TRUE(set->is_dry_run);
  ASSERT_EQ(set->paths.size(), 2u);
  EXPECT_EQ(set->paths[1].filename(), "b.ogg");
}

TEST(TestSet, NeedsASoundscape) {
  const TemporaryFolder folder;
  EXPECT_TRUE(refused(find_test_set(folder.path(), 20), ErrorCode::not_found, {"no .ogg"}));
  EXPECT_TRUE(refused(find_test_set(folder / "nowhere", 20), ErrorCode::not_found));
}

}  // namespace
}  // namespace pantanal::competition
