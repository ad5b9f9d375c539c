// The interpreter against the ONNX project's published node tests.
#include "operator_vectors.hpp"

namespace pantanal::convert {
namespace {

const std::vector<fixtures::OperatorCase>& node_cases() {
  static const std::vector<fixtures::OperatorCase> all = fixtures::read_cases("node_vectors.bin");
  return all;
}

/// One case states inputs and outputs to four decimals only.
fixtures::Tolerance tolerance(const fixtures::OperatorCase& test) {
  if (test.name.ends_with("test_averagepool_2d_ceil_last_window_starts_on_pad")) return {1e-4, 0};
  return {1e-6, 1e-5};
}

TEST(InterpreterNodeVectors, AreAllThere) { EXPECT_GT(node_cases().size(), 700u); }

TEST(InterpreterNodeVectors, AgreeInDouble) {
  for (const auto& test : node_cases())
    if (const auto wrong = fixtures::run_case<double>(test, tolerance(test)))
      ADD_FAILURE() << test.name << ": " << *wrong;
}

TEST(InterpreterNodeVectors, AgreeInFloat) {
  for (const auto& test : node_cases())
    if (const auto wrong = fixtures::run_case<float>(test, tolerance(test)))
      ADD_FAILURE() << test.name << ": " << *wrong;
}

}  // namespace
}  // namespace pantanal::convert
