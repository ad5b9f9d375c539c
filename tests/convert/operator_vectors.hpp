// Test cases of operators: small ONNX models with their inputs and the outputs they must give, as written by
// operator_vectors.py.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "interpreter/interpreter.hpp"
#include "onnx/onnx_reader.hpp"
#include "pantanal/io/mapped_file.hpp"

namespace pantanal::convert::fixtures {

struct OperatorCase {
  std::string name;
  Graph graph;
  std::map<std::string, NdArray<double>> inputs;
  std::map<std::string, Constant> expected;
};

/// How far a result may be from what the other implementation gave: absolute + relative · |expected|.
struct Tolerance {
  double absolute = 0, relative = 0;
};

/// Elements of a constant of any type.
inline std::vector<double> elements(const Constant& constant) {
  std::vector<double> values(constant.floats.begin(), constant.floats.end());
  values.insert(values.end(), constant.doubles.begin(), constant.doubles.end());
  for (const std::int64_t value : constant.ints) values.push_back(static_cast<double>(value));
  return values;
}

/// Takes the data out of the constants: real inputs are fed, others stay constants under the input's own
/// name.
inline void unpack(OperatorCase& test) {
  constexpr std::string_view feed = "feed:", expect = "expect:";
  for (auto it = test.graph.constants.begin(); it != test.graph.constants.end();) {
    std::string name = it->first;
    const Constant constant = it->second;
    const bool is_feed = name.starts_with(feed), is_expected = name.starts_with(expect);
    it = is_feed || is_expected ? test.graph.constants.erase(it) : std::next(it);
    if (is_expected) test.expected[name.substr(expect.size())] = constant;
    if (!is_feed) continue;
    name.erase(0, feed.size());
    if (constant.type == DataType::float32 || constant.type == DataType::float64) {
      test.inputs[name] = {constant.shape, elements(constant)};
    } else {
      std::erase_if(test.graph.inputs, [&](const Value& input) { return input.name == name; });
      test.graph.constants[name] = constant;
    }
  }
}

/// The cases of a file of tests/golden/operators; fails the test if it cannot be read.
inline std::vector<OperatorCase> read_cases(const std::string& file) {
  const std::filesystem::path path =
      std::filesystem::path(PANTANAL_SOURCE_DIR) / "tests" / "golden" / "operators" / file;
  const Result<MappedFile> mapped = MappedFile::open(path);
  std::vector<OperatorCase> cases;
  EXPECT_TRUE(mapped.ok());
  if (!mapped) return cases;
  std::span<const std::byte> rest = mapped->bytes();
  const auto take = [&]() {
    std::uint32_t size = 0;
    std::memcpy(&size, rest.data(), sizeof(size));
    const auto taken = rest.subspan(sizeof(size), size);
    rest = rest.subspan(sizeof(size) + size);
    return taken;
  };
  while (!rest.empty()) {
    const auto name = take(), model = take();
    OperatorCase test{{reinterpret_cast<const char*>(name.data()), name.size()}, {}, {}, {}};
    Result<Graph> graph = parse_onnx(model, test.name);
    EXPECT_TRUE(graph.ok()) << test.name << ": " << graph.error().message();
    if (!graph) continue;
    test.graph = *std::move(graph);
    unpack(test);
    cases.push_back(std::move(test));
  }
  return cases;
}

/// What is wrong with `found`, or nothing. NaN and infinities must be where they are expected; integers
/// equal.
template <class Real>
std::optional<std::string> difference(const NdArray<Real>& found, const Constant& expected,
                                      Tolerance tolerance) {
  if (found.shape != expected.shape)
    return "shape " + to_string(found.shape) + ", expected " + to_string(expected.shape);
  const std::vector<double> wanted = elements(expected);
  if (found.values.size() != wanted.size()) return std::to_string(found.values.size()) + " elements";
  if (!expected.ints.empty()) tolerance = {};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto value = static_cast<double>(found.values[i]);
    if (std::isnan(value) && std::isnan(wanted[i])) continue;
    if (value == wanted[i]) continue;
    if (!(std::abs(value - wanted[i]) <= tolerance.absolute + tolerance.relative * std::abs(wanted[i])))
      return "element " + std::to_string(i) + ": " + std::to_string(value) + ", expected " +
             std::to_string(wanted[i]);
  }
  return std::nullopt;
}

/// What is wrong with the interpreter's outputs for a case, or nothing.
template <class Real>
std::optional<std::string> run_case(const OperatorCase& test, Tolerance tolerance) {
  const auto interpreter = Interpreter<Real>::create(test.graph);
  if (!interpreter) return interpreter.error().message();
  std::map<std::string, NdArray<Real>> inputs;
  for (const auto& [name, array] : test.inputs)
    inputs[name] = {array.shape, {array.values.begin(), array.values.end()}};
  std::vector<std::string> names;
  for (const auto& [name, constant] : test.expected) names.push_back(name);
  const auto outputs = interpreter->run(inputs, names);
  if (!outputs) return outputs.error().message();
  for (const auto& [name, expected] : test.expected)
    if (const auto wrong = difference(outputs->at(name), expected, tolerance)) return name + ": " + *wrong;
  return std::nullopt;
}

}  // namespace pantanal::convert::fixtures
