// The scan over batches and threads, long sequences, and every way to call it wrongly.
#include "pantanal/ops/selective_scan.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <iterator>
#include <limits>

#include "core/refused.hpp"
#include "kernels/guarded.hpp"
#include "pantanal/kernels/reference_scan.hpp"

namespace pantanal::ops {
namespace {

using kernels::random_floats;

struct Problem {
  explicit Problem(ScanShape s)
      : shape(s),
        u(random_floats(s.batch * s.steps * s.channels, 1)),
        dt(random_floats(s.batch * s.steps * s.channels, 2, 0.3f)),
        a(random_floats(s.channels * s.states, 3)),
        b(random_floats(s.batch * s.steps * s.states, 4)),
        c(random_floats(s.batch * s.steps * s.states, 5)),
        skip(random_floats(s.channels, 6)),
        state(random_floats(s.batch * s.channels * s.states, 7)),
        y(u.size()),
        final_state(state.size()) {
    for (float& x : dt) x = std::abs(x);
    for (float& x : a) x = -std::abs(x) - 0.1f;
  }
  ScanInputs inputs() const { return {u, dt, a, b, c, skip, state}; }
  ScanOutputs outputs() { return {y, final_state}; }

  ScanShape shape;
  std::vector<float> u, dt, a, b, c, skip, state, y, final_state;
};

void expect_reference(const Problem& p) {
  const ScanShape& s = p.shape;
  const std::size_t row = s.steps * s.channels, weights = s.steps * s.states, state = s.channels * s.states;
  for (std::size_t i = 0; i < s.batch; ++i) {
    const kernels::reference::ScanResult expected = kernels::reference::selective_scan(
        std::span(p.u).subspan(i * row, row), std::span(p.dt).subspan(i * row, row), p.a,
        std::span(p.b).subspan(i * weights, weights), std::span(p.c).subspan(i * weights, weights), p.skip,
        std::span(p.state).subspan(i * state, state), s.channels, s.states);
    double scale = 0;
    for (const double x : expected.output) scale = std::max(scale, std::abs(x));
    for (std::size_t j = 0; j < row; ++j) ASSERT_NEAR(p.y[i * row + j], expected.output[j], 4e-6 * scale);
    for (std::size_t j = 0; j < state; ++j)
      ASSERT_NEAR(p.final_state[i * state + j], expected.state[j], 4e-6 * scale);
  }
}

TEST(SelectiveScan, IsTheSameBitsForAnyNumberOfThreads) {
  for (const kernels::KernelTable* table : kernels::all_tables()) {
    Problem one({3, 14, 150, 5});
    ASSERT_TRUE(succeeded(selective_scan(one.shape, one.inputs(), one.outputs(), 1, table->isa)));
    expect_reference(one);
    for (const std::size_t threads : {0, 2, 3, 7}) {
      Problem many(one.shape);
      ASSERT_TRUE(succeeded(selective_scan(many.shape, many.inputs(), many.outputs(), threads, table->isa)));
      EXPECT_EQ(one.y, many.y) << to_string(table->isa) << " " << threads;
      EXPECT_EQ(one.final_state, many.final_state);
    }
  }
}

TEST(SelectiveScan, TakesLongSequences) {
  for (const kernels::KernelTable* table : kernels::all_tables()) {
    Problem p({1, 65536, 19, 2});
    ASSERT_TRUE(succeeded(selective_scan(p.shape, p.inputs(), p.outputs(), 1, table->isa)));
    expect_reference(p);
    Problem many(p.shape);
    ASSERT_TRUE(succeeded(selective_scan(many.shape, many.inputs(), many.outputs(), 3, table->isa)));
    EXPECT_EQ(p.y, many.y) << to_string(table->isa);
  }
}

/// A long stream, cut anywhere, gives the bits of the whole.
TEST(SelectiveScan, ContinuesALongStream) {
  for (const kernels::KernelTable* table : kernels::all_tables()) {
    Problem p({1, 65536, 19, 2});
    const ScanShape& s = p.shape;
    ASSERT_TRUE(succeeded(selective_scan(s, p.inputs(), p.outputs(), 2, table->isa)));
    std::vector<float> y(p.y.size()), state = p.state;
    const std::size_t cuts[] = {0, 1, 6, 20000, 20007, s.steps};
    for (std::size_t i = 0; i + 1 < std::size(cuts); ++i) {
      const std::size_t steps = cuts[i + 1] - cuts[i], row = s.channels, weights = s.states;
      const auto part = [&](const std::vector<float>& x, std::size_t columns) {
        return std::span(x).subspan(cuts[i] * columns, steps * columns);
      };
      ASSERT_TRUE(succeeded(selective_scan(
          {1, steps, s.channels, s.states},
          {part(p.u, row), part(p.dt, row), p.a, part(p.b, weights), part(p.c, weights), p.skip, state},
          {std::span(y).subspan(cuts[i] * row, steps * row), state}, 2, table->isa)));
    }
    EXPECT_EQ(y, p.y) << to_string(table->isa);
    EXPECT_EQ(state, p.final_state) << to_string(table->isa);
  }
}

TEST(SelectiveScan, ContinuesInPlace) {
  Problem p({2, 5, 20, 3});
  std::vector<float> state = p.state;
  ASSERT_TRUE(succeeded(selective_scan(p.shape, p.inputs(), p.outputs())));
  ScanInputs in = p.inputs();
  in.initial_state = state;
  ASSERT_TRUE(succeeded(selective_scan(p.shape, in, {p.y, state})));
  EXPECT_EQ(state, p.final_state);
}

TEST(SelectiveScan, NamesTheArrayOfAnotherSize) {
  Problem p({2, 3, 4, 5});
  const std::vector<float> wrong(7);
  const auto run = [&](auto change) {
    ScanInputs in = p.inputs();
    change(in);
    return selective_scan(p.shape, in, p.outputs());
  };
  using In = ScanInputs&;
  constexpr auto code = ErrorCode::invalid_argument;
  EXPECT_TRUE(refused(run([&](In in) { in.u = wrong; }), code, {"scan: u", "7 floats", "24, [B, T, D]"}));
  EXPECT_TRUE(refused(run([&](In in) { in.dt = {}; }), code, {"scan: dt", "0 floats"}));
  EXPECT_TRUE(refused(run([&](In in) { in.a = wrong; }), code, {"scan: A", "20, [D, N]"}));
  EXPECT_TRUE(refused(run([&](In in) { in.b = wrong; }), code, {"scan: B", "30, [B, T, N]"}));
  EXPECT_TRUE(refused(run([&](In in) { in.c = wrong; }), code, {"scan: C"}));
  EXPECT_TRUE(refused(run([&](In in) { in.skip = wrong; }), code, {"scan: skip"}));
  EXPECT_TRUE(
      refused(run([&](In in) { in.initial_state = wrong; }), code, {"initial_state", "40, [B, D, N]"}));
  EXPECT_TRUE(refused(selective_scan(p.shape, p.inputs(), {}), code, {"scan: y"}));
  EXPECT_TRUE(
      refused(selective_scan({2, 3, 4, 0}, p.inputs(), p.outputs()), code, {"(2, 3, 4, 0)", "positive"}));
  constexpr std::size_t huge = std::size_t{1} << 40;
  EXPECT_TRUE(refused(selective_scan({huge, huge, huge, 1}, p.inputs(), p.outputs()), code, {"addressed"}));
}

TEST(SelectiveScan, RefusesWhatIsNotFiniteAndWhatOverflows) {
  Problem p({1, 3, 4, 5});
  p.b[2] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(refused(selective_scan(p.shape, p.inputs(), p.outputs()), ErrorCode::invalid_argument,
                      {"scan: B", "NaN"}));
  p.b[2] = 3e38f, p.u[0] = 3e38f, p.dt[0] = 10;
  EXPECT_TRUE(
      refused(selective_scan(p.shape, p.inputs(), p.outputs()), ErrorCode::invalid_argument, {"overflows"}));
}

}  // namespace
}  // namespace pantanal::ops
