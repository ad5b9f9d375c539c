// Predictions for every file by a ProtoSSM that has not seen it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/heads/proto_ssm.hpp"
#include "pantanal/ml/splits.hpp"
#include "pantanal/train/initial_state.hpp"
#include "pantanal/train/prototypes.hpp"
#include "pantanal/train/train_proto_ssm.hpp"

namespace pantanal::train {

struct OutOfFoldOptions {
  ProtoSsmTraining training =
      {};                    ///< its seed, plus the fold's number, is a fold's; its checkpoint is not used
  std::size_t n_splits = 5;  ///< fewer where there are fewer groups
  std::vector<int> shifts = {0, 1, -1, 2, -2};  ///< of test-time augmentation
  std::function<void(std::size_t fold, std::size_t n_splits, std::size_t train_files, std::size_t val_files)>
      begin_fold = {};
};

struct OutOfFold {
  std::vector<float> logits;              ///< [F, T, K]
  std::vector<std::size_t> folds;         ///< of each file
  std::vector<History> histories;         ///< of each fold
  std::vector<std::vector<float>> gates;  ///< σ(fusion_alpha) of each fold, [K]
  bool interrupted = false;               ///< by should_stop: folds after the one it came in are zero
};

namespace detail {

/// Some of a set's files, copied.
struct ProtoSsmSubset {
  ProtoSsmSubset(const ProtoSsmData& from, std::span<const std::size_t> files) : steps(from.steps) {
    const auto take = [&](auto values, auto& to) {
      const std::size_t size = values.size() / from.files;
      for (const std::size_t f : files) {
        const auto part = values.subspan(f * size, size);
        to.insert(to.end(), part.begin(), part.end());
      }
    };
    take(from.emb, emb), take(from.logits, logits), take(from.labels, labels), take(from.families, families);
    take(from.site_ids, site_ids), take(from.hours, hours);
    count = files.size();
  }
  ProtoSsmData data() const { return {emb, logits, labels, site_ids, hours, families, count, steps}; }

  std::vector<float> emb, logits, labels, families;
  std::vector<std::int64_t> site_ids, hours;
  std::size_t count = 0, steps = 0;
};

/// A fold's model on its validation files, into their places.
inline Status predict_fold(const nn::StateDict& state, const heads::ProtoSsmConfig& config,
                           const ProtoSsmData& validation, std::span<const std::size_t> files,
                           const OutOfFoldOptions& o, std::span<float> logits) {
  PANTANAL_TRY(heads::ProtoSsm session, heads::ProtoSsm::create(state, config,
                                                                {.threads = thread_count(o.training.training),
                                                                 .isa = o.training.training.isa}));
  std::vector<float> species(validation.labels.size());
  PANTANAL_TRY_STATUS(
      session.temporal_shift_tta({validation.emb, validation.logits, {validation.site_ids, validation.hours}},
                                 validation.files, validation.steps, o.shifts, species));
  const std::size_t size = species.size() / files.size();
  for (std::size_t i = 0; i < files.size(); ++i)
    std::copy_n(species.data() + i * size, size, logits.data() + files[i] * size);
  return {};
}

}  // namespace detail

/// GroupKFold over `groups`, one per file; for each fold a fresh model, its prototypes started from the
/// fold's data, trained with the fold's files as validation set, and its logits for them averaged over
/// shifts. Errors: as train_proto_ssm's; fewer than two groups; another number of groups than files.
inline Result<OutOfFold> run_proto_ssm_oof(const heads::ProtoSsmConfig& config, const ProtoSsmData& data,
                                           std::span<const std::string> groups,
                                           const OutOfFoldOptions& options) {
  const std::string where = "run_proto_ssm_oof";
  PANTANAL_TRY_STATUS(heads::validate(config));
  PANTANAL_TRY_STATUS(validate(data, config, where));
  if (groups.size() != data.files)
    return Error{ErrorCode::invalid_argument, where, std::to_string(groups.size()) + " groups",
                 std::to_string(data.files) + ", one per file"};
  const std::size_t unique = std::set<std::string>(groups.begin(), groups.end()).size(),
                    n_splits = std::min(options.n_splits, unique);
  OutOfFold result;
  PANTANAL_TRY(result.folds, ml::group_k_fold_of(groups, n_splits));
  result.logits.resize(data.labels.size());
  for (std::size_t fold = 0; fold < n_splits && !result.interrupted; ++fold) {
    std::vector<std::size_t> in, out;
    for (std::size_t f = 0; f < data.files; ++f) (result.folds[f] == fold ? out : in).push_back(f);
    if (options.begin_fold) options.begin_fold(fold, n_splits, in.size(), out.size());
    const detail::ProtoSsmSubset training(data, in), validation(data, out);
    ProtoSsmTraining fold_options = options.training;
    TrainingOptions& o = fold_options.training;
    o.seed += fold, o.checkpoint.clear();
    const ProtoSsmData held = validation.data();
    const nn::StateDict start = start_prototypes(initial_state(heads::required_tensors(config), o.seed),
                                                 config, training.data(), o.dropout, o.seed);
    PANTANAL_TRY(TrainedModel model, train_proto_ssm(start, config, training.data(), &held, fold_options));
    PANTANAL_TRY_STATUS(detail::predict_fold(model.state, config, held, out, options, result.logits));
    result.interrupted = model.interrupted;
    result.histories.push_back(std::move(model.history));
    std::vector<float>& gates = result.gates.emplace_back();
    for (const float alpha : tensor_values(model.state, "fusion_alpha"))
      gates.push_back(static_cast<float>(Logistic(double{alpha}).p));
  }
  return result;
}

}  // namespace pantanal::train
