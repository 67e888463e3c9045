#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pipeline/net/http2_frame.h"

namespace sluice::net::http2 {

/// What the frames of a client mean to somebody.
class FrameHandler {
 public:
  /// A frame of DATA, HEADERS or CONTINUATION begins, or one of control with nothing wrong about
  /// its length and stream. False where it ends the connection.
  virtual bool begin(const FrameHeader& frame) = 0;
  /// A piece of its content: of DATA or of a header block, without padding and priority.
  virtual void content(const FrameHeader& frame, std::string_view piece) = 0;
  /// The frame is complete. `payload` is that of a control frame of at most 192 bytes; empty for
  /// others.
  virtual void end(const FrameHeader& frame, std::string_view payload) = 0;
  /// A connection error (RFC 9113, section 5.4.1): nothing more is read.
  virtual void fail(ErrorCode code, std::string_view reason) = 0;

 protected:
  ~FrameHandler() = default;
};

/// Cuts what a client sends into frames, and checks what can be told by the frames alone: the
/// preface, lengths, padding, which kinds belong to streams, that nothing comes between the frames
/// of a header block. A payload goes on as it comes, so that frames of any size cost no memory.
class FrameReader {
 public:
  FrameReader(FrameHandler& handler, std::size_t frame_size_max)
      : handler_(handler), frame_size_max_(frame_size_max) {}

  void receive(std::string_view bytes);
  /// Reads no further: inside `receive`, too.
  void stop() { step_ = Step::stopped; }

 private:
  enum class Step : std::uint8_t { start, header, payload, stopped };
  static constexpr std::size_t settings_max = 32;  // in one frame

  void take_preface(std::string_view& bytes);
  void take_header(std::string_view& bytes);
  void take_payload(std::string_view& bytes);
  bool take_prefix(std::string_view& bytes);
  void begin_frame();
  void end_frame();
  bool check();
  bool check_size(std::uint32_t size);
  bool check_stream(bool is_wanted);
  bool fail(ErrorCode code, std::string_view reason = {});

  FrameHandler& handler_;
  const std::size_t frame_size_max_;
  Step step_ = Step::start;
  std::array<char, preface.size()> start_{};  ///< of the preface, or of a frame's header
  std::size_t start_filled_ = 0;
  FrameHeader frame_;
  std::size_t left_ = 0;     ///< of the payload, padding and all
  std::size_t padding_ = 0;  ///< the last of it
  std::size_t prefix_ = 0;   ///< the first of it: the length of the padding, a priority
  std::array<char, 6 * settings_max> small_{};  ///< the payload of a control frame, or the prefix
  std::size_t small_filled_ = 0;
  std::int32_t open_block_ = 0;  ///< the stream whose header block has not ended
  bool has_begun_ = false;       ///< the first frame has come
};

}  // namespace sluice::net::http2
