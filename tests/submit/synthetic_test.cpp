// make_synthetic_competition: that its folder is of the competition's schema.
#include <gtest/gtest.h>

#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "competition.hpp"
#include "core/refused.hpp"
#include "io/temporary_folder.hpp"
#include "pantanal/competition/soundscape.hpp"
#include "pantanal/competition/tables.hpp"
#include "pantanal/pipeline/perch_mapping.hpp"
#include "world.hpp"

namespace pantanal::synthetic {
namespace {

std::vector<std::string> perch_labels(std::size_t count) {
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < count; ++i)
    labels.push_back((i % 2 ? "Exemplum n" : "Specimen n") + std::to_string(i));
  return labels;
}

TEST(SyntheticWorld, HasSpeciesOfEveryKind) {
  const World world = make_world(perch_labels(50), 40, 1);
  std::set<std::string> taxa;
  std::size_t sonotypes = 0;
  for (const Species& species : world.species) {
    taxa.insert(species.class_name);
    sonotypes += species.label.find("son") != std::string::npos;
  }
  EXPECT_EQ(taxa.size(), 5u);
  EXPECT_GE(sonotypes, 1u);
}

TEST(SyntheticWorld, HasStructureInSitesAndHours) {
  const World world = make_world(perch_labels(30), 30, 1);
  std::vector<double> heard(world.species.size()), at_home(world.species.size());
  for (std::size_t i = 0; i < 200; ++i) {
    const Recording recording = make_recording(world, "Train", i, 1);
    for (const auto& window : recording.windows)
      for (const std::size_t s : window) {
        heard[s] += 1;
        at_home[s] += world.species[s].at_home[recording.site] > 0.4;
      }
  }
  double sum = 0, home = 0;
  for (std::size_t s = 0; s < heard.size(); ++s) sum += heard[s], home += at_home[s];
  EXPECT_GT(sum, 500);
  EXPECT_GT(home, 0.7 * sum);
}

TEST(SyntheticCompetition, IsOfTheRealSchema) {
  const TemporaryFolder folder;
  const auto labels = perch_labels(12);
  const CompetitionOptions options{.classes = 14, .train = 2, .partial = 1, .test = 1, .threads = 2};
  ASSERT_TRUE(succeeded(make_competition(folder.path(), labels, options)));
  const auto tables = competition::read_competition_tables(folder.path());
  ASSERT_TRUE(succeeded(tables));
  EXPECT_EQ(tables->classes.size(), 14u);
  EXPECT_EQ(tables->labels.full_files.size(), 2u);
  EXPECT_EQ(tables->labels.windows.size(), 27u);
  EXPECT_EQ(read_csv(folder / "train_soundscapes_labels.csv")->size(), 1 + 2 * 27u);  // every row twice
  const auto mapping = pipeline::map_to_perch(tables->taxonomy, tables->classes, labels);
  ASSERT_TRUE(succeeded(mapping));
  EXPECT_EQ(std::ranges::count(mapping->bc_indices, pipeline::PerchMapping::no_label), 3);
  EXPECT_GE(mapping->proxies.size(), 1u);
  for (const auto& file : tables->labels.full_files) {
    EXPECT_TRUE(pipeline::parse_site_hour(file).site) << file;
    const auto samples = competition::read_soundscape_60s(folder.path() / "train_soundscapes" / file);
    ASSERT_TRUE(succeeded(samples));
    EXPECT_GT(*std::ranges::max_element(*samples), 0.02f);
  }
  const TemporaryFolder again;
  ASSERT_TRUE(succeeded(make_competition(again.path(), labels, options)));
  for (const char* const name : {"taxonomy.csv", "train_soundscapes_labels.csv", "sample_submission.csv"})
    EXPECT_EQ(read_bytes(again / name), read_bytes(folder / name)) << name;
  const std::string sound = "train_soundscapes/" + tables->labels.full_files[0];
  EXPECT_EQ(read_bytes(again / sound), read_bytes(folder / sound));
  EXPECT_TRUE(refused(make_competition(folder.path(), labels, options), ErrorCode::invalid_argument,
                      {folder.path().string(), "holds something"}));
}

TEST(SyntheticCompetition, CannotBreakMoreThanThereIs) {
  const TemporaryFolder folder;
  EXPECT_TRUE(refused(make_competition(folder / "new", perch_labels(12), {.test = 1, .broken = 2}),
                      ErrorCode::invalid_argument, {"broken", "2", "1"}));
  EXPECT_FALSE(std::filesystem::exists(folder / "new"));
}

TEST(SyntheticCompetition, EndsWithTwoForACommandLineThatMakesNoSense) {
  const int status = std::system(PANTANAL_MAKE_SYNTHETIC " 2>/dev/null");
  EXPECT_EQ(WEXITSTATUS(status), 2);
}

}  // namespace
}  // namespace pantanal::synthetic
