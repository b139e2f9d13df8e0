#include "apps/common/arguments.h"

#include "apps/common/byte_text.h"

namespace starling::apps {

using nlohmann::json;

namespace {

// One spelling for one place: a folder is found again by its path.
bool is_plain_path(const Bytes& path) {
  if (path.empty() || path.front() != '/' || path.find('\0') != Bytes::npos) return false;
  const Bytes parts = path == "/" ? path : path + "/";
  return parts.find("//") == Bytes::npos && parts.find("/./") == Bytes::npos && parts.find("/../") == Bytes::npos;
}

}  // namespace

const json* Arguments::find(const std::string& name) {
  seen_.insert(name);
  const auto at = request_.find(name);
  return at == request_.end() || at->is_null() ? nullptr : &*at;
}

void Arguments::fail(const std::string& name, std::string what) {
  if (!error_) error_ = Error{Errc::invalid_argument, std::move(what), "\"" + name + "\"", "see docs/control.md"};
}

Bytes Arguments::path(const std::string& name) {
  std::optional<Bytes> found = maybe_path(name);
  if (!found) fail(name, "is missing");
  return found.value_or(Bytes());
}

std::optional<Bytes> Arguments::maybe_path(const std::string& name) {
  const json* value = find(name);
  if (value == nullptr) return std::nullopt;
  return path_of(*value, name);
}

std::vector<Bytes> Arguments::paths(const std::string& name) {
  const json* value = find(name);
  std::vector<Bytes> list;
  if (value == nullptr) return list;
  if (!value->is_array()) fail(name, "is not a list of paths");
  else for (const json& one : *value) list.push_back(path_of(one, name));
  return list;
}

Bytes Arguments::path_of(const json& value, const std::string& name) {
  Expected<Bytes> bytes = bytes_from_json(value, name);
  if (bytes && is_plain_path(*bytes)) return std::move(*bytes);
  fail(name, bytes ? "is not an absolute path without '.', '..', '//' and a '/' at its end" : bytes.error().what);
  return {};
}

std::string Arguments::text(const std::string& name) {
  std::optional<std::string> found = maybe_text(name);
  if (!found) fail(name, "is missing");
  return found.value_or(std::string());
}

std::optional<std::string> Arguments::maybe_text(const std::string& name) {
  const json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  fail(name, "is not a string");
  return std::string();
}

std::vector<std::string> Arguments::texts(const std::string& name) {
  const json* value = find(name);
  std::vector<std::string> list;
  if (value == nullptr) return list;
  if (!value->is_array()) fail(name, "is not a list of strings");
  for (const json& one : *value) {
    if (!one.is_string()) fail(name, "is not a list of strings");
    else list.push_back(one.get<std::string>());
  }
  return list;
}

bool Arguments::flag(const std::string& name) {
  const json* value = find(name);
  if (value == nullptr) return false;
  if (!value->is_boolean()) fail(name, "is neither true nor false");
  return *value == true;
}

std::optional<DeviceId> Arguments::maybe_device(const std::string& name) {
  const std::optional<std::string> found = maybe_text(name);
  if (!found) return std::nullopt;
  const Expected<DeviceId> device = parse_device_id(*found);
  if (!device) {
    fail(name, device.error().what);
    return DeviceId();
  }
  return *device;
}

std::size_t Arguments::limit() {
  const json* value = find("limit");
  if (value == nullptr) return kLimitMax;
  if (value->is_number_integer() && *value >= 1 && *value <= kLimitMax) return value->get<std::size_t>();
  fail("limit", "is not a number from 1 to " + std::to_string(kLimitMax));
  return kLimitMax;
}

std::optional<Bytes> Arguments::after() {
  const json* value = find("after");
  if (value == nullptr) return std::nullopt;
  Expected<Bytes> bytes = bytes_from_json(*value, "after");
  if (!bytes) fail("after", bytes.error().what);
  return bytes ? std::move(*bytes) : Bytes();
}

Expected<void> Arguments::done() const {
  if (error_) return *error_;
  for (const auto& [name, value] : request_.items()) {
    if (!seen_.contains(name)) {
      return Error{Errc::invalid_argument, "no such argument", "\"" + printable(name) + "\"", "see docs/control.md"};
    }
  }
  return {};
}

}  // namespace starling::apps
