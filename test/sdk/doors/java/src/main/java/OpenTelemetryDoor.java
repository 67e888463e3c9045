import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.jaeger.JaegerGrpcSpanExporter;
import io.opentelemetry.exporter.jaeger.thrift.JaegerThriftSpanExporter;
import io.opentelemetry.exporter.zipkin.ZipkinSpanExporter;
import io.opentelemetry.sdk.extension.trace.jaeger.sampler.JaegerRemoteSampler;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import io.opentelemetry.sdk.trace.samplers.SamplingDecision;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import zipkin2.codec.SpanBytesEncoder;

/** The OpenTelemetry SDK with its exporters for Jaeger and Zipkin, and its sampler that asks a Jaeger. */
final class OpenTelemetryDoor {
  private static SpanExporter exporter(Doors.Case each) throws Exception {
    return switch (each.client()) {
      case "otel-jaeger-grpc" -> JaegerGrpcSpanExporter.builder().setEndpoint("http://" + each.address()).build();
      case "otel-jaeger-http" -> JaegerThriftSpanExporter.builder()
          .setEndpoint("http://" + each.address() + "/api/traces").build();
      default -> ZipkinSpanExporter.builder().setEndpoint("http://" + each.address() + "/api/v2/spans")
          .setEncoder(each.client().endsWith("proto") ? SpanBytesEncoder.PROTO3 : SpanBytesEncoder.JSON_V2).build();
    };
  }

  @SuppressWarnings("unchecked")
  private static Attributes attributes(JsonArray tags) {
    AttributesBuilder all = Attributes.builder();
    for (Map.Entry<String, Object> tag : Doors.typed(tags).entrySet()) {
      if (tag.getValue() instanceof String text) all.put(tag.getKey(), text);
      if (tag.getValue() instanceof Boolean truth) all.put(tag.getKey(), truth);
      if (tag.getValue() instanceof Long number) all.put(tag.getKey(), number);
      if (tag.getValue() instanceof Double number) all.put(tag.getKey(), number);
      if (tag.getValue() instanceof List<?> list && list.get(0) instanceof String) {
        all.put(AttributeKey.stringArrayKey(tag.getKey()), (List<String>) list);
      }
      if (tag.getValue() instanceof List<?> list && list.get(0) instanceof Long) {
        all.put(AttributeKey.longArrayKey(tag.getKey()), (List<Long>) list);
      }
    }
    return all.build();
  }

  static JsonObject run(Doors.Case each) throws Exception {
    JsonArray link = each.content().getAsJsonArray("link");
    SpanContext foreign = SpanContext.createFromRemoteParent(link.get(0).getAsString(), link.get(1).getAsString(),
        TraceFlags.getSampled(), TraceState.getDefault());
    Resource resource = Resource.create(attributes(each.content().getAsJsonArray("resource")).toBuilder()
        .put("service.name", each.service()).build());
    SdkTracerProvider provider = SdkTracerProvider.builder().setResource(resource)
        .addSpanProcessor(BatchSpanProcessor.builder(exporter(each)).build()).build();
    Tracer tracer = provider.tracerBuilder("doors").setInstrumentationVersion("1.2.3").build();
    List<Span> made = new ArrayList<>();
    List<List<String>> ids = new ArrayList<>();
    for (JsonObject from : each.spans()) {
      SpanBuilder start = tracer.spanBuilder(from.get("name").getAsString())
          .setSpanKind(SpanKind.valueOf(from.get("kind").getAsString().toUpperCase(Locale.ROOT)))
          .setStartTimestamp(from.get("start").getAsLong(), TimeUnit.MICROSECONDS)
          .setAllAttributes(attributes(from.getAsJsonArray("attributes")));
      if (from.has("parent")) start.setParent(Context.root().with(made.get(from.get("parent").getAsInt())));
      if (from.has("link")) start.addLink(foreign);
      Span span = start.startSpan();
      for (JsonObject event : Doors.objects(from, "events")) {
        span.addEvent(event.get("name").getAsString(), attributes(event.getAsJsonArray("attributes")),
            event.get("time").getAsLong(), TimeUnit.MICROSECONDS);
      }
      switch (from.get("status").getAsString()) {
        case "ok" -> span.setStatus(StatusCode.OK);
        case "error" -> span.setStatus(StatusCode.ERROR, from.get("message").getAsString());
        default -> { }
      }
      made.add(span);
      ids.add(List.of(span.getSpanContext().getTraceId(), span.getSpanContext().getSpanId()));
    }
    for (int index = 0; index < made.size(); index++) {
      JsonObject from = each.spans().get(index);
      made.get(index).end(from.get("start").getAsLong() + from.get("duration").getAsLong(), TimeUnit.MICROSECONDS);
    }
    if (!provider.shutdown().join(20, TimeUnit.SECONDS).isSuccess()) throw new IllegalStateException("not sent");
    return Doors.ids(ids);
  }

  static JsonObject sampling(Doors.Case each) throws Exception {
    JsonObject answer = new JsonObject();
    answer.addProperty("kept", false);
    try (JaegerRemoteSampler sampler = JaegerRemoteSampler.builder().setServiceName(each.service())
        .setEndpoint("http://" + each.address()).setInitialSampler(Sampler.alwaysOff())
        .setPollingInterval(Duration.ofMillis(50)).build()) {
      for (long end = System.nanoTime() + 20_000_000_000L; System.nanoTime() < end; Thread.sleep(10)) {
        if (!keeps(sampler, "kept")) continue;
        answer.addProperty("kept", true);
        answer.addProperty("dropped", keeps(sampler, "dropped"));
        break;
      }
    }
    return answer;
  }

  private static boolean keeps(Sampler sampler, String name) {
    return sampler.shouldSample(Context.root(), "0af7651916cd43dd0000000000000001", name, SpanKind.INTERNAL,
        Attributes.empty(), List.of()).getDecision() == SamplingDecision.RECORD_AND_SAMPLE;
  }
}
