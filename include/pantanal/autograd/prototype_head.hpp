// The head that compares windows with class prototypes, and its backward.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "pantanal/autograd/linear.hpp"
#include "pantanal/autograd/parameters.hpp"
#include "pantanal/autograd/tape.hpp"

namespace pantanal::autograd {

/// sim = cos(h, prototype)·softplus(proto_temp) + class_bias;  y = α·sim + (1-α)·logits with α =
/// σ(fusion_alpha), or sim without logits. With u = h/‖h‖, p = prototype/‖prototype‖, ds = α·dy and τ the
/// temperature:
///   dτ·p = dsᵀ·u =: G,   dτ = Σ G∘p,   dprototype = τ·(G - p·(p·G))/‖prototype‖,   dh = (g - u·(u·g))/‖h‖
///   with g = ds·τp,   dα = Σ dy·(sim - logits). Norms are at least 1e-12, as in PyTorch's normalize. Of a
///   class' several prototypes, [classes, n, d], the nearest (the first of them) gives sim and has its
///   gradient.
class PrototypeHead {
 public:
  PrototypeHead(const kernels::KernelTable& table, ParameterSet& parameters, std::size_t d,
                std::size_t classes, std::size_t per_class = 1)
      : table_(&table),
        d_(d),
        classes_(classes),
        per_class_(per_class),
        all_(classes * per_class),
        prototypes_(parameters["prototypes"]),
        temperature_(parameters["proto_temp"]),
        bias_(parameters["class_bias"]),
        fusion_(parameters["fusion_alpha"]),
        scaled_(all_ * d),
        dscaled_(all_ * d),
        biases_(all_),
        dbiases_(all_),
        inverse_norms_(all_),
        gate_(classes),
        linear_(table, {{{scaled_.span(), dscaled_.span()}, {biases_.span(), dbiases_.span()}}}, d) {}

  void plan(Tape& tape, nn::Sequences most) {
    directions_ = tape.take(most.rows(), d_), norms_ = tape.take(1, most.rows());
    for (Slot* slot : {&similarities_, &dsimilarities_}) *slot = tape.take(most.rows(), all_);
    for (Slot* slot : {&output_, &dgate_}) *slot = tape.take(most.rows(), classes_);
  }

  /// y's slot, [rows, row_stride(classes)].
  const Slot& output() const { return output_; }

  /// This member's share of reading the parameters; the members must wait before pack().
  void prepare(const Team& team) {
    const Range mine = team.share(classes_);
    const auto scale = static_cast<float>(temperature());
    for (std::size_t j = mine.begin * per_class_; j < mine.end * per_class_; ++j) {
      const float* prototype = prototypes_.value.data() + j * d_;
      inverse_norms_[j] = inverse_norm(prototype);
      for (std::size_t i = 0; i < d_; ++i) scaled_[j * d_ + i] = prototype[i] * inverse_norms_[j] * scale;
      biases_[j] = bias_.value[j / per_class_];
    }
    for (std::size_t k = mine.begin; k < mine.end; ++k)
      gate_[k] = static_cast<float>(1 / (1 + std::exp(-double{fusion_.value[k]})));
  }
  void pack(const Team& team) { linear_.pack(team); }

  /// h [rows, row_stride(d)], logits [rows, classes] or null -> output().
  void forward(const Pass& pass, const float* h, const float* logits) const {
    const std::size_t stride = nn::row_stride(d_);
    float *directions = pass.in(directions_), *norms = norms_.data + pass.first_row();
    for (std::size_t r = 0; r < pass.rows(); ++r) {
      norms[r] = inverse_norm(h + r * stride);
      for (std::size_t i = 0; i < d_; ++i) directions[r * stride + i] = h[r * stride + i] * norms[r];
    }
    linear_.forward(pass, directions, stride, pass.in(similarities_));
    for (std::size_t r = 0; r < pass.rows(); ++r) {
      const float* sim = pass.in(similarities_) + r * similarities_.stride;
      float* y = pass.in(output_) + r * output_.stride;
      for (std::size_t k = 0; k < classes_; ++k) {
        const float nearest = sim[nearest_of(sim, k)];
        y[k] = logits ? gate_[k] * nearest + (1 - gate_[k]) * logits[r * classes_ + k] : nearest;
      }
    }
  }

