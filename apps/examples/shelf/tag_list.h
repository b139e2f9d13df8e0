// All tags with the number of their entries; the one that is chosen filters the entries.
#pragma once

#include <QtWidgets/QListWidget>

#include "apps/examples/shelf/contents.h"
#include "apps/examples/shelf/tag_colors.h"

namespace starling::shelf {

class TagList : public QListWidget {
 public:
  TagList();
  void fill(const std::vector<Tag>&, const TagColors&);
  [[nodiscard]] QString chosen() const;  // empty: all entries
};

}  // namespace starling::shelf
