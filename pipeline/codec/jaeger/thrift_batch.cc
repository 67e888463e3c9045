// jaeger.thrift's Batch, from a reader of either protocol into OTLP, in one pass and without a
// tree. Known fields of another type than the schema's are stepped over, as Thrift's generated
// code does.

#include "pipeline/codec/allowance.h"
#include "pipeline/codec/jaeger/grouping.h"
#include "pipeline/codec/jaeger/jaeger.h"

namespace sluice::jaeger {
namespace {

using thrift::Field;
using thrift::List;
using thrift::Type;

/// A field's id and type in one number, to switch on.
constexpr std::uint32_t key(int id, Type type) {
  return static_cast<std::uint32_t>(static_cast<std::uint16_t>(id)) << 8 |
         static_cast<std::uint32_t>(type);
}
constexpr std::uint32_t key(const Field& field) { return key(field.id, field.type); }

/// The head of a list of structs; of a list of anything else, none, having stepped over it.
template <typename Reader>
std::uint32_t structs(Reader& reader) {
  const List list = reader.list();
  if (list.element == Type::structure) return list.size;
  for (std::uint32_t i = 0; i < list.size && reader.ok(); ++i) reader.skip_element(list.element);
  return 0;
}

/// Whatever fields are left of a Tag.
template <typename Reader>
void read_tag_fields(Reader& reader, Field field, Tag& tag, std::string_view& binary) {
  while (reader.next(field)) {
    switch (key(field)) {
      case key(1, Type::string): tag.key = reader.string(); break;
      case key(2, Type::i32): tag.type_number = reader.i32(); break;
      case key(3, Type::string): tag.text = reader.string(); break;
      case key(4, Type::real): tag.real = reader.real(); break;
      case key(5, Type::boolean): tag.boolean = reader.boolean(field); break;
      case key(6, Type::i64): tag.integer = reader.i64(); break;
      case key(7, Type::string): binary = reader.string(); break;
      default: reader.skip(field);
    }
  }
}

/// First the fields as everybody writes them (key, type, the value of that type), then whatever is
/// left. All values are read, and the type says which one counts.
template <typename Reader>
Tag read_tag(Reader& reader) {
  Tag tag;
  std::string_view binary;
  Field field;
  (void)reader.next_string(1, field, tag.key);
  (void)reader.next_i32(2, field, tag.type_number);
  if (!reader.next_string(3, field, tag.text)) (void)reader.next_i64(6, field, tag.integer);
  if (!reader.next_is_stop()) read_tag_fields(reader, field, tag, binary);
  constexpr Tag::Kind kinds[] = {Tag::Kind::text, Tag::Kind::real, Tag::Kind::boolean,
                                 Tag::Kind::integer, Tag::Kind::binary};
  const auto type = static_cast<std::uint32_t>(tag.type_number);
  tag.kind = type < 5 ? kinds[type] : Tag::Kind::unknown;
  if (tag.kind == Tag::Kind::binary) tag.text = binary;
  return tag;
}

template <typename Reader>
Reference read_reference(Reader& reader) {
  Reference reference;
  Field field;
  while (reader.next(field)) {
    switch (key(field)) {
      case key(1, Type::i32): reference.type = reader.i32(); break;
      case key(2, Type::i64): reference.trace_low = static_cast<std::uint64_t>(reader.i64()); break;
      case key(3, Type::i64):
        reference.trace_high = static_cast<std::uint64_t>(reader.i64());
        break;
      case key(4, Type::i64): reference.span = static_cast<std::uint64_t>(reader.i64()); break;
      default: reader.skip(field);
    }
  }
  return reference;
}

template <typename Reader>
void read_log(Reader& reader, SpanDraft& draft) {
  const std::size_t mark = draft.begin_event();
  Field field;
  while (reader.next(field)) {
    if (field.is(1, Type::i64)) {
      draft.event_time(nanos_of_micros(reader.i64(), draft.clamped));
    } else if (field.is(2, Type::list)) {
      const std::uint32_t count = structs(reader);
      for (std::uint32_t i = 0; i < count && reader.ok(); ++i) draft.event_field(read_tag(reader));
    } else {
      reader.skip(field);
    }
  }
  draft.end_event(mark);
}

/// Twice over the references, once the ids are known: for the parent, and for the links.
template <typename Reader>
void read_references(Reader reader, SpanDraft& draft) {
  const std::uint32_t count = structs(reader);
  Reader again = reader;
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i)
    draft.consider_parent(read_reference(reader));
  for (std::uint32_t i = 0; i < count && again.ok(); ++i) draft.link(read_reference(again));
}

template <typename Reader>
class SpanReader {
 public:
  SpanReader(Reader& reader, SpanDraft& draft) : reader_(reader), draft_(draft) {}

