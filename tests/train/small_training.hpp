// A small ProtoSSM and files whose classes can be learnt: each positive window carries its class's direction.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/guarded.hpp"
#include "pantanal/train/initial_state.hpp"
#include "pantanal/train/train_proto_ssm.hpp"

namespace pantanal::train {

struct SmallTraining {
  explicit SmallTraining(std::size_t file_count = 8) : files(file_count) {
    config.d_input = 24, config.d_model = 20, config.d_state = 3, config.n_ssm_layers = 1,
    config.n_classes = 5;
    config.n_windows = 6, config.n_sites = 4, config.meta_dim = 3, config.cross_attn_heads = 2,
    config.n_families = 2;
    const std::size_t rows = files * config.n_windows;
    const std::vector<float> direction = kernels::random_floats(config.n_classes * config.d_input, 1);
    emb = kernels::random_floats(rows * config.d_input, 2, 0.5f);
    logits = kernels::random_floats(rows * config.n_classes, 3, 0.5f);
    labels.resize(rows * config.n_classes);
    Random random({.seed = 9});
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (random.uniform() > 0.3) continue;
      labels[i] = 1;
      for (std::size_t j = 0; j < config.d_input; ++j)
        emb[i / config.n_classes * config.d_input + j] +=
            direction[i % config.n_classes * config.d_input + j];
    }
    for (std::size_t f = 0; f < files; ++f) {
      site_ids.push_back(static_cast<std::int64_t>(f % 4)),
          hours.push_back(static_cast<std::int64_t>(f * 3 % 24));
      groups.push_back("S" + std::to_string(f % 4));
      families.push_back(f % 2 == 0 ? 1.0f : 0.0f), families.push_back(0.0f);
    }
    state = initial_state(heads::required_tensors(config), 7);
    options.training = {.n_epochs = 24, .lr = 5e-3, .dropout = 0.1f, .patience = 0, .seed = 3, .threads = 2};
  }
  ProtoSsmData data() const { return {emb, logits, labels, site_ids, hours, {}, files, config.n_windows}; }

  std::size_t files;
  heads::ProtoSsmConfig config;
  std::vector<float> emb, logits, labels, families;
  std::vector<std::int64_t> site_ids, hours;
  std::vector<std::string> groups;
  nn::StateDict state;
  ProtoSsmTraining options;
};

inline bool same_bytes(const nn::StateDict& a, const nn::StateDict& b) {
  for (const auto& [name, tensor] : a)
    if (!std::equal(tensor.values.begin(), tensor.values.end(), b.at(name).values.begin())) return false;
  return a.size() == b.size();
}

}  // namespace pantanal::train
