// check_settings: whether models and trainers can be made of a configuration, before anything is computed.
#pragma once

#include <string>
#include <utility>

#include "pantanal/competition/configuration.hpp"
#include "pantanal/competition/heads.hpp"
#include "pantanal/competition/probes.hpp"
#include "pantanal/competition/train_heads_settings.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/train/schedules.hpp"

namespace pantanal::competition {

namespace detail {

/// The error of a part under the configuration's key.
inline Status under_key(Status status, const std::string& part, const std::string& key) {
  if (status) return status;
  Error error = status.error();
  error.where =
      error.where.starts_with(part) ? key + error.where.substr(part.size()) : key + "." + error.where;
  return error;
}

/// Whether the schedule that `t` asks for exists.
inline Status check_schedule(const train::TrainingOptions& t) {
  if (t.schedule == train::Schedule::one_cycle) {
    PANTANAL_TRY_STATUS(
        train::OneCycleLr::create({.max_lr = t.lr, .total_steps = t.n_epochs, .pct_start = t.pct_start}));
    return {};
  }
  if (t.restart_period > 0) return {};
  return Error{ErrorCode::invalid_argument, "restart_period", "0", "at least 1"};
}

}  // namespace detail

/// validate(), and that the sizes describe models and the trainers take their options. Errors name the key,
/// as `configuration.proto_ssm.d_model`.
inline Status check_settings(const Configuration& c) {
  using detail::under_key;
  PANTANAL_TRY_STATUS(validate(c));
  const TrainHeadsOptions options{.configuration = c};
  PANTANAL_TRY_STATUS(
      under_key(heads::validate(proto_config(c, 1, 1, 0)), "ProtoSsmConfig", "configuration.proto_ssm"));
  const train::TrainingOptions proto = proto_ssm_training(c, options).training;
  PANTANAL_TRY_STATUS(under_key(train::validate(proto, "proto"), "proto", "configuration.proto_ssm_train"));
  PANTANAL_TRY_STATUS(
      under_key(detail::check_schedule(proto), "OneCycleLr", "configuration.proto_ssm_train"));
  PANTANAL_TRY_STATUS(under_key(ml::validate(detail::mlp_options(c.mlp)), "mlp", "configuration.mlp"));
  if (!c.residual_ssm.enabled) return {};
  PANTANAL_TRY_STATUS(under_key(heads::validate(residual_config(c, 1, 1)), "ResidualSsmConfig",
                                "configuration.residual_ssm"));
  const train::TrainingOptions residual = residual_ssm_training(c, options).training;
  PANTANAL_TRY_STATUS(
      under_key(train::validate(residual, "residual"), "residual", "configuration.residual_ssm"));
  return under_key(detail::check_schedule(residual), "OneCycleLr", "configuration.residual_ssm");
}

}  // namespace pantanal::competition