  /// All of the struct, but for what `SpanDraft::finish` does: first its fields as everybody writes
  /// them, then whatever is left.
  void read() {
    Field field;
    std::int64_t low = 0, high = 0, span = 0, parent = 0;
    std::int32_t flags = 0;
    std::string_view name;
    (void)reader_.next_i64(1, field, low);
    (void)reader_.next_i64(2, field, high);
    (void)reader_.next_i64(3, field, span);
    (void)reader_.next_i64(4, field, parent);
    draft_.trace_low = static_cast<std::uint64_t>(low);
    draft_.trace_high = static_cast<std::uint64_t>(high);
    draft_.span = static_cast<std::uint64_t>(span);
    draft_.parent = static_cast<std::uint64_t>(parent);
    if (reader_.next_string(5, field, name)) draft_.name(name);
    (void)reader_.next_i32(7, field, flags);
    draft_.flags = static_cast<std::uint32_t>(flags);
    (void)reader_.next_i64(8, field, start_);
    (void)reader_.next_i64(9, field, duration_);
    while (reader_.next(field)) take(field);
    draft_.start = nanos_of_micros(start_, draft_.clamped);
    draft_.end = end_of(draft_.start, duration_, 1000, 0, draft_.clamped);
    if (has_references_ && reader_.ok()) read_references(references_, draft_);
    if (!draft_.fits()) reader_.fail(allowance_exceeded);
  }

 private:
  std::uint64_t id() { return static_cast<std::uint64_t>(reader_.i64()); }

  void take(const Field& field) {
    switch (key(field)) {
      case key(1, Type::i64): draft_.trace_low = id(); return;
      case key(2, Type::i64): draft_.trace_high = id(); return;
      case key(3, Type::i64): draft_.span = id(); return;
      case key(4, Type::i64): draft_.parent = id(); return;
      case key(5, Type::string): draft_.name(reader_.string()); return;
      case key(6, Type::list):
        references_ = reader_;
        has_references_ = true;
        return reader_.skip(field);
      case key(7, Type::i32): draft_.flags = static_cast<std::uint32_t>(reader_.i32()); return;
      case key(8, Type::i64): start_ = reader_.i64(); return;
      case key(9, Type::i64): duration_ = reader_.i64(); return;
      case key(10, Type::list): {
        const std::uint32_t count = structs(reader_);
        for (std::uint32_t i = 0; i < count && reader_.ok(); ++i) draft_.tag(read_tag(reader_));
        return;
      }
      case key(11, Type::list): {
        const std::uint32_t count = structs(reader_);
        for (std::uint32_t i = 0; i < count && reader_.ok(); ++i) read_log(reader_, draft_);
        return;
      }
      default: reader_.skip(field);
    }
  }

  Reader& reader_;
  SpanDraft& draft_;
  Reader references_;
  std::int64_t start_ = 0, duration_ = 0;
  bool has_references_ = false;
};

/// Steps over a Process, keeping its name and where its tags are.
template <typename Reader>
struct ProcessReader {
  std::string_view service;
  Reader tags;
  bool has_tags = false;

  void read(Reader& reader) {
    Field field;
    while (reader.next(field)) {
      if (field.is(1, Type::string)) {
        service = reader.string();
        continue;
      }
      if (field.is(2, Type::list)) {
        tags = reader;
        has_tags = true;
      }
      reader.skip(field);
    }
  }

  template <typename Use>
  void each_tag(Use use) const {
    if (!has_tags) return;
    Reader reader = tags;
    const std::uint32_t count = structs(reader);
    for (std::uint32_t i = 0; i < count && reader.ok(); ++i) use(read_tag(reader));
  }
};

/// False when `out` would become larger than `limit`, and then not whole.
template <typename Reader>
bool write_resource(const ProcessReader<Reader>& process, SpanWriter& out, std::size_t limit) {
  if (process.service == no_service_name) return true;
  const std::size_t mark = out.begin(otlp::resource_spans::resource, 256);
  ResourceNames names;
  process.each_tag([&](const Tag& tag) { names.see(tag.key); });
  if (!process.service.empty() && !names.has_service_name())
    out.attribute(otlp::resource::attributes, "service.name", process.service);
  process.each_tag([&](const Tag& tag) {
    if (out.size() + tag.key.size() + tag.text.size() <= limit) names.write(out, tag);
  });
  out.end(mark);
  return out.size() <= limit;
}

template <typename Reader>
class BatchSource {
 public:
  /// `reader` stands at the head of the list of spans.
  BatchSource(Reader& reader, const ProcessReader<Reader>& process, SpanWriter& out, Report& report)
      : reader_(reader),
        process_(process),
        out_(out),
        report_(report),
        allowance_(reader.whole(), out.size(), Allowance::Input::kept),
        count_(structs(reader)),
        first_(reader.position()) {}

