// Windows.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>

#include "guard.hpp"
#include "handles.hpp"

using namespace pantanal;
using c_api::guarded, c_api::required;

void pantanal_session_options_defaults(pantanal_session_options* options, size_t size) {
  c_api::write_defaults<pantanal_session_options>(options, size, {0, 0, 12, nullptr});
}

pantanal_status pantanal_session_create(const pantanal_model* model, const pantanal_session_options* options,
                                        pantanal_session** session) {
  return guarded([&]() -> Status {
    PANTANAL_TRY_STATUS(required(model, "model"));
    PANTANAL_TRY_STATUS(required(session, "session"));
    PANTANAL_TRY(const pantanal_session_options given,
                 c_api::read_options(
                     options, pantanal_session_options_init,
                     {offsetof(pantanal_session_options, threads), offsetof(pantanal_session_options, batch),
                      offsetof(pantanal_session_options, packed_weights)}));
    PANTANAL_TRY(
        perch::Session created,
        perch::Session::create(model->model, {.threads = given.threads,
                                              .batch = given.batch,
                                              .packed_weights = c_api::path_of(given.packed_weights)}));
    *session = new pantanal_session{std::move(created)};
    return {};
  });
}

pantanal_status pantanal_session_packed_weights(const pantanal_session* session) {
  return guarded([&]() -> Status {
    PANTANAL_TRY_STATUS(required(session, "session"));
    return session->session.packed_weights();
  });
}

void pantanal_session_free(pantanal_session* session) { delete session; }

pantanal_status pantanal_session_run(pantanal_session* session, const float* windows, size_t n,
                                     float* embedding, float* label, uint8_t* finite) {
  return guarded([&]() -> Status {
    PANTANAL_TRY_STATUS(required(session, "session"));
    if (n > 0) PANTANAL_TRY_STATUS(required(windows, "windows"));
    const perch::OutputSizes sizes = session->session.output_sizes();
    const std::size_t samples = session->session.model().architecture.frontend.samples;
    if (n > std::numeric_limits<std::ptrdiff_t>::max() / sizeof(float) /
                std::max({samples, sizes.embedding, sizes.label}))
      return Error{ErrorCode::invalid_argument, "n", std::to_string(n) + " windows",
                   "as many as memory holds"};
    const auto span = [n](float* values, std::size_t each) {
      return std::span(values, values ? n * each : 0);
    };
    return session->session.run(std::span(windows, n * samples), n,
                                {.embedding = span(embedding, sizes.embedding),
                                 .label = span(label, sizes.label),
                                 .finite = std::span(finite, finite ? n : 0)});
  });
}
