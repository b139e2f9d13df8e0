// What stands on the shelf, as the window shows it: files with their tags, tags, conflicts.
//
// Read in one go, from one snapshot, so that the parts of the window agree with each other. Reads only; see edits.h.
#pragma once

#include <QtCore/QStringList>

#include <vector>

#include "core/store/reader.h"

namespace starling::shelf {

struct Entry {
  Blob id;
  QString name;
  QString folder;  // the one that it stands in
  qint64 size = 0;
  qint64 modified_ms = 0;
  DeviceId device;  // whose it is
  QStringList tags;
};

struct Tag {
  QString name;
  QString color;  // empty: none
  qint64 entries = 0;
};

struct Conflict {  // what one of two devices wrote that the other overwrote without having seen it
  QString row;
  QString field;
  QString lost;
  QString now;
  DeviceId loser;
  DeviceId winner;
};

struct Filter {
  QString tag;    // empty: any
  QString words;  // in the name; empty: any
  int limit = 200;
};

struct Contents {
  std::vector<Entry> entries;  // by name; at most the limit
  qint64 matching = 0;         // entries that the filter lets through
  std::vector<Tag> tags;
  std::vector<Conflict> conflicts;  // newest first
};

[[nodiscard]] Expected<Contents> read_contents(Reader&, const Filter&);

}  // namespace starling::shelf
