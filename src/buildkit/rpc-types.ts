import type {
  DescMethodBiDiStreaming,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";

// connect's own types name the browser's, which programs for Node have not got.

/** Options of one call of a service. */
export interface RpcCallOptions {
  signal?: AbortSignal | undefined;
  /** Deadline, in milliseconds. */
  timeoutMs?: number | undefined;
  /** Metadata that goes with the call. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Called with the metadata at the beginning of the answer. */
  onHeader?: ((headers: Headers) => void) | undefined;
  /** Called with the metadata at the end of the answer. */
  onTrailer?: ((trailers: Headers) => void) | undefined;
}

/** A service's methods as functions, named as in protobuf with the first letter small. */
export type RpcClient<S extends DescService> = {
  [Name in keyof S["method"]]: S["method"][Name] extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: RpcCallOptions) => Promise<MessageShape<O>>
    : S["method"][Name] extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageInitShape<I>, options?: RpcCallOptions) => AsyncIterable<MessageShape<O>>
      : S["method"][Name] extends DescMethodClientStreaming<infer I, infer O>
        ? (request: AsyncIterable<MessageInitShape<I>>, options?: RpcCallOptions) => Promise<MessageShape<O>>
        : S["method"][Name] extends DescMethodBiDiStreaming<infer I, infer O>
          ? (
              request: AsyncIterable<MessageInitShape<I>>,
              options?: RpcCallOptions,
            ) => AsyncIterable<MessageShape<O>>
          : never;
};
