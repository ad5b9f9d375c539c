// A Model as one .safetensors file. weights/FORMAT.md describes the format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/io/json.hpp"
#include "pantanal/io/page_release.hpp"
#include "pantanal/io/safetensors.hpp"
#include "pantanal/io/safetensors_tensors.hpp"
#include "pantanal/io/safetensors_writer.hpp"
#include "pantanal/perch/architecture_json.hpp"
#include "pantanal/perch/model.hpp"

namespace pantanal::perch {

inline constexpr std::string_view model_format = "pantanal.perch", model_format_version = "1";

namespace detail {

/// Metadata entry `key` of `file`, or an error that names both.
inline Result<std::string_view> metadata_text(const SafetensorsFile& file, std::string_view key) {
  const auto found = file.metadata().find(key);
  if (found != file.metadata().end()) return std::string_view(found->second);
  return Error{ErrorCode::not_found, file.path().string() + ": __metadata__." + std::string(key),
               "no such entry", "a model written by pantanal-convert"};
}

inline Status expect_metadata(const SafetensorsFile& file, std::string_view key, std::string_view expected) {
  PANTANAL_TRY(const std::string_view found, metadata_text(file, key));
  if (found == expected) return {};
  return Error{ErrorCode::mismatch, file.path().string() + ": __metadata__." + std::string(key),
               "\"" + std::string(found) + "\"", "\"" + std::string(expected) + "\""};
}

inline Result<std::vector<std::string>> parse_labels(std::string_view text, const std::string& where) {
  PANTANAL_TRY(const nlohmann::json json, parse_json(text, where, {.depth = 1}));
  if (!json.is_array()) return Error{ErrorCode::mismatch, where, json_kind(json), "an array of strings"};
  std::vector<std::string> labels;
  for (const nlohmann::json& label : json) {
    if (!label.is_string())
      return Error{ErrorCode::mismatch, where + "[" + std::to_string(labels.size()) + "]", json_kind(label),
                   "a string"};
    labels.push_back(label.get<std::string>());
  }
  return labels;
}

inline Result<Source> parse_source(std::string_view text, const std::string& where) {
  PANTANAL_TRY(const nlohmann::json json, parse_json(text, where, {.bytes = 1u << 16, .depth = 1}));
  Source source;
  const std::pair<const char*, std::string*> fields[] = {
      {"file", &source.file}, {"sha256", &source.sha256}, {"kind", &source.kind}};
  for (const auto& [key, field] : fields) {
    if (!json.is_object() || json.size() != std::size(fields) || !json.contains(key) ||
        !json[key].is_string())
      return Error{ErrorCode::mismatch, where, "other JSON",
                   "an object of the strings file, sha256 and kind"};
    *field = json[key].get<std::string>();
  }
  return source;
}

inline Result<std::map<std::string, std::string>> model_metadata(const Model& model,
                                                                 const std::string& where) {
  PANTANAL_TRY(std::string labels, json_text(nlohmann::json(model.labels), where + ": labels"));
  const nlohmann::ordered_json source_json = {
      {"file", model.source.file}, {"sha256", model.source.sha256}, {"kind", model.source.kind}};
  PANTANAL_TRY(std::string source, json_text(source_json, where + ": source"));
  return std::map<std::string, std::string>{{"format", std::string(model_format)},
                                            {"format_version", std::string(model_format_version)},
                                            {"architecture", architecture_json(model.architecture)},
                                            {"labels", std::move(labels)},
                                            {"source", std::move(source)}};
}

}  // namespace detail

struct LoadOptions {
  /// Leave tensors that the file has in 16 or 8 bits as they are, for Session, which takes them. Otherwise
  /// they are widened to float32, in memory, for everybody else.
  bool keep_narrow = false;
};

/// Maps the model at `path` and checks it: the format and its version, the checksum of every byte, the
/// architecture, the labels, and each tensor against required_tensors(). The tensors point into the map.
/// Errors name the file and the tensor or entry in it, what was found there and what was expected.
inline Result<Model> load_model(const std::filesystem::path& path, LoadOptions options = {}) {
  PANTANAL_TRY(SafetensorsFile opened, SafetensorsFile::open(path));
  const auto file = std::make_shared<const SafetensorsFile>(std::move(opened));
  const std::string where = path.string(), metadata = where + ": __metadata__.";
  PANTANAL_TRY_STATUS(detail::expect_metadata(*file, "format", model_format));
  PANTANAL_TRY_STATUS(detail::expect_metadata(*file, "format_version", model_format_version));
  PANTANAL_TRY_STATUS(file->verify_checksum());
  Model model;
  PANTANAL_TRY(const std::string_view architecture, detail::metadata_text(*file, "architecture"));
  PANTANAL_TRY(model.architecture, parse_architecture(architecture, where));
  PANTANAL_TRY(const std::string_view labels, detail::metadata_text(*file, "labels"));
  PANTANAL_TRY(model.labels, detail::parse_labels(labels, metadata + "labels"));
  PANTANAL_TRY(const std::string_view source, detail::metadata_text(*file, "source"));
  PANTANAL_TRY(model.source, detail::parse_source(source, metadata + "source"));
  PANTANAL_TRY(model.tensors, map_tensors(file, {}, NarrowTensors::kept));
  // What is read is given back at once; it is wanted again when a session packs it.
  PANTANAL_TRY_STATUS(validate(model, where, [](const Tensor& tensor) { release_pages(tensor); }));
  if (options.keep_narrow) return model;
  for (auto& [name, tensor] : model.tensors) {
    if (!tensor.is_narrow()) continue;
    const Tensor narrow = std::exchange(tensor, convert_tensor(tensor, Dtype::f32));
    release_pages(narrow);
  }
  return model;
}

/// What a model's header tells: enough to know what running it takes.
struct ModelOutline {
  Architecture architecture;
  Dtype dtype = Dtype::f32;        ///< of the large weights
  std::size_t metadata_bytes = 0;  ///< labels and all
};

/// The outline of the model at `path`, whose tensors are not read. Errors as load_model's.
inline Result<ModelOutline> read_outline(const std::filesystem::path& path) {
  PANTANAL_TRY(const SafetensorsFile file, SafetensorsFile::open(path));
  PANTANAL_TRY_STATUS(detail::expect_metadata(file, "format", model_format));
  PANTANAL_TRY_STATUS(detail::expect_metadata(file, "format_version", model_format_version));
  ModelOutline outline;
  PANTANAL_TRY(const std::string_view architecture, detail::metadata_text(file, "architecture"));
  PANTANAL_TRY(outline.architecture, parse_architecture(architecture, path.string()));
  PANTANAL_TRY_STATUS(validate(outline.architecture, path.string()));
  for (const auto& [key, text] : file.metadata()) outline.metadata_bytes += text.size();
  const auto head = file.tensors().find("head.weight");
  for (const Dtype dtype : {Dtype::bf16, Dtype::f16, Dtype::i8})
    if (head != file.tensors().end() && head->second.dtype == to_string(dtype)) outline.dtype = dtype;
  return outline;
}

/// Writes `model`, which must be valid, so that load_model(path) gives the same one. The file appears
/// complete or not at all. Narrow tensors stay so. `path` may be the file that `model` was loaded from.
inline Status save_model(const Model& model, const std::filesystem::path& path) {
  const std::string where = path.string();
  PANTANAL_TRY_STATUS(validate(model, where));
  PANTANAL_TRY(const auto metadata, detail::model_metadata(model, where));
  std::vector<SafetensorsSpec> specs;
  std::vector<std::span<const std::byte>> bytes;
  const auto add = [&](std::string name, const char* dtype, Shape shape, std::span<const std::byte> values) {
    specs.push_back({std::move(name), dtype, std::move(shape)}), bytes.push_back(values);
  };
  for (const std::uint64_t element : {4, 2, 1})  // wider elements first, as alignment asks for
    for (const TensorSpec& spec : required_tensors(model.architecture)) {
      const Tensor& tensor = model.tensors.find(spec.name)->second;
      const char* const dtype = to_string(tensor.dtype);
      if (safetensors_element_size(dtype) == element) add(spec.name, dtype, spec.shape, tensor.bytes());
      if (tensor.dtype == Dtype::i8 && element == sizeof(float))
        add(scales_name(spec.name), to_string(Dtype::f32), {static_cast<std::int64_t>(tensor.scales.size())},
            std::as_bytes(tensor.scales));
    }
  PANTANAL_TRY(SafetensorsWriter writer, SafetensorsWriter::create(path, metadata, specs));
  for (std::size_t i = 0; i < specs.size(); ++i) PANTANAL_TRY_STATUS(writer.write(specs[i].name, bytes[i]));
  return writer.finish();
}

}  // namespace pantanal::perch
