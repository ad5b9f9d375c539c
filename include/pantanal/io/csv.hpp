// CSV as RFC 4180 describes it: reading whole tables and writing single rows.
// Source: Y. Shafranovich 2005, RFC 4180, https://www.rfc-editor.org/rfc/rfc4180
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/io/mapped_file.hpp"

namespace pantanal {

/// One record of a CSV file.
struct CsvRow {
  std::size_t line = 0;             ///< where it starts, counted from 1
  std::vector<std::string> fields;  ///< quotes removed, otherwise as written, blanks included
};

/// The records of `text`, the header (if there is one) being the first. Fields are separated by commas and
/// may be quoted; quoted fields may hold commas, line ends and doubled quotes. Lines end with LF, CRLF or CR;
/// empty lines and a leading UTF-8 byte order mark are skipped. `where` names the text in errors, which give
/// a line number: `corrupt` for a misplaced or unclosed quote, or for a row with more or fewer fields than
/// the first.
Result<std::vector<CsvRow>> parse_csv(std::string_view text, std::string_view where);

/// The records of a regular file, as parse_csv gives them.
Result<std::vector<CsvRow>> read_csv(const std::filesystem::path& path);

/// Index of the column of `header` called `name`; otherwise `not_found`, with the names there are.
Result<std::size_t> find_column(const CsvRow& header, std::string_view name, std::string_view where);

/// `value` as a CSV field: in quotes if it holds a comma, a quote or a line end, otherwise as it is.
std::string csv_field(std::string_view value);

/// `fields` as one line of CSV, ended by LF.
std::string csv_line(std::span<const std::string> fields);

namespace detail {

/// Walks a CSV text once, byte by byte.
class CsvParser {
 public:
  CsvParser(std::string_view text, std::string_view where) : text_(text), where_(where) {}

  Result<std::vector<CsvRow>> parse() {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (text_.starts_with(byte_order_mark)) at_ = byte_order_mark.size();
    std::vector<CsvRow> rows;
    while (at_ < text_.size()) {
      if (skip_line_end()) continue;
      PANTANAL_TRY(CsvRow row, parse_row());
      if (!rows.empty() && row.fields.size() != rows.front().fields.size())
        return error(
            row.line, std::to_string(row.fields.size()) + " fields",
            std::to_string(rows.front().fields.size()) + " as in line " + std::to_string(rows.front().line));
      rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  bool at(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool at_line_end() const { return at('\n') || at('\r'); }

  bool skip_line_end() {
    if (!at_line_end()) return false;
    at_ += at('\r') && at_ + 1 < text_.size() && text_[at_ + 1] == '\n' ? 2 : 1;
    ++line_;
    return true;
  }

  Result<CsvRow> parse_row() {
    CsvRow row{line_, {}};
    while (true) {
      PANTANAL_TRY(std::string field, at('"') ? parse_quoted() : parse_plain());
      row.fields.push_back(std::move(field));
      if (!at(',')) break;
      ++at_;
    }
    skip_line_end();
    return row;
  }

  Result<std::string> parse_plain() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && !at(',') && !at_line_end()) {
      if (at('"')) return error(line_, "a quote inside an unquoted field", "the whole field in quotes");
      ++at_;
    }
    return std::string(text_.substr(begin, at_ - begin));
  }

  Result<std::string> parse_quoted() {
    const std::size_t opening_line = line_;
    std::string field;
    ++at_;
    while (at_ < text_.size()) {
      if (at('"')) {
        ++at_;
        if (!at('"')) {
          if (at_ == text_.size() || at(',') || at_line_end()) return field;
          return error(line_, "text after a closing quote", "a comma or the end of the line");
        }
      }
      const std::size_t begin = at_;
      if (!skip_line_end()) ++at_;
      field.append(text_.substr(begin, at_ - begin));
    }
    return error(opening_line, "a quote that is never closed", "a closing quote");
  }

  Error error(std::size_t line, std::string found, std::string expected) const {
    return {ErrorCode::corrupt, std::string(where_) + ":" + std::to_string(line), std::move(found),
            std::move(expected)};
  }

  std::string_view text_, where_;
  std::size_t at_ = 0, line_ = 1;
};

}  // namespace detail

inline Result<std::vector<CsvRow>> parse_csv(std::string_view text, std::string_view where) {
  return detail::CsvParser(text, where).parse();
}

inline Result<std::vector<CsvRow>> read_csv(const std::filesystem::path& path) {
  PANTANAL_TRY(const MappedFile file, MappedFile::open(path));
  return parse_csv({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()}, path.string());
}

inline Result<std::size_t> find_column(const CsvRow& header, std::string_view name, std::string_view where) {
  for (std::size_t i = 0; i < header.fields.size(); ++i)
    if (header.fields[i] == name) return i;
  std::string found = "columns";
  for (const std::string& field : header.fields) found += " '" + field + "'";
  return Error{ErrorCode::not_found, std::string(where) + ":" + std::to_string(header.line), std::move(found),
               "a column '" + std::string(name) + "'"};
}

inline std::string csv_field(std::string_view value) {
  if (value.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(value);
  std::string quoted = "\"";
  for (const char c : value) quoted += c == '"' ? std::string(2, c) : std::string(1, c);
  return quoted + '"';
}

inline std::string csv_line(std::span<const std::string> fields) {
  std::string line;
  for (std::size_t i = 0; i < fields.size(); ++i) line += (i ? "," : "") + csv_field(fields[i]);
  // A single empty field would be an empty line, which readers skip.
  return (line.empty() && fields.size() == 1 ? "\"\"" : line) + "\n";
}

}  // namespace pantanal
