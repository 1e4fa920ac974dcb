import type { Platform } from "../../builder/index.js";
import type { Output } from "../../build/index.js";
import { type Descriptor, descriptorJson } from "../../registry/index.js";
import type { Material, MaterialKind } from "./materials.js";
import type { NamedInput, Provenance } from "./provenance.js";
import { networkForReplay } from "./replay-attrs.js";
import type { ReplayOptions } from "./replay-options.js";
import type { ReplayTarget } from "./replay-target.js";

/** Something that a build took in, as a plan shows it. */
export interface PlanMaterial {
  uri?: string;
  /** Of an image. */
  platform?: { architecture: string; os: string; variant?: string };
  digest?: string;
  kind: MaterialKind;
  /** A snapshot would hold it. */
  included?: boolean;
  /** Bytes that it adds to a snapshot; known of images. */
  size?: number;
}

/** What a replayed build would be asked for. */
export interface ReplayPlanConfig {
  frontend: string;
  frontendAttrs?: Record<string, string>;
  context?: string;
  filename?: string;
  target?: string;
  buildArgs?: Record<string, string>;
  labels?: Record<string, string>;
  noCache?: boolean;
  noCacheFilter?: string[];
  secrets?: { id: string; optional?: boolean }[];
  ssh?: string[];
  networkMode?: string;
  exports?: string[];
}

/** One subject of a {@link ReplayPlan}. */
export interface ReplayPlanSubject {
  descriptor: Descriptor;
  /** Who signed the provenance, as `verifySignature` says. */
  signature?: { verified: true; identity: string };
  buildConfig: ReplayPlanConfig;
  materials: PlanMaterial[];
}

/** What a replay would do, as data; its JSON is that of `buildx replay build --dry-run`. */
export interface ReplayPlan {
  subjects: ReplayPlanSubject[];
}

/** The plan of one target. */
export function planOf(
  { subject, provenance, signer }: ReplayTarget,
  options: Pick<ReplayOptions, "network" | "outputs" | "push" | "load">,
): ReplayPlanSubject {
  return {
    descriptor: descriptorJson({
      ...subject.descriptor,
      ...(subject.platform && { platform: platformJson(subject.platform) }),
    }) as Descriptor,
    ...(signer !== undefined && { signature: { verified: true as const, identity: signer } }),
    buildConfig: planConfig(provenance, options),
    materials: provenance.materials.map((one) => planMaterial(one, provenance.builderPlatform)),
  };
}

function planConfig(
  { frontend, attrs, configSource, secrets, ssh }: Provenance,
  options: Pick<ReplayOptions, "network" | "outputs" | "push" | "load">,
): ReplayPlanConfig {
  const frontendAttrs = frontend === "gateway.v0" ? gatewayAttrs(attrs) : {};
  const noCache = attrs.get("no-cache");
  const config: ReplayPlanConfig = {
    frontend,
    frontendAttrs,
    context: configSource.uri || (attrs.get("context") ?? ""),
    filename: configSource.path || (attrs.get("filename") ?? ""),
    target: attrs.get("target") ?? "",
    buildArgs: prefixed(attrs, "build-arg:"),
    labels: prefixed(attrs, "label:"),
    noCache: noCache === "",
    noCacheFilter: noCache ? noCache.split(",") : [],
    secrets: planSecrets(secrets),
    ssh: [...new Set(ssh.map(({ id }) => id))].sort(),
    networkMode: networkForReplay(options.network, attrs.get("force-network-mode")) ?? "default",
    exports: exportsOf(options),
  };
  return Object.fromEntries(
    Object.entries(config).filter(([, value]) => !isEmpty(value)),
  ) as unknown as ReplayPlanConfig;
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0;
  return value === "" || value === false;
}

function gatewayAttrs(attrs: ReadonlyMap<string, string>): Record<string, string> {
  const cmdline = (attrs.get("cmdline") ?? "").trim();
  const source = attrs.get("source") || (cmdline.split(/\s+/)[0] ?? "");
  return { ...(cmdline && { cmdline }), ...(source && { source }) };
}

/** Names and values with a prefix, without it, sorted. */
export function prefixed(attrs: ReadonlyMap<string, string>, prefix: string): Record<string, string> {
  const found = [...attrs].filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(
    found
      .map(([key, value]): [string, string] => [key.slice(prefix.length), value])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function planSecrets(secrets: readonly NamedInput[]): { id: string; optional?: boolean }[] {
  const known = new Map<string, boolean>();
  for (const { id, optional } of secrets) known.set(id, optional || known.get(id) === true);
  return [...known]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, optional]) => ({ id, ...(optional && { optional }) }));
}

function exportsOf({ outputs = [], push, load }: Pick<ReplayOptions, "outputs" | "push" | "load">): string[] {
  const all: readonly Output[] = [
    ...outputs,
    ...(push && !outputs.some(({ type }) => type === "image" || type === "registry")
      ? [{ type: "image" as const }]
      : []),
    ...(load && !outputs.some(({ type, dest }) => type === "docker" && dest === undefined)
      ? [{ type: "docker" as const }]
      : []),
  ];
  return all.map(({ type, dest, attrs }) => {
    const name = attrs?.["name"];
    return `type=${type}${typeof dest === "string" && dest !== "" ? `,dest=${dest}` : ""}${name ? `,name=${name}` : ""}`;
  });
}

/** A material as plans show it. */
export function planMaterial(one: Material, builderPlatform: Platform): PlanMaterial {
  const { uri, digest, kind, image, platform } = one;
  const shown = image?.bare ?? uri;
  return {
    ...(shown !== "" && { uri: shown }),
    ...(kind === "image" && { platform: platformJson(platform ?? builderPlatform) }),
    ...(digest !== undefined && { digest }),
    kind,
  };
}

/** A platform as descriptors have it. */
export function platformJson({ os, architecture, variant }: Platform) {
  return { architecture, os, ...(variant && { variant }) };
}
