// Architecture as JSON text, the form it has in a model file's metadata.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/io/json.hpp"
#include "pantanal/perch/architecture.hpp"
#include "pantanal/perch/architecture_validation.hpp"

namespace pantanal::perch {

namespace detail {

template <class T, class U>
concept Is = std::same_as<std::remove_const_t<T>, U>;

// The fields of each type, once for reading and writing: fields(visit, value) calls visit(name, field) for
// each.

template <class Visit, Is<Architecture> T>
void fields(Visit&& visit, T& architecture) {
  visit("frontend", architecture.frontend);
  visit("stem", architecture.stem);
  visit("blocks", architecture.blocks);
  visit("head", architecture.head);
  visit("label", architecture.label);
}

template <class Visit, Is<Frontend> T>
void fields(Visit&& visit, T& frontend) {
  visit("samples", frontend.samples);
  visit("sample_rate", frontend.sample_rate);
  visit("frame_length", frontend.frame_length);
  visit("hop_length", frontend.hop_length);
  visit("pad_left", frontend.pad_left);
  visit("pad_right", frontend.pad_right);
  visit("fft_size", frontend.fft_size);
  visit("mel_bands", frontend.mel_bands);
  visit("floor", frontend.floor);
  visit("scale", frontend.scale);
}

template <class Visit, Is<ConvGeometry> T>
void fields(Visit&& visit, T& conv) {
  visit("kernel", conv.kernel);
  visit("stride", conv.stride);
  visit("pads", conv.pads);
}

template <class Visit, Is<Stem> T>
void fields(Visit&& visit, T& stem) {
  visit("conv", stem.conv);
  visit("channels", stem.channels);
  visit("activation", stem.activation);
}

template <class Visit, Is<Block> T>
void fields(Visit&& visit, T& block) {
  visit("in_channels", block.in_channels);
  visit("expanded_channels", block.expanded_channels);
  visit("out_channels", block.out_channels);
  visit("se_channels", block.se_channels);
  visit("has_expand", block.has_expand);
  visit("has_skip", block.has_skip);
  visit("depthwise", block.depthwise);
  visit("expand_activation", block.expand_activation);
  visit("depthwise_activation", block.depthwise_activation);
  visit("se_activation", block.se_activation);
}

template <class Visit, Is<Head> T>
void fields(Visit&& visit, T& head) {
  visit("channels", head.channels);
  visit("activation", head.activation);
}

template <class Visit, Is<LabelHead> T>
void fields(Visit&& visit, T& label) {
  visit("classes", label.classes);
  visit("prototypes", label.prototypes);
  visit("eps", label.eps);
}

struct ActivationName {
  Activation activation;
  std::string_view name;
};
inline constexpr ActivationName activation_names[] = {
    {Activation::none, "none"}, {Activation::relu, "relu"}, {Activation::swish, "swish"}};

/// The double of the fewest digits that is read back as `value`: 1e-05, not 9.999999747378752e-06.
inline double shortest_double(float value) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  double shortest = value;
  std::from_chars(digits, end, shortest);
  return static_cast<float>(shortest) == value ? shortest : value;
}

using OrderedJson = nlohmann::ordered_json;

inline OrderedJson field_json(std::size_t value) { return value; }
inline OrderedJson field_json(bool value) { return value; }
inline OrderedJson field_json(float value) { return shortest_double(value); }
inline OrderedJson field_json(const Pads& pads) {
  return OrderedJson::array({pads.top, pads.left, pads.bottom, pads.right});
}
inline OrderedJson field_json(Activation value) {
  for (const auto& [activation, name] : activation_names)
    if (activation == value) return name;
  return nullptr;
}
template <class T>
requires std::is_class_v<T> OrderedJson field_json(const T& value);
template <class T>
OrderedJson field_json(const std::vector<T>& values) {
  OrderedJson array = OrderedJson::array();
  for (const T& value : values) array.push_back(field_json(value));
  return array;
}
template <class T>
requires std::is_class_v<T> OrderedJson field_json(const T& value) {
  OrderedJson object = OrderedJson::object();
  fields([&](const char* name, const auto& field) { object[name] = field_json(field); }, value);
  return object;
}

/// Reads fields from JSON; each read() names what it reads in its errors.
class ArchitectureReader {
 public:
  using Json = nlohmann::json;

