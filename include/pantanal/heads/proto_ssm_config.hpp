// ProtoSsmConfig: the sizes of a ProtoSSM and the parameters that follow from them.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/core/tensor.hpp"
#include "pantanal/heads/session.hpp"
#include "pantanal/heads/window_encoder.hpp"
#include "pantanal/nn/bidirectional_ssm.hpp"
#include "pantanal/nn/temporal_cross_attention.hpp"

namespace pantanal::heads {

/// The arguments of the reference's constructor, under its names. The defaults are those of its published
/// run.
struct ProtoSsmConfig {
  std::size_t d_input = 1536, d_model = 320, d_state = 32, d_conv = 4, n_ssm_layers = 4;
  std::size_t n_classes = 234, n_windows = 12, n_sites = 20, meta_dim = 24;
  bool use_cross_attn = true;
  std::size_t cross_attn_heads = 8;
  std::size_t n_families = 5;  ///< 0: no family head
  nn::SsmForm form = nn::SsmForm::notebook;

  WindowEncoder::Config encoder() const { return {d_input, d_model, n_windows, n_sites, meta_dim}; }
  nn::SelectiveSsmConfig ssm() const { return {d_model, d_state, d_conv, form}; }
};

/// Whether `c` describes a model; the error names the field.
inline Status validate(const ProtoSsmConfig& c) {
  PANTANAL_TRY_STATUS(detail::check_extents("ProtoSsmConfig", {{"d_input", c.d_input},
                                                               {"d_model", c.d_model},
                                                               {"d_state", c.d_state},
                                                               {"d_conv", c.d_conv},
                                                               {"n_classes", c.n_classes},
                                                               {"n_windows", c.n_windows},
                                                               {"n_sites", c.n_sites},
                                                               {"meta_dim", c.meta_dim},
                                                               {"n_families", c.n_families + 1}}));
  if (c.n_ssm_layers > 1024)
    return Error{ErrorCode::invalid_argument, "ProtoSsmConfig.n_ssm_layers", std::to_string(c.n_ssm_layers),
                 "at most 1024"};
  if (c.use_cross_attn && (c.cross_attn_heads == 0 || c.d_model % c.cross_attn_heads != 0))
    return Error{ErrorCode::invalid_argument, "ProtoSsmConfig.cross_attn_heads",
                 std::to_string(c.cross_attn_heads), "a divisor of d_model, " + std::to_string(c.d_model)};
  return {};
}

/// Every parameter of a valid `c`, in PyTorch's names.
inline std::vector<TensorSpec> required_tensors(const ProtoSsmConfig& c) {
  TensorList list;
  WindowEncoder::require(list, c.encoder());
  for (std::size_t i = 0; i < c.n_ssm_layers; ++i)
    nn::BidirectionalSsm::require(list, "." + std::to_string(i), c.ssm());
  if (c.use_cross_attn) nn::TemporalCrossAttention::require(list, "cross_attn", c.d_model);
  list.add("prototypes", {c.n_classes, c.d_model});
  list.add("proto_temp", {});
  list.add("class_bias", {c.n_classes});
  list.add("fusion_alpha", {c.n_classes});
  if (c.n_families > 0) nn::Linear::require(list, "family_head", c.d_model, c.n_families);
  return std::move(list).take();
}

/// Number of parameters: 5,776,250 with the defaults.
inline std::size_t parameter_count(const ProtoSsmConfig& c) {
  return detail::count_parameters(required_tensors(c));
}

}  // namespace pantanal::heads
