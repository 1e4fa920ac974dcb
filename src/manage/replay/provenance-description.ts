import { formatPlatform } from "../../builder/index.js";
import type { Descriptor } from "../../registry/index.js";
import { localInputs } from "./check-replayable.js";
import type { MaterialKind } from "./materials.js";
import { recordedInputs } from "./recorded-inputs.js";
import { dockerfilePath } from "./replay-attrs.js";
import { prefixed } from "./replay-plan.js";
import type { ReplayTarget } from "./replay-target.js";

/** Something that a build took in. */
export interface ProvenanceMaterial {
  kind: MaterialKind;
  uri: string;
  /** `sha256:…`, or `sha1:…` of a commit; undefined when none was recorded. */
  digest?: string;
  /** Of an image. */
  platform?: string;
}

/** How a build came about, as its provenance says. */
export interface ProvenanceDescription {
  /** What the provenance is about; of a file the provenance itself. */
  subject: Descriptor;
  /** Version of SLSA's form. */
  version: "v1" | "v0.2";
  /** `max` has what a replay needs. */
  mode: "min" | "max";
  /** Who signed it, as `verifySignature` says. */
  signer?: string;
  frontend: string;
  /** All attributes of the frontend. */
  attrs: Record<string, string>;
  /** Where the context came from; undefined for a directory that was sent. */
  context?: string;
  /** Of the Dockerfile, in the context. */
  dockerfile: string;
  target?: string;
  buildArgs: Record<string, string>;
  labels: Record<string, string>;
  /** Secrets and ssh agents that were used. */
  secrets: { id: string; optional: boolean }[];
  ssh: { id: string; optional: boolean }[];
  /** Directories that were sent, with the digest that `recordInputs` noted. */
  localContexts: { name: string; digest?: string }[];
  /** Inputs that only the first client had, and that cannot be given again. */
  unavailable: string[];
  materials: ProvenanceMaterial[];
  builderPlatform: string;
  targetPlatform?: string;
}

/** The description of a target. */
export function describeTarget({ subject, provenance, signer }: ReplayTarget): ProvenanceDescription {
  const { attrs, configSource, frontend, mode, version, secrets, ssh, targetPlatform } = provenance;
  const context = configSource.uri || attrs.get("context");
  const target = attrs.get("target");
  const platform = subject.platform ?? targetPlatform;
  const inputs = localInputs(provenance);
  const recorded = recordedInputs(provenance);
  return {
    subject: subject.descriptor,
    version,
    mode,
    ...(signer !== undefined && { signer }),
    frontend,
    attrs: Object.fromEntries(attrs),
    ...(context && { context }),
    dockerfile: dockerfilePath(provenance),
    ...(target && { target }),
    buildArgs: prefixed(attrs, "build-arg:"),
    labels: prefixed(attrs, "label:"),
    secrets: [...secrets],
    ssh: [...ssh],
    localContexts: inputs.locals.map((name) => {
      const { digest } = recorded.get(name) ?? {};
      return { name, ...(digest !== undefined && { digest }) };
    }),
    unavailable: inputs.others,
    materials: provenance.materials.map((one) => ({
      kind: one.kind,
      uri: one.uri,
      ...(one.digest !== undefined && { digest: one.digest }),
      ...(one.platform && { platform: formatPlatform(one.platform) }),
    })),
    builderPlatform: formatPlatform(provenance.builderPlatform),
    ...(platform && { targetPlatform: formatPlatform(platform) }),
  };
}
