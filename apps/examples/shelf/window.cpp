#include "apps/examples/shelf/window.h"

#include <QtCore/QSignalBlocker>
#include <QtWidgets/QFileDialog>
#include <QtWidgets/QStatusBar>
#include <QtWidgets/QToolBar>

#include "apps/common/indexer.h"
#include "apps/examples/shelf/edits.h"

namespace starling::shelf {
namespace {

using namespace std::chrono_literals;

constexpr auto kGatherFor = 40ms;
constexpr auto kStatusEvery = 1s;
constexpr auto kSayFor = 8s;
constexpr int kProgressSteps = 1000;

QString grouped(std::uint64_t number) { return QLocale(QLocale::English).toString(static_cast<qulonglong>(number)); }

}  // namespace

Window::Window(Node& node, Reader reader, const Options& options)
    : node_(node), names_(options.names), reader_(std::move(reader)) {
  setWindowTitle("Shelf — " + names_.of(node.device()));
  setCentralWidget(middle());
  auto* bar = addToolBar("Shelf");
  bar->setMovable(false);
  bar->addAction("Add folder…", [this] {
    const QString folder = QFileDialog::getExistingDirectory(this, "Put a folder's files on the shelf");
    if (!folder.isEmpty()) index(folder);
  });
  bar->addSeparator();
  bar->addWidget(offline_);
  offline_->setObjectName("offline");
  self_->setObjectName("self");
  statusBar()->addPermanentWidget(self_);
  connect(offline_, &QCheckBox::toggled, this, [this](bool on) {
    if (on) node_.pause();
    else node_.resume();
    show_status();
  });
  connect(search_, &QLineEdit::textChanged, this, [this] { filter(); });
  connect(tags_, &QListWidget::currentItemChanged, this, [this] { filter(); });
  soon_.setSingleShot(true);
  connect(&soon_, &QTimer::timeout, this, [this] { refresh(); });
  connect(&each_second_, &QTimer::timeout, this, [this] { show_status(); });
  each_second_.start(kStatusEvery);
  listen();
  show_status();
  refresh();
  for (const QString& folder : options.index) index(folder);
}

void Window::listen() {
  subscriptions_.push_back(node_.on_change([this](const ChangeEvent&) {
    if (!soon_.isActive()) soon_.start(kGatherFor);
  }));
  subscriptions_.push_back(node_.on_progress([this](const Progress& progress) { show_progress(progress); }));
  subscriptions_.push_back(node_.on_event([this](const NodeEvent& event) {
    const QString known_as = QString::fromStdString(short_string(event.peer));
    if (!event.text.empty()) say(QString::fromStdString(event.text).replace(known_as, names_.of(event.peer)));
    show_status();
  }));
}

// --- what is shown

void Window::refresh() {
  if (reading_now_) return soon_.start(kGatherFor);  // and once more, for what came since that began
  reading_now_ = true;
  reading_.run([this, filter = filter_] { return read_contents(reader_, filter); },
               [this](const Expected<Contents>& contents) {
                 reading_now_ = false;
                 if (contents) show_contents(*contents);
                 else say(QString::fromStdString(contents.error().text()));
               });
}

void Window::filter() {
  filter_ = Filter();
  filter_.tag = tags_->chosen();
  filter_.words = search_->text();
  refresh();
}

void Window::more() {
  if (entries_.rowCount({}) < filter_.limit) return;  // more is on its way
  filter_.limit *= 2;
  refresh();
}

void Window::show_contents(const Contents& contents) {
  colors_ = TagColors();
  for (const Tag& tag : contents.tags) colors_.set(tag.name, tag.color);
  tags_->fill(contents.tags, colors_);
  entries_.fill(contents.entries, contents.matching);
  conflicts_->fill(contents.conflicts, names_);
  shown_->setText(grouped(static_cast<std::uint64_t>(contents.matching)) + " files");
  const QSignalBlocker quiet(tag_);
  const QString typed = tag_->currentText();
  tag_->clear();
  for (const Tag& tag : contents.tags) tag_->addItem(swatch(colors_.of(tag.name)), tag.name);
  tag_->setCurrentIndex(-1);
  tag_->setEditText(typed);
}

void Window::show_status() {
  const Status status = node_.status();
  peers_->fill(status, names_);
  self_->setText(names_.of(node_.device()) + ": " + to_string(status.readiness) +
                 (node_.port() != 0 ? ", port " + QString::number(node_.port()) : QString()));
  if (!status.failed.empty()) say("Stopped: " + QString::fromStdString(status.failed));
  if (status.initial_sync_completed) return progress_->hide();
  progress_->show();
  if (status.lacking > 0) return;  // on_progress moves it
  progress_->setRange(0, 0);
  progress_->setFormat("First sync: waiting for a device");
}

void Window::show_progress(const Progress& progress) {
  progress_->setRange(0, kProgressSteps);
  progress_->setValue(progress.total == 0 ? 0 : static_cast<int>(progress.done * kProgressSteps / progress.total));
  progress_->setFormat("First sync: " + grouped(progress.done) + " of " + grouped(progress.total) + " changes");
  show_status();
}

void Window::say(const QString& text) {
  statusBar()->showMessage(text, static_cast<int>(std::chrono::milliseconds(kSayFor).count()));
}

// --- what is done

std::vector<Blob> Window::selected() const {
  std::vector<Blob> ids;
  for (const QModelIndex& row : table_->selectionModel()->selectedRows()) ids.push_back(entries_.entry(row.row()).id);
  return ids;
}

void Window::put_on() {
  const QString tag = tag_->currentText().trimmed();
  if (tag.isEmpty() || selected().empty()) return say("Select entries and name a tag first");
  edit([this, entries = selected(), tag] { return put_tag(node_, entries, tag); });
  tag_->clearEditText();
}

void Window::take_off() {
  const QString tag = tag_->currentText().trimmed();
  if (tag.isEmpty() || selected().empty()) return say("Select entries and name a tag first");
  edit([this, entries = selected(), tag] { return take_tag(node_, entries, tag); });
  tag_->clearEditText();
}

void Window::color(const QString& color) {
  const QString tag = tags_->chosen();
  if (tag.isEmpty()) return say("Choose a tag first");
  edit([this, tag, color] { return color_tag(node_, tag, color); });
}

// What was written comes back through on_change; only a refusal has to be told here.
void Window::edit(std::function<Expected<CommitInfo>()> write) {
  writing_.run(std::move(write), [this](const Expected<CommitInfo>& done) {
    if (!done) say(QString::fromStdString(done.error().text()));
  });
}

void Window::index(const QString& folder) {
  say("Reading " + folder);
  const auto on = [this](const apps::IndexProgress&) { return !closing_; };
  indexing_.run([this, on, root = folder.toStdString()] { return apps::index_folder(node_, root, {}, on); },
                [this, folder](const Expected<apps::IndexReport>& report) {
                  if (!report) return say(QString::fromStdString(report.error().text()));
                  say(folder + ": " + grouped(report->entries) + " entries, " + grouped(report->added) + " new");
                });
}

}  // namespace starling::shelf
