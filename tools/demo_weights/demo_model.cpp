#include "demo_model.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "pantanal/perch/model_file.hpp"
#include "soundscape.hpp"
#include "species.hpp"

namespace pantanal::demo {
namespace {

struct Stage {
  std::size_t blocks, channels, kernel, stride, expand;
};

/// Zeros before and after an axis of `size`, as Perch pads.
std::pair<std::size_t, std::size_t> pads(std::size_t size, std::size_t kernel, std::size_t stride) {
  const std::size_t half = kernel / 2;
  return {stride == 1 ? half : half - (1 - size % 2), half};
}

void append(perch::Architecture& a, const Stage& stage) {
  for (std::size_t i = 0; i < stage.blocks; ++i) {
    const perch::Extent in = a.extents().back();
    const std::size_t channels = a.blocks.empty() ? a.stem.channels : a.blocks.back().out_channels,
                      stride = i == 0 ? stage.stride : 1;
    const auto [top, bottom] = pads(in.height, stage.kernel, stride);
    const auto [left, right] = pads(in.width, stage.kernel, stride);
    a.blocks.push_back({.in_channels = channels,
                        .expanded_channels = channels * stage.expand,
                        .out_channels = stage.channels,
                        .se_channels = std::max<std::size_t>(4, channels / 4),
                        .has_expand = stage.expand != 1,
                        .has_skip = i > 0,
                        .depthwise = {stage.kernel, stride, {top, left, bottom, right}}});
  }
}

}  // namespace

perch::Architecture demo_architecture() {
  perch::Architecture a;
  a.stem.channels = 16;
  a.head.channels = 192;
  a.label.classes = all_species().size();
  for (const Stage& stage :
       {Stage{1, 16, 3, 2, 1}, Stage{2, 24, 3, 2, 4}, Stage{2, 40, 5, 2, 4}, Stage{2, 64, 5, 2, 4}})
    append(a, stage);
  return a;
}

heads::ProtoSsmConfig demo_proto_ssm() {
  return {.d_input = demo_architecture().head.channels,
          .d_model = 64,
          .d_state = 8,
          .n_ssm_layers = 1,
          .n_classes = all_species().size(),
          .n_windows = windows_per_soundscape,
          .n_sites = 1,
          .meta_dim = 4,
          .cross_attn_heads = 4,
          .n_families = 0};
}

Result<DemoModel> DemoModel::create(perch::Model model, const nn::StateDict* proto_ssm, std::size_t threads) {
  PANTANAL_TRY(
      perch::Session session,
      perch::Session::create(std::make_shared<const perch::Model>(std::move(model)), {.threads = threads}));
  std::vector<heads::ProtoSsm> heads;
  if (proto_ssm) {
    PANTANAL_TRY(heads::ProtoSsm head,
                 heads::ProtoSsm::create(*proto_ssm, demo_proto_ssm(), {.threads = threads}));
    heads.push_back(std::move(head));
  }
  return DemoModel(std::move(session), std::move(heads));
}

Result<DemoModel> DemoModel::load(const std::filesystem::path& folder, std::size_t threads) {
  PANTANAL_TRY(perch::Model model, perch::load_model(folder / "perch.safetensors"));
  PANTANAL_TRY(const nn::StateDict state,
               heads::load_proto_ssm(folder / "proto_ssm.safetensors", demo_proto_ssm()));
  return create(std::move(model), &state, threads);
}

Result<Scores> DemoModel::run(std::span<const float> samples) {
  const std::size_t windows = samples.size() / window_samples, files = windows / windows_per_soundscape;
  const perch::OutputSizes sizes = session_.output_sizes();
  Scores scores;
  scores.embedding.resize(windows * sizes.embedding), scores.perch.resize(windows * sizes.label);
  PANTANAL_TRY_STATUS(session_.run(samples, windows, {.embedding = scores.embedding, .label = scores.perch}));
  if (proto_ssm_.empty()) return scores;
  scores.proto_ssm.resize(scores.perch.size());
  PANTANAL_TRY_STATUS(proto_ssm_[0].run({.emb = scores.embedding, .perch_logits = scores.perch}, files,
                                        windows_per_soundscape, {.species_logits = scores.proto_ssm}));
  return scores;
}

}  // namespace pantanal::demo