  void rewind() {
    seek(first_);
    index_ = 0;
  }
  bool more() const { return index_ < count_ && reader_.ok(); }
  std::size_t position() const { return reader_.position(); }
  const char* begin() const { return reader_.whole().data(); }
  void seek(std::size_t position) {
    end_ = std::max(end_, reader_.position());
    reader_.seek(position);
  }
  /// To behind the last span, whichever was written last.
  void seek_end() { seek(std::max(end_, reader_.position())); }
  bool ok() const { return reader_.ok(); }
  void resource(std::string_view) {
    if (!write_resource(process_, out_, limit())) reader_.fail(allowance_exceeded);
  }
  void all_in(const Group&) {}
  static bool settled() { return false; }
  void hold(std::size_t size) {
    held_ += size;
    if (held_ > allowance_.limit(0)) reader_.fail(allowance_exceeded);
  }

  Group survey() {
    ++index_;
    TagFacts facts;
    Field field;
    while (reader_.next(field)) {
      if (!field.is(10, Type::list)) {
        reader_.skip(field);
        continue;
      }
      const std::uint32_t count = structs(reader_);
      for (std::uint32_t i = 0; i < count && reader_.ok(); ++i) (void)facts.take(read_tag(reader_));
    }
    return {{}, facts.scope_name, facts.scope_version};
  }

  bool translate(Group& group) {
    ++index_;
    SpanDraft draft(out_, limit());
    SpanReader<Reader>(reader_, draft).read();
    if (!reader_.ok()) return false;
    group = draft.group();
    return draft.finish(report_, process_.service);
  }

 private:
  /// Of the output, so far.
  std::size_t limit() const {
    const std::size_t limit = allowance_.limit(report_.spans);
    return limit - std::min(limit, held_);
  }

  Reader& reader_;
  const ProcessReader<Reader>& process_;
  SpanWriter& out_;
  Report& report_;
  const Allowance allowance_;
  std::size_t held_ = 0;
  const std::uint32_t count_;
  const std::size_t first_;
  std::size_t end_ = 0;
  std::uint32_t index_ = 0;
};

/// On from the head of the list of spans to its end.
template <typename Reader>
void write_batch(Reader& reader, const ProcessReader<Reader>& process, SpanWriter& out,
                 Report& report) {
  BatchSource<Reader> source(reader, process, out, report);
  if (write_spans(source, out, report, reader.left() / 2)) source.seek_end();
}

}  // namespace

template <typename Reader>
bool translate_batch(Reader& reader, SpanWriter& out, Report& report) {
  const std::size_t start = out.size();
  ProcessReader<Reader> process;
  Reader early;  // spans that came before their process
  bool has_process = false, has_spans = false, has_early = false;
  Field field;
  while (reader.next(field)) {
    if (field.is(1, Type::structure) && !has_process) {
      has_process = true;
      process.read(reader);
    } else if (field.is(2, Type::list) && !has_spans && has_process) {
      has_spans = true;
      write_batch(reader, process, out, report);
    } else {
      if (field.is(2, Type::list) && !has_spans) {
        has_spans = has_early = true;
        early = reader;
      }
      reader.skip(field);
    }
  }
  if (!has_process) reader.fail("a batch without a process");
  if (!has_spans) reader.fail("a batch without spans");
  if (has_early && reader.ok()) {
    write_batch(early, process, out, report);
    if (!early.ok()) reader = early;
  }
  if (reader.ok()) return true;
  out.truncate(start);
  report = {};
  report.error = reader.error();
  return false;
}

template bool translate_batch(thrift::BinaryReader&, SpanWriter&, Report&);
template bool translate_batch(thrift::CompactReader&, SpanWriter&, Report&);

}  // namespace sluice::jaeger
