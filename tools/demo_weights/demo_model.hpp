// The demo model: its sizes, and both of its networks run on soundscapes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/heads/proto_ssm.hpp"
#include "pantanal/perch/model.hpp"
#include "pantanal/perch/session.hpp"

namespace pantanal::demo {

/// Perch's frontend and pattern of blocks at a hundredth of its parameters: 7 blocks, an embedding of 192.
perch::Architecture demo_architecture();

/// A ProtoSSM over the demo model's embeddings, without sites and hours.
heads::ProtoSsmConfig demo_proto_ssm();

/// What both networks say of F soundscapes.
struct Scores {
  std::vector<float> embedding;  ///< [F, 12, 192]
  std::vector<float> perch;      ///< [F, 12, species], logits of the label head
  std::vector<float> proto_ssm;  ///< the same of ProtoSSM; empty without one
};

/// Runs soundscapes through Perch and, if there is one, ProtoSSM.
class DemoModel {
 public:
  static Result<DemoModel> create(perch::Model model, const nn::StateDict* proto_ssm, std::size_t threads);
  /// perch.safetensors and proto_ssm.safetensors of `folder`.
  static Result<DemoModel> load(const std::filesystem::path& folder, std::size_t threads);

  const perch::Model& model() const { return session_.model(); }
  /// samples: F soundscapes of 12 windows, one after the other.
  Result<Scores> run(std::span<const float> samples);

 private:
  DemoModel(perch::Session session, std::vector<heads::ProtoSsm> proto_ssm)
      : session_(std::move(session)), proto_ssm_(std::move(proto_ssm)) {}
  perch::Session session_;
  std::vector<heads::ProtoSsm> proto_ssm_;  ///< one or none
};

}  // namespace pantanal::demo
