// Session with narrow weights and narrow products: what they change, and what not.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "pantanal/perch/reference.hpp"
#include "pantanal/perch/session.hpp"
#include "perch/session_runs.hpp"

namespace pantanal::perch {
namespace {

/// Weights in bfloat16 and int8 stay so in memory, and binary16 is widened: in no case does a bit differ from
/// the same weights in float32.
TEST(Session, NarrowWeightsGiveTheBitsOfTheSameWeightsWidened) {
  const auto model = shared_tiny_model();
  const std::vector<float> x = signal(3, model->architecture.frontend.samples);
  for (const Dtype dtype : {Dtype::bf16, Dtype::f16, Dtype::i8}) {
    const auto narrow = std::make_shared<Model>(with_dtype(*model, dtype));
    const auto wide = std::make_shared<Model>(with_dtype(*narrow, Dtype::f32));
    for (const InstructionSet isa : all_sets) {
      if (!is_supported(isa)) continue;
      SCOPED_TRACE(testing::Message() << to_string(isa) << ", " << to_string(dtype));
      auto found = Session::create(narrow, {.threads = 2, .isa = isa}),
           expected = Session::create(wide, {.threads = 2, .isa = isa}),
           original = Session::create(model, {.threads = 2, .isa = isa});
      ASSERT_TRUE(found && expected && original);
      const OutputValues a = run(*found, x, 3), b = run(*expected, x, 3), c = run(*original, x, 3);
      EXPECT_EQ(a.spatial, b.spatial);
      EXPECT_EQ(a.embedding, b.embedding);
      EXPECT_EQ(a.label, b.label);
      EXPECT_NE(a.embedding, c.embedding);
    }
  }
}

/// Products in bfloat16: near the float32 reference, the same bytes for any threads, and refused elsewhere.
TEST(Session, MultipliesInBfloat16WhereTheCpuDoes) {
  const auto model = shared_tiny_model();
  constexpr std::size_t n = 5;
  const std::size_t samples = model->architecture.frontend.samples;
  const std::vector<float> x = signal(n, samples);
  for (const InstructionSet isa : all_sets) {
    auto session = Session::create(model, {.threads = 1, .isa = isa, .precision = Precision::bf16});
    if (!kernels::bfloat16_table(isa)) {
      ASSERT_FALSE(session);
      EXPECT_EQ(session.error().code, ErrorCode::unsupported);
      EXPECT_NE(session.error().message().find(to_string(isa)), std::string::npos);
      continue;
    }
    ASSERT_TRUE(session) << session.error().message();
    const OutputValues found = run(*session, x, n);
    for (std::size_t w = 0; w < n; ++w) {
      const auto expected = reference::run(*model, std::span(x).subspan(w * samples, samples));
      EXPECT_LT(largest(found.spectrogram, expected.spectrogram, w), 1e-6);
      EXPECT_LT(relative(found.embedding, expected.embedding, w), 0.03);
      EXPECT_LT(largest(found.label, expected.label, w), 0.05);
      EXPECT_GT(relative(found.embedding, expected.embedding, w), 1e-4) << "was it computed in bfloat16?";
    }
    for (const std::size_t threads : {2, 3})
      for (const std::size_t batch : {1, 2, 5}) {
        auto other = Session::create(
            model, {.threads = threads, .batch = batch, .isa = isa, .precision = Precision::bf16});
        ASSERT_TRUE(other);
        const OutputValues same = run(*other, x, n);
        EXPECT_EQ(same.embedding, found.embedding);
        EXPECT_EQ(same.label, found.label);
      }
  }
}

/// The model with the weights of int8 products, which leave the label head alone, in float32.
std::shared_ptr<const Model> with_int8_weights(const Model& model) {
  auto rounded = std::make_shared<Model>(model);
  for (auto& [name, tensor] : rounded->tensors)
    if (may_be_narrow(name) && name != "label.prototypes")
      tensor = convert_tensor(convert_tensor(tensor, Dtype::i8), Dtype::f32);
  return rounded;
}

/// Products in int8: near the reference that rounds as they do, the same bytes for any threads, and refused
/// elsewhere.
TEST(Session, MultipliesInInt8WhereTheCpuDoes) {
  const auto model = shared_tiny_model(), rounded = with_int8_weights(*model);
  constexpr std::size_t n = 5;
  const std::size_t samples = model->architecture.frontend.samples;
  const std::vector<float> x = signal(n, samples);
  for (const InstructionSet isa : all_sets) {
    if (!is_supported(isa)) continue;
    auto session = Session::create(model, {.threads = 1, .isa = isa, .precision = Precision::int8});
    if (!kernels::int8_table(isa)) {
      ASSERT_FALSE(session);
      EXPECT_EQ(session.error().code, ErrorCode::unsupported);
      const std::string said = session.error().message();
      EXPECT_NE(said.find("precision int8 on " + std::string(to_string(isa))), std::string::npos) << said;
      EXPECT_NE(said.find(std::string("CPU with ") + integer_dot_products), std::string::npos) << said;
      EXPECT_EQ(said.find("CPU without") == std::string::npos, has_integer_dot_products()) << said;
      continue;
    }
    ASSERT_TRUE(session) << session.error().message();
    const OutputValues found = run(*session, x, n);
    for (std::size_t w = 0; w < n; ++w) {
      const auto window = std::span(x).subspan(w * samples, samples);
      const auto exact = reference::run(*model, window),
                 expected = reference::run(*rounded, window, reference::round_to_int8);
      EXPECT_LT(largest(found.spectrogram, exact.spectrogram, w), 1e-6);
      EXPECT_LT(relative(found.embedding, exact.embedding, w), 0.1);
      EXPECT_GT(relative(found.embedding, exact.embedding, w), 1e-3) << "was it computed in int8?";
      // What float32 rounds to another multiple than double is carried through 14 blocks; MbconvLayer's test
      // is the sharp one.
      EXPECT_LT(relative(found.embedding, expected.embedding, w), 0.04);
      EXPECT_LT(largest(found.label, expected.label, w), 0.15);
    }
    for (const std::size_t threads : {1, 2, 3})
      for (const std::size_t batch : {1, 2, 5}) {
        auto other = Session::create(
            model, {.threads = threads, .batch = batch, .isa = isa, .precision = Precision::int8});
        ASSERT_TRUE(other);
        const OutputValues same = run(*other, x, n);
        EXPECT_EQ(same.spatial, found.spatial);
        EXPECT_EQ(same.embedding, found.embedding);
        EXPECT_EQ(same.label, found.label);
      }
  }
}

/// Weights that a file holds in int8 are those that int8 products round float32 ones to; others are rounded
/// as they are.
TEST(Session, MultipliesInInt8WhateverTheFileHolds) {
  const auto model = shared_tiny_model();
  const std::vector<float> x = signal(2, model->architecture.frontend.samples);
  const SessionOptions options{.threads = 1, .precision = Precision::int8};
  if (!is_supported(options.precision, options.isa)) GTEST_SKIP() << "no int8 products on this CPU";
  auto session = Session::create(model, options);
  ASSERT_TRUE(session);
  const OutputValues expected = run(*session, x, 2);
  for (const Dtype dtype : {Dtype::i8, Dtype::bf16, Dtype::f16}) {
    const auto narrow = std::make_shared<Model>(with_dtype(*model, dtype));
    auto other = Session::create(narrow, options);
    ASSERT_TRUE(other) << to_string(dtype);
    const OutputValues found = run(*other, x, 2);
    if (dtype == Dtype::i8) {
      EXPECT_EQ(found.spatial, expected.spatial);
    }
    const std::vector<double> doubles(expected.embedding.begin(), expected.embedding.end());
    EXPECT_LT(relative(found.embedding, doubles, 0), 0.05) << to_string(dtype);
  }
}

}  // namespace
}  // namespace pantanal::perch
