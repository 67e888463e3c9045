// Emits spans at a pace with the OpenTelemetry SDK for Go, whose exporter retries for as long as it takes, and prints how many
// were exported and how many it gave up. usage: overload PROTOCOL URL SERVICE SPANS_PER_SECOND SECONDS
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

const patience = 10 * time.Minute

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func exporter(ctx context.Context, protocol, url string) sdk.SpanExporter {
	if protocol == "grpc" {
		return must(otlptracegrpc.New(ctx, otlptracegrpc.WithEndpointURL(url), otlptracegrpc.WithInsecure(),
			otlptracegrpc.WithTimeout(patience), otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{
				Enabled: true, InitialInterval: time.Second, MaxInterval: 5 * time.Second, MaxElapsedTime: patience})))
	}
	return must(otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(url+"/v1/traces"), otlptracehttp.WithTimeout(patience),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{
			Enabled: true, InitialInterval: time.Second, MaxInterval: 5 * time.Second, MaxElapsedTime: patience})))
}

type counted struct {
	sdk.SpanExporter
	exported, failed int
}

func (c *counted) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := c.SpanExporter.ExportSpans(ctx, spans)
	if err == nil {
		c.exported += len(spans)
	} else {
		c.failed += len(spans)
		log.Print(err)
	}
	return err
}

func main() {
	ctx := context.Background()
	protocol, url, service := os.Args[1], os.Args[2], os.Args[3]
	rate, seconds := must(strconv.Atoi(os.Args[4])), must(strconv.Atoi(os.Args[5]))
	counts := &counted{SpanExporter: exporter(ctx, protocol, url)}
	provider := sdk.NewTracerProvider(
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", service))),
		sdk.WithBatcher(counts, sdk.WithMaxQueueSize(1_000_000), sdk.WithExportTimeout(patience), sdk.WithBlocking(),
			sdk.WithBatchTimeout(200*time.Millisecond)))
	tracer := provider.Tracer("overload")
	start := time.Now()
	for number := 0; number < rate*seconds; number++ {
		time.Sleep(time.Until(start.Add(time.Duration(number) * time.Second / time.Duration(rate))))
		_, span := tracer.Start(ctx, strconv.Itoa(number))
		span.End()
	}
	if err := provider.Shutdown(ctx); err != nil {
		log.Print(err)
	}
	fmt.Println(counts.exported, counts.failed)
}
