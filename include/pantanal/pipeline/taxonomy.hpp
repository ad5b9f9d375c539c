// taxonomy.csv: the species behind each class, what kind of sound it makes, and groups of classes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/io/csv.hpp"

namespace pantanal::pipeline {

/// One line of taxonomy.csv.
struct TaxonomyEntry {
  std::string primary_label;    ///< the class' name in the submission
  std::string scientific_name;  ///< genus first
  std::string class_name;       ///< taxonomic class: Aves, Amphibia, Insecta, Mammalia, Reptilia
  std::string group;            ///< family, or order, or class: the finest that the table has
};

struct Taxonomy {
  std::vector<TaxonomyEntry> entries;  ///< in the table's order
};

/// The taxonomy out of a table with columns primary_label, scientific_name, class_name and perhaps family and
/// order; the header first. Errors: a column is missing (`not_found`), a label is there twice (`corrupt`).
inline Result<Taxonomy> build_taxonomy(std::span<const CsvRow> rows, std::string_view where) {
  if (rows.empty())
    return Error{ErrorCode::corrupt, std::string(where), "no header",
                 "primary_label,scientific_name,class_name"};
  PANTANAL_TRY(const std::size_t label, find_column(rows[0], "primary_label", where));
  PANTANAL_TRY(const std::size_t name, find_column(rows[0], "scientific_name", where));
  PANTANAL_TRY(const std::size_t taxon, find_column(rows[0], "class_name", where));
  std::size_t group = taxon;
  for (const char* column : {"order", "family"})
    if (const auto found = find_column(rows[0], column, where)) group = *found;

  Taxonomy taxonomy;
  std::set<std::string_view> seen;
  for (const CsvRow& row : rows.subspan(1)) {
    const auto& fields = row.fields;
    if (!seen.insert(fields[label]).second)
      return Error{ErrorCode::corrupt, std::string(where) + ":" + std::to_string(row.line),
                   "primary_label '" + fields[label] + "' again", "each label once"};
    taxonomy.entries.push_back({fields[label], fields[name], fields[taxon], fields[group]});
  }
  return taxonomy;
}

/// The taxonomy in a file.
inline Result<Taxonomy> read_taxonomy(const std::filesystem::path& path) {
  PANTANAL_TRY(const std::vector<CsvRow> rows, read_csv(path));
  return build_taxonomy(rows, path.string());
}

/// The entry of each of `classes`, as indices of `taxonomy.entries`. Error: a class that the table lacks,
/// named.
inline Result<std::vector<std::size_t>> find_classes(const Taxonomy& taxonomy,
                                                     std::span<const std::string> classes) {
  std::map<std::string_view, std::size_t> entry_of;
  for (std::size_t i = 0; i < taxonomy.entries.size(); ++i)
    entry_of.emplace(taxonomy.entries[i].primary_label, i);
  std::vector<std::size_t> found;
  for (const std::string& label : classes) {
    const auto entry = entry_of.find(label);
    if (entry == entry_of.end())
      return Error{ErrorCode::not_found, "taxonomy", "no primary_label '" + label + "'",
                   "every class of the submission"};
    found.push_back(entry->second);
  }
  return found;
}

/// Whether a taxonomic class sings in textures, steady choruses; all others make events, single calls.
inline bool is_texture_taxon(std::string_view class_name) {
  return class_name == "Amphibia" || class_name == "Insecta";
}

/// For each of `classes` whether it is a texture.
inline Result<std::vector<bool>> texture_classes(const Taxonomy& taxonomy,
                                                 std::span<const std::string> classes) {
  PANTANAL_TRY(const std::vector<std::size_t> entries, find_classes(taxonomy, classes));
  std::vector<bool> texture;
  for (const std::size_t i : entries) texture.push_back(is_texture_taxon(taxonomy.entries[i].class_name));
  return texture;
}

/// The groups that a family head tells apart.
struct TaxonomyGroups {
  std::vector<std::string> names;           ///< of the whole table, sorted
  std::vector<std::size_t> class_to_group;  ///< for each class, an index of `names`
};

/// Groups `classes` by the table's finest column (see TaxonomyEntry::group).
inline Result<TaxonomyGroups> build_taxonomy_groups(const Taxonomy& taxonomy,
                                                    std::span<const std::string> classes) {
  PANTANAL_TRY(const std::vector<std::size_t> entries, find_classes(taxonomy, classes));
  std::set<std::string> names;
  for (const TaxonomyEntry& entry : taxonomy.entries) names.insert(entry.group);
  TaxonomyGroups groups{{names.begin(), names.end()}, {}};
  for (const std::size_t i : entries)
    groups.class_to_group.push_back(static_cast<std::size_t>(
        std::ranges::lower_bound(groups.names, taxonomy.entries[i].group) - groups.names.begin()));
  return groups;
}

}  // namespace pantanal::pipeline
