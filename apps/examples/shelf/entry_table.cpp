#include "apps/examples/shelf/entry_table.h"

#include <QtCore/QDateTime>
#include <QtCore/QLocale>
#include <QtWidgets/QApplication>
#include <QtWidgets/QStyle>

namespace starling::shelf {

// The rows stay where they are, so that the view keeps its place and its selection: those that are the same entry as
// before are only drawn again. A change that comes in from a peer must not take the mouse out of the user's hand.
void EntryTable::fill(std::vector<Entry> entries, qint64 matching) {
  matching_ = matching;
  const auto same = [](const Entry& a, const Entry& b) { return a.id == b.id; };
  const bool grown = entries.size() >= entries_.size() &&
                     std::equal(entries_.begin(), entries_.end(), entries.begin(), same);
  if (!grown) {
    emit layoutAboutToBeChanged();
    const QModelIndexList before = persistentIndexList();  // after that: the view makes some when it hears it
    std::map<Bytes, int> row_of;
    for (std::size_t i = 0; i < entries.size(); ++i) row_of[entries[i].id.bytes] = static_cast<int>(i);
    for (const QModelIndex& index : before) {
      const auto at = row_of.find(entry(index.row()).id.bytes);
      changePersistentIndex(index, at == row_of.end() ? QModelIndex() : createIndex(at->second, index.column()));
    }
    entries_ = std::move(entries);
    emit layoutChanged();
    return;
  }
  const int old = static_cast<int>(entries_.size());
  const int now = static_cast<int>(entries.size());
  if (now > old) beginInsertRows({}, old, now - 1);
  entries_ = std::move(entries);
  if (now > old) endInsertRows();
  if (old > 0) emit dataChanged(index(0, 0), index(old - 1, columns - 1));
}

int EntryTable::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(entries_.size());
}

bool EntryTable::canFetchMore(const QModelIndex& parent) const {
  return !parent.isValid() && static_cast<qint64>(entries_.size()) < matching_;
}

QVariant EntryTable::data(const QModelIndex& index, int role) const {
  const Entry& entry = this->entry(index.row());
  if (role == Qt::TextAlignmentRole && index.column() == size)
    return static_cast<int>(Qt::AlignRight | Qt::AlignVCenter);
  if (role == Qt::DecorationRole && index.column() == name)
    return QApplication::style()->standardIcon(QStyle::SP_FileIcon);
  if (role == Qt::UserRole && index.column() == tags) return entry.tags;
  if (role != Qt::DisplayRole && role != Qt::ToolTipRole) return {};
  const QLocale locale(QLocale::English);
  switch (index.column()) {
    case name: return entry.name;
    case tags: return entry.tags.join(", ");
    case device: return names_.of(entry.device);
    case folder: return entry.folder;
    case size: return locale.formattedDataSize(entry.size, 1);
    case modified: return QDateTime::fromMSecsSinceEpoch(entry.modified_ms).toString("yyyy-MM-dd");
    default: return {};
  }
}

QVariant EntryTable::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return QAbstractTableModel::headerData(section, orientation, role);
  return QStringList{"Name", "Tags", "Device", "Folder", "Size", "Modified"}.at(section);
}

}  // namespace starling::shelf
