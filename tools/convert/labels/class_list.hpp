// Class names, and which rows of the label head a list of classes asks for.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "pantanal/core/result.hpp"

namespace pantanal::convert {

/// The names in a CSV file of one column whose first row is a header (Perch's is `inat2024_fsd50k`), in
/// order. A file that is not UTF-8 (a byte order mark is skipped) or holds a NUL, an empty name and one that
/// was there before are errors, which give the line.
Result<std::vector<std::string>> read_labels(const std::filesystem::path& path);

/// What to expect instead of `found` names for a label head of `classes`, for an error.
std::string expected_names(std::size_t found, std::size_t classes);

/// A class that is no label itself, but whose genus has labels.
struct GenusProxy {
  std::string label;  ///< the taxonomy's primary_label
  std::string genus;
  std::vector<std::size_t> rows;  ///< labels that begin with the genus, ascending
};

/// Which labels to keep.
struct ClassSelection {
  std::vector<std::size_t> rows;      ///< indices into the labels, ascending, none twice
  std::size_t mapped = 0;             ///< classes that are labels
  std::vector<std::string> unmapped;  ///< primary_label of the other classes, in the file's order
  std::vector<GenusProxy> proxies;    ///< for some of `unmapped`
};

/// Chooses from `labels`, which must not be empty, the ones that a file asks for. The file is either
/// - a competition's taxonomy, a CSV with the columns `primary_label`, `scientific_name` and `class_name`: a
/// class
///   keeps the label that is its scientific name. A class without such a label keeps, as proxies, all labels
///   of its genus (its name's first word) if it is an amphibian, insect or bird and its primary_label does
///   not contain "son" (sonotypes, known by sound only);
/// - or one label a line; empty lines and lines that begin with # do not count. An unknown name is an error,
/// which
///   suggests the nearest label.
/// A file whose name ends in .csv or whose first row has a column `scientific_name` is taken for a taxonomy.
/// It is an error if no label remains, or if the file is not UTF-8.
Result<ClassSelection> select_classes(std::span<const std::string> labels, const std::filesystem::path& path);

}  // namespace pantanal::convert
