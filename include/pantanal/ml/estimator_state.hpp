// EstimatorState: what a fitted estimator is made of, and the .safetensors file that holds it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/core/shape.hpp"
#include "pantanal/io/json.hpp"
#include "pantanal/io/safetensors.hpp"
#include "pantanal/io/safetensors_writer.hpp"
#include "pantanal/ml/matrix.hpp"

namespace pantanal::ml {

/// The format's name of an element type.
template <class T>
constexpr const char* dtype_name() {
  if constexpr (std::is_same_v<T, float>) return "F32";
  if constexpr (std::is_same_v<T, double>) return "F64";
  if constexpr (std::is_same_v<T, std::int64_t>) return "I64";
  if constexpr (std::is_same_v<T, std::uint8_t>) return "U8";
}

/// Constructor arguments as JSON, and arrays under scikit-learn's attribute names.
struct EstimatorState {
  struct Array {
    std::string dtype;
    Shape shape;
    std::vector<std::byte> bytes;
  };
  std::string estimator;  ///< the class, e.g. "PCA"
  nlohmann::json settings = nlohmann::json::object();
  std::map<std::string, Array, std::less<>> arrays = {};

  template <class T>
  void add(const std::string& name, Shape shape, std::span<const T> values) {
    const auto bytes = std::as_bytes(values);
    arrays[name] = {dtype_name<T>(), std::move(shape), {bytes.begin(), bytes.end()}};
  }
  template <class T>
  void add(const std::string& name, const std::vector<T>& values) {
    add<T>(name, {static_cast<std::int64_t>(values.size())}, std::span(values));
  }
  template <Real T>
  void add(const std::string& name, const Matrix<T>& m) {
    add<T>(name, {static_cast<std::int64_t>(m.rows), static_cast<std::int64_t>(m.columns)},
           std::span(m.values));
  }

  /// The values of array `name`, of type T exactly. Real ones must be finite.
  template <class T>
  Result<std::vector<T>> values(std::string_view name) const {
    PANTANAL_TRY(const Array* array, find(name));
    const std::string where = estimator + "." + std::string(name);
    if (array->dtype != dtype_name<T>())
      return Error{ErrorCode::mismatch, where, "dtype " + array->dtype, dtype_name<T>()};
    std::vector<T> values(array->bytes.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), array->bytes.data(), values.size() * sizeof(T));
    if constexpr (Real<T>) PANTANAL_TRY_STATUS(check_finite(std::span<const T>(values), where));
    return values;
  }

  /// values() as a matrix; the array must have two extents.
  template <Real T>
  Result<Matrix<T>> matrix(std::string_view name) const {
    PANTANAL_TRY(std::vector<T> flat, values<T>(name));
    const Shape& shape = arrays.find(name)->second.shape;
    if (shape.size() != 2)
      return Error{ErrorCode::mismatch, estimator + "." + std::string(name), to_string(shape), "two extents"};
    Matrix<T> m;
    m.rows = static_cast<std::size_t>(shape[0]);
    m.columns = static_cast<std::size_t>(shape[1]);
    m.values = std::move(flat);
    return m;
  }

  /// Setting `name`, of a type that converts to T.
  template <class T>
  Result<T> setting(const char* name) const {
    const auto found = settings.find(name);
    const bool fits = found != settings.end() && (std::is_same_v<T, bool>          ? found->is_boolean()
                                                  : std::is_same_v<T, std::string> ? found->is_string()
                                                  : std::is_integral_v<T> ? found->is_number_unsigned()
                                                                          : found->is_number());
    if (!fits)
      return Error{ErrorCode::mismatch, estimator + "." + name,
                   found == settings.end() ? "no such setting" : json_kind(*found),
                   "the constructor's argument"};
    return found->template get<T>();
  }

 private:
  Result<const Array*> find(std::string_view name) const {
    const auto found = arrays.find(name);
    if (found == arrays.end())
      return Error{ErrorCode::mismatch, estimator + "." + std::string(name), "no such array",
                   "it in this estimator's state"};
    return &found->second;
  }
};

inline constexpr std::string_view estimator_format = "pantanal.estimator";

/// Writes `state` to a .safetensors file: metadata "format", "format_version", "estimator" and "settings", a
/// tensor per array. The file appears when it is complete.
inline Status save_state(const EstimatorState& state, const std::filesystem::path& path) {
  PANTANAL_TRY(const std::string settings, json_text(state.settings, path.string() + ": settings"));
  const std::map<std::string, std::string> metadata = {{"format", std::string(estimator_format)},
                                                       {"format_version", "1"},
                                                       {"estimator", state.estimator},
                                                       {"settings", settings}};
  std::vector<SafetensorsSpec> specs;
  for (const bool wide : {true, false})  // wider elements first
    for (const auto& [name, array] : state.arrays)
      if ((safetensors_element_size(array.dtype) == 8u) == wide)
        specs.push_back({name, array.dtype, array.shape});
  PANTANAL_TRY(SafetensorsWriter writer, SafetensorsWriter::create(path, metadata, specs));
  for (const SafetensorsSpec& spec : specs)
    if (const auto& bytes = state.arrays.find(spec.name)->second.bytes; !bytes.empty())
      PANTANAL_TRY_STATUS(writer.write(spec.name, bytes));
  return writer.finish();
}

/// Reads what save_state() wrote, its checksum verified. Errors: a file of another kind, damage.
inline Result<EstimatorState> load_state(const std::filesystem::path& path) {
  PANTANAL_TRY(const SafetensorsFile file, SafetensorsFile::open(path));
  const auto text = [&](const char* key) {
    const auto found = file.metadata().find(key);
    return found == file.metadata().end() ? std::string() : found->second;
  };
  if (text("format") != estimator_format || text("format_version") != "1")
    return Error{ErrorCode::mismatch, path.string(),
                 "format \"" + text("format") + "\" " + text("format_version"),
                 std::string(estimator_format) + " 1"};
  PANTANAL_TRY_STATUS(file.verify_checksum());
  EstimatorState state;
  state.estimator = text("estimator");
  PANTANAL_TRY(state.settings, parse_json(text("settings"), path.string() + ": settings"));
  if (!state.settings.is_object())
    return Error{ErrorCode::corrupt, path.string() + ": settings", json_kind(state.settings), "an object"};
  for (const auto& [name, entry] : file.tensors()) {
    PANTANAL_TRY(const std::span<const std::byte> bytes, file.bytes(name));
    state.arrays[name] = {entry.dtype, entry.shape, {bytes.begin(), bytes.end()}};
  }
  return state;
}

/// Whether `state` is one of `estimator`.
inline Status check_estimator(const EstimatorState& state, std::string_view estimator) {
  if (state.estimator == estimator) return {};
  return Error{ErrorCode::mismatch, "estimator", "a " + state.estimator, std::string(estimator)};
}

}  // namespace pantanal::ml
