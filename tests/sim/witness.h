// Hears what a node does, at the moment it does it. Nothing here is an event of the simulated world.
#pragma once

#include <vector>

#include "core/replica/event.h"

namespace starling::sim {

class SimNode;

class Witness {
 public:
  virtual ~Witness() = default;
  virtual void opened(SimNode&) = 0;   // a life has begun
  virtual void closing(SimNode&) = 0;  // its database goes in a moment
  virtual void committed(SimNode&, const LocalCommit&) = 0;
  virtual void in_doubt(SimNode&) = 0;  // it died inside a transaction: that may stand or not
  virtual void stepped(SimNode&, const std::vector<Effect>&) = 0;  // committed; its effects are not carried out yet
  virtual void migrated(SimNode&) = 0;  // its models have changed
  virtual void replaced(SimNode&) = 0;  // somebody put another disk in: what it had said does not bind it
  virtual void rolled_back(SimNode&) = 0;  // its own, as it was: until it takes another name, what it writes is nobody's
};

}  // namespace starling::sim
