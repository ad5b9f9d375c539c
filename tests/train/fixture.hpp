// What PyTorch computed: the tensors and numbers of a file of tests/golden/train.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/refused.hpp"
#include "pantanal/core/tensor.hpp"
#include "pantanal/io/safetensors.hpp"
#include "pantanal/io/safetensors_tensors.hpp"

namespace pantanal::train {

struct Fixture {
  /// From tests/golden/train, or from the folder PANTANAL_TRAIN_FIXTURES if it has the file.
  explicit Fixture(const std::string& name) : Fixture(SafetensorsFile::open(path(name + ".safetensors"))) {}

  std::span<const float> operator[](std::string_view name) const {
    EXPECT_TRUE(tensors.contains(name)) << name;
    return tensor_values(tensors, name);
  }

  TensorMap tensors;
  nlohmann::json numbers;

 private:
  static std::filesystem::path path(const std::string& file) {
    const char* other = std::getenv("PANTANAL_TRAIN_FIXTURES");
    if (other && std::filesystem::exists(std::filesystem::path(other) / file))
      return std::filesystem::path(other) / file;
    return std::filesystem::path(PANTANAL_SOURCE_DIR) / "tests" / "golden" / "train" / file;
  }

  explicit Fixture(Result<SafetensorsFile> opened) {
    EXPECT_TRUE(succeeded(opened));
    const auto file = std::make_shared<const SafetensorsFile>(*std::move(opened));
    auto mapped = map_tensors(file, {});
    EXPECT_TRUE(succeeded(mapped));
    tensors = *std::move(mapped);
    numbers = nlohmann::json::parse(file->metadata().at("numbers"));
  }
};

}  // namespace pantanal::train
