// The scan's backward: the reference against central differences, every instruction set against it.
#include <cmath>
#include <numbers>

#include "kernels/central_differences.hpp"
#include "kernels/guarded.hpp"
#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/kernels/reference_backward.hpp"

namespace pantanal::kernels {
namespace {

struct BackwardCase {
  std::size_t steps, channels, states;
  float longest_step = 0.5f;
  bool skip = true, backwards = false;
};

/// One sequence of random inputs: dt positive, A about -1 … -N.
struct BackwardData {
  explicit BackwardData(const BackwardCase& s)
      : u(random_floats(s.steps * s.channels, 1)),
        dt(random_floats(s.steps * s.channels, 2)),
        a(random_floats(s.channels * s.states, 3, 0.1f)),
        b(random_floats(s.steps * s.states, 4)),
        c(random_floats(s.steps * s.states, 5)),
        skip(random_floats(s.skip ? s.channels : 0, 6)),
        dy(random_floats(s.steps * s.channels, 7)) {
    for (float& x : dt) x = (std::abs(x) + 0.01f) * s.longest_step;
    for (std::size_t i = 0; i < a.size(); ++i) a[i] -= static_cast<float>(i % s.states + 1);
  }
  std::vector<float> u, dt, a, b, c, skip, dy;
};

TEST(SelectiveScanBackward, ReferenceIsTheGradient) {
  for (const BackwardCase& s :
       {BackwardCase{1, 2, 3}, BackwardCase{7, 3, 2}, BackwardCase{5, 2, 4, 0.2f, false}}) {
    BackwardData d(s);
    const auto loss = [&] {
      return weighted_sum(
          reference::selective_scan(d.u, d.dt, d.a, d.b, d.c, d.skip, {}, s.channels, s.states).output, d.dy);
    };
    const auto found =
        reference::selective_scan_backward(d.u, d.dt, d.a, d.b, d.c, d.skip, d.dy, s.channels, s.states);
    expect_gradient(found.du, central_differences(d.u, loss), "du");
    expect_gradient(found.ddt, central_differences(d.dt, loss), "ddt");
    expect_gradient(found.da, central_differences(d.a, loss), "da");
    expect_gradient(found.db, central_differences(d.b, loss), "db");
    expect_gradient(found.dc, central_differences(d.c, loss), "dc");
    if (s.skip) expect_gradient(found.dskip, central_differences(d.skip, loss), "dskip");
  }
}

std::vector<float> turned(std::vector<float> rows, std::size_t columns, bool backwards) {
  const std::size_t count = rows.size() / columns;
  for (std::size_t t = 0; backwards && t < count / 2; ++t)
    for (std::size_t c = 0; c < columns; ++c)
      std::swap(rows[t * columns + c], rows[(count - 1 - t) * columns + c]);
  return rows;
}

void check_backward(const KernelTable& table, const BackwardCase& s) {
  const BackwardData d(s);
  const std::size_t padded = (s.channels + 15) / 16 * 16;
  std::vector<float> decay(s.states * padded);
  for (std::size_t i = 0; i < d.a.size(); ++i)
    decay[i % s.states * padded + i / s.states] = d.a[i] * std::numbers::log2e_v<float>;
  const auto turn = [&](const std::vector<float>& x, std::size_t columns) {
    return turned(x, columns, s.backwards);
  };
  const std::vector<float> u = turn(d.u, s.channels), dt = turn(d.dt, s.channels), b = turn(d.b, s.states),
                           c = turn(d.c, s.states), dy = turn(d.dy, s.channels);
  const std::ptrdiff_t sign = s.backwards ? -1 : 1, rows = sign * static_cast<std::ptrdiff_t>(s.channels),
                       weights = sign * static_cast<std::ptrdiff_t>(s.states);
  const std::size_t row = s.backwards ? (s.steps - 1) * s.channels : 0,
                    weight = s.backwards ? (s.steps - 1) * s.states : 0;
  Guarded du(u.size()), ddt(u.size()), db(b.size()), dc(c.size()), da(d.a.size()), dskip(s.channels);
  AlignedBuffer<float> scratch(scan_backward_scratch(s.steps, s.channels, s.states));
  SelectiveScanBackwardArgs a;
  a.u = u.data() + row, a.dt = dt.data() + row, a.dy = dy.data() + row;
  a.u_stride = a.dt_stride = a.dy_stride = a.du_stride = a.ddt_stride = rows;
  a.decay = decay.data(), a.decay_stride = padded;
  a.b = b.data() + weight, a.c = c.data() + weight;
  a.b_stride = a.c_stride = a.db_stride = a.dc_stride = weights;
  a.skip = s.skip ? d.skip.data() : nullptr;
  a.du = du.data() + row, a.ddt = ddt.data() + row, a.db = db.data() + weight, a.dc = dc.data() + weight;
  a.da = da.data(), a.da_stride = s.channels, a.dskip = dskip.data(), a.scratch = scratch.data();
  a.steps = s.steps, a.channels = s.channels, a.states = s.states;
  table.selective_scan_backward(a);

  const auto expected =
      reference::selective_scan_backward(d.u, d.dt, d.a, d.b, d.c, d.skip, d.dy, s.channels, s.states);
  const auto found = [&](Guarded& x, std::size_t columns) {
    return turn(std::vector<float>(x.data(), x.data() + x.size()), columns);
  };
  std::vector<float> da_turned(da.size());
  for (std::size_t i = 0; i < da.size(); ++i) da_turned[i] = da[i % s.states * s.channels + i / s.states];
  expect_gradient(found(du, s.channels), expected.du, "du", 1e-5);
  expect_gradient(found(ddt, s.channels), expected.ddt, "ddt", 1e-5);
  expect_gradient(found(db, s.states), expected.db, "db", 1e-5);
  expect_gradient(found(dc, s.states), expected.dc, "dc", 1e-5);
  expect_gradient(da_turned, expected.da, "da", 1e-5);
  if (s.skip) expect_gradient(dskip, expected.dskip, "dskip", 1e-5);
}

TEST(SelectiveScanBackward, AgreesWithTheReference) {
  std::vector<BackwardCase> cases;
  for (const std::size_t steps : {1, 2, 11, 12, 13, 24, 25, 40})
    for (const std::size_t channels : {1, 7, 16, 17, 40})
      for (const std::size_t states : {1, 5, 32}) cases.push_back({steps, channels, states});
  for (const bool skip : {false, true}) cases.push_back({29, 21, 4, 0.5f, skip, true});
  cases.push_back({12, 48, 32, 40.0f});  // powers far below the smallest float
  cases.push_back({300, 19, 3, 0.01f});
  for (const KernelTable* table : all_tables())
    for (const BackwardCase& s : cases) {
      SCOPED_TRACE(testing::Message()
                   << to_string(table->isa) << " T " << s.steps << " D " << s.channels << " N " << s.states
                   << " dt " << s.longest_step << " skip " << s.skip << " backwards " << s.backwards);
      check_backward(*table, s);
    }
}

}  // namespace
}  // namespace pantanal::kernels
