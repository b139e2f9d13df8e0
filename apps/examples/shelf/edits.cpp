#include "apps/examples/shelf/edits.h"

#include <QtCore/QDateTime>

namespace starling::shelf {

// A tag that is not there yet is made. What is so already is no change, no log entry, and no work for the peers.
Expected<CommitInfo> put_tag(Node& node, const std::vector<Blob>& entries, const QString& tag) {
  const std::string name = tag.toStdString();
  const std::int64_t now = QDateTime::currentMSecsSinceEpoch();
  return node.write([&](Transaction& tx) -> Expected<void> {
    const auto made = tx.exec("INSERT INTO tag(name, created_ms) VALUES(?, ?) ON CONFLICT DO NOTHING", name, now);
    if (!made) return made.error();
    for (const Blob& entry : entries) {
      const auto linked = tx.exec("INSERT INTO entry_tag(entry, tag, added_ms) VALUES(?, ?, ?) ON CONFLICT DO NOTHING",
                                  entry, name, now);
      if (!linked) return linked.error();
    }
    return {};
  });
}

Expected<CommitInfo> take_tag(Node& node, const std::vector<Blob>& entries, const QString& tag) {
  const std::string name = tag.toStdString();
  return node.write([&](Transaction& tx) -> Expected<void> {
    for (const Blob& entry : entries) {
      const auto gone = tx.exec("DELETE FROM entry_tag WHERE entry = ? AND tag = ?", entry, name);
      if (!gone) return gone.error();
    }
    return {};
  });
}

Expected<CommitInfo> color_tag(Node& node, const QString& tag, const QString& color) {
  return node.write([&](Transaction& tx) -> Expected<void> {
    const auto done = tx.exec("UPDATE tag SET color = ? WHERE name = ?", color.toStdString(), tag.toStdString());
    if (!done) return done.error();
    return {};
  });
}

}  // namespace starling::shelf
