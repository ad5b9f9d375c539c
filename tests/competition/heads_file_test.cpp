#include "pantanal/competition/heads_file.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "competition/small_heads.hpp"
#include "core/refused.hpp"
#include "io/temporary_folder.hpp"

namespace pantanal::competition {
namespace {

class HeadsFileTest : public ::testing::Test {
 protected:
  static HeadsBundle bundle() { return *small_heads(small_competition(), small_configuration()); }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "heads.safetensors";
};

TEST_F(HeadsFileTest, SavesWhatItLoads) {
  HeadsBundle bundle = HeadsFileTest::bundle();
  bundle.sites.emplace(std::nullopt, 4);
  bundle.mapping.proxies.push_back({5, "Genus", {1, 2}});
  ASSERT_TRUE(succeeded(save_heads(bundle, path_)));
  const auto loaded = load_heads(path_);
  ASSERT_TRUE(succeeded(loaded));
  EXPECT_EQ(loaded->sites, bundle.sites);
  EXPECT_EQ(loaded->mapping.bc_indices, bundle.mapping.bc_indices);
  EXPECT_EQ(loaded->thresholds, bundle.thresholds);
  EXPECT_EQ(loaded->priors.site_hour.size(), bundle.priors.site_hour.size());
  EXPECT_EQ(loaded->probes.probes.size(), bundle.probes.probes.size());
  EXPECT_EQ(loaded->temperatures(), bundle.temperatures());
  ASSERT_TRUE(succeeded(save_heads(*loaded, folder_ / "again")));
  EXPECT_EQ(read_bytes(folder_ / "again"), read_bytes(path_));  // so nothing is lost
}

/// tests/fuzz/corpus/heads is what fuzzing starts from; PANTANAL_WRITE_CORPUS=1 makes it anew.
TEST_F(HeadsFileTest, LoadsWhatIsFuzzed) {
  const std::filesystem::path corpus =
      std::filesystem::path(PANTANAL_SOURCE_DIR) / "tests/fuzz/corpus/heads/small.safetensors";
  if (std::getenv("PANTANAL_WRITE_CORPUS")) {
    ASSERT_TRUE(succeeded(save_heads(bundle(), corpus)));
  }
  EXPECT_TRUE(succeeded(load_heads(corpus)));
}

TEST_F(HeadsFileTest, KeepsProbesOfEitherKind) {
  Configuration configuration = small_configuration();
  configuration.probe.backend = ProbeBackend::logreg;
  configuration.residual_ssm.enabled = false;
  const auto logreg = small_heads(small_competition(), configuration);
  ASSERT_TRUE(succeeded(logreg));
  ASSERT_TRUE(succeeded(save_heads(*logreg, path_)));
  const auto loaded = load_heads(path_);
  ASSERT_TRUE(succeeded(loaded));
  EXPECT_TRUE(std::holds_alternative<ml::LogisticRegression>(loaded->probes.probes.at(0).model));
  EXPECT_FALSE(loaded->residual);
}

TEST_F(HeadsFileTest, KeepsBoostedProbes) {
  if (!ml::have_lightgbm) GTEST_SKIP() << "this build has no LightGBM";
  Configuration configuration = small_configuration();
  configuration.probe.backend = ProbeBackend::lgbm;
  configuration.residual_ssm.enabled = false;
  const auto boosted = small_heads(small_competition(), configuration);
  ASSERT_TRUE(succeeded(boosted));
  ASSERT_TRUE(succeeded(save_heads(*boosted, path_)));
  const auto loaded = load_heads(path_);
  ASSERT_TRUE(succeeded(loaded));
  const auto* const probe = std::get_if<ml::LgbmClassifier>(&loaded->probes.probes.at(0).model);
  ASSERT_TRUE(probe);
  ASSERT_TRUE(succeeded(save_heads(*loaded, folder_ / "again")));
  EXPECT_EQ(read_bytes(folder_ / "again"), read_bytes(path_));
}

TEST_F(HeadsFileTest, RefusesNumbersThatAreNone) {
  HeadsBundle bundle = HeadsFileTest::bundle();
  bundle.thresholds[1] = std::numeric_limits<float>::quiet_NaN();
  ASSERT_TRUE(succeeded(save_heads(bundle, path_)));
  EXPECT_TRUE(refused(load_heads(path_), ErrorCode::mismatch, {"thresholds", "NaN"}));
  bundle = HeadsFileTest::bundle();
  Tensor& bias = bundle.proto.at("class_bias");
  bias = make_tensor(bias.shape, std::vector<float>(6, std::numeric_limits<float>::infinity()));
  ASSERT_TRUE(succeeded(save_heads(bundle, path_)));
  EXPECT_FALSE(load_heads(path_));
}

TEST_F(HeadsFileTest, RefusesPartsThatDoNotFit) {
  HeadsBundle bundle = HeadsFileTest::bundle();
  bundle.texture.pop_back();
  ASSERT_TRUE(succeeded(save_heads(bundle, path_)));
  EXPECT_FALSE(load_heads(path_));
  bundle = HeadsFileTest::bundle();
  bundle.configuration.proto_ssm.d_model = 32;
  ASSERT_TRUE(succeeded(save_heads(bundle, path_)));
  EXPECT_TRUE(refused(load_heads(path_), ErrorCode::mismatch, {"heads.safetensors"}));
}

TEST_F(HeadsFileTest, RefusesDamage) {
  ASSERT_TRUE(succeeded(save_heads(bundle(), path_)));
  const std::string whole = read_bytes(path_);
  std::string bytes = whole;
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  std::ofstream(path_, std::ios::binary) << bytes;
  EXPECT_FALSE(load_heads(path_));
  for (const std::size_t size : {std::size_t{0}, std::size_t{7}, whole.size() / 3, whole.size() - 1}) {
    std::ofstream(path_, std::ios::binary) << whole.substr(0, size);
    EXPECT_FALSE(load_heads(path_)) << size;
  }
}

TEST(LabelsCrc, TellsLabelsApart) {
  const std::vector<std::string> a{"x", "yz"}, b{"xy", "z"};
  EXPECT_NE(labels_crc(a), labels_crc(b));
  EXPECT_EQ(labels_crc(a), labels_crc(a));
}

}  // namespace
}  // namespace pantanal::competition
