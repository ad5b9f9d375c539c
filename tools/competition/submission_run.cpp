#include "submission_run.hpp"

#include <algorithm>
#include <cstdio>
#include <system_error>
#include <utility>

#include "interruption.hpp"
#include "soundscape_feed.hpp"

namespace pantanal::competition {
namespace {

constexpr std::size_t files_per_block = 4;  // through the heads together: their weights are read once for all
constexpr double seconds_between_publications = 10;
constexpr double seconds_between_syncs = 2;  // what a reset of the machine can cost

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g s", seconds);
  return text;
}

}  // namespace

std::string SubmissionRun::journal_name(const std::filesystem::path& path) {
  std::error_code code;
  const auto size = std::filesystem::file_size(path, code);
  return path.filename().string() + "\n" + std::to_string(code ? 0 : size);
}

bool SubmissionRun::is_over() const {
  const double one_more = meter_.pace() ? meter_.pace()->seconds(effort_) : 0;
  return infer::interrupted() || bell_.left() <= one_more;
}

std::size_t SubmissionRun::left() const {
  return static_cast<std::size_t>(std::ranges::count(is_settled_, false));
}

Status SubmissionRun::take(const std::map<std::string, JournalEntry>& entries) {
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    const auto found = entries.find(journal_name(paths_[i]));
    if (found == entries.end()) continue;
    const JournalEntry& entry = found->second;
    if (entry.problem.empty()) PANTANAL_TRY_STATUS(board_.set(i, entry.probabilities));
    if (!entry.problem.empty()) {
      console_.say(entry.problem + " (found by the run that is resumed; its rows keep their prior)");
      log_.add("unreadable_files", entry.problem);
      ++totals_.failed;
    }
    is_settled_[i] = true;
    ++totals_.resumed;
  }
  return {};
}

Status SubmissionRun::run(perch::Session& perch, const pipeline::PerchMapping& mapping, HeadsSession& heads,
                          Journal* journal) {
  journal_ = journal;
  published_at_ = bell_.elapsed();
  seconds_at_start_ = bell_.left();
  std::vector<std::size_t> todo;
  std::vector<std::filesystem::path> paths;
  for (std::size_t i = 0; i < paths_.size(); ++i)
    if (!is_settled_[i]) todo.push_back(i), paths.push_back(paths_[i]);
  SoundscapeFeed feed(paths, decoder_);
  Block block;
  const Configuration& configuration = heads.bundle().configuration;
  while (!is_over()) {
    detail::StopWatch watch;
    auto decoded = feed.next([this] { return is_over(); });
    if (!decoded) break;
    const double waited = watch.lap();
    totals_.seconds["decode"] += decoded->seconds;
    totals_.seconds["wait_for_decode"] += waited;
    block.spent.perch += waited;
    const std::size_t index = todo[decoded->index];
    if (!decoded->samples) {
      fail(index, decoded->samples.error());
      continue;
    }
    auto outputs =
        perch_outputs(perch, *decoded->samples, paths_[index], mapping, configuration.proxy_reduce);
    const double computed = watch.lap();
    totals_.seconds["perch"] += computed;
    block.spent.perch += computed;
    if (!outputs) {
      fail(index, outputs.error());
      continue;
    }
    block.perch.append(*outputs);
    block.indices.push_back(index);
    if (block.indices.size() == files_per_block || meter_.pace() == std::nullopt)
      finish(block, heads), block = {};
    sync_if_due(seconds_between_syncs);
    publish_if_due();
  }
  if (!bell_.has_rung()) finish(block, heads);
  sync_if_due(0);
  totals_.left_to_priors = left();
  return {};
}

