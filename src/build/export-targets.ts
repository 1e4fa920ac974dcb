import { InvalidArgumentError } from "../core/index.js";
import { type ExportTarget, fileTarget } from "../session/index.js";
import type { PlannedExport } from "./outputs.js";
import type { SolvePlan } from "./solve-plan.js";
import type { TargetRun } from "./target-run.js";

/** What receives the exports, and what was settled about them. */
export interface OpenedTargets {
  /** By the export's index. */
  targets: Map<number, ExportTarget>;
  exports: PlannedExport[];
  /** An image's id is the digest of its manifest. */
  preferManifest: boolean;
  /** Digests of what goes by on its way into an engine; undefined when nothing is loaded. */
  seen?: Set<string> | undefined;
  /** Gets ready for what comes, while the builder is at work. */
  prepare?: (() => void) | undefined;
}

/**
 * Opens what receives the exports, and settles what depends on the engine that images are loaded into.
 *
 * @throws InvalidArgumentError for what that engine cannot hold; EngineError when it cannot be asked.
 */
export async function openTargets(plan: SolvePlan, run: TargetRun): Promise<OpenedTargets> {
  const targets = new Map<number, ExportTarget>();
  const exports: PlannedExport[] = [];
  let preferManifest = false;
  let seen: Set<string> | undefined;
  let prepare: (() => void) | undefined;
  for (const [index, planned] of plan.exports.entries()) {
    let entry = planned;
    const { destination } = planned;
    switch (destination.kind) {
      case "none":
        preferManifest ||= planned.attrs["prefer-image-digest"] === "true" && planned.type === "moby";
        break;
      case "layout":
        break;
      case "file":
        targets.set(index, fileTarget(destination.path));
        break;
      case "stream":
        targets.set(index, { type: "stream", open: () => Promise.resolve(destination.stream) });
        break;
      case "directory":
        targets.set(index, { type: "directory", path: destination.path, mode: destination.mode });
        break;
      case "load": {
        const { beginLoad } = await import("./load/begin-load.js");
        seen ??= new Set();
        const loading = await beginLoad(planned, destination, seen, run);
        entry = loading.entry;
        prepare = loading.prepare;
        preferManifest ||= loading.containerdStore;
        targets.set(index, loading.target);
        break;
      }
    }
    if (entry.type === "docker" && (plan.platforms.length > 1 || plan.attestations))
      throw new InvalidArgumentError(
        destination.kind === "load"
          ? `docker exporter does not currently support exporting manifest lists: ${classicStoreWaysOut}`
          : "docker exporter does not support exporting manifest lists, use the oci exporter instead",
      );
    exports.push(entry);
  }
  return { targets, exports, preferManifest, seen, prepare };
}

const classicStoreWaysOut =
  "the engine's classic image store takes images of one platform without attestations; build for one (--platform), " +
  "give the engine the containerd image store, push the image (--push), or write it to a file (-o type=oci,dest=image.tar)";
