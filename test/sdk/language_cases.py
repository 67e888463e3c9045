"""The cases of language.py: options of filter and transform, which are YAML since they are JSON.

Left out is what differs on purpose (pipeline/ottl/README.md): `event_index`, which the collector's processors never know;
`append` to maps; `Format` of bytes; the values of repeated keys."""
import collections
import json


class Case(collections.namedtuple("Case", "name processor options")):
    @property
    def label(self):
        return f"{self.processor}: {self.name}"


def transform(name, *statements, **options):
    """Statements alone, or groups of them."""
    return Case(name, "transform", json.dumps({"trace_statements": statements, **options}))


def group(context, *statements, **options):
    return {"context": context, "statements": statements, **options}


def dropped(name, *conditions, **options):
    """By conditions alone, or by groups of them."""
    return Case(name, "filter", json.dumps({"trace_conditions": conditions, **options}))


def older(name, **options):
    return Case(name, "filter", json.dumps(options))


def put(key, value, where=""):
    return f'set(span.attributes["{key}"], {value}){" where " + where if where else ""}'


def of(key):
    return f'span.attributes["{key}"]'


TEXTS = ["note", "card", "user.id", "user.email", "http.route", "details", "tags", "raw", "ratio", "retries", "cached", "empty"]


def converted(function):
    """What a function makes of values of all types."""
    return [put(f"out.{key}", function.replace("VALUE", of(key))) for key in TEXTS]


