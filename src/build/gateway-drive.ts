import { create } from "@bufbuild/protobuf";
import { type BuildkitClient, BuildkitError, gateway, rpc } from "../buildkit/index.js";
import { messageOf } from "../core/index.js";
import type { SolveSpec } from "./solve-request.js";

/** A build's gateway, through which its frontend is driven. */
export type Gateway = ReturnType<BuildkitClient["gateway"]>;

/**
 * Asks for what is to be built, and gives the result to export; undefined for none. The build goes on until it has returned, so
 * that what it asked for can be looked into as long.
 */
export type AskGateway = (bridge: Gateway, options: AskOptions) => Promise<gateway.Result | undefined>;

/** What {@link AskGateway} is told. */
export interface AskOptions {
  signal: AbortSignal;
  /** What is to be built. */
  plan: SolveSpec;
  /** The build's own error for what the daemon answered with. */
  explain: (error: unknown) => Error;
}

/** gRPC's code for an error that has none. */
const unknownCode = 2;

/**
 * Builds through the gateway and returns the result to the solve, which exports it.
 *
 * @returns metadata of the result
 * @throws what `ask` does, after the daemon was told; BuildkitError
 */
export async function driveGateway(
  bridge: Gateway,
  ask: AskGateway,
  options: AskOptions,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const { signal } = options;
  let result: gateway.Result | undefined;
  try {
    result = await ask(bridge, options);
  } catch (error) {
    // The solve waits for a result; told of the failure it ends with the same typed error.
    const status =
      error instanceof BuildkitError
        ? error.code === "BUILDKIT_STATUS" && error.status
        : create(rpc.StatusSchema, { code: unknownCode, message: messageOf(error) });
    if (status) await bridge.return({ error: status }, { signal }).catch(() => {});
    throw error;
  }
  await bridge.return({ result: result ?? create(gateway.ResultSchema) }, { signal });
  return new Map(Object.entries(result?.metadata ?? {}));
}
