// The interpreter against ONNX Runtime on random cases of every operator, in the operator sets where its form
// changed.
#include "operator_vectors.hpp"

namespace pantanal::convert {
namespace {

const std::vector<fixtures::OperatorCase>& operator_cases() {
  static const std::vector<fixtures::OperatorCase> all = fixtures::read_cases("operator_vectors.bin");
  return all;
}

TEST(InterpreterOperatorVectors, AreAllThere) { EXPECT_GT(operator_cases().size(), 1000u); }

TEST(InterpreterOperatorVectors, AgreeInDouble) {
  for (const auto& test : operator_cases())
    if (const auto wrong = fixtures::run_case<double>(test, {1e-5, 1e-5}))
      ADD_FAILURE() << test.name << ": " << *wrong;
}

TEST(InterpreterOperatorVectors, AgreeInFloat) {
  for (const auto& test : operator_cases())
    if (const auto wrong = fixtures::run_case<float>(test, {1e-5, 1e-5}))
      ADD_FAILURE() << test.name << ": " << *wrong;
}

}  // namespace
}  // namespace pantanal::convert
