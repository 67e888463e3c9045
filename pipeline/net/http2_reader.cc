#include "pipeline/net/http2_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace sluice::net::http2 {
namespace {

constexpr std::size_t priority_size = 5;

/// Kinds whose payload is collected, since it means something only as a whole.
bool is_collected(FrameType type) {
  return type == FrameType::rst_stream || type == FrameType::settings || type == FrameType::ping ||
         type == FrameType::window_update;
}

bool has_content(FrameType type) {
  return type == FrameType::data || type == FrameType::headers || type == FrameType::continuation;
}

}  // namespace

void FrameReader::receive(std::string_view bytes) {
  while (!bytes.empty()) {
    switch (step_) {
      case Step::start: take_preface(bytes); break;
      case Step::header: take_header(bytes); break;
      case Step::payload: take_payload(bytes); break;
      case Step::stopped: return;
    }
  }
}

void FrameReader::take_preface(std::string_view& bytes) {
  const std::size_t size = std::min(bytes.size(), preface.size() - start_filled_);
  if (bytes.substr(0, size) != preface.substr(start_filled_, size)) {
    fail(ErrorCode::protocol_error);
    return;
  }
  bytes.remove_prefix(size);
  start_filled_ += size;
  if (start_filled_ < preface.size()) return;
  start_filled_ = 0;
  step_ = Step::header;
}

void FrameReader::take_header(std::string_view& bytes) {
  if (start_filled_ == 0 && bytes.size() >= frame_header_size) {
    frame_ = read_frame_header(bytes.data());
    bytes.remove_prefix(frame_header_size);
    return begin_frame();
  }
  const std::size_t size = std::min(bytes.size(), frame_header_size - start_filled_);
  std::memcpy(start_.data() + start_filled_, bytes.data(), size);
  bytes.remove_prefix(size);
  start_filled_ += size;
  if (start_filled_ < frame_header_size) return;
  start_filled_ = 0;
  frame_ = read_frame_header(start_.data());
  begin_frame();
}

void FrameReader::begin_frame() {
  left_ = frame_.length;
  padding_ = prefix_ = small_filled_ = 0;
  step_ = Step::payload;
  if (!check() || !handler_.begin(frame_)) {
    stop();
    return;
  }
  if (left_ == 0 && step_ == Step::payload) end_frame();
}

/// Sections 4.2, 4.3 and 6.
bool FrameReader::check() {
  if (frame_.length > frame_size_max_) return fail(ErrorCode::frame_size_error);
  const bool is_settings = frame_.type == FrameType::settings && !frame_.has(flag::ack);
  if (!std::exchange(has_begun_, true) && !is_settings)
    return fail(ErrorCode::protocol_error, "the first frame is not SETTINGS");
  const bool goes_on = frame_.type == FrameType::continuation && frame_.stream == open_block_;
  if (open_block_ != 0 && !goes_on)
    return fail(ErrorCode::protocol_error, "a header block is interrupted");

  const bool is_of_stream = frame_.stream != 0;
  switch (frame_.type) {
    case FrameType::data:
    case FrameType::headers:
      prefix_ = frame_.has(flag::padded) ? 1 : 0;
      if (frame_.type == FrameType::headers && frame_.has(flag::priority)) prefix_ += priority_size;
      if (frame_.length < prefix_) return fail(ErrorCode::frame_size_error);
      if (frame_.type == FrameType::headers && !frame_.has(flag::end_headers))
        open_block_ = frame_.stream;
      return check_stream(is_of_stream);
    case FrameType::continuation:
      if (open_block_ == 0) return fail(ErrorCode::protocol_error);
      if (frame_.has(flag::end_headers)) open_block_ = 0;
      return true;
    case FrameType::priority: return check_stream(is_of_stream) && check_size(priority_size);
    case FrameType::rst_stream: return check_stream(is_of_stream) && check_size(4);
    case FrameType::settings:
      if (!check_stream(!is_of_stream)) return false;
      if (frame_.has(flag::ack)) return check_size(0);
      if (frame_.length % 6 != 0) return fail(ErrorCode::frame_size_error);
      if (frame_.length > small_.size())
        return fail(ErrorCode::enhance_your_calm, "too many settings");
      return true;
    case FrameType::push_promise: return fail(ErrorCode::protocol_error);
    case FrameType::ping: return check_stream(!is_of_stream) && check_size(8);
    case FrameType::goaway:
      return check_stream(!is_of_stream) &&
             (frame_.length >= 8 || fail(ErrorCode::frame_size_error));
    case FrameType::window_update: return check_size(4);
    default: return true;  // of a kind that is not known: ignored (section 4.1)
  }
}

bool FrameReader::check_size(std::uint32_t size) {
  return frame_.length == size || fail(ErrorCode::frame_size_error);
}

bool FrameReader::check_stream(bool is_wanted) {
  return is_wanted || fail(ErrorCode::protocol_error);
}

void FrameReader::take_payload(std::string_view& bytes) {
  if (small_filled_ < prefix_ && !take_prefix(bytes)) return;
  const std::string_view piece = bytes.substr(0, left_);
  const std::string_view wanted = piece.substr(0, left_ - std::min(padding_, left_));
  bytes.remove_prefix(piece.size());
  left_ -= piece.size();
  if (is_collected(frame_.type)) {
    std::memcpy(small_.data() + small_filled_, wanted.data(), wanted.size());
    small_filled_ += wanted.size();
  } else if (has_content(frame_.type) && !wanted.empty()) {
    handler_.content(frame_, wanted);
  }
  if (left_ == 0 && step_ == Step::payload) end_frame();
}

/// Whether all of it is there.
bool FrameReader::take_prefix(std::string_view& bytes) {
  const std::size_t size = std::min(bytes.size(), prefix_ - small_filled_);
  std::memcpy(small_.data() + small_filled_, bytes.data(), size);
  bytes.remove_prefix(size);
  small_filled_ += size;
  left_ -= size;
  if (small_filled_ < prefix_) return false;
  if (frame_.has(flag::padded)) padding_ = static_cast<unsigned char>(small_.front());
  return padding_ <= left_ || fail(ErrorCode::protocol_error);
}

void FrameReader::end_frame() {
  step_ = Step::header;
  handler_.end(frame_, is_collected(frame_.type) ? std::string_view(small_.data(), small_filled_)
                                                 : std::string_view());
}

bool FrameReader::fail(ErrorCode code, std::string_view reason) {
  stop();
  handler_.fail(code, reason);
  return false;
}

}  // namespace sluice::net::http2
