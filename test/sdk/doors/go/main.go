// Sends spans with the real clients of Zipkin and Jaeger for Go; what it reads and prints: see ../python/emit.py.
package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
)

// Tag is [key, type, value] in JSON.
type Tag [3]any

func (tag Tag) key() string { return tag[0].(string) }

func (tag Tag) value() any {
	switch tag[1] {
	case "int64":
		return int64(tag[2].(float64))
	case "binary":
		raw, err := hex.DecodeString(tag[2].(string))
		check(err)
		return raw
	case "strings":
		var texts []string
		for _, each := range tag[2].([]any) {
			texts = append(texts, each.(string))
		}
		return texts
	case "int64s":
		var numbers []int64
		for _, each := range tag[2].([]any) {
			numbers = append(numbers, int64(each.(float64)))
		}
		return numbers
	}
	return tag[2]
}

type endpoint struct {
	ServiceName, Ipv4, Ipv6 string
	Port                    uint16
}

type event struct {
	Time       int64
	Name       string
	Value      string
	Fields     []Tag
	Attributes []Tag
}

type span struct {
	Name, Kind, Status, Message string
	Parent, Shared              *int
	Follows                     []int
	Start, Duration, Timestamp  int64
	Tags                        json.RawMessage
	Attributes                  []Tag
	Logs, Events                []event
	Annotations                 []struct {
		Timestamp int64
		Value     string
	}
	RemoteEndpoint *endpoint
	Link           bool
}

// Door is one case: a client, where it sends, and what.
type door struct {
	Client, Service, Address string
	Content                  struct {
		Process, Resource []Tag
		Endpoint          endpoint
		Link              []string
		Spans             []span
	}
}

func (d door) has(word string) bool { return strings.Contains(d.Client, word) }

// answer is what the runner learns of the case.
type answer map[string]any

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func at(micros int64) time.Time { return time.UnixMicro(micros) }

func run(d door) (result answer) {
	defer func() {
		if problem := recover(); problem != nil {
			result = answer{"error": fmt.Sprint(problem)}
		}
		result["service"] = d.Service
	}()
	kind, _, _ := strings.Cut(d.Client, "-")
	return map[string]func(door) answer{"jaeger": jaegerClient, "jaeger128": jaegerClient, "sampling": samplingJaeger,
		"otelsampling": samplingOpenTelemetry, "zipkin": zipkinClient, "zipkin64": zipkinClient,
		"otel": openTelemetry}[kind](d)
}

func main() {
	var input struct{ Cases []door }
	check(json.NewDecoder(os.Stdin).Decode(&input))
	for _, each := range input.Cases {
		line, err := json.Marshal(run(each))
		check(err)
		fmt.Println(string(line))
	}
}
