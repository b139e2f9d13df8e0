#include "apps/common/member_requests.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/common/byte_text.h"

namespace starling::apps {
namespace {

using nlohmann::json;

constexpr std::size_t kBeginningMin = 4;  // characters: what lists show of an id

const char* state_of(const MemberStatus& member) {
  if (member.doubled) return member.self ? "this device, on two machines" : "on two machines";
  if (member.self) return "this device";
  return member.removed ? "removed" : "member";
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

// A member by its id, or by as much of its beginning as no other one shares.
Expected<DeviceId> find_member(const Node& node, const std::string& typed) {
  const Expected<DeviceId> whole = parse_device_id(typed);
  if (whole) return whole;
  const Expected<std::vector<MemberStatus>> members = node.members();
  if (!members) return members.error();
  std::vector<DeviceId> found;
  for (const MemberStatus& member : *members)
    if (to_string(member.device).rfind(upper(typed), 0) == 0) found.push_back(member.device);
  if (typed.size() < kBeginningMin || found.empty())
    return Error{Errc::invalid_argument, "no member's id begins so", printable(typed), "see 'starling member list'"};
  if (found.size() > 1)
    return Error{Errc::invalid_argument, "several members' ids begin so", printable(typed), "give more of the id"};
  return found.front();
}

}  // namespace

Expected<void> add_name(const Reader& reader, const DeviceId& device, json& to) {
  const Expected<Rows> row = reader.query("SELECT name, platform FROM device WHERE id = ?", ValueView::blob(device.view()));
  if (!row) return row.error();
  to["name"] = row->empty() ? json() : bytes_to_json(row->text(0, 0));
  to["platform"] = row->empty() ? json() : bytes_to_json(row->text(0, 1));
  return {};
}

Expected<json> member_list(const Node& node, Arguments& arguments) {
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  const Expected<std::vector<MemberStatus>> members = node.members();
  if (!members) return members.error();
  const Expected<Reader> reader = node.reader();
  if (!reader) return reader.error();
  json list = json::array();
  for (const MemberStatus& member : *members) {
    json one{{"device", to_string(member.device)},
             {"state", state_of(member)},
             {"since_ms", member.since.ms},
             {"lacks", member.lacks},
             {"oldest_ms", member.oldest.ms == 0 ? json() : json(member.oldest.ms)}};
    if (const Expected<void> named = add_name(*reader, member.device, one); !named) return named.error();
    list.push_back(std::move(one));
  }
  return json{{"members", std::move(list)}};
}

Expected<json> member_remove(Node& node, Arguments& arguments) {
  const std::string typed = arguments.text("device");
  const bool sure = arguments.flag("sure");
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  const Expected<DeviceId> device = find_member(node, typed);
  if (!device) return device.error();
  if (!sure) {
    return Error{Errc::invalid_argument,
                 "this removes the device for all others: they keep nothing for it any more and take nothing from it, what it"
                 " has not sent yet included, until it is admitted again",
                 to_string(*device), "say --yes if that is meant"};
  }
  if (const Expected<void> removed = node.remove_member(*device); !removed) return removed.error();
  return json{{"device", to_string(*device)}};
}

Expected<json> member_admit(Node& node, Arguments& arguments) {
  const std::string typed = arguments.text("device");
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  const Expected<DeviceId> device = find_member(node, typed);
  if (!device) return device.error();
  if (const Expected<void> admitted = node.admit_member(*device); !admitted) return admitted.error();
  return json{{"device", to_string(*device)}};
}

Expected<json> identity_keep(Node& node, Arguments& arguments) {
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  if (const Expected<void> kept = node.keep_identity(); !kept) return kept.error();
  return json{{"device", to_string(node.device())}};
}

}  // namespace starling::apps
