// Sends the same spans twice with the OpenTelemetry SDK for Node: to the collector under test and, over
// OTLP/HTTP protobuf, straight to a sink. usage: emit.js PROTOCOL COMPRESSION URL DIRECT_URL SERVICE TRACES
'use strict';
const { trace, context, SpanKind, SpanStatusCode, TraceFlags, createTraceState } = require('@opentelemetry/api');
const { NodeTracerProvider, BatchSpanProcessor } = require('@opentelemetry/sdk-trace-node');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { CompressionAlgorithm } = require('@opentelemetry/otlp-exporter-base');
const grpc = require('@opentelemetry/exporter-trace-otlp-grpc');
const json = require('@opentelemetry/exporter-trace-otlp-http');
const proto = require('@opentelemetry/exporter-trace-otlp-proto');

const [protocol, compressionName, url, direct, service, traces] = process.argv.slice(2);
const compression = compressionName === 'gzip' ? CompressionAlgorithm.GZIP : CompressionAlgorithm.NONE;
const exporter =
  protocol === 'grpc' ? new grpc.OTLPTraceExporter({ url, compression })
  : protocol === 'http/json' ? new json.OTLPTraceExporter({ url: url + '/v1/traces', compression })
  : new proto.OTLPTraceExporter({ url: url + '/v1/traces', compression });
const options = { maxQueueSize: 100000, maxExportBatchSize: 512 };
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': service, 'host.cores': 8, 'flags.on': true, zones: ['a', 'b'] }),
  spanProcessors: [
    new BatchSpanProcessor(exporter, options),
    new BatchSpanProcessor(new proto.OTLPTraceExporter({ url: direct + '/v1/traces' }), options),
  ],
});
const tracer = provider.getTracer('matrix', '1.2.3', { schemaUrl: 'https://opentelemetry.io/schemas/1.26.0' });
const remote = {
  traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', isRemote: true,
  traceFlags: TraceFlags.SAMPLED, traceState: createTraceState('vendor=a,other=b:1'),
};
for (let i = 0; i < Number(traces); i++) {
  const parent = i % 4 === 0 ? trace.setSpanContext(context.active(), remote) : context.active();
  const root = tracer.startSpan(`GET /products/${i}`, { kind: SpanKind.SERVER, attributes: {
    text: 'naïve – 製品 🚀', empty: '', yes: true, no: false, small: -9007199254740991, large: 9007199254740991,
    zero: 0, real: 0.1, tiny: 1e-300, texts: ['x', '', 'ü'], ints: [1, -2], reals: [0.5, -1e-9], bools: [true, false],
    none: [] } }, parent);
  const inner = trace.setSpan(parent, root);
  const child = tracer.startSpan('call', { kind: SpanKind.CLIENT,
    links: [{ context: remote, attributes: { 'link.kind': 'follows', n: i } }] }, inner);
  child.addEvent('retry', { attempt: 2, reason: 'timeout' }, [1700000000, 123456789]);
  child.recordException(new Error('bad "quote"\n\ttab'));
  child.setStatus({ code: SpanStatusCode.ERROR, message: 'upstream said no' });
  child.end();
  for (const [name, kind] of [['producer', SpanKind.PRODUCER], ['consumer', SpanKind.CONSUMER], ['internal', SpanKind.INTERNAL]]) {
    const span = tracer.startSpan(name, { kind }, inner);
    span.setStatus({ code: SpanStatusCode.OK });
    span.end();
  }
  root.addEvent('no attributes');
  root.end();
}
provider.shutdown().then(() => process.exit(0), error => { console.error(error); process.exit(1); });
