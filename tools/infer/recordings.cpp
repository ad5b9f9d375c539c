#include "recordings.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <system_error>
#include <utility>

#include "pantanal/audio/recording_name.hpp"
#include "pantanal/io/packed_file.hpp"

namespace pantanal::infer {
namespace {

namespace fs = std::filesystem;

class RecordingFinder {
 public:
  RecordingFinder(bool recursive, const fs::path& packed_weights)
      : recursive_(recursive), packed_weights_(PackedFile::is_one(packed_weights) ? packed_weights : "") {}

  void add_input(const fs::path& input) {
    std::error_code failure;
    const fs::file_status status = fs::status(input, failure);
    if (!fs::is_directory(status)) return add(input);  // one that is not there fails when it is opened
    const std::size_t before = list_.recordings.size() + list_.repeated.size() + list_.errors.size();
    add_folder(input);
    if (before == list_.recordings.size() + list_.repeated.size() + list_.errors.size())
      list_.errors.push_back(
          {ErrorCode::not_found, input.string(), "a folder without recordings",
           recursive_ ? "files named .wav, .ogg, .flac or .mp3"
                      : "files named .wav, .ogg, .flac or .mp3 (--recursive looks into its folders)"});
  }

  RecordingList take() && { return std::move(list_); }

 private:
  void add(const fs::path& path) {
    std::error_code failure;
    if (!names_.insert(fs::absolute(path, failure).lexically_normal()).second) {
      list_.repeated.push_back(path);
      return;
    }
    const std::uintmax_t bytes = fs::file_size(path, failure);
    list_.recordings.push_back({path, failure ? 0 : bytes});
  }

  void add_folder(const fs::path& folder) {
    std::error_code failure;
    const fs::path itself = fs::canonical(folder, failure);
    if (std::ranges::find(above_, itself) != above_.end()) return;
    std::vector<fs::path> entries;
    for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end;
         entry.increment(failure))
      entries.push_back(entry->path());
    if (failure)
      list_.errors.push_back(
          {ErrorCode::io, folder.string(), failure.message(), "a folder that can be read"});
    std::ranges::sort(entries);
    above_.push_back(itself);
    for (const fs::path& entry : entries) {
      if (!fs::is_directory(entry, failure)) {
        if (audio::has_recording_name(entry) && !is_packed_weights(entry)) add(entry);
      } else if (recursive_ && !is_hidden(entry)) {
        add_folder(entry);
      }
    }
    above_.pop_back();
  }

  bool is_packed_weights(const fs::path& path) const {
    std::error_code failure;
    return !packed_weights_.empty() && fs::equivalent(path, packed_weights_, failure);
  }

  static bool is_hidden(const fs::path& path) { return path.filename().native().starts_with('.'); }

  bool recursive_;
  fs::path packed_weights_;  // empty: none
  RecordingList list_;
  std::set<fs::path> names_;
  std::vector<fs::path> above_;  // the folders we are in
};

}  // namespace

RecordingList find_recordings(std::span<const fs::path> inputs, bool recursive,
                              const fs::path& packed_weights) {
  RecordingFinder finder(recursive, packed_weights);
  for (const fs::path& input : inputs) finder.add_input(input);
  return std::move(finder).take();
}

}  // namespace pantanal::infer
