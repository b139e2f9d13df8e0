#include "apps/examples/shelf/tag_list.h"

#include <QtCore/QLocale>
#include <QtCore/QSignalBlocker>

namespace starling::shelf {

TagList::TagList() {
  setObjectName("tags");
  setSpacing(1);
  addItem(new QListWidgetItem(swatch(Qt::transparent), "All files"));
  setCurrentRow(0);
}

QString TagList::chosen() const {
  const QListWidgetItem* item = currentItem();
  return item == nullptr ? QString() : item->data(Qt::UserRole).toString();
}

void TagList::fill(const std::vector<Tag>& tags, const TagColors& colors) {
  const QString before = chosen();
  const QSignalBlocker quiet(this);  // the choice stays
  while (count() > 1) delete takeItem(1);
  for (const Tag& tag : tags) {
    auto* item = new QListWidgetItem(swatch(colors.of(tag.name)), tag.name + "  " + QLocale(QLocale::English).toString(tag.entries));
    item->setData(Qt::UserRole, tag.name);
    addItem(item);
    if (tag.name == before) setCurrentItem(item);
  }
  if (currentRow() < 0) setCurrentRow(0);
}

}  // namespace starling::shelf
