// Draws the tags of an entry as coloured chips.
#pragma once

#include <QtWidgets/QStyledItemDelegate>

#include "apps/examples/shelf/tag_colors.h"

namespace starling::shelf {

class TagChips : public QStyledItemDelegate {
 public:
  explicit TagChips(const TagColors& colors) : colors_(colors) {}
  void paint(QPainter*, const QStyleOptionViewItem&, const QModelIndex&) const override;

 private:
  const TagColors& colors_;
};

}  // namespace starling::shelf
