// The colours of tags: those to choose from, and grey for a tag that nobody has coloured yet.
#pragma once

#include <QtCore/QStringList>
#include <QtGui/QColor>
#include <QtGui/QIcon>

#include <map>

namespace starling::shelf {

[[nodiscard]] const QStringList& tag_palette();  // "#rrggbb"
[[nodiscard]] QIcon swatch(const QColor&);

class TagColors {
 public:
  void set(const QString& tag, const QString& color) { colors_[tag] = color; }
  [[nodiscard]] QColor of(const QString& tag) const;

 private:
  std::map<QString, QString> colors_;
};

}  // namespace starling::shelf
