#include "stream_events.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "pantanal/output/top_classes.hpp"

namespace pantanal::infer {
namespace {

using Json = nlohmann::ordered_json;

/// A line. What is not UTF-8 in a label reads as U+FFFD.
std::string text(const Json& event) {
  return event.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace

Status StreamEvents::window(const stream::StreamWindow& window, std::uint32_t rate) {
  if (top_ == 0) return {};
  Json top = Json::array();
  for (const output::ScoredClass& scored : output::top_classes(window.label, top_))
    top.push_back({{"label", labels_[scored.index]}, {"logit", scored.logit}});
  return write(text({{"event", "window"},
                     {"index", window.index},
                     {"start_s", window.start_s},
                     {"end_s", window.end_s},
                     {"recorded_s", static_cast<double>(window.recorded) / rate},
                     {"top", std::move(top)}}));
}

Status StreamEvents::detections(std::span<const stream::Detection> detections) {
  for (const stream::Detection& d : detections)
    PANTANAL_TRY_STATUS(write(text({{"event", "detection"},
                                    {"label", labels_[d.label]},
                                    {"start_s", d.start_s},
                                    {"end_s", d.end_s},
                                    {"peak_s", d.peak_s},
                                    {"peak_logit", d.peak_logit},
                                    {"windows", d.windows}})));
  return {};
}

Status StreamEvents::gap(double start_s, double end_s, double lost_s, std::string_view reason) {
  return write(text(
      {{"event", "gap"}, {"start_s", start_s}, {"end_s", end_s}, {"lost_s", lost_s}, {"reason", reason}}));
}

Status StreamEvents::end(double duration_s, double recorded_s, std::uint64_t windows,
                         std::string_view reason) {
  return write(text({{"event", "end"},
                     {"duration_s", duration_s},
                     {"recorded_s", recorded_s},
                     {"windows", windows},
                     {"reason", reason}}));
}

Status StreamEvents::write(std::string line) {
  PANTANAL_TRY_STATUS(output_.write(line));
  return output_.flush();
}

}  // namespace pantanal::infer
