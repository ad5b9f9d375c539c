// Status, versions and models.
#include <memory>
#include <span>
#include <utility>

#include "guard.hpp"
#include "handles.hpp"
#include "pantanal/core/requested_isa.hpp"
#include "pantanal/perch/keep_classes.hpp"
#include "pantanal/perch/model_file.hpp"

using namespace pantanal;
using c_api::guarded, c_api::required;

const char* pantanal_status_name(pantanal_status status) {
  switch (status) {
    case PANTANAL_OK:
      return "ok";
    case PANTANAL_INVALID_ARGUMENT:
      return "invalid argument";
    case PANTANAL_NOT_FOUND:
      return "not found";
    case PANTANAL_IO:
      return "io error";
    case PANTANAL_CORRUPT:
      return "corrupt";
    case PANTANAL_UNSUPPORTED:
      return "unsupported";
    case PANTANAL_MISMATCH:
      return "mismatch";
    case PANTANAL_OUT_OF_MEMORY:
      return "out of memory";
    case PANTANAL_INTERNAL:
      return "internal error";
  }
  return "unknown status";
}

const char* pantanal_last_error(void) { return c_api::last_error(); }

const char* pantanal_version(void) { return PANTANAL_VERSION; }

int pantanal_api_version(void) { return PANTANAL_API_VERSION; }

pantanal_status pantanal_model_load(const char* path, pantanal_model** model) {
  return guarded([&]() -> Status {
    PANTANAL_TRY_STATUS(required(path, "path"));
    PANTANAL_TRY_STATUS(required(model, "model"));
    PANTANAL_TRY_STATUS(check_requested_isa());
    PANTANAL_TRY(perch::Model loaded, perch::load_model(path, {.keep_narrow = true}));
    *model = new pantanal_model{std::make_shared<const perch::Model>(std::move(loaded))};
    return {};
  });
}

pantanal_status pantanal_model_keep_classes(const pantanal_model* model, const size_t* rows, size_t count,
                                            pantanal_model** kept) {
  return guarded([&]() -> Status {
    PANTANAL_TRY_STATUS(required(model, "model"));
    PANTANAL_TRY_STATUS(required(rows, "rows"));
    PANTANAL_TRY_STATUS(required(kept, "kept"));
    PANTANAL_TRY(perch::Model fewer, perch::keep_classes(*model->model, std::span(rows, count)));
    *kept = new pantanal_model{std::make_shared<const perch::Model>(std::move(fewer))};
    return {};
  });
}

void pantanal_model_free(pantanal_model* model) { delete model; }

uint32_t pantanal_model_sample_rate(const pantanal_model* model) {
  return model ? static_cast<uint32_t>(model->model->architecture.frontend.sample_rate) : 0;
}

size_t pantanal_model_window_samples(const pantanal_model* model) {
  return model ? model->model->architecture.frontend.samples : 0;
}

size_t pantanal_model_embedding_size(const pantanal_model* model) {
  return model ? model->model->architecture.head.channels : 0;
}

size_t pantanal_model_classes(const pantanal_model* model) {
  return model ? model->model->architecture.label.classes : 0;
}

const char* pantanal_model_label(const pantanal_model* model, size_t index) {
  return model && index < model->model->labels.size() ? model->model->labels[index].c_str() : nullptr;
}
