#include "pantanal/ml/estimator_state.hpp"

#include <fstream>

#include "core/refused.hpp"

namespace pantanal::ml {
namespace {

std::filesystem::path temporary(const char* name) { return std::filesystem::path(testing::TempDir()) / name; }

EstimatorState example() {
  EstimatorState state{.estimator = "Example"};
  state.settings = {{"count", 3u}, {"flag", true}, {"rate", 0.25}};
  state.add("narrow", std::vector<float>{1, 2, 3});
  state.add("wide", std::vector<double>{0.1, 0.2});
  state.add("whole", std::vector<std::int64_t>{-7});
  state.add("empty", std::vector<double>{});
  return state;
}

TEST(EstimatorState, SurvivesAFile) {
  const auto path = temporary("state.safetensors");
  ASSERT_TRUE(succeeded(save_state(example(), path)));
  const auto read = load_state(path);
  ASSERT_TRUE(succeeded(read));
  EXPECT_EQ(read->estimator, "Example");
  EXPECT_EQ(*read->setting<std::size_t>("count"), 3u);
  EXPECT_EQ(*read->setting<bool>("flag"), true);
  EXPECT_EQ(*read->setting<double>("rate"), 0.25);
  EXPECT_EQ(*read->values<float>("narrow"), (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(*read->values<double>("wide"), (std::vector<double>{0.1, 0.2}));
  EXPECT_EQ(*read->values<std::int64_t>("whole"), (std::vector<std::int64_t>{-7}));
  EXPECT_TRUE(read->values<double>("empty")->empty());
}

TEST(EstimatorState, SaysWhatIsMissingOrOfAnotherKind) {
  EstimatorState state = example();
  EXPECT_TRUE(refused(state.values<double>("none"), ErrorCode::mismatch, {"Example.none"}));
  EXPECT_TRUE(refused(state.values<double>("narrow"), ErrorCode::mismatch, {"F32", "F64"}));
  EXPECT_TRUE(refused(state.matrix<double>("wide"), ErrorCode::mismatch, {"[2]", "two extents"}));
  EXPECT_TRUE(refused(state.setting<bool>("count"), ErrorCode::mismatch, {"Example.count"}));
  EXPECT_TRUE(refused(state.setting<std::size_t>("nope"), ErrorCode::mismatch, {"no such setting"}));
  state.add("wide", std::vector<double>{NAN});
  EXPECT_TRUE(refused(state.values<double>("wide"), ErrorCode::invalid_argument, {"Example.wide", "NaN"}));
}

TEST(EstimatorState, RefusesDamageAndOtherFiles) {
  const auto path = temporary("damaged.safetensors");
  ASSERT_TRUE(succeeded(save_state(example(), path)));
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-2, std::ios::end);
    file.put('\x55');
  }
  EXPECT_TRUE(refused(load_state(path), ErrorCode::corrupt, {"checksum"}));
  const auto other = SafetensorsWriter::create(temporary("other.safetensors"), {}, {});
  ASSERT_TRUE(succeeded(other));
  EXPECT_TRUE(refused(load_state(PANTANAL_SOURCE_DIR "/tests/golden/ml/pca.safetensors"), ErrorCode::mismatch,
                      {"pantanal.estimator"}));
  EXPECT_TRUE(refused(check_estimator(example(), "PCA"), ErrorCode::mismatch, {"Example", "PCA"}));
}

}  // namespace
}  // namespace pantanal::ml
