// How the program was started, and what it remembers: the command line, and shelf.ini in the data folder.
//
// What is given once is remembered, so that the second time the folder is enough. A peer is written as
// NAME=DEVICE-ID@HOST:PORT; the name is only shown, without an address the peer dials us.
#pragma once

#include <QtCore/QStringList>

#include <map>

#include "net/node.h"

namespace starling::shelf {

class Names {  // what people call the devices
 public:
  void set(DeviceId device, const QString& name) { names_[device] = name; }
  [[nodiscard]] QString of(DeviceId device) const {
    const auto at = names_.find(device);
    return at != names_.end() ? at->second : QString::fromStdString(short_string(device));
  }

 private:
  std::map<DeviceId, QString> names_;
};

struct Options {
  std::filesystem::path folder;
  Start start = Start::create;
  std::string listen;
  std::vector<Peer> peers;
  QString name;             // of this device
  Names names;              // of the others, and of this one
  QStringList index;        // folders whose entries to put on the shelf
  bool drive = false;       // see drive.h
  bool only_id = false;     // print the device's id and end
};

extern const char* const kUsage;

[[nodiscard]] Expected<Options> read_options(const QStringList& words);

}  // namespace starling::shelf
