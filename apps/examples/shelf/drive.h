// Drives the window from standard input, as a hand on the mouse and the keyboard would: for the test.
//
//   type NAME TEXT     into the field with that object name
//   click NAME         the button or check box
//   select NAME TEXT   the row of a table or list whose first column begins with that text
//   dump               prints as one line of JSON what the window shows
// Each line is answered with one line: "ok", what is wrong, or the dump. The end of input closes the window.
#pragma once

#include <QtCore/QSocketNotifier>
#include <QtWidgets/QMainWindow>

namespace starling::shelf {

class Drive {
 public:
  explicit Drive(QMainWindow&);

 private:
  void read();
  [[nodiscard]] QByteArray obey(const QString& line);
  [[nodiscard]] QByteArray dump() const;

  QMainWindow& window_;
  QSocketNotifier input_;
  QByteArray unread_;
};

}  // namespace starling::shelf
