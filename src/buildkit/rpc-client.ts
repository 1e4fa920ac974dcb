import type { DescService } from "@bufbuild/protobuf";
import { type CallOptions, type Transport, createClient, makeAnyClient } from "@connectrpc/connect";
import { AbortedError, linkSignal } from "../core/index.js";
import type { RpcClient } from "./rpc-types.js";

/** How {@link createRpcClient} treats its calls. */
export interface RpcClientOptions {
  /** Metadata of every call. */
  headers?: Record<string, string>;
  /**
   * Aborts when the connection has ended. Without it, connect would never report a stream that closes with its session
   * and has no error of its own.
   */
  ended: AbortSignal;
  /** Turns what a call threw into the error to throw; `signal` is the caller's. */
  explain(error: unknown, signal: AbortSignal | undefined): Promise<Error>;
}

/**
 * connect-es's client with two things mended: leaving a stream's `for await` early resets the HTTP/2 stream (there it
 * stays open for ever), and errors go through `explain`. A stream is opened when iteration begins.
 */
export function createRpcClient<S extends DescService>(
  service: S,
  transport: Transport,
  options: RpcClientOptions,
): RpcClient<S> {
  const plain = createClient(service, transport) as unknown as Record<string, Call>;
  return makeAnyClient(service, (method) => {
    const call = plain[method.localName] as Call;
    return method.methodKind === "unary" || method.methodKind === "client_streaming"
      ? (input: unknown, given?: CallOptions) => single(call as Call<Promise<unknown>>, input, given, options)
      : (input: unknown, given?: CallOptions) =>
          stream(call as Call<AsyncIterable<unknown>>, input, given, options);
  }) as RpcClient<S>;
}

type Call<Result = unknown> = (input: unknown, options: CallOptions) => Result;

async function single(
  call: Call<Promise<unknown>>,
  input: unknown,
  given: CallOptions | undefined,
  options: RpcClientOptions,
): Promise<unknown> {
  const watch = watchCall(given?.signal, options.ended);
  try {
    return await call(input, { ...withHeaders(given, options), signal: watch.signal });
  } catch (error) {
    throw await options.explain(error, given?.signal);
  } finally {
    watch.end();
  }
}

async function* stream(
  call: Call<AsyncIterable<unknown>>,
  input: unknown,
  given: CallOptions | undefined,
  options: RpcClientOptions,
): AsyncGenerator {
  const watch = watchCall(given?.signal, options.ended);
  try {
    const messages = call(input, { ...withHeaders(given, options), signal: watch.signal });
    for await (const message of messages) yield message;
  } catch (error) {
    throw await options.explain(error, given?.signal);
  } finally {
    watch.end();
  }
}

/** A signal of our own for one call. Ending it aborts it, which resets a stream that is still open. */
function watchCall(given: AbortSignal | undefined, ended: AbortSignal) {
  const linked = linkSignal(given);
  const onEnded = () => linked.abort(ended.reason);
  if (ended.aborted) onEnded();
  else ended.addEventListener("abort", onEnded, { once: true });
  return {
    signal: linked.signal,
    end() {
      ended.removeEventListener("abort", onEnded);
      linked[Symbol.dispose]();
      linked.abort(new AbortedError("the call is over"));
    },
  };
}

function withHeaders(given: CallOptions | undefined, { headers }: RpcClientOptions): CallOptions {
  if (!headers) return given ?? {};
  const merged = new Headers(given?.headers);
  for (const [name, value] of Object.entries(headers)) merged.set(name, value);
  return { ...given, headers: merged };
}
