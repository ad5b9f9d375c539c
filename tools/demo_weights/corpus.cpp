#include "corpus.hpp"

#include <algorithm>

#include "pantanal/core/parallel.hpp"

namespace pantanal::demo {
namespace {

constexpr std::size_t at_once = 8;  ///< soundscapes in memory

/// Calls use(samples, labels, files) for a few soundscapes at a time, in the seeds' order.
template <class Use>
Status for_soundscapes(const Seeds& seeds, std::size_t threads, Use&& use) {
  for (std::size_t first = 0; first < seeds.count; first += at_once) {
    const std::size_t count = std::min(at_once, seeds.count - first);
    std::vector<Soundscape> scapes(count);
    parallel_team(threads, [&](const Team& team) {
      for (std::size_t i = team.rank(); i < count; i += team.size())
        scapes[i] = synthesise_soundscape(seeds.first + first + i);
    });
    std::vector<float> samples, labels;
    for (const Soundscape& scape : scapes) {
      samples.insert(samples.end(), scape.samples.begin(), scape.samples.end());
      const std::vector<float> own = window_labels(scape.calls);
      labels.insert(labels.end(), own.begin(), own.end());
    }
    PANTANAL_TRY_STATUS(use(samples, labels, count));
  }
  return {};
}

void append(std::vector<float>& to, const std::vector<float>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

Result<Corpus> make_corpus(const Seeds& seeds, train::PerchInputs& inputs, std::size_t threads) {
  Corpus corpus;
  corpus.inputs.reserve(seeds.count * windows_per_soundscape * inputs.size());
  const auto use = [&](const std::vector<float>& samples, const std::vector<float>& labels,
                       std::size_t files) -> Status {
    const std::size_t windows = files * windows_per_soundscape;
    corpus.inputs.resize(corpus.inputs.size() + windows * inputs.size());
    append(corpus.labels, labels);
    corpus.windows += windows;
    return inputs.run(samples, windows, std::span(corpus.inputs).last(windows * inputs.size()));
  };
  PANTANAL_TRY_STATUS(for_soundscapes(seeds, threads, use));
  return corpus;
}

Result<ScoredCorpus> score_corpus(const Seeds& seeds, DemoModel& model, std::size_t threads) {
  ScoredCorpus corpus;
  const auto use = [&](const std::vector<float>& samples, const std::vector<float>& labels,
                       std::size_t files) -> Status {
    PANTANAL_TRY(const Scores scores, model.run(samples));
    append(corpus.scores.embedding, scores.embedding), append(corpus.scores.perch, scores.perch);
    append(corpus.scores.proto_ssm, scores.proto_ssm), append(corpus.labels, labels);
    corpus.files += files;
    return {};
  };
  PANTANAL_TRY_STATUS(for_soundscapes(seeds, threads, use));
  return corpus;
}

}  // namespace pantanal::demo
