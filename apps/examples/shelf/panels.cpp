#include "apps/examples/shelf/panels.h"

#include <QtCore/QLocale>
#include <QtGui/QColor>

#include "apps/examples/shelf/tag_colors.h"

namespace starling::shelf {
namespace {

QString bytes(std::uint64_t count) {
  return QLocale(QLocale::English).formattedDataSize(static_cast<qint64>(count), 1);
}

QString count(std::uint64_t number) { return QLocale(QLocale::English).toString(static_cast<qulonglong>(number)); }

}  // namespace

Panel::Panel(const QString& name, const QStringList& columns) {
  setObjectName(name);
  setHeaderLabels(columns);
  setRootIsDecorated(false);
  setUniformRowHeights(true);
}

void Panel::fill_rows(const std::vector<QStringList>& rows) {
  const int wanted = static_cast<int>(rows.size());
  while (topLevelItemCount() > wanted) delete takeTopLevelItem(wanted);
  while (topLevelItemCount() < wanted) addTopLevelItem(new QTreeWidgetItem());
  for (int row = 0; row < wanted; ++row) {
    const QStringList& cells = rows[static_cast<std::size_t>(row)];
    for (int column = 0; column < cells.size(); ++column) {
      QTreeWidgetItem* item = topLevelItem(row);
      if (item->text(column) == cells[column]) continue;
      item->setText(column, cells[column]);
      item->setToolTip(column, cells[column]);
      const QColor color(cells[column].startsWith('#') ? cells[column] : QString());
      item->setIcon(column, color.isValid() ? swatch(color) : QIcon());
    }
  }
  for (int column = 0; column + 1 < columnCount(); ++column) resizeColumnToContents(column);
}

PeerPanel::PeerPanel() : Panel("peers", {"Device", "To fetch", "To send", "Received", "Sent", "State"}) {}

void PeerPanel::fill(const Status& status, const Names& names) {
  std::vector<QStringList> rows;
  for (const PeerStatus& peer : status.peers) {
    const QString why = peer.why.empty() ? QString() : ": " + QString::fromStdString(peer.why);
    const bool known = peer.state == PeerState::live || peer.state == PeerState::behind;  // while connected
    rows.push_back({names.of(peer.device), known ? count(peer.we_lack) : "?", known ? count(peer.it_lacks) : "?",
                    bytes(peer.bytes_in), bytes(peer.bytes_out), to_string(peer.state) + why});
  }
  fill_rows(rows);
}

ConflictPanel::ConflictPanel() : Panel("conflicts", {"Row", "Field", "Lost", "Of", "Against", "Now"}) {}

void ConflictPanel::fill(const std::vector<Conflict>& conflicts, const Names& names) {
  std::vector<QStringList> rows;
  rows.reserve(conflicts.size());
  for (const Conflict& one : conflicts) {
    rows.push_back({one.row, one.field, one.lost, names.of(one.loser), names.of(one.winner), one.now});
  }
  fill_rows(rows);
}

}  // namespace starling::shelf
