// NumPy archives, and arrays outside one, where no checksum hides their reader from damage.
#include "entry.hpp"
#include "pantanal/output/npz_file.hpp"

namespace pantanal::fuzz {
namespace {

void check_array(const Result<output::FloatArray>& array) {
  if (succeeded(array))
    require(array->values.size() == static_cast<std::size_t>(*element_count(array->shape)),
            "an array is as large as its shape");
}

void read_npz(Bytes bytes) {
  check_array(output::detail::parse_npy_floats(as_text(bytes), "fuzzed.npy"));
  const auto file = output::NpzFile::open(as_file("fuzzed.npz", bytes));
  if (!succeeded(file)) return;
  for (const char* const name : {"a", "b", "scores_full_raw", "emb_full"}) check_array(file->floats(name));
}

const Registration npz(
    {.name = "npz", .read = read_npz, .seeds = [] { return std::vector<File>(); }, .runs = 4000});

}  // namespace
}  // namespace pantanal::fuzz
