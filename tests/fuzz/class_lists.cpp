// CSV, label lists and lists of classes.
#include <algorithm>

#include "entry.hpp"
#include "labels/class_list.hpp"
#include "pantanal/core/utf8.hpp"
#include "pantanal/io/csv.hpp"

PANTANAL_FUZZ_ENTRY(fuzz_class_lists)(pantanal::fuzz::Bytes bytes) {
  using namespace pantanal;
  if (const auto rows = parse_csv(fuzz::as_text(bytes), "fuzzed"); fuzz::succeeded(rows))
    for (const CsvRow& row : *rows)
      fuzz::require(row.fields.size() == rows->front().fields.size(), "rows are of one width");
  const auto path = fuzz::as_file("fuzzed.csv", bytes);
  if (const auto labels = convert::read_labels(path); fuzz::succeeded(labels))
    for (const std::string& label : *labels)
      fuzz::require(!label.empty() && find_not_utf8(label) == std::string::npos, "labels are UTF-8");
  const std::vector<std::string> labels = {"Adenomera andreae", "Adenomera hylaedactyla", "Caiman yacare",
                                           "Turdus merula"};
  for (const auto& list : {path, fuzz::as_file("fuzzed.txt", bytes)})
    if (const auto selection = convert::select_classes(labels, list); fuzz::succeeded(selection))
      fuzz::require(!selection->rows.empty() && selection->rows.back() < labels.size(), "rows are labels");
}
