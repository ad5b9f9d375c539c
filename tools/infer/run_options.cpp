#include "run_options.hpp"

#include <CLI/CLI.hpp>

#include "console.hpp"
#include "memory_limit.hpp"
#include "pantanal/audio/soundfile.hpp"

namespace pantanal::infer {

std::optional<std::size_t> RunText::memory_limit() const { return parse_size(max_memory); }

perch::Precision RunText::chosen_precision() const {
  return precision == "bf16"   ? perch::Precision::bf16
         : precision == "int8" ? perch::Precision::int8
                               : perch::Precision::fp32;
}

void declare_run_options(CLI::App& app, RunText& text, const std::string& what) {
  app.add_option(
         "--max-memory", text.max_memory,
         "Refuse, before the model is loaded, " + what + " that would take more, such as 96M or 1.5GiB")
      ->option_text("SIZE")
      ->check([](const std::string& size) {
        return parse_size(size) ? "" : "'" + size + "' is no size such as 96M";
      });
  app.add_option(
         "--precision", text.precision,
         "bf16: multiply in bfloat16, which takes a CPU with AVX512-BF16 and is faster and less exact; "
         "int8: in 8 bits, which takes one with AVX512_VNNI, where it is faster still, or with ARM's "
         "asimddp, "
         "and is less exact still (default fp32)")
      ->option_text("fp32|bf16|int8")
      ->check(CLI::IsMember({"fp32", "bf16", "int8"}));
  app.add_option("--packed-weights", text.packed_weights,
                 "Map the model's weights as this file has them packed, which is made where it is not there "
                 "or does not fit: runs start faster and share that memory. One file per model, precision "
                 "and kind of CPU")
      ->option_text("FILE")
      ->check([](const std::string& name) { return name.empty() ? "'' is no file name" : ""; });
}

void report_packed_weights(const perch::Session& session, Console& console) {
  if (const Status& status = session.packed_weights(); !status)
    console.say("--packed-weights: " + status.error().message() + " (the run goes on without it)");
  if (const auto& replaced = session.replaced_packed_weights())
    console.say("--packed-weights: " + replaced->message() + " (made anew)");
}

void declare_soundfile_compat(CLI::App& app, bool& given) {
  app.add_flag(
         "--soundfile-compat", given,
         "Take of damaged recordings what Python's soundfile takes, and report no damage that it passes over")
      ->each([](const std::string&) {
        if (!audio::reads_as_soundfile())
          throw CLI::ValidationError("--soundfile-compat",
                                     "this build has no libsndfile; one with PANTANAL_WITH_SNDFILE=ON has");
      });
}

}  // namespace pantanal::infer
