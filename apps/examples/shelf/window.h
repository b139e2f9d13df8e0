// The window: shows what is on the shelf and how the devices stand, and turns clicks into edits.
//
// How it uses the library, which is the point of this example:
//   - Callbacks come on the thread that draws (main.cpp gives the node an executor that posts to Qt), so that there is
//     no lock anywhere in this program.
//   - on_change says that rows have changed, ours or a peer's; what is shown is then read again in the background, from
//     one snapshot. Changes that come while that runs are covered by one more reading. Nothing asks the database
//     whether something has changed.
//   - Edits run in the background too. The window shows them when on_change tells of them, as it shows a peer's.
//   - status() is a copy that costs nothing; it is taken at every event, and each second for the bytes.
#pragma once

#include <QtCore/QTimer>
#include <QtWidgets/QCheckBox>
#include <QtWidgets/QComboBox>
#include <QtWidgets/QLabel>
#include <QtWidgets/QLineEdit>
#include <QtWidgets/QMainWindow>
#include <QtWidgets/QProgressBar>
#include <QtWidgets/QTableView>

#include <atomic>

#include "apps/examples/shelf/background.h"
#include "apps/examples/shelf/entry_table.h"
#include "apps/examples/shelf/panels.h"
#include "apps/examples/shelf/tag_chips.h"
#include "apps/examples/shelf/tag_list.h"

namespace starling::shelf {

class Window : public QMainWindow {
 public:
  Window(Node&, Reader, const Options&);
  ~Window() override { closing_ = true; }

 private:
  // What it looks like (window_layout.cpp).
  [[nodiscard]] QWidget* middle();
  [[nodiscard]] QWidget* tag_side();
  [[nodiscard]] QWidget* entry_side();
  [[nodiscard]] QWidget* foot();

  void listen();  // to the node
  void refresh();
  void filter();
  void more();
  void show_contents(const Contents&);
  void show_status();
  void show_progress(const Progress&);
  void say(const QString&);

  [[nodiscard]] std::vector<Blob> selected() const;
  void put_on();
  void take_off();
  void color(const QString&);
  void edit(std::function<Expected<CommitInfo>()>);
  void index(const QString& folder);

  Node& node_;
  const Names names_;
  Filter filter_;
  TagColors colors_;
  EntryTable entries_{names_, [this] { more(); }};
  TagChips chips_{colors_};

  TagList* const tags_ = new TagList();  // Qt's way: the window deletes its widgets
  QTableView* const table_ = new QTableView();
  QLineEdit* const search_ = new QLineEdit();
  QComboBox* const tag_ = new QComboBox();
  PeerPanel* const peers_ = new PeerPanel();
  ConflictPanel* const conflicts_ = new ConflictPanel();
  QProgressBar* const progress_ = new QProgressBar();
  QLabel* const shown_ = new QLabel();
  QLabel* const self_ = new QLabel();
  QCheckBox* const offline_ = new QCheckBox("Offline");

  QTimer soon_;         // gathers changes for a moment
  QTimer each_second_;
  bool reading_now_ = false;
  std::atomic<bool> closing_ = false;

  Reader reader_;        // used by reading_ only
  Background reading_;
  Background writing_;   // edits, in the order they were made
  Background indexing_;  // takes long, and must not hold up an edit
  std::vector<Subscription> subscriptions_;  // gone first: what they call is still there
};

}  // namespace starling::shelf
