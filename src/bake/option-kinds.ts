import { buildCallKinds, connectKinds } from "../build/index.js";
import {
  type Kind,
  type Kinds,
  amount,
  bytesOf,
  callback,
  either,
  environment,
  flag,
  kind,
  listOf,
  mapOf,
  object,
  oneOf,
  shape,
  signal,
  text,
} from "../core/index.js";
import type { BakeOptions } from "./bake.js";
import type { ReadBakeOptions } from "./read-bake.js";

const definition = kind(
  "a path, or { name, content }",
  (value) =>
    typeof value === "string" ||
    (typeof value === "object" &&
      value !== null &&
      "name" in value &&
      typeof value.name === "string" &&
      "content" in value &&
      (typeof value.content === "string" || bytesOf(value.content) !== undefined)),
);

/** What `readBake()` takes. */
export const readBakeKinds = {
  files: listOf(definition, '"docker-bake.hcl"'),
  remote: shape("{ url, commandContext }", { url: text('"https://github.com/…"'), commandContext: text() }, [
    "url",
  ]),
  ...connectKinds,
  targets: listOf(text(), '"default"'),
  vars: mapOf(text(), '{ TAG: "1" }'),
  set: listOf(text(), '"*.platform=linux/amd64"'),
  cwd: text('"."'),
  env: environment,
  readInput: callback,
  onEvent: callback,
  signal,
  push: flag,
  load: flag,
  noCache: flag,
  pull: flag,
  sbom: either('true, false or parameters, such as "generator=image"', flag, text()),
  provenance: either('true, false or parameters, such as "mode=max"', flag, text()),
  call: text('"check"'),
} satisfies Record<keyof Required<ReadBakeOptions>, Kind>;

/** What `bake()` takes. */
export const bakeKinds = {
  ...readBakeKinds,
  ...connectKinds,
  plan: object,
  allow: listOf(text(), '"network.host"'),
  onTargetError: oneOf("cancel", "continue"),
  deferOutputs: flag,
  concurrency: amount("targets"),
  onTargetEvent: callback,
  credentials: callback,
  policy: buildCallKinds.policy,
  policyTimeoutMilliseconds: buildCallKinds.policyTimeoutMilliseconds,
  metadataProvenance: oneOf("min", "max"),
  reproducible: flag,
  recordInputs: flag,
  describe: flag,
} satisfies Record<keyof Required<BakeOptions>, Kind>;

/** What a connection's `bake()` takes: it is there already. */
export const connectionBakeKinds = withoutPlace(bakeKinds);

/** What a connection's `readBake()` takes. */
export const connectionReadBakeKinds = withoutPlace(readBakeKinds);

function withoutPlace(kinds: Kinds): Kinds {
  const { builder: _, address: __, tls: ___, dial: ____, ...rest } = kinds;
  return rest;
}
