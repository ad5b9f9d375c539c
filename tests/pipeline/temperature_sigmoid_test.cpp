#include "pantanal/pipeline/temperature_sigmoid.hpp"

#include "pipeline/golden.hpp"

namespace pantanal::pipeline {
namespace {

TEST(TemperatureSigmoid, AgreesWithTheOracle) {
  for_each_golden([](const Golden& golden) {
    const auto temperatures =
        class_temperatures(*texture_classes(golden.taxonomy, golden.classes),
                           golden.real("event_temperature"), golden.real("texture_temperature"));
    expect_close(temperature_sigmoid(golden.array("post_0"), temperatures), golden.array("post_1"));
  });
}

TEST(TemperatureSigmoid, EveryClassButTexturesIsAnEvent) {
  EXPECT_EQ(class_temperatures({true, false}), (std::vector<float>{0.95f, 1.10f}));
}

TEST(TemperatureSigmoid, IsFiniteForAnyLogit) {
  EXPECT_FLOAT_EQ(sigmoid(-3e38f), sigmoid(-30));
  EXPECT_GT(sigmoid(-3e38f), 0);
  EXPECT_EQ(sigmoid(3e38f), 1);
  EXPECT_EQ(sigmoid(0), 0.5f);
}

TEST(TemperatureSigmoid, RefusesBadInput) {
  for (const float bad : {0.0f, -1.0f, NAN, INFINITY})
    EXPECT_TRUE(refused(temperature_sigmoid(Scores(1, 1), std::vector{bad}), ErrorCode::invalid_argument,
                        {"temperature"}));
  EXPECT_TRUE(refused(temperature_sigmoid(Scores(1, 2), std::vector{1.0f}), ErrorCode::mismatch));
  EXPECT_TRUE(
      refused(temperature_sigmoid(Scores(1, 1, NAN), std::vector{1.0f}), ErrorCode::invalid_argument));
}

}  // namespace
}  // namespace pantanal::pipeline
