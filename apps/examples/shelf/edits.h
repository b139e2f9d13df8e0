// What the user does to the shelf: each is one transaction, done when it is on this device's disk.
//
// Tags and links are shared: everybody may change them, also while the devices do not see each other. Two who colour
// one tag at the same time: the later one stands everywhere, the other is listed as a conflict. Two who tag: both.
#pragma once

#include <QtCore/QString>

#include "net/node.h"

namespace starling::shelf {

[[nodiscard]] Expected<CommitInfo> put_tag(Node&, const std::vector<Blob>& entries, const QString& tag);
[[nodiscard]] Expected<CommitInfo> take_tag(Node&, const std::vector<Blob>& entries, const QString& tag);
[[nodiscard]] Expected<CommitInfo> color_tag(Node&, const QString& tag, const QString& color);

}  // namespace starling::shelf
