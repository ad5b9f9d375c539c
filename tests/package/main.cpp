// Loads a model and embeds one silent window through the installed headers.
#include <cstdio>
#include <memory>
#include <vector>

#include "pantanal/perch/model_file.hpp"
#include "pantanal/perch/session.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  auto model = pantanal::perch::load_model(argv[1]);
  if (!model) return std::fprintf(stderr, "%s\n", model.error().message().c_str()), 1;
  auto session =
      pantanal::perch::Session::create(std::make_shared<pantanal::perch::Model>(*std::move(model)));
  if (!session) return std::fprintf(stderr, "%s\n", session.error().message().c_str()), 1;
  std::vector<float> window(session->model().architecture.frontend.samples);
  std::vector<float> embedding(session->output_sizes().embedding);
  if (const auto status = session->run(window, 1, {.embedding = embedding}); !status)
    return std::fprintf(stderr, "%s\n", status.error().message().c_str()), 1;
  std::printf("%zu embedding values, first %.9g\n", embedding.size(), static_cast<double>(embedding[0]));
}
