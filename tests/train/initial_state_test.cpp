// Starts: every tensor by its rule, the same for the same seed.
#include "pantanal/train/initial_state.hpp"

#include <gtest/gtest.h>

#include "pantanal/heads/proto_ssm_config.hpp"
#include "pantanal/heads/residual_ssm.hpp"

namespace pantanal::train {
namespace {

struct Moments {
  double mean = 0, deviation = 0, largest = 0;
};

Moments moments(const nn::StateDict& state, const char* name) {
  const auto values = tensor_values(state, name);
  EXPECT_FALSE(values.empty()) << name;
  Moments m;
  double squares = 0;
  for (const float x : values) {
    m.mean += double{x} / static_cast<double>(values.size());
    squares += double{x} * double{x} / static_cast<double>(values.size());
    m.largest = std::max(m.largest, std::abs(double{x}));
  }
  m.deviation = std::sqrt(squares - m.mean * m.mean);
  return m;
}

void expect_uniform(const nn::StateDict& state, const char* name, double bound) {
  const Moments m = moments(state, name);
  EXPECT_LE(m.largest, bound) << name;
  EXPECT_NEAR(m.deviation, bound / std::sqrt(3), 0.1 * bound) << name;
}

void expect_constant(const nn::StateDict& state, const char* name, float value) {
  for (const float x : tensor_values(state, name)) ASSERT_EQ(x, value) << name;
}

TEST(InitialState, FollowsTheReferencesDistributions) {
  const heads::ProtoSsmConfig c;
  const nn::StateDict state = initial_state(heads::required_tensors(c), 1);
  EXPECT_TRUE(validate(state, heads::required_tensors(c)).ok());
  expect_uniform(state, "input_proj.0.weight", 1 / std::sqrt(1536.0));
  expect_uniform(state, "input_proj.0.bias", 1 / std::sqrt(1536.0));
  expect_uniform(state, "ssm_fwd.2.conv1d.weight", 0.5);
  expect_uniform(state, "ssm_bwd.3.conv1d.bias", 0.5);
  expect_uniform(state, "ssm_fwd.0.dt_proj.weight", 1 / std::sqrt(320.0));
  expect_uniform(state, "ssm_merge.0.weight", 1 / std::sqrt(640.0));
  expect_uniform(state, "cross_attn.attn.in_proj_weight", std::sqrt(6.0 / (4 * 320)));
  expect_uniform(state, "cross_attn.attn.out_proj.weight", 1 / std::sqrt(320.0));
  expect_uniform(state, "cross_attn.ffn.3.bias", 1 / std::sqrt(640.0));
  expect_uniform(state, "meta_proj.weight", 1 / std::sqrt(48.0));
  for (const char* zero : {"cross_attn.attn.in_proj_bias", "cross_attn.attn.out_proj.bias", "class_bias",
                           "fusion_alpha", "input_proj.1.bias", "ssm_norm.1.bias", "cross_attn.norm2.bias"})
    expect_constant(state, zero, 0);
  for (const char* one :
       {"ssm_fwd.0.D", "input_proj.1.weight", "ssm_norm.3.weight", "cross_attn.norm.weight"})
    expect_constant(state, one, 1);
  expect_constant(state, "proto_temp", 5);
  EXPECT_NEAR(moments(state, "site_emb.weight").deviation, 1, 0.1);
  EXPECT_NEAR(moments(state, "prototypes").deviation, 0.02, 0.001);
  EXPECT_NEAR(moments(state, "pos_enc").deviation, 0.02, 0.001);
  const auto a = tensor_values(state, "ssm_bwd.1.A_log");
  EXPECT_EQ(a[0], 0.0f);
  EXPECT_FLOAT_EQ(a[32 + 31], std::log(32.0f));
  const nn::StateDict residual = initial_state(heads::required_tensors(heads::ResidualSsmConfig{}), 1);
  expect_constant(residual, "output_head.weight", 0);
  expect_uniform(residual, "ssm_fwd.B_proj.weight", 1 / std::sqrt(128.0));
}

TEST(InitialState, IsItsSeeds) {
  const auto specs = heads::required_tensors(heads::ResidualSsmConfig{.d_model = 16});
  const auto a = initial_state(specs, 1), b = initial_state(specs, 1), c = initial_state(specs, 2);
  const char* name = "ssm_merge.weight";
  EXPECT_TRUE(std::equal(a.at(name).values.begin(), a.at(name).values.end(), b.at(name).values.begin()));
  EXPECT_NE(a.at(name).values[3], c.at(name).values[3]);
}

}  // namespace
}  // namespace pantanal::train
