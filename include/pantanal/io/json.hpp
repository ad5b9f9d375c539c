// JSON text to nlohmann::json and back, with errors as values and bounds on what untrusted text may cost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"

namespace pantanal {

/// Bounds that parse_json() enforces: before it builds anything, and while it builds.
struct JsonLimits {
  std::size_t bytes = std::size_t{16} << 20;
  std::size_t depth = 16;  ///< objects and arrays within each other
};

namespace detail {

/// Builds a value from nlohmann's parser events and stops at the first thing that is wrong. (nlohmann's own
/// builder keeps the last of repeated keys and bounds nothing; with a callback, it takes quadratic time.)
class JsonBuilder {
 public:
  using Json = nlohmann::json;

  JsonBuilder(Json& root, std::size_t max_depth) : root_(root), max_depth_(max_depth) {}

  /// What is wrong, once an event has returned false; without a `where`.
  const Error& error() const { return error_; }

  bool null() { return add(nullptr); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(std::int64_t value) { return add(value); }
  bool number_unsigned(std::uint64_t value) { return add(value); }
  bool number_float(double value, const std::string&) { return add(value); }
  bool string(std::string& value) { return add(std::move(value)); }
  bool binary(Json::binary_t&) { return fail("binary data", "text"); }

  bool start_object(std::size_t) { return open(Json::object()); }
  bool start_array(std::size_t) { return open(Json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(std::string& name) {
    const auto [place, is_new] = open_.back()->emplace(name, nullptr);
    member_ = &*place;
    return is_new || fail("the key \"" + name + "\" twice", "it once");
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) {
    return fail("text that is not JSON at byte " + std::to_string(position), "UTF-8 JSON");
  }

 private:
  /// Puts a value where the next one belongs: at the root, at an array's end, or under the key just read.
  Json& put(Json value) {
    if (open_.empty()) return root_ = std::move(value);
    if (!open_.back()->is_array()) return *member_ = std::move(value);
    open_.back()->push_back(std::move(value));
    return open_.back()->back();
  }

  bool add(Json value) {
    put(std::move(value));
    return true;
  }

  bool open(Json value) {
    if (open_.size() == max_depth_)
      return fail("JSON nested more than " + std::to_string(max_depth_) + " deep", "less");
    open_.push_back(&put(std::move(value)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  bool fail(std::string found, std::string expected) {
    error_ = {ErrorCode::corrupt, {}, std::move(found), std::move(expected)};
    return false;
  }

  Json& root_;
  std::size_t max_depth_;
  std::vector<Json*> open_;  ///< the containers that are not closed yet, outermost first
  Json* member_ = nullptr;   ///< the value of the key just read
  Error error_;
};

}  // namespace detail

/// Parses `text`, which must be one JSON value within `limits`, its objects without repeated keys. `where`
/// names it in errors.
inline Result<nlohmann::json> parse_json(std::string_view text, std::string_view where,
                                         JsonLimits limits = {}) {
  if (text.size() > limits.bytes)
    return Error{ErrorCode::unsupported, std::string(where), std::to_string(text.size()) + " bytes of JSON",
                 "at most " + std::to_string(limits.bytes)};
  if (text.find('\0') != text.npos)  // at which the parser would stop as if the text ended there
    return Error{ErrorCode::corrupt, std::string(where), "text that is not JSON: a zero byte", "UTF-8 JSON"};
  nlohmann::json value;
  detail::JsonBuilder builder(value, limits.depth);
  if (nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) return value;
  Error error = builder.error();
  error.where = where;
  return error;
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
