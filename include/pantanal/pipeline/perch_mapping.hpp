// From Perch's labels to a competition's classes: by scientific name, or by genus where a species is missing.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/pipeline/matrix.hpp"
#include "pantanal/pipeline/taxonomy.hpp"

namespace pantanal::pipeline {

/// A class without a label of its own that borrows those of its genus.
struct GenusProxy {
  std::size_t class_index = 0;
  std::string genus;
  std::vector<std::size_t> bc_indices;  ///< Perch's labels of that genus, ascending, at least one
};

/// Which of Perch's labels each class takes its score from.
struct PerchMapping {
  static constexpr std::size_t no_label = std::numeric_limits<std::size_t>::max();

  std::size_t n_labels = 0;             ///< how many labels Perch has
  std::vector<std::size_t> bc_indices;  ///< for each class Perch's label, or no_label
  std::vector<GenusProxy> proxies;      ///< sorted by the class' name

  bool is_mapped(std::size_t class_index) const { return bc_indices[class_index] != no_label; }
};

struct PerchMappingOptions {
  std::map<std::string, std::string, std::less<>> synonyms = {};  ///< taxonomy's name -> Perch's
  /// Taxonomic classes that may borrow from their genus; none switches proxies off.
  std::set<std::string, std::less<>> proxy_taxa = {"Amphibia", "Insecta", "Aves"};
};

namespace detail {

inline bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// The first word of a scientific name.
inline std::string_view genus_of(std::string_view scientific_name) {
  const auto begin = std::ranges::find_if_not(scientific_name, is_blank);
  return {begin, std::find_if(begin, scientific_name.end(), is_blank)};
}

/// Perch's labels that are `genus`, a blank, and anything.
inline std::vector<std::size_t> genus_hits(std::string_view genus, std::span<const std::string> labels) {
  std::vector<std::size_t> hits;
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i].size() > genus.size() && labels[i].starts_with(genus) && is_blank(labels[i][genus.size()]))
      hits.push_back(i);
  return hits;
}

}  // namespace detail

/// Maps `classes` to `perch_labels` by exact scientific name, one replaced first if `synonyms` has it.
///
/// An unmapped class gets a proxy if its taxonomic class is among `proxy_taxa`, its genus has labels, and its
/// own label does not contain "son": the notebook looks for that text to leave out sonotypes (47158son01),
/// and would leave out any other label with it. The genus is that of the taxonomy's name, not of its synonym.
///
/// Errors: a class that the taxonomy lacks (`not_found`); a name that Perch lists twice (`corrupt`).
inline Result<PerchMapping> map_to_perch(const Taxonomy& taxonomy, std::span<const std::string> classes,
                                         std::span<const std::string> perch_labels,
                                         const PerchMappingOptions& options = {}) {
  PANTANAL_TRY(const std::vector<std::size_t> entries, find_classes(taxonomy, classes));
  std::multimap<std::string_view, std::size_t> label_of;
  for (std::size_t i = 0; i < perch_labels.size(); ++i) label_of.emplace(perch_labels[i], i);

  PerchMapping mapping{perch_labels.size(), {}, {}};
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const TaxonomyEntry& entry = taxonomy.entries[entries[c]];
    const auto synonym = options.synonyms.find(entry.scientific_name);
    const std::string& name = synonym == options.synonyms.end() ? entry.scientific_name : synonym->second;
    const auto [begin, end] = label_of.equal_range(name);
    if (begin != end && std::next(begin) != end)
      return Error{ErrorCode::corrupt, "Perch labels", "'" + name + "' twice", "each mapped name once"};
    mapping.bc_indices.push_back(begin == end ? PerchMapping::no_label : begin->second);
    if (begin != end || !options.proxy_taxa.contains(entry.class_name) ||
        classes[c].find("son") != std::string::npos)
      continue;
    const std::string_view genus = detail::genus_of(entry.scientific_name);
    if (auto hits = detail::genus_hits(genus, perch_labels); !genus.empty() && !hits.empty())
      mapping.proxies.push_back({c, std::string(genus), std::move(hits)});
  }
  std::ranges::sort(mapping.proxies, {}, [&](const GenusProxy& proxy) -> const std::string& {
    return classes[proxy.class_index];
  });
  return mapping;
}

/// What a proxy makes of its genus' logits.
enum class ProxyReduce { max, mean };

/// Competition scores [N, C] of Perch's label logits [N, n_labels]: a mapped class' own logit, a proxy's
/// maximum or mean, otherwise 0. Errors: logits of another width, or not finite.
inline Result<Scores> map_perch_logits(const Scores& logits, const PerchMapping& mapping,
                                       ProxyReduce reduce = ProxyReduce::max) {
  PANTANAL_TRY_STATUS(detail::check_size("Perch logits", logits, logits.rows, mapping.n_labels));
  PANTANAL_TRY_STATUS(detail::check_finite("Perch logits", logits));
  Scores scores(logits.rows, mapping.bc_indices.size());
  for (std::size_t i = 0; i < logits.rows; ++i) {
    const std::span<const float> from = logits.row(i);
    for (std::size_t c = 0; c < scores.columns; ++c)
      if (mapping.is_mapped(c)) scores(i, c) = from[mapping.bc_indices[c]];
    for (const GenusProxy& proxy : mapping.proxies) {
      float most = from[proxy.bc_indices.front()];
      double sum = 0;
      for (const std::size_t label : proxy.bc_indices) {
        most = std::max(most, from[label]);
        sum += double{from[label]};
      }
      const double mean = sum / static_cast<double>(proxy.bc_indices.size());
      scores(i, proxy.class_index) = reduce == ProxyReduce::max ? most : static_cast<float>(mean);
    }
  }
  return scores;
}

}  // namespace pantanal::pipeline
