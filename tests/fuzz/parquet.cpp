// Parquet files.
#include "pantanal/io/parquet.hpp"

#include "entry.hpp"

namespace pantanal::fuzz {
namespace {

void read_parquet(Bytes bytes) {
  const std::vector<std::string> names = {"row_id", "filename", "site", "hour_utc"};
  const auto columns = parse_parquet(std::as_bytes(bytes), names, "fuzzed.parquet");
  if (!succeeded(columns)) return;
  require(columns->size() == names.size(), "every column is there");
  const auto rows = [](const ParquetColumn& column) {
    return column.is_text ? column.texts.size() : column.numbers.size();
  };
  for (const ParquetColumn& column : *columns)
    require(rows(column) == rows(columns->front()), "columns are as long");
}

const Registration parquet({.name = "parquet",
                            .read = read_parquet,
                            .seeds = [] { return golden_files("parquet", {".parquet"}, 20000); },
                            .runs = 4000});

}  // namespace
}  // namespace pantanal::fuzz
