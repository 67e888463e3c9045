import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Sends the same spans twice with the OpenTelemetry SDK for Java: to the collector under test and, over OTLP/HTTP
 * protobuf, straight to a sink. usage: Emit PROTOCOL COMPRESSION URL DIRECT_URL SERVICE TRACES
 */
public final class Emit {
  public static void main(String[] args) {
    SpanExporter exporter = args[0].equals("grpc")
        ? OtlpGrpcSpanExporter.builder().setEndpoint(args[2]).setCompression(args[1]).build()
        : OtlpHttpSpanExporter.builder().setEndpoint(args[2] + "/v1/traces").setCompression(args[1]).build();
    SpanExporter direct = OtlpHttpSpanExporter.builder().setEndpoint(args[3] + "/v1/traces").build();
    Resource resource = Resource.create(Attributes.builder()
        .put("service.name", args[4]).put("host.cores", 8L).put("flags.on", true)
        .put("zones", "a", "b").put("ratios", 0.5, 1.25).build(), "https://opentelemetry.io/schemas/1.26.0");
    SdkTracerProvider provider = SdkTracerProvider.builder().setResource(resource)
        .addSpanProcessor(BatchSpanProcessor.builder(exporter).setMaxQueueSize(100_000).build())
        .addSpanProcessor(BatchSpanProcessor.builder(direct).setMaxQueueSize(100_000).build()).build();
    Tracer tracer = provider.tracerBuilder("matrix").setInstrumentationVersion("1.2.3").build();
    SpanContext remote = SpanContext.createFromRemoteParent("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331",
        TraceFlags.getSampled(), TraceState.builder().put("other", "b:1").put("vendor", "a").build());

    for (int i = 0; i < Integer.parseInt(args[5]); i++) {
      Context parent = i % 4 == 0 ? Context.root().with(Span.wrap(remote)) : Context.root();
      Span root = tracer.spanBuilder("GET /products/" + i).setParent(parent).setSpanKind(SpanKind.SERVER)
          .setAttribute("text", "naïve – 製品 🚀").setAttribute("empty", "").setAttribute("yes", true)
          .setAttribute("no", false).setAttribute("small", Long.MIN_VALUE).setAttribute("large", Long.MAX_VALUE)
          .setAttribute("zero", 0L).setAttribute("real", 0.1).setAttribute("huge", 1e300).setAttribute("whole", 3.0)
          .setAttribute(AttributeKey.stringArrayKey("texts"), List.of("x", "", "ü"))
          .setAttribute(AttributeKey.longArrayKey("ints"), List.of(1L, -2L, (1L << 53) + 1))
          .setAttribute(AttributeKey.doubleArrayKey("reals"), List.of(0.5, Double.NEGATIVE_INFINITY))
          .setAttribute(AttributeKey.booleanArrayKey("bools"), List.of(true, false))
          .setAttribute(AttributeKey.stringArrayKey("none"), List.of()).startSpan();
      Context inner = parent.with(root);
      Span child = tracer.spanBuilder("call").setParent(inner).setSpanKind(SpanKind.CLIENT)
          .addLink(remote, Attributes.builder().put("link.kind", "follows").put("n", (long) i).build()).startSpan();
      child.addEvent("retry", Attributes.builder().put("attempt", 2L).put("reason", "timeout").build(),
          Instant.ofEpochSecond(1_700_000_000L, 123_456_789L));
      child.recordException(new IllegalStateException("bad \"quote\"\n\ttab"));
      child.setStatus(StatusCode.ERROR, "upstream said no");
      child.end();
      for (SpanKind kind : List.of(SpanKind.PRODUCER, SpanKind.CONSUMER, SpanKind.INTERNAL)) {
        Span span = tracer.spanBuilder(kind.name()).setParent(inner).setSpanKind(kind).startSpan();
        span.setStatus(StatusCode.OK);
        span.end();
      }
      root.addEvent("no attributes");
      root.end();
    }
    if (!provider.shutdown().join(60, TimeUnit.SECONDS).isSuccess()) System.exit(1);
  }
}
