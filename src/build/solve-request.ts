import { create } from "@bufbuild/protobuf";
import { control } from "../buildkit/index.js";
import type { AskGateway } from "./gateway-drive.js";
import { toldAttrs } from "./local-cache-name.js";
import type { Cache } from "./parse/cache.js";
import type { SolvePlan } from "./solve-plan.js";

/** What of a plan the solve itself goes by. */
export type SolveSpec = Pick<
  SolvePlan,
  | "ref"
  | "frontend"
  | "attrs"
  | "exports"
  | "caches"
  | "entitlements"
  | "sourcePolicy"
  | "policySession"
  | "proxyNetwork"
  | "trust"
> & {
  inputs: Pick<SolvePlan["inputs"], "dockerfilePath"> &
    Partial<Pick<SolvePlan["inputs"], "locals" | "graphs">>;
  call?: SolvePlan["call"];
  /** A build on the way to another, of which the builder's history is to know nothing. */
  internal?: boolean;
};

/** What the daemon is asked for. Its frontend is driven by the gateway, so none is named here. */
export function solveRequest(plan: SolveSpec, session: string): control.SolveRequest {
  const [first] = plan.exports;
  return create(control.SolveRequestSchema, {
    Ref: plan.ref,
    Session: session,
    // Older daemons know one exporter only, in the first fields.
    ExporterDeprecated: first?.type ?? "",
    ExporterAttrsDeprecated: first?.attrs ?? {},
    Exporters: plan.exports.map(({ type, attrs }) => ({ Type: type, Attrs: attrs })),
    FrontendAttrs: { ...plan.attrs },
    FrontendInputs: frontendInputs(plan),
    Cache: {
      Exports: plan.caches.exports.map(cacheEntry),
      Imports: plan.caches.imports.map(cacheEntry),
    },
    Entitlements: [...plan.entitlements],
    Internal: plan.internal ?? plan.call !== undefined,
    ...(plan.sourcePolicy && { SourcePolicy: plan.sourcePolicy }),
    ...(plan.policySession && { SourcePolicySession: session }),
    ...(plan.proxyNetwork && { ProxyNetwork: true }),
  });
}

/** Lets the plan's frontend build. */
export const askFrontend: AskGateway = async (bridge, { plan, signal }) =>
  (await bridge.solve(frontendRequest(plan), { signal })).result;

/** What a plan's frontend is asked for. */
export function frontendRequest(plan: Pick<SolveSpec, "frontend" | "attrs" | "caches" | "inputs">) {
  return {
    Frontend: plan.frontend,
    FrontendOpt: { ...plan.attrs },
    FrontendInputs: frontendInputs(plan),
    CacheImports: plan.caches.imports.map(cacheEntry),
    allowResultReturn: true,
    allowResultArrayRef: true,
  };
}

function frontendInputs({ inputs }: Pick<SolveSpec, "inputs">) {
  return Object.fromEntries(inputs.graphs ?? []);
}

function cacheEntry({ type, attrs }: Pick<Cache, "type" | "attrs">) {
  return { Type: type, Attrs: toldAttrs(type, attrs) };
}
