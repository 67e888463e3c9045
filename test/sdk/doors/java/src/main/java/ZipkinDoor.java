import brave.Span;
import brave.Tracing;
import brave.handler.SpanHandler;
import brave.sampler.Sampler;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import zipkin2.reporter.AsyncReporter;
import zipkin2.reporter.Encoding;
import zipkin2.reporter.SpanBytesEncoder;
import zipkin2.reporter.brave.AsyncZipkinSpanHandler;
import zipkin2.reporter.brave.ZipkinSpanHandler;
import zipkin2.reporter.urlconnection.URLConnectionSender;

/** Brave, with zipkin-reporter over HttpURLConnection. */
final class ZipkinDoor {
  static JsonObject run(Doors.Case each) throws Exception {
    String format = each.client().substring("brave-".length());
    String version = format.equals("thrift") || format.equals("v1") ? "v1" : "v2";
    Encoding encoding = switch (format) {
      case "proto" -> Encoding.PROTO3;
      case "thrift" -> Encoding.THRIFT;
      default -> Encoding.JSON;
    };
    try (URLConnectionSender sender = URLConnectionSender.newBuilder().encoding(encoding)
        .endpoint("http://" + each.address() + "/api/" + version + "/spans").build()) {
      List<List<String>> ids;
      if (format.equals("json")) { // Brave's own writer of JSON; the others are Zipkin's
        try (AsyncZipkinSpanHandler handler = AsyncZipkinSpanHandler.newBuilder(sender)
            .messageTimeout(100, TimeUnit.MILLISECONDS).build()) {
          ids = make(each, handler);
          handler.flush();
        }
      } else {
        SpanBytesEncoder encoder = Map.of("proto", SpanBytesEncoder.PROTO3, "thrift", SpanBytesEncoder.THRIFT,
            "v1", SpanBytesEncoder.JSON_V1).get(format);
        try (AsyncReporter<zipkin2.Span> reporter = AsyncReporter.builder(sender)
            .messageTimeout(100, TimeUnit.MILLISECONDS).build(encoder)) {
          ids = make(each, ZipkinSpanHandler.create(reporter));
          reporter.flush();
        }
      }
      return Doors.ids(ids);
    }
  }

  private static List<List<String>> make(Doors.Case each, SpanHandler handler) {
    JsonObject endpoint = each.content().getAsJsonObject("endpoint");
    try (Tracing tracing = Tracing.newBuilder().localServiceName(each.service())
        .localIp(endpoint.get("ipv4").getAsString()).localPort(endpoint.get("port").getAsInt()).traceId128Bit(true)
        .supportsJoin(true).sampler(Sampler.ALWAYS_SAMPLE).addSpanHandler(handler).build()) {
      List<Span> made = new ArrayList<>();
      List<List<String>> ids = new ArrayList<>();
      for (JsonObject from : each.spans()) {
        Span span;
        if (from.has("parent")) {
          span = tracing.tracer().newChild(made.get(from.get("parent").getAsInt()).context());
        } else if (from.has("shared")) { // the server's half of a call: its context came over the wire
          span = tracing.tracer().joinSpan(made.get(from.get("shared").getAsInt()).context());
        } else {
          span = tracing.tracer().newTrace();
        }
        made.add(span);
        ids.add(List.of(span.context().traceIdString(), span.context().spanIdString()));
        long start = from.get("timestamp").getAsLong();
        span.name(from.get("name").getAsString());
        if (from.has("kind")) span.kind(Span.Kind.valueOf(from.get("kind").getAsString()));
        span.start(start);
        for (Map.Entry<String, JsonElement> tag : from.getAsJsonObject("tags").entrySet()) {
          span.tag(tag.getKey(), tag.getValue().getAsString());
        }
        for (JsonObject note : Doors.objects(from, "annotations")) {
          span.annotate(note.get("timestamp").getAsLong(), note.get("value").getAsString());
        }
        if (from.has("remoteEndpoint")) remote(span, from.getAsJsonObject("remoteEndpoint"));
        span.finish(start + from.get("duration").getAsLong());
      }
      return ids;
    }
  }

  private static void remote(Span span, JsonObject endpoint) {
    span.remoteServiceName(endpoint.get("serviceName").getAsString());
    JsonElement ip = endpoint.has("ipv4") ? endpoint.get("ipv4") : endpoint.get("ipv6");
    if (ip != null) span.remoteIpAndPort(ip.getAsString(), endpoint.get("port").getAsInt());
  }
}
