// The header of a .safetensors file: JSON that says where each tensor lies, and free metadata.
// Source: the format's description at https://github.com/huggingface/safetensors (README, "Format").
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/core/shape.hpp"
#include "pantanal/io/json.hpp"

namespace pantanal {

/// One tensor's entry. Offsets count bytes from the end of the header.
struct SafetensorsEntry {
  std::string dtype;  ///< the format's name: "F32", "I64", "BF16", ...
  Shape shape;
  std::uint64_t begin = 0, end = 0;
};

struct SafetensorsHeader {
  /// Largest header that is read or written. The format allows 100 MB; none known comes near this.
  static constexpr std::size_t max_bytes = std::size_t{16} << 20;

  std::map<std::string, std::string, std::less<>> metadata;
  std::map<std::string, SafetensorsEntry, std::less<>> tensors;
};

/// Bytes per element of a dtype; nothing for a name this build does not know.
inline std::optional<std::uint64_t> safetensors_element_size(std::string_view dtype) {
  static const std::map<std::string_view, std::uint64_t> sizes = {
      {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"F8_E8M0", 1},
      {"U16", 2},  {"I16", 2}, {"F16", 2}, {"BF16", 2},    {"U32", 4},     {"I32", 4},
      {"F32", 4},  {"U64", 8}, {"I64", 8}, {"F64", 8},     {"C64", 8}};
  const auto found = sizes.find(dtype);
  return found == sizes.end() ? std::nullopt : std::optional(found->second);
}

/// Bytes of a tensor of `shape`, or nothing if that overflows.
inline std::optional<std::uint64_t> safetensors_byte_size(const Shape& shape, std::uint64_t element_size) {
  const std::optional<std::int64_t> count = element_count(shape);
  if (!count || static_cast<std::uint64_t>(*count) > std::numeric_limits<std::int64_t>::max() / element_size)
    return std::nullopt;
  return static_cast<std::uint64_t>(*count) * element_size;
}

/// The checksum of the whole file, as metadata: "crc32c:" and eight lower-case hexadecimal digits, which
/// count as '0' themselves when it is computed.
struct SafetensorsChecksum {
  static constexpr std::string_view key = "checksum", prefix = "crc32c:", zeros = "00000000";

  static std::string text(std::uint32_t crc) {
    char digits[zeros.size() + 1];
    std::snprintf(digits, sizeof digits, "%08x", crc);
    return std::string(prefix) + digits;
  }

  /// Where in `header` the digits start. Nothing unless there is exactly one entry, written without spaces.
  static std::optional<std::size_t> find_digits(std::string_view header) {
    constexpr std::string_view entry = "\"checksum\":\"crc32c:";
    const std::size_t at = header.find(entry);
    if (at == header.npos || header.find(entry, at + 1) != header.npos) return std::nullopt;
    if (header.size() - at < entry.size() + zeros.size()) return std::nullopt;
    return at + entry.size();
  }
};

namespace detail {

/// Fills a SafetensorsHeader from JSON, refusing whatever the format does not allow.
class SafetensorsHeaderParser {
 public:
  SafetensorsHeaderParser(std::uint64_t data_size, std::string_view where)
      : data_size_(data_size), where_(where) {}

  Result<SafetensorsHeader> operator()(std::string_view text) && {
    if (text.empty() || text.front() != '{') return corrupt("header", "no '{' at its start", "a JSON object");
    PANTANAL_TRY(const nlohmann::json json,
                 parse_json(text, where_ + ": header", {SafetensorsHeader::max_bytes, 3}));
    for (const auto& [name, value] : json.items())
      PANTANAL_TRY_STATUS(name == "__metadata__" ? read_metadata(value) : read_tensor(name, value));
    PANTANAL_TRY_STATUS(check_coverage());
    return std::move(header_);
  }

 private:
  Status read_metadata(const nlohmann::json& value) {
    if (!value.is_object()) return corrupt("__metadata__", json_kind(value), "an object");
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) return corrupt("__metadata__." + key, json_kind(text), "a string");
      header_.metadata.emplace(key, text.get<std::string>());
    }
    return {};
  }

