// Sends the same spans twice with the OpenTelemetry SDK for Go: to the collector under test and, over
// OTLP/HTTP protobuf, straight to a sink. usage: emit PROTOCOL COMPRESSION URL DIRECT_URL SERVICE TRACES
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math"
	"os"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func exporter(ctx context.Context, protocol, compression, url string) sdk.SpanExporter {
	if protocol == "grpc" {
		options := []otlptracegrpc.Option{otlptracegrpc.WithEndpointURL(url), otlptracegrpc.WithInsecure()}
		if compression == "gzip" {
			options = append(options, otlptracegrpc.WithCompressor("gzip"))
		}
		return must(otlptracegrpc.New(ctx, options...))
	}
	level := otlptracehttp.NoCompression
	if compression == "gzip" {
		level = otlptracehttp.GzipCompression
	}
	return must(otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(url+"/v1/traces"), otlptracehttp.WithCompression(level)))
}

func main() {
	ctx := context.Background()
	protocol, compression, url, direct, service := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]
	traces := must(strconv.Atoi(os.Args[6]))
	queue := sdk.WithMaxQueueSize(100000)
	provider := sdk.NewTracerProvider(
		sdk.WithResource(resource.NewWithAttributes("https://opentelemetry.io/schemas/1.26.0",
			attribute.String("service.name", service), attribute.Int("host.cores", 8), attribute.Bool("flags.on", true),
			attribute.StringSlice("zones", []string{"a", "b"}), attribute.Float64Slice("ratios", []float64{0.5, 1.25}))),
		sdk.WithBatcher(exporter(ctx, protocol, compression, url), queue),
		sdk.WithBatcher(exporter(ctx, "http/protobuf", "none", direct), queue))
	tracer := provider.Tracer("matrix", trace.WithInstrumentationVersion("1.2.3"),
		trace.WithInstrumentationAttributes(attribute.String("scope.key", "scope value")))

	state := must(trace.ParseTraceState("vendor=a,other=b:1"))
	remote := trace.NewSpanContext(trace.SpanContextConfig{
		TraceID:    must(trace.TraceIDFromHex("0af7651916cd43dd8448eb211c80319c")),
		SpanID:     must(trace.SpanIDFromHex("b7ad6b7169203331")),
		TraceFlags: trace.FlagsSampled, TraceState: state, Remote: true})
	for i := 0; i < traces; i++ {
		parent := ctx
		if i%4 == 0 {
			parent = trace.ContextWithRemoteSpanContext(ctx, remote)
		}
		inner, root := tracer.Start(parent, fmt.Sprintf("GET /products/%d", i), trace.WithSpanKind(trace.SpanKindServer),
			trace.WithAttributes(attribute.String("text", "naïve – 製品 🚀"), attribute.String("empty", ""),
				attribute.Bool("yes", true), attribute.Bool("no", false), attribute.Int64("small", math.MinInt64),
				attribute.Int64("large", math.MaxInt64), attribute.Int("zero", 0), attribute.Float64("real", 0.1),
				attribute.Float64("huge", 1e300), attribute.Float64("whole", 3), attribute.Float64("nan", math.NaN()),
				attribute.StringSlice("texts", []string{"x", "", "ü"}), attribute.Int64Slice("ints", []int64{1, -2, 1<<53 + 1}),
				attribute.Float64Slice("reals", []float64{0.5, math.Inf(-1)}), attribute.BoolSlice("bools", []bool{true, false}),
				attribute.StringSlice("none", nil)))
		_, child := tracer.Start(inner, "call", trace.WithSpanKind(trace.SpanKindClient), trace.WithLinks(
			trace.Link{SpanContext: remote, Attributes: []attribute.KeyValue{attribute.String("link.kind", "follows"), attribute.Int("n", i)}}))
		child.AddEvent("retry", trace.WithAttributes(attribute.Int("attempt", 2), attribute.String("reason", "timeout")),
			trace.WithTimestamp(time.Unix(1700000000, 123456789)))
		child.RecordError(errors.New("bad \"quote\"\n\ttab"))
		child.SetStatus(codes.Error, "upstream said no")
		child.End()
		for _, kind := range []trace.SpanKind{trace.SpanKindProducer, trace.SpanKindConsumer, trace.SpanKindInternal} {
			_, span := tracer.Start(inner, kind.String(), trace.WithSpanKind(kind))
			span.SetStatus(codes.Ok, "")
			span.End()
		}
		root.AddEvent("no attributes")
		root.End()
	}
	if err := provider.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
}
