// Files of packed weights, and a session on them.
#include <cstring>
#include <memory>
#include <optional>

#include "entry.hpp"
#include "pantanal/core/crc32c.hpp"
#include "pantanal/io/packed_file.hpp"
#include "pantanal/perch/session.hpp"
#include "perch/random_model.hpp"

namespace pantanal::fuzz {
namespace {

constexpr std::string_view two_buffers = "two buffers";

Result<perch::Session> session_on(const std::filesystem::path& path) {
  static const auto model = std::make_shared<const perch::Model>(
      perch::fixtures::random_model(perch::fixtures::tiny_architecture(), 3));
  return perch::Session::create(model, {.threads = 1, .packed_weights = path});
}

void read_buffers(const std::filesystem::path& path, std::size_t size) {
  const auto file = PackedFile::open(path, two_buffers);
  if (!succeeded(file)) return;
  require(file->buffers().size() + sizeof(detail::PackedHeader) == size, "all behind the header is buffers");
  PackedArena arena(file->buffers());
  const auto numbers = arena.take<float>(100);
  const auto word = arena.take<std::uint32_t>(1);
  if (file->check(arena))
    require(numbers.size() == 100 && word.size() == 1, "a layout that fits has every buffer");
}

/// Wrong weights give wrong outputs, and no more than that.
void run_on(const std::filesystem::path& path) {
  auto session = session_on(path);
  require(session.ok(), "a session does without a file that it cannot use");
  const std::vector<float> window(session->model().architecture.frontend.samples, 0.25f);
  std::vector<float> label(session->output_sizes().label);
  (void)session->run(window, 1, {.label = label});
}

/// With a header that is right again: what it would otherwise hide from damage.
std::optional<File> sealed_weights(Bytes bytes) {
  detail::PackedHeader header;
  if (bytes.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  std::ranges::copy(detail::packed_magic, header.magic);
  header.version = detail::packed_version;
  header.size = bytes.size();
  File file(bytes.begin(), bytes.end());
  std::memcpy(file.data(), &header, sizeof header);
  constexpr std::size_t checked_from = offsetof(detail::PackedHeader, size);
  header.checksum = crc32c(std::as_bytes(std::span(file)).subspan(checked_from));
  std::memcpy(file.data(), &header, sizeof header);
  return file;
}

void read_packed_weights(Bytes bytes) {
  read_buffers(as_file("fuzzed.packed", bytes), bytes.size());
  if (const std::optional<File> whole = sealed_weights(bytes)) {
    const auto path = as_file("sealed.packed", *whole);
    read_buffers(path, whole->size());
    run_on(path);
  }
}

std::vector<File> packed_files() {
  const auto of_session = folder() / "session.packed", of_two = folder() / "two.packed";
  require(session_on(of_session).ok(), "a session packs its weights");
  PackedArena arena;
  auto numbers = arena.take<float>(100);
  numbers.writable()[7] = 0.5f;
  const auto word = arena.take<std::uint32_t>(1);
  require(PackedFile::write(of_two, two_buffers, arena).ok(), "packed weights can be written");
  return {as_seed(read_bytes(of_session)), as_seed(read_bytes(of_two))};
}

const Registration packed_weights(
    {.name = "packed_weights", .read = read_packed_weights, .seeds = packed_files, .runs = 100});

}  // namespace
}  // namespace pantanal::fuzz
