#include "planted.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <iomanip>
#include <sstream>
#include <string>

#include "pantanal/io/safetensors_writer.hpp"
#include "species.hpp"

namespace pantanal::demo {
namespace {

constexpr const char* header = "start_s\tend_s\tlevel\tspecies";

Status finish(std::ofstream& file, const std::filesystem::path& path) {
  file.close();
  if (file) return {};
  return Error{ErrorCode::io, path.string(), "a write that failed", "room and permission to write"};
}

}  // namespace

Status write_wav(std::span<const float> samples, const std::filesystem::path& path) {
  std::ofstream file(path, std::ios::binary);
  const auto put = [&](std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) file.put(static_cast<char>(value >> (8 * i)));
  };
  const auto rate = static_cast<std::uint32_t>(sample_rate),
             size = static_cast<std::uint32_t>(2 * samples.size());
  file << "RIFF", put(36 + size, 4), file << "WAVEfmt ", put(16, 4), put(1, 2), put(1, 2);
  put(rate, 4), put(2 * rate, 4), put(2, 2), put(16, 2), file << "data", put(size, 4);
  for (const float x : samples)
    put(static_cast<std::uint32_t>(std::lround(std::clamp(x, -1.0f, 1.0f) * 32767)), 2);
  return finish(file, path);
}

Status write_planted(std::span<const Call> calls, const std::filesystem::path& path) {
  std::ofstream file(path);
  file << header << '\n' << std::fixed;
  for (const Call& call : calls)
    file << std::setprecision(2) << call.start_s << '\t' << call.end_s << '\t' << std::setprecision(3)
         << call.level << '\t' << all_species()[call.species].name << '\n';
  return finish(file, path);
}

Result<std::vector<Call>> read_planted(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line) || line != header)
    return Error{ErrorCode::corrupt, path.string(), "\"" + line + "\"",
                 std::string("the line \"") + header + "\""};
  std::vector<Call> calls;
  for (std::size_t number = 2; std::getline(file, line); ++number) {
    std::istringstream fields(line);
    Call call;
    std::string name;
    fields >> call.start_s >> call.end_s >> call.level;
    fields.ignore(1), std::getline(fields, name);
    const auto found = std::ranges::find(all_species(), name, &Species::name);
    if (!fields || found == all_species().end())
      return Error{ErrorCode::corrupt, path.string() + ", line " + std::to_string(number), "\"" + line + "\"",
                   "start, end, level and a species"};
    call.species = static_cast<std::size_t>(found - all_species().begin());
    calls.push_back(call);
  }
  return calls;
}

Status save_state(const nn::StateDict& state, const std::filesystem::path& path) {
  std::vector<SafetensorsSpec> specs;
  for (const auto& [name, tensor] : state) specs.push_back({name, "F32", tensor.shape});
  PANTANAL_TRY(SafetensorsWriter writer, SafetensorsWriter::create(path, {}, specs));
  for (const SafetensorsSpec& spec : specs)
    PANTANAL_TRY_STATUS(writer.write(spec.name, std::as_bytes(state.at(spec.name).values)));
  return writer.finish();
}

}  // namespace pantanal::demo
