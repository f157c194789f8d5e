// manifest.json: that it comes back as it was, and that nothing damaged or foreign is accepted.
#include "core/archive/manifest.hpp"

#include "core/base/digest.hpp"

#include <bkhost/error.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <functional>

namespace bkhost {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ObjectRecord object(const std::string& key, uint64_t size) {
    return {key, size, std::string(64, 'a'), size - 20, size * 3, 16, std::string(64, 'b')};
}

Manifest sample() {
    Manifest m;
    m.id = "20260211T031500Z-k3f9qd";
    m.environment = "prod";
    m.tenant = "acme";
    m.source = "shop";
    m.job = "nightly";
    m.started_ms = 1'770'779'700'123;
    m.finished_ms = 1'770'779'760'000;
    m.host = "db1";
    m.created_by = "bkhost 0.1.0";
    m.engine = {"sqlite", "3.40.1", "sqlite", "org.bkhost.sqlite", "0.1.0"};
    m.row_digest = true;
    m.compressor = CodecRecord{"zstd", "zst", "zstd -d", {{"level", {"3"}}}, {}};
    m.encryptor = CodecRecord{"age", "age", "age -d -i KEY_FILE", {}, {"age-x25519:0123", "two"}};
    ComponentRecord c;
    c.name = "shop";
    c.extension = "db";
    c.format = "image";
    c.layout = R"({"page_size":4096})";
    c.plain_size = 123456789012345;
    c.rows = 42;
    c.frames = 7;
    c.volumes = {object("shop.db.zst.age", 1000), object("shop.001.db.zst.age", 900)};
    m.components = {c};
    m.index = object("index.ndjson.zst.age", 500);
    m.plain_size = c.plain_size;
    m.stored_size = 2400;
    m.rows = 42;
    m.warnings = 2;
    return m;
}

nlohmann::ordered_json nested(int levels) {
    nlohmann::ordered_json value;
    while (levels-- > 0)
        value = nlohmann::ordered_json::array({std::move(value)});
    return value;
}

/// The text with a change in its JSON, and a last line that fits again: a forger's work.
std::string forged(const std::function<void(nlohmann::ordered_json&)>& change) {
    Manifest m = sample();
    nlohmann::ordered_json json = nlohmann::ordered_json::parse(manifest_text(m));
    json.erase("manifest_sha256");
    change(json);
    std::string text = json.dump(1);
    text.resize(text.size() - 2);
    text += ",\n";
    return text + "\"manifest_sha256\":\"" + sha256_hex(as_bytes(text)) + "\"}\n";
}

bk_status status_of(std::string_view text, std::string* message = nullptr) {
    try {
        (void)parse_manifest(text, "object 'm'");
    } catch (const bk::Error& error) {
        if (message != nullptr) *message = std::string(error.what()) + " / " + error.hint();
        return error.status();
    }
    return BK_OK;
}

TEST(Manifest, ComesBackAsItWas) {
    Manifest written = sample();
    const std::string text = manifest_text(written);
    Manifest read = parse_manifest(text, "object 'm'");
    EXPECT_EQ(read.sha256, written.sha256);
    EXPECT_EQ(read.tenant, "acme");
    EXPECT_EQ(read.started_ms, written.started_ms);
    EXPECT_EQ(read.engine.module, "org.bkhost.sqlite");
    EXPECT_TRUE(read.row_digest);
    EXPECT_THAT(read.encryptor->key_fingerprints, ElementsAre("age-x25519:0123", "two"));
    EXPECT_EQ(read.compressor->options, written.compressor->options);
    EXPECT_EQ(read.components.front().layout, R"({"page_size":4096})");
    EXPECT_EQ(read.components.front().rows, 42u);
    std::vector<std::string> keys;
    for (const ObjectRecord& record : read.objects())
        keys.push_back(record.key);
    EXPECT_THAT(keys,
                ElementsAre("shop.db.zst.age", "shop.001.db.zst.age", "index.ndjson.zst.age"));
    EXPECT_EQ(manifest_text(read), text); // every member, byte for byte
}

TEST(Manifest, ComesBackWithoutAllThatMayBeAbsent) {
    Manifest written = sample();
    written.tenant = written.job = written.parent = "";
    written.rows = written.components.front().rows = std::nullopt;
    written.compressor = written.encryptor = std::nullopt;
    written.row_digest = false;
    const std::string text = manifest_text(written);
    Manifest read = parse_manifest(text, "object 'm'");
    EXPECT_EQ(read.rows, std::nullopt);
    EXPECT_EQ(read.compressor.has_value(), false);
    EXPECT_FALSE(read.row_digest);
    EXPECT_EQ(manifest_text(read), text);
}

TEST(Manifest, ItsLastLineIsTheDigestOfAllBefore) {
    Manifest m = sample();
    const std::string text = manifest_text(m);
    const size_t last = text.rfind('\n', text.size() - 2) + 1;
    EXPECT_EQ(text.substr(last),
              "\"manifest_sha256\":\"" + sha256_hex(as_bytes(text.substr(0, last))) + "\"}\n");
    EXPECT_TRUE(nlohmann::json::accept(text));
}

TEST(Manifest, EveryTruncationIsRefused) {
    Manifest m = sample();
    const std::string text = manifest_text(m);
    for (size_t n = 0; n < text.size(); ++n)
        ASSERT_EQ(status_of(text.substr(0, n)), BK_E_CORRUPT) << "cut to " << n;
    EXPECT_EQ(status_of(text + "\n"), BK_E_CORRUPT);
    EXPECT_EQ(status_of(text + text), BK_E_CORRUPT);
    EXPECT_EQ(status_of(text.substr(1)), BK_E_CORRUPT);
}

TEST(Manifest, EveryFlippedBitIsRefused) {
    Manifest m = sample();
    std::string text = manifest_text(m);
    for (size_t at = 0; at < text.size(); ++at)
        for (int bit = 0; bit < 8; ++bit) {
            text[at] = static_cast<char>(text[at] ^ (1 << bit));
            const bk_status status = status_of(text);
            ASSERT_TRUE(status == BK_E_CORRUPT || status == BK_E_UNSUPPORTED)
                << "byte " << at << " bit " << bit;
            text[at] = static_cast<char>(text[at] ^ (1 << bit));
        }
    EXPECT_EQ(status_of(text), BK_OK);
}

TEST(Manifest, AnUnknownRequirementIsUnsupported) {
    std::string message;
    const std::string text = forged([](auto& json) { json["requires"] = {"time-travel"}; });
    EXPECT_EQ(status_of(text, &message), BK_E_UNSUPPORTED);
    EXPECT_THAT(message, HasSubstr("time-travel"));
    EXPECT_THAT(message, HasSubstr("bkhost 0.1.0")); // who wrote it
}

TEST(Manifest, ANewerVersionIsUnsupportedWhateverElseItHolds) {
    std::string message;
    const std::string text = forged([](auto& json) {
        json["version"] = 2;
        json.erase("components");
    });
    EXPECT_EQ(status_of(text, &message), BK_E_UNSUPPORTED);
    EXPECT_THAT(message, HasSubstr("format version 2"));
    EXPECT_EQ(status_of(forged([](auto& json) { json["version"] = 0; })), BK_E_UNSUPPORTED);
}

TEST(Manifest, UnknownMembersAreIgnored) {
    EXPECT_EQ(status_of(forged([](auto& json) {
                  json["later"] = {{"a", 1}};
                  json["index"]["later"] = true;
                  json["components"][0]["later"] = nullptr;
              })),
              BK_OK);
}

TEST(Manifest, KeysThatLeadOutOfTheFolderAreRefused) {
    for (const std::string& key :
         {std::string("../other"), std::string(".."), std::string("a/b"),
          std::string("/etc/passwd"), std::string(), std::string(".x"), std::string("a\0b", 3)}) {
        EXPECT_EQ(status_of(forged([&](auto& json) { json["index"]["key"] = key; })), BK_E_CORRUPT);
        EXPECT_EQ(status_of(forged(
                      [&](auto& json) { json["components"][0]["volumes"][1]["key"] = key; })),
                  BK_E_CORRUPT);
    }
}

TEST(Manifest, TheMarkerOfSqlIsANonceAndOthersHaveNone) {
    const std::string nonce = "00112233445566778899aabbccddeeff";
    const auto with = [](const char* format, const nlohmann::ordered_json& marker) {
        return status_of(forged([&](auto& json) {
            json["components"][0]["format"] = format;
            json["components"][0]["marker"] = marker;
        }));
    };
    EXPECT_EQ(with("sql", nonce), BK_OK);
    EXPECT_EQ(with("image", nullptr), BK_OK);
    EXPECT_EQ(with("image", nonce), BK_E_CORRUPT);
    EXPECT_EQ(with("sql", nullptr), BK_E_CORRUPT);
    EXPECT_EQ(with("sql", ""), BK_E_CORRUPT);
    EXPECT_EQ(with("sql", nonce.substr(1)), BK_E_CORRUPT);
    EXPECT_EQ(with("sql", nonce + "0"), BK_E_CORRUPT);
    EXPECT_EQ(with("sql", "00112233445566778899AABBCCDDEEFF"), BK_E_CORRUPT);
    EXPECT_EQ(with("sql", "00112233445566778899aabbccddee\nf"), BK_E_CORRUPT);
    Manifest written = sample();
    written.components.front().format = "sql";
    written.components.front().marker = nonce;
    EXPECT_EQ(parse_manifest(manifest_text(written), "m").components.front().marker, nonce);
}

TEST(Manifest, MembersOfTheWrongKindAreCorrupt) {
    const std::function<void(nlohmann::ordered_json&)> changes[] = {
        [](auto& json) { json["format"] = "zip"; },
        [](auto& json) { json["version"] = "1"; },
        [](auto& json) { json["requires"] = 3; },
        [](auto& json) { json["id"] = "../../x"; },
        [](auto& json) { json["environment"] = "a/b"; },
        [](auto& json) { json["source"] = ""; },
        [](auto& json) { json["started_at"] = "yesterday"; },
        [](auto& json) { json.erase("index"); },
        [](auto& json) { json["components"] = 1; },
        [](auto& json) { json["index"]["size"] = "12"; },
        [](auto& json) { json["index"]["size"] = -1; },
        [](auto& json) { json["index"]["packed_size"] = UINT64_MAX; },
        [](auto& json) { json["index"]["plain_size"] = uint64_t{1} << 63; },
        [](auto& json) { json["plain_size"] = 1.5; },
        [](auto& json) { json["rows"] = true; },
        [](auto& json) { json["version"] = 1.0; },
        [](auto& json) { json["requires"] = nullptr; },
        [](auto& json) { json["components"] = nullptr; },
        [](auto& json) {
            json["components"] = {{"a", json["components"][0]}};
        },
        [](auto& json) { json["components"][0]["volumes"] = nullptr; },
        [](auto& json) { json["components"][0]["name"] = "a/b"; },
        [](auto& json) { json["tenant"] = "../x"; },
        [](auto& json) { json["tenant"] = "_global"; },
        [](auto& json) { json["parent"] = "latest"; },
        [](auto& json) { json["started_at"] = "2026-02-31T03:15:00.000Z"; },
        [](auto& json) { json["started_at"] = "1013-11-21T01:31:45.319Z"; },
        [](auto& json) { json["components"][0]["layout"] = nested(200); },
        [](auto& json) { json["index"]["header_size"] = 501; }, // larger than the object
        [](auto& json) {
            json["components"][0]["layout"] = nlohmann::ordered_json();
            json["warnings"] = {};
        },
    };
    for (const auto& change : changes) {
        std::string message;
        const std::string text = forged(change);
        EXPECT_EQ(status_of(text, &message), BK_E_CORRUPT) << text;
        EXPECT_THAT(message, HasSubstr("object 'm'"));
    }
}

} // namespace
} // namespace bkhost