  Status read(const Json& json, const std::string& where, std::size_t& out) const {
    if (!json.is_number_unsigned()) return wrong(json, where, "a whole number");
    out = json.get<std::size_t>();
    return {};
  }

  Status read(const Json& json, const std::string& where, bool& out) const {
    if (!json.is_boolean()) return wrong(json, where, "true or false");
    out = json.get<bool>();
    return {};
  }

  Status read(const Json& json, const std::string& where, float& out) const {
    const double value = json.is_number() ? json.get<double>() : std::numeric_limits<double>::infinity();
    if (!(std::abs(value) <= double{std::numeric_limits<float>::max()}))
      return wrong(json, where, "a number within a float's range");
    out = static_cast<float>(value);
    return {};
  }

  Status read(const Json& json, const std::string& where, Activation& out) const {
    for (const auto& [activation, name] : activation_names)
      if (json == name) {
        out = activation;
        return {};
      }
    return wrong(json, where, "\"none\", \"relu\" or \"swish\"");
  }

  Status read(const Json& json, const std::string& where, Pads& out) const {
    if (!json.is_array() || json.size() != 4) return wrong(json, where, "[top, left, bottom, right]");
    std::size_t* const pads[] = {&out.top, &out.left, &out.bottom, &out.right};
    for (std::size_t i = 0; i < 4; ++i) PANTANAL_TRY_STATUS(read(json[i], where, *pads[i]));
    return {};
  }

  template <class T>
  Status read(const Json& json, const std::string& where, std::vector<T>& out) const {
    if (!json.is_array()) return wrong(json, where, "an array");
    for (const Json& element : json) {
      out.emplace_back();
      PANTANAL_TRY_STATUS(read(element, where + "[" + std::to_string(out.size() - 1) + "]", out.back()));
    }
    return {};
  }

  template <class T>
  requires std::is_class_v<T> Status read(const Json& json, const std::string& where, T& out)
  const {
    if (!json.is_object()) return wrong(json, where, "an object");
    Status status;
    std::vector<std::string> known;
    fields(
        [&](const char* name, auto& field) {
          known.push_back(name);
          if (!status) return;
          const auto found = json.find(name);
          const std::string field_where = where + "." + name;
          status = found == json.end() ? missing(field_where) : read(*found, field_where, field);
        },
        out);
    for (const auto& [key, value] : json.items())
      if (status && std::ranges::find(known, key) == known.end())
        status = Error{ErrorCode::mismatch, where, "the unknown key \"" + key + "\"", "only known ones"};
    return status;
  }

 private:
  static Status missing(const std::string& where) {
    return Error{ErrorCode::not_found, where, "no such key", "it in the JSON"};
  }

  static Status wrong(const Json& json, const std::string& where, std::string expected) {
    const bool is_short = json.is_primitive() && !json.is_string();
    return Error{ErrorCode::mismatch, where, is_short ? json.dump() : "another " + json_kind(json),
                 std::move(expected)};
  }
};

}  // namespace detail

/// `architecture` as JSON: its fields by their names, activations as "none", "relu" or "swish", pads as
/// [top, left, bottom, right].
inline std::string architecture_json(const Architecture& architecture) {
  return detail::field_json(architecture).dump();
}

/// The architecture that `text` describes. Every field must be there, no other may, and validate() must
/// accept the whole. `where` starts the error's, e.g. a file's name.
inline Result<Architecture> parse_architecture(std::string_view text, std::string_view where = {}) {
  const std::string root = std::string(where) + (where.empty() ? "architecture" : ": architecture");
  PANTANAL_TRY(const nlohmann::json json, parse_json(text, root, {.bytes = 1u << 20, .depth = 5}));
  Architecture architecture;
  PANTANAL_TRY_STATUS(detail::ArchitectureReader().read(json, root, architecture));
  PANTANAL_TRY_STATUS(validate(architecture, where));
  return architecture;
}

}  // namespace pantanal::perch
