#include "savedmodel/savedmodel.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "labels/class_list.hpp"
#include "savedmodel/flax_leaves.hpp"
#include "savedmodel/flax_weights.hpp"
#include "savedmodel/tensor_bundle.hpp"
#include "sha256.hpp"

namespace pantanal::convert {
namespace {

namespace fs = std::filesystem;

constexpr const char* graph_file = "saved_model.pb";

bool has_variables(const fs::path& directory) {
  std::error_code failure;
  return fs::is_regular_file(directory / "variables" / "variables.index", failure);
}

/// Subdirectories of `directory` that are SavedModels, sorted.
std::vector<fs::path> savedmodels_in(const fs::path& directory) {
  std::vector<fs::path> found;
  std::error_code failure;
  fs::directory_iterator entry(directory, failure);
  for (; !failure && entry != fs::directory_iterator(); entry.increment(failure))
    if (has_variables(entry->path())) found.push_back(entry->path());
  std::ranges::sort(found);
  return found;
}

/// The shapes of all leaves, by number; they must be numbered from 0 without a gap.
Result<std::vector<Shape>> leaf_shapes(const TensorBundle& bundle) {
  const auto is_leaf = [](const auto& entry) { return entry.first.starts_with(leaf_key_prefix); };
  const auto count = static_cast<std::size_t>(std::ranges::count_if(bundle.entries(), is_leaf));
  if (count == 0)
    return Error{
        ErrorCode::mismatch, bundle.index_path().string(),
        bundle.entries().empty() ? "no variables" : "variables like " + bundle.entries().rbegin()->first,
        "Perch v2's, " + leaf_key(0) + " and so on"};
  std::vector<Shape> shapes;
  for (std::size_t i = 0; i < count; ++i) {
    const auto found = bundle.entries().find(leaf_key(i));
    if (found == bundle.entries().end())
      return Error{ErrorCode::mismatch, bundle.index_path().string(),
                   std::to_string(count) + " keys that begin with " + std::string(leaf_key_prefix) +
                       ", but no " + leaf_key(i),
                   "leaves numbered from 0 on"};
    shapes.push_back(found->second.shape);
  }
  return shapes;
}

Result<std::vector<std::string>> read_class_names(const fs::path& path, std::size_t classes) {
  PANTANAL_TRY(auto names, read_labels(path));
  if (names.size() != classes)
    return Error{ErrorCode::mismatch, path.string(), std::to_string(names.size()) + " names after the header",
                 expected_names(names.size(), classes)};
  return names;
}

/// A directory's name, after its parent's if it is only a version number, as Kaggle's are.
std::string short_name(const fs::path& directory) {
  std::error_code failure;
  const fs::path whole = fs::weakly_canonical(directory, failure);
  const fs::path name = whole.filename();
  const bool is_version = name.string().find_first_not_of("0123456789") == std::string::npos;
  return (is_version ? whole.parent_path().filename() / name : name).string();
}

}  // namespace

bool is_savedmodel(const fs::path& path) {
  std::error_code failure;
  return fs::is_directory(path, failure) || path.filename() == graph_file;
}

Result<fs::path> find_savedmodel(const fs::path& path) {
  const fs::path directory = path.filename() == graph_file ? path.parent_path() : path;
  if (has_variables(directory)) return directory;
  const std::vector<fs::path> inside = savedmodels_in(directory);
  if (inside.size() == 1) return inside.front();
  if (inside.empty())
    return Error{ErrorCode::not_found, directory.string(), "no variables/variables.index",
                 "a SavedModel's directory, or one that holds exactly one"};
  std::string names;
  for (const fs::path& name : inside) names += " " + name.filename().string();
  return Error{ErrorCode::mismatch, directory.string(), "SavedModels" + names, "the path of one of them"};
}

Result<perch::Model> read_savedmodel(const fs::path& path, const std::optional<fs::path>& labels) {
  PANTANAL_TRY(const fs::path directory, find_savedmodel(path));
  PANTANAL_TRY(const TensorBundle bundle, TensorBundle::open(directory / "variables" / "variables"));
  const std::string where = bundle.index_path().string();
  PANTANAL_TRY(const std::vector<Shape> shapes, leaf_shapes(bundle));
  perch::Model model;
  PANTANAL_TRY(model.architecture, architecture_of_leaves(shapes, where));
  PANTANAL_TRY(model.labels, read_class_names(labels.value_or(directory / "assets" / "labels.csv"),
                                              model.architecture.label.classes));
  PANTANAL_TRY_STATUS(convert_leaves(bundle, model));
  PANTANAL_TRY(std::string sha256, sha256_of_files(bundle.shard_paths()));
  model.source = {short_name(directory), std::move(sha256), "savedmodel"};
  PANTANAL_TRY_STATUS(perch::validate(model, where));
  return model;
}

}  // namespace pantanal::convert
