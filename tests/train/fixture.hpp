// What PyTorch computed: the tensors and numbers of a file of tests/golden/train.
#pragma once

#include <gtest/gtest.h>

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
  explicit Fixture(const std::string& name)
      : Fixture(SafetensorsFile::open(std::string(PANTANAL_SOURCE_DIR) + "/tests/golden/train/" + name +
                                      ".safetensors")) {}

  std::span<const float> operator[](std::string_view name) const {
    EXPECT_TRUE(tensors.contains(name)) << name;
    return tensor_values(tensors, name);
  }

  TensorMap tensors;
  nlohmann::json numbers;

 private:
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
