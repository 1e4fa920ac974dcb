import type { Duplex } from "node:stream";
import { Builder, isBuilder, pickNode } from "../builder/index.js";
import type { Environment } from "../config/index.js";
import { type EventSink, InvalidArgumentError, readOptions, withGuardedEvents } from "../core/index.js";
import { dialKinds } from "./option-kinds.js";

/** Options of {@link dialBuilder}. */
export interface DialBuilderOptions {
  /** A builder's name, or a builder; default the current one. */
  builder?: string | Builder | undefined;
  /** Chooses the node that builds for it, among several. */
  platform?: string | undefined;
  /** Default `process.env`. */
  env?: Environment | undefined;
  /** Gets the boot of a builder that does not run yet. */
  onEvent?: EventSink | undefined;
  signal?: AbortSignal | undefined;
}

/** A connection to a builder's daemon. */
export interface BuilderStream extends AsyncDisposable {
  /** Carries BuildKit's gRPC, over HTTP/2 without TLS. Nothing has been said on it yet. */
  readonly stream: Duplex;
  /** Ends the connection. Idempotent. */
  close(): Promise<void>;
}

/**
 * Opens a plain connection to a builder's buildkitd, for clients of its API. The builder is booted if it does not run.
 *
 * @throws StoreError for a builder that is not there, InvalidArgumentError for an invalid platform, DriverError for a
 * node that cannot be booted.
 */
export async function dialBuilder(given: DialBuilderOptions = {}): Promise<BuilderStream> {
  const options = readOptions("dialBuilder()", given, dialKinds);
  const { env, platform, signal, onEvent } = options;
  const builder = isBuilder(options.builder)
    ? options.builder
    : await Builder.open({ name: options.builder, env, signal });
  const node = pickNode(builder, platform === undefined ? [] : [platform]);
  if (!node) throw new InvalidArgumentError(`builder ${builder.name} has no nodes`);
  await builder.touch();
  const driver = await node.openDriver();
  try {
    const stream = await withGuardedEvents(
      onEvent,
      (sink) => driver.dial({ sink, signal }),
      (opened) => Promise.resolve(void opened.destroy()),
    );
    const close = async () => {
      stream.destroy();
      await driver.close();
    };
    return { stream, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await driver.close();
    throw error;
  }
}
