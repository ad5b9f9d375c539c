// Configurations and options from JSON objects whose keys are the fields' names; other keys are refused by
// name.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "pantanal/core/result.hpp"
#include "pantanal/heads/proto_ssm_config.hpp"
#include "pantanal/heads/residual_ssm.hpp"
#include "pantanal/train/train_perch.hpp"
#include "pantanal/train/train_proto_ssm.hpp"
#include "pantanal/train/train_residual_ssm.hpp"

namespace pantanal::bindings {

/// Where each key's value goes; returns false for a value that does not fit.
using Fields = std::map<std::string, std::function<bool(const nlohmann::json&)>>;

template <class T>
auto field(T& to) {
  return [&to](const nlohmann::json& value) {
    if constexpr (std::is_same_v<T, bool>) {
      if (!value.is_boolean()) return false;
    } else if constexpr (std::is_integral_v<T>) {
      if (!value.is_number_unsigned()) return false;
    } else if (!value.is_number()) {
      return false;
    }
    to = value.get<T>();
    return true;
  };
}

/// One of two words.
template <class T>
auto choice(T& to, const char* first, T first_value, const char* second, T second_value) {
  return [&to, first, first_value, second, second_value](const nlohmann::json& value) {
    if (value != first && value != second) return false;
    to = value == first ? first_value : second_value;
    return true;
  };
}

inline Status read(const std::string& text, const std::string& where, const Fields& fields) {
  const nlohmann::json object = nlohmann::json::parse(text, nullptr, false);
  if (!object.is_object()) return Error{ErrorCode::invalid_argument, where, text, "a mapping"};
  for (const auto& [key, value] : object.items()) {
    const auto found = fields.find(key);
    if (found == fields.end())
      return Error{ErrorCode::invalid_argument, where, "the key " + key, "one of its fields"};
    if (!found->second(value))
      return Error{ErrorCode::invalid_argument, where + "." + key, value.dump(),
                   "a value of the field's type"};
  }
  return {};
}

inline Result<heads::ProtoSsmConfig> proto_ssm_config(const std::string& text) {
  heads::ProtoSsmConfig c;
  PANTANAL_TRY_STATUS(read(text, "config",
                           {{"d_input", field(c.d_input)},
                            {"d_model", field(c.d_model)},
                            {"d_state", field(c.d_state)},
                            {"d_conv", field(c.d_conv)},
                            {"n_ssm_layers", field(c.n_ssm_layers)},
                            {"n_classes", field(c.n_classes)},
                            {"n_windows", field(c.n_windows)},
                            {"n_sites", field(c.n_sites)},
                            {"meta_dim", field(c.meta_dim)},
                            {"use_cross_attn", field(c.use_cross_attn)},
                            {"cross_attn_heads", field(c.cross_attn_heads)},
                            {"n_families", field(c.n_families)}}));
  return c;
}

inline Result<heads::ResidualSsmConfig> residual_ssm_config(const std::string& text) {
  heads::ResidualSsmConfig c;
  PANTANAL_TRY_STATUS(read(text, "config",
                           {{"d_input", field(c.d_input)},
                            {"d_scores", field(c.d_scores)},
                            {"d_model", field(c.d_model)},
                            {"d_state", field(c.d_state)},
                            {"d_conv", field(c.d_conv)},
                            {"n_classes", field(c.n_classes)},
                            {"n_windows", field(c.n_windows)},
                            {"n_sites", field(c.n_sites)},
                            {"meta_dim", field(c.meta_dim)},
                            {"clamp_ids", field(c.clamp_ids)}}));
  return c;
}

inline Fields training_fields(train::TrainingOptions& t) {
  return {{"n_epochs", field(t.n_epochs)},
          {"lr", field(t.lr)},
          {"weight_decay", field(t.weight_decay)},
          {"clip_norm", field(t.clip_norm)},
          {"dropout", field(t.dropout)},
          {"schedule", choice(t.schedule, "one_cycle", train::Schedule::one_cycle, "cosine_restarts",
                              train::Schedule::cosine_restarts)},
          {"pct_start", field(t.pct_start)},
          {"restart_period", field(t.restart_period)},
          {"patience", field(t.patience)},
          {"swa_start_frac", field(t.swa_start_frac)},
          {"ema_decay", field(t.ema_decay)},
          {"seed", field(t.seed)},
          {"threads", field(t.threads)},
          {"checkpoint",
           [&t](const nlohmann::json& value) {
             if (value.is_string()) t.checkpoint = value.get<std::string>();
             return value.is_string();
           }},
          {"checkpoint_period", field(t.checkpoint_period)},
          {"resume", field(t.resume)}};
}

inline Result<train::ProtoSsmTraining> proto_ssm_training(const std::string& text) {
  train::ProtoSsmTraining o;
  Fields fields = training_fields(o.training);
  fields.merge(Fields{{"species_loss", choice(o.loss.species, "focal", train::SpeciesLoss::focal,
                                              "species_focal", train::SpeciesLoss::species_focal)},
                      {"focal_gamma", field(o.loss.focal_gamma)},
                      {"distill_weight", field(o.loss.distill_weight)},
                      {"family_weight", field(o.loss.family_weight)},
                      {"label_smoothing", field(o.loss.label_smoothing)},
                      {"pos_weight_cap", field(o.loss.pos_weight_cap)},
                      {"mixing", choice(o.mixing, "mixup_files", train::Mixing::mixup_files, "mixup_cutmix",
                                        train::Mixing::mixup_cutmix)},
                      {"mixup_alpha", field(o.mixup_alpha)},
                      {"mixup_from_epoch", field(o.mixup_from_epoch)},
                      {"cutmix_probability", field(o.cutmix_probability)}});
  PANTANAL_TRY_STATUS(read(text, "options", fields));
  return o;
}

inline Result<train::ResidualSsmTraining> residual_ssm_training(const std::string& text) {
  train::ResidualSsmTraining o;
  Fields fields = training_fields(o.training);
  fields.merge(
      Fields{{"validation_fraction", field(o.validation_fraction)}, {"split_seed", field(o.split_seed)}});
  PANTANAL_TRY_STATUS(read(text, "options", fields));
  return o;
}

inline Result<train::PerchTraining> perch_training(const std::string& text) {
  train::PerchTraining o;
  Fields fields = training_fields(o.training);
  fields.merge(Fields{{"batch", field(o.batch)},
                      {"pos_weight_cap", field(o.pos_weight_cap)},
                      {"last_blocks",
                       [&o](const nlohmann::json& value) {
                         if (value.is_number_unsigned()) o.last_blocks = value.get<std::size_t>();
                         return value.is_number_unsigned();
                       }},
                      {"mix_probability", field(o.augmentation.mix_probability)},
                      {"level", field(o.augmentation.level)},
                      {"shift_frames", field(o.augmentation.shift_frames)},
                      {"mask_frames", field(o.augmentation.mask_frames)},
                      {"mask_bands", field(o.augmentation.mask_bands)}});
  PANTANAL_TRY_STATUS(read(text, "options", fields));
  return o;
}

}  // namespace pantanal::bindings
