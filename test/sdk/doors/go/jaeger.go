package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/log"
	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/transport"
)

func fields(tags []Tag) []log.Field {
	var all []log.Field
	for _, tag := range tags {
		switch value := tag.value().(type) {
		case string:
			all = append(all, log.String(tag.key(), value))
		case bool:
			all = append(all, log.Bool(tag.key(), value))
		case int64:
			all = append(all, log.Int64(tag.key(), value))
		case float64:
			all = append(all, log.Float64(tag.key(), value))
		}
	}
	return all
}

func jaegerReporter(d door) jaeger.Reporter {
	if d.has("http") {
		return jaeger.NewRemoteReporter(transport.NewHTTPTransport("http://" + d.Address + "/api/traces"))
	}
	sender, err := jaeger.NewUDPTransport(d.Address, 0)
	check(err)
	return jaeger.NewRemoteReporter(sender)
}

func jaegerClient(d door) answer {
	options := []jaeger.TracerOption{jaeger.TracerOptions.Gen128Bit(d.has("128"))}
	for _, tag := range d.Content.Process {
		options = append(options, jaeger.TracerOptions.Tag(tag.key(), tag.value()))
	}
	tracer, closer := jaeger.NewTracer(d.Service, jaeger.NewConstSampler(true), jaegerReporter(d), options...)
	var made []opentracing.Span
	for _, each := range d.Content.Spans {
		var tags []Tag
		check(json.Unmarshal(each.Tags, &tags))
		start := []opentracing.StartSpanOption{opentracing.StartTime(at(each.Start))}
		if each.Parent != nil {
			start = append(start, opentracing.ChildOf(made[*each.Parent].Context()))
		}
		for _, index := range each.Follows {
			start = append(start, opentracing.FollowsFrom(made[index].Context()))
		}
		for _, tag := range tags {
			start = append(start, opentracing.Tag{Key: tag.key(), Value: tag.value()})
		}
		made = append(made, tracer.StartSpan(each.Name, start...))
	}
	ids := [][]string{}
	for index, one := range made {
		each := d.Content.Spans[index]
		finish := opentracing.FinishOptions{FinishTime: at(each.Start + each.Duration)}
		for _, record := range each.Logs {
			finish.LogRecords = append(finish.LogRecords,
				opentracing.LogRecord{Timestamp: at(record.Time), Fields: fields(record.Fields)})
		}
		one.FinishWithOptions(finish)
		context := one.Context().(jaeger.SpanContext)
		id := context.TraceID()
		ids = append(ids, []string{fmt.Sprintf("%016x%016x", id.High, id.Low),
			fmt.Sprintf("%016x", uint64(context.SpanID()))})
	}
	check(closer.Close())
	return answer{"ids": ids}
}

// samplingJaeger asks its sampler about two operations until the one that every strategy keeps is kept.
func samplingJaeger(d door) answer {
	sampler := jaeger.NewRemotelyControlledSampler(d.Service,
		jaeger.SamplerOptions.SamplingServerURL("http://"+d.Address+"/sampling"),
		jaeger.SamplerOptions.InitialSampler(jaeger.NewConstSampler(false)),
		jaeger.SamplerOptions.SamplingRefreshInterval(50*time.Millisecond))
	defer sampler.Close()
	tracer, closer := jaeger.NewTracer(d.Service, sampler, jaeger.NewNullReporter())
	defer closer.Close()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		kept := tracer.StartSpan("kept").(*jaeger.Span)
		if kept.SpanContext().IsSampled() {
			tracer.StartSpan("dropped") // a lower bound of zero still lets the first one through
			dropped := tracer.StartSpan("dropped").(*jaeger.Span)
			tags := kept.Tags()
			return answer{"kept": true, "dropped": dropped.SpanContext().IsSampled(),
				"type": tags["sampler.type"], "param": tags["sampler.param"]}
		}
	}
	return answer{"kept": false}
}
