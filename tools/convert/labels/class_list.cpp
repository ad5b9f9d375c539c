#include "labels/class_list.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "labels/spelling.hpp"
#include "pantanal/core/utf8.hpp"
#include "pantanal/io/csv.hpp"
#include "pantanal/io/mapped_file.hpp"

namespace pantanal::convert {
namespace {

constexpr std::string_view blanks = " \t\r\n\v\f";
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::array<std::string_view, 3> proxied_classes = {"Amphibia", "Insecta", "Aves"};
constexpr std::string_view sonotype_mark = "son";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::string hexadecimal(char byte) {
  char text[8];
  std::snprintf(text, sizeof text, "0x%02x", static_cast<unsigned>(static_cast<unsigned char>(byte)));
  return text;
}

/// The number of the line that ends with `before`, and that line's beginning in it.
std::pair<std::size_t, std::string_view> last_line(std::string_view before) {
  std::size_t lines = 1, begin = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const bool is_pair = before[i] == '\r' && i + 1 < before.size() && before[i + 1] == '\n';
    if ((before[i] != '\n' && before[i] != '\r') || is_pair) continue;
    ++lines;
    begin = i + 1;
  }
  return {lines, before.substr(begin)};
}

/// Model files hold their labels as UTF-8, so all of a list must be that, and text: what a spreadsheet saves
/// as "Unicode" is UTF-16, whose header alone would look like a name.
Status check_utf8(std::string_view text, const std::string& where) {
  using namespace std::string_view_literals;
  if (text.starts_with("\xFF\xFE\0\0"sv) || text.starts_with("\0\0\xFE\xFF"sv))
    return Error{ErrorCode::corrupt, where, "UTF-32", "UTF-8; iconv -f utf-32 -t utf-8 converts it"};
  if (text.starts_with("\xFF\xFE"sv) || text.starts_with("\xFE\xFF"sv))
    return Error{ErrorCode::corrupt, where, "UTF-16", "UTF-8; iconv -f utf-16 -t utf-8 converts it"};
  const std::size_t nul = text.find('\0'), at = std::min(find_not_utf8(text), nul);
  if (at == std::string_view::npos) return {};
  const auto [line, before] = last_line(text.substr(0, at));
  const std::string place = where + ":" + std::to_string(line);
  if (at == nul)
    return Error{ErrorCode::corrupt, place, "a NUL byte, as UTF-16 has many", "a text file in UTF-8"};
  return Error{
      ErrorCode::corrupt, place,
      "text that is not UTF-8: byte " + hexadecimal(text[at]) + " after '" + std::string(before) + "'",
      "UTF-8; iconv -f latin1 -t utf8 converts what older programs wrote"};
}

std::string_view text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

/// Finds labels by name and by genus, and collects the rows that are to be kept.
class Selector {
 public:
  explicit Selector(std::span<const std::string> labels) : labels_(labels) {
    for (std::size_t row = 0; row < labels.size(); ++row) rows_of_[labels[row]].push_back(row);
  }

  bool keep_name(std::string_view name) {
    const auto found = rows_of_.find(name);
    if (found == rows_of_.end()) return false;
    kept_.insert(found->second.begin(), found->second.end());
    return true;
  }

  /// Keeps the labels "GENUS ...", and says which they are.
  std::vector<std::size_t> keep_genus(const std::string& genus) {
    std::vector<std::size_t> rows;
    for (std::size_t row = 0; row < labels_.size(); ++row)
      if (labels_[row].starts_with(genus + " ")) rows.push_back(row);
    kept_.insert(rows.begin(), rows.end());
    return rows;
  }

  std::vector<std::size_t> rows() const { return {kept_.begin(), kept_.end()}; }

 private:
  std::span<const std::string> labels_;
  std::unordered_map<std::string_view, std::vector<std::size_t>> rows_of_;
  std::set<std::size_t> kept_;
};

/// One class of a taxonomy.
struct TaxonomyClass {
  std::string label, scientific_name, class_name;

