import {
  create,
  fromBinary,
  toBinary,
  type DescMethod,
  type DescMessage,
  type DescService,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { GrpcError, frameMessage, grpcCodes, type ServerCall } from "../http2/index.js";
import type { Attachable } from "./attachable.js";

/** What a method of a service is given: the message, or the stream of them. */
export type MethodInput<M extends DescMethod> = M["methodKind"] extends "unary" | "server_streaming"
  ? MessageShape<M["input"]>
  : AsyncIterable<MessageShape<M["input"]>>;

/** What a method of a service gives back. */
export type MethodOutput<M extends DescMethod> = M["methodKind"] extends "unary" | "client_streaming"
  ? MessageInitShape<M["output"]> | Promise<MessageInitShape<M["output"]>>
  : AsyncIterable<MessageInitShape<M["output"]>>;

/** Functions for methods of a generated service: request in, response out; streams are async iterables. */
export type ServiceHandlers<S extends DescService> = {
  [Name in keyof S["method"]]?: (
    request: MethodInput<S["method"][Name]>,
    call: ServerCall,
  ) => MethodOutput<S["method"][Name]>;
};

/**
 * Serves a generated service whose messages are small, decoded and encoded by protobuf-es. Payload streams write their
 * own `Attachable` instead. Methods without a handler are not advertised.
 */
export function service<S extends DescService>(desc: S, handlers: ServiceHandlers<S>): Attachable {
  const methods = new Map<string, { method: DescMethod; run: Handler }>();
  const names: string[] = [];
  for (const method of desc.methods) {
    const run = (handlers as Record<string, Handler | undefined>)[method.localName];
    if (!run) continue;
    const path = `/${desc.typeName}/${method.name}`;
    names.push(path);
    methods.set(path.toLowerCase(), { method, run });
  }
  return {
    methods: names,
    async handle(call) {
      const found = methods.get(call.path.toLowerCase());
      if (!found) throw new GrpcError(grpcCodes.unimplemented, `method ${call.path} is not served`);
      await serve(call, found.method, found.run);
    },
  };
}

type Handler = (request: unknown, call: ServerCall) => unknown;

async function serve(call: ServerCall, method: DescMethod, run: Handler): Promise<void> {
  const requests = decode(call, method.input);
  const streamsIn = method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
  const response = run(streamsIn ? requests : await only(call, requests), call);
  if (method.methodKind === "unary" || method.methodKind === "client_streaming") {
    call.write(encode(method.output, await response));
    return;
  }
  for await (const message of response as AsyncIterable<unknown>) {
    if (!call.write(encode(method.output, message))) await call.drained();
  }
}

async function* decode(call: ServerCall, desc: DescMessage): AsyncGenerator {
  for await (const bytes of call.messages()) yield fromBinary(desc, bytes);
}

function encode(desc: DescMessage, init: unknown): Buffer {
  return frameMessage(toBinary(desc, create(desc, init as MessageInitShape<DescMessage>)));
}

/** The one request of a unary call. What the peer sends behind it is left unread and goes with the stream. */
async function only(call: ServerCall, requests: AsyncGenerator): Promise<unknown> {
  for await (const request of requests) return request;
  throw new GrpcError(grpcCodes.internal, `${call.path} was called without a request message`);
}
