// Sequence heads.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "guard.hpp"
#include "handles.hpp"
#include "pantanal/core/requested_isa.hpp"

using namespace pantanal;
using c_api::guarded, c_api::required;

namespace {

heads::ProtoSsmConfig config_of(const pantanal_proto_ssm_options& o) {
  heads::ProtoSsmConfig config;
  config.d_input = o.d_input, config.d_model = o.d_model, config.d_state = o.d_state,
  config.d_conv = o.d_conv;
  config.n_ssm_layers = o.n_ssm_layers, config.n_classes = o.n_classes, config.n_windows = o.n_windows;
  config.n_sites = o.n_sites, config.meta_dim = o.meta_dim;
  config.use_cross_attn = o.use_cross_attn != 0, config.cross_attn_heads = o.cross_attn_heads;
  config.n_families = o.n_families, config.n_prototypes = o.n_prototypes;
  return config;
}

}  // namespace

void pantanal_proto_ssm_options_defaults(pantanal_proto_ssm_options* options, size_t size) {
  const heads::ProtoSsmConfig c;
  c_api::write_defaults<pantanal_proto_ssm_options>(
      options, size,
      {0, c.d_input, c.d_model, c.d_state, c.d_conv, c.n_ssm_layers, c.n_classes, c.n_windows, c.n_sites,
       c.meta_dim, c.use_cross_attn, c.cross_attn_heads, c.n_families, c.n_prototypes, 1});
}

pantanal_status pantanal_proto_ssm_load(const char* path, const pantanal_proto_ssm_options* options,
                                        pantanal_proto_ssm** head) {
  return guarded([&]() -> Status {
    PANTANAL_TRY_STATUS(required(path, "path"));
    PANTANAL_TRY_STATUS(required(head, "head"));
    PANTANAL_TRY_STATUS(check_requested_isa());
    PANTANAL_TRY(
        const pantanal_proto_ssm_options given,
        c_api::read_options(
            options, pantanal_proto_ssm_options_init,
            {offsetof(pantanal_proto_ssm_options, d_input), offsetof(pantanal_proto_ssm_options, d_model),
             offsetof(pantanal_proto_ssm_options, d_state), offsetof(pantanal_proto_ssm_options, d_conv),
             offsetof(pantanal_proto_ssm_options, n_ssm_layers),
             offsetof(pantanal_proto_ssm_options, n_classes), offsetof(pantanal_proto_ssm_options, n_windows),
             offsetof(pantanal_proto_ssm_options, n_sites), offsetof(pantanal_proto_ssm_options, meta_dim),
             offsetof(pantanal_proto_ssm_options, use_cross_attn),
             offsetof(pantanal_proto_ssm_options, cross_attn_heads),
             offsetof(pantanal_proto_ssm_options, n_families),
             offsetof(pantanal_proto_ssm_options, n_prototypes),
             offsetof(pantanal_proto_ssm_options, threads)}));
    const heads::ProtoSsmConfig config = config_of(given);
    PANTANAL_TRY(const nn::StateDict state, heads::load_proto_ssm(path, config));
    PANTANAL_TRY(heads::ProtoSsm model, heads::ProtoSsm::create(state, config, {.threads = given.threads}));
    *head = new pantanal_proto_ssm{std::move(model)};
    return {};
  });
}

void pantanal_proto_ssm_free(pantanal_proto_ssm* head) { delete head; }

pantanal_status pantanal_proto_ssm_run(pantanal_proto_ssm* head, const float* embedding, const float* label,
                                       const int64_t* site_ids, const int64_t* hours, size_t files,
                                       size_t steps, float* species) {
  return guarded([&]() -> Status {
    PANTANAL_TRY_STATUS(required(head, "head"));
    PANTANAL_TRY_STATUS(required(embedding, "embedding"));
    PANTANAL_TRY_STATUS(required(species, "species"));
    const heads::ProtoSsmConfig& config = head->model.config();
    const std::size_t widest = std::max(config.d_input, config.n_classes);
    PANTANAL_TRY_STATUS(heads::detail::check_steps("pantanal_proto_ssm_run", files, steps, config.n_windows));
    if (files > PTRDIFF_MAX / sizeof(float) / steps / widest)
      return Error{ErrorCode::invalid_argument, "files", std::to_string(files), "as many as memory holds"};
    if ((site_ids == nullptr) != (hours == nullptr))
      return Error{ErrorCode::invalid_argument, "site_ids and hours", "one of them", "both or neither"};
    const std::size_t rows = files * steps;
    return head->model.run({.emb = {embedding, rows * config.d_input},
                            .perch_logits = {label, label ? rows * config.n_classes : 0},
                            .meta = {{site_ids, site_ids ? files : 0}, {hours, hours ? files : 0}}},
                           files, steps, {.species_logits = {species, rows * config.n_classes}});
  });
}
