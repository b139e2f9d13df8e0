#include "apps/examples/shelf/drive.h"

#include <unistd.h>

#include <QtCore/QJsonArray>
#include <QtCore/QJsonDocument>
#include <QtCore/QJsonObject>
#include <QtWidgets/QAbstractButton>
#include <QtWidgets/QAbstractItemView>
#include <QtWidgets/QComboBox>
#include <QtWidgets/QLabel>
#include <QtWidgets/QLineEdit>
#include <QtWidgets/QProgressBar>
#include <QtWidgets/QStatusBar>
#include <cstdio>

namespace starling::shelf {
namespace {

QByteArray type(QWidget* widget, const QString& text) {
  if (auto* combo = dynamic_cast<QComboBox*>(widget)) return combo->setEditText(text), "ok";
  auto* field = dynamic_cast<QLineEdit*>(widget);
  if (field == nullptr) return "not a field";
  field->setText(text);
  return "ok";
}

QByteArray click(QWidget* widget) {
  auto* button = dynamic_cast<QAbstractButton*>(widget);
  if (button == nullptr) return "not a button";
  button->click();
  return "ok";
}

QByteArray select(QWidget* widget, const QString& text) {
  auto* view = dynamic_cast<QAbstractItemView*>(widget);
  if (view == nullptr) return "not a table";
  for (int row = 0; row < view->model()->rowCount(); ++row) {
    const QModelIndex index = view->model()->index(row, 0);
    if (index.data().toString().startsWith(text)) return view->setCurrentIndex(index), "ok";
  }
  return "no such row";
}

QJsonArray rows(const QAbstractItemModel& model) {
  QJsonArray all;
  for (int row = 0; row < model.rowCount(); ++row) {
    QJsonArray cells;
    for (int column = 0; column < model.columnCount(); ++column)
      cells.append(model.index(row, column).data().toString());
    all.append(cells);
  }
  return all;
}

}  // namespace

Drive::Drive(QMainWindow& window) : window_(window), input_(STDIN_FILENO, QSocketNotifier::Read) {
  QObject::connect(&input_, &QSocketNotifier::activated, &window, [this] { read(); });
}

void Drive::read() {
  constexpr int kAtOnce = 4096;
  char bytes[kAtOnce];
  const ssize_t got = ::read(STDIN_FILENO, bytes, sizeof bytes);
  if (got <= 0) {
    input_.setEnabled(false);
    window_.close();
    return;
  }
  unread_.append(bytes, got);
  for (qsizetype end = unread_.indexOf('\n'); end >= 0; end = unread_.indexOf('\n')) {
    const QByteArray answer = obey(QString::fromUtf8(unread_.left(end)));
    unread_.remove(0, end + 1);
    std::puts(answer.constData());
    std::fflush(stdout);
  }
}

QByteArray Drive::obey(const QString& line) {
  const QString verb = line.section(' ', 0, 0);
  const QString text = line.section(' ', 2);
  if (verb == "dump") return dump();
  auto* widget = window_.findChild<QWidget*>(line.section(' ', 1, 1));
  if (widget == nullptr) return "no such widget";
  if (verb == "type") return type(widget, text);
  if (verb == "click") return click(widget);
  if (verb == "select") return select(widget, text);
  return "no such command";
}

QByteArray Drive::dump() const {
  QJsonObject all{{"title", window_.windowTitle()}, {"message", window_.statusBar()->currentMessage()}};
  for (const auto* view : window_.findChildren<QAbstractItemView*>()) {
    const QString name = view->objectName();
    if (!name.isEmpty() && !name.startsWith("qt_")) all[name] = rows(*view->model());
  }
  for (const auto* label : window_.findChildren<QLabel*>()) {
    if (!label->objectName().isEmpty() && !label->objectName().startsWith("qt_")) all[label->objectName()] = label->text();
  }
  const auto* bar = window_.findChild<QProgressBar*>("progress");
  all["progress"] = bar != nullptr && bar->isVisible() ? bar->format() : QString();
  return QJsonDocument(all).toJson(QJsonDocument::Compact);
}

}  // namespace starling::shelf
