// Thirty clipped steps under a schedule, on every instruction set and any team, against PyTorch's AdamW.
#include "pantanal/train/adamw.hpp"

#include "kernels/guarded.hpp"
#include "pantanal/train/averaging.hpp"
#include "train/fixture.hpp"

namespace pantanal::train {
namespace {

using autograd::GradientKind;
using autograd::ParameterSet;

constexpr const char* names[] = {"weight", "bias", "silent", "absent"};

struct Training {
  explicit Training(const Fixture& f) : fixture(f), parameters(specs(f)) {
    parameters.set_kind("silent", GradientKind::zero);
    parameters.set_kind("absent", GradientKind::none);
    for (const char* name : names) {
      const auto start = f[std::string("adamw.start.") + name];
      std::copy(start.begin(), start.end(), parameters[name].value.begin());
    }
  }
  static std::vector<TensorSpec> specs(const Fixture& f) {
    std::vector<TensorSpec> list;
    for (const char* name : names)
      list.push_back({name, f.tensors.at(std::string("adamw.start.") + name).shape});
    return list;
  }
  void read_gradients(std::size_t step) {
    for (const char* name : {"weight", "bias"}) {
      const auto g = fixture["adamw.gradient." + std::to_string(step) + "." + name];
      std::copy(g.begin(), g.end(), parameters[name].gradient.begin());
    }
  }
  void expect_agrees(const std::string& prefix, std::span<const float> values) {
    const nn::StateDict state = parameters.state_dict(values);
    for (const char* name : names) {
      const auto expected = fixture[prefix + "." + name], found = tensor_values(state, name);
      for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_NEAR(found[i], expected[i], 2e-6) << prefix << name;
    }
  }
  const Fixture& fixture;
  ParameterSet parameters;
};

void train(Training& t, const kernels::KernelTable& table, std::size_t threads, bool check) {
  const auto& numbers = t.fixture.numbers["adamw"];
  const auto schedule = OneCycleLr::create({.max_lr = 8e-3, .total_steps = numbers["steps"]});
  AdamW optimizer(t.parameters, {.weight_decay = 0.1}, table);
  MovingAverage ema(1 - double{numbers["ema_decay"]}), mean;
  WeightSum sum;
  for (std::size_t step = 0; step < numbers["steps"]; ++step) {
    t.read_gradients(step);
    optimizer.begin_step();
    parallel_team(threads, [&](const Team& team) {
      const double squares = optimizer.squared_norm(team);
      if (check && team.rank() == 0) {
        EXPECT_NEAR(std::sqrt(squares), double{numbers["norms"][step]},
                    1e-6 * double{numbers["norms"][step]});
      }
      optimizer.step(team, schedule->at(step), clip_scale(squares, 1.0));
    });
    ema.add(t.parameters.values()), mean.add(t.parameters.values()), sum.add(t.parameters.values());
    if (check && t.fixture.tensors.contains("adamw." + std::to_string(step) + ".bias"))
      t.expect_agrees("adamw." + std::to_string(step), t.parameters.values());
  }
  std::vector<float> averaged(t.parameters.values().size());
  sum.mean(averaged);
  t.expect_agrees("ema", ema.average());
  t.expect_agrees("mean", mean.average());
  t.expect_agrees("mean", averaged);
}

TEST(AdamW, AgreesWithPyTorch) {
  const Fixture f("optimisation");
  for (const kernels::KernelTable* table : kernels::all_tables()) {
    SCOPED_TRACE(to_string(table->isa));
    Training one(f), three(f);
    train(one, *table, 1, true);
    train(three, *table, 3, false);
    EXPECT_TRUE(std::equal(one.parameters.values().begin(), one.parameters.values().end(),
                           three.parameters.values().begin()));
  }
}

TEST(ClipScale, LeavesSmallGradientsAlone) {
  EXPECT_EQ(clip_scale(0.25, 1.0), 1.0);
  EXPECT_NEAR(clip_scale(4.0, 1.0), 0.5, 1e-6);
  EXPECT_EQ(clip_scale(0.0, 1.0), 1.0);
}

}  // namespace
}  // namespace pantanal::train
