// HeadsBundle: everything between Perch's outputs and a submission that training leaves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/competition/configuration.hpp"
#include "pantanal/competition/probes.hpp"
#include "pantanal/core/crc32c.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/heads/proto_ssm_config.hpp"
#include "pantanal/heads/residual_ssm.hpp"
#include "pantanal/nn/state_dict.hpp"
#include "pantanal/pipeline/file_metadata.hpp"
#include "pantanal/pipeline/fusion_classes.hpp"
#include "pantanal/pipeline/perch_mapping.hpp"
#include "pantanal/pipeline/prior_tables.hpp"
#include "pantanal/pipeline/temperature_sigmoid.hpp"

namespace pantanal::competition {

/// ProtoSSM's sizes for embeddings of `features` values.
inline heads::ProtoSsmConfig proto_config(const Configuration& c, std::size_t features, std::size_t classes,
                                          std::size_t families) {
  const ProtoSsmSettings& p = c.proto_ssm;
  return {.d_input = features,
          .d_model = p.d_model,
          .d_state = p.d_state,
          .d_conv = p.d_conv,
          .n_ssm_layers = p.n_ssm_layers,
          .n_classes = classes,
          .n_windows = pipeline::n_windows_per_file,
          .n_sites = p.n_sites,
          .meta_dim = p.meta_dim,
          .use_cross_attn = p.use_cross_attn,
          .cross_attn_heads = p.cross_attn_heads,
          .n_families = families,
          .n_prototypes = p.n_prototypes};
}

/// ResidualSSM's. It clamps ids, as the notebook's does.
inline heads::ResidualSsmConfig residual_config(const Configuration& c, std::size_t features,
                                                std::size_t classes) {
  const ResidualSsmSettings& r = c.residual_ssm;
  return {.d_input = features,
          .d_scores = classes,
          .d_model = r.d_model,
          .d_state = r.d_state,
          .d_conv = r.d_conv,
          .n_classes = classes,
          .n_windows = pipeline::n_windows_per_file,
          .n_sites = c.proto_ssm.n_sites,
          .meta_dim = r.meta_dim,
          .n_ssm_layers = r.n_ssm_layers,
          .clamp_ids = true};
}

struct ResidualHead {
  heads::ResidualSsmConfig config;
  nn::StateDict state;
};

struct HeadsBundle {
  Configuration configuration;
  std::vector<std::string> classes;
  std::vector<bool> texture;        ///< [C]
  std::vector<std::size_t> active;  ///< classes with a positive in a labelled window
  pipeline::PerchMapping mapping;
  std::uint32_t perch_labels_crc = 0;  ///< of the labels that `mapping` is about, see labels_crc
  pipeline::PriorTables priors;
  pipeline::SiteMapping sites;
  ProbeSet probes;
  heads::ProtoSsmConfig proto_config;
  nn::StateDict proto;
  std::optional<ResidualHead> residual;
  double ensemble_weight = 0.5;   ///< ProtoSSM's share
  std::vector<float> thresholds;  ///< [C]

  std::vector<float> temperatures() const {
    return pipeline::class_temperatures(texture, configuration.temperature_event,
                                        configuration.temperature_texture);
  }
  Result<pipeline::FusionClasses> fusion_classes() const {
    return pipeline::build_fusion_classes(mapping, texture, active);
  }
};

/// What a training found out, for logs.json.
struct TrainingLog {
  std::map<std::string, double> scores, seconds;
  std::map<std::string, std::size_t> counts;
  std::vector<std::pair<double, double>> ensemble_search;  ///< weight, macro AUC
  std::vector<std::pair<ProbeGridPoint, double>> probe_grid;
  std::vector<std::string> notes;  ///< what was left out, and why
};

struct TrainedHeads {
  HeadsBundle bundle;
  TrainingLog log;
};

/// CRC-32C of a model's labels in order: whether a bundle was made for it.
inline std::uint32_t labels_crc(std::span<const std::string> labels) {
  Crc32c crc;
  for (const std::string& label : labels) {
    crc.update(std::as_bytes(std::span(label)));
    crc.update(std::as_bytes(std::span("\n", 1)));
  }
  return crc.value();
}

}  // namespace pantanal::competition
