// make_synthetic_competition: a folder of the competition's schema, of made-up species and sounds.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>

#include "arguments.hpp"
#include "competition.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/perch/model_file.hpp"

int main(int argc, char** argv) {
  using namespace pantanal;
  CLI::App app("A competition's folder of made-up species and sounds, the same for the same seed.",
               "make_synthetic_competition");
  std::string folder, perch;
  synthetic::CompetitionOptions options;
  options.threads = hardware_threads();
  app.add_option("folder", folder, "Where to")->required();
  app.add_option("--perch", perch, "The model whose labels the species are to have")->required();
  app.add_option("--classes", options.classes, "Classes")->capture_default_str()->check(CLI::Range(4, 10000));
  app.add_option("--train", options.train, "Soundscapes labelled throughout")->capture_default_str();
  app.add_option("--partial", options.partial, "Soundscapes labelled in part")->capture_default_str();
  app.add_option("--test", options.test, "Test soundscapes")->capture_default_str();
  app.add_option("--broken", options.broken, "Test soundscapes, of those, that cannot be read")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Seed")->capture_default_str();
  app.add_option("--threads", options.threads, "Threads")->capture_default_str();
  if (const auto code = parse_arguments(app, argc, argv)) return *code;
  try {
    const auto model = perch::load_model(perch);
    const Status status =
        model ? synthetic::make_competition(folder, model->labels, options) : Status(model.error());
    if (status) return 0;
    std::fprintf(stderr, "make_synthetic_competition: %s\n", status.error().message().c_str());
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "make_synthetic_competition: %s\n", failure.what());
  }
  return 1;
}
