// The two tables at the foot of the window: the other devices, and what lost against a later change.
#pragma once

#include <QtWidgets/QTreeWidget>

#include "apps/examples/shelf/contents.h"
#include "apps/examples/shelf/options.h"
#include "core/replica/status.h"

namespace starling::shelf {

class Panel : public QTreeWidget {
 protected:
  Panel(const QString& name, const QStringList& columns);
  void fill_rows(const std::vector<QStringList>&);  // in place: what is selected stays selected
};

class PeerPanel : public Panel {
 public:
  PeerPanel();
  void fill(const Status&, const Names&);
};

class ConflictPanel : public Panel {
 public:
  ConflictPanel();
  void fill(const std::vector<Conflict>&, const Names&);
};

}  // namespace starling::shelf
