// What a competition's run keeps: trained heads, and the journal of a submission.
#include <cstring>

#include "entry.hpp"
#include "pantanal/competition/heads_file.hpp"
#include "pantanal/competition/journal.hpp"
#include "sealed.hpp"

namespace pantanal::fuzz {
namespace {

void read_heads(Bytes bytes) {
  const std::optional<File> whole = sealed(bytes);
  const auto heads = competition::load_heads(as_file("fuzzed.safetensors", whole ? Bytes(*whole) : bytes));
  if (succeeded(heads)) require(heads->texture.size() == heads->classes.size(), "parts fit each other");
}

constexpr std::string_view run_name = "run";

void read_journal(Bytes bytes) {
  const auto path = as_file("fuzzed.journal", bytes);
  {
    const auto opened = competition::Journal::resume(path, run_name);
    if (!succeeded(opened)) return;
    for (const auto& [name, entry] : opened->entries)
      require(name == entry.file, "entries are found by name");
  }
  require(std::filesystem::file_size(path) <= std::max<std::size_t>(bytes.size(), 100),
          "a journal is only cut");
  require(competition::Journal::resume(path, run_name).ok(), "what was resumed can be resumed");
}

/// The journal with the checksum of each record repaired.
void read_journal_records(Bytes bytes) {
  read_journal(bytes);
  File file(bytes.begin(), bytes.end());
  for (std::size_t at = 0; at + 8 <= file.size();) {
    std::uint32_t size = 0;
    std::memcpy(&size, &file[at], sizeof size);
    if (size > file.size() - at - 8) break;
    Crc32c crc;
    crc.update(std::as_bytes(std::span(file).subspan(at + 8, size)));
    const std::uint32_t value = crc.value();
    std::memcpy(&file[at + 4], &value, sizeof value);
    at += 8 + std::size_t{size};
  }
  if (!std::ranges::equal(file, bytes)) read_journal(file);
}

std::vector<File> journals() {
  const auto path = folder() / "seed.journal";
  {
    auto journal = competition::Journal::create(path, run_name);
    require(journal.ok() && journal->append({"a.ogg\n12", {}, {}, {0.5f, 0.25f}}) &&
                journal->append({"b.ogg\n3", {}, "broken", {}}),
            "a journal can be written");
  }
  return {as_seed(read_bytes(path))};
}

const Registration heads(
    {.name = "heads", .read = read_heads, .seeds = [] { return std::vector<File>(); }, .runs = 400});
const Registration journal(
    {.name = "journal", .read = read_journal_records, .seeds = journals, .runs = 2000});

}  // namespace
}  // namespace pantanal::fuzz
