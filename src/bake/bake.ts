import type { BuildEvent, EventSink } from "../core/index.js";
import type {
  BuildResult,
  ConnectTarget,
  CredentialsCallback,
  MetadataProvenance,
  SourcePolicy,
} from "../build/index.js";
import type { BakePlan, ReadBakeOptions } from "./read-bake.js";

/** Options of {@link bake}: what to read, or what was read, where it is built and how. */
export type BakeOptions = ReadBakeOptions &
  ConnectTarget & {
    /** The result of `readBake()`, instead of what to read. */
    plan?: BakePlan;
    /** Privileges that targets may have, as `--allow` takes them: `network.host`, `fs.read=../shared`, … */
    allow?: readonly string[];
    /** What becomes of the other targets when one fails: `cancel` (the default) ends them. */
    onTargetError?: "cancel" | "continue";
    /** Write no output before all targets have been built. Default false. */
    deferOutputs?: boolean;
    /** How many targets are built at the same time; all by default, and with 0. */
    concurrency?: number;
    /** Gets each target's own events; `onEvent` gets all of them, as a display shows them. */
    onTargetEvent?: (target: string, event: BuildEvent) => void;
    /** Asked each time a registry wants credentials, before the docker config. */
    credentials?: CredentialsCallback;
    /** Decides on each source of each target before it is fetched; see `build()`. Not on a definition that is fetched. */
    policy?: SourcePolicy | readonly SourcePolicy[];
    /** See `build()`. */
    policyTimeoutMilliseconds?: number;
    /** See `build()`. */
    metadataProvenance?: MetadataProvenance;
    /** Makes the same images of the same; see `build()`. */
    reproducible?: boolean;
    /** Records digests of the directories that are sent, of each target in its own provenance; see `build()`. */
    recordInputs?: boolean;
    /** Read the images' manifests afterwards, for platforms and layers of the results. Default true. */
    describe?: boolean;
    onEvent?: EventSink;
    signal?: AbortSignal;
  };

/** The result of {@link bake}. */
export interface BakeResult {
  /** Results by target, of all that succeeded, including those that other targets are built on. */
  readonly targets: ReadonlyMap<string, BuildResult>;
  /** Errors by target, if the others went on. */
  readonly failures: ReadonlyMap<string, Error>;
  /** What `--metadata-file` holds, as data. */
  readonly metadata: Record<string, unknown>;
}

/**
 * Builds the targets of a definition side by side on one builder, as `docker buildx bake` does. Contexts that several have are read
 * and sent once.
 *
 * @throws BakeError for a definition that cannot be used; SlipwayError `BAKE_PRIVILEGES` with what must be allowed first; a failed
 * target's BuildError, or TargetsError when several have failed; AbortedError after tear-down.
 */
export async function bake(options: BakeOptions = {}): Promise<BakeResult> {
  const { runBake } = await import("./run-bake.js");
  return runBake(options);
}
