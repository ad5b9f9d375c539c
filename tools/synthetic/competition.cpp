#include "competition.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "pantanal/core/parallel.hpp"
#include "pantanal/io/atomic_file.hpp"
#include "pantanal/io/csv.hpp"
#include "random.hpp"
#include "sound.hpp"
#include "vorbis_file.hpp"
#include "world.hpp"

namespace pantanal::synthetic {
namespace {

namespace fs = std::filesystem;

Status write_text(const fs::path& path, const std::string& text) {
  PANTANAL_TRY(AtomicFile file, AtomicFile::create(path));
  PANTANAL_TRY_STATUS(file.write(text));
  return file.commit();
}

std::string taxonomy_text(const World& world) {
  std::string text = "primary_label,inat_taxon_id,scientific_name,common_name,class_name\n";
  for (std::size_t i = 0; i < world.species.size(); ++i) {
    const Species& species = world.species[i];
    const std::string fields[] = {species.label, std::to_string(500000 + i), species.scientific_name,
                                  species.scientific_name, species.class_name};
    text += csv_line(fields);
  }
  return text;
}

std::string sample_text(const World& world, const std::string& filename) {
  std::vector<std::string> line{"row_id"};
  for (const Species& species : world.species) line.push_back(species.label);
  std::string text = csv_line(line);
  for (const char* const end : {"_5", "_10", "_15"}) {
    line.assign(world.species.size() + 1, std::to_string(1.0 / static_cast<double>(world.species.size())));
    line[0] = filename.substr(0, filename.rfind('.')) + end;
    text += csv_line(line);
  }
  return text;
}

std::string time_text(std::size_t seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "00:%02zu:%02zu", seconds / 60, seconds % 60);
  return text;
}

/// The rows of one window: two, which share its labels out and have the first one in common.
std::string label_rows(const World& world, const Recording& recording, std::size_t window) {
  std::array<std::string, 2> cells;
  const std::vector<std::size_t>& species = recording.windows[window];
  for (std::size_t i = 0; i < species.size(); ++i)
    for (std::size_t row = 0; row < 2; ++row)
      if (i == 0 || i % 2 == row)
        cells[row] += (cells[row].empty() ? "" : ";") + world.species[species[i]].label;
  std::string text;
  for (const std::string& cell : cells) {
    const std::string fields[] = {recording.filename, time_text(5 * window), time_text(5 * window + 5), cell};
    text += csv_line(fields);
  }
  return text;
}

/// Labels of `recordings`; of those from `full` on, only some windows'.
std::string labels_text(const World& world, const std::vector<Recording>& recordings, std::size_t full) {
  std::string text = "filename,start,end,primary_label\n";
  for (std::size_t i = 0; i < recordings.size(); ++i)
    for (std::size_t window = 0; window < recordings[i].windows.size(); ++window)
      if (i < full || window % 4 == i % 4) text += label_rows(world, recordings[i], window);
  return text;
}

/// A file that is no recording, one that breaks off, or one of another rate.
Status write_broken(const fs::path& path, const std::vector<float>& samples, std::size_t kind) {
  if (kind % 3 == 0) return write_text(path, "this is no recording\n");
  if (kind % 3 == 1) return write_vorbis(path, std::span(samples).first(22050 * 5), 22050, 1);
  PANTANAL_TRY_STATUS(write_vorbis(path, samples, rate, 1));
  std::error_code code;
  fs::resize_file(path, fs::file_size(path, code) / 2, code);
  if (code) return Error{ErrorCode::io, path.string(), code.message(), "a file that can be cut"};
  return {};
}

/// Encodes all, the last `broken` of them broken.
Status write_sounds(const fs::path& folder, const World& world, const std::vector<Recording>& recordings,
                    std::size_t broken, const CompetitionOptions& options) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) return Error{ErrorCode::io, folder.string(), code.message(), "a folder that can be made"};
  std::vector<Status> statuses(recordings.size());
  std::atomic<std::size_t> next = 0;
  parallel_team(options.threads, [&](const Team&) {
    for (std::size_t i = next++; i < recordings.size(); i = next++) {
      const std::vector<float> samples = make_sound(world, recordings[i], options.seed);
      const fs::path path = folder / recordings[i].filename;
      const std::size_t from_end = recordings.size() - i;
      statuses[i] = from_end <= broken ? write_broken(path, samples, from_end)
                                       : write_vorbis(path, samples, rate, static_cast<int>(i + 1));
    }
  });
  for (Status& status : statuses) PANTANAL_TRY_STATUS(std::move(status));
  return {};
}

std::vector<Recording> make_recordings(const World& world, const char* kind, std::size_t count,
                                       std::uint64_t seed) {
  std::vector<Recording> recordings;
  for (std::size_t i = 0; i < count; ++i) recordings.push_back(make_recording(world, kind, i + 1, seed));
  return recordings;
}

}  // namespace

Status make_competition(const fs::path& folder, std::span<const std::string> perch_labels,
                        const CompetitionOptions& options) {
  if (options.broken > options.test)
    return Error{ErrorCode::invalid_argument, "broken", std::to_string(options.broken) + " test soundscapes",
                 "at most the " + std::to_string(options.test) + " that there are"};
  std::error_code code;
  if (fs::exists(folder, code) && !fs::is_empty(folder, code))
    return Error{ErrorCode::invalid_argument, folder.string(), "a folder that holds something",
                 "a new or an empty one: what it holds would be taken for the competition's"};
  const World world = make_world(perch_labels, options.classes, options.seed);
  const auto train = make_recordings(world, "Train", options.train + options.partial, options.seed);
  const auto test = make_recordings(world, "Test", options.test, options.seed);
  PANTANAL_TRY_STATUS(write_sounds(folder / "train_soundscapes", world, train, 0, options));
  if (!test.empty())
    PANTANAL_TRY_STATUS(write_sounds(folder / "test_soundscapes", world, test, options.broken, options));
  PANTANAL_TRY_STATUS(write_text(folder / "taxonomy.csv", taxonomy_text(world)));
  const std::string first = test.empty() ? "BC2026_Test_0001_S01_20250101_000000.ogg" : test[0].filename;
  PANTANAL_TRY_STATUS(write_text(folder / "sample_submission.csv", sample_text(world, first)));
  PANTANAL_TRY_STATUS(
      write_text(folder / "test_soundscapes_labels.csv", labels_text(world, test, test.size())));
  return write_text(folder / "train_soundscapes_labels.csv", labels_text(world, train, options.train));
}

}  // namespace pantanal::synthetic
