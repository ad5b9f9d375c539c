// The C interface as a program sees it: through the shared library, against the C++ one.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "io/temporary_folder.hpp"
#include "pantanal/heads/proto_ssm.hpp"
#include "pantanal/io/safetensors_writer.hpp"
#include "pantanal/nn/state_dict.hpp"
#include "pantanal/pantanal.h"
#include "pantanal/perch/model_file.hpp"
#include "pantanal/perch/session.hpp"
#include "perch/random_model.hpp"

namespace pantanal {
namespace {

/// A model through the C interface.
class CModel {
 public:
  explicit CModel(const std::filesystem::path& path) {
    EXPECT_EQ(pantanal_model_load(path.c_str(), &model_), PANTANAL_OK) << pantanal_last_error();
  }
  CModel(const CModel&) = delete;
  CModel& operator=(const CModel&) = delete;
  ~CModel() { pantanal_model_free(model_); }
  operator pantanal_model*() const { return model_; }

 private:
  pantanal_model* model_ = nullptr;
};

class CApi : public ::testing::Test {
 protected:
  CApi() {
    const auto random = perch::fixtures::random_model(perch::fixtures::tiny_architecture(), 3);
    EXPECT_TRUE(perch::save_model(random, tiny_));
  }

  static std::vector<float> noise(std::size_t count) {
    return perch::fixtures::RandomValues(5).normals(count, 0.1);
  }

  std::vector<float> labels_in_cpp(const std::vector<float>& windows, std::size_t n) {
    auto session =
        *perch::Session::create(std::make_shared<perch::Model>(*perch::load_model(tiny_)), {.threads = 1});
    std::vector<float> labels(n * 7);
    EXPECT_TRUE(session.run(windows, n, {.label = labels}));
    return labels;
  }

  static void save(const nn::StateDict& state, const std::filesystem::path& path) {
    std::vector<SafetensorsSpec> specs;
    for (const auto& [name, tensor] : state) specs.push_back({name, "F32", tensor.shape});
    auto writer = *SafetensorsWriter::create(path, {}, specs);
    for (const auto& [name, tensor] : state) ASSERT_TRUE(writer.write(name, std::as_bytes(tensor.values)));
    ASSERT_TRUE(writer.finish());
  }

