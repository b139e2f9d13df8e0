// The entries as a table that a view can show. It holds what it was given last, and asks for more at its end.
#pragma once

#include <QtCore/QAbstractTableModel>

#include <functional>

#include "apps/examples/shelf/contents.h"
#include "apps/examples/shelf/options.h"

namespace starling::shelf {

class EntryTable : public QAbstractTableModel {
 public:
  enum Column { name, tags, device, folder, size, modified, columns };

  EntryTable(const Names& names, std::function<void()> more) : names_(names), more_(std::move(more)) {}

  void fill(std::vector<Entry>, qint64 matching);
  [[nodiscard]] const Entry& entry(int row) const { return entries_.at(static_cast<std::size_t>(row)); }

  [[nodiscard]] int rowCount(const QModelIndex& parent) const override;
  [[nodiscard]] int columnCount(const QModelIndex& parent) const override { return parent.isValid() ? 0 : columns; }
  [[nodiscard]] QVariant data(const QModelIndex&, int role) const override;
  [[nodiscard]] QVariant headerData(int section, Qt::Orientation, int role) const override;
  [[nodiscard]] bool canFetchMore(const QModelIndex& parent) const override;
  void fetchMore(const QModelIndex&) override { more_(); }

 private:
  const Names& names_;
  const std::function<void()> more_;
  std::vector<Entry> entries_;
  qint64 matching_ = 0;
};

}  // namespace starling::shelf
