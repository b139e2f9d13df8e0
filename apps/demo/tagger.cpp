#include "apps/demo/tagger.h"

#include "apps/common/byte_text.h"

namespace starling::demo {
namespace {

using namespace std::chrono_literals;

constexpr auto kIndexedWithin = 10s;  // the first entries
constexpr auto kBetweenTries = 10ms;
constexpr auto kBetweenRounds = 20ms;

}  // namespace

Tagger::Tagger(const Device& device, std::vector<Bytes> entries, std::string color, std::string field_of_work)
    : client_(device.connect()), thread_([this, entries = std::move(entries), color = std::move(color),
                                          field = std::move(field_of_work)] { run(entries, color, field); }) {}

Tagger::~Tagger() { join(); }

void Tagger::join() {
  if (thread_.joinable()) thread_.join();
}

void Tagger::run(const std::vector<Bytes>& entries, const std::string& color, const std::string& field_of_work) {
  std::size_t round = 0;
  for (const Bytes& entry : entries) {
    const std::string number = std::to_string(round++ % 10);
    const json put{{"op", "tag"}, {"path", apps::bytes_to_json(entry)}, {"tags", {kBothTag}}};
    const Clock::time_point deadline = Clock::now() + kIndexedWithin;
    while (!write(put)) {  // not indexed yet
      if (!alive_ || Clock::now() > deadline) return;
      std::this_thread::sleep_for(kBetweenTries);
    }
    const bool described = write({{"op", "tag_set"}, {"name", kBothTag}, {"color", color + number}}) &&
                           write({{"op", "tag_set"}, {"name", kFieldsTag}, {field_of_work, color + number}});
    if (!described) return;
    std::this_thread::sleep_for(kBetweenRounds);
  }
}

bool Tagger::write(const json& request) {
  const Expected<json> answer = client_.call(request);
  if (answer) ++done_;
  else alive_ = answer.error().code != Errc::unreachable;
  return answer.has_value();
}

}  // namespace starling::demo
