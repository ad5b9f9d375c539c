// CSV: as such, and as each of the tables that a competition has.
#include <array>
#include <cmath>

#include "entry.hpp"
#include "pantanal/competition/perch_cache.hpp"
#include "pantanal/competition/tables.hpp"
#include "pantanal/io/csv.hpp"
#include "pantanal/pipeline/submission.hpp"

namespace pantanal::fuzz {
namespace {

void read_tables(const std::filesystem::path& path) {
  const std::vector<std::string> classes = {"c0", "c1"};
  if (const auto sample = pipeline::read_sample_submission(path); succeeded(sample))
    require(!sample->classes.empty(), "a sample submission has classes");
  if (const auto taxonomy = pipeline::read_taxonomy(path); succeeded(taxonomy))
    (void)succeeded(pipeline::texture_classes(*taxonomy, classes));
  if (const auto labels = pipeline::read_window_labels(path, classes); succeeded(labels)) {
    require(labels->y_sc.rows == labels->windows.size(), "a row per window");
    (void)competition::unused_labels(*labels);
  }
  if (const auto meta = competition::detail::read_cache_meta(path); succeeded(meta))
    (void)pipeline::reshape_to_files(*meta).ok();
  const std::vector<std::string> rows = {"a_5", "a_10"};
  (void)succeeded(pipeline::validate_submission(path, classes, rows));
}

void read_csv_file(Bytes bytes) {
  if (const auto rows = parse_csv(as_text(bytes), "fuzzed"); succeeded(rows))
    for (const CsvRow& row : *rows)
      require(row.fields.size() == rows->front().fields.size(), "rows are of one width");
  read_tables(as_file("fuzzed.csv", bytes));
}

std::vector<File> csv_seeds() {
  std::vector<File> seeds = golden_files("flow", {".csv"}, 3000);
  for (const char* const text : {"row_id,c0,c1\na_5,0.5,0.25\na_10,1e-3,0\n",
                                 "filename,start,end,primary_label\nBC2026_Train_0001_S01_20250102_030000."
                                 "ogg,00:00:00,00:00:05,c0;c1\n",
                                 "\xef\xbb\xbfname,\"a, \"\"b\"\"\"\r\n\"x\ny\",2\r\n"})
    seeds.push_back(as_seed(text));
  return seeds;
}

const Registration csv({.name = "csv", .read = read_csv_file, .seeds = csv_seeds, .runs = 2500});

}  // namespace
}  // namespace pantanal::fuzz
