// From tables, heads and Perch's outputs to a submission, against flow_oracle's NumPy, PyTorch and
// scikit-learn (tools/fixtures/make_flow_golden.py), step by step and for every preset.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "core/refused.hpp"
#include "pantanal/competition/heads_file.hpp"
#include "pantanal/competition/heads_session.hpp"
#include "pantanal/competition/perch_cache.hpp"
#include "pantanal/competition/tables.hpp"

namespace pantanal::competition {
namespace {

std::filesystem::path flow_folder() {
  return std::filesystem::path(PANTANAL_SOURCE_DIR) / "tests" / "golden" / "flow";
}

std::vector<std::string> flow_labels() {
  const auto rows = read_csv(flow_folder() / "perch_labels.csv");
  EXPECT_TRUE(succeeded(rows));
  std::vector<std::string> labels;
  for (std::size_t i = 1; i < rows->size(); ++i) labels.push_back((*rows)[i].fields[0]);
  return labels;
}

/// The largest difference, absolute or relative to the expected value, whichever is less.
double distance(const pipeline::Scores& found, const output::FloatArray& expected) {
  if (found.values.size() != expected.values.size()) return INFINITY;
  double worst = 0;
  for (std::size_t i = 0; i < found.values.size(); ++i) {
    const double e = double{expected.values[i]}, off = std::abs(double{found.values[i]} - e);
    worst = std::max(worst, std::isfinite(off) ? off / std::max(1.0, std::abs(e)) : INFINITY);
  }
  return worst;
}

class Flow : public ::testing::TestWithParam<const char*> {
 protected:
  std::string preset() const { return GetParam(); }
  HeadsBundle heads() const {
    auto loaded = load_heads(flow_folder() / (preset() + ".safetensors"));
    EXPECT_TRUE(succeeded(loaded));
    return *std::move(loaded);
  }
};

TEST_P(Flow, EveryStepIsTheOracles) {
  const auto bundle = std::make_shared<const HeadsBundle>(heads());
  const auto perch = read_perch_cache(flow_folder() / "cache", bundle->classes.size());
  ASSERT_TRUE(succeeded(perch));
  auto session = HeadsSession::create(bundle, 2);
  ASSERT_TRUE(succeeded(session));
  std::map<std::string, pipeline::Scores> steps;
  Pace spent;
  const auto rows = session->predict(
      *perch, Effort::full, spent,
      [&](std::string_view name, const pipeline::Scores& scores) { steps.emplace(name, scores); });
  ASSERT_TRUE(succeeded(rows));
  const auto expected = output::NpzFile::open(flow_folder() / (preset() + ".steps.npz"));
  ASSERT_TRUE(succeeded(expected));
  for (const char* const name : {"prior", "base", "probes", "proto", "first_pass", "correction", "final",
                                 "sigmoid", "delta_smooth", "probabilities"})
    ASSERT_TRUE(steps.contains(name)) << name;
  EXPECT_EQ(steps.contains("file_level"), bundle->configuration.postprocess.file_level_top_k > 0);
  for (const auto& [name, scores] : steps) {
    const auto array = expected->floats(name);
    ASSERT_TRUE(succeeded(array)) << name;
    EXPECT_LE(distance(scores, *array), 1e-5) << preset() << ": " << name;
  }
  EXPECT_EQ(rows->values, steps.at("probabilities").values);
}

/// What the heads hold of the tables is what the tables say.
TEST_P(Flow, HeadsFollowFromTheTables) {
  const HeadsBundle b = heads();
  const auto tables = read_competition_tables(flow_folder());
  ASSERT_TRUE(succeeded(tables));
  EXPECT_EQ(b.classes, tables->classes);
  EXPECT_EQ(b.texture, tables->texture);
  EXPECT_EQ(b.active, pipeline::active_classes(tables->labels.y_sc));
  const auto mapping =
      pipeline::map_to_perch(tables->taxonomy, tables->classes, flow_labels(), b.configuration.mapping);
  ASSERT_TRUE(succeeded(mapping));
  EXPECT_EQ(b.mapping.bc_indices, mapping->bc_indices);
  ASSERT_EQ(b.mapping.proxies.size(), mapping->proxies.size());
  EXPECT_FALSE(mapping->proxies.empty());
  for (std::size_t i = 0; i < mapping->proxies.size(); ++i)
    EXPECT_EQ(b.mapping.proxies[i].bc_indices, mapping->proxies[i].bc_indices);
  const auto priors = tables->fit_priors();
  ASSERT_TRUE(succeeded(priors));
  EXPECT_EQ(b.priors.global_p, priors->global_p);
  ASSERT_EQ(b.priors.site_hour.size(), priors->site_hour.size());
  for (const auto& [key, prior] : priors->site_hour) EXPECT_EQ(b.priors.site_hour.at(key).p, prior.p);
}

INSTANTIATE_TEST_SUITE_P(Presets, Flow, ::testing::Values("v5-run", "v5-cfg", "v5-card", "recommended"));

TEST(FlowPresets, DifferInWhatTheyClaim) {
  const auto open = [](const char* name) {
    return *load_heads(flow_folder() / (std::string(name) + ".safetensors"));
  };
  const HeadsBundle card = open("v5-card"), cfg = open("v5-cfg");
  EXPECT_EQ(card.proto_config.n_prototypes, 2u);
  ASSERT_TRUE(card.residual);
  EXPECT_EQ(card.residual->config.n_ssm_layers, 2u);
  EXPECT_EQ(card.configuration.tta_shifts.size(), 5u);
  EXPECT_EQ(cfg.configuration.tta_shifts.size(), 3u);
  EXPECT_EQ(cfg.proto_config.n_ssm_layers, 3u);
}

}  // namespace
}  // namespace pantanal::competition
