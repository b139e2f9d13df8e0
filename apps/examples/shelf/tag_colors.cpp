#include "apps/examples/shelf/tag_colors.h"

#include <QtGui/QPainter>
#include <QtGui/QPixmap>

namespace starling::shelf {

const QStringList& tag_palette() {
  static const QStringList colors{"#d9485f", "#e8833a", "#c9a227", "#4f9d5d", "#2a9d8f", "#3f7fca", "#7a5cc9", "#6b7785"};
  return colors;
}

QIcon swatch(const QColor& color) {
  constexpr int kSide = 16;
  constexpr qreal kRadius = 4;
  QPixmap pixmap(kSide, kSide);
  pixmap.fill(Qt::transparent);
  QPainter painter(&pixmap);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(Qt::NoPen);
  painter.setBrush(color);
  painter.drawRoundedRect(QRectF(2, 2, kSide - 4, kSide - 4), kRadius, kRadius);
  return pixmap;
}

QColor TagColors::of(const QString& tag) const {
  const auto at = colors_.find(tag);
  const QColor chosen = at == colors_.end() ? QColor() : QColor(at->second);
  return chosen.isValid() ? chosen : QColor(tag_palette().back());
}

}  // namespace starling::shelf
