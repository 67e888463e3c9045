import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Sends spans with the real clients of Zipkin and Jaeger for Java; what it reads and prints: see
 * ../../../../python/emit.py.
 */
public final class Doors {
  interface Client {
    JsonObject run(Case each) throws Exception;
  }

  /** One case: a client, where it sends, and what. */
  record Case(String client, String service, String address, JsonObject content) {
    static Case of(JsonObject from) {
      return new Case(from.get("client").getAsString(), from.get("service").getAsString(),
          from.get("address").getAsString(), from.getAsJsonObject("content"));
    }

    String host() { return address.split(":")[0]; }

    int port() { return Integer.parseInt(address.split(":")[1]); }

    List<JsonObject> spans() { return objects(content, "spans"); }
  }

  static final Map<String, Client> CLIENTS = Map.of(
      "brave", ZipkinDoor::run, "jaeger", JaegerDoor::run, "jaeger128", JaegerDoor::run,
      "sampling", JaegerDoor::sampling, "otel", OpenTelemetryDoor::run, "otelsampling", OpenTelemetryDoor::sampling);

  static List<JsonObject> objects(JsonObject from, String key) {
    List<JsonObject> all = new ArrayList<>();
    if (from.has(key)) from.getAsJsonArray(key).forEach(each -> all.add(each.getAsJsonObject()));
    return all;
  }

  /** [[key, type, value], ...] as String, Boolean, Long, Double, List of String or of Long. */
  static Map<String, Object> typed(JsonElement tags) {
    Map<String, Object> all = new LinkedHashMap<>();
    for (JsonElement each : tags.getAsJsonArray()) {
      JsonArray tag = each.getAsJsonArray();
      JsonElement raw = tag.get(2);
      all.put(tag.get(0).getAsString(), switch (tag.get(1).getAsString()) {
        case "bool" -> raw.getAsBoolean();
        case "int64" -> raw.getAsLong();
        case "float64" -> raw.getAsDouble();
        case "strings" -> List.of(new Gson().fromJson(raw, String[].class));
        case "int64s" -> List.of(new Gson().fromJson(raw, Long[].class));
        default -> raw.getAsString();
      });
    }
    return all;
  }

  static JsonObject ids(List<List<String>> ids) {
    JsonObject answer = new JsonObject();
    answer.add("ids", new Gson().toJsonTree(ids));
    return answer;
  }

  static String padded(String hex, int size) { return "0".repeat(size - hex.length()) + hex; }

  public static void main(String[] arguments) throws Exception {
    JsonObject input = JsonParser.parseReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))
        .getAsJsonObject();
    for (JsonElement element : input.getAsJsonArray("cases")) {
      Case each = Case.of(element.getAsJsonObject());
      JsonObject answer;
      try {
        answer = CLIENTS.get(each.client().split("-")[0]).run(each);
      } catch (Exception | LinkageError error) {
        error.printStackTrace();
        answer = new JsonObject();
        answer.addProperty("error", error.toString());
      }
      answer.addProperty("service", each.service());
      System.out.println(answer);
    }
    System.exit(0);
  }
}
