#include "pantanal/competition/settings_check.hpp"

#include <gtest/gtest.h>

#include "core/refused.hpp"

namespace pantanal::competition {
namespace {

TEST(CheckSettings, AcceptsThePresets) {
  for (const auto name : preset_names) EXPECT_TRUE(succeeded(check_settings(*preset(name)))) << name;
}

TEST(CheckSettings, NamesTheKey) {
  const auto with = [](auto change) {
    Configuration c;
    change(c);
    return check_settings(c);
  };
  constexpr auto code = ErrorCode::invalid_argument;
  using C = Configuration&;
  EXPECT_TRUE(refused(with([](C c) { c.proto_ssm.d_model = 0; }), code, {"configuration.proto_ssm.d_model"}));
  EXPECT_TRUE(refused(with([](C c) { c.proto_ssm.d_model = 321; }), code,
                      {"configuration.proto_ssm.cross_attn_heads", "321"}));
  EXPECT_TRUE(refused(with([](C c) { c.proto_ssm.n_prototypes = 0; }), code,
                      {"configuration.proto_ssm.n_prototypes"}));
  EXPECT_TRUE(
      refused(with([](C c) { c.proto_ssm_train.lr = 0; }), code, {"configuration.proto_ssm_train.lr"}));
  EXPECT_TRUE(refused(with([](C c) { c.proto_ssm_train.n_epochs = 10; }), code,
                      {"configuration.proto_ssm_train", "10 steps"}));
  EXPECT_TRUE(refused(with([](C c) {
                        c.proto_ssm_train.scheduler = Scheduler::cosine_restarts;
                        c.proto_ssm_train.restart_period = 0;
                      }),
                      code, {"configuration.proto_ssm_train.restart_period"}));
  EXPECT_TRUE(refused(with([](C c) { c.mlp.hidden_layer_sizes = {0}; }), code,
                      {"configuration.mlp.hidden_layer_sizes"}));
  EXPECT_TRUE(refused(with([](C c) { c.residual_ssm.n_ssm_layers = 0; }), code,
                      {"configuration.residual_ssm.n_ssm_layers"}));
  EXPECT_TRUE(
      refused(with([](C c) { c.residual_ssm.n_epochs = 0; }), code, {"configuration.residual_ssm.n_epochs"}));
  EXPECT_TRUE(succeeded(with([](C c) {
    c.residual_ssm.n_epochs = 0;
    c.residual_ssm.enabled = false;
  })));
  EXPECT_TRUE(refused(with([](C c) { c.temperature_event = 0; }), code, {"temperature"}));
  EXPECT_TRUE(refused(with([](C c) { c.temperature_event = 1e30f; }), code,
                      {"postprocess.temperature_event", "1e+30"}));
  EXPECT_TRUE(refused(with([](C c) { c.proto_ssm_train.pos_weight_cap = 0; }), code,
                      {"proto_ssm_train.pos_weight_cap", "1 to"}));
  EXPECT_TRUE(refused(with([](C c) { c.fusion.lambda_event = 1e308; }), code, {"fusion.lambda_event"}));
  EXPECT_TRUE(refused(with([](C c) { c.tta_shifts = {0, 12}; }), code, {"tta_shifts", "12"}));
  EXPECT_TRUE(refused(with([](C c) { c.study.threshold_grid.clear(); }), code, {"study.threshold_grid"}));
  EXPECT_TRUE(
      refused(with([](C c) { c.mlp.validation_fraction = 0.999; }), code, {"mlp.validation_fraction"}));
  EXPECT_TRUE(succeeded(with([](C c) {
    c.mlp.validation_fraction = 0;
    c.mlp.early_stopping = false;
  })));
}

}  // namespace
}  // namespace pantanal::competition
