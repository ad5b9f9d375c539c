// WindowEncoder: what both heads begin with: windows projected to d_model, and what each knows of its place
// and time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/core/tensor.hpp"
#include "pantanal/heads/session.hpp"
#include "pantanal/nn/activations.hpp"
#include "pantanal/nn/embedding.hpp"
#include "pantanal/nn/layer_norm.hpp"
#include "pantanal/nn/linear.hpp"
#include "pantanal/nn/rows.hpp"

namespace pantanal::heads {

/// h = gelu(norm(linear(x))) per window, + pos_enc[t] per step, + meta_proj([site_emb(site), hour_emb(hour)])
/// per file. Parameters: input_proj.0 (Linear), input_proj.1 (LayerNorm), pos_enc [1, n_windows, d], site_emb
/// [n_sites, m], hour_emb [24, m], meta_proj (Linear 2m -> d).
class WindowEncoder {
 public:
  static constexpr std::size_t hours = 24;

  struct Config {
    std::size_t d_input = 0, d_model = 0, n_windows = 0, n_sites = 0, meta_dim = 0;
  };

  static void require(TensorList& list, const Config& c) {
    nn::Linear::require(list, "input_proj.0", c.d_input, c.d_model);
    nn::LayerNorm::require(list, "input_proj.1", c.d_model);
    list.add("pos_enc", {1, c.n_windows, c.d_model});
    nn::Embedding::require(list, "site_emb", c.n_sites, c.meta_dim);
    nn::Embedding::require(list, "hour_emb", hours, c.meta_dim);
    nn::Linear::require(list, "meta_proj", 2 * c.meta_dim, c.d_model);
  }

  WindowEncoder(const kernels::KernelTable& table, const nn::StateDict& state, const Config& c)
      : table_(&table),
        config_(c),
        linear_(table, state, "input_proj.0", c.d_input, c.d_model),
        norm_(table, state, "input_proj.1"),
        site_emb_(state, "site_emb", c.meta_dim),
        hour_emb_(state, "hour_emb", c.meta_dim),
        meta_proj_(table, state, "meta_proj", 2 * c.meta_dim, c.d_model) {
    const std::span<const float> positions = tensor_values(state, "pos_enc");
    pos_enc_.assign(positions.begin(), positions.end());
  }

  const nn::Embedding& site_emb() const { return site_emb_; }
  const nn::Embedding& hour_emb() const { return hour_emb_; }
  std::size_t stride() const { return nn::row_stride(config_.d_model); }

  /// x [rows, d_input] -> h [rows, stride()].
  void project(const float* x, std::size_t rows, float* h) const {
    linear_.run(x, config_.d_input, rows, h);
    norm_.run(h, rows, h);
    nn::gelu(*table_, h, rows, stride(), config_.d_model);
  }

  std::size_t meta_scratch_size(std::size_t files) const {
    return nn::Scratch::size_of(files * 2 * config_.meta_dim);
  }

  /// Site and hour ids, in range, -> meta [files, stride()].
  void embed_meta(std::span<const std::int64_t> site_ids, std::span<const std::int64_t> hour_ids, float* meta,
                  nn::Scratch scratch) const {
    const std::size_t m = config_.meta_dim;
    float* pairs = scratch.take(site_ids.size() * 2 * m);
    for (std::size_t i = 0; i < site_ids.size(); ++i) {
      site_emb_.run(site_ids[i], pairs + i * 2 * m);
      hour_emb_.run(hour_ids[i], pairs + i * 2 * m + m);
    }
    meta_proj_.run(pairs, 2 * m, site_ids.size(), meta);
  }

  /// y = x + pos_enc[t], d columns.
  void add_position(const float* x, std::size_t t, float* y) const {
    for (std::size_t c = 0; c < config_.d_model; ++c) y[c] = x[c] + pos_enc_[t * config_.d_model + c];
  }

  /// y = x + meta, d columns.
  void add_meta(const float* x, const float* meta, float* y) const {
    for (std::size_t c = 0; c < config_.d_model; ++c) y[c] = x[c] + meta[c];
  }

 private:
  const kernels::KernelTable* table_;
  Config config_;
  nn::Linear linear_;
  nn::LayerNorm norm_;
  nn::Embedding site_emb_, hour_emb_;
  nn::Linear meta_proj_;
  std::vector<float> pos_enc_;
};

/// Whether there is a site and an hour for each file, or neither, and all have embeddings unless they will be
/// clamped.
inline Status check_meta(const FileMeta& meta, std::size_t files, const WindowEncoder& encoder,
                         std::string_view where, bool clamped = false) {
  if (meta.empty()) return {};
  for (const auto& [name, ids] : {std::pair{"site_ids", meta.site_ids}, std::pair{"hours", meta.hours}})
    if (ids.size() != files)
      return Error{ErrorCode::invalid_argument, std::string(where) + "." + name,
                   std::to_string(ids.size()) + " ids",
                   std::to_string(files) + ", one per file, or neither site_ids nor hours"};
  if (clamped) return {};
  PANTANAL_TRY_STATUS(encoder.site_emb().check(meta.site_ids, where, "site_ids"));
  return encoder.hour_emb().check(meta.hours, where, "hours");
}

}  // namespace pantanal::heads
