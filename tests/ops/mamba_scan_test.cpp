#include "pantanal/ops/mamba_scan.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/refused.hpp"
#include "kernels/guarded.hpp"
#include "pantanal/kernels/reference_scan.hpp"

namespace pantanal::ops {
namespace {

using kernels::random_floats;

struct MambaProblem {
  explicit MambaProblem(ScanShape s)
      : shape(s),
        u(random_floats(s.batch * s.steps * s.channels, 1)),
        dt(random_floats(s.batch * s.steps * s.channels, 2)),
        a(random_floats(s.channels * s.states, 3)),
        b(random_floats(s.batch * s.steps * s.states, 4)),
        c(random_floats(s.batch * s.steps * s.states, 5)),
        skip(random_floats(s.channels, 6)),
        z(random_floats(u.size(), 7)),
        bias(random_floats(s.channels, 8)),
        y(u.size()) {
    for (float& x : a) x = -std::abs(x) - 0.1f;
  }
  ScanInputs inputs() const { return {u, dt, a, b, c, skip, {}}; }
  MambaTerms terms() const { return {z, bias, true}; }

  ScanShape shape;
  std::vector<float> u, dt, a, b, c, skip, z, bias, y;
};

/// Every term in double precision.
std::vector<double> expected_output(const MambaProblem& p, const MambaTerms& terms) {
  const ScanShape& s = p.shape;
  std::vector<double> result;
  for (std::size_t i = 0; i < s.batch; ++i) {
    const std::size_t row = s.steps * s.channels, weights = s.steps * s.states;
    std::vector<float> steps(p.dt.begin() + static_cast<std::ptrdiff_t>(i * row),
                             p.dt.begin() + static_cast<std::ptrdiff_t>((i + 1) * row));
    for (std::size_t j = 0; j < row; ++j) {
      double step = steps[j];
      if (!terms.delta_bias.empty()) step += double{terms.delta_bias[j % s.channels]};
      if (terms.delta_softplus) step = std::log1p(std::exp(step));
      steps[j] = static_cast<float>(step);
    }
    const kernels::reference::ScanResult scan = kernels::reference::selective_scan(
        std::span(p.u).subspan(i * row, row), steps, p.a, std::span(p.b).subspan(i * weights, weights),
        std::span(p.c).subspan(i * weights, weights), p.skip, {}, s.channels, s.states);
    for (std::size_t j = 0; j < row; ++j) {
      const double z = terms.z.empty() ? 0 : double{terms.z[i * row + j]};
      result.push_back(scan.output[j] * (terms.z.empty() ? 1 : z / (1 + std::exp(-z))));
    }
  }
  return result;
}

TEST(MambaScan, AgreesWithTheReferenceWithAnyOfItsTerms) {
  for (const kernels::KernelTable* table : kernels::all_tables())
    for (const ScanShape shape : {ScanShape{2, 9, 37, 5}, {1, 1, 1, 1}, {3, 14, 16, 8}})
      for (unsigned mask = 0; mask < 8; ++mask) {
        MambaProblem p(shape);
        MambaTerms terms = p.terms();
        if (mask & 1) terms.z = {};
        if (mask & 2) terms.delta_bias = {};
        if (mask & 4) {
          terms.delta_softplus = false;
          for (float& x : p.dt) x = std::abs(x) + 4;
        }
        ASSERT_TRUE(succeeded(mamba_scan(p.shape, p.inputs(), terms, {p.y}, 1, table->isa)));
        const std::vector<double> expected = expected_output(p, terms);
        double scale = 0;
        for (const double x : expected) scale = std::max(scale, std::abs(x));
        for (std::size_t i = 0; i < p.y.size(); ++i)
          ASSERT_NEAR(p.y[i], expected[i], 6e-6 * scale) << to_string(table->isa) << " terms " << mask;
        for (const std::size_t threads : {0u, 3u, 7u}) {
          std::vector<float> many(p.y.size());
          ASSERT_TRUE(succeeded(mamba_scan(p.shape, p.inputs(), terms, {many}, threads, table->isa)));
          EXPECT_EQ(p.y, many) << to_string(table->isa) << " " << threads << " threads";
        }
      }
}

TEST(MambaScan, NamesWhatIsWrong) {
  MambaProblem p({2, 3, 4, 5});
  constexpr auto code = ErrorCode::invalid_argument;
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> wrong(7), bad(24, nan), large(24, 3e38f);
  const auto run = [&](const MambaTerms& terms) { return mamba_scan(p.shape, p.inputs(), terms, {p.y}); };
  EXPECT_TRUE(refused(run({.z = wrong}), code, {"selective_scan: z", "7 floats", "24, [B, T, D]"}));
  EXPECT_TRUE(refused(run({.delta_bias = wrong}), code, {"delta_bias", "7 floats", "4, [D]"}));
  EXPECT_TRUE(refused(run({.z = bad}), code, {"selective_scan: z", "NaN"}));
  EXPECT_TRUE(refused(run({.delta_bias = std::span(bad).first(4)}), code, {"delta_bias", "NaN"}));
  for (float& x : p.u) x = 1e3f;
  EXPECT_TRUE(refused(run({.z = large, .delta_softplus = true}), code, {"selective_scan: z", "overflows"}));
  p.dt[3] = nan;
  EXPECT_TRUE(refused(run({.delta_softplus = true}), code, {"selective_scan: dt", "NaN"}));
  EXPECT_TRUE(refused(mamba_scan({2, 3, 4, 6}, p.inputs(), {}, {p.y}), code, {"selective_scan: A"}));
}

}  // namespace
}  // namespace pantanal::ops