  bool may_have_proxy() const {
    return label.find(sonotype_mark) == std::string::npos &&
           std::ranges::find(proxied_classes, class_name) != proxied_classes.end();
  }
  std::string genus() const {
    const std::string_view name = trimmed(scientific_name);
    return std::string(name.substr(0, name.find_first_of(blanks)));
  }
};

Result<std::vector<TaxonomyClass>> read_taxonomy(std::string_view text, const std::string& where) {
  PANTANAL_TRY(const auto rows, parse_csv(text, where));
  if (rows.empty())
    return Error{ErrorCode::corrupt, where, "an empty file", "a header and one row per class"};
  PANTANAL_TRY(const std::size_t label, find_column(rows.front(), "primary_label", where));
  PANTANAL_TRY(const std::size_t scientific_name, find_column(rows.front(), "scientific_name", where));
  PANTANAL_TRY(const std::size_t class_name, find_column(rows.front(), "class_name", where));
  std::vector<TaxonomyClass> classes;
  for (const CsvRow& row : std::span(rows).subspan(1))
    classes.push_back({row.fields[label], row.fields[scientific_name], row.fields[class_name]});
  return classes;
}

ClassSelection select_taxonomy(std::span<const std::string> labels,
                               const std::vector<TaxonomyClass>& classes) {
  Selector selector(labels);
  ClassSelection selection;
  for (const TaxonomyClass& entry : classes) {
    if (selector.keep_name(entry.scientific_name)) {
      ++selection.mapped;
      continue;
    }
    selection.unmapped.push_back(entry.label);
    const std::string genus = entry.genus();
    if (genus.empty() || !entry.may_have_proxy()) continue;
    auto rows = selector.keep_genus(genus);
    if (!rows.empty()) selection.proxies.push_back({entry.label, genus, std::move(rows)});
  }
  selection.rows = selector.rows();
  return selection;
}

Result<ClassSelection> select_names(std::span<const std::string> labels, std::string_view text,
                                    const std::string& where) {
  Selector selector(labels);
  ClassSelection selection;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view name = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (name.empty() || name.front() == '#') continue;
    if (!selector.keep_name(name))
      return Error{ErrorCode::not_found, where + ":" + std::to_string(line),
                   "'" + std::string(name) + "', which is no class of this model",
                   "one of its " + std::to_string(labels.size()) + " classes, such as '" +
                       nearest_spelling(name, labels) + "'"};
    ++selection.mapped;
  }
  selection.rows = selector.rows();
  return selection;
}

bool is_taxonomy(const std::filesystem::path& path, std::string_view text) {
  if (path.extension() == ".csv") return true;
  const auto header = parse_csv(text.substr(0, text.find('\n')), "header");
  return header.ok() && !header->empty() && find_column(header->front(), "scientific_name", "header").ok();
}

}  // namespace

Result<std::vector<std::string>> read_labels(const std::filesystem::path& path) {
  PANTANAL_TRY(const MappedFile file, MappedFile::open(path));
  PANTANAL_TRY_STATUS(check_utf8(text_of(file), path.string()));
  PANTANAL_TRY(auto rows, parse_csv(text_of(file), path.string()));
  if (rows.empty())
    return Error{ErrorCode::corrupt, path.string(), "an empty file", "a header and one name a line"};
  if (rows.front().fields.size() != 1)
    return Error{ErrorCode::mismatch, path.string(), std::to_string(rows.front().fields.size()) + " columns",
                 "one, of class names"};
  std::vector<std::string> labels;
  std::unordered_map<std::string_view, std::size_t> line_of;
  for (const CsvRow& row : std::span(rows).subspan(1)) {
    const std::string where = path.string() + ":" + std::to_string(row.line);
    const std::string& name = row.fields.front();
    if (trimmed(name).empty()) return Error{ErrorCode::corrupt, where, "an empty name", "a class name"};
    const auto [first, is_new] = line_of.emplace(name, row.line);
    if (!is_new)
      return Error{ErrorCode::corrupt, where,
                   "'" + name + "' again, which is in line " + std::to_string(first->second) + " already",
                   "a different name for each class"};
    labels.push_back(name);
  }
  return labels;
}

std::string expected_names(std::size_t found, std::size_t classes) {
  if (classes == 0) return "none, since the source has no label head";
  std::string text = std::to_string(classes) + ", one per class of the label head";
  if (found + 1 == classes) text += " (the first line was skipped as the header: does the file lack one?)";
  return text;
}

Result<ClassSelection> select_classes(std::span<const std::string> labels,
                                      const std::filesystem::path& path) {
  const std::string where = path.string();
  PANTANAL_TRY(const MappedFile file, MappedFile::open(path));
  std::string_view text = text_of(file);
  PANTANAL_TRY_STATUS(check_utf8(text, where));
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  ClassSelection selection;
  if (is_taxonomy(path, text)) {
    PANTANAL_TRY(const auto classes, read_taxonomy(text, where));
    selection = select_taxonomy(labels, classes);
  } else {
    PANTANAL_TRY(selection, select_names(labels, text, where));
  }
  if (selection.rows.empty())
    return Error{ErrorCode::not_found, where, "no class of this model",
                 "at least one of its " + std::to_string(labels.size()) + " classes"};
  return selection;
}

}  // namespace pantanal::convert
