// Sessions whose packed weights lie in a file: the same bits, and nothing packed the second time.
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"
#include "pantanal/core/crc32c.hpp"
#include "pantanal/perch/memory.hpp"
#include "pantanal/perch/session.hpp"
#include "perch/random_model.hpp"

namespace pantanal::perch {
namespace {

using ModelPointer = std::shared_ptr<const Model>;

ModelPointer model_of(const Model& wide, Dtype dtype) {
  return std::make_shared<const Model>(with_dtype(wide, dtype));
}

/// All outputs of three windows, one after the other; empty if the session cannot be made or run.
std::vector<float> outputs_of(const ModelPointer& model, const SessionOptions& options, Status* packed = {}) {
  constexpr std::size_t n = 3;
  auto session = Session::create(model, options);
  if (!session) return {};
  if (packed) *packed = session->packed_weights();
  const OutputSizes sizes = session->output_sizes();
  const std::size_t spatial = n * sizes.spatial_embedding, embedding = n * sizes.embedding;
  std::vector<float> x(n * model->architecture.frontend.samples), all(spatial + embedding + n * sizes.label);
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = 0.3f * static_cast<float>(std::sin(1e-6 * static_cast<double>(i * i)));
  const std::span<float> out(all);
  const Status status = session->run(x, n,
                                     {.embedding = out.subspan(spatial, embedding),
                                      .spatial_embedding = out.first(spatial),
                                      .label = out.subspan(spatial + embedding)});
  return status ? all : std::vector<float>();
}

std::uint64_t inode_of(const std::filesystem::path& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

TEST(PackedSession, GivesTheSameBitsInEveryPrecision) {
  const TemporaryFolder folder;
  const Model wide = fixtures::random_model(fixtures::tiny_architecture(), 5);
  std::size_t run = 0;
  for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::i8})
    for (const Precision precision : {Precision::fp32, Precision::bf16, Precision::int8})
      for (const InstructionSet isa :
           {InstructionSet::portable, InstructionSet::avx2, InstructionSet::avx512}) {
        if (!is_supported(isa) || !is_supported(precision, isa)) continue;
        const ModelPointer model = model_of(wide, dtype);
        SessionOptions options{.threads = 2, .batch = 2, .isa = isa, .precision = precision};
        const std::vector<float> expected = outputs_of(model, options);
        ASSERT_FALSE(expected.empty());
        options.packed_weights = folder / std::to_string(run++);
        std::uint64_t inode = 0;
        for (const std::size_t threads : {1, 2, 3}) {
          options.threads = threads;
          Status packed;
          EXPECT_EQ(outputs_of(model, options, &packed), expected)
              << to_string(dtype) << ' ' << to_string(isa);
          EXPECT_TRUE(succeeded(packed));
          if (threads == 1) inode = inode_of(options.packed_weights);
        }
        EXPECT_EQ(inode_of(options.packed_weights), inode) << "made once";
      }
  EXPECT_GE(run, 4u);
}

TEST(PackedSession, GivesTheSameBitsOfAScreenedLabelHead) {
  const TemporaryFolder folder;
  Architecture architecture = fixtures::tiny_architecture();
  architecture.head.channels = 192;
  architecture.label.classes = screened_prototypes / architecture.label.prototypes + 1;
  const auto model = std::make_shared<const Model>(fixtures::random_model(architecture, 3));
  const std::vector<float> expected = outputs_of(model, {.threads = 1, .screen = LabelScreen::never});
  ASSERT_FALSE(expected.empty());
  for (const std::size_t threads : {1, 2, 3}) {
    Status packed;
    EXPECT_EQ(outputs_of(model, {.threads = threads, .packed_weights = folder / "p"}, &packed), expected);
    EXPECT_TRUE(succeeded(packed));
  }
}

TEST(PackedSession, ReplacesWhatDoesNotFit) {
  const TemporaryFolder folder;
  const auto model = model_of(fixtures::random_model(fixtures::tiny_architecture(), 5), Dtype::f32),
             other = model_of(fixtures::random_model(fixtures::tiny_architecture(), 6), Dtype::f32);
  const SessionOptions options{.threads = 1, .packed_weights = folder / "p"};
  const std::vector<float> expected = outputs_of(model, {.threads = 1});
  ASSERT_EQ(outputs_of(model, options), expected);
  const std::string whole = read_bytes(folder / "p");
  const auto is_remade = [&](const char* what) {
    Status packed;
    EXPECT_EQ(outputs_of(model, options, &packed), expected) << what;
    EXPECT_TRUE(succeeded(packed)) << what;
    EXPECT_EQ(read_bytes(folder / "p"), whole) << what;
  };
  EXPECT_EQ(outputs_of(other, options), outputs_of(other, {.threads = 1}));
  EXPECT_NE(read_bytes(folder / "p"), whole);
  is_remade("another model's");
  const auto portable = InstructionSet::portable;
  EXPECT_FALSE(outputs_of(model, {.threads = 1, .isa = portable, .packed_weights = folder / "p"}).empty());
  is_remade("another CPU's");
  write_bytes(folder / "p", whole.substr(0, whole.size() - 100));
  is_remade("cut short");
  write_bytes(folder / "p", "");
  is_remade("empty");
  write_bytes(folder / "p", whole.substr(0, 5000));
  for (const bool first : {true, false}) {
    const auto session = Session::create(model, options);
    ASSERT_TRUE(succeeded(session));
    ASSERT_EQ(session->replaced_packed_weights().has_value(), first);
    if (first) {
      EXPECT_EQ(session->replaced_packed_weights()->code, ErrorCode::corrupt);
    }
  }
  overwrite_byte(folder / "p", whole.size() / 2, static_cast<char>(whole[whole.size() / 2] ^ 4));
  is_remade("a bit is flipped");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"p"});
}

