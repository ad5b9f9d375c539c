// Training a tiny Perch: that it learns, to the same bytes, resumes, fine-tunes only what it is told to.
#include "pantanal/train/train_perch.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"
#include "train/small_perch.hpp"

namespace pantanal::train {
namespace {

TEST(TrainPerch, LearnsFromScratch) {
  const SmallPerch small(120), held(60, 6);  // of another seed
  PerchTraining options = small.options;
  options.training.n_epochs = 16, options.training.lr = 1e-2, options.batch = 4, options.augmentation = {};
  options.training.seed = 1, options.training.threads = 1;
  std::size_t reports = 0;
  options.training.progress = [&](const EpochReport&) { ++reports; };
  const PerchData validation = held.data();
  const auto trained = train_perch(small.start(), small.data(), &validation, options);
  ASSERT_TRUE(succeeded(trained));
  const History& h = trained->training.history;
  EXPECT_EQ(reports, 16u);
  EXPECT_LT(trained->training.best_val_loss, 0.5 * h.val_loss.front());
  EXPECT_GT(h.val_auc.back(), 0.95);
  EXPECT_TRUE(succeeded(perch::validate(trained->model)));
}

TEST(TrainPerch, GivesTheSameBytesForAnyNumberOfThreads) {
  const SmallPerch small;
  PerchTraining options = small.options;
  options.training.n_epochs = 3, options.training.pct_start = 0.4;
  const perch::Model start = small.start();
  options.training.threads = 1;
  const auto one = train_perch(start, small.data(), nullptr, options);
  options.training.threads = 2;
  const auto two = train_perch(start, small.data(), nullptr, options),
             again = train_perch(start, small.data(), nullptr, options);
  options.training.seed = 4;
  const auto other = train_perch(start, small.data(), nullptr, options);
  ASSERT_TRUE(one && two && again && other);
  EXPECT_TRUE(same_tensors(one->model, two->model));
  EXPECT_TRUE(same_tensors(two->model, again->model));
  EXPECT_FALSE(same_tensors(two->model, other->model));
}

TEST(TrainPerch, ResumesToTheSameBytes) {
  const SmallPerch small;
  const TemporaryFolder folder;
  PerchTraining options = small.options;
  options.training.n_epochs = 4, options.training.pct_start = 0.4;
  const perch::Model start = small.start();
  const auto whole = train_perch(start, small.data(), nullptr, options);
  options.training.checkpoint = folder / "checkpoint", options.training.resume = true;
  options.training.should_stop = [] { return true; };
  const auto part = train_perch(start, small.data(), nullptr, options);
  options.training.should_stop = {};
  const auto rest = train_perch(start, small.data(), nullptr, options);
  ASSERT_TRUE(whole && part && rest);
  EXPECT_TRUE(part->training.interrupted);
  EXPECT_EQ(part->training.history.train_loss.size(), 1u);
  EXPECT_EQ(rest->training.history.train_loss, whole->training.history.train_loss);
  EXPECT_TRUE(same_tensors(rest->model, whole->model));
}

/// The frozen prefix computed by PerchInputs from audio; only what follows it changes.
TEST(TrainPerch, FineTunesTheLastBlocks) {
  const SmallPerch small;
  perch::Model start = with_new_label_head(small.start(), {"d", "e"}, 3, 2);
  PerchTraining options = small.options;
  options.training.n_epochs = 8, options.last_blocks = 1;
  const auto part = trained_part(start.architecture, options);
  ASSERT_TRUE(succeeded(part));
  auto inputs = PerchInputs::create(start, *part, {.threads = 1});
  ASSERT_TRUE(succeeded(inputs));
  const std::size_t n = 24, samples = small.architecture.frontend.samples;
  std::vector<float> audio(n * samples), labels(2 * n), images(n * inputs->size());
  Random random({.seed = 8});
  for (std::size_t i = 0; i < audio.size(); ++i) {
    const std::size_t w = i / samples;
    const double hertz = w % 2 ? 3000 : 9000, t = static_cast<double>(i % samples) / 32000;
    audio[i] = static_cast<float>(0.01 * random.normal() + 0.3 * std::sin(6.283185307 * hertz * t));
    labels[2 * w + w % 2] = 1;
  }
  ASSERT_TRUE(succeeded(inputs->run(audio, n, images)));
  const auto trained = train_perch(start, {images, labels, n}, nullptr, options);
  ASSERT_TRUE(succeeded(trained));
  EXPECT_LT(trained->training.history.train_loss.back(), 0.7 * trained->training.history.train_loss.front());
  for (const auto& [name, tensor] : start.tensors) {
    const bool frozen = name.starts_with("frontend") || name.starts_with("stem") ||
                        name.starts_with("blocks.0") || name.starts_with("blocks.1");
    EXPECT_EQ(std::ranges::equal(tensor.values, trained->model.values(name)), frozen) << name;
  }
}

TEST(TrainPerch, RefusesWhatItCannotTrain) {
  SmallPerch small;
  const perch::Model start = small.start();
  const auto refuses = [&](const PerchTraining& options, const PerchData& data,
                           std::initializer_list<const char*> words) {
    std::vector<std::string> all(words.begin(), words.end());
    const auto result = train_perch(start, data, nullptr, options);
    ASSERT_FALSE(result);
    for (const std::string& word : all)
      EXPECT_NE(result.error().message().find(word), std::string::npos) << result.error().message();
  };
  refuses(small.options, {small.inputs, small.labels, 0}, {"training set", "no windows"});
  refuses(small.options, {small.inputs, small.labels, 3}, {"training set", "inputs"});
  PerchTraining options = small.options;
  options.training.dropout = 0.1f;
  refuses(options, small.data(), {"dropout"});
  options = small.options, options.last_blocks = 3;
  refuses(options, small.data(), {"last_blocks", "fewer than the model's 3"});
  options = small.options, options.batch = 0;
  refuses(options, small.data(), {"batch"});
  small.labels[4] = 1.5f;
  refuses(small.options, small.data(), {"labels, window 1, class 1", "1.5"});
  small.labels[4] = 1, small.inputs[5] = NAN;
  refuses(small.options, small.data(), {"inputs, window 0", "NaN"});
}

}  // namespace
}  // namespace pantanal::train
