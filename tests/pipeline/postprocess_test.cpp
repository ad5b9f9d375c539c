#include "pantanal/pipeline/postprocess.hpp"

#include "pipeline/golden.hpp"

namespace pantanal::pipeline {
namespace {

std::vector<float> temperatures_of(const Golden& golden) {
  return class_temperatures(*texture_classes(golden.taxonomy, golden.classes),
                            golden.real("event_temperature"), golden.real("texture_temperature"));
}

PostprocessOptions options_of(const Golden& golden) {
  PostprocessOptions options;
  options.file_level_top_k = static_cast<std::size_t>(golden.number("top_k"));
  options.rank_aware_power = golden.real("power");
  options.delta_shift_alpha = golden.real("alpha");
  return options;
}

TEST(Postprocess, AgreesWithTheOracle) {
  for_each_golden([](const Golden& golden) {
    const Scores thresholds = golden.array("thresholds");
    expect_close(
        postprocess(golden.array("post_0"), temperatures_of(golden), thresholds.row(0), options_of(golden)),
        golden.array("post_5"));
  });
}

TEST(Postprocess, EveryStepCanBeOff) {
  for_each_golden([](const Golden& golden) {
    const std::vector<float> halves(golden.classes.size(), 0.5f);
    PostprocessOptions options = options_of(golden);
    const auto run = [&] {
      return postprocess(golden.array("post_0"), temperatures_of(golden), halves, options);
    };
    expect_close(run(), golden.array("post_4"));
    options.delta_smoothing = DeltaSmoothing::shift;
    options.delta_shift_alpha = golden.real("shift");
    expect_close(run(), golden.array("delta_shift"));
    options.delta_shift_alpha = 0;
    expect_close(run(), golden.array("post_3"));
    options.delta_smoothing = DeltaSmoothing::off;
    options.delta_shift_alpha = 0.2f;
    expect_close(run(), golden.array("post_3"));
    options.rank_aware_scale = false;
    expect_close(run(), golden.array("post_2"));
    options.file_level_top_k = 0;
    expect_close(run(), golden.array("post_1"));
  });
}

TEST(Postprocess, PassesErrorsOn) {
  const std::vector<float> ones(2, 1.0f);
  EXPECT_TRUE(refused(postprocess(Scores(12, 2, NAN), ones, ones), ErrorCode::invalid_argument, {"NaN"}));
  EXPECT_TRUE(refused(postprocess(Scores(13, 2), ones, ones), ErrorCode::mismatch, {"13 windows"}));
}

}  // namespace
}  // namespace pantanal::pipeline
