#include "core/base/schema.h"

#include <doctest/doctest.h>

#include <functional>
#include <set>

using namespace starling;

namespace {

FieldSchema field(std::string name, Affinity affinity, int key_position = 0) {
  FieldSchema f;
  f.name = std::move(name);
  f.affinity = affinity;
  f.key_position = key_position;
  return f;
}

ModelSchema album() {
  ModelSchema m;
  m.name = "album";
  m.fields = {field("id", Affinity::blob, 1), field("title", Affinity::text), field("year", Affinity::integer)};
  m.key = {0};
  m.digest = schema_digest(m);
  return m;
}

}  // namespace

TEST_CASE("schema_digest: differs when anything differs that peers must agree on") {
  const std::function<void(ModelSchema&)> changes[] = {
      [](ModelSchema&) {},
      [](ModelSchema& m) { m.name = "albums"; },
      [](ModelSchema& m) { m.kind = Kind::device_owned; },
      [](ModelSchema& m) { m.fields[1].name = "name"; },
      [](ModelSchema& m) { m.fields[1].affinity = Affinity::blob; },
      [](ModelSchema& m) { m.fields[1].not_null = true; },
      [](ModelSchema& m) { m.fields[1].default_sql = "''"; },
      [](ModelSchema& m) { m.fields[1].default_sql = "NULL"; },
      [](ModelSchema& m) { m.fields[1].key_position = 2; },
      [](ModelSchema& m) { std::swap(m.fields[0].key_position, m.fields[1].key_position); },
      [](ModelSchema& m) { std::swap(m.fields[1], m.fields[2]); },
      [](ModelSchema& m) { m.fields.pop_back(); },
      [](ModelSchema& m) { m.fields.push_back(field("rating", Affinity::real)); },
      [](ModelSchema& m) {  // two fields that would look like one if names had no length
        m.fields[1] = field({"title\0\0\0\0year", 13}, Affinity::integer);
        m.fields.pop_back();
      },
  };
  std::set<Hash128> digests;
  for (const auto& change : changes) {
    ModelSchema m = album();
    change(m);
    CHECK(schema_digest(m) == schema_digest(m));
    digests.insert(schema_digest(m));
  }
  CHECK(digests.size() == std::size(changes));
}

TEST_CASE("schema_digest: is blind to how a device happens to store the table") {
  ModelSchema m = album();
  m.fields[1].column = 7;
  m.fields[1].storage = 5;
  m.without_rowid = true;
  m.has_foreign_keys = true;
  CHECK(schema_digest(m) == album().digest);
}

TEST_CASE("Schema: its digest covers the name and digest of every model") {
  Schema one{{album()}};
  CHECK(one.digest() == Schema{{album()}}.digest());
  CHECK(Schema{}.digest() != one.digest());

  Schema two{{album(), album()}};
  two.models[1].name = "tag";
  CHECK(two.digest() != one.digest());

  Schema renamed = one;
  renamed.models[0].name = "tag";
  CHECK(renamed.digest() != one.digest());

  Schema changed = one;
  changed.models[0].digest.raw[15] ^= 1;
  CHECK(changed.digest() != one.digest());
}

TEST_CASE("Schema: finds a model by its whole name") {
  Schema schema;
  for (const char* name : {"album", "entry", "tag"}) {
    schema.models.push_back(album());
    schema.models.back().name = name;
  }
  for (ModelIndex i = 0; i < schema.models.size(); ++i) {
    const ModelSchema* found = schema.find(schema.models[i].name);
    REQUIRE(found != nullptr);
    CHECK(schema.index_of(*found) == i);
  }
  for (const char* name : {"", "a", "albums", "Album", "zebra"}) CHECK(schema.find(name) == nullptr);
  CHECK(Schema{}.find("album") == nullptr);
}

TEST_CASE("ModelSchema: masks have one bit for each field, up to all 64") {
  ModelSchema m;
  CHECK(m.all_fields() == 0);
  m.fields.resize(3);
  CHECK(m.all_fields() == 0b111);
  m.fields.resize(64);
  CHECK(m.all_fields() == ~FieldMask{0});
  m.key = {63, 1};
  CHECK(m.key_fields() == ((FieldMask{1} << 63) | 0b10));
}

TEST_CASE("quote_identifier: any name") {
  CHECK(quote_identifier("a") == "\"a\"");
  CHECK(quote_identifier("a \"b\"") == "\"a \"\"b\"\"\"");
}
