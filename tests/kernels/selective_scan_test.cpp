// The scan of every instruction set against its double reference: tails, chunks, states, both directions of
// time.
#include <cmath>
#include <numbers>

#include "kernels/guarded.hpp"
#include "pantanal/kernels/reference_scan.hpp"

namespace pantanal::kernels {
namespace {

struct ScanCase {
  std::size_t steps, channels, states;
  float longest_step = 0.5f;
  bool skip = true, state = false, backwards = false;
};

/// One sequence of random inputs: dt positive, A = -1 … -N, as models start with.
struct ScanData {
  explicit ScanData(const ScanCase& scan)
      : u(random_floats(scan.steps * scan.channels, 1)),
        dt(random_floats(scan.steps * scan.channels, 2)),
        a(scan.channels * scan.states),
        b(random_floats(scan.steps * scan.states, 3)),
        c(random_floats(scan.steps * scan.states, 4)),
        skip(random_floats(scan.skip ? scan.channels : 0, 5)),
        state(random_floats(scan.state ? scan.channels * scan.states : 0, 6)) {
    for (float& x : dt) x = std::abs(x) * scan.longest_step;
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = -static_cast<float>(i % scan.states + 1);
  }
  std::vector<float> u, dt, a, b, c, skip, state;
};

/// A·log2(e) as the kernel takes it, [states, stride].
std::vector<float> fold(const ScanData& data, const ScanCase& c, std::size_t stride) {
  std::vector<float> decay(c.states * stride);
  for (std::size_t d = 0; d < c.channels; ++d)
    for (std::size_t n = 0; n < c.states; ++n)
      decay[n * stride + d] = data.a[d * c.states + n] * std::numbers::log2e_v<float>;
  return decay;
}

std::vector<float> reversed_rows(const std::vector<float>& rows, std::size_t columns) {
  std::vector<float> result(rows.size());
  const std::size_t count = rows.size() / columns;
  for (std::size_t r = 0; r < count; ++r)
    std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>(r * columns), columns,
                result.begin() + static_cast<std::ptrdiff_t>((count - 1 - r) * columns));
  return result;
}

SelectiveScanArgs arguments(const ScanData& data, const ScanCase& c, const std::vector<float>& decay,
                            std::size_t stride) {
  const auto channels = static_cast<std::ptrdiff_t>(c.channels),
             states = static_cast<std::ptrdiff_t>(c.states);
  return {.u = data.u.data(),
          .u_stride = channels,
          .dt = data.dt.data(),
          .dt_stride = channels,
          .decay = decay.data(),
          .decay_stride = stride,
          .b = data.b.data(),
          .b_stride = states,
          .c = data.c.data(),
          .c_stride = states,
          .skip = c.skip ? data.skip.data() : nullptr,
          .initial_state = c.state ? data.state.data() : nullptr,
          .output_stride = channels,
          .steps = c.steps,
          .channels = c.channels,
          .states = c.states};
}

/// Turns time around: the same memory, from its last row to its first.
void turn(SelectiveScanArgs& a) {
  const auto last = static_cast<std::ptrdiff_t>(a.steps) - 1;
  a.u += last * a.u_stride, a.u_stride = -a.u_stride;
  a.dt += last * a.dt_stride, a.dt_stride = -a.dt_stride;
  a.b += last * a.b_stride, a.b_stride = -a.b_stride;
  a.c += last * a.c_stride, a.c_stride = -a.c_stride;
  a.output += last * a.output_stride, a.output_stride = -a.output_stride;
}

/// The stated bound: 4e-6 of the output's scale. Each step's power is within 2.5 ulp of a product that was
/// itself rounded, and what it scales decays, so errors do not pile up with the number of steps.
void expect_near(const float* found, std::span<const double> expected) {
  double scale = 0;
  for (const double x : expected) scale = std::max(scale, std::abs(x));
  for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(found[i], expected[i], 4e-6 * scale) << i;
}

void check_scan(const KernelTable& table, const ScanCase& c) {
  const ScanData data(c);
  const std::size_t stride =
      (c.channels + table.vector_floats - 1) / table.vector_floats * table.vector_floats;
  const std::vector<float> decay = fold(data, c, stride);
  Guarded output(c.steps * c.channels), state(c.channels * c.states);
  SelectiveScanArgs args = arguments(data, c, decay, stride);
  args.output = output.data();
  args.final_state = state.data();
  const auto turned = [&](const std::vector<float>& x, std::size_t columns) {
    return c.backwards ? reversed_rows(x, columns) : x;
  };
  if (c.backwards) turn(args);
  table.selective_scan(args);
  const reference::ScanResult expected = reference::selective_scan(
      turned(data.u, c.channels), turned(data.dt, c.channels), data.a, turned(data.b, c.states),
      turned(data.c, c.states), data.skip, data.state, c.channels, c.states);
  const std::vector<float> found(output.data(), output.data() + output.size());
  expect_near(turned(found, c.channels).data(), expected.output);
  expect_near(state.data(), expected.state);
}

TEST(SelectiveScan, AgreesWithTheReference) {
  std::vector<ScanCase> cases;
  for (const std::size_t steps : {1, 3, 5, 6, 11, 12, 13, 25, 64})
    for (const std::size_t channels : {1, 7, 16, 17, 65, 70})
      for (const std::size_t states : {1, 5, 16}) cases.push_back({steps, channels, states});
  for (const std::size_t states : {31, 32, 33, 70})
    cases.push_back({29, 37, states}), cases.push_back({29, 37, states, 0.5f, false, true});
  for (const bool skip : {false, true}) cases.push_back({17, 21, 4, 0.5f, skip, true, true});
  cases.push_back({12, 48, 32, 40.0f});            // powers far below the smallest float
  cases.push_back({30, 20, 9, 0.0f, true, true});  // dt = 0 keeps the state
  cases.push_back({700, 19, 3, 0.01f});
  for (const KernelTable* table : all_tables())
    for (const ScanCase& c : cases) {
      SCOPED_TRACE(testing::Message() << to_string(table->isa) << " T " << c.steps << " D " << c.channels
                                      << " N " << c.states << " dt " << c.longest_step << " skip " << c.skip
                                      << " state " << c.state << " backwards " << c.backwards);
      check_scan(*table, c);
    }
}

/// A stream continued from its final state gives the whole's bits when it is cut between chunks, and its
/// values anywhere.
TEST(SelectiveScan, ContinuesFromItsState) {
  const ScanCase c{48, 33, 7};
  const ScanData data(c);
  for (const KernelTable* table : all_tables())
    for (const std::size_t cut : {12u, 24u, 17u}) {
      const std::vector<float> decay = fold(data, c, 48);
      std::vector<float> whole(c.steps * c.channels), parts(whole), whole_state(c.channels * c.states),
          state(whole_state);
      SelectiveScanArgs args = arguments(data, c, decay, 48);
      args.output = whole.data(), args.final_state = whole_state.data();
      table->selective_scan(args);
      args.output = parts.data(), args.final_state = state.data(), args.steps = cut;
      table->selective_scan(args);
      args.u += cut * c.channels, args.dt += cut * c.channels, args.output += cut * c.channels;
      args.b += cut * c.states, args.c += cut * c.states;
      args.initial_state = state.data(), args.steps = c.steps - cut;
      table->selective_scan(args);
      EXPECT_EQ(whole, parts) << to_string(table->isa) << " cut " << cut;
      EXPECT_EQ(whole_state, state) << to_string(table->isa) << " cut " << cut;
    }
}

/// Channels may be given out in any groups of whole vectors.
TEST(SelectiveScan, DoesNotDependOnHowChannelsAreCut) {
  const ScanCase c{27, 150, 6};
  const ScanData data(c);
  for (const KernelTable* table : all_tables()) {
    const std::vector<float> decay = fold(data, c, 160);
    std::vector<float> whole(c.steps * c.channels), cut(whole);
    SelectiveScanArgs args = arguments(data, c, decay, 160);
    args.output = whole.data();
    table->selective_scan(args);
    for (const auto& [begin, end] : {std::pair{0, 16}, {16, 80}, {80, 150}}) {
      SelectiveScanArgs part = args;
      part.u += begin, part.dt += begin, part.decay += begin, part.skip += begin,
          part.output = cut.data() + begin;
      part.channels = static_cast<std::size_t>(end - begin);
      table->selective_scan(part);
    }
    EXPECT_EQ(whole, cut) << to_string(table->isa);
  }
}

}  // namespace
}  // namespace pantanal::kernels
