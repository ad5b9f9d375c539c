// SubmissionRun: the soundscapes of a submission, one block after another.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bell.hpp"
#include "console.hpp"
#include "pantanal/competition/effort.hpp"
#include "pantanal/competition/heads_session.hpp"
#include "pantanal/competition/journal.hpp"
#include "pantanal/competition/perch_outputs.hpp"
#include "pantanal/perch/session.hpp"
#include "run_log.hpp"
#include "soundscape_decoder.hpp"
#include "submission_board.hpp"

namespace pantanal::competition {

/// Soundscapes by their index, and what has become of them.
struct RunTotals {
  std::size_t done = 0, resumed = 0, failed = 0, left_to_priors = 0;
  std::map<std::string, double> seconds = {};  ///< by stage; decode runs beside the others
};

class SubmissionRun {
 public:
  /// All but `paths` must outlive the run.
  SubmissionRun(std::vector<std::filesystem::path> paths, SoundscapeDecoder& decoder, SubmissionBoard& board,
                Bell& bell, RunLog& log, infer::Console& console)
      : paths_(std::move(paths)),
        decoder_(decoder),
        board_(board),
        bell_(bell),
        log_(log),
        console_(console),
        is_settled_(paths_.size()) {}

  /// Takes the rows of what an earlier run has finished.
  Status take(const std::map<std::string, JournalEntry>& entries);

  /// Does what is left, until all are done, time is over or a signal comes. `mapping`: from the labels of
  /// `perch`. `journal` may be null. Errors: those that concern all soundscapes alike.
  Status run(perch::Session& perch, const pipeline::PerchMapping& mapping, HeadsSession& heads,
             Journal* journal);

  const RunTotals& totals() const { return totals_; }

  /// What the journal calls a soundscape: a file that was replaced by one of another size is another.
  static std::string journal_name(const std::filesystem::path& path);

 private:
  /// Soundscapes whose Perch outputs wait for the heads.
  struct Block {
    PerchOutputs perch;
    std::vector<std::size_t> indices;
    Pace spent;
  };

  bool is_over() const;
  void finish(Block& block, HeadsSession& heads);
  void settle(std::size_t index, JournalEntry entry);
  void fail(std::size_t index, const Error& error);
  void adapt(const Block& block);
  void publish_if_due();
  void sync_if_due(double interval_s);
  void add_seconds(const Pace& spent);
  std::size_t left() const;

  std::vector<std::filesystem::path> paths_;
  SoundscapeDecoder& decoder_;
  SubmissionBoard& board_;
  Bell& bell_;
  RunLog& log_;
  infer::Console& console_;
  std::vector<bool> is_settled_;
  RunTotals totals_;
  Journal* journal_ = nullptr;
  Effort effort_ = Effort::full;
  PaceMeter meter_;
  bool has_warned_ = false;
  std::size_t measured_ = 0;
  double published_at_ = 0, synced_at_ = 0, seconds_at_start_ = 0;
};

}  // namespace pantanal::competition
