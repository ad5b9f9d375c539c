#include "start_decoders.hpp"

#include <utility>

namespace pantanal::infer {

std::vector<DecoderProcess> start_decoders(std::size_t count, const DecoderLimits& limits,
                                           DecoderProcess::Decode decode, Console& console) {
  std::vector<DecoderProcess> decoders;
  while (decoders.size() < count) {
    auto decoder = DecoderProcess::start(limits, decode);
    if (!decoder) {
      console.say(decoder.error().message() + " (recordings are decoded within the program)");
      decoders.clear();
      break;
    }
    decoders.push_back(*std::move(decoder));
  }
  return decoders;
}

}  // namespace pantanal::infer
