// A competition of twelve files and six classes, in memory, and a configuration that trains on it in a
// moment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "pantanal/competition/configuration.hpp"
#include "pantanal/competition/perch_outputs.hpp"
#include "pantanal/competition/tables.hpp"

namespace pantanal::competition {

struct SmallCompetition {
  CompetitionTables tables;
  PerchOutputs perch;
  pipeline::PerchMapping mapping;  ///< of five labels; the last class has none
};

/// Class c is heard in a window more often where the file's number and c agree; embeddings and scores show
/// it.
inline SmallCompetition small_competition(std::size_t n_files = 12) {
  constexpr std::size_t n_classes = 6, n_features = 9, n_windows = pipeline::n_windows_per_file;
  SmallCompetition made;
  std::mt19937 random(7);
  const auto noise = [&] { return static_cast<float>(random()) / 4294967296.0f - 0.5f; };
  CompetitionTables& t = made.tables;
  for (std::size_t c = 0; c < n_classes; ++c) {
    const std::string label = "c" + std::to_string(c), taxon = c % 2 == 0 ? "Aves" : "Amphibia";
    t.classes.push_back(label);
    t.taxonomy.entries.push_back({label, "Genus species" + std::to_string(c), taxon, taxon});
    t.texture.push_back(taxon == "Amphibia");
    made.mapping.bc_indices.push_back(c + 1 < n_classes ? c : pipeline::PerchMapping::no_label);
  }
  made.mapping.n_labels = n_classes - 1;
  t.labels.y_sc = pipeline::MultiHot(n_files * n_windows, n_classes);
  made.perch.scores = pipeline::Scores(n_files * n_windows, n_classes);
  made.perch.emb = pipeline::Scores(n_files * n_windows, n_features);
  for (std::size_t f = 0; f < n_files; ++f) {
    const std::string name = "BC2026_Train_" + std::to_string(1000 + f) + "_S0" + std::to_string(1 + f % 3) +
                             "_20250102_0" + std::to_string(f % 5) + "0000.ogg";
    t.labels.full_files.push_back(name);
    const auto windows = pipeline::soundscape_windows(name);
    for (std::size_t w = 0; w < n_windows; ++w) {
      const std::size_t row = f * n_windows + w;
      t.labels.windows.push_back({windows[w], static_cast<int>(5 * w + 5), {}});
      t.labels.full_rows.push_back(row);
      made.perch.meta.push_back(windows[w]);
      for (float& x : made.perch.emb.row(row)) x = noise();
      for (std::size_t c = 0; c < n_classes; ++c) {
        const bool heard = random() % 10 < (f % n_classes == c ? 7u : 2u);
        t.labels.y_sc(row, c) = heard;
        if (c + 1 < n_classes) made.perch.scores(row, c) = 3 * noise() + (heard ? 1.0f : 0.0f);
        made.perch.emb(row, c) += heard ? 1.0f : 0.0f;
      }
    }
  }
  return made;
}

inline Configuration small_configuration() {
  Configuration c = *preset("recommended");
  c.proto_ssm = {
      .d_model = 16, .d_state = 4, .n_ssm_layers = 1, .n_sites = 5, .meta_dim = 4, .cross_attn_heads = 2};
  c.proto_ssm_train.n_epochs = 5;
  c.proto_ssm_train.mixup_from_epoch = 2;
  c.proto_ssm_train.oof_n_splits = 2;
  c.oof_n_splits = 3;
  c.mlp.hidden_layer_sizes = {8};
  c.mlp.max_iter = 20;
  c.probe.pca_dim = 5;
  c.residual_ssm.d_model = 8;
  c.residual_ssm.d_state = 4;
  c.residual_ssm.meta_dim = 2;
  c.residual_ssm.n_epochs = 5;
  return c;
}

/// fold_id of the rows: file f in fold f modulo `folds`.
inline std::vector<int> small_folds(std::size_t rows, int folds) {
  std::vector<int> id(rows);
  for (std::size_t i = 0; i < rows; ++i) id[i] = static_cast<int>(i / pipeline::n_windows_per_file) % folds;
  return id;
}

}  // namespace pantanal::competition
