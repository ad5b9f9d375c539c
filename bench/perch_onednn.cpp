// Perch v2's embedding with our own backbone and with oneDNN's behind the same door, in turns.
//
//   perch_onednn [--passes 20]
//
// Prints tab-separated lines: threads, batch, the median milliseconds a window of ours and of oneDNN's, and
// oneDNN's by ours.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "kernels/guarded.hpp"
#include "pantanal/onednn/backbone.hpp"
#include "pantanal/perch/session.hpp"
#include "perch/random_model.hpp"

namespace pantanal {
namespace {

struct Case {
  std::size_t threads, batch;
};

perch::Session make_session(const std::shared_ptr<const perch::Model>& model, const Case& c,
                            const perch::MakeBackbone& backbone) {
  auto session =
      perch::Session::create(model, {.threads = c.threads, .batch = c.batch, .backbone = backbone});
  if (!session) {
    std::fprintf(stderr, "%s\n", session.error().message().c_str());
    std::exit(1);
  }
  return std::move(*session);
}

/// Milliseconds a window.
double time(perch::Session& session, const std::vector<float>& windows, const Case& c) {
  std::vector<float> embedding(c.batch * session.output_sizes().embedding);
  const auto begin = std::chrono::steady_clock::now();
  const Status status = session.run(windows, c.batch, {.embedding = embedding});
  const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - begin;
  if (!status) {
    std::fprintf(stderr, "%s\n", status.error().message().c_str());
    std::exit(1);
  }
  return elapsed.count() / static_cast<double>(c.batch);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void compare(const std::shared_ptr<const perch::Model>& model, const Case& c, int passes) {
  perch::Session ours = make_session(model, c, {}), theirs = make_session(model, c, onednn::Backbone::create);
  const std::vector<float> windows =
      kernels::random_floats(c.batch * model->architecture.frontend.samples, 1);
  std::vector<double> our_times, their_times;
  for (int pass = -1; pass < passes; ++pass) {  // the first warms up
    const double our_time = time(ours, windows, c), their_time = time(theirs, windows, c);
    if (pass < 0) continue;
    our_times.push_back(our_time);
    their_times.push_back(their_time);
  }
  const double a = median(our_times), b = median(their_times);
  std::printf("%zu\t%zu\t%.2f\t%.2f\t%.2f\n", c.threads, c.batch, a, b, b / a);
  std::fflush(stdout);
}

int run(int argc, char** argv) {
  int passes = 20;
  if (argc == 3 && std::strcmp(argv[1], "--passes") == 0) passes = std::atoi(argv[2]);
  if ((argc != 1 && argc != 3) || passes < 1) {
    std::fprintf(stderr, "usage: perch_onednn [--passes N]\n");
    return 2;
  }
  const auto model = std::make_shared<const perch::Model>(
      perch::fixtures::random_model(perch::fixtures::perch_v2_architecture(0), 1));
  std::printf("threads\tbatch\tours, ms\toneDNN, ms\tratio\n");
  for (const Case& c : {Case{1, 1}, {1, 12}, {2, 1}, {2, 12}})
    compare(model, c, c.batch == 1 ? passes : passes / 4 + 1);
  return 0;
}

}  // namespace
}  // namespace pantanal

int main(int argc, char** argv) { return pantanal::run(argc, argv); }
