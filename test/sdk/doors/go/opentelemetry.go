package main

import (
	"context"
	"net"
	"time"

	"go.opentelemetry.io/contrib/samplers/jaegerremote"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/jaeger"
	"go.opentelemetry.io/otel/exporters/zipkin"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

func attributes(tags []Tag) []attribute.KeyValue {
	var all []attribute.KeyValue
	for _, tag := range tags {
		switch value := tag.value().(type) {
		case string:
			all = append(all, attribute.String(tag.key(), value))
		case bool:
			all = append(all, attribute.Bool(tag.key(), value))
		case int64:
			all = append(all, attribute.Int64(tag.key(), value))
		case float64:
			all = append(all, attribute.Float64(tag.key(), value))
		case []string:
			all = append(all, attribute.StringSlice(tag.key(), value))
		case []int64:
			all = append(all, attribute.Int64Slice(tag.key(), value))
		}
	}
	return all
}

func exporter(d door) (sdk.SpanExporter, error) {
	switch {
	case d.has("jaeger-udp"):
		host, port, err := net.SplitHostPort(d.Address)
		check(err)
		return jaeger.New(jaeger.WithAgentEndpoint(jaeger.WithAgentHost(host), jaeger.WithAgentPort(port)))
	case d.has("jaeger-http"):
		return jaeger.New(jaeger.WithCollectorEndpoint(jaeger.WithEndpoint("http://" + d.Address + "/api/traces")))
	}
	return zipkin.New("http://" + d.Address + "/api/v2/spans")
}

var spanKinds = map[string]trace.SpanKind{"server": trace.SpanKindServer, "client": trace.SpanKindClient,
	"producer": trace.SpanKindProducer, "consumer": trace.SpanKindConsumer, "internal": trace.SpanKindInternal}

func openTelemetry(d door) answer {
	ctx := context.Background()
	out, err := exporter(d)
	check(err)
	provider := sdk.NewTracerProvider(sdk.WithBatcher(out), sdk.WithResource(resource.NewSchemaless(
		append(attributes(d.Content.Resource), attribute.String("service.name", d.Service))...)))
	tracer := provider.Tracer("doors", trace.WithInstrumentationVersion("1.2.3"))
	traceID, err := trace.TraceIDFromHex(d.Content.Link[0])
	check(err)
	spanID, err := trace.SpanIDFromHex(d.Content.Link[1])
	check(err)
	foreign := trace.NewSpanContext(trace.SpanContextConfig{TraceID: traceID, SpanID: spanID, TraceFlags: 1, Remote: true})
	var made []trace.Span
	ids := [][]string{}
	for _, each := range d.Content.Spans {
		parent := ctx
		if each.Parent != nil {
			parent = trace.ContextWithSpan(ctx, made[*each.Parent])
		}
		start := []trace.SpanStartOption{trace.WithSpanKind(spanKinds[each.Kind]), trace.WithTimestamp(at(each.Start)),
			trace.WithAttributes(attributes(each.Attributes)...)}
		if each.Link {
			start = append(start, trace.WithLinks(trace.Link{SpanContext: foreign}))
		}
		_, one := tracer.Start(parent, each.Name, start...)
		for _, event := range each.Events {
			one.AddEvent(event.Name, trace.WithTimestamp(at(event.Time)), trace.WithAttributes(attributes(event.Attributes)...))
		}
		switch each.Status {
		case "ok":
			one.SetStatus(codes.Ok, "")
		case "error":
			one.SetStatus(codes.Error, each.Message)
		}
		made = append(made, one)
		ids = append(ids, []string{one.SpanContext().TraceID().String(), one.SpanContext().SpanID().String()})
	}
	for index, one := range made {
		one.End(trace.WithTimestamp(at(d.Content.Spans[index].Start + d.Content.Spans[index].Duration)))
	}
	check(provider.Shutdown(ctx))
	return answer{"ids": ids}
}

func samplingOpenTelemetry(d door) answer {
	sampler := jaegerremote.New(d.Service, jaegerremote.WithSamplingServerURL("http://"+d.Address+"/sampling"),
		jaegerremote.WithInitialSampler(sdk.NeverSample()), jaegerremote.WithSamplingRefreshInterval(50*time.Millisecond))
	defer sampler.Close()
	keeps := func(name string) bool {
		result := sampler.ShouldSample(sdk.SamplingParameters{ParentContext: context.Background(), Name: name,
			TraceID: trace.TraceID{1}})
		return result.Decision == sdk.RecordAndSample
	}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if keeps("kept") {
			return answer{"kept": true, "dropped": keeps("dropped")}
		}
	}
	return answer{"kept": false}
}
