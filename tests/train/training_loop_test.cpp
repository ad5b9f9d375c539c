// The loop's choices on losses that are given: which state is kept, when it stops. (train_proto_ssm_test runs
// it on a model.)
#include "pantanal/train/training_loop.hpp"

#include "core/refused.hpp"

namespace pantanal::train {
namespace {

/// A task whose one weight counts its steps and whose losses are given.
struct Scripted {
  explicit Scripted(std::vector<double> given)
      : losses(std::move(given)),
        parameters({{"weight", {1}}}),
        optimizer(parameters, {}, kernels::table(best_instruction_set())) {}
  Result<TrainedModel> run(TrainingOptions options) {
    options.n_epochs = losses.size();
    options.pct_start = 0.9;
    TrainingTask task{.where = "task", .parameters = &parameters, .optimizer = &optimizer};
    task.step = [this](std::uint32_t epoch, const StepSize&) {
      parameters.values()[0] = static_cast<float>(epoch + 1);
      return losses[epoch];
    };
    return TrainingLoop(std::move(task), options).run();
  }
  float weight(TrainingOptions options) {
    const auto model = run(options);
    EXPECT_TRUE(succeeded(model));
    return model->state.at("weight").values[0];
  }
  std::vector<double> losses;
  autograd::ParameterSet parameters;
  AdamW optimizer;
};

TEST(TrainingLoop, KeepsTheBestOrTheMean) {
  Scripted task({5, 4, 2, 3, 3, 3, 3, 3});
  EXPECT_EQ(task.weight({.swa_start_frac = 1}), 3) << "after the step of the best loss";
  EXPECT_EQ(task.weight({.swa_start_frac = 0.625}), 7) << "the mean of 6, 7, 8";
  EXPECT_EQ(task.weight({.swa_start_frac = 0.75}), 3) << "two are too few to average";
  EXPECT_EQ(task.weight({.swa_start_frac = 0.5, .ema_decay = 0.5}), 7 + 1.0f / 128) << "the moving average";
  EXPECT_EQ(task.weight({.patience = 4, .swa_start_frac = 0.5}), 6)
      << "stopped after epoch 7: the mean of 5, 6, 7";
}

TEST(TrainingLoop, RefusesALossThatIsNotFinite) {
  Scripted task({5, 4, NAN, 3});
  EXPECT_TRUE(refused(task.run({}), ErrorCode::invalid_argument, {"task, epoch 3", "not finite"}));
}

}  // namespace
}  // namespace pantanal::train
