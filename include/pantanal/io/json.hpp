// JSON text to nlohmann::json and back, with errors as values and bounds on what untrusted text may cost.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"

namespace pantanal {

/// Bounds that parse_json() enforces before it builds anything.
struct JsonLimits {
  std::size_t bytes = std::size_t{16} << 20;
  std::size_t depth = 16;  ///< objects and arrays within each other
};

namespace detail {

/// Deepest nesting in `text`, by brackets outside strings; meaningful even if the text is not JSON.
inline std::size_t json_depth(std::string_view text) {
  std::size_t depth = 0, deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\') {
      ++i;
    } else if (c == '"') {
      in_string = !in_string;
    } else if (!in_string && (c == '{' || c == '[')) {
      deepest = std::max(deepest, ++depth);
    } else if (!in_string && (c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

/// A parser callback that notes the first key that an object has twice; the parser itself would keep the
/// last.
class DuplicateKeys {
 public:
  bool operator()(int, nlohmann::json::parse_event_t event, const nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (event == Event::object_start) keys_.emplace_back();
    if (event == Event::object_end) keys_.pop_back();
    if (event == Event::key && !keys_.back().insert(parsed.get<std::string>()).second && !found_) {
      found_ = true;
      key_ = parsed.get<std::string>();
    }
    return true;
  }
  bool found() const { return found_; }
  const std::string& key() const { return key_; }

 private:
  std::vector<std::set<std::string>> keys_;
  bool found_ = false;
  std::string key_;
};

}  // namespace detail

/// Parses `text`, which must be one JSON value within `limits`, its objects without repeated keys. `where`
/// names it in errors.
inline Result<nlohmann::json> parse_json(std::string_view text, std::string_view where,
                                         JsonLimits limits = {}) {
  if (text.size() > limits.bytes)
    return Error{ErrorCode::unsupported, std::string(where), std::to_string(text.size()) + " bytes of JSON",
                 "at most " + std::to_string(limits.bytes)};
  if (const std::size_t depth = detail::json_depth(text); depth > limits.depth)
    return Error{ErrorCode::corrupt, std::string(where), "JSON nested " + std::to_string(depth) + " deep",
                 "at most " + std::to_string(limits.depth)};
  detail::DuplicateKeys duplicates;  // and no NUL, at which the parser would stop as if the text ended there
  nlohmann::json value = nlohmann::json::parse(text.begin(), text.end(), std::ref(duplicates), false);
  if (value.is_discarded() || text.find('\0') != text.npos)
    return Error{ErrorCode::corrupt, std::string(where), "text that is not JSON", "UTF-8 JSON"};
  if (duplicates.found())
    return Error{ErrorCode::corrupt, std::string(where), "the key \"" + duplicates.key() + "\" twice",
                 "it once"};
  return value;
}

/// `value` (a nlohmann::json or ordered_json) as text without spaces. Fails only on strings that are not
/// UTF-8.
template <class Json>
Result<std::string> json_text(const Json& value, std::string_view where) {
  try {
    return value.dump();
  } catch (const nlohmann::json::exception&) {
    return Error{ErrorCode::invalid_argument, std::string(where), "text that is not UTF-8", "UTF-8"};
  }
}

/// What kind of value `value` is, for messages: "null", "object", "number", ...
inline std::string json_kind(const nlohmann::json& value) { return value.type_name(); }

}  // namespace pantanal
