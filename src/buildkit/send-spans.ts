import { create } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import type { ClientSpan } from "./client-span.js";
import { TraceService } from "./gen/opentelemetry/proto/collector/trace/v1/trace_service_pb.js";
import { type KeyValue, KeyValueSchema } from "./gen/opentelemetry/proto/common/v1/common_pb.js";
import {
  type ResourceSpans,
  ResourceSpansSchema,
  Span_SpanKind,
  Status_StatusCode,
} from "./gen/opentelemetry/proto/trace/v1/trace_pb.js";
import { type RpcClientOptions, createRpcClient } from "./rpc-client.js";

const kinds = {
  internal: Span_SpanKind.INTERNAL,
  client: Span_SpanKind.CLIENT,
  server: Span_SpanKind.SERVER,
};

/** Hands spans to the daemon (OTLP TraceService.Export). Loaded when there are some: a daemon can do without. */
export async function sendSpans(
  spans: readonly ClientSpan[],
  transport: Transport,
  options: RpcClientOptions,
  signal: AbortSignal | undefined,
): Promise<void> {
  const service = createRpcClient(TraceService, transport, options);
  await service.export({ resourceSpans: [resourceSpans(spans)] }, { ...(signal && { signal }) });
}

function resourceSpans(spans: readonly ClientSpan[]): ResourceSpans {
  return create(ResourceSpansSchema, {
    resource: { attributes: attributes({ "service.name": "slipway" }) },
    scopeSpans: [
      {
        scope: { name: "slipway" },
        spans: spans.map((span) => ({
          traceId: bytes(span.traceId),
          spanId: bytes(span.spanId),
          parentSpanId: bytes(span.parentSpanId ?? ""),
          traceState: span.traceState ?? "",
          name: span.name,
          kind: kinds[span.kind],
          startTimeUnixNano: span.started,
          endTimeUnixNano: span.ended,
          attributes: attributes(span.attributes),
          status:
            span.error === undefined
              ? { code: Status_StatusCode.OK }
              : { code: Status_StatusCode.ERROR, message: span.error },
        })),
      },
    ],
  });
}

function attributes(values: Readonly<Record<string, string>>): KeyValue[] {
  return Object.entries(values).map(([key, value]) =>
    create(KeyValueSchema, { key, value: { value: { case: "stringValue", value } } }),
  );
}

function bytes(hex: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(hex, "hex"));
}
