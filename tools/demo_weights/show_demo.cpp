// Shows the demo model finding the calls that were planted in a recording.
#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "arguments.hpp"
#include "demo_model.hpp"
#include "pantanal/audio/load_audio.hpp"
#include "planted.hpp"
#include "soundscape.hpp"
#include "species.hpp"

namespace {

using namespace pantanal;
using namespace pantanal::demo;

double probability(float logit) { return 1 / (1 + std::exp(-double{logit})); }

/// Found and missed of what was planted, and what is heard that was not.
struct Counts {
  std::size_t planted = 0, found = 0, extra = 0;
};

/// One window's lines: what was planted or is heard, with its probability.
void show_window(std::size_t window, const float* logits, const float* planted, double threshold,
                 Counts& counts) {
  std::printf("%2zu-%2zu s", 5 * window, 5 * window + 5);
  bool any = false;
  for (std::size_t k = 0; k < all_species().size(); ++k) {
    const bool there = planted[k] > 0, heard = probability(logits[k]) >= threshold;
    if (!there && !heard) continue;
    counts.planted += there ? 1 : 0, counts.found += there && heard ? 1 : 0, counts.extra += !there ? 1 : 0;
    std::printf("%s%-8s %4.0f %%  %s\n", any ? "        " : "  ",
                there ? (heard ? "found" : "MISSED") : "extra", 100 * probability(logits[k]),
                all_species()[k].name.c_str());
    any = true;
  }
  if (!any) std::printf("  nothing planted, nothing heard\n");
}

Status show(const std::filesystem::path& folder, const std::filesystem::path& recording, double threshold,
            std::size_t threads) {
  PANTANAL_TRY(DemoModel demo, DemoModel::load(folder, threads));
  PANTANAL_TRY(const std::vector<Call> calls, read_planted(folder / "planted.tsv"));
  PANTANAL_TRY(std::vector<float> samples, audio::load_audio(recording));
  samples.resize(windows_per_soundscape * window_samples);
  PANTANAL_TRY(const Scores scores, demo.run(samples));
  const std::vector<float> labels = window_labels(calls);
  const std::size_t species = all_species().size();
  std::printf("%zu calls were planted in %s. Per 5 s window, what the model hears with at least %.0f %%:\n\n",
              calls.size(), recording.c_str(), 100 * threshold);
  Counts counts;
  for (std::size_t w = 0; w < windows_per_soundscape; ++w)
    show_window(w, scores.proto_ssm.data() + w * species, labels.data() + w * species, threshold, counts);
  std::printf("\nOf %zu pairs of window and planted species %zu were found; %zu more were heard.\n",
              counts.planted, counts.found, counts.extra);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  std::filesystem::path folder, recording;
  double threshold = 0.5;
  std::size_t threads = 0;
  CLI::App app("Compares the demo model's predictions with what was planted in its recording.");
  app.add_option("folder", folder, "with perch.safetensors, proto_ssm.safetensors and planted.tsv")
      ->required();
  app.add_option("recording", recording, "one minute")->required();
  app.add_option("--threshold", threshold, "least probability")->capture_default_str();
  app.add_option("--threads", threads, "0: all")->capture_default_str();
  if (const auto code = parse_arguments(app, argc, argv)) return *code;
  const Status status = show(folder, recording, threshold, threads);
  if (!status) std::fprintf(stderr, "pantanal-show-demo: %s\n", status.error().message().c_str());
  return status ? 0 : 1;
}