TRANSFORMS = [
    transform("set", put("n", "1"), put("r", "1.5"), put("b", "true"), put("t", '"text"'), put("list", '[1, "two", 3.5, nil]'),
              put("map", '{"a": 1, "b": {"c": [true]}}'), put("bytes", "0x0aff"), put("none", "nil"), put("copy", of("note")),
              put("kept", '"was there"', f'{of("note")} != nil')),
    transform("set where", put("long", "true", 'span.name == "checkout" or IsMatch(span.name, "^/api")'),
              put("note", '"none"', f'{of("note")} == nil'), put("s", "1", f'{of("retries")} >= 7 and not IsString({of("note")})'),
              put("from", 'resource.attributes["service.name"]', 'resource.attributes["service.name"] == "shop"'),
              put("k", "span.kind", "span.kind == SPAN_KIND_SERVER"), put("e", '"failed"', "span.status.code == STATUS_CODE_ERROR")),
    transform("comparisons across types", *(
        put(f"out.{number}.{key}", f'"yes"', f"{of(key)} {how}") for key in ("note", "retries", "ratio", "details", "tags")
        for number, how in enumerate(('== "12"', "> 3", "< 1.5", "!= true", "== nil", "!= nil", '>= "c"', "<= 0", "== 0x00",
                                      "== [1]", "!= {}", "< true")))),
    transform("resources", group("resource", 'set(attributes["tier"], "gold") where attributes["service.name"] == "shop"',
                                 'keep_matching_keys(attributes, "^(service|host|tier|note)")',
                                 'set(dropped_attributes_count, 7)', 'set(attributes["url"], schema_url)',
                                 'set(schema_url, "https://schemas.example/2")')),
    transform("scopes", group("scope", 'set(name, Concat([name, version], "@"))', 'set(version, "9") where version == ""',
                              'delete_key(attributes, "note")', 'set(attributes["s"], resource.attributes["service.name"])',
                              'set(schema_url, "https://schemas.example/3")', 'set(dropped_attributes_count, 4)')),
    transform("events", group("spanevent", 'set(name, "none") where name == ""',
                              'set(attributes["of"], span.name)', 'set(attributes["at"], time_unix_nano - span.start_time_unix_nano)',
                              'set(span.attributes["last"], name)', 'set(time, time + Duration("1ms"))',
                              'set(dropped_attributes_count, 2)', 'delete_matching_keys(attributes, "e")')),
    transform("contexts inferred", 'set(resource.attributes["r"], 1)', 'set(scope.attributes["s"], scope.name)',
              'set(span.attributes["n"], span.name)', 'set(spanevent.attributes["n"], span.name)'),
    transform("resources and scopes from spans", 'set(resource.attributes["last"], span.name)',
              'set(scope.attributes["last"], span.kind.string) where span.kind == SPAN_KIND_CLIENT',
              'delete_key(resource.attributes, "note") where span.name == "checkout"'),
    transform("keys deleted", 'delete_key(span.attributes, "note")', 'delete_matching_keys(span.attributes, "(?i)^USER|token$")',
              'delete_key(span.attributes["details"], "note")', 'delete_matching_keys(resource.attributes, "k8s.*")'),
    transform("keys kept", 'keep_keys(span.attributes, ["note", "card", "user.id", "absent"])',
              'keep_matching_keys(resource.attributes, "^s|e$")', 'keep_keys(scope.attributes, [])'),
    transform("keys in the attribute's maps kept", f'keep_keys({of("details")}, ["note", "raw"])', f'keep_matching_keys({of("tags")}, "e")'),
    transform("limit", 'limit(span.attributes, 3, ["note", "card"])', 'limit(resource.attributes, 1, [])',
              'limit(scope.attributes, 0, [])'),
    transform("truncate_all", 'truncate_all(span.attributes, 5)', 'truncate_all(resource.attributes, 3, true)',
              'truncate_all(scope.attributes, 0)'),
    transform("truncate_all with a mark", 'truncate_all(span.attributes, 12, true, "...")', 'truncate_all(resource.attributes, 8, false, "…")'),
    transform("replace_pattern", group("span", 'replace_pattern(span.name, "[0-9]+", "{n}")', f'replace_pattern({of("note")}, "(\\\\w+)@(\\\\w+)", "$$2 at $$1")',
              f'replace_pattern({of("card")}, "4[0-9]+", "x", SHA256)', f'replace_pattern({of("http.route")}, "^(.)", "$$1$$1", ToUpperCase, "<%s>")',
              'replace_pattern(span.status.message, "it (?P<how>.*)", "$${how}")', f'replace_pattern({of("empty")}, "", "-")')),
    transform("replace_match", group("span", 'replace_match(span.name, "/api/*/document/*", "document")', f'replace_match({of("note")}, "*@*", "mail")',
              f'replace_match({of("card")}, "4???????????????", "x", MD5)', f'replace_match({of("http.route")}, "{{GET,*2}}*", "g")',
              f'replace_match({of("user.id")}, "[a-c]*", "abc", SHA1, "#%s#")')),
    transform("replace_all_patterns of values", group("span", 'replace_all_patterns(span.attributes, "value", "[0-9]{4}", "####")',
              'replace_all_patterns(resource.attributes, "value", "e(.)", "<$$1>", ToUpperCase)')),
    transform("replace_all_patterns of keys", group("span", 'replace_all_patterns(span.attributes, "key", "^user\\\\.", "enduser.")',
              'replace_all_patterns(resource.attributes, "key", "[._]", "/")')),
    transform("replace_all_matches", group("span", 'replace_all_matches(span.attributes, "*@*.com", "mail")',
              'replace_all_matches(resource.attributes, "s*", "S", SHA512)')),
    transform("merge_maps", *(f'merge_maps(span.attributes, {source}, "{how}")' for how in ("insert", "update", "upsert")
                              for source in ('resource.attributes', of("details"), '{"note": 1, "new.HOW": {"x": [1]}}'.replace("HOW", how)))),
    transform("merge_maps of parsed ones", put("json", '"{\\"note\\": 1, \\"deep\\": {\\"a\\": [1, 2.5, null, \\"x\\"]}, \\"b\\": true}"'),
              f'merge_maps(span.attributes, ParseJSON({of("json")}), "upsert")', f'merge_maps(span.attributes, ParseKeyValue("a=1 b=2"), "insert")'),
    transform("flatten", 'flatten(span.attributes)', 'flatten(resource.attributes, "p")'),
    transform("flatten so deep", 'flatten(span.attributes, depth=1)', 'flatten(resource.attributes, "", 2, true)'),
    transform("append", f'append({of("tags")}, "one") where not IsMap({of("tags")})', f'append({of("note")}, values=["two", "three"]) where not IsMap({of("note")})', f'append({of("new")}, 1)',
              f'append({of("retries")}, 5) where not IsMap({of("retries")})', f'append({of("ratio")}, values=[1.5, 2.5]) where not IsMap({of("ratio")})', f'append({of("details")}, true) where IsString({of("details")})'),
    transform("stringify_all", 'stringify_all(span.attributes)', 'stringify_all(resource.attributes)'),
    transform("places within", put("details", "1", "false"), f'set({of("details")}["a"]["b"], 1)', f'set({of("tags")}[0], "first")',
              f'set({of("tags")}[3]["x"], 1)', f'set({of("new")}["deep"]["er"], {of("note")})', f'delete_key({of("new")}["deep"], "er")'),
    transform("lists", *(converted("Sort(VALUE)") + [put(f"l.{number}", expression) for number, expression in enumerate((
        f'Len({of("tags")})', f'Index({of("tags")}, "secret")', f'ContainsValue({of("tags")}, 7)', f'Keys({of("details")})',
        'SliceToMap(ParseJSON("[{\\"k\\": \\"a\\", \\"v\\": 1}, {\\"k\\": \\"b\\", \\"v\\": 2}]"), ["k"], ["v"])', 'Sort([3, 1, 2], "desc")', 'Values({"a": 1})'))]),
        f'delete_index({of("tags")}, 0)', f'delete_index({of("l.5")}, 1, 3)'),
    transform("String of all", *converted("String(VALUE)")),
    transform("Int of all", *converted("Int(VALUE)")),
    transform("Double of all", *converted("Double(VALUE)")),
    transform("Bool of all", *converted("Bool(VALUE)")),
    transform("Len, IsEmpty, IsInt and their like of all", *(converted("Len(VALUE)") + [each.replace("out.", f"{name}.") for name in (
        "IsEmpty", "IsInt", "IsString", "IsMap", "IsList", "IsDouble", "IsBool") for each in converted(f"{name}(VALUE)")])),
    transform("hashes", *[each.replace("out.", f"{name}.") for name in (
        "SHA1", "SHA256", "SHA512", "MD5", "FNV", "Murmur3Hash", "Murmur3Hash128", "XXH3", "XXH128", "Hex", "Base64Encode")
        for each in converted(f"{name}(VALUE)")[:4]]),
    transform("cases", *[each.replace("out.", f"{name}.") for name in (
        "ToUpperCase", "ToLowerCase", "ToCamelCase", "ToSnakeCase", "Trim") for each in converted(f"{name}(VALUE)")[:6]],
        *converted('ConvertCase(VALUE, "camel")')[:2], put("name", 'ConvertCase(span.name, "snake")')),
    transform("texts", *(put(f"t.{number}.{key}", expression.replace("VALUE", of(key))) for key in ("note", "card", "http.route")
                         for number, expression in enumerate((
                             'Split(VALUE, " ")', 'Substring(VALUE, 1, 3, true)', 'Substring(VALUE, 0, 2, true)', 'Trim(VALUE, "c")', 'TrimPrefix(VALUE, "card ")',
                             'TrimSuffix(VALUE, "\\n")', 'HasPrefix(VALUE, "4")', 'HasSuffix(VALUE, "t")', 'Concat([VALUE, 1, true, VALUE], "-")',
                             'Format("%s|%5d", [Concat([VALUE], ""), 42])', 'IsMatch(VALUE, "[0-9]$")', 'ExtractPatterns(VALUE, "(?P<first>\\\\w+) ?(?P<rest>.*)")',
                             'Coalesce([VALUE, "none"])', 'IsValidLuhn(VALUE)', 'Hex(Decode(VALUE, "base64"))', 'Split(VALUE, "")')))),
    transform("texts parsed", *(put(f"t.{number}.{key}", expression.replace("VALUE", of(key))) for key in ("note", "card", "user.id")
                                for number, expression in enumerate((
                                    "ParseJSON(VALUE)", "ParseKeyValue(VALUE)", 'ParseKeyValue(VALUE, "@", ",")', 'ParseCSV(VALUE, "a b c", " ")',
                                    'ParseCSV(VALUE, "a,b")', "URL(VALUE)", "ParseInt(VALUE, 10)", "ParseInt(VALUE, 16)", 'IsInCIDR(VALUE, ["10.0.0.0/8"])',
                                    'ParseCSV(VALUE, "a", mode="lazyQuotes")')))),
    transform("grok", *(put(f"g.{number}.{key}", f'ExtractGrokPatterns({of(key)}, "{pattern}", true)') for key in ("note", "card", "user.id")
                        for number, pattern in enumerate(("%{EMAILADDRESS:mail}", "%{IP:client.ip}", "%{NUMBER:n:int} of %{NUMBER:m:double}",
                                                          "^%{WORD:w} %{GREEDYDATA:rest}", "%{URI:u}"))), ),
    transform("XML", put("xml", '"<a x=\\"1\\"><b>text</b><b><c/>more &amp; more</b><!-- no --></a>"'), *(
        put(f"x.{number}", expression.replace("VALUE", of("xml"))) for number, expression in enumerate((
            "ParseXML(VALUE)", "ParseSimplifiedXML(VALUE)", 'GetXML(VALUE, "/a/b")', 'RemoveXML(VALUE, "//c")', 'InsertXML(VALUE, "/a", "<new/>")',
            "ConvertAttributesToElementsXML(VALUE)", "ConvertTextToElementsXML(VALUE)")))),
    transform("CommunityID, ParseSeverity", put("c", 'CommunityID("10.0.0.1", 80, "10.0.0.2", 443)'),
              put("s", f'ParseSeverity({of("retries")}, {{"error": [{{"range": {{"min": 400, "max": 499}}}}], "info": [{{"range": "2xx"}}]}})')),
    transform("arithmetic", *(put(f"a.{number}", expression) for number, expression in enumerate((
        f'{of("retries")} * 2 + 1', f'{of("retries")} / 2', f'-{of("ratio")} * 1.5', f'{of("ratio")} + {of("retries")}',
        f'({of("retries")} - 7) * ({of("retries")} + 3)', f'{of("note")} + 1', '7 / 2', '7.0 / 2.0', '1 + 2 * 3 - 4 / 2', '5 / 0')))
        ),
    transform("times", *(put(f"t.{number}", expression) for number, expression in enumerate((
        "Milliseconds(span.end_time - span.start_time)", "span.end_time_unix_nano - span.start_time_unix_nano",
        "Nanoseconds(span.end_time - span.start_time)", "Seconds(span.end_time - span.start_time)", "UnixNano(span.start_time)",
        'FormatTime(span.start_time, "%Y-%m-%dT%H:%M:%S.%L")', "Hour(span.start_time)", "Weekday(span.start_time)",
        'UnixMilli(TruncateTime(span.start_time, Duration("1h")))', 'UnixNano(Time("2023-05-26 12:34:56", "%Y-%m-%d %H:%M:%S"))',
        "UnixSeconds(Unix(17))"))), 'set(span.end_time, span.end_time + Duration("1.5s"))',
        "set(span.start_time_unix_nano, 1700000000000000000)"),
    transform("kinds and statuses", "set(span.kind, SPAN_KIND_PRODUCER) where span.kind == SPAN_KIND_CONSUMER",
              'set(span.status.code, STATUS_CODE_ERROR) where span.status.code == STATUS_CODE_UNSET',
              'set(span.status.message, span.kind.string) where span.status.code == 2', put("k", "span.kind.deprecated_string"),
              'set(span.kind.string, "Client") where span.name == "checkout"', put("c", "span.status.code")),
    transform("trace states", 'set(span.trace_state["vendor"], "c") where span.trace_state["vendor"] == "a"', put("ot", 'span.trace_state["ot"]'),
              'set(span.trace_state, "x=y") where span.trace_state == ""', 'set(span.trace_state["new"], "n")', put("all", "span.trace_state")),
    transform("ids", put("t", "span.trace_id.string"), put("s", "span.span_id.string"), put("p", "span.parent_span_id.string"),
              put("root", "IsRootSpan()"), "set(span.trace_id, TraceID(0x0102030405060708090a0b0c0d0e0f10))",
              'set(span.parent_span_id, SpanID("0102030405060708"))',
              'set(span.trace_id.string, "0102030405060708090a0b0c0d0e0f11") where span.kind == 1'),
    transform("events and links counted and copied", put("e", "Len(span.events)"), put("l", "Len(span.links)"), "set(span.links, span.links)",
              "set(span.events, span.events)", "set(span.dropped_events_count, 3)", put("d", "span.dropped_links_count"),
              "set(span.dropped_attributes_count, span.dropped_attributes_count + 1)", put("f", "span.flags"), "set(span.flags, 1)"),
    transform("cleared", f'clear({of("note")})', "clear(resource.attributes) where span.name == \"checkout\""),
    transform("values that cannot be set", 'set(span.name, resource.attributes["retries"])', 'set(span.kind, span.attributes["note"])',
              'set(span.status.code, span.attributes["retries"])', 'set(span.attributes, span.attributes["note"])',
              put("after", "true"), error_mode="silent"),
    transform("groups with conditions", group("span", 'set(attributes["a"], 1)', 'set(cache["x"], name)', 'set(attributes["x"], cache["x"])',
                                              conditions=['name == "checkout"', "kind == SPAN_KIND_CLIENT"]),
              group("span", 'set(attributes["b"], attributes["a"])', 'set(attributes["y"], cache["x"])', error_mode="silent"),
              group("resource", 'set(attributes["c"], 3)', conditions=['attributes["service.name"] != "pay"']),
              group("spanevent", 'set(name, Concat([name, "!"], ""))', conditions=["span.attributes[\"a\"] == 1"]),
              group("scope", 'set(attributes["d"], 3)', conditions=['version == "1.2"'])),
    transform("groups one after the other", group("span", 'set(resource.attributes["n"], 1) where resource.attributes["n"] == nil',
                                                  'set(resource.attributes["n"], resource.attributes["n"] + 1)'),
              group("resource", 'set(attributes["m"], attributes["n"] * 2)'), group("span", 'set(attributes["m"], resource.attributes["m"])')),
    transform("names by the semantic conventions", group("span", *(
        f'set(attributes["{key}"], attributes["{source}"]) where attributes["{source}"] != nil' for key, source in (
            ("rpc.system", "card"), ("rpc.method", "user.id"), ("rpc.grpc.service", "safe"), ("messaging.system", "raw"),
            ("messaging.operation", "tags"), ("messaging.destination.name", "cached"), ("messaging.destination.temporary", "empty"),
            ("db.namespace", "ratio"), ("db.collection.name", "k8s.pod.name"), ("server.address", "retries"), ("server.port", "note"),
            ("url.template", "details"), ("http.method", "api_key"))),
        'delete_key(attributes, "http.request.method") where attributes["note"] != nil', 'set_semconv_span_name("1.37.0", "original")')),
    transform("failures are passed over", put("a", f'Int({of("note")}) + 1'), put("b", f'Substring({of("note")}, 3, 5, true)'),
              put("c", f'Len({of("retries")})'), put("after", "true", f'Len({of("tags")}) >= 0'), error_mode="ignore"),
]

