// Label lists and lists of classes.
#include "labels/class_list.hpp"

#include "entry.hpp"
#include "pantanal/core/utf8.hpp"

namespace pantanal::fuzz {
namespace {

void read_class_lists(Bytes bytes) {
  const auto path = as_file("fuzzed.csv", bytes);
  if (const auto labels = convert::read_labels(path); succeeded(labels))
    for (const std::string& label : *labels)
      require(!label.empty() && find_not_utf8(label) == std::string::npos, "labels are UTF-8");
  const std::vector<std::string> labels = {"Adenomera andreae", "Adenomera hylaedactyla", "Caiman yacare",
                                           "Turdus merula"};
  for (const auto& list : {path, as_file("fuzzed.txt", bytes)})
    if (const auto selection = convert::select_classes(labels, list); succeeded(selection))
      require(!selection->rows.empty() && selection->rows.back() < labels.size(), "rows are labels");
}

std::vector<File> class_list_seeds() {
  return {
      as_seed("inat2024_fsd50k\r\nAdenomera andreae\r\n\"Ccc, ddd\"\r\nJ\xc3\xb3hann\r\n"),
      as_seed(
          "primary_label,inat_taxon_id,scientific_name,common_name,class_name\n1,2,Caiman yacare,x,Reptilia\n"
          "3,4,Adenomera x,\"y, z\",Amphibia\n"),
      as_seed("# mine\nTurdus merula\n\nCaiman yacare\n")};
}

const Registration class_lists(
    {.name = "class_lists", .read = read_class_lists, .seeds = class_list_seeds, .runs = 6000});

}  // namespace
}  // namespace pantanal::fuzz
