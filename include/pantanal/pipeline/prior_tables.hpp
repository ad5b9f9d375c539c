// How often each class was heard, in all, at a site, at an hour, and at a site and hour: tables and their
// logits.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/pipeline/matrix.hpp"
#include "pantanal/pipeline/window_meta.hpp"

namespace pantanal::pipeline {

/// Share of windows that hold each class, among `n` windows.
struct Prior {
  float n = 0;
  std::vector<float> p;  ///< [classes]
};

struct PriorTables {
  std::vector<float> global_p;  ///< [classes]
  std::map<std::string, Prior> site;
  std::map<int, Prior> hour;  ///< -1, the hour of a file whose name does not tell it, included; never read
  std::map<std::pair<std::string, int>, Prior> site_hour;
};

namespace detail {

/// Counts positives per class; sums of at most 2^24 windows are exact.
struct PriorCount {
  void add(std::span<const std::uint8_t> labels) {
    ++n;
    positives.resize(labels.size());
    for (std::size_t c = 0; c < labels.size(); ++c) positives[c] += labels[c];
  }
  Prior prior() const {
    Prior prior{static_cast<float>(n), {}};
    for (const std::size_t count : positives)
      prior.p.push_back(static_cast<float>(static_cast<double>(count) / static_cast<double>(n)));
    return prior;
  }
  std::size_t n = 0;
  std::vector<std::size_t> positives;
};

template <class Key>
std::map<Key, Prior> priors(const std::map<Key, PriorCount>& counts) {
  std::map<Key, Prior> all;
  for (const auto& [key, count] : counts) all.emplace(key, count.prior());
  return all;
}

/// p = w·q + (1−w)·p with w = n/(n+strength), step by step in float32 as the notebook has it.
inline void shrink(std::span<float> p, const Prior& prior, float strength) {
  const float w = prior.n / (prior.n + strength), rest = 1.0f - w;
  for (std::size_t c = 0; c < p.size(); ++c) p[c] = w * prior.p[c] + rest * p[c];
}

template <class Key>
void shrink_if_known(std::span<float> p, const std::map<Key, Prior>& table, const Key& key, float strength) {
  if (const auto found = table.find(key); found != table.end()) shrink(p, found->second, strength);
}

}  // namespace detail

/// The tables of labelled windows: `places` [N] says where and when each was recorded, `y` [N, C] what is in
/// it. Windows without site count in the global and the hours' means only. Errors: sizes that differ, no
/// windows.
inline Result<PriorTables> fit_prior_tables(std::span<const SiteHour> places, const MultiHot& y) {
  PANTANAL_TRY_STATUS(detail::check_size("prior labels", y, places.size(), y.columns));
  if (places.empty())
    return Error{ErrorCode::invalid_argument, "prior labels", "no labelled windows", "at least one"};
  detail::PriorCount all;
  std::map<std::string, detail::PriorCount> site;
  std::map<int, detail::PriorCount> hour;
  std::map<std::pair<std::string, int>, detail::PriorCount> site_hour;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::span<const std::uint8_t> labels = y.row(i);
    all.add(labels);
    hour[places[i].hour_utc].add(labels);
    if (!places[i].site) continue;
    site[*places[i].site].add(labels);
    site_hour[{*places[i].site, places[i].hour_utc}].add(labels);
  }
  return PriorTables{all.prior().p, detail::priors(site), detail::priors(hour), detail::priors(site_hour)};
}

/// Prior logits [N, C] = log p − log(1−p). p starts as the global share and is drawn to the share of the
/// row's hour by n/(n+8), then of its site by n/(n+8), then of site and hour by n/(n+4), each where it is
/// known; then it is clipped to [eps, 1−eps]. Error: an eps that is not in (0, 0.5).
inline Result<Scores> prior_logits_from_tables(std::span<const SiteHour> places, const PriorTables& tables,
                                               float eps = 1e-4f) {
  if (!(eps > 0 && eps < 0.5f))
    return Error{ErrorCode::invalid_argument, "eps", std::to_string(eps), "more than 0 and less than 0.5"};
  Scores logits(places.size(), tables.global_p.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto& [site, hour] = places[i];
    const std::span<float> p = logits.row(i);
    std::ranges::copy(tables.global_p, p.begin());
    if (hour >= 0) detail::shrink_if_known(p, tables.hour, hour, 8);
    if (site) detail::shrink_if_known(p, tables.site, *site, 8);
    if (site && hour >= 0) detail::shrink_if_known(p, tables.site_hour, {*site, hour}, 4);
    for (float& x : p) {
      x = std::clamp(x, eps, 1 - eps);
      x = std::log(x) - std::log1p(-x);
    }
  }
  return logits;
}

}  // namespace pantanal::pipeline
