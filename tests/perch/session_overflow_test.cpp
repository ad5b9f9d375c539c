// Session where results are too large for floats: which windows it refuses, and that it does.
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

/// Tiny model whose tensors of these names hold nothing but `value`.
std::shared_ptr<const Model> filled_model(const std::vector<std::string>& names, float value) {
  auto model = std::make_shared<Model>(*shared_tiny_model());
  for (const std::string& name : names) {
    Tensor& tensor = model->tensors.at(name);
    tensor = make_tensor(tensor.shape, std::vector<float>(tensor.values.size(), value));
  }
  return model;
}

TEST(Session, RefusesResultsThatFloatsDoNotHold) {
  const auto refused = [](const std::vector<std::string>& names, float value, const char* part, auto select) {
    const auto model = filled_model(names, value);
    auto session = Session::create(model, {.threads = 2, .batch = 2});
    ASSERT_TRUE(session);
    const OutputSizes sizes = session->output_sizes();
    std::vector<float> embedding(3 * sizes.embedding), spatial(3 * sizes.spatial_embedding),
        label(3 * sizes.label);
    const Outputs all{.embedding = embedding, .spatial_embedding = spatial, .label = label};
    const std::vector<float> x = signal(3, model->architecture.frontend.samples);
    const Status status = session->run(x, 3, select(all));
    ASSERT_FALSE(status) << names[0];
    EXPECT_EQ(status.error().code, ErrorCode::invalid_argument);
    EXPECT_NE(status.error().message().find(part), std::string::npos) << status.error().message();
  };
  const auto all = [](const Outputs& o) { return o; };
  const auto label = [](const Outputs& o) { return Outputs{.label = o.label}; };
  const auto spatial = [](const Outputs& o) { return Outputs{.spatial_embedding = o.spatial_embedding}; };
  for (const char* const tensor : {"head.weight", "head.bias"}) {
    refused({tensor}, 3e38f, "embedding of window ", all);
    refused({tensor}, 3e38f, "embedding of window ", label);
    refused({tensor}, 3e38f, "embedding of window ", spatial);
  }
  refused({"label.scale", "label.bias"}, 3.4e38f, "label of window ", all);
  refused({"label.scale", "label.bias"}, 3.4e38f, "label of window ", label);
}

/// Where float32 would overflow inside a block, no activation hides it.
TEST(Session, Int8TellsWhatOverflowsInsideABlock) {
  if (!is_supported(Precision::int8, best_instruction_set())) GTEST_SKIP() << "no int8 products on this CPU";
  for (const char* const tensor :
       {"blocks.2.expand.bias", "blocks.0.project.weight", "blocks.2.expand.weight",
        "blocks.2.depthwise.bias", "blocks.2.depthwise.weight", "head.bias"}) {
    const auto model = filled_model({tensor}, 3e38f);
    auto session = Session::create(model, {.threads = 2, .precision = Precision::int8});
    ASSERT_TRUE(session);
    const std::vector<float> x = signal(1, model->architecture.frontend.samples);
    std::vector<float> embedding(session->output_sizes().embedding);
    const Status status = session->run(x, 1, {.embedding = embedding});
    ASSERT_FALSE(status) << tensor;
    EXPECT_NE(status.error().message().find("embedding of window 0"), std::string::npos) << tensor;
  }
}

TEST(Session, LabelsDoNotDependOnWhetherTheNormOverflows) {
  const auto model = filled_model({"head.bias"}, 1e30f);
  auto session = Session::create(model, {.threads = 1});
  ASSERT_TRUE(session);
  const std::size_t samples = model->architecture.frontend.samples;
  const std::vector<float> x = signal(1, samples);
  const OutputValues found = run(*session, x, 1);
  EXPECT_LT(largest(found.label, reference::run(*model, x).label, 0), 1e-5);
}

TEST(Session, TellsWindowsThatOverflowFromTheOthers) {
  const auto model = filled_model({"frontend.mel"}, 100);
  const std::size_t samples = model->architecture.frontend.samples;
  const std::vector<float> good = signal(3, samples);
  std::vector<float> x = good;
  for (std::size_t i = 0; i < samples; ++i)
    x[samples + i] = 3e38f;  // 100 times its magnitudes exceed float32
  for (const std::size_t batch : {1, 2, 3}) {
    auto session = Session::create(model, {.threads = 2, .batch = batch});
    ASSERT_TRUE(session);
    const OutputValues expected = run(*session, good, 3);
    const std::size_t classes = session->output_sizes().label;
    std::vector<float> label(3 * classes);
    const Status status = session->run(x, 3, {.label = label});
    ASSERT_FALSE(status);
    EXPECT_NE(status.error().message().find("spectrogram of window 1"), std::string::npos)
        << status.error().message();
    std::vector<std::uint8_t> finite(3, 7);
    ASSERT_TRUE(session->run(x, 3, {.label = label, .finite = finite}));
    EXPECT_EQ(finite, (std::vector<std::uint8_t>{1, 0, 1}));
    for (const std::size_t w : {0, 2})
      for (std::size_t c = 0; c < classes; ++c)
        ASSERT_EQ(label[w * classes + c], expected.label[w * classes + c]);
  }
}

}  // namespace
}  // namespace pantanal::perch
