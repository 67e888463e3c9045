#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// A Jaeger batch as plain data, written by libthrift and libprotobuf, and a naive translation of
/// it into OTLP objects: the truth that the decoders are held against.
namespace sluice::test::jaeger_model {

enum class Kind { text, boolean, integer, real, binary };

struct Tag {
  std::string key;
  Kind kind = Kind::text;
  std::string text;  ///< also binary
  bool boolean = false;
  std::int64_t integer = 0;
  double real = 0;
  std::optional<int> type_number;  ///< written in place of the kind's
};
Tag text(std::string key, std::string value);
Tag boolean(std::string key, bool value);
Tag integer(std::string key, std::int64_t value);
Tag real(std::string key, double value);
Tag binary(std::string key, std::string value);

struct Log {
  std::int64_t time_us = 0;
  std::vector<Tag> fields;
};

struct Ref {
  std::uint64_t high = 0, low = 0, span = 0;
  bool follows = false;
};

struct Process {
  std::string service = "shop";
  std::vector<Tag> tags;
};

struct Span {
  std::uint64_t high = 0x0102030405060708, low = 0x1112131415161718, id = 0x2122232425262728;
  std::uint64_t parent = 0;  ///< Thrift; in protobuf a CHILD_OF reference is written first
  std::string name = "pay";
  std::vector<Ref> refs;
  std::int32_t flags = 1;
  std::int64_t start_us = 1'700'000'000'000'000;
  std::int64_t duration_us = 1500;
  std::vector<Tag> tags;
  std::vector<Log> logs;
  std::optional<Process> process;  ///< protobuf alone
};

struct Batch {
  Process process;
  std::vector<Span> spans = {Span{}};
};

std::string thrift_binary(const Batch& batch);
std::string thrift_compact(const Batch& batch);
std::string proto(const Batch& batch);  ///< a PostSpansRequest

/// The same batch as a call of the agent's method.
std::string binary_message(const Batch& batch, int type = 4, std::string_view name = "emitBatch");
std::string compact_message(const Batch& batch, int type = 4, std::string_view name = "emitBatch");

/// A call of `emitZipkinBatch` with one span: "get" of "shop", a server's, with ids 1 and 2.
std::string binary_zipkin_message();
std::string compact_zipkin_message();

/// The spans in OTLP, each as "resource|scope|span" in libprotobuf's text form, sorted; those with
/// invalid ids left out. `of_proto`: as protobuf has it (its parent is a reference).
std::vector<std::string> naive(const Batch& batch, bool of_proto);
/// The same of OTLP bytes.
std::vector<std::string> lines_of(std::string_view otlp_request);

}  // namespace sluice::test::jaeger_model
