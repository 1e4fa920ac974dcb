import { type Connection, type ManyResults, buildMany, failedEnd } from "../build/index.js";
import {
  type BuildEvent,
  type GuardedEvents,
  guardEvents,
  readOptions,
  withoutUndefined,
} from "../core/index.js";
import type { BakeOptions, BakeResult } from "./bake.js";
import { bakeKinds, connectionBakeKinds } from "./option-kinds.js";
import { PrivilegesError } from "./privileges-error.js";
import { missingPrivileges } from "./privileges.js";
import { planOf } from "./plan-bake.js";
import { toBuildOptions } from "./to-build-options.js";

/** See `bake()` in bake.ts. */
export async function runBake(given: BakeOptions, connection?: Connection): Promise<BakeResult> {
  const events = typeof given.onEvent === "function" ? guardEvents(given.onEvent) : undefined;
  const byTarget = guardTargetEvents(given.onTargetEvent);
  let end: BuildEvent = { type: "end" };
  let outcome: ManyResults;
  try {
    const read = connection
      ? readOptions("a connection's bake()", given, connectionBakeKinds)
      : readOptions("bake()", given, bakeKinds);
    const guarded = {
      ...read,
      ...(events && { onEvent: events.sink }),
      ...(byTarget && { onTargetEvent: byTarget.sink }),
    };
    outcome = await build(guarded, connection);
  } catch (error) {
    end = failedEnd(error);
    throw error;
  } finally {
    events?.sink(end);
  }
  events?.throwIfFailed();
  byTarget?.throwIfFailed();
  const { results: targets, failures } = outcome;
  const metadata = Object.fromEntries(
    [...targets].sort(byName).map(([name, result]) => [name, result.metadata]),
  );
  return { targets, failures, metadata };
}

/** A caller's function for events by target, each target's behind a guard of its own. */
function guardTargetEvents(given: BakeOptions["onTargetEvent"]) {
  if (typeof given !== "function") return undefined;
  const guards = new Map<string, GuardedEvents | undefined>();
  return {
    sink(this: void, target: string, event: BuildEvent): void {
      if (!guards.has(target))
        guards.set(
          target,
          guardEvents((each) => given(target, each)),
        );
      guards.get(target)?.sink(event);
    },
    throwIfFailed(this: void): void {
      for (const guard of guards.values()) guard?.throwIfFailed();
    },
  };
}

async function build(options: BakeOptions, connection: Connection | undefined): Promise<ManyResults> {
  const { cwd = process.cwd(), env = process.env, allow = [], targets: asked = ["default"] } = options;
  const ofAll = ofAllTargets(options);
  const plan = options.plan ?? (await planOf(options, connection));
  const targets = new Map(
    [...plan.targets].map(([name, target]) => {
      return [name, { ...toBuildOptions(target, { cwd, env }), ...ofAll }] as const;
    }),
  );
  const missing = missingPrivileges(targets.values(), [...allow, ...plan.granted], cwd);
  if (missing.length > 0) throw new PrivilegesError(missing);
  return buildMany(targets, { ...options, connection, asked });
}

/** What a definition does not say of its targets, and holds for all of them. */
function ofAllTargets(options: BakeOptions) {
  const { credentials, policy, policyTimeoutMilliseconds, metadataProvenance, reproducible, recordInputs } =
    options;
  return withoutUndefined({
    credentials,
    policy,
    policyTimeoutMilliseconds,
    metadataProvenance,
    reproducible,
    recordInputs,
  });
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
