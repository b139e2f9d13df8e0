// All of Starling's face in one include: `#include <starling/starling.h>`.
//
// Node and what it is opened with (net/node.h), typed models (core/base/typed.h), transactions, readers, what a node
// tells (net/notice.h), subscriptions. The models of the daemon are no part of it: <starling/models/tag.h> and its like.
#pragma once

#include "core/base/typed.h"
#include "core/replica/transaction.h"
#include "core/store/reader.h"
#include "net/config.h"
#include "net/node.h"
#include "net/notice.h"
#include "net/subscription.h"