FILTERS = [
    dropped("spans", 'span.name == "checkout"', f'{of("retries")} >= 7', "span.status.code == STATUS_CODE_ERROR and span.kind == SPAN_KIND_SERVER"),
    dropped("resources", 'resource.attributes["service.name"] == "shop"', 'resource.attributes["note"] != nil'),
    dropped("scopes", 'scope.name == "http" and scope.version == ""', 'scope.attributes["note"] == "secret"'),
    dropped("events", 'spanevent.name == "checkout" or IsMatch(spanevent.name, "^/api")', 'spanevent.attributes["retries"] > 1'),
    dropped("all contexts", 'resource.attributes["service.name"] == "pay"', 'scope.name == "sql"', 'IsMatch(span.name, "[0-9]")',
            'spanevent.name == ""'),
    dropped("across contexts", 'span.kind == SPAN_KIND_CLIENT and resource.attributes["service.name"] == "cart"',
            'spanevent.name == "health" and span.name != ""'),
    dropped("in groups", {"context": "span", "conditions": ['name == "health"', 'attributes["note"] == "secret"'], "error_mode": "silent"},
            {"context": "resource", "conditions": ['attributes["service.name"] == "pay"']},
            {"context": "scope", "conditions": ['version == "1.2"']}, {"context": "spanevent", "conditions": ['attributes["note"] == nil']}),
    dropped("groups without a context", {"conditions": ['span.name == "health"', 'resource.attributes["service.name"] == "pay"']},
            {"conditions": ['spanevent.name == "checkout"'], "error_mode": "ignore"}),
    dropped("roots", 'IsRootSpan() and resource.attributes["service.name"] != "pay"'),
    dropped("slow ones", 'span.end_time - span.start_time > Duration("500us")'),
    dropped("by trace state, flags and ids", 'span.trace_state["vendor"] == "a"', "span.flags == 769", 'IsMatch(span.span_id.string, "^[0-3]")'),
    dropped("by counts", "Len(span.events) == 2", "span.dropped_events_count > 100", "Len(span.links) > 0 and Len(span.attributes) < 5"),
    dropped("conditions that fail, ignored", f'Int({of("note")}) > 1 or span.name == "checkout"', f'Len({of("retries")}) == 3', 'span.name == "health"'),
    dropped("conditions that fail, silent", f'Substring({of("note")}, 0, 4) == "card"', f'Double({of("card")}) / 0 > 1', error_mode="silent"),
    dropped("by values of all types", f'{of("details")} == {{}}', f'{of("tags")} == []', f'{of("cached")} == true',
            f'{of("ratio")} < 1', f'{of("user.id")} > "c"', f'{of("empty")} == ""'),
    dropped("nothing", 'span.name == "there is none"'),
    older("the older shape: spans", traces={"span": ['attributes["note"] == "secret"', 'IsMatch(name, "^/api") and kind == SPAN_KIND_SERVER']}),
    older("the older shape: resources", traces={"resource": ['attributes["service.name"] == "cart"']}),
    older("the older shape: events", traces={"spanevent": ['name == "health"', 'attributes["note"] != nil']}),
    older("the older shape: all", error_mode="silent", traces={
        "resource": ['attributes["card"] != nil'], "span": ['Len(attributes) > 8'], "spanevent": ['Len(attributes["tags"]) > 0']}),
    older("the oldest shape", spans={"include": {"match_type": "strict", "services": ["shop", "cart"]},
                                     "exclude": {"match_type": "regexp", "span_names": ["^/api", "[0-9]$"]}}),
    older("the oldest shape: attributes and kinds", spans={"exclude": {"match_type": "regexp", "span_kinds": ["SERVER|CLIENT"],
                                                                       "attributes": [{"key": "note", "value": "[0-9]"}]}}),
    older("the oldest shape: resources and libraries", spans={"include": {
        "match_type": "strict", "resources": [{"key": "service.name", "value": "shop"}], "libraries": [{"name": "http", "version": "1.2"}]}}),
]

