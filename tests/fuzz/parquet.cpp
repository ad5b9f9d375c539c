// Parquet files.
#include <vector>

#include "entry.hpp"
#include "pantanal/io/parquet.hpp"

PANTANAL_FUZZ_ENTRY(fuzz_parquet)(pantanal::fuzz::Bytes bytes) {
  using namespace pantanal;
  const std::vector<std::string> names = {"row_id", "filename", "site", "hour_utc"};
  const auto columns = parse_parquet(std::as_bytes(bytes), names, "fuzzed.parquet");
  if (!fuzz::succeeded(columns)) return;
  fuzz::require(columns->size() == names.size(), "every column is there");
  const std::size_t rows =
      columns->front().is_text ? columns->front().texts.size() : columns->front().numbers.size();
  for (const ParquetColumn& column : *columns)
    fuzz::require((column.is_text ? column.texts.size() : column.numbers.size()) == rows,
                  "columns are as long");
}
