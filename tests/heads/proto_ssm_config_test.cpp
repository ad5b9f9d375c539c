#include "pantanal/heads/proto_ssm_config.hpp"

#include <gtest/gtest.h>

#include "core/refused.hpp"

namespace pantanal::heads {
namespace {

TEST(ProtoSsmConfig, CountsTheReferencesParameters) {
  const ProtoSsmConfig published;
  EXPECT_EQ(parameter_count(published), 5'776'250u);
  ProtoSsmConfig other = published;  // the reference's smaller ones
  other.n_ssm_layers = 2, other.d_state = 16, other.n_families = 0;
  EXPECT_EQ(parameter_count(other), 3'531'445u);
  other = published;
  other.n_prototypes = 2;
  EXPECT_EQ(parameter_count(other), 5'851'130u);
}

TEST(ProtoSsmConfig, NamesTheFieldThatIsWrong) {
  EXPECT_TRUE(succeeded(validate(ProtoSsmConfig{})));
  constexpr auto code = ErrorCode::invalid_argument;
  ProtoSsmConfig c;
  c.d_model = 0;
  EXPECT_TRUE(refused(validate(c), code, {"ProtoSsmConfig.d_model", "0"}));
  c = {}, c.n_windows = std::size_t{1} << 40;
  EXPECT_TRUE(refused(validate(c), code, {"n_windows", "1048576"}));
  c = {}, c.cross_attn_heads = 7;
  EXPECT_TRUE(refused(validate(c), code, {"cross_attn_heads", "7", "320"}));
  c.use_cross_attn = false;
  EXPECT_TRUE(succeeded(validate(c)));
  c = {}, c.cross_attn_heads = 0;
  EXPECT_TRUE(refused(validate(c), code, {"cross_attn_heads"}));
  c = {}, c.n_prototypes = 0;
  EXPECT_TRUE(refused(validate(c), code, {"n_prototypes", "0"}));
  c.n_prototypes = 65;
  EXPECT_TRUE(refused(validate(c), code, {"n_prototypes", "65", "64"}));
  c = {}, c.n_ssm_layers = 5000;
  EXPECT_TRUE(refused(validate(c), code, {"n_ssm_layers", "5000"}));
}

}  // namespace
}  // namespace pantanal::heads