TOGETHER = TRANSFORMS + FILTERS + [Case("two pipelines joined", "forward", "")]

ALONE = [
    transform("failures of statements propagate", put("a", f'Len({of("note")})', f'{of("note")} != nil'), error_mode="propagate"),
    transform("failures propagate out of one group", group("span", 'set(attributes["a"], Len(attributes["retries"]))'),
              group("span", 'set(attributes["b"], Len(attributes["note"])) where attributes["note"] != nil', error_mode="propagate")),
    transform("failures of a group's conditions propagate", group("span", 'set(attributes["b"], 1)', conditions=['attributes["note"] != nil and Len(attributes["note"]) > 3'],
                                                                  error_mode="propagate")),
    dropped("failures of conditions propagate", f'{of("note")} != nil and Len({of("note")}) > 5', error_mode="propagate"),
    dropped("failures propagate out of one group", {"conditions": [f'Len({of("retries")}) > 5']},
            {"conditions": [f'{of("note")} != nil and Len({of("note")}) > 5'], "error_mode": "propagate"}),
]

MANY = [dropped("many spans", 'span.attributes["http.response.status_code"] == 200 and not IsMatch(span.attributes["url.path"], "^/c.*t$")',
                'span.attributes["retries"] > 2', 'resource.attributes["service.name"] == "auth"', 'span.end_time - span.start_time < Duration("1ms")',
                'span.trace_state["vendor"] == "c"')]
