// Makes weights/demo: synthesises soundscapes, trains the reduced Perch and ProtoSSM on them with this
// library, and measures both on soundscapes of other seeds.
#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "arguments.hpp"
#include "corpus.hpp"
#include "demo_model.hpp"
#include "pantanal/ml/ranking_metrics.hpp"
#include "pantanal/perch/model_file.hpp"
#include "pantanal/train/initial_perch.hpp"
#include "pantanal/train/initial_state.hpp"
#include "pantanal/train/prototypes.hpp"
#include "pantanal/train/train_perch.hpp"
#include "pantanal/train/train_proto_ssm.hpp"
#include "planted.hpp"
#include "species.hpp"

namespace {

using namespace pantanal;
using namespace pantanal::demo;

struct Options {
  std::filesystem::path out, checkpoint;
  std::uint64_t seed = 1;
  std::size_t soundscapes = 150, validation = 16, test = 60, epochs = 24, proto_epochs = 60, threads = 2;
  double floor = 0.95;
};

volatile std::sig_atomic_t interrupted = 0;

/// Each set has seeds of its own, far from the others'.
Seeds seeds(const Options& o, std::uint64_t set, std::size_t count) {
  return {o.seed * 100'000'000 + set * 1'000'000, count};
}
enum Set : std::uint64_t { training_set = 0, validation_set, test_set, recording, proto_ssm_set };

void report(const train::EpochReport& r) {
  std::printf("epoch %zu/%zu: loss %.4f, validation %.4f, AUC %.4f (%.0f s, %.0f s to go)\n", r.epoch,
              r.n_epochs, r.train_loss, r.val_loss, r.val_auc, r.seconds, r.eta_seconds);
  std::fflush(stdout);
}

Result<perch::Model> train_demo_perch(const Options& o) {
  std::vector<std::string> labels;
  for (const Species& species : all_species()) labels.push_back(species.name);
  perch::Model model = train::initial_perch(demo_architecture(), labels, o.seed);
  model.source = {"tools/make_demo_weights", std::string(64, '0'), "trained"};
  PANTANAL_TRY(train::PerchInputs inputs, train::PerchInputs::create(model, {}, {.threads = o.threads}));
  PANTANAL_TRY(const Corpus corpus, make_corpus(seeds(o, training_set, o.soundscapes), inputs, o.threads));
  PANTANAL_TRY(const Corpus held, make_corpus(seeds(o, validation_set, o.validation), inputs, o.threads));
  PANTANAL_TRY(model, train::calibrated_perch(model, corpus.data()));
  train::PerchTraining options;
  options.training.n_epochs = o.epochs, options.training.seed = o.seed, options.training.threads = o.threads;
  options.training.progress = report;
  options.training.should_stop = [] { return interrupted != 0; };
  options.training.checkpoint = o.checkpoint, options.training.checkpoint_period = 1;
  options.training.resume = !o.checkpoint.empty();
  options.augmentation = {
      .mix_probability = 0.4, .level = 0.1, .shift_frames = 60, .mask_frames = 20, .mask_bands = 6};
  const train::PerchData validation = held.data();
  PANTANAL_TRY(train::TrainedPerch trained, train::train_perch(model, corpus.data(), &validation, options));
  return std::move(trained.model);
}

Result<nn::StateDict> train_demo_proto_ssm(const Options& o, const perch::Model& model) {
  PANTANAL_TRY(DemoModel demo, DemoModel::create(model, nullptr, o.threads));
  PANTANAL_TRY(const ScoredCorpus corpus,
               score_corpus(seeds(o, proto_ssm_set, o.soundscapes / 2 + 1), demo, o.threads));
  PANTANAL_TRY(const ScoredCorpus held,
               score_corpus(seeds(o, validation_set, o.validation), demo, o.threads));
  const auto data = [](const ScoredCorpus& c) {
    return train::ProtoSsmData{.emb = c.scores.embedding,
                               .logits = c.scores.perch,
                               .labels = c.labels,
                               .files = c.files,
                               .steps = windows_per_soundscape};
  };
  const heads::ProtoSsmConfig config = demo_proto_ssm();
  train::ProtoSsmTraining options;
  options.training.n_epochs = o.proto_epochs, options.training.lr = 3e-3, options.training.seed = o.seed;
  options.training.threads = o.threads;
  options.loss.distill_weight = 0;
  const train::ProtoSsmData training = data(corpus), validation = data(held);
  const nn::StateDict start =
      train::start_prototypes(train::initial_state(heads::required_tensors(config), o.seed), config, training,
                              options.training.dropout, o.seed);
  PANTANAL_TRY(train::TrainedModel trained,
               train::train_proto_ssm(start, config, training, &validation, options));
  return std::move(trained.state);
}

Status measure(const Options& o, DemoModel& demo) {
  PANTANAL_TRY(const ScoredCorpus test, score_corpus(seeds(o, test_set, o.test), demo, o.threads));
  const std::size_t species = all_species().size();
  const double auc = ml::macro_auc_or_zero(test.labels, test.scores.proto_ssm, species);
  std::printf("macro ROC-AUC on %zu held-out soundscapes: %.4f with ProtoSSM, %.4f of Perch alone\n",
              test.files, auc, ml::macro_auc_or_zero(test.labels, test.scores.perch, species));
  const auto column = [&](const std::vector<float>& of, std::size_t k) {
    std::vector<float> values;
    for (std::size_t i = k; i < of.size(); i += species) values.push_back(of[i]);
    return values;
  };
  for (std::size_t k = 0; k < species; ++k) {
    const std::vector<float> labels = column(test.labels, k);
    std::printf("  %.4f %.4f  %s\n", ml::macro_auc_or_zero(labels, column(test.scores.proto_ssm, k), 1),
                ml::macro_auc_or_zero(labels, column(test.scores.perch, k), 1),
                all_species()[k].name.c_str());
  }
  if (auc >= o.floor) return {};
  return Error{ErrorCode::internal, "macro ROC-AUC with ProtoSSM", std::to_string(auc),
               std::to_string(o.floor) + " or more"};
}

/// The first soundscape of its set in which at least 6 species call.
Soundscape demo_recording(const Options& o) {
  for (std::uint64_t seed = seeds(o, recording, 1).first;; ++seed) {
    Soundscape scape = synthesise_soundscape(seed);
    std::set<std::size_t> species;
    for (const Call& call : scape.calls) species.insert(call.species);
    if (species.size() >= 6) return scape;
  }
}

Status make(const Options& o) {
  const auto start = std::chrono::steady_clock::now();
  std::filesystem::create_directories(o.out);
  PANTANAL_TRY(const perch::Model model, train_demo_perch(o));
  PANTANAL_TRY_STATUS(perch::save_model(model, o.out / "perch.safetensors"));
  PANTANAL_TRY(const nn::StateDict state, train_demo_proto_ssm(o, model));
  PANTANAL_TRY_STATUS(save_state(state, o.out / "proto_ssm.safetensors"));
  const Soundscape scape = demo_recording(o);
  PANTANAL_TRY_STATUS(write_wav(scape.samples, o.out / "soundscape.wav"));
  PANTANAL_TRY_STATUS(write_planted(scape.calls, o.out / "planted.tsv"));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf("trained in %.0f s\n", seconds.count());
  PANTANAL_TRY(DemoModel demo, DemoModel::load(o.out, o.threads));
  return measure(o, demo);
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app("Trains the demo's models on made-up soundscapes and measures them on others.");
  app.add_option("out", o.out, "folder to write to")->required();
  app.add_option("--seed", o.seed, "of everything that is drawn")->capture_default_str();
  app.add_option("--soundscapes", o.soundscapes, "to train on")->capture_default_str();
  app.add_option("--validation", o.validation, "soundscapes that choose the best epoch")
      ->capture_default_str();
  app.add_option("--test", o.test, "soundscapes to measure on")->capture_default_str();
  app.add_option("--epochs", o.epochs, "of Perch")->capture_default_str();
  app.add_option("--proto-epochs", o.proto_epochs, "of ProtoSSM")->capture_default_str();
  app.add_option("--floor", o.floor, "least macro ROC-AUC: below it, the program fails")
      ->capture_default_str();
  app.add_option("--threads", o.threads)->capture_default_str();
  app.add_option("--checkpoint", o.checkpoint, "file to go on from, and to keep Perch's training in");
  if (const auto code = parse_arguments(app, argc, argv)) return *code;
  std::signal(SIGINT, [](int) { interrupted = 1; });
  const Status status = make(o);
  if (!status) std::fprintf(stderr, "make-demo-weights: %s\n", status.error().message().c_str());
  return status ? 0 : 1;
}
