#include "pantanal/pipeline/oof_base_prior.hpp"

#include "pipeline/golden.hpp"

namespace pantanal::pipeline {
namespace {

TEST(OofBasePrior, AgreesWithTheOracle) {
  for_each_golden([](const Golden& golden) {
    const FusionWeights weights{golden.number("lambda_event"), golden.number("lambda_texture"),
                                golden.number("lambda_proxy_texture"), golden.number("smooth_texture"),
                                golden.number("smooth_event")};
    const auto oof = build_oof_base_prior(golden.array("raw"), golden.meta, golden.folds, golden.labels,
                                          golden.fusion_classes(), weights);
    ASSERT_TRUE(succeeded(oof));
    expect_close(oof->scores, golden.array("oof_base"));
    expect_close(oof->prior, golden.array("oof_prior"));
  });
}

TEST(OofBasePrior, RefusesFoldsThatAreNone) {
  const Golden golden(golden_cases()[0]);
  const Scores raw = golden.array("raw");
  const FusionClasses classes = golden.fusion_classes();
  std::vector<int> folds = golden.folds;
  const auto build = [&] { return build_oof_base_prior(raw, golden.meta, folds, golden.labels, classes); };
  folds[3] += 1;
  EXPECT_TRUE(refused(build(), ErrorCode::invalid_argument, {golden.meta[3].filename, "in two folds"}));
  folds.pop_back();
  EXPECT_TRUE(refused(build(), ErrorCode::mismatch, {"fold ids"}));
}

TEST(OofBasePrior, RefusesAFoldOfEveryLabelledFile) {
  WindowLabels labels;
  const std::vector<WindowMeta> meta = soundscape_windows("BC2026_Train_1_S1_20240131_120000.ogg");
  for (const WindowMeta& window : meta) labels.windows.push_back({window, 0, {}});
  labels.y_sc = MultiHot(12, 1);
  FusionClasses classes;
  classes.n_classes = 1;
  EXPECT_TRUE(refused(build_oof_base_prior(Scores(12, 1), meta, std::vector<int>(12), labels, classes),
                      ErrorCode::invalid_argument, {"no labelled windows"}));
}

}  // namespace
}  // namespace pantanal::pipeline
