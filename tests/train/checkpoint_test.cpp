// Checkpoints come back as they were written; those of others are refused.
#include "pantanal/train/checkpoint.hpp"

#include <limits>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"

namespace pantanal::train {
namespace {

TEST(Checkpoint, ComesBackToTheBit) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "c.safetensors";
  Checkpoint c;
  c.arrays = {{"values", {1.5f, -0.0f, 1e-40f}}, {"empty", {}}};
  c.numbers = {{"options", {{"lr", 0.1}}}, {"loss", {0.1 + 0.2, 1e-300}}};
  ASSERT_TRUE(succeeded(save_checkpoint(path, c)));
  const auto back = load_checkpoint(path, c.numbers["options"]);
  ASSERT_TRUE(succeeded(back));
  EXPECT_EQ(back->arrays.size(), 1u) << "the empty one is not kept";
  EXPECT_EQ(back->arrays.at("values"), c.arrays.at("values"));
  EXPECT_TRUE(std::signbit(back->arrays.at("values")[1]));
  EXPECT_EQ(back->numbers, c.numbers);
  EXPECT_EQ(double{back->numbers["loss"][0]}, 0.1 + 0.2);
  EXPECT_TRUE(refused(load_checkpoint(path, {{"lr", 0.2}}), ErrorCode::mismatch, {"0.1", "0.2"}));
  EXPECT_TRUE(refused(load_checkpoint(folder.path() / "none", {}), ErrorCode::not_found));
}

}  // namespace
}  // namespace pantanal::train
