// Perch v2 from the TensorFlow SavedModel that Kaggle publishes and the competition mounts (perch_v2_cpu/1).
#pragma once

#include <filesystem>
#include <optional>

#include "pantanal/core/result.hpp"
#include "pantanal/perch/model.hpp"

namespace pantanal::convert {

/// Whether `path` asks for read_savedmodel: a directory, or a file saved_model.pb.
bool is_savedmodel(const std::filesystem::path& path);

/// The directory that holds variables/variables.index: `path` itself, the only such directory in it, or, if
/// `path` is a saved_model.pb, where that lies.
Result<std::filesystem::path> find_savedmodel(const std::filesystem::path& path);

/// The model whose variables lie in find_savedmodel(path)/variables, BatchNorm folded in, prototypes brought
/// to unit length. The variables are the 497 leaves of Perch v2's Flax tree; each one's checksum, type, shape
/// and finiteness is checked. What they cannot tell (activations, strides, pads, the front end) is as
/// released. Widths and class count may be others, if all leaves agree on them: see difference_from_release.
/// The class names are those of `labels`, a file as read_labels takes it, or else of assets/labels.csv. The
/// model's source is the directory's name ("perch_v2_cpu/1" if it is but a version) and the SHA-256 of
/// variables.data-*.
Result<perch::Model> read_savedmodel(const std::filesystem::path& path,
                                     const std::optional<std::filesystem::path>& labels = std::nullopt);

}  // namespace pantanal::convert