  TemporaryFolder folder_;
  std::filesystem::path tiny_ = folder_ / "tiny.safetensors";
};

TEST_F(CApi, LoadsAModelAndTellsWhatItIs) {
  const CModel model(tiny_);
  EXPECT_EQ(pantanal_model_sample_rate(model), 32000u);
  EXPECT_EQ(pantanal_model_window_samples(model), 16000u);
  EXPECT_EQ(pantanal_model_embedding_size(model), 19u);
  ASSERT_EQ(pantanal_model_classes(model), 7u);
  EXPECT_STREQ(pantanal_model_label(model, 6), perch::load_model(tiny_)->labels[6].c_str());
  EXPECT_EQ(pantanal_model_label(model, 7), nullptr);
  EXPECT_EQ(pantanal_api_version(), PANTANAL_API_VERSION);
  EXPECT_STREQ(pantanal_version(), PANTANAL_VERSION);
}

TEST_F(CApi, GivesErrorsAsStatusAndSentence) {
  pantanal_model* model = nullptr;
  EXPECT_EQ(pantanal_model_load("/no/such/model", &model), PANTANAL_NOT_FOUND);
  EXPECT_NE(std::strstr(pantanal_last_error(), "/no/such/model"), nullptr) << pantanal_last_error();
  write_bytes(folder_ / "junk", std::string(100, 'x'));
  EXPECT_EQ(pantanal_model_load((folder_ / "junk").c_str(), &model), PANTANAL_CORRUPT);
  EXPECT_EQ(pantanal_model_load(nullptr, &model), PANTANAL_INVALID_ARGUMENT);
  EXPECT_STREQ(pantanal_last_error(), "path: invalid argument: found NULL, expected a pointer");
  EXPECT_EQ(pantanal_model_load("x", nullptr), PANTANAL_INVALID_ARGUMENT);
  EXPECT_EQ(model, nullptr);
  std::thread([] { EXPECT_STREQ(pantanal_last_error(), "") << "each thread has its own"; }).join();
  EXPECT_STREQ(pantanal_status_name(PANTANAL_CORRUPT), "corrupt");
  EXPECT_STREQ(pantanal_status_name(static_cast<pantanal_status>(15)), "unknown status");
}

TEST_F(CApi, CutsALongSentenceBetweenCharactersAndSaysSo) {
  pantanal_model* model = nullptr;
  for (const std::string character : {"x", "\u00e4", "\u20ac", "\U0001f986"})
    for (std::size_t before = 0; before < 4; ++before) {
      std::string path = "/" + std::string(before, '-');
      while (path.size() < 2000) path += character;
      EXPECT_NE(pantanal_model_load(path.c_str(), &model), PANTANAL_OK);
      const std::string message = pantanal_last_error();
      ASSERT_LE(message.size(), 1023u);
      ASSERT_GT(message.size() + character.size(), 1023u);
      const std::size_t kept = message.size() - 3;
      EXPECT_EQ(message.substr(kept), "...");
      EXPECT_EQ(message.substr(0, kept), path.substr(0, kept));
      EXPECT_EQ((kept - 1 - before) % character.size(), 0u) << "a character is whole";
    }
  // What is no UTF-8 is cut somewhere.
  EXPECT_NE(pantanal_model_load(std::string(2000, '\x80').c_str(), &model), PANTANAL_OK);
  EXPECT_EQ(std::strlen(pantanal_last_error()), 1020u);
}

TEST_F(CApi, RefusesInstructionsThatThereAreNot) {
  pantanal_model* model = nullptr;
  pantanal_proto_ssm* head = nullptr;
  ::setenv("PANTANAL_ISA", "foo", 1);
  const pantanal_status of_model = pantanal_model_load(tiny_.c_str(), &model);
  const std::string message = pantanal_last_error();
  const pantanal_status of_head = pantanal_proto_ssm_load(tiny_.c_str(), nullptr, &head);
  ::unsetenv("PANTANAL_ISA");
  EXPECT_EQ(of_model, PANTANAL_INVALID_ARGUMENT);
  EXPECT_EQ(message, "PANTANAL_ISA: invalid argument: found 'foo', expected one of portable, avx2, avx512");
  EXPECT_EQ(of_head, PANTANAL_INVALID_ARGUMENT);
  EXPECT_EQ(message, pantanal_last_error());
  EXPECT_EQ(model, nullptr);
  ::setenv("PANTANAL_ISA", "portable", 1);
  { const CModel loaded(tiny_); }
  ::unsetenv("PANTANAL_ISA");
}

TEST_F(CApi, RunsWindows) {
  pantanal_session_options options;
  pantanal_session_options_init(&options);
  options.threads = 2, options.batch = 2;
  pantanal_session* session = nullptr;
  {
    const CModel model(tiny_);
    ASSERT_EQ(pantanal_session_create(model, &options, &session), PANTANAL_OK);
  }  // the session keeps what it needs
  const auto windows = noise(3 * 16000);
  std::vector<float> labels(3 * 7), embeddings(3 * 19);
  EXPECT_EQ(pantanal_session_run(session, windows.data(), 3, embeddings.data(), labels.data(), nullptr),
            PANTANAL_OK);
  EXPECT_EQ(labels, labels_in_cpp(windows, 3));
  EXPECT_EQ(pantanal_session_run(session, nullptr, 0, nullptr, nullptr, nullptr), PANTANAL_OK);
  EXPECT_EQ(pantanal_session_run(session, nullptr, 1, nullptr, labels.data(), nullptr),
            PANTANAL_INVALID_ARGUMENT);
  EXPECT_EQ(pantanal_session_run(session, windows.data(), SIZE_MAX / 8, nullptr, labels.data(), nullptr),
            PANTANAL_INVALID_ARGUMENT);
  auto poisoned = windows;
  poisoned[16001] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(pantanal_session_run(session, poisoned.data(), 3, nullptr, labels.data(), nullptr),
            PANTANAL_INVALID_ARGUMENT);
  EXPECT_NE(std::strstr(pantanal_last_error(), "window 1, sample 1"), nullptr) << pantanal_last_error();
  pantanal_session_free(session);
  pantanal_session_free(nullptr);
}

TEST_F(CApi, MapsPackedWeights) {
  const CModel model(tiny_);
  const TemporaryFolder folder;
  const std::string packed = (folder / "packed").string();
  const auto windows = noise(16000);
  pantanal_session_options options;
  pantanal_session_options_init(&options);
  options.packed_weights = packed.c_str();
  for (int start = 0; start < 2; ++start) {
    pantanal_session* session = nullptr;
    ASSERT_EQ(pantanal_session_create(model, &options, &session), PANTANAL_OK) << pantanal_last_error();
    std::vector<float> labels(7);
    EXPECT_EQ(pantanal_session_run(session, windows.data(), 1, nullptr, labels.data(), nullptr), PANTANAL_OK);
    EXPECT_EQ(labels, labels_in_cpp(windows, 1));
    EXPECT_EQ(pantanal_session_packed_weights(session), PANTANAL_OK);
    pantanal_session_free(session);
    EXPECT_TRUE(std::filesystem::exists(packed));
  }
  pantanal_stream_options streaming;
  pantanal_stream_options_init(&streaming);
  const std::string another = (folder / "another").string();
  streaming.packed_weights = another.c_str();
  pantanal_stream* stream = nullptr;
  ASSERT_EQ(pantanal_stream_create(model, &streaming, &stream), PANTANAL_OK) << pantanal_last_error();
  EXPECT_EQ(pantanal_stream_packed_weights(stream), PANTANAL_OK);
  pantanal_stream_free(stream);
  EXPECT_EQ(read_bytes(another), read_bytes(packed));
  write_bytes(another, "another's notes");
  ASSERT_EQ(pantanal_stream_create(model, &streaming, &stream), PANTANAL_OK) << pantanal_last_error();
  EXPECT_EQ(pantanal_stream_packed_weights(stream), PANTANAL_MISMATCH);
  EXPECT_NE(std::string(pantanal_last_error()).find(another), std::string::npos) << pantanal_last_error();
  pantanal_stream_free(stream);
  EXPECT_EQ(read_bytes(another), "another's notes");
}

TEST_F(CApi, KeepsClasses) {
  const CModel model(tiny_);
  const std::size_t rows[] = {5, 2}, wrong[] = {7};
  pantanal_model* kept = nullptr;
  EXPECT_EQ(pantanal_model_keep_classes(model, wrong, 1, &kept), PANTANAL_INVALID_ARGUMENT);
  ASSERT_EQ(pantanal_model_keep_classes(model, rows, 2, &kept), PANTANAL_OK);
  EXPECT_EQ(pantanal_model_classes(kept), 2u);
  EXPECT_STREQ(pantanal_model_label(kept, 1), pantanal_model_label(model, 2));
  pantanal_model_free(kept);
}

TEST_F(CApi, OptionsOfAnOlderHeaderAreTakenAndOfANewerOneRefused) {
  const CModel model(tiny_);
  pantanal_session_options options;
  pantanal_session_options_init(&options);
  pantanal_session* session = nullptr;
  options.struct_size = offsetof(pantanal_session_options, batch);  // before it had a batch
  options.batch = SIZE_MAX;
  ASSERT_EQ(pantanal_session_create(model, &options, &session), PANTANAL_OK) << pantanal_last_error();
  pantanal_session_free(session);
  for (const std::size_t size :
       {std::size_t{0}, offsetof(pantanal_session_options, batch) + 4, sizeof options + 8}) {
    options.struct_size = size;
    EXPECT_EQ(pantanal_session_create(model, &options, &session), PANTANAL_INVALID_ARGUMENT) << size;
  }
}

TEST_F(CApi, OptionsOfAnOlderHeaderAreNotWrittenBeyond) {
  const CModel model(tiny_);
  constexpr std::size_t words = 20;
  const std::vector<std::size_t> untouched(words, 0x5a5a5a5a);
  const auto check = [&](const char* name, std::size_t bytes) {
    std::vector<std::size_t> options = untouched;
    // What a program compiled against the first header calls: the library's, not the newer header's.
    const auto init = reinterpret_cast<void (*)(void*)>(::dlsym(RTLD_DEFAULT, name));
    EXPECT_NE(init, nullptr) << name;
    if (!init) return options;
    init(options.data());
    EXPECT_EQ(options[0], bytes);
    for (std::size_t i = bytes / sizeof(std::size_t); i < words; ++i)
      EXPECT_EQ(options[i], untouched[i]) << i;
    return options;
  };
  const auto session_options = check("pantanal_session_options_init", 24);
  check("pantanal_stream_options_init", 56);
  check("pantanal_proto_ssm_options_init", 120);
  pantanal_session* session = nullptr;
  ASSERT_EQ(pantanal_session_create(
                model, reinterpret_cast<const pantanal_session_options*>(session_options.data()), &session),
            PANTANAL_OK)
      << pantanal_last_error();
  pantanal_session_free(session);
  pantanal_session_options newer[2] = {};
  newer[1].batch = 5;
  pantanal_session_options_defaults(newer, sizeof *newer + sizeof(std::size_t));
  EXPECT_EQ(newer[0].batch, 12u);
  EXPECT_EQ(newer[1].struct_size, 0u);
  EXPECT_EQ(newer[1].batch, 5u);
  EXPECT_EQ(pantanal_session_create(model, newer, &session), PANTANAL_INVALID_ARGUMENT);
}

TEST_F(CApi, StreamsWindowsAndDetections) {
  const CModel model(tiny_);
  const auto sound = noise(5 * 16000);
  const auto expected = labels_in_cpp(sound, 5);
  pantanal_stream_options options;
  pantanal_stream_options_init(&options);
  options.threshold = -1e30f;  // all classes, all the time: one detection each
  pantanal_stream* stream = nullptr;
  ASSERT_EQ(pantanal_stream_create(model, &options, &stream), PANTANAL_OK) << pantanal_last_error();
  std::size_t windows = 0, detections = 0;
  const pantanal_window* window = nullptr;
  const auto take = [&] {
    while (pantanal_stream_next(stream, &window) == PANTANAL_OK && window) {
      detections += window->detection_count;
      EXPECT_EQ(window->index, windows);
      EXPECT_EQ(window->recorded, 16000u);
      EXPECT_EQ(std::memcmp(window->label, &expected[windows * 7], 7 * sizeof(float)), 0);
      ++windows;
    }
  };
  for (std::size_t done = 0, taken = 0; done < sound.size(); done += taken) {
    ASSERT_EQ(
        pantanal_stream_push(stream, &sound[done], std::min<std::size_t>(1234, sound.size() - done), &taken),
        PANTANAL_OK);
    take();
  }
  EXPECT_EQ(pantanal_stream_finish(stream), PANTANAL_OK);
  take();
  EXPECT_EQ(windows, 5u);
  EXPECT_EQ(detections, 0u);
  const pantanal_detection* rest = nullptr;
  std::size_t count = 0;
  ASSERT_EQ(pantanal_stream_last_detections(stream, &rest, &count), PANTANAL_OK);
  ASSERT_EQ(count, 7u);
  EXPECT_EQ(rest[3].label, 3u);
  EXPECT_EQ(rest[3].windows, 5u);
  EXPECT_EQ(rest[3].end_s, 2.5);
  std::size_t taken = 9;
  EXPECT_EQ(pantanal_stream_push(stream, sound.data(), 1, &taken), PANTANAL_INVALID_ARGUMENT);
  EXPECT_EQ(taken, 0u);
  pantanal_stream_free(stream);
}

TEST_F(CApi, AGapEndsDetectionsAndIsToldWindowByWindow) {
  const CModel model(tiny_);
  pantanal_stream_options options;
  pantanal_stream_options_init(&options);
  options.threshold = -1e30f, options.channels = 2;
  pantanal_stream* stream = nullptr;
  ASSERT_EQ(pantanal_stream_create(model, &options, &stream), PANTANAL_OK);
  const std::vector<std::int16_t> sound(2 * 16000, 100);
  std::size_t taken = 0;
  ASSERT_EQ(pantanal_stream_push_int16(stream, sound.data(), 16000, &taken), PANTANAL_OK);
  ASSERT_EQ(taken, 16000u);
  ASSERT_EQ(pantanal_stream_mark_gap(stream, 16000), PANTANAL_OK);
  std::vector<std::size_t> recorded, ended;
  const pantanal_window* window = nullptr;
  while (pantanal_stream_next(stream, &window) == PANTANAL_OK && window) {
    recorded.push_back(window->recorded), ended.push_back(window->detection_count);
    EXPECT_EQ(window->label == nullptr, window->recorded == 0);
  }
  EXPECT_EQ(recorded, (std::vector<std::size_t>{16000, 0}));
  EXPECT_EQ(ended, (std::vector<std::size_t>{0, 7}));
  pantanal_stream_free(stream);
}

TEST_F(CApi, RefusesStreamOptionsThatMakeNoSense) {
  const CModel model(tiny_);
  const auto refused = [&](auto change) {
    pantanal_stream_options options;
    pantanal_stream_options_init(&options);
    change(options);
    pantanal_stream* stream = nullptr;
    return pantanal_stream_create(model, &options, &stream) == PANTANAL_INVALID_ARGUMENT && !stream;
  };
  EXPECT_TRUE(refused([](auto& o) { o.hop_s = 0.6; }));
  EXPECT_TRUE(refused([](auto& o) { o.hop_s = 1e-9; }));
  EXPECT_TRUE(refused([](auto& o) { o.hop_s = std::nan(""); }));
  EXPECT_TRUE(refused([](auto& o) { o.channels = 0; }));
  EXPECT_TRUE(refused([](auto& o) { o.sample_rate = 7; }));
  EXPECT_TRUE(refused([](auto& o) { o.threshold = std::nanf(""); }));
  EXPECT_TRUE(refused([](auto& o) { o.longest_s = 0; }));
}

TEST_F(CApi, RunsAProtoSsm) {
  pantanal_proto_ssm_options options;
  pantanal_proto_ssm_options_init(&options);
  EXPECT_EQ(options.d_input, 1536u);
  options.d_input = 20, options.d_model = 24, options.d_state = 4, options.n_ssm_layers = 1,
  options.n_classes = 5;
  heads::ProtoSsmConfig config;
  config.d_input = 20, config.d_model = 24, config.d_state = 4, config.n_ssm_layers = 1, config.n_classes = 5;
  nn::StateDict state;
  perch::fixtures::RandomValues random(3);
  for (const TensorSpec& spec : heads::required_tensors(config))
    state.emplace(
        spec.name,
        make_tensor(spec.shape, random.normals(static_cast<std::size_t>(*element_count(spec.shape)), 0.2)));
  save(state, folder_ / "proto.safetensors");
  pantanal_proto_ssm* head = nullptr;
  ASSERT_EQ(pantanal_proto_ssm_load((folder_ / "proto.safetensors").c_str(), &options, &head), PANTANAL_OK)
      << pantanal_last_error();
  const auto emb = noise(2 * 12 * 20);
  const std::int64_t sites[] = {1, 2}, hours[] = {3, 23}, no_hours[] = {3, 24};
  std::vector<float> species(2 * 12 * 5), expected(species.size());
  ASSERT_EQ(pantanal_proto_ssm_run(head, emb.data(), nullptr, sites, hours, 2, 12, species.data()),
            PANTANAL_OK);
  auto direct = *heads::ProtoSsm::create(state, config, {.threads = 1});
  ASSERT_TRUE(direct.run({.emb = emb, .meta = {sites, hours}}, 2, 12, {.species_logits = expected}));
  EXPECT_EQ(species, expected);
  EXPECT_EQ(pantanal_proto_ssm_run(head, emb.data(), nullptr, sites, no_hours, 2, 12, species.data()),
            PANTANAL_INVALID_ARGUMENT);
  EXPECT_EQ(pantanal_proto_ssm_run(head, emb.data(), nullptr, sites, nullptr, 2, 12, species.data()),
            PANTANAL_INVALID_ARGUMENT);
  EXPECT_EQ(pantanal_proto_ssm_run(head, emb.data(), nullptr, nullptr, nullptr, 2, 13, species.data()),
            PANTANAL_INVALID_ARGUMENT);
  pantanal_proto_ssm_free(head);
  options.d_model = 32;
  EXPECT_EQ(pantanal_proto_ssm_load((folder_ / "proto.safetensors").c_str(), &options, &head),
            PANTANAL_MISMATCH);
}

}  // namespace
}  // namespace pantanal
