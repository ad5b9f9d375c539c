// A training's whole state in a file, from which it goes on as if it had never stopped.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/core/tensor.hpp"
#include "pantanal/io/safetensors.hpp"
#include "pantanal/io/safetensors_tensors.hpp"
#include "pantanal/io/safetensors_writer.hpp"

namespace pantanal::train {

/// Arrays by name, of which empty ones are not kept, and numbers. What a training must have in common with
/// one that it continues is in "options" of `numbers`.
struct Checkpoint {
  std::map<std::string, std::vector<float>> arrays;
  nlohmann::json numbers;
};

inline Status save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  std::vector<SafetensorsSpec> specs;
  for (const auto& [name, values] : checkpoint.arrays)
    if (!values.empty()) specs.push_back({name, "F32", {static_cast<std::int64_t>(values.size())}});
  PANTANAL_TRY(SafetensorsWriter writer,
               SafetensorsWriter::create(path, {{"training", checkpoint.numbers.dump()}}, specs));
  for (const auto& [name, values] : checkpoint.arrays)
    if (!values.empty()) PANTANAL_TRY_STATUS(writer.write(name, std::as_bytes(std::span(values))));
  return writer.finish();
}

/// Errors: those of the file; no checkpoint in it; one of other options, naming both.
inline Result<Checkpoint> load_checkpoint(const std::filesystem::path& path, const nlohmann::json& options) {
  PANTANAL_TRY(SafetensorsFile opened, SafetensorsFile::open(path));
  const auto file = std::make_shared<const SafetensorsFile>(std::move(opened));
  const auto found = file->metadata().find("training");
  if (found == file->metadata().end())
    return Error{ErrorCode::mismatch, path.string(), "no training in it", "a checkpoint"};
  Checkpoint checkpoint;
  checkpoint.numbers = nlohmann::json::parse(found->second, nullptr, false);
  if (!checkpoint.numbers.is_object() || !checkpoint.numbers.contains("options"))
    return Error{ErrorCode::corrupt, path.string(), "numbers that cannot be read", "a checkpoint"};
  if (checkpoint.numbers["options"] != options)
    return Error{ErrorCode::mismatch, path.string(), checkpoint.numbers["options"].dump(), options.dump()};
  PANTANAL_TRY(const TensorMap tensors, map_tensors(file, {}));
  for (const auto& [name, tensor] : tensors)
    checkpoint.arrays[name].assign(tensor.values.begin(), tensor.values.end());
  return checkpoint;
}

}  // namespace pantanal::train
