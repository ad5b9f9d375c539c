// The draws that layers and models agree with PyTorch on: they must reach every edge that is claimed.
#include <algorithm>
#include <string>
#include <vector>

#include "nn/fixtures.hpp"

namespace pantanal::nn {
namespace {

bool any(const std::vector<FixtureCase>& cases, bool (*holds)(const FixtureCase&)) {
  return std::any_of(cases.begin(), cases.end(), holds);
}

bool odd(const FixtureCase& c, const char* name) { return c.size(name) % 2 == 1; }

TEST(DrawnCases, OfLayersReachTheEdges) {
  for (const char* layer : {"selective_ssm", "multihead_attention", "temporal_cross_attention"}) {
    const std::vector<FixtureCase> cases = load_cases(layer);
    EXPECT_TRUE(any(cases, [](const FixtureCase& c) { return c.sequences("x").steps == 1; })) << layer;
    EXPECT_TRUE(any(cases, [](const FixtureCase& c) { return c.sequences("x").steps == 64; })) << layer;
    EXPECT_TRUE(any(cases, [](const FixtureCase& c) { return c.sequences("x").count > 1; })) << layer;
    EXPECT_TRUE(any(cases, [](const FixtureCase& c) { return odd(c, "d_model"); })) << layer;
  }
  EXPECT_TRUE(any(load_cases("selective_ssm"), [](const FixtureCase& c) {
    return c.sequences("x").steps < c.size("d_conv") && odd(c, "d_model");
  }));
  for (const std::size_t heads : {1u, 2u, 3u, 4u}) {
    const std::vector<FixtureCase> cases = load_cases("multihead_attention");
    EXPECT_TRUE(std::any_of(cases.begin(), cases.end(),
                            [&](const FixtureCase& c) { return c.size("heads") == heads; }));
  }
}

TEST(DrawnCases, OfModelsReachTheEdges) {
  for (const char* model : {"proto_ssm", "residual_ssm"}) {
    const std::vector<FixtureCase> cases = load_cases(model);
    EXPECT_TRUE(any(cases, [](const FixtureCase& c) { return c.size("steps") == 1; })) << model;
    EXPECT_TRUE(any(cases, [](const FixtureCase& c) { return c.size("steps") == 64; })) << model;
    EXPECT_TRUE(any(cases, [](const FixtureCase& c) { return c.size("steps") < c.size("n_windows"); }));
    EXPECT_TRUE(any(cases, [](const FixtureCase& c) { return c.size("steps") < c.size("d_conv"); })) << model;
    EXPECT_TRUE(any(cases, [](const FixtureCase& c) { return odd(c, "d_model"); })) << model;
    EXPECT_TRUE(any(cases, [](const FixtureCase& c) { return c.contains("site_ids"); })) << model;
    EXPECT_TRUE(any(cases, [](const FixtureCase& c) { return !c.contains("site_ids"); })) << model;
    EXPECT_TRUE(any(cases, [](const FixtureCase& c) { return c.size("d_input") == 1536; })) << model;
  }
}

TEST(DrawnCases, OfProtoSsmTryEveryPart) {
  const std::vector<FixtureCase> cases = load_cases("proto_ssm");
  for (const std::size_t layers : {1u, 2u, 3u, 4u})
    for (const bool logits : {false, true})
      EXPECT_TRUE(std::any_of(cases.begin(), cases.end(),
                              [&](const FixtureCase& c) {
                                return c.size("n_ssm_layers") == layers && c.in.contains("logits") == logits;
                              }))
          << layers << " layers, logits " << logits;
  EXPECT_TRUE(any(cases, [](const FixtureCase& c) { return !c.flag("use_cross_attn"); }));
  EXPECT_TRUE(any(cases, [](const FixtureCase& c) { return c.size("n_families") == 0; }));
  EXPECT_TRUE(any(cases, [](const FixtureCase& c) { return c.numbers("shifts").size() == 5; }));
}

/// Sites and hours out of range, which the reference clamps.
TEST(DrawnCases, OfResidualSsmLeaveTheRangesOfIds) {
  EXPECT_TRUE(any(load_cases("residual_ssm"), [](const FixtureCase& c) {
    const std::vector<std::int64_t> hours = c.ids("hours"), sites = c.ids("site_ids");
    return std::any_of(hours.begin(), hours.end(), [](std::int64_t h) { return h < 0 || h > 23; }) ||
           std::any_of(sites.begin(), sites.end(), [](std::int64_t s) { return s < 0; });
  }));
}

}  // namespace
}  // namespace pantanal::nn
