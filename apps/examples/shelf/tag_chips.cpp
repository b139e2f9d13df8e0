#include "apps/examples/shelf/tag_chips.h"

#include <QtGui/QPainter>
#include <QtWidgets/QApplication>

namespace starling::shelf {
namespace {
constexpr int kInside = 7;   // between a chip's edge and its word
constexpr int kBetween = 4;  // two chips
constexpr int kAround = 4;   // above and below
}  // namespace

void TagChips::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
  QStyleOptionViewItem plain(option);
  initStyleOption(&plain, index);
  plain.text.clear();
  QApplication::style()->drawControl(QStyle::CE_ItemViewItem, &plain, painter, plain.widget);
  painter->save();
  painter->setRenderHint(QPainter::Antialiasing);
  painter->setClipRect(option.rect);
  QRect chip = option.rect.adjusted(kBetween, kAround, 0, -kAround);
  for (const QString& tag : index.data(Qt::UserRole).toStringList()) {
    chip.setWidth(option.fontMetrics.horizontalAdvance(tag) + 2 * kInside);
    painter->setPen(Qt::NoPen);
    painter->setBrush(colors_.of(tag));
    painter->drawRoundedRect(chip, chip.height() / 2.0, chip.height() / 2.0);
    painter->setPen(Qt::white);
    painter->drawText(chip, Qt::AlignCenter, tag);
    chip.moveLeft(chip.right() + 1 + kBetween);
  }
  painter->restore();
}

}  // namespace starling::shelf
