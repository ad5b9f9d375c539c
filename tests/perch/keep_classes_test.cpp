#include "pantanal/perch/keep_classes.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "core/refused.hpp"
#include "perch/random_model.hpp"

namespace pantanal::perch {
namespace {

using Rows = std::vector<std::size_t>;
using fixtures::random_model;
using fixtures::tiny_architecture;

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

TEST(KeepClasses, KeepsRowsBitForBitInTheOrderGiven) {
  const Model model = random_model(tiny_architecture(), 4);
  const Rows rows = {6, 0, 3, 3};
  const auto kept = keep_classes(model, rows);
  ASSERT_TRUE(succeeded(kept));
  ASSERT_TRUE(succeeded(validate(*kept)));
  EXPECT_EQ(kept->architecture.label.classes, 4u);
  EXPECT_EQ(kept->tensors.at("label.prototypes").shape, (Shape{4, 4, 19}));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(kept->labels[i], model.labels[rows[i]]);
    for (const std::string_view name : {"label.prototypes", "label.scale", "label.bias"}) {
      const std::size_t width = model.values(name).size() / 7;
      EXPECT_TRUE(same_bits(kept->values(name).subspan(i * width, width),
                            model.values(name).subspan(rows[i] * width, width)))
          << name << " " << i;
    }
  }
}

TEST(KeepClasses, KeepsInt8RowsAndTheirScales) {
  const Model model = with_dtype(random_model(tiny_architecture(), 4), Dtype::i8);
  const Rows rows = {6, 0, 3};
  const auto kept = keep_classes(model, rows);
  ASSERT_TRUE(succeeded(kept));
  ASSERT_TRUE(succeeded(validate(*kept)));
  const Tensor &all = model.tensors.at("label.prototypes"), &some = kept->tensors.at("label.prototypes");
  ASSERT_EQ(some.dtype, Dtype::i8);
  for (std::size_t i = 0; i < some.size(); ++i)
    ASSERT_EQ(some.at(i), all.at(rows[i / 76] * 76 + i % 76)) << i;
}

TEST(KeepClasses, SharesTheRestAndLeavesTheOriginal) {
  const Model model = random_model(tiny_architecture(), 5);
  const auto kept = keep_classes(model, Rows{1});
  ASSERT_TRUE(succeeded(kept));
  for (const auto& [name, tensor] : model.tensors)
    EXPECT_EQ(kept->values(name).data() == tensor.values.data(), !name.starts_with("label.")) << name;
  EXPECT_EQ(kept->source, model.source);
  EXPECT_TRUE(succeeded(validate(model)));
  EXPECT_EQ(model.labels.size(), 7u);
}

TEST(KeepClasses, OfAllRowsChangesNothing) {
  const Model model = random_model(tiny_architecture(), 6);
  const auto kept = keep_classes(model, Rows{0, 1, 2, 3, 4, 5, 6});
  ASSERT_TRUE(succeeded(kept));
  EXPECT_EQ(kept->labels, model.labels);
  for (const auto& [name, tensor] : model.tensors)
    EXPECT_TRUE(same_bits(kept->values(name), tensor.values)) << name;
}

TEST(KeepClasses, RefusesRowsThatAreNotThere) {
  const Model model = random_model(tiny_architecture(), 7);
  EXPECT_TRUE(refused(keep_classes(model, Rows{0, 7}), ErrorCode::invalid_argument, {"row 7", "7 classes"}));
  EXPECT_TRUE(refused(keep_classes(model, Rows{std::numeric_limits<std::size_t>::max()}),
                      ErrorCode::invalid_argument));
  EXPECT_TRUE(refused(keep_classes(model, Rows{}), ErrorCode::invalid_argument, {"0 classes to keep"}));
}

TEST(KeepClasses, RefusesAModelWithoutALabelHeadOrNotValid) {
  Architecture headless = tiny_architecture();
  headless.label.classes = 0;
  EXPECT_TRUE(
      refused(keep_classes(random_model(headless, 8), Rows{0}), ErrorCode::invalid_argument, {"row 0"}));
  Model model = random_model(tiny_architecture(), 9);
  model.tensors.erase("label.scale");
  EXPECT_TRUE(refused(keep_classes(model, Rows{0}), ErrorCode::not_found, {"label.scale"}));
}

}  // namespace
}  // namespace pantanal::perch
