#include "pantanal/competition/configuration_json.hpp"

#include <gtest/gtest.h>

#include "core/refused.hpp"
#include "pantanal/ml/lgbm_classifier.hpp"

namespace pantanal::competition {
namespace {

Result<Configuration> parse(const char* text) {
  auto json = parse_json(text, "c.json");
  if (!json) return json.error();
  return parse_configuration(*std::move(json), "c.json");
}

TEST(Configuration, DefaultsAreThePublishedRuns) {
  const auto c = parse("{}");
  ASSERT_TRUE(succeeded(c));
  EXPECT_EQ(c->proto_ssm.d_model, 320u);
  EXPECT_EQ(c->proto_ssm_train.n_epochs, 80u);
  EXPECT_EQ(c->residual_ssm.n_epochs, 40u);
  EXPECT_EQ(c->tta_shifts, (std::vector<int>{0, 1, -1, 2, -2}));
  EXPECT_EQ(c->postprocess.file_level_top_k, 2u);
  EXPECT_EQ(c->study.ensemble_probes, EnsembleProbes::own_rows);
  EXPECT_EQ(configuration_json(*c), configuration_json(*preset("v5-run")));
}

TEST(Configuration, PresetsDifferAsTheSpecificationSays) {
  const Configuration cell = *preset("v5-cfg"), card = *preset("v5-card"), mended = *preset("recommended");
  EXPECT_EQ(cell.proto_ssm.n_ssm_layers, 3u);
  EXPECT_EQ(cell.postprocess.rank_aware_power, 0.0f);
  EXPECT_EQ(cell.tta_shifts.size(), 3u);
  EXPECT_EQ(card.proto_ssm.d_model, 320u);
  EXPECT_EQ(card.proto_ssm.n_ssm_layers, 4u);
  EXPECT_EQ(card.proto_ssm.n_prototypes, 2u);
  EXPECT_EQ(card.residual_ssm.n_ssm_layers, 2u);
  EXPECT_EQ(card.proto_ssm_train.scheduler, Scheduler::cosine_restarts);
  EXPECT_EQ(card.proto_ssm_train.loss, LossMethod::species_focal);
  EXPECT_EQ(mended.study.threshold_scores, ThresholdScores::probabilities);
  EXPECT_FALSE(mended.mlp.early_stopping);
  for (const auto name : preset_names) EXPECT_TRUE(succeeded(validate(*preset(name)))) << name;
  EXPECT_FALSE(preset("v6"));
}

TEST(Configuration, ReadsBackWhatItWrites) {
  for (const auto name : preset_names) {
    Configuration c = *preset(name);
    c.mapping.synonyms["Old name"] = "New name";
    c.postprocess.delta_smoothing = pipeline::DeltaSmoothing::shift;
    c.proxy_reduce = pipeline::ProxyReduce::mean;
    const auto json = configuration_json(c);
    const auto read = parse_configuration(nlohmann::json(json), "c");
    ASSERT_TRUE(succeeded(read));
    EXPECT_EQ(configuration_json(*read), json) << name;
    EXPECT_EQ(read->mlp.hidden_layer_sizes, c.mlp.hidden_layer_sizes);
    EXPECT_EQ(read->study.threshold_grid, c.study.threshold_grid);
  }
}

TEST(Configuration, KeysReplaceThePresets) {
  const auto c = parse(
      R"({"preset": "v5-cfg", "proto_ssm": {"d_model": 64}, "probe": {"backend": "logreg", "balance": "copies_after_split"},
                           "mlp": {"validation_score": "log_loss"},
                           "proto_ssm_train": {"mixing": "mixup_cutmix", "loss": "species_focal"}})");
  ASSERT_TRUE(succeeded(c));
  EXPECT_EQ(c->proto_ssm.d_model, 64u);
  EXPECT_EQ(c->proto_ssm.n_ssm_layers, 3u);
  EXPECT_EQ(c->probe.backend, ProbeBackend::logreg);
  EXPECT_EQ(c->probe.balance, Balance::copies_after_split);
  EXPECT_EQ(c->mlp.validation_score, ValidationScore::log_loss);
  EXPECT_EQ(c->proto_ssm_train.mixing, MixingMethod::mixup_cutmix);
  EXPECT_EQ(c->proto_ssm_train.loss, LossMethod::species_focal);
}

TEST(Configuration, RefusesWhatItDoesNotKnow) {
  using enum ErrorCode;
  EXPECT_TRUE(refused(parse(R"({"proto_smm": {}})"), invalid_argument,
                      {"c.json.proto_smm", "unknown key", "proto_ssm"}));
  EXPECT_TRUE(refused(parse(R"({"mlp": {"layers": 3}})"), invalid_argument,
                      {"c.json.mlp.layers", "hidden_layer_sizes"}));
  EXPECT_TRUE(
      refused(parse(R"({"study": {"probe_grid": [{"dim": 3}]}})"), invalid_argument, {"probe_grid[0].dim"}));
  EXPECT_TRUE(refused(parse(R"({"preset": "v6"})"), invalid_argument, {"v6", "recommended"}));
  EXPECT_TRUE(refused(parse("[]"), invalid_argument, {"array", "object"}));
}

TEST(Configuration, RefusesValuesOfOtherTypesOrRanges) {
  using enum ErrorCode;
  EXPECT_TRUE(refused(parse(R"({"probe": {"pca_dim": -1}})"), invalid_argument, {"probe.pca_dim", "-1"}));
  EXPECT_TRUE(refused(parse(R"({"probe": {"pca_dim": 1.5}})"), invalid_argument, {"1.5", "integer"}));
  EXPECT_TRUE(refused(parse(R"({"probe": {"alpha": "x"}})"), invalid_argument, {"alpha", "a number"}));
  EXPECT_TRUE(
      refused(parse(R"({"probe": {"backend": "svm"}})"), invalid_argument, {"svm", "mlp, logreg, lgbm"}));
  EXPECT_TRUE(refused(parse(R"({"ensemble_weight": 1.5})"), invalid_argument, {"ensemble_weight"}));
  EXPECT_TRUE(refused(parse(R"({"tta_shifts": []})"), invalid_argument, {"tta_shifts"}));
  EXPECT_TRUE(
      refused(parse(R"({"study": {"threshold_grid": [0.5, 2]}})"), invalid_argument, {"threshold_grid"}));
}

TEST(Configuration, TakesBoostedProbesWhereTheBuildHasThem) {
  const auto c = parse(R"({"probe": {"backend": "lgbm"}, "lgbm": {"max_depth": 3, "num_leaves": 8}})");
  if (!ml::have_lightgbm) {
    EXPECT_TRUE(refused(c, ErrorCode::unsupported, {"probe.backend", "lgbm", "PANTANAL_LIGHTGBM=ON"}));
    return;
  }
  ASSERT_TRUE(succeeded(c));
  EXPECT_EQ(c->probe.backend, ProbeBackend::lgbm);
  EXPECT_EQ(c->lgbm.max_depth, 3);
  EXPECT_EQ(c->lgbm.num_leaves, 8u);
}

}  // namespace
}  // namespace pantanal::competition
