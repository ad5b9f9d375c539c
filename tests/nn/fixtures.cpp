#include "nn/fixtures.hpp"

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

#include "pantanal/io/safetensors.hpp"
#include "pantanal/io/safetensors_tensors.hpp"

namespace pantanal::nn {
namespace {

/// uniform(number, i) of make_fixtures.py, in [-1, 1): SplitMix64's output number 2^32·number + i, cut to 24
/// bits.
double uniform(std::uint64_t number, std::uint64_t i) {
  std::uint64_t z = ((number << 32) + i + 1) * 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  z ^= z >> 31;
  return static_cast<double>(z >> 40) / 8388608.0 - 1.0;
}

/// Tensors made from the recipes that `config` has in `group`, {name: [number, shape, scale, offset]}: the
/// scale is a power of two, so that nothing is rounded but the result.
TensorMap make_tensors(const nlohmann::json& config, const char* group) {
  TensorMap tensors;
  if (!config.contains(group)) return tensors;
  for (const auto& [name, recipe] : config[group].items()) {
    const auto number = recipe.at(0).get<std::uint64_t>();
    const auto scale = recipe.at(2).get<double>(), offset = recipe.at(3).get<double>();
    const auto shape = recipe.at(1).get<Shape>();
    std::vector<float> values(static_cast<std::size_t>(element_count(shape).value()));
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(offset + scale * uniform(number, i));
    tensors.emplace(name, make_tensor(shape, std::move(values)));
  }
  return tensors;
}

}  // namespace

FixtureCase::FixtureCase(const nlohmann::json& config)
    : state(make_tensors(config, "state")),
      in(make_tensors(config, "in")),
      config_(std::make_shared<const nlohmann::json>(config)) {}

bool FixtureCase::contains(const char* name) const { return config_->contains(name); }
std::size_t FixtureCase::size(const char* name) const { return config_->at(name).get<std::size_t>(); }
bool FixtureCase::flag(const char* name) const { return config_->at(name).get<bool>(); }
std::vector<int> FixtureCase::numbers(const char* name) const {
  return config_->at(name).get<std::vector<int>>();
}
std::vector<std::int64_t> FixtureCase::ids(const char* name) const {
  return contains(name) ? config_->at(name).get<std::vector<std::int64_t>>() : std::vector<std::int64_t>();
}

std::vector<FixtureCase> load_cases(const std::string& layer) {
  const char* folder = std::getenv("PANTANAL_NN_FIXTURES");
  const std::filesystem::path path =
      std::filesystem::path(folder ? folder : PANTANAL_SOURCE_DIR "/tests/golden/nn") /
      (layer + ".safetensors");
  auto opened = SafetensorsFile::open(path);
  EXPECT_TRUE(succeeded(opened));
  if (!opened) return {};
  const auto file = std::make_shared<const SafetensorsFile>(*std::move(opened));
  const auto tensors = map_tensors(file);
  EXPECT_TRUE(succeeded(tensors));
  std::vector<FixtureCase> cases;
  for (const nlohmann::json& config : nlohmann::json::parse(file->metadata().at("cases")))
    cases.emplace_back(config);
  for (const auto& [name, tensor] : *tensors) {
    std::size_t index = 0;
    const char* rest = std::from_chars(name.data(), name.data() + name.size(), index).ptr;
    cases.at(index).out.emplace(rest + std::string_view(".out.").size(), tensor);
  }
  EXPECT_GE(cases.size(), layer.starts_with("several") ? 12u : 50u);
  return cases;
}

}  // namespace pantanal::nn
