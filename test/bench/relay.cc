// The floor: a TCP relay that moves the bytes and knows nothing. usage: relay LISTEN_PORT
// TARGET_PORT
#include <utility>

#include <array>
#include <boost/asio.hpp>
#include <cstdlib>
#include <memory>
#include <vector>

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

struct Pair : std::enable_shared_from_this<Pair> {
  explicit Pair(tcp::socket accepted) : near(std::move(accepted)), far(near.get_executor()) {}

  void start(std::uint16_t target) {
    far.connect({asio::ip::address_v4::loopback(), target});
    near.set_option(tcp::no_delay(true));
    far.set_option(tcp::no_delay(true));
    pump(near, far, forward);
    pump(far, near, backward);
  }

  void pump(tcp::socket& from, tcp::socket& to, std::vector<char>& room) {
    from.async_read_some(
        asio::buffer(room), [this, self = shared_from_this(), &from, &to, &room](
                                boost::system::error_code error, std::size_t size) {
          boost::system::error_code ignored;
          if (error) {
            to.close(ignored);
            return;
          }
          asio::async_write(
              to, asio::buffer(room.data(), size),
              [this, self, &from, &to, &room](boost::system::error_code write_error, std::size_t) {
                if (!write_error) pump(from, to, room);
              });
        });
  }

  tcp::socket near, far;
  std::vector<char> forward = std::vector<char>(256 * 1024),
                    backward = std::vector<char>(64 * 1024);
};

void accept(tcp::acceptor& acceptor, std::uint16_t target) {
  acceptor.async_accept([&acceptor, target](boost::system::error_code error, tcp::socket socket) {
    if (!error) std::make_shared<Pair>(std::move(socket))->start(target);
    accept(acceptor, target);
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  asio::io_context loop(1);
  tcp::acceptor acceptor(
      loop, {asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(std::atoi(argv[1]))});
  accept(acceptor, static_cast<std::uint16_t>(std::atoi(argv[2])));
  loop.run();
}
