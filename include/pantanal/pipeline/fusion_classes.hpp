// FusionClasses: which classes each step of the fusion of scores and priors is for.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/pipeline/perch_mapping.hpp"

namespace pantanal::pipeline {

/// Class indices, each list ascending. Active classes have a positive in Y_SC, all labelled windows.
struct FusionClasses {
  std::size_t n_classes = 0;
  std::vector<std::size_t> active_texture, active_event;
  std::vector<std::size_t> mapped_active_texture, mapped_active_event;
  std::vector<std::size_t> proxied_active_texture;                              ///< with a genus proxy
  std::vector<std::size_t> prior_only_active_texture, prior_only_active_event;  ///< neither label nor proxy
  std::vector<std::size_t> unmapped_inactive;                                   ///< proxied ones included
};

/// Sorts the classes. `texture` says of each whether it is a texture, `active` lists those that are active
/// (see active_classes). As in the notebook, an active event with a proxy is in no list of the fusion's: it
/// gets no prior; and an inactive class with a proxy is among the unmapped inactive, whose scores are
/// overwritten.
inline Result<FusionClasses> build_fusion_classes(const PerchMapping& mapping,
                                                  const std::vector<bool>& texture,
                                                  std::span<const std::size_t> active) {
  FusionClasses classes;
  classes.n_classes = mapping.bc_indices.size();
  if (texture.size() != classes.n_classes)
    return Error{ErrorCode::mismatch, "texture", std::to_string(texture.size()) + " classes",
                 std::to_string(classes.n_classes)};
  std::vector<bool> is_active(classes.n_classes), has_proxy(classes.n_classes);
  for (const std::size_t c : active) {
    if (c >= classes.n_classes)
      return Error{ErrorCode::invalid_argument, "active", "class " + std::to_string(c),
                   "at most " + std::to_string(classes.n_classes) + " classes"};
    is_active[c] = true;
  }
  for (const GenusProxy& proxy : mapping.proxies) has_proxy[proxy.class_index] = true;

  for (std::size_t c = 0; c < classes.n_classes; ++c) {
    if (!is_active[c]) {
      if (!mapping.is_mapped(c)) classes.unmapped_inactive.push_back(c);
      continue;
    }
    (texture[c] ? classes.active_texture : classes.active_event).push_back(c);
    if (mapping.is_mapped(c)) {
      (texture[c] ? classes.mapped_active_texture : classes.mapped_active_event).push_back(c);
    } else if (!has_proxy[c]) {
      (texture[c] ? classes.prior_only_active_texture : classes.prior_only_active_event).push_back(c);
    } else if (texture[c]) {
      classes.proxied_active_texture.push_back(c);
    }
  }
  return classes;
}

}  // namespace pantanal::pipeline
