// Bell: when the time that was given is over.
#pragma once

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>

namespace pantanal::competition {

class Bell {
 public:
  using Clock = std::chrono::steady_clock;

  /// Rings `budget_s` seconds after `start`, or never.
  Bell(Clock::time_point start, std::optional<double> budget_s) : start_(start), budget_s_(budget_s) {}

  /// How long the last publication will take: work must end so much earlier.
  void reserve(double seconds) { reserved_ = std::max(reserved_, seconds); }

  Clock::time_point start() const { return start_; }
  double elapsed() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  /// Seconds for work; infinite without a budget, negative when time is over.
  double left() const {
    if (!budget_s_) return std::numeric_limits<double>::infinity();
    return *budget_s_ - reserved_ - elapsed();
  }
  bool has_rung() const { return left() <= 0; }

 private:
  Clock::time_point start_;
  std::optional<double> budget_s_;
  double reserved_ = 0;
};

}  // namespace pantanal::competition
