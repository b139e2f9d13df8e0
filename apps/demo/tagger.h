// Somebody who tags on one device while the other device's user does the same.
//
// Each has a thread and a connection. They put the same tag on entries of their own, and describe the same tags: one in
// different fields, one in the same field. A daemon that is killed ends its tagger, quietly.
#pragma once

#include <atomic>
#include <thread>

#include "apps/demo/device.h"

namespace starling::demo {

inline constexpr char kBothTag[] = "favourite";  // its colour is set by both
inline constexpr char kFieldsTag[] = "work";     // A describes it, B colours it
inline constexpr char kDoomedTag[] = "archive";  // A describes it, B deletes it

class Tagger {
 public:
  Tagger(const Device&, std::vector<Bytes> entries, std::string color, std::string field_of_work);
  ~Tagger();
  Tagger(const Tagger&) = delete;
  Tagger& operator=(const Tagger&) = delete;

  void join();
  [[nodiscard]] std::size_t done() const { return done_; }  // writes so far

 private:
  void run(const std::vector<Bytes>& entries, const std::string& color, const std::string& field_of_work);
  [[nodiscard]] bool write(const json& request);

  apps::ControlClient client_;
  std::atomic<std::size_t> done_ = 0;
  bool alive_ = true;  // the daemon
  std::thread thread_;
};

}  // namespace starling::demo
