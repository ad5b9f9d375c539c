#include "pantanal/perch/packed_purpose.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"
#include "kernels/guarded.hpp"
#include "pantanal/perch/model_file.hpp"
#include "perch/random_model.hpp"

namespace pantanal::perch {
namespace {

TEST(PackedPurpose, ChangesWithAllThatPackedWeightsDependOn) {
  const Model model = fixtures::random_model(fixtures::smallest_architecture(), 1);
  std::set<std::string> all;
  std::size_t count = 0;
  for (const Model& some : {model, with_dtype(model, Dtype::bf16), with_dtype(model, Dtype::i8),
                            fixtures::random_model(fixtures::smallest_architecture(), 2)})
    for (const kernels::KernelTable* const table : kernels::all_tables())
      for (const Precision precision : {Precision::fp32, Precision::bf16, Precision::int8})
        for (const bool has_blocks : {true, false}) {
          all.insert(packed_purpose(some, *table, precision, LabelScreen::automatic, has_blocks));
          ++count;
        }
  EXPECT_EQ(all.size(), count);
}

TEST(PackedPurpose, NamesAScreenWhereThereIsOne) {
  const Model model = fixtures::random_model(fixtures::tiny_architecture(), 1);
  for (const kernels::KernelTable* const table : kernels::all_tables()) {
    const auto purpose = [&](LabelScreen screen, Precision precision) {
      return packed_purpose(model, *table, precision, screen, true);
    };
    const std::string without = purpose(LabelScreen::never, Precision::fp32);
    EXPECT_EQ(purpose(LabelScreen::automatic, Precision::fp32), without) << "too few classes";
    EXPECT_EQ(purpose(LabelScreen::always, Precision::fp32) == without,
              !ops::SimilarityScreen::is_supported(table->isa, 4));
    EXPECT_EQ(purpose(LabelScreen::always, Precision::bf16), purpose(LabelScreen::never, Precision::bf16));
  }
}

TEST(PackedPurpose, KnowsTheTensorsWhereverTheyAre) {
  const TemporaryFolder folder;
  for (const Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::i8}) {
    const Model model = with_dtype(fixtures::random_model(fixtures::smallest_architecture(), 1), dtype);
    ASSERT_TRUE(succeeded(save_model(model, folder / "m")));
    const auto loaded = load_model(folder / "m", {.keep_narrow = true});
    ASSERT_TRUE(succeeded(loaded));
    EXPECT_EQ(tensors_crc(loaded->tensors), tensors_crc(model.tensors));
    Model other = model;
    std::swap(other.tensors.find("blocks.0.expand.bias")->second,
              other.tensors.find("blocks.0.depthwise.bias")->second);
    EXPECT_NE(tensors_crc(other.tensors), tensors_crc(model.tensors)) << "values under each other's names";
  }
}

}  // namespace
}  // namespace pantanal::perch
