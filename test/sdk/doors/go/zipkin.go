package main

import (
	"encoding/json"
	"net"
	"strings"
	"time"

	"github.com/openzipkin/zipkin-go"
	"github.com/openzipkin/zipkin-go/model"
	"github.com/openzipkin/zipkin-go/proto/zipkin_proto3"
	"github.com/openzipkin/zipkin-go/reporter/http"
)

func modelEndpoint(from endpoint) *model.Endpoint {
	return &model.Endpoint{ServiceName: from.ServiceName, IPv4: net.ParseIP(from.Ipv4).To4(),
		IPv6: net.ParseIP(from.Ipv6), Port: from.Port}
}

func zipkinClient(d door) answer {
	options := []http.ReporterOption{}
	if d.has("proto") {
		options = append(options, http.Serializer(zipkin_proto3.SpanSerializer{}))
	}
	reporter := http.NewReporter("http://"+d.Address+"/api/v2/spans", options...)
	local := d.Content.Endpoint
	local.ServiceName = d.Service
	tracer, err := zipkin.NewTracer(reporter, zipkin.WithLocalEndpoint(modelEndpoint(local)),
		zipkin.WithTraceID128Bit(!d.has("64")), zipkin.WithSharedSpans(true))
	check(err)
	var made []zipkin.Span
	ids := [][]string{}
	for _, each := range d.Content.Spans {
		tags := map[string]string{}
		check(json.Unmarshal(each.Tags, &tags))
		start := []zipkin.SpanOption{zipkin.StartTime(at(each.Timestamp)), zipkin.Tags(tags)}
		if each.Kind != "" {
			start = append(start, zipkin.Kind(model.Kind(each.Kind)))
		}
		if each.Parent != nil {
			start = append(start, zipkin.Parent(made[*each.Parent].Context()))
		}
		if each.Shared != nil { // the server's half of a call: its context came over the wire
			start = append(start, zipkin.Parent(made[*each.Shared].Context()))
		}
		if each.RemoteEndpoint != nil {
			start = append(start, zipkin.RemoteEndpoint(modelEndpoint(*each.RemoteEndpoint)))
		}
		one := tracer.StartSpan(each.Name, start...)
		for _, note := range each.Annotations {
			one.Annotate(at(note.Timestamp), note.Value)
		}
		made = append(made, one)
		id := one.Context().TraceID.String()
		ids = append(ids, []string{strings.Repeat("0", 32-len(id)) + id, one.Context().ID.String()})
	}
	for index, one := range made {
		one.FinishedWithDuration(time.Duration(d.Content.Spans[index].Duration) * time.Microsecond)
	}
	check(reporter.Close())
	return answer{"ids": ids}
}
