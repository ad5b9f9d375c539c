// Effort: how much is computed per soundscape, and what is given up when time runs short.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace pantanal::competition {

/// In the order in which things are given up; each includes those before it.
enum class Effort : std::uint8_t {
  full,          ///< everything that the bundle asks for
  no_tta,        ///< ProtoSSM on unshifted windows only
  no_residual,   ///< and no correction by the ResidualSSM
  no_proto_ssm,  ///< and probes alone, without ProtoSSM
  prior_only     ///< and nothing of the recording at all: what is left when time is up
};

inline const char* to_string(Effort effort) {
  constexpr std::array names = {"everything", "no shifts (TTA)", "no ResidualSSM", "no ProtoSSM",
                                "priors only"};
  return names[static_cast<std::size_t>(effort)];
}

/// Seconds per file of each stage, as measured so far.
struct Pace {
  double perch = 0;      ///< decoding included, as far as it is waited for
  double probes = 0;     ///< fusion with the priors included
  double proto_ssm = 0;  ///< unshifted
  double shifts = 0;     ///< what the other shifts add
  double residual = 0;
  double postprocess = 0;

  /// Of one file at `effort`.
  double seconds(Effort effort) const {
    double sum = perch + probes + postprocess;
    if (effort <= Effort::no_residual) sum += proto_ssm;
    if (effort <= Effort::no_tta) sum += residual;
    if (effort <= Effort::full) sum += shifts;
    return effort == Effort::prior_only ? 0 : sum;
  }
};

/// The most that `files` files can be given in `seconds` at this pace, but no more than `now`: what was given
/// up stays so. no_proto_ssm is returned even where time does not suffice for it: whatever is left when time
/// is up keeps its priors.
inline Effort choose_effort(Effort now, const Pace& pace, std::size_t files, double seconds) {
  for (Effort effort = now; effort < Effort::no_proto_ssm;
       effort = static_cast<Effort>(static_cast<std::uint8_t>(effort) + 1))
    if (static_cast<double>(files) * pace.seconds(effort) <= seconds) return effort;
  return std::max(now, Effort::no_proto_ssm);
}

/// A pace out of stages of several files, later ones counting more: an exponential mean whose first value is
/// the first measurement.
class PaceMeter {
 public:
  /// `total` seconds of each stage over `files` files; stages that were not run are not in `total`.
  void add(const Pace& total, std::size_t files, Effort effort) {
    if (files == 0) return;
    const double n = static_cast<double>(files);
    mix(pace_.perch, total.perch / n, has_perch_);
    mix(pace_.probes, total.probes / n, has_perch_);
    mix(pace_.postprocess, total.postprocess / n, has_perch_);
    if (effort <= Effort::no_residual) mix(pace_.proto_ssm, total.proto_ssm / n, has_proto_ssm_);
    if (effort <= Effort::no_tta) mix(pace_.residual, total.residual / n, has_residual_);
    if (effort <= Effort::full) mix(pace_.shifts, total.shifts / n, has_shifts_);
    has_perch_ = true;
    has_proto_ssm_ |= effort <= Effort::no_residual;
    has_residual_ |= effort <= Effort::no_tta;
    has_shifts_ |= effort <= Effort::full;
  }

  /// Nothing before the first add().
  std::optional<Pace> pace() const { return has_perch_ ? std::optional(pace_) : std::nullopt; }

 private:
  static void mix(double& mean, double value, bool has_mean) {
    constexpr double weight = 0.2;
    mean = has_mean ? (1 - weight) * mean + weight * value : value;
  }

  Pace pace_;
  bool has_perch_ = false, has_proto_ssm_ = false, has_residual_ = false, has_shifts_ = false;
};

}  // namespace pantanal::competition
