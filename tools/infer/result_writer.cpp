#include "result_writer.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "pantanal/output/file_name_text.hpp"

namespace pantanal::infer {

Result<ResultWriter> ResultWriter::create(const Options& options, const perch::Model& model,
                                          std::span<const Recording> recordings) {
  ResultWriter writer(recordings);
  if (model.architecture.label.classes > 0) {
    PANTANAL_TRY(TextOutput output, TextOutput::create(options.out));
    writer.csv_ = Csv{output::PredictionCsv(model.labels, options.top), std::move(output)};
  }
  if (options.embeddings) PANTANAL_TRY_STATUS(writer.open_npz(options, model));
  return writer;
}

Status ResultWriter::open_npz(const Options& options, const perch::Model& model) {
  std::size_t longest = 1;
  for (const Recording& recording : recordings_)
    longest = std::max(longest, output::decode_file_name(recording.path.native()).size());
  const auto channels = static_cast<std::int64_t>(model.architecture.head.channels);
  const auto classes = static_cast<std::int64_t>(model.architecture.label.classes);
  std::vector<output::NpzArray> arrays = {
      {"embedding", "<f4", sizeof(float), {channels}},
      {"file", "<U" + std::to_string(longest), longest * sizeof(char32_t), {}},
      {"start_s", "<f8", sizeof(double), {}}};
  if (classes > 0) arrays.push_back({"label", "<f4", sizeof(float), {classes}});
  PANTANAL_TRY(output::NpzWriter file, output::NpzWriter::create(*options.embeddings, arrays));
  npz_ = Npz{std::move(file), longest};
  return {};
}

Status ResultWriter::write(const WindowResult& window) {
  if (csv_) PANTANAL_TRY_STATUS(write_csv(window));
  if (npz_) PANTANAL_TRY_STATUS(write_npz(window));
  return {};
}

Status ResultWriter::write_csv(const WindowResult& window) {
  if (!std::exchange(csv_->has_header, true))
    PANTANAL_TRY_STATUS(csv_->output.write(output::PredictionCsv::header));
  const std::string& file = recordings_[window.recording].path.native();
  return csv_->output.write(csv_->table.rows({file, window.start_s, window.end_s}, window.logits));
}

Status ResultWriter::write_npz(const WindowResult& window) {
  std::u32string file = output::decode_file_name(recordings_[window.recording].path.native());
  file.resize(npz_->name_length);
  PANTANAL_TRY_STATUS(npz_->file.append("embedding", std::as_bytes(window.embedding)));
  PANTANAL_TRY_STATUS(npz_->file.append("file", std::as_bytes(std::span(file))));
  PANTANAL_TRY_STATUS(npz_->file.append("start_s", std::as_bytes(std::span(&window.start_s, 1))));
  return window.logits.empty() ? Status() : npz_->file.append("label", std::as_bytes(window.logits));
}

Status ResultWriter::flush() { return csv_ ? csv_->output.flush() : Status(); }

Status ResultWriter::finish(const std::function<bool()>& cancelled) {
  if (npz_) PANTANAL_TRY_STATUS(npz_->file.finish(cancelled));
  return csv_ ? csv_->output.finish() : Status();
}

}  // namespace pantanal::infer
