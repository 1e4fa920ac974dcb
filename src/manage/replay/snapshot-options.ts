import type { Writable } from "node:stream";
import type { Descriptor } from "../../registry/index.js";
import type { ReplayCallOptions } from "./replay-options.js";
import type { PlanMaterial } from "./replay-plan.js";

/** Options of {@link snapshotReplay}. */
export interface SnapshotOptions extends Omit<ReplayCallOptions, "network"> {
  /** Where the snapshot goes: a directory for an OCI layout, or a file or a stream for one as a tar archive. */
  output?: { layout: string } | { tar: string | Writable };
  /** Whether the materials themselves are kept, beside the provenance. Default true. */
  includeMaterials?: boolean;
  /** Tells what the snapshot would hold, and writes nothing. */
  dryRun?: boolean;
}

/** What a snapshot holds, one entry a platform; its JSON is that of `buildx replay snapshot --dry-run`. */
export type SnapshotPlan = { subject: Descriptor; materials: PlanMaterial[] }[];
