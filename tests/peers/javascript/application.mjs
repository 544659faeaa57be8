// An application instrumented by hand with OpenTelemetry for JavaScript: one request, with one query in it.
// usage: node application.mjs TRACEPARENT TRACESTATE   (where to: OTEL_EXPORTER_OTLP_*, as any SDK reads it)
import { context, defaultTextMapGetter, ROOT_CONTEXT, SpanKind, trace } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import * as sdk from "@opentelemetry/sdk-trace";

const [traceparent, tracestate] = process.argv.slice(2);
const Provider = sdk.BasicTracerProvider ?? sdk.TracerProvider;
const processor = new sdk.BatchSpanProcessor({ exporter: new OTLPTraceExporter() });
const provider = new Provider({ spanProcessors: [processor] });
const tracer = provider.getTracer("application");
const came = new W3CTraceContextPropagator().extract(ROOT_CONTEXT, { traceparent, tracestate }, defaultTextMapGetter);

const began = Date.now();
const entry = tracer.startSpan("POST", { kind: SpanKind.SERVER, startTime: began }, came);
const attributes = { "db.system.name": "postgresql" };
const options = { kind: SpanKind.CLIENT, startTime: began + 100, attributes };
tracer.startSpan("query", options, trace.setSpan(came, entry)).end(began + 400);
entry.end(began + 500);
await provider.shutdown();
