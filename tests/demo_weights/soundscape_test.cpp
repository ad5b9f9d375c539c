// The demo's soundscapes: the same for the same seed, with the calls that they say they have.
#include "soundscape.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include "io/temporary_folder.hpp"
#include "planted.hpp"
#include "species.hpp"

namespace pantanal::demo {
namespace {

TEST(Soundscape, IsTheSameForTheSameSeed) {
  const Soundscape a = synthesise_soundscape(1), b = synthesise_soundscape(1), c = synthesise_soundscape(2);
  EXPECT_EQ(a.samples.size(), windows_per_soundscape * window_samples);
  EXPECT_TRUE(a.samples == b.samples);
  EXPECT_FALSE(a.samples == c.samples);
  EXPECT_EQ(window_labels(a.calls), window_labels(b.calls));
}

TEST(Soundscape, HasItsCalls) {
  std::set<std::size_t> heard;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const Soundscape scape = synthesise_soundscape(seed);
    EXPECT_GE(scape.calls.size(), 10u);
    for (const Call& call : scape.calls) {
      heard.insert(call.species);
      EXPECT_GE(call.start_s, 0);
      EXPECT_LE(call.end_s, 60);
      EXPECT_LT(call.start_s, call.end_s);
    }
    for (const float x : scape.samples) ASSERT_TRUE(std::abs(x) <= 1);
  }
  EXPECT_GT(heard.size(), 12u);
}

/// Every call is of about the level that it is planted at.
TEST(Species, AreAboutAsLoudAsEachOther) {
  for (std::size_t k = 0; k < all_species().size(); ++k) {
    Random random({.seed = k});
    float peak = 0;
    for (const float x : synthesise_call(all_species()[k], random)) peak = std::max(peak, std::abs(x));
    EXPECT_GT(peak, 0.4f) << all_species()[k].name;
    EXPECT_LT(peak, 3.0f) << all_species()[k].name;
  }
}

TEST(WindowLabels, TakeWhatIsInTheWindow) {
  const std::vector<Call> calls = {{3, 4.0, 6.0, 1}, {5, 9.9, 10.9, 1}, {7, 14.96, 15.06, 1}};
  const std::vector<float> labels = window_labels(calls);
  const auto label = [&](std::size_t window, std::size_t species) { return labels[window * 16 + species]; };
  EXPECT_EQ(label(0, 3), 1) << "a second of it";
  EXPECT_EQ(label(1, 3), 1);
  EXPECT_EQ(label(1, 5), 0) << "a tenth of a second";
  EXPECT_EQ(label(2, 5), 1);
  EXPECT_EQ(label(3, 7), 1) << "more than half of a short call";
  EXPECT_EQ(label(2, 7), 0);
}

TEST(Planted, AreReadAsWritten) {
  const TemporaryFolder folder;
  const std::vector<Call> calls = synthesise_soundscape(3).calls;
  ASSERT_TRUE(write_planted(calls, folder / "planted.tsv"));
  const auto read = read_planted(folder / "planted.tsv");
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    EXPECT_EQ((*read)[i].species, calls[i].species);
    EXPECT_NEAR((*read)[i].start_s, calls[i].start_s, 0.006);
  }
  std::ofstream(folder / "bad.tsv") << "start_s\tend_s\tlevel\tspecies\n1\t2\t0.1\tDodo\n";
  EXPECT_FALSE(read_planted(folder / "bad.tsv"));
  EXPECT_FALSE(read_planted(folder / "none.tsv"));
}

}  // namespace
}  // namespace pantanal::demo