void SubmissionRun::finish(Block& block, HeadsSession& heads) {
  const std::size_t count = block.indices.size();
  if (count == 0) return;
  if (auto rows = heads.predict(block.perch, effort_, block.spent)) {
    add_seconds(block.spent);
    const std::size_t size = rows->values.size() / count;
    for (std::size_t i = 0; i < count; ++i) {
      const auto begin = rows->values.begin() + static_cast<std::ptrdiff_t>(i * size);
      settle(block.indices[i], {journal_name(paths_[block.indices[i]]),
                                effort_,
                                {},
                                {begin, begin + static_cast<std::ptrdiff_t>(size)}});
    }
    adapt(block);
  } else if (count == 1) {
    fail(block.indices[0], rows.error());
  } else {  // one soundscape of the block, which must not take the others with it
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t n = pipeline::n_windows_per_file;
      std::vector<std::size_t> windows(n);
      for (std::size_t w = 0; w < n; ++w) windows[w] = i * n + w;
      Block one;
      one.perch.scores = detail::take_rows(block.perch.scores, windows);
      one.perch.emb = detail::take_rows(block.perch.emb, windows);
      for (const std::size_t w : windows) one.perch.meta.push_back(block.perch.meta[w]);
      one.indices = {block.indices[i]};
      finish(one, heads);
    }
  }
}

void SubmissionRun::settle(std::size_t index, JournalEntry entry) {
  if (entry.problem.empty()) {
    if (Status status = board_.set(index, entry.probabilities); !status) return fail(index, status.error());
    ++totals_.done;
  }
  is_settled_[index] = true;
  if (!journal_) return;
  if (Status status = journal_->append(entry); !status) {
    console_.say(status.error().message() + " (the run goes on, but could not be resumed from here)");
    journal_ = nullptr;
  }
}

void SubmissionRun::fail(std::size_t index, const Error& error) {
  ++totals_.failed;
  const std::string message = error.message();
  console_.say(message + " (its rows keep their prior)");
  log_.add("unreadable_files", message);
  settle(index, {journal_name(paths_[index]), effort_, message, {}});
}

void SubmissionRun::adapt(const Block& block) {
  meter_.add(block.spent, block.indices.size(), effort_);
  const std::size_t files = left();
  const double seconds = bell_.left();
  measured_ += block.indices.size();
  // The first soundscape is slower than others: nothing is given up for it alone while there is time.
  if (measured_ <= files_per_block && seconds > seconds_at_start_ / 2) return;
  const Effort effort = choose_effort(effort_, *meter_.pace(), files, seconds);
  const double per_file = meter_.pace()->seconds(effort), done = static_cast<double>(paths_.size() - files);
  console_.show_progress(done / static_cast<double>(paths_.size()), 60 * static_cast<double>(totals_.done));
  const std::string where = "after " + std::to_string(paths_.size() - files) + " of " +
                            std::to_string(paths_.size()) + " soundscapes, " + seconds_text(seconds) +
                            " left for " + std::to_string(files) + " at " + seconds_text(per_file) +
                            " each: ";
  if (effort != effort_) {
    console_.say(where + to_string(effort) + " from here on");
    log_.add("decisions", where + to_string(effort) + " from here on");
    effort_ = effort;
  }
  if (!has_warned_ && effort == Effort::no_proto_ssm && static_cast<double>(files) * per_file > seconds) {
    has_warned_ = true;
    console_.say(where + "those that time does not suffice for keep their priors");
    log_.add("decisions", where + "those that time does not suffice for keep their priors");
  }
}

void SubmissionRun::add_seconds(const Pace& spent) {
  totals_.seconds["probes"] += spent.probes;
  totals_.seconds["proto_ssm"] += spent.proto_ssm;
  totals_.seconds["proto_ssm_shifts"] += spent.shifts;
  totals_.seconds["residual_ssm"] += spent.residual;
  totals_.seconds["postprocess"] += spent.postprocess;
}

void SubmissionRun::sync_if_due(double interval_s) {
  const double now = bell_.elapsed();
  if (!journal_ || now - synced_at_ < interval_s) return;
  if (Status status = journal_->sync(); !status) {
    console_.say(status.error().message() + " (the run goes on, but may not be resumed from here)");
    journal_ = nullptr;
  }
  synced_at_ = bell_.elapsed();
  totals_.seconds["journal_sync"] += synced_at_ - now;
}

void SubmissionRun::publish_if_due() {
  const double now = bell_.elapsed();
  if (now - published_at_ < seconds_between_publications) return;
  if (Status status = board_.publish(); !status)
    console_.say(status.error().message() + " (what was published before stands)");
  published_at_ = bell_.elapsed();
  totals_.seconds["publish"] += published_at_ - now;
  bell_.reserve(2 * (published_at_ - now));
}

}  // namespace pantanal::competition
