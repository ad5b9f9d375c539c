// HeadsSession: from Perch's outputs for some soundscapes to the rows of a submission.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/competition/effort.hpp"
#include "pantanal/competition/heads.hpp"
#include "pantanal/competition/perch_outputs.hpp"
#include "pantanal/competition/probes_oof.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/heads/proto_ssm.hpp"
#include "pantanal/heads/residual_ssm.hpp"
#include "pantanal/pipeline/ensemble.hpp"
#include "pantanal/pipeline/file_metadata.hpp"
#include "pantanal/pipeline/fuse_scores.hpp"
#include "pantanal/pipeline/postprocess.hpp"

namespace pantanal::competition {

/// Rows of windows of which only place and hour are known, whole files: the prior's logits through all of
/// post-processing, so that they are on the scale of the rows that recordings give. [N, C]. Errors: none with
/// tables and options of one competition.
inline Result<pipeline::Scores> prior_probabilities(std::span<const pipeline::SiteHour> places,
                                                    const pipeline::PriorTables& priors,
                                                    const std::vector<bool>& texture,
                                                    std::span<const float> thresholds,
                                                    const Configuration& configuration) {
  PANTANAL_TRY(pipeline::Scores logits, pipeline::prior_logits_from_tables(places, priors));
  return pipeline::postprocess(std::move(logits),
                               pipeline::class_temperatures(texture, configuration.temperature_event,
                                                            configuration.temperature_texture),
                               thresholds, configuration.postprocess);
}

namespace detail {

/// Seconds since it was made or asked last.
class StopWatch {
 public:
  double lap() {
    const Clock::time_point now = Clock::now();
    return std::chrono::duration<double>(now - std::exchange(last_, now)).count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point last_ = Clock::now();
};

/// site and hour ids of whole files.
inline Result<pipeline::FileIds> file_ids(std::span<const pipeline::WindowMeta> meta,
                                          const pipeline::SiteMapping& sites, std::size_t n_sites) {
  PANTANAL_TRY(const std::vector<std::string> files, pipeline::reshape_to_files(meta));
  return pipeline::get_file_metadata(meta, files, sites, static_cast<std::int64_t>(n_sites));
}

}  // namespace detail

/// The heads' sessions, planned once. Rows depend on their own file and the effort alone, bit for bit:
/// neither on the files beside it nor on the number of threads. One prediction at a time.
class HeadsSession {
 public:
  static Result<HeadsSession> create(std::shared_ptr<const HeadsBundle> bundle, std::size_t threads) {
    PANTANAL_TRY(pipeline::FusionClasses classes, bundle->fusion_classes());
    PANTANAL_TRY(heads::ProtoSsm proto,
                 heads::ProtoSsm::create(bundle->proto, bundle->proto_config, {.threads = threads}));
    HeadsSession session(std::move(bundle), std::move(classes), std::move(proto), threads);
    if (const auto& residual = session.bundle_->residual) {
      PANTANAL_TRY(session.residual_,
                   heads::ResidualSsm::create(residual->state, residual->config, {.threads = threads}));
    }
    return session;
  }

  const HeadsBundle& bundle() const { return *bundle_; }

  /// Probabilities [N, C] of `perch`, whole files. Adds what each stage took to `spent` (its perch stays).
  /// `observer` sees prior, base, probes, proto, first_pass and correction, as far as `effort` has them,
  /// final, and the steps of post-processing. Errors: sizes that differ from the bundle's, values that are
  /// not finite or overflow.
  Result<pipeline::Scores> predict(const PerchOutputs& perch, Effort effort, Pace& spent,
                                   const pipeline::StepObserver& observer = {}) {
    using pipeline::detail::tell;
    detail::StopWatch watch;
    PANTANAL_TRY(const pipeline::FusedScores fused,
                 pipeline::fuse_scores_with_tables(perch.scores, detail::places_of(perch.meta),
                                                   bundle_->priors, classes_, bundle_->configuration.fusion));
    PANTANAL_TRY(
        pipeline::Scores scores,
        probe_scores(bundle_->probes, {perch.emb, perch.scores, fused.prior, fused.scores}, threads_));
    tell(observer, "prior", fused.prior), tell(observer, "base", fused.scores);
    tell(observer, "probes", scores);
    spent.probes += watch.lap();
    if (effort <= Effort::no_residual) {
      PANTANAL_TRY(const pipeline::FileIds ids,
                   detail::file_ids(perch.meta, bundle_->sites, bundle_->proto_config.n_sites));
      PANTANAL_TRY(const pipeline::Scores proto, proto_logits(perch, ids, effort, spent));
      PANTANAL_TRY(scores, pipeline::blend_scores(proto, std::move(scores), bundle_->ensemble_weight));
      tell(observer, "proto", proto), tell(observer, "first_pass", scores);
      watch.lap();
      if (residual_ && effort <= Effort::no_tta) {
        PANTANAL_TRY(scores, corrected(perch, ids, std::move(scores), observer));
        spent.residual += watch.lap();
      }
    }
    tell(observer, "final", scores);
    PANTANAL_TRY(pipeline::Scores probabilities,
                 pipeline::postprocess(std::move(scores), bundle_->temperatures(), bundle_->thresholds,
                                       bundle_->configuration.postprocess, observer));
    spent.postprocess += watch.lap();
    return probabilities;
  }

  /// ProtoSSM's logits [N, C]: unshifted, and at full effort the mean over the configuration's shifts.
  Result<pipeline::Scores> proto_logits(const PerchOutputs& perch, const pipeline::FileIds& ids,
                                        Effort effort, Pace& spent) {
    constexpr std::size_t steps = pipeline::n_windows_per_file;
    const std::vector<int>& all = bundle_->configuration.tta_shifts;
    const std::vector<int> one = {0}, &shifts = effort == Effort::full ? all : one;
    detail::StopWatch watch;
    pipeline::Scores logits(perch.meta.size(), bundle_->classes.size());
    PANTANAL_TRY_STATUS(
        proto_.temporal_shift_tta({perch.emb.values, perch.scores.values, {ids.site_ids, ids.hours}},
                                  perch.files(), steps, shifts, logits.values));
    const double seconds = watch.lap(), count = static_cast<double>(shifts.size());
    spent.proto_ssm += seconds / count;
    spent.shifts += seconds * (1 - 1 / count);
    return logits;
  }

 private:
  HeadsSession(std::shared_ptr<const HeadsBundle> bundle, pipeline::FusionClasses classes,
               heads::ProtoSsm proto, std::size_t threads)
      : bundle_(std::move(bundle)),
        classes_(std::move(classes)),
        proto_(std::move(proto)),
        threads_(threads) {}

  Result<pipeline::Scores> corrected(const PerchOutputs& perch, const pipeline::FileIds& ids,
                                     pipeline::Scores first_pass, const pipeline::StepObserver& observer) {
    pipeline::Scores correction(first_pass.rows, first_pass.columns);
    PANTANAL_TRY_STATUS(residual_->run({perch.emb.values, first_pass.values, {ids.site_ids, ids.hours}},
                                       perch.files(), pipeline::n_windows_per_file, correction.values));
    pipeline::detail::tell(observer, "correction", correction);
    return pipeline::add_correction(std::move(first_pass), correction,
                                    bundle_->configuration.residual_ssm.correction_weight);
  }

  std::shared_ptr<const HeadsBundle> bundle_;
  pipeline::FusionClasses classes_;
  heads::ProtoSsm proto_;
  std::optional<heads::ResidualSsm> residual_;
  std::size_t threads_;
};

}  // namespace pantanal::competition
