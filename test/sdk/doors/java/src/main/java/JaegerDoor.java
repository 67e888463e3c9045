import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.jaegertracing.internal.JaegerSpan;
import io.jaegertracing.internal.JaegerSpanContext;
import io.jaegertracing.internal.JaegerTracer;
import io.jaegertracing.internal.reporters.RemoteReporter;
import io.jaegertracing.internal.samplers.ConstSampler;
import io.jaegertracing.internal.samplers.HttpSamplingManager;
import io.jaegertracing.internal.samplers.RemoteControlledSampler;
import io.jaegertracing.internal.samplers.SamplingStatus;
import io.jaegertracing.thrift.internal.senders.HttpSender;
import io.jaegertracing.thrift.internal.senders.UdpSender;
import io.opentracing.References;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** jaeger-client, over UDP and over HTTP. */
final class JaegerDoor {
  static JsonObject run(Doors.Case each) throws Exception {
    RemoteReporter reporter = new RemoteReporter.Builder().withSender(each.client().contains("http")
        ? new HttpSender.Builder("http://" + each.address() + "/api/traces").build()
        : new UdpSender(each.host(), each.port(), 0)).build();
    JaegerTracer.Builder builder = new JaegerTracer.Builder(each.service()).withReporter(reporter)
        .withSampler(new ConstSampler(true));
    if (each.client().contains("128")) builder.withTraceId128Bit();
    for (Map.Entry<String, Object> tag : Doors.typed(each.content().get("process")).entrySet()) {
      if (tag.getValue() instanceof String text) builder.withTag(tag.getKey(), text);
      if (tag.getValue() instanceof Boolean truth) builder.withTag(tag.getKey(), truth);
      if (tag.getValue() instanceof Number number) builder.withTag(tag.getKey(), number);
    }
    List<List<String>> ids = new ArrayList<>();
    try (JaegerTracer tracer = builder.build()) {
      List<JaegerSpan> made = new ArrayList<>();
      for (JsonObject from : each.spans()) made.add(start(tracer, from, made));
      for (int index = 0; index < made.size(); index++) {
        JsonObject from = each.spans().get(index);
        for (JsonObject log : Doors.objects(from, "logs")) {
          made.get(index).log(log.get("time").getAsLong(), Doors.typed(log.get("fields")));
        }
        made.get(index).finish(from.get("start").getAsLong() + from.get("duration").getAsLong());
        JaegerSpanContext context = made.get(index).context();
        ids.add(List.of(Doors.padded(context.getTraceId(), 32), Doors.padded(context.toSpanId(), 16)));
      }
    }
    return Doors.ids(ids);
  }

  private static JaegerSpan start(JaegerTracer tracer, JsonObject from, List<JaegerSpan> made) {
    JaegerTracer.SpanBuilder span = tracer.buildSpan(from.get("name").getAsString())
        .withStartTimestamp(from.get("start").getAsLong());
    if (from.has("parent")) {
      span.addReference(References.CHILD_OF, made.get(from.get("parent").getAsInt()).context());
    }
    if (from.has("follows")) {
      for (JsonElement index : from.getAsJsonArray("follows")) {
        span.addReference(References.FOLLOWS_FROM, made.get(index.getAsInt()).context());
      }
    }
    for (Map.Entry<String, Object> tag : Doors.typed(from.get("tags")).entrySet()) {
      if (tag.getValue() instanceof String text) span.withTag(tag.getKey(), text);
      if (tag.getValue() instanceof Boolean truth) span.withTag(tag.getKey(), truth);
      if (tag.getValue() instanceof Number number) span.withTag(tag.getKey(), number);
    }
    return span.start();
  }

  /** Asks its sampler about two operations until the one that every strategy keeps is kept. */
  static JsonObject sampling(Doors.Case each) throws Exception {
    RemoteControlledSampler sampler = new RemoteControlledSampler.Builder(each.service())
        .withSamplingManager(new HttpSamplingManager(each.address())).withInitialSampler(new ConstSampler(false))
        .withPollingInterval(50).build();
    JsonObject answer = new JsonObject();
    answer.addProperty("kept", false);
    for (long end = System.nanoTime() + 20_000_000_000L; System.nanoTime() < end; Thread.sleep(10)) {
      SamplingStatus kept = sampler.sample("kept", 1);
      if (!kept.isSampled()) continue;
      sampler.sample("dropped", 1); // a lower bound of zero may let the first one through
      answer.addProperty("kept", true);
      answer.addProperty("dropped", sampler.sample("dropped", 1).isSampled());
      answer.addProperty("type", String.valueOf(kept.getTags().get("sampler.type")));
      answer.addProperty("param", (Number) kept.getTags().get("sampler.param"));
      break;
    }
    sampler.close();
    return answer;
  }
}
