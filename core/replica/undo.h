// Rolls a transaction back unless its commit was reached: by an error, an exception of the application's, or one of the
// machine's.
//
// A scope guard for whoever runs an application's function inside a transaction. Same thread rules as the store.
#pragma once

#include "core/store/store.h"

namespace starling {

class Undo {
 public:
  explicit Undo(Store& store) : store_(store) {}
  ~Undo() {
    try {
      store_.rollback();  // nothing to do after a commit
    } catch (...) {  // the next BEGIN and the next step finish it, or fail with the same reason
    }
  }
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;

 private:
  Store& store_;
};

}  // namespace starling