TEST(PackedSession, GoesOnWithoutAFileThatItCanNeitherUseNorMake) {
  const TemporaryFolder folder;
  const auto model = model_of(fixtures::random_model(fixtures::tiny_architecture(), 5), Dtype::f32);
  const std::vector<float> expected = outputs_of(model, {.threads = 1});
  Status packed;
  EXPECT_EQ(outputs_of(model, {.threads = 1, .packed_weights = folder / "no" / "p"}, &packed), expected);
  EXPECT_TRUE(refused(packed, ErrorCode::not_found, {"no/p"}));
  write_bytes(folder / "song.wav", "RIFF");
  EXPECT_EQ(outputs_of(model, {.threads = 1, .packed_weights = folder / "song.wav"}, &packed), expected);
  EXPECT_TRUE(refused(packed, ErrorCode::mismatch, {"song.wav", "a file of another kind", "packed weights"}));
  EXPECT_EQ(read_bytes(folder / "song.wav"), "RIFF");
  EXPECT_EQ(outputs_of(model, {.threads = 1, .packed_weights = folder.path()}, &packed), expected);
  EXPECT_TRUE(refused(packed, ErrorCode::io, {"a directory"}));
}

/// What `body` returns in a process that may not write where the superuser may; -1 if it crashes.
template <class Body>
int without_privileges(const Body& body) {
  const pid_t id = ::fork();
  if (id == 0) {
    constexpr uid_t nobody = 65534;
    ::_exit(::geteuid() == 0 && ::setuid(nobody) != 0 ? 100 : body());
  }
  int status = 0;
  ::waitpid(id, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(PackedSession, RunsFromAFolderThatCannotBeWritten) {
  const TemporaryFolder folder;
  const auto model = model_of(fixtures::random_model(fixtures::tiny_architecture(), 5), Dtype::f32);
  const SessionOptions options{.threads = 1, .packed_weights = folder / "p"};
  const std::vector<float> expected = outputs_of(model, {.threads = 1});
  std::filesystem::permissions(folder.path(), std::filesystem::perms{0555});
  const auto start = [&] {
    return without_privileges([&] {
      Status packed;
      if (outputs_of(model, options, &packed) != expected) return 50;
      return packed ? 20 : static_cast<int>(packed.error().code);
    });
  };
  EXPECT_EQ(start(), static_cast<int>(ErrorCode::io)) << "nothing there: permission is denied";
  std::filesystem::permissions(folder.path(), std::filesystem::perms{0755});
  ASSERT_EQ(outputs_of(model, options), expected);
  std::filesystem::permissions(folder.path(), std::filesystem::perms{0555});
  EXPECT_EQ(start(), 20) << "it is mapped";
  overwrite_byte(folder / "p", 5000, '\x55');
  EXPECT_EQ(start(), static_cast<int>(ErrorCode::corrupt)) << "it is not replaced";
  std::filesystem::permissions(folder.path(), std::filesystem::perms{0755});
}

/// Runs body(0) … body(count - 1) in processes that begin together, each of which must return 0.
template <class Body>
void run_at_once(int count, const Body& body) {
  int start[2];
  ASSERT_EQ(::pipe(start), 0);
  std::vector<pid_t> children;
  for (int child = 0; child < count; ++child) {
    const pid_t id = ::fork();
    if (id == 0) {
      char byte;
      ::close(start[1]);
      ::_exit(::read(start[0], &byte, 1) != 0 ? 2 : body(child));
    }
    children.push_back(id);
  }
  ::close(start[0]), ::close(start[1]);  // now
  for (const pid_t id : children) {
    int status = -1;
    ::waitpid(id, &status, 0);
    EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
  }
}

/// Each of several processes that start at once has the right results, even if the file goes away at times.
TEST(PackedSession, IsRightInProcessesThatStartAtOnce) {
  const TemporaryFolder folder;
  const auto model = model_of(fixtures::random_model(fixtures::tiny_architecture(), 5), Dtype::bf16);
  const std::vector<float> expected = outputs_of(model, {.threads = 1});
  ASSERT_FALSE(expected.empty());
  run_at_once(6, [&](int child) {
    for (int round = 0; round < 10; ++round) {
      if (outputs_of(model, {.threads = 1, .packed_weights = folder / "p"}) != expected) return 3;
      if (child == 0) std::filesystem::remove(folder / "p");
    }
    return 0;
  });
  std::filesystem::remove(folder / "p");
  EXPECT_TRUE(folder.names().empty()) << "temporary files are left";
}

/// Processes that start together without a file share the one that the first of them makes.
TEST(PackedSession, IsOneFileForProcessesThatStartAtOnce) {
  const TemporaryFolder folder;
  const auto model = model_of(fixtures::random_model(fixtures::tiny_architecture(), 5), Dtype::f32);
  const auto inode = [&] {
    struct stat file = {};
    return ::stat((folder / "p").c_str(), &file) == 0 ? file.st_ino : 0;
  };
  run_at_once(6, [&](int) {
    for (int round = 0; round < 5; ++round) {
      const auto session = Session::create(model, {.threads = 1, .packed_weights = folder / "p"});
      if (!session || !session->packed_weights()) return 3;
      static const ino_t first = inode();
      if (first == 0 || inode() != first) return 4;
    }
    return 0;
  });
}

TEST(PackedSession, AllocatesNoWeightsTheSecondTime) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer's heap is not glibc's";
#endif
  const TemporaryFolder folder;
  const auto model = model_of(fixtures::random_model(fixtures::perch_v2_architecture(40), 1), Dtype::f32);
  const SessionOptions options{.threads = 1, .batch = 2, .packed_weights = folder / "p"};
  const SessionMemory memory = session_memory(model->architecture, Dtype::f32, options);
  for (int start = 0; start < 2; ++start) {
    const auto heap = [] {
      const struct mallinfo2 info = ::mallinfo2();
      return info.uordblks + info.hblkhd;
    };
    const std::size_t before = heap();
    const auto session = Session::create(model, options);
    ASSERT_TRUE(succeeded(session));
    ASSERT_TRUE(succeeded(session->packed_weights()));
    EXPECT_LT(heap() - before, memory.total(1, 2) - memory.weights + 1024 * 1024);
  }
  EXPECT_NEAR(static_cast<double>(std::filesystem::file_size(folder / "p")),
              static_cast<double>(memory.weights), 0.05 * static_cast<double>(memory.weights));
}

/// Weights that are the same numbers with every compiler and library.
Model counted_model() {
  Model model = fixtures::random_model(fixtures::tiny_architecture(), 1);
  for (auto& [name, tensor] : model.tensors) {
    std::vector<float> values(tensor.size());
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(static_cast<int>((i * 37 + name.size()) % 255) - 127) / 64;
    tensor = make_tensor(tensor.shape, std::move(values));
  }
  return model;
}

/// What is packed in another way must not be taken for what this version packs.
TEST(PackedSession, PacksAsTheFilesVersionSays) {
#if !defined(__x86_64__)
  GTEST_SKIP() << "the checksums are of x86-64's panels";
#endif
  const TemporaryFolder folder;
  const std::vector<std::vector<std::uint32_t>> expected = {{2172202155, 3224995030, 3591886819},
                                                            {3865670786, 3665384786, 3581036436},
                                                            {3961314777, 4106651377, 3029736264}};
  for (const InstructionSet isa : {InstructionSet::portable, InstructionSet::avx2, InstructionSet::avx512}) {
    if (!is_supported(isa)) continue;
    std::vector<std::uint32_t> found;
    for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::i8}) {
      const SessionOptions options{
          .threads = 1, .isa = isa, .screen = LabelScreen::never, .packed_weights = folder / "p"};
      ASSERT_TRUE(succeeded(Session::create(model_of(counted_model(), dtype), options)));
      const std::string bytes = read_bytes(folder / "p");
      found.push_back(
          crc32c(std::as_bytes(std::span(bytes)).subspan(sizeof(pantanal::detail::PackedHeader))));
    }
    EXPECT_EQ(found, expected[static_cast<std::size_t>(isa)])
        << to_string(isa) << ": if the layout has changed, raise packed_version and set these";
  }
  EXPECT_EQ(pantanal::detail::packed_version, 1u);
}

}  // namespace
}  // namespace pantanal::perch
