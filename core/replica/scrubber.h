// The scrub: reads every row again, a slice at a time, and says which are not as they were written.
//
// Two walks through each model, both in the order of keys: from versions to rows (is the row there, and does it have the
// sum that it was written with?), then from rows to versions (did somebody put a row in behind the engine's back?).
// Slices are spread over the pass, so that an idle device stays idle. Reads only, but for where it stands.
#pragma once

#include "core/base/time.h"
#include "core/store/statement.h"
#include "core/store/store.h"

namespace starling {

struct Damage {
  ModelIndex model = 0;
  Bytes key;
  Origin owner;             // of a device-owned row; zero: shared
  bool versionless = false;  // a row that nobody told the engine of
  std::string what;
};

class Scrubber {
 public:
  Scrubber(Store& store, Duration pass) : store_(store), pass_(pass) {}

  // The damage found in one slice.
  [[nodiscard]] std::vector<Damage> slice();
  [[nodiscard]] Duration between_slices() const;
  // Where the walk stands, for sync_meta: a device that is switched on for an hour a day comes round, too.
  void save();

 private:
  void resume();  // where it was saved, or at the first model
  bool read_versions(std::vector<Damage>&);  // true: to the end of the model
  bool read_rows(std::vector<Damage>&);

  Store& store_;
  Duration pass_;
  std::shared_ptr<const Schema> schema_;  // that the walk began with
  ModelIndex model_ = 0;
  bool rows_ = false;  // the second walk
  Bytes after_;
  std::uint64_t slices_ = 0, slices_before_ = 0;
};

}  // namespace starling
