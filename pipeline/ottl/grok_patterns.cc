// The patterns that grok knows by name: what the names mean is Logstash's convention, and the
// fields of whole log lines are those of the Elastic Common Schema, which the collector gives too.
//
// A name within a pattern is visible where all captures are wanted, not the named ones alone: IP is
// either IPV4 or IPV6, and both can be asked for. What has no name among users gets none here.
#include "pipeline/ottl/grok_patterns.h"

#include <algorithm>
#include <string>

namespace sluice::ottl {
namespace {

struct Pattern {
  std::string_view name;
  std::string expression;
};

/// Four numbers up to 255.
std::string ipv4() {
  const std::string number = R"((?:2(?:5[0-5]|[0-4]\d)|[01]?\d{1,2}))";
  return number + R"((?:\.)" + number + "){3}";
}

/// RFC 4291, section 2.2: eight groups, or fewer around one `::`; an IPv4 address may stand for the
/// last two. The forms differ in how many groups come before the `::`. Behind it all, a zone.
std::string ipv6() {
  const std::string group = "[[:xdigit:]]{1,4}";
  const auto groups = [&](std::string_view count) {
    return "(?:" + group + ":){" + std::string(count) + "}";
  };
  std::string forms = groups("6") + "(?:" + ipv4() + "|" + group + ":" + group + ")";
  for (int before = 7; before >= 0; --before) {
    forms += "|" + (before == 0 ? ":" : groups(std::to_string(before))) + ":";
    std::string behind;
    if (before <= 5) behind += groups("0," + std::to_string(5 - before)) + ipv4() + "|";
    if (before <= 6) behind += groups("0," + std::to_string(6 - before)) + group;
    forms += "(?:" + behind + ")?";
  }
  return "(?:" + forms + R"()(?:%[\w.~-]+)?)";
}

/// RFC 1123: labels of at most 63 letters, digits and hyphens; the root's dot may end them.
std::string hostname() {
  const std::string label = "[[:alnum:]][[:alnum:]-]{0,62}";
  return R"(\b)" + label + R"((?:\.)" + label + R"()*\.?)";
}

const std::vector<Pattern>& patterns() {
  static const std::vector<Pattern> table = {
      // Any text
      {"WORD", R"(\b\w+\b)"},
      {"NOTSPACE", R"(\S+)"},
      {"SPACE", R"(\s*)"},
      {"DATA", ".*?"},
      {"GREEDYDATA", ".*"},
      {"QUOTEDSTRING", R"("(?:\\.|[^\\"])*"|'(?:\\.|[^\\'])*')"},
      {"QS", "%{QUOTEDSTRING}"},

      // Numbers
      {"INT", R"([+-]?\d+)"},
      {"POSINT", R"(\b[1-9]\d*\b)"},
      {"NONNEGINT", R"(\b\d+\b)"},
      {"BASE10NUM", R"([+-]?(?:\d+(?:\.\d+)?|\.\d+))"},
      {"NUMBER", "%{BASE10NUM}"},
      {"BASE16NUM", "[+-]?(?:0x)?[[:xdigit:]]+"},
      {"BASE16FLOAT", R"([+-]?(?:0x)?[[:xdigit:]]+(?:\.[[:xdigit:]]*)?)"},
      {"BOOL", "true|false"},

      // Identities
      {"USERNAME", R"([\w.-]+)"},
      {"USER", "%{USERNAME}"},
      {"EMAILLOCALPART", R"([[:alpha:]][\w.+=:-]*)"},
      {"EMAILADDRESS", "%{EMAILLOCALPART}@%{HOSTNAME}"},
      {"HTTPDUSER", "%{EMAILADDRESS}|%{USER}"},
      {"UUID", "[[:xdigit:]]{8}(?:-[[:xdigit:]]{4}){3}-[[:xdigit:]]{12}"},
      {"URN",
       "urn:[[:alnum:]][[:alnum:]-]{0,31}:"
       "(?:[[:alnum:]()+,.:=@;$_!*'/?#-]|%[[:xdigit:]]{2})+"},  // RFC 2141

      // Hosts
      {"COMMONMAC", "[[:xdigit:]]{2}(?::[[:xdigit:]]{2}){5}"},
      {"WINDOWSMAC", "[[:xdigit:]]{2}(?:-[[:xdigit:]]{2}){5}"},
      {"CISCOMAC", R"([[:xdigit:]]{4}(?:\.[[:xdigit:]]{4}){2})"},
      {"MAC", "%{COMMONMAC}|%{WINDOWSMAC}|%{CISCOMAC}"},
      {"IPV4", ipv4()},
      {"IPV6", ipv6()},
      {"IP", "%{IPV6}|%{IPV4}"},  // in this order, since the one may end in the other
      {"HOSTNAME", hostname()},
      {"IPORHOST", "%{IP}|%{HOSTNAME}"},
      {"HOSTPORT", "%{IPORHOST}:%{POSINT}"},

      // Files
      {"UNIXPATH", R"((?:/[\w.,:@+~!$%-]+)+)"},
      {"WINPATH", R"([[:alpha:]]+:(?:\\[^\\*?]+)+)"},
      {"PATH", "%{UNIXPATH}|%{WINPATH}"},
      {"TTY", R"(/dev/(?:pts|tty)\w*/?\d+)"},

      // Identifiers of resources (RFC 3986); a path's segments are not empty
      {"URIPROTO", "[[:alpha:]][[:alnum:]+.-]+"},
      {"URIHOST", "%{IPORHOST}(?::%{POSINT})?"},
      {"URIPATH", R"((?:/[\w.~!$&'()*+,;=:@%{}#-]+)+)"},
      {"URIQUERY", R"([\w.~!$&'()*+,;=:@%{}#/?|<>[\]-]*)"},
      {"URIPARAM", R"(\?%{URIQUERY})"},
      {"URIPATHPARAM", R"(%{URIPATH}(?:\?%{URIQUERY})?)"},
      {"URI", R"(%{URIPROTO}://(?:%{USER}(?::[^@/\s]*)?@)?)"
              R"(%{URIHOST}(?:%{URIPATH}(?:\?%{URIQUERY})?)?)"},

      // Parts of dates and times
      {"MONTH", R"(\b(?:Jan|January|Feb|February|Mar|March|Apr|April|May|Jun|June|Jul|July|)"
                R"(Aug|August|Sep|September|Oct|October|Nov|November|Dec|December)\b)"},
      {"MONTHNUM", "0[1-9]|1[0-2]"},
      {"MONTHDAY", R"(0[1-9]|[12]\d|3[01]|[1-9])"},
      {"DAY", R"(\b(?:Mon|Monday|Tue|Tuesday|Wed|Wednesday|Thu|Thursday|Fri|Friday|)"
              R"(Sat|Saturday|Sun|Sunday)\b)"},
      {"YEAR", R"(\d{4}|\d{2})"},
      {"HOUR", R"(2[0-3]|[01]?\d)"},
      {"MINUTE", R"([0-5]\d)"},
      {"SECOND", R"((?:60|[0-5]\d)(?:[.,:]\d+)?)"},  // 60: a leap second
      {"ISO8601_SECOND", "%{SECOND}"},
      {"ISO8601_TIMEZONE", "Z|[+-]%{HOUR}:?%{MINUTE}"},
      {"TZ", "UTC|[PMACE][SDE]T"},

      // Dates and times
      {"TIME", "%{HOUR}:%{MINUTE}(?::%{SECOND})?"},
      {"DATE_US", "%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}"},
      {"DATE_EU", "%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}"},
      {"DATE", "%{DATE_US}|%{DATE_EU}"},
      {"DATESTAMP", "%{DATE}[ -]%{TIME}"},
      {"DATESTAMP_RFC822", "%{DAY} %{MONTH} %{MONTHDAY} %{YEAR} %{TIME} %{TZ}"},
      {"DATESTAMP_RFC2822", "%{DAY}, %{MONTHDAY} %{MONTH} %{YEAR} %{TIME} %{ISO8601_TIMEZONE}"},
      {"DATESTAMP_OTHER", "%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{TZ} %{YEAR}"},
      {"DATESTAMP_EVENTLOG", "%{YEAR}%{MONTHNUM}%{MONTHDAY}%{HOUR}%{MINUTE}%{SECOND}"},
      {"TIMESTAMP_ISO8601",
       "%{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]"
       "%{HOUR}:?%{MINUTE}(?::?%{SECOND})?%{ISO8601_TIMEZONE}?"},
      {"HTTPDATE", "%{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} %{INT}"},
      {"SYSLOGTIMESTAMP", "%{MONTH} +%{MONTHDAY} %{TIME}"},

      // Logs in general
      {"LOGLEVEL",
       "(?i:trace|debug|information|info|notice|warning|warn|error|err|critical|crit|"
       "severe|fatal|alert|emergency|emerg)"},

      // Syslog of RFC 3164
      {"PROG", R"([^\s[\]]+)"},
      {"SYSLOGPROG", R"(%{PROG}(?:\[\d+\])?)"},
      {"SYSLOGHOST", "%{IPORHOST}"},
      {"SYSLOGFACILITY", R"(<%{NONNEGINT}\.%{NONNEGINT}>)"},
      {"SYSLOGBASE",
       "%{SYSLOGTIMESTAMP:timestamp} (?:%{SYSLOGFACILITY} )?"
       "%{SYSLOGHOST:host.name} %{SYSLOGPROG}:"},
      {"SYSLOGBASE2",
       "(?:%{SYSLOGTIMESTAMP:timestamp}|%{TIMESTAMP_ISO8601:timestamp})"
       "(?: %{SYSLOGFACILITY})?(?: %{SYSLOGHOST:host.name})?(?: %{SYSLOGPROG}:)?"},
      {"SYSLOGLINE", "%{SYSLOGBASE2} %{GREEDYDATA:message}"},

      // Access logs: `%h %l %u [%t] "%r" %>s %b`, the Common Log Format, and the same with referrer
      // and user agent. A request that is not HTTP is passed over.
      {"HTTPD_COMMONLOG",
       "%{IPORHOST:source.address} "
       "(?:-|%{HTTPDUSER:apache.access.user.identity}) "
       "(?:-|%{HTTPDUSER:user.name}) "
       R"(\[%{HTTPDATE:timestamp}\] ")"
       "(?:%{WORD:http.request.method} %{NOTSPACE:url.original}"
       "(?: HTTP/%{NUMBER:http.version})?|%{DATA})\" "
       "(?:-|%{INT:http.response.status_code:int}) "
       "(?:-|%{INT:http.response.body.size:long})"},
      {"HTTPD_COMBINEDLOG",
       "%{HTTPD_COMMONLOG} \"(?:-|%{DATA:http.request.referrer})\" "
       "\"(?:-|%{DATA:user_agent.original})\""},
      {"COMMONAPACHELOG", "%{HTTPD_COMMONLOG}"},
      {"COMBINEDAPACHELOG", "%{HTTPD_COMBINEDLOG}"},
  };
  return table;
}

}  // namespace

std::optional<std::string_view> grok_pattern(std::string_view name) {
  const auto found = std::find_if(patterns().begin(), patterns().end(),
                                  [&](const Pattern& pattern) { return pattern.name == name; });
  return found == patterns().end() ? std::nullopt
                                   : std::optional<std::string_view>(found->expression);
}

std::vector<std::string> grok_pattern_names() {
  std::vector<std::string> names;
  for (const Pattern& pattern : patterns()) names.emplace_back(pattern.name);
  return names;
}

}  // namespace sluice::ottl