  /// dy [rows, row_stride(classes)] -> dh [rows, row_stride(d)].
  void backward(const Pass& pass, const float* logits, const float* dy, float* dh) const {
    const std::size_t stride = nn::row_stride(d_), columns = dsimilarities_.stride;
    for (std::size_t r = 0; r < pass.rows(); ++r) {
      const float *d = dy + r * output_.stride, *sim = pass.in(similarities_) + r * columns;
      float *ds = pass.in(dsimilarities_) + r * columns, *dgate = pass.in(dgate_) + r * dgate_.stride;
      std::fill_n(ds, all_, 0.0f);
      for (std::size_t k = 0; k < classes_; ++k) {
        const std::size_t nearest = nearest_of(sim, k);
        ds[nearest] = logits ? gate_[k] * d[k] : d[k];
        dgate[k] = logits ? d[k] * (sim[nearest] - logits[r * classes_ + k]) : 0.0f;
      }
    }
    linear_.backward(pass, pass.in(dsimilarities_), columns, dh, stride);
    for (std::size_t r = 0; r < pass.rows(); ++r)
      project(pass.in(directions_) + r * stride, norms_.data[pass.first_row() + r], dh + r * stride);
  }

  /// This member's share, over all `rows` rows of a batch; the members must wait before finish().
  void weight_gradient(const Team& team, std::size_t rows) const {
    linear_.weight_gradient(team, directions_.data, directions_.stride, dsimilarities_.data,
                            dsimilarities_.stride, rows);
    const Range mine = team.share(classes_, ops::channel_padding);
    if (mine.size() > 0)
      table_->mean_rows(dgate_.data + mine.begin, rows, dgate_.stride, mine.size(), 1.0f,
                        fusion_.gradient.data() + mine.begin);
    for (std::size_t k = mine.begin; k < mine.end; ++k) fusion_.gradient[k] *= gate_[k] * (1 - gate_[k]);
  }

  /// The rest of it, by one member: from the scaled prototypes' gradient to that of prototypes and
  /// temperature.
  void finish() const {
    const double scale = temperature();
    double dscale = 0;
    for (std::size_t k = 0; k < classes_; ++k) {
      float sum = 0;
      for (std::size_t j = k * per_class_; j < (k + 1) * per_class_; ++j) sum += dbiases_[j];
      bias_.gradient[k] = sum;
    }
    for (std::size_t k = 0; k < all_; ++k) {
      const float* g = dscaled_.data() + k * d_;
      const float* prototype = prototypes_.value.data() + k * d_;
      float* gradient = prototypes_.gradient.data() + k * d_;
      const double inverse = double{inverse_norms_[k]};
      double along = 0;
      for (std::size_t i = 0; i < d_; ++i) along += double{g[i]} * double{prototype[i]} * inverse;
      dscale += along;
      const double removed = inverse < 1e12 ? along * inverse : 0;  // a norm below 1e-12 does not turn
      for (std::size_t i = 0; i < d_; ++i)
        gradient[i] = static_cast<float>(scale * inverse * (double{g[i]} - removed * double{prototype[i]}));
    }
    const double x = double{temperature_.value[0]};
    temperature_.gradient[0] = static_cast<float>(dscale / (1 + std::exp(-x)));
  }

 private:
  /// The prototype of class k that is most similar, of equals the first.
  std::size_t nearest_of(const float* sim, std::size_t k) const {
    const float* const own = sim + k * per_class_;
    return static_cast<std::size_t>(std::max_element(own, own + per_class_) - sim);
  }

  double temperature() const {
    const double x = double{temperature_.value[0]};
    return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
  }

  float inverse_norm(const float* x) const {
    const double norm = std::sqrt(table_->sum_squares(x, d_));
    return static_cast<float>(1 / std::max(norm, 1e-12));
  }

  /// g <- (g - u·(u·g))·inverse, the gradient through x/‖x‖.
  void project(const float* u, float inverse, float* g) const {
    float along = 0;
    for (std::size_t i = 0; i < d_; ++i) along += u[i] * g[i];
    if (inverse >= 1e12f) along = 0;
    for (std::size_t i = 0; i < d_; ++i) g[i] = (g[i] - u[i] * along) * inverse;
  }

  const kernels::KernelTable* table_;
  std::size_t d_, classes_, per_class_, all_;  ///< all_: prototypes of all classes
  Parameter prototypes_, temperature_, bias_, fusion_;
  AlignedBuffer<float> scaled_, dscaled_, biases_, dbiases_, inverse_norms_, gate_;
  Linear linear_;  ///< the scaled prototypes, biased by class_bias
  Slot directions_, norms_, similarities_, output_, dsimilarities_, dgate_;
};

}  // namespace pantanal::autograd
