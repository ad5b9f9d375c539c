// SlidingProtoSsm: a ProtoSsm over the latest windows of a stream, as if they were a file.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/heads/proto_ssm.hpp"

namespace pantanal::stream {

/// Scores of a window that enough windows have followed; they last until the next call.
struct SettledWindow {
  std::uint64_t index = 0;                ///< counted from the first one pushed since reset()
  std::span<const float> species_logits;  ///< [K]
};

/// Keeps the last T = n_windows windows. A ProtoSsm looks both ways, so a window's scores settle only as
/// others follow: they are taken from the run in which `lag` windows have, or the stream has ended. Allocates
/// nothing after create().
class SlidingProtoSsm {
 public:
  /// 0 <= lag < n_windows.
  static Result<SlidingProtoSsm> create(heads::ProtoSsm model, std::size_t lag) {
    if (lag >= model.config().n_windows)
      return Error{ErrorCode::invalid_argument, "SlidingProtoSsm.lag", std::to_string(lag) + " windows",
                   "less than the model's " + std::to_string(model.config().n_windows)};
    return SlidingProtoSsm(std::move(model), lag);
  }

  /// Adds a window, embedding [d_input] and Perch's logits [K] of the model's classes or none, as always in
  /// this stream, and gives out the one that has settled, if one has. Errors: heads::ProtoSsm's, after which
  /// the sequence begins anew; arrays of another size, NaN or infinity, which change nothing.
  Result<std::optional<SettledWindow>> push(std::span<const float> embedding,
                                            std::span<const float> perch_logits = {}) {
    PANTANAL_TRY_STATUS(check(embedding, perch_logits));
    if (held_ == steps()) forget_first();
    std::ranges::copy(embedding, row(embeddings_, held_, embedding.size()).begin());
    std::ranges::copy(perch_logits, row(perch_logits_, held_, perch_logits.size()).begin());
    ++held_, ++pushed_;
    with_perch_ = !perch_logits.empty();
    if (Status status = run(); !status) {
      reset();
      return std::move(status).error();
    }
    if (pushed_ - given_ <= lag_) return std::optional<SettledWindow>();
    return std::optional(give());
  }

  /// After the last window: those that have not been given out, one a call.
  std::optional<SettledWindow> drain() {
    if (given_ == pushed_) return std::nullopt;
    return give();
  }

  /// Where and when the windows are heard, from the next one on; without it the model knows neither.
  void set_site_and_hour(std::int64_t site_id, std::int64_t hour) {
    site_id_ = site_id, hour_ = hour;
    has_meta_ = true;
  }

  /// A new sequence: what came before has nothing to do with what follows, after a gap for instance. What was
  /// not drained is lost.
  void reset() { held_ = 0, pushed_ = given_ = 0; }

 private:
  SlidingProtoSsm(heads::ProtoSsm model, std::size_t lag)
      : model_(std::move(model)),
        lag_(lag),
        embeddings_(steps() * model_.config().d_input),
        perch_logits_(steps() * classes()),
        species_logits_(steps() * classes()) {}

  std::size_t steps() const { return model_.config().n_windows; }
  std::size_t classes() const { return model_.config().n_classes; }

  static std::span<float> row(std::vector<float>& rows, std::size_t index, std::size_t columns) {
    return std::span(rows).subspan(index * columns, columns);
  }

  Status check(std::span<const float> embedding, std::span<const float> perch_logits) const {
    PANTANAL_TRY_STATUS(
        heads::detail::check_input("SlidingProtoSsm.embedding", embedding, 1, model_.config().d_input));
    PANTANAL_TRY_STATUS(
        heads::detail::check_input("SlidingProtoSsm.perch_logits", perch_logits, 1, classes(), true));
    if (held_ > 0 && perch_logits.empty() == with_perch_)
      return Error{ErrorCode::invalid_argument, "SlidingProtoSsm.perch_logits", with_perch_ ? "none" : "some",
                   with_perch_ ? "some, as before" : "none, as before"};
    return {};
  }

  void forget_first() {
    const auto shift = [this](std::vector<float>& rows, std::size_t columns) {
      std::copy(rows.begin() + static_cast<std::ptrdiff_t>(columns),
                rows.begin() + static_cast<std::ptrdiff_t>(held_ * columns), rows.begin());
    };
    shift(embeddings_, model_.config().d_input);
    shift(perch_logits_, classes());
    --held_;
  }

  Status run() {
    heads::ProtoSsm::Inputs inputs{.emb = row(embeddings_, 0, held_ * model_.config().d_input)};
    if (has_meta_) inputs.meta = {std::span(&site_id_, 1), std::span(&hour_, 1)};
    if (with_perch_) inputs.perch_logits = row(perch_logits_, 0, held_ * classes());
    return model_.run(inputs, 1, held_, {.species_logits = row(species_logits_, 0, held_ * classes())});
  }

  SettledWindow give() {
    const std::uint64_t first = pushed_ - held_;  // the window in row 0
    const SettledWindow settled{given_,
                                row(species_logits_, static_cast<std::size_t>(given_ - first), classes())};
    ++given_;
    return settled;
  }

  heads::ProtoSsm model_;
  std::size_t lag_, held_ = 0;
  std::uint64_t pushed_ = 0, given_ = 0;
  bool with_perch_ = false, has_meta_ = false;
  std::int64_t site_id_ = 0, hour_ = 0;
  std::vector<float> embeddings_, perch_logits_, species_logits_;
};

}  // namespace pantanal::stream
