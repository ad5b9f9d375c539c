#include "recognise/model_from_match.hpp"

#include <string>
#include <utility>

namespace pantanal::convert {
namespace {

std::int64_t extent(std::size_t size) { return static_cast<std::int64_t>(size); }

/// Adds NAME.weight, [outputs, inputs, k, k] or, for a dense layer, [outputs, inputs], and NAME.bias.
void add_layer(perch::Model& model, const std::string& name, FoldedLayer&& folded, bool dense) {
  const LinearLayer& layer = folded.layer;
  Shape shape{extent(layer.outputs), extent(layer.inputs)};
  for (std::size_t i = 0; i < 2 && !dense; ++i)
    shape.push_back(i < layer.windows.size() ? layer.windows[i].kernel : 1);
  model.tensors.emplace(name + ".weight", perch::make_tensor(std::move(shape), std::move(folded.weight)));
  model.tensors.emplace(name + ".bias", perch::make_tensor({extent(layer.outputs)}, std::move(folded.bias)));
}

void add_block(perch::Model& model, const std::string& name, MbConvMatch&& match) {
  model.architecture.blocks.push_back(match.block);
  if (match.expand) add_layer(model, name + ".expand", std::move(*match.expand), false);
  add_layer(model, name + ".depthwise", std::move(match.depthwise), false);
  add_layer(model, name + ".se.reduce", std::move(match.reduce), true);
  add_layer(model, name + ".se.expand", std::move(match.excite), true);
  add_layer(model, name + ".project", std::move(match.project), false);
}

void add_label(perch::Model& model, LabelMatch&& match) {
  model.architecture.label = match.head;
  const std::int64_t classes = extent(match.head.classes), prototypes = extent(match.head.prototypes);
  const std::int64_t channels = extent(model.architecture.head.channels);
  model.tensors.emplace("label.prototypes",
                        perch::make_tensor({classes, prototypes, channels}, std::move(match.prototypes)));
  model.tensors.emplace("label.scale", perch::make_tensor({classes, prototypes}, std::move(match.scale)));
  model.tensors.emplace("label.bias", perch::make_tensor({classes}, std::move(match.bias)));
}

}  // namespace

perch::Model model_from_match(PerchMatch&& match) {
  perch::Model model;
  perch::Architecture& architecture = model.architecture;
  architecture.frontend = match.frontend.frontend;
  const std::int64_t bins = extent(architecture.frontend.bins()),
                     bands = extent(architecture.frontend.mel_bands);
  const std::int64_t samples = extent(match.frontend.window.size());
  model.tensors.emplace("frontend.window", perch::make_tensor({samples}, std::move(match.frontend.window)));
  model.tensors.emplace("frontend.mel", perch::make_tensor({bins, bands}, std::move(match.frontend.mel)));
  architecture.stem = {match.stem_geometry, match.stem.layer.layer.outputs, match.stem.activation};
  add_layer(model, "stem", std::move(match.stem.layer), false);
  for (std::size_t i = 0; i < match.blocks.size(); ++i)
    add_block(model, "blocks." + std::to_string(i), std::move(match.blocks[i]));
  architecture.head = {match.head.layer.layer.outputs, match.head.activation};
  add_layer(model, "head", std::move(match.head.layer), false);
  if (match.label) add_label(model, std::move(*match.label));
  return model;
}

}  // namespace pantanal::convert
