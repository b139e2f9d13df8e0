// What the window looks like: widgets and where they stand. What they do is in window.cpp.
#include <QtWidgets/QBoxLayout>
#include <QtWidgets/QGroupBox>
#include <QtWidgets/QHeaderView>
#include <QtWidgets/QLineEdit>
#include <QtWidgets/QPushButton>
#include <QtWidgets/QSplitter>
#include <QtWidgets/QToolButton>

#include "apps/examples/shelf/window.h"

namespace starling::shelf {
namespace {

QWidget* titled(const QString& title, QWidget* inside) {
  auto* box = new QGroupBox(title);
  auto* layout = new QVBoxLayout(box);
  layout->setContentsMargins(4, 4, 4, 4);
  layout->addWidget(inside);
  return box;
}

}  // namespace

QWidget* Window::middle() {
  auto* sides = new QSplitter(Qt::Horizontal);
  sides->addWidget(tag_side());
  sides->addWidget(entry_side());
  sides->setStretchFactor(1, 1);
  sides->setSizes({170, 730});
  auto* all = new QSplitter(Qt::Vertical);
  all->addWidget(sides);
  all->addWidget(foot());
  all->setStretchFactor(0, 1);
  all->setSizes({540, 120});
  return all;
}

QWidget* Window::tag_side() {
  auto* colors = new QHBoxLayout();
  colors->setSpacing(0);
  for (const QString& one : tag_palette()) {
    auto* button = new QToolButton();
    button->setObjectName("color-" + one.mid(1));
    button->setIcon(swatch(one));
    button->setAutoRaise(true);
    button->setToolTip("Colour the chosen tag");
    connect(button, &QToolButton::clicked, this, [this, one] { color(one); });
    colors->addWidget(button);
  }
  auto* inside = new QWidget();
  auto* layout = new QVBoxLayout(inside);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(tags_);
  layout->addLayout(colors);
  return titled("Tags", inside);
}

QWidget* Window::entry_side() {
  search_->setObjectName("search");
  search_->setPlaceholderText("Search by name");
  search_->setClearButtonEnabled(true);
  table_->setObjectName("entries");
  table_->setModel(&entries_);
  table_->setItemDelegateForColumn(EntryTable::tags, &chips_);
  table_->setSelectionBehavior(QAbstractItemView::SelectRows);
  table_->setShowGrid(false);
  table_->setAlternatingRowColors(true);
  table_->setWordWrap(false);
  table_->verticalHeader()->hide();
  table_->verticalHeader()->setDefaultSectionSize(26);
  table_->horizontalHeader()->setHighlightSections(false);
  const std::vector<int> widths{190, 185, 60, 75, 70, 80};
  for (std::size_t i = 0; i < widths.size(); ++i) table_->setColumnWidth(static_cast<int>(i), widths[i]);
  table_->horizontalHeader()->setStretchLastSection(true);

  tag_->setObjectName("tag");
  tag_->setEditable(true);
  tag_->setInsertPolicy(QComboBox::NoInsert);
  tag_->setMinimumWidth(150);
  tag_->lineEdit()->setPlaceholderText("A tag, new or old");
  auto* put = new QPushButton("Put on");
  auto* take = new QPushButton("Take off");
  put->setObjectName("put");
  take->setObjectName("take");
  connect(put, &QPushButton::clicked, this, [this] { put_on(); });
  connect(take, &QPushButton::clicked, this, [this] { take_off(); });
  connect(tag_->lineEdit(), &QLineEdit::returnPressed, this, [this] { put_on(); });

  progress_->setObjectName("progress");
  progress_->hide();
  auto* edits = new QHBoxLayout();
  edits->addWidget(shown_, 1);
  edits->addWidget(tag_);
  edits->addWidget(put);
  edits->addWidget(take);
  auto* inside = new QWidget();
  auto* layout = new QVBoxLayout(inside);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(search_);
  layout->addWidget(progress_);
  layout->addWidget(table_);
  layout->addLayout(edits);
  return titled("Files", inside);
}

QWidget* Window::foot() {
  auto* both = new QSplitter(Qt::Horizontal);
  both->addWidget(titled("Devices", peers_));
  both->addWidget(titled("Conflicts: what lost against a later change", conflicts_));
  both->setSizes({460, 440});
  return both;
}

}  // namespace starling::shelf
