// A parameter set's memory, kinds and names.
#include "pantanal/autograd/parameters.hpp"

#include "core/refused.hpp"

namespace pantanal::autograd {
namespace {

TEST(ParameterSet, LaysItsParametersOutInOrder) {
  ParameterSet set({{"b", {2, 3}}, {"a", {4}}, {"scalar", {}}});
  EXPECT_EQ(set.values().size(), 11u);
  set["a"].value[1] = 5;
  set["scalar"].gradient[0] = 2;
  EXPECT_EQ(set.values()[7], 5);
  EXPECT_EQ(set.gradients()[10], 2);
  set.set_kind("scalar", GradientKind::none);
  set.set_kind("b", GradientKind::zero, 2);
  ASSERT_EQ(set.ranges().size(), 4u);
  std::size_t next = 0;
  for (const ParameterRange& range : set.ranges()) {
    EXPECT_EQ(range.begin, next);
    next += range.size;
  }
  EXPECT_EQ(next, 11u);
  EXPECT_EQ(set.ranges()[1].size, 4u);
  EXPECT_EQ(set.ranges()[1].kind, GradientKind::zero);
  EXPECT_EQ(set.ranges()[3].kind, GradientKind::none);
}

TEST(ParameterSet, LoadsAndSavesAStateDict) {
  ParameterSet set({{"b", {2}}, {"a", {1}}});
  nn::StateDict state{{"a", make_tensor({1}, {3})}, {"b", make_tensor({2}, {1, 2})}};
  ASSERT_TRUE(succeeded(set.load(state)));
  EXPECT_EQ(std::vector<float>(set.values().begin(), set.values().end()), (std::vector<float>{1, 2, 3}));
  const nn::StateDict saved = set.state_dict();
  EXPECT_EQ(saved.at("b").values[1], 2);
  EXPECT_EQ(saved.at("a").shape, (Shape{1}));
  state.erase("a");
  EXPECT_TRUE(refused(set.load(state, "Model"), ErrorCode::not_found, {"a"}));
}

}  // namespace
}  // namespace pantanal::autograd
