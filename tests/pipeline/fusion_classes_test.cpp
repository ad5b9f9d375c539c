#include "pantanal/pipeline/fusion_classes.hpp"

#include "pipeline/golden.hpp"

namespace pantanal::pipeline {
namespace {

TEST(FusionClasses, AgreeWithTheOracle) {
  for_each_golden([](const Golden& golden) {
    const FusionClasses found = golden.fusion_classes();
    const Lines lists = golden.lines("fusion_classes");
    const std::vector<const std::vector<std::size_t>*> members{
        &found.active_texture,          &found.active_event,           &found.mapped_active_texture,
        &found.mapped_active_event,     &found.proxied_active_texture, &found.prior_only_active_texture,
        &found.prior_only_active_event, &found.unmapped_inactive};
    ASSERT_EQ(lists.size(), members.size());
    for (std::size_t i = 0; i < lists.size(); ++i) {
      EXPECT_EQ(*members[i], indices_of(lists[i][1])) << lists[i][0];
      EXPECT_FALSE(members[i]->empty()) << lists[i][0] << ": the case tests nothing";
    }
  });
}

TEST(FusionClasses, AProxiedEventIsInNoListOfPriors) {
  const PerchMapping mapping{
      2, {PerchMapping::no_label, PerchMapping::no_label}, {{0, "A", {0}}, {1, "B", {1}}}};
  const std::vector<std::size_t> active{0};
  const auto found = build_fusion_classes(mapping, {false, false}, active);
  ASSERT_TRUE(succeeded(found));
  EXPECT_EQ(found->active_event, active);
  EXPECT_TRUE(found->prior_only_active_event.empty());
  EXPECT_TRUE(found->mapped_active_event.empty());
  EXPECT_EQ(found->unmapped_inactive, std::vector<std::size_t>{1})
      << "a proxied inactive class is overwritten";
}

TEST(FusionClasses, RefuseOtherNumbersOfClasses) {
  const PerchMapping mapping{1, {0}, {}};
  const std::vector<std::size_t> active{1};
  EXPECT_TRUE(refused(build_fusion_classes(mapping, {}, {}), ErrorCode::mismatch));
  EXPECT_TRUE(
      refused(build_fusion_classes(mapping, {true}, active), ErrorCode::invalid_argument, {"class 1"}));
}

}  // namespace
}  // namespace pantanal::pipeline
