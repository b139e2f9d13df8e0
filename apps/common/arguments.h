// The arguments of a control request, read strictly.
//
// A missing argument, one of the wrong type and one that the request does not know are each an Error that names it: a
// typing error in a script must not pass in silence. The first error sticks; values read after it are empty, so that a
// command reads all it wants and asks once.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/expected.h"
#include "core/base/ids.h"

namespace starling::apps {

class Arguments {
 public:
  explicit Arguments(const nlohmann::json& request) : request_(request), seen_{"op", "id"} {}

  [[nodiscard]] Bytes path(const std::string& name);  // absolute; a string or {"hex": "…"}
  [[nodiscard]] std::optional<Bytes> maybe_path(const std::string& name);
  [[nodiscard]] std::vector<Bytes> paths(const std::string& name);  // a list of such, perhaps empty
  [[nodiscard]] std::string text(const std::string& name);
  [[nodiscard]] std::optional<std::string> maybe_text(const std::string& name);
  [[nodiscard]] std::vector<std::string> texts(const std::string& name);  // a list, perhaps empty
  [[nodiscard]] bool flag(const std::string& name);  // missing: false
  [[nodiscard]] std::optional<DeviceId> maybe_device(const std::string& name);
  [[nodiscard]] std::size_t limit();              // "limit": 1 … kLimitMax, which is its default
  [[nodiscard]] std::optional<Bytes> after();     // "after": where the last page ended

  [[nodiscard]] Expected<void> done() const;      // what was wrong, if anything

  static constexpr std::size_t kLimitMax = 1000;  // rows in one reply

 private:
  [[nodiscard]] Bytes path_of(const nlohmann::json& value, const std::string& name);
  [[nodiscard]] const nlohmann::json* find(const std::string& name);
  void fail(const std::string& name, std::string what);

  const nlohmann::json& request_;
  std::set<std::string> seen_;
  std::optional<Error> error_;
};

}  // namespace starling::apps
