import type { BuildkitClient, sourcepolicy } from "../buildkit/index.js";
import { type EventSink, type Redactor, randomId } from "../core/index.js";
import { type Attachable, Session } from "../session/index.js";
import type { AskGateway } from "./gateway-drive.js";
import { requiring } from "./network/require-proxy.js";
import { solve } from "./solve.js";

/** What {@link internalSolve} works with. */
export interface InternalSolve {
  client: BuildkitClient;
  /** Asks for what is wanted, and looks into it. */
  ask: AskGateway;
  /** What the builder may ask of this side. */
  attachables?: readonly Attachable[];
  /** May put other sources in the places of those that are asked for. */
  sourcePolicy?: sourcepolicy.Policy | undefined;
  /** Decides on them. */
  policySession?: Attachable;
  /** What the daemon must know for that. */
  needs?: Parameters<typeof requiring>[0];
  sink?: EventSink | undefined;
  /** Knows the secrets that are handed out. */
  redactor?: Redactor | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * A build on the way to another, through the gateway alone: nothing comes out of it, and the builder's history does not know it.
 *
 * @throws BuildError; what `ask` throws
 */
export async function internalSolve({
  attachables = [],
  sourcePolicy,
  policySession,
  needs,
  ...options
}: InternalSolve): Promise<void> {
  const { client, signal } = options;
  await using session = await Session.open(client, {
    attachables: policySession ? [...attachables, policySession] : attachables,
    sharedKey: "",
    signal,
  });
  await solve({
    ...options,
    ask: needs ? requiring(needs, options.ask) : options.ask,
    session,
    plan: {
      ref: randomId(),
      frontend: "dockerfile.v0",
      attrs: {},
      inputs: { dockerfilePath: "Dockerfile" },
      exports: [],
      caches: { imports: [], exports: [], attrs: {}, warnings: [] },
      entitlements: [],
      internal: true,
      ...(sourcePolicy && { sourcePolicy }),
      policySession: policySession !== undefined,
    },
  });
}