  Status read_tensor(const std::string& name, const nlohmann::json& value) {
    if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value.contains("shape") ||
        !value.contains("data_offsets"))
      return corrupt(name, "another entry", "an object of dtype, shape and data_offsets");
    SafetensorsEntry entry;
    if (!value["dtype"].is_string()) return corrupt(name + ".dtype", json_kind(value["dtype"]), "a string");
    entry.dtype = value["dtype"].get<std::string>();
    PANTANAL_TRY(entry.shape, read_counts(value["shape"], name + ".shape"));
    PANTANAL_TRY(const Shape offsets, read_counts(value["data_offsets"], name + ".data_offsets"));
    if (offsets.size() != 2)
      return corrupt(name + ".data_offsets", std::to_string(offsets.size()) + " numbers", "2");
    entry.begin = static_cast<std::uint64_t>(offsets[0]);
    entry.end = static_cast<std::uint64_t>(offsets[1]);
    PANTANAL_TRY_STATUS(check_size(name, entry));
    header_.tensors.emplace(name, std::move(entry));
    return {};
  }

  Result<Shape> read_counts(const nlohmann::json& value, const std::string& name) const {
    if (!value.is_array()) return corrupt(name, json_kind(value), "an array");
    Shape counts;
    for (const nlohmann::json& count : value) {
      if (!count.is_number_unsigned() ||
          count.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()})
        return corrupt(name, count.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace),
                       "whole numbers from 0 to 2^63 - 1");
      counts.push_back(count.get<std::int64_t>());
    }
    return counts;
  }

  Status check_size(const std::string& name, const SafetensorsEntry& entry) const {
    const std::optional<std::uint64_t> element = safetensors_element_size(entry.dtype);
    if (!element)
      return Error{ErrorCode::unsupported, where_ + ": " + name, "dtype " + entry.dtype,
                   "one of whole bytes, such as F32"};
    if (entry.begin > entry.end || entry.end > data_size_)
      return corrupt(name,
                     "data_offsets [" + std::to_string(entry.begin) + ", " + std::to_string(entry.end) + "]",
                     "a range within the " + std::to_string(data_size_) + " bytes after the header");
    const std::optional<std::uint64_t> size = safetensors_byte_size(entry.shape, *element);
    if (size != entry.end - entry.begin)
      return corrupt(
          name, std::to_string(entry.end - entry.begin) + " bytes",
          (size ? std::to_string(*size) : "more") + ", for " + entry.dtype + " " + to_string(entry.shape));
    return {};
  }

  /// The tensors must follow each other without gap or overlap to the end of the file.
  Status check_coverage() const {
    std::vector<decltype(header_.tensors)::const_pointer> in_order;
    for (const auto& tensor : header_.tensors) in_order.push_back(&tensor);
    std::ranges::sort(in_order, {},
                      [](const auto* tensor) { return std::pair(tensor->second.begin, tensor->second.end); });
    std::uint64_t end = 0;
    for (const auto* tensor : in_order) {
      if (tensor->second.begin != end)
        return corrupt(tensor->first, "data from byte " + std::to_string(tensor->second.begin),
                       "from byte " + std::to_string(end) + ", where the tensor before it ends");
      end = tensor->second.end;
    }
    if (end == data_size_) return {};
    return corrupt("end of the file", std::to_string(data_size_ - end) + " bytes that no tensor claims",
                   "none");
  }

  Error corrupt(const std::string& what, std::string found, std::string expected) const {
    return {ErrorCode::corrupt, where_ + ": " + what, std::move(found), std::move(expected)};
  }

  std::uint64_t data_size_;
  std::string where_;
  SafetensorsHeader header_;
};

}  // namespace detail

/// Parses the JSON of a header that `data_size` bytes of tensors follow. `where` names the file in errors.
///
/// Every rule of the format is enforced: known dtypes, sizes that agree with shapes, offsets within the data,
/// tensors that neither overlap nor leave a byte unclaimed, no name twice.
inline Result<SafetensorsHeader> parse_safetensors_header(std::string_view text, std::uint64_t data_size,
                                                          std::string_view where) {
  return detail::SafetensorsHeaderParser(data_size, where)(text);
}

}  // namespace pantanal
