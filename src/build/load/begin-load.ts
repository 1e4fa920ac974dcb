import { join } from "node:path";
import { buildxConfigDir } from "../../config/index.js";
import { AskedNames } from "../asked-names.js";
import type { PlannedExport } from "../outputs.js";
import type { TargetRun } from "../target-run.js";
import { prepareReading } from "./image-content.js";
import { loadTarget } from "./load-target.js";
import { ManifestMemory } from "./manifest-memory.js";

/** The export for an image that is loaded, as its engine needs it, and what receives it; digests of what goes by go into `seen`. */
export async function beginLoad(
  planned: PlannedExport,
  { context }: { context?: string | undefined },
  seen: Set<string>,
  run: TargetRun,
) {
  const engine = await run.resources.loadingEngine(context);
  const { sink, signal, node } = run;
  const containerdStore = await run.resources.usesContainerdStore(engine, signal);
  const entry = containerdStore ? asOciExport(planned) : planned;
  const target = loadTarget({
    client: node.client,
    engine,
    containerdStore,
    memory: new ManifestMemory(join(buildxConfigDir(run.resources.env), "slipway", "manifests")),
    asked: new AskedNames(entry.attrs["name"]),
    seen,
    turns: run.resources.loadsInto(engine),
    sink,
    signal,
  });
  return { entry, target, containerdStore, prepare: prepareReading };
}

/** Engines with the containerd store load OCI archives, with several platforms too, and go by the manifest's digest. */
function asOciExport(planned: PlannedExport): PlannedExport {
  return { ...planned, type: "oci", attrs: { ...planned.attrs, "prefer-image-digest": "true" } };
}
