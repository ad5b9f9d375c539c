// What programs compiled against the header of PANTANAL_API_VERSION 1 call: *_init functions were exported
// then, and must not write past the structs as they were.
#include <cstddef>
#include <cstdint>

#define PANTANAL_VERSION_1 extern "C" __attribute__((visibility("default"))) void

PANTANAL_VERSION_1 pantanal_session_options_defaults(void* options, std::size_t size);
PANTANAL_VERSION_1 pantanal_stream_options_defaults(void* options, std::size_t size);
PANTANAL_VERSION_1 pantanal_proto_ssm_options_defaults(void* options, std::size_t size);

namespace {

struct SessionOptions {
  std::size_t struct_size, threads, batch;
};

struct StreamOptions {
  std::size_t struct_size;
  std::uint32_t sample_rate, channels;
  double hop_s;
  int normalize_peak;
  std::size_t threads;
  float threshold;
  double longest_s;
};

struct ProtoSsmOptions {
  std::size_t struct_size, sizes[9];
  int use_cross_attn;
  std::size_t counts[3], threads;
};

static_assert(sizeof(std::size_t) != 8 || (sizeof(SessionOptions) == 24 && sizeof(StreamOptions) == 56 &&
                                           sizeof(ProtoSsmOptions) == 120));

}  // namespace

PANTANAL_VERSION_1 pantanal_session_options_init(void* options) {
  pantanal_session_options_defaults(options, sizeof(SessionOptions));
}
PANTANAL_VERSION_1 pantanal_stream_options_init(void* options) {
  pantanal_stream_options_defaults(options, sizeof(StreamOptions));
}
PANTANAL_VERSION_1 pantanal_proto_ssm_options_init(void* options) {
  pantanal_proto_ssm_options_defaults(options, sizeof(ProtoSsmOptions));
}
