// Sends spans with the real clients of Zipkin and Jaeger for Node; what it reads and prints: see ../python/emit.py.
'use strict';
const fs = require('fs');

const value = ([, type, raw]) => (type === 'binary' ? Buffer.from(raw, 'hex') : raw);
const typed = (tags) => Object.fromEntries(tags.map((tag) => [tag[0], value(tag)]));

// A service that knows nothing but where its jaeger-agent is, and asks it what to sample.
async function tracerOfEnvironment(service, address, options) {
  const [agent, sampler] = address.split(',');
  const [JAEGER_AGENT_HOST, JAEGER_AGENT_PORT] = agent.split(':');
  Object.assign(process.env, {JAEGER_SERVICE_NAME: service, JAEGER_AGENT_HOST, JAEGER_AGENT_PORT,
    JAEGER_SAMPLER_TYPE: 'remote', JAEGER_SAMPLER_PARAM: '0', JAEGER_SAMPLER_REFRESH_INTERVAL: '50',
    JAEGER_SAMPLER_MANAGER_HOST_PORT: sampler});
  const tracer = require('jaeger-client').initTracerFromEnv({}, options);
  for (const end = Date.now() + 20000; Date.now() < end;) {
    if (tracer.startSpan('kept').context().isSampled()) return tracer;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('the strategy never arrived');
}

async function jaeger({client, service, address, content}) {
  const {initTracer, opentracing} = require('jaeger-client');
  const [host, port] = address.split(':');
  const reporter = client.includes('http')
    ? {collectorEndpoint: `http://${address}/api/traces`} : {agentHost: host, agentPort: Number(port)};
  const failures = [];
  const logger = {info() {}, error: (message) => failures.push(message)};
  const options = {tags: typed(content.process), traceId128bit: client.includes('128'), logger};
  const tracer = client.includes('env') ? await tracerOfEnvironment(service, address, options)
    : initTracer({serviceName: service, sampler: {type: 'const', param: 1}, reporter}, options);
  const made = content.spans.map(() => null);
  content.spans.forEach((span, index) => {
    const references = (span.follows || []).map((each) => opentracing.followsFrom(made[each].context()));
    if ('parent' in span) references.unshift(opentracing.childOf(made[span.parent].context()));
    const one = tracer.startSpan(span.name, {references, tags: typed(span.tags), startTime: span.start / 1000});
    for (const log of span.logs) one.log(typed(log.fields), log.time / 1000);
    made[index] = one;
  });
  made.forEach((one, index) => one.finish((content.spans[index].start + content.spans[index].duration) / 1000));
  await new Promise((resolve) => tracer.close(resolve));
  if (failures.length) throw new Error(failures.join('; '));
  const contexts = made.map((one) => one.context());
  return {ids: contexts.map((each) => [each.toTraceId().padStart(32, '0'), each.toSpanId().padStart(16, '0')])};
}

async function sampling({service, address}) {
  const {initTracer} = require('jaeger-client');
  const [host, port] = address.split(':');
  const tracer = initTracer(
    {serviceName: service, sampler: {type: 'remote', param: 0, host, port: Number(port), refreshIntervalMs: 50},
     reporter: {agentHost: host, agentPort: 9}}, {});
  const end = Date.now() + 20000;
  let answer = {kept: false};
  while (Date.now() < end && !answer.kept) {
    const kept = tracer.startSpan('kept');
    if (kept.context().isSampled()) {
      const tags = Object.fromEntries(kept._tags.map((tag) => [tag.key, tag.value]));
      tracer.startSpan('dropped'); // a lower bound of zero still lets the first one through
      answer = {kept: true, dropped: tracer.startSpan('dropped').context().isSampled(),
                type: tags['sampler.type'], param: tags['sampler.param']};
    } else {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  tracer._sampler.close(() => {});
  return answer;
}

const BEGIN_AND_END = {CLIENT: ['ClientSend', 'ClientRecv'], SERVER: ['ServerRecv', 'ServerSend'],
  PRODUCER: ['ProducerStart', 'ProducerStop'], CONSUMER: ['ConsumerStart', 'ConsumerStop']};

async function zipkin({client, service, address, content}) {
  const {Annotation, BatchRecorder, ExplicitContext, InetAddress, TraceId, Tracer, jsonEncoder} = require('zipkin');
  const {HttpLogger} = require('zipkin-transport-http');
  const version = client.includes('v1') ? 'v1' : 'v2';
  const logger = new HttpLogger({endpoint: `http://${address}/api/${version}/spans`, httpInterval: 10,
    jsonEncoder: version === 'v1' ? jsonEncoder.JSON_V1 : jsonEncoder.JSON_V2});
  const answered = new Promise((resolve, reject) => { logger.on('success', resolve); logger.on('error', reject); });
  const tracer = new Tracer({ctxImpl: new ExplicitContext(), recorder: new BatchRecorder({logger}),
    localServiceName: service, traceId128Bit: true, supportsJoin: true});
  const made = [];
  const idOf = (span) => {
    if ('shared' in span) { // the server's half of a call: its id came over the wire
      const {traceId, parentSpanId, spanId, sampled} = made[span.shared];
      return tracer.join(new TraceId({traceId, parentId: parentSpanId, spanId, sampled}));
    }
    return 'parent' in span ? tracer.letId(made[span.parent], () => tracer.createChildId()) : tracer.createRootId();
  };
  content.spans.forEach((span) => {
    const id = idOf(span);
    made.push(id);
    tracer.letId(id, () => {
      const record = (annotation, time) => tracer.recordAnnotation(annotation, time);
      const {ipv4, port} = content.endpoint;
      record(new Annotation.ServiceName(service), span.timestamp);
      record(new Annotation.LocalAddr({host: new InetAddress(ipv4), port}), span.timestamp);
      const [begin, end] = span.kind ? BEGIN_AND_END[span.kind].map((name) => new Annotation[name]())
        : [new Annotation.LocalOperationStart(span.name), new Annotation.LocalOperationStop()];
      record(begin, span.timestamp);
      record(new Annotation.Rpc(span.name), span.timestamp);
      for (const [key, text] of Object.entries(span.tags)) record(new Annotation.BinaryAnnotation(key, text));
      for (const each of span.annotations) record(new Annotation.Message(each.value), each.timestamp);
      if (span.remoteEndpoint) {
        const remote = {...span.remoteEndpoint};
        if (remote.ipv4) remote.host = new InetAddress(remote.ipv4);
        const type = {SERVER: 'ClientAddr', CLIENT: 'ServerAddr'}[span.kind] || 'MessageAddr';
        record(new Annotation[type](remote));
      }
      record(end, span.timestamp + span.duration);
    });
  });
  await answered;
  return {ids: made.map((id) => [id.traceId, id.spanId])};
}

async function opentelemetry({client, service, address, content}) {
  const {trace, context, SpanKind, SpanStatusCode} = require('@opentelemetry/api');
  const {resourceFromAttributes} = require('@opentelemetry/resources');
  const {NodeTracerProvider, BatchSpanProcessor} = require('@opentelemetry/sdk-trace-node');
  const {JaegerExporter} = require('@opentelemetry/exporter-jaeger');
  const {ZipkinExporter} = require('@opentelemetry/exporter-zipkin');
  const [host, port] = address.split(':');
  const exporter = {
    'otel-jaeger-udp': () => new JaegerExporter({host, port: Number(port)}),
    'otel-jaeger-http': () => new JaegerExporter({endpoint: `http://${address}/api/traces`}),
    'otel-zipkin-json': () => new ZipkinExporter({url: `http://${address}/api/v2/spans`}),
  }[client]();
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({'service.name': service, ...typed(content.resource)}),
    spanProcessors: [new BatchSpanProcessor(exporter)]});
  const tracer = provider.getTracer('doors', '1.2.3');
  const time = (micros) => [Math.floor(micros / 1e6), (micros % 1e6) * 1000];
  const foreign = {traceId: content.link[0], spanId: content.link[1], traceFlags: 1, isRemote: true};
  const made = [];
  for (const span of content.spans) {
    const parent = 'parent' in span ? trace.setSpan(context.active(), made[span.parent]) : context.active();
    const one = tracer.startSpan(span.name, {kind: SpanKind[span.kind.toUpperCase()], startTime: time(span.start),
      attributes: typed(span.attributes), links: span.link ? [{context: foreign}] : []}, parent);
    for (const event of span.events) one.addEvent(event.name, typed(event.attributes), time(event.time));
    const code = SpanStatusCode[span.status.toUpperCase()];
    if (code) one.setStatus({code, message: span.message});
    made.push(one);
  }
  made.forEach((one, index) => one.end(time(content.spans[index].start + content.spans[index].duration)));
  await provider.shutdown();
  return {ids: made.map((one) => [one.spanContext().traceId, one.spanContext().spanId])};
}

async function main() {
  setInterval(() => {}, 1000); // the clients' own timers do not keep a process alive
  const kinds = {jaeger, jaeger128: jaeger, sampling, zipkin, otel: opentelemetry};
  for (const each of JSON.parse(fs.readFileSync(0)).cases) {
    let done;
    try {
      done = await kinds[each.client.split('-')[0]](each);
    } catch (error) {
      done = {error: String(error.stack || error)};
    }
    fs.writeSync(1, JSON.stringify({service: each.service, ...done}) + '\n');
  }
  process.exit(0);
}
main();
