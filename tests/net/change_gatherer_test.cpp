#include "net/change_gatherer.h"

#include <doctest/doctest.h>

#include <map>
#include <optional>

#include "core/base/prng.h"

namespace starling {
namespace {

constexpr FieldMask kTitle = 0b010, kBody = 0b100;

std::shared_ptr<const Schema> schema() {
  ModelSchema m;
  m.name = "note";
  for (const char* name : {"id", "title", "body"}) {
    FieldSchema f;
    f.name = name;
    f.key_position = m.fields.empty() ? 1 : 0;
    m.fields.push_back(f);
  }
  m.key = {0};
  Schema s;
  s.models.push_back(m);
  return std::make_shared<const Schema>(std::move(s));
}

ChangeSet set(Op op, const std::string& key, FieldMask fields, bool local = true) {
  static const std::shared_ptr<const Schema> models = schema();
  ByteWriter w;
  write_value(w, ValueView::text(key));
  return {models, local, {}, {{0, op, fields, w.take()}}, false};
}

std::string text(const ChangeEvent& event) {
  if (event.everything) return "everything";
  static const char* const kOps[] = {"+", "*", "-"};
  std::string all;
  for (const RowChange& row : event.rows) {
    all += (all.empty() ? "" : " ") + std::string(kOps[static_cast<int>(row.op)]) + std::get<std::string>(row.key.at(0));
    for (const std::string& field : row.fields) all += "," + field;
    if (!row.local) all += "!";
  }
  return all;
}

}  // namespace

TEST_CASE("ChangeGatherer: says what has become of each row since the last event") {
  ChangeGatherer g;
  g.add(set(Op::insert, "a", kTitle | kBody));
  g.add(set(Op::update, "a", kTitle, false));
  g.add(set(Op::update, "b", kTitle));
  g.add(set(Op::update, "b", kBody));
  g.add(set(Op::insert, "c", kTitle | kBody));
  g.add(set(Op::erase, "c", 0));
  g.add(set(Op::erase, "d", 0));
  g.add(set(Op::insert, "d", kTitle | kBody));
  CHECK(text(g.take()) == "+a,title,body! *b,title,body *d,title,body");
  CHECK(g.empty());
  CHECK(text(g.take()).empty());
}

TEST_CASE("ChangeGatherer: a row that came and went, and comes again, is new") {
  ChangeGatherer g;
  for (const Op op : {Op::insert, Op::erase, Op::insert}) g.add(set(op, "a", op == Op::erase ? 0 : kTitle));
  CHECK(text(g.take()) == "+a,title");
}

TEST_CASE("ChangeGatherer: more rows than an event may hold are everything, until the event is taken") {
  ChangeGatherer g;
  for (std::size_t i = 0; i <= limits::kChangeEventRowsMax; ++i) g.add(set(Op::insert, std::to_string(i), kTitle));
  g.add(set(Op::insert, "one more", kTitle));
  CHECK(text(g.take()) == "everything");
  g.add(set(Op::insert, "a", kTitle));
  CHECK(text(g.take()) == "+a,title");
}

TEST_CASE("ChangeGatherer: a conflict is told, with rows, without, and beside everything") {
  ChangeGatherer g;
  ChangeSet lost = set(Op::update, "a", kTitle);
  lost.rows.clear();
  lost.conflicts = true;
  for (const bool rows : {false, true}) {
    g.add(lost);
    if (rows) g.add(set(Op::update, "a", kTitle));
    CHECK_FALSE(g.empty());
    CHECK(g.take().conflicts);
    CHECK(g.empty());
  }
  g.add_everything();
  g.add(lost);
  const ChangeEvent event = g.take();
  CHECK(event.everything);
  CHECK(event.conflicts);
  CHECK_FALSE(g.take().conflicts);
}

// Applied to what a reader had shown before, an event must give what there is now.
TEST_CASE("ChangeGatherer: whatever happens in between, a view that follows the events is right") {
  Prng prng(7);
  for (int round = 0; round < 300; ++round) {
    std::map<std::string, int> truth, view;  // key → version
    ChangeGatherer g;
    int version = 0;
    for (int i = 0; i < 60; ++i) {
      const std::string key(1, static_cast<char>('a' + prng.below(5)));
      const bool there = truth.contains(key);
      if (there && prng.chance(40)) {
        truth.erase(key);
        g.add(set(Op::erase, key, 0));
      } else {
        truth[key] = ++version;
        g.add(set(there ? Op::update : Op::insert, key, kTitle));
      }
      if (!prng.chance(15)) continue;
      for (const RowChange& row : g.take().rows) {
        const auto& name = std::get<std::string>(row.key.at(0));
        CHECK((row.op == Op::insert) == (!view.contains(name) && truth.contains(name)));
        if (row.op == Op::erase) view.erase(name);
        else view[name] = truth.at(name);
      }
      CHECK(view == truth);
    }
  }
}

}  // namespace starling
