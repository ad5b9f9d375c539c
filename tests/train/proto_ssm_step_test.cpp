// ProtoSSM's gradients and twenty optimiser steps against PyTorch's, on every instruction set and any team.
#include "pantanal/train/proto_ssm_step.hpp"

#include <limits>

#include "kernels/guarded.hpp"
#include "train/training_fixture.hpp"

namespace pantanal::train {
namespace {

struct ProtoTraining : TrainingFixture {
  explicit ProtoTraining(const char* which, const char* file = "training")
      : TrainingFixture(file), name(which), kind(numbers[which]) {}

  ProtoSsmData data() const {
    ProtoSsmData d{.emb = (*this)["emb"], .logits = (*this)["logits"], .labels = (*this)["labels"]};
    d.site_ids = site_ids, d.hours = hours, d.files = files, d.steps = config.n_windows;
    if (name == "families") d.families = (*this)["families"];
    return d;
  }
  FileMix mix(std::size_t step) const {
    FileMix m;
    if (step <= 5) return m;
    m.lambda = m.label_lambda = kind["mixing"][step];
    m.partner = kind["partner"].get<std::vector<std::size_t>>();
    return m;
  }
  std::unique_ptr<ProtoSsmStep> start(InstructionSet isa, std::size_t threads) const {
    auto step = std::make_unique<ProtoSsmStep>(
        config, data(), ProtoSsmStep::Options{.dropout = 0, .threads = threads, .isa = isa});
    EXPECT_TRUE(succeeded(step->model().parameters().load(state(name + ".start"))));
    return step;
  }

  std::string name;
  nlohmann::json kind;
};

TEST(ProtoSsmTraining, AgreesWithPyTorch) {
  for (const auto& [which, file] :
       {std::pair{"families", "training"}, {"species", "training"}, {"species", "several"}}) {
    const ProtoTraining t(which, file);
    EXPECT_TRUE(succeeded(validate(t.data(), t.config, "data")));
    const auto schedule = OneCycleLr::create({.max_lr = 8e-4, .total_steps = 80});
    for (const kernels::KernelTable* table : kernels::all_tables()) {
      SCOPED_TRACE(testing::Message() << which << " of " << file << " on " << to_string(table->isa));
      const auto step = t.start(table->isa, 2);
      EXPECT_LE(relative_distance(step->loss().weights(), t[t.name + ".pos_weight"]), 1e-6);
      const double first = step->gradients(0);
      EXPECT_NEAR(first, double{t.kind["losses"][0]}, 1e-5 * first);
      autograd::ParameterSet& parameters = step->model().parameters();
      expect_states_close(parameters.state_dict(parameters.gradients()), t.state(t.name + ".gradient"), 1e-4,
                          "gradient");
      for (std::size_t i = 0; i < t.kind["losses"].size(); ++i) {
        const double loss = step->step(static_cast<std::uint32_t>(i), t.mix(i), schedule->at(i));
        EXPECT_NEAR(loss, double{t.kind["losses"][i]}, 1e-4 * loss) << "step " << i;
      }
      expect_states_close(parameters.state_dict(), t.state(t.name + ".end"), 1e-3, "weights");
      std::vector<float> species(t[t.name + ".species"].size());
      step->predict(t.data(), species);
      EXPECT_LE(relative_distance(species, t[t.name + ".species"]), 1e-3);
    }
  }
}

/// With dropout on, two steps by any team leave the same bits.
TEST(ProtoSsmStep, IsTheSameForAnyTeam) {
  const ProtoTraining t("families");
  std::vector<float> expected;
  for (const std::size_t threads : {1, 2, 3, 7}) {
    ProtoSsmStep step(t.config, t.data(), {.dropout = 0.3f, .seed = 5, .threads = threads});
    ASSERT_TRUE(succeeded(step.model().parameters().load(t.state("families.start"))));
    for (std::uint32_t epoch = 0; epoch < 2; ++epoch)
      step.step(epoch, mixup_files(t.files, 0.4, {.seed = 5, .step = epoch}), {.lr = 1e-3});
    const auto values = step.model().parameters().values();
    if (threads == 1) expected.assign(values.begin(), values.end());
    EXPECT_TRUE(std::equal(values.begin(), values.end(), expected.begin())) << threads << " threads";
  }
}

TEST(ProtoSsmStep, LearnsNothingFromWhatHasNoEffect) {
  const ProtoTraining t("species");
  const auto step = t.start(best_instruction_set(), 1);
  const nn::StateDict start = t.state("species.start");
  step->step(0, {}, {.lr = 0.1});
  const nn::StateDict end = step->model().parameters().state_dict();
  EXPECT_EQ(relative_distance(end.at("ssm_fwd.0.out_proj.weight").values,
                              start.at("ssm_fwd.0.out_proj.weight").values),
            0);
  EXPECT_EQ(relative_distance(end.at("family_head.bias").values, start.at("family_head.bias").values), 0);
  const auto gate = end.at("ssm_bwd.1.in_proj.weight").values,
             before = start.at("ssm_bwd.1.in_proj.weight").values;
  EXPECT_FLOAT_EQ(gate.back(), before.back() * (1 - 0.1f * 1e-3f)) << "the gate's rows are decayed";
}

TEST(ValidateProtoSsmData, NamesWhatIsWrong) {
  const ProtoTraining t("families");
  std::vector<float> emb(t["emb"].begin(), t["emb"].end()), labels(t["labels"].begin(), t["labels"].end());
  ProtoSsmData d = t.data();
  const auto status = [&] { return validate(d, t.config, "training set"); };
  d.emb = emb, emb[t.config.d_input * 3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(refused(status(), ErrorCode::invalid_argument, {"training set.emb, window 3", "NaN"}));
  d = t.data(), d.labels = labels, labels[5] = 1.5f;
  EXPECT_TRUE(refused(status(), ErrorCode::invalid_argument, {"training set.labels", "1.5"}));
  d = t.data(), d.files = 0;
  EXPECT_TRUE(refused(status(), ErrorCode::invalid_argument, {"training set", "no files"}));
  d = t.data(), d.hours = {};
  EXPECT_TRUE(refused(status(), ErrorCode::invalid_argument, {"site_ids, hours"}));
  std::vector<std::int64_t> sites = t.site_ids;
  d = t.data(), d.site_ids = sites, sites[2] = 99;
  EXPECT_TRUE(refused(status(), ErrorCode::invalid_argument, {"site_ids[2]", "99"}));
  d = t.data(), d.steps = t.config.n_windows + 1;
  EXPECT_TRUE(refused(status(), ErrorCode::invalid_argument, {"windows per file"}));
}

}  // namespace
}  // namespace pantanal::train
