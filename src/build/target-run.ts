import {
  type EventSink,
  type LinkedSignal,
  Redactor,
  type VertexWarning,
  linkSignal,
} from "../core/index.js";
import type { CacheLock } from "../session/index.js";
import type { ConnectedNode } from "./connected-node.js";
import type { BuildResources } from "./build-resources.js";
import { cacheLocks } from "./content-stores.js";
import type { EngineImages } from "./engine-images/engine-images.js";
import type { ExplainWatch } from "./explain/explain-watch.js";
import { Failures } from "./failures.js";
import type { LateOutputs } from "./live/late-outputs.js";
import type { NetworkWatch } from "./network/network-watch.js";
import type { SourceJudge } from "./policy/source-judge.js";
import type { SolvePlan } from "./solve-plan.js";

/** One plan on one node while it runs: what is its own, to be closed when it has ended. */
export class TargetRun implements AsyncDisposable {
  readonly resources: BuildResources;
  readonly node: ConnectedNode;
  readonly signal: AbortSignal | undefined;
  /** Ends the solve alone, also when something on this side says that it is to go no further. */
  readonly stopping: LinkedSignal;
  readonly sink: EventSink;
  /** What the builder has warned of. */
  readonly warnings: VertexWarning[] = [];
  /** What fails on this side. */
  readonly failures = new Failures();
  /** Knows the secrets that were handed out. */
  readonly redactor: Redactor;
  /** Of the local caches that are written, by directory. */
  readonly locks: ReadonlyMap<string, CacheLock>;
  /** The engine's images that the build may have. */
  images: EngineImages | undefined;
  /** Decides on what the build asks of the network. */
  network: NetworkWatch | undefined;
  /** Lets the policies decide on what the build takes in. */
  judge: SourceJudge | undefined;
  /** Finds out why steps run. */
  explaining: ExplainWatch | undefined;
  /** Takes what is exported of the build while it is held. */
  readonly late: LateOutputs | undefined;

  constructor(
    plan: SolvePlan,
    options: {
      resources: BuildResources;
      node: ConnectedNode;
      sink: EventSink | undefined;
      signal: AbortSignal | undefined;
      /** Of a build whose session this one has as well. */
      redactor?: Redactor;
      late?: LateOutputs | undefined;
    },
  ) {
    this.resources = options.resources;
    this.node = options.node;
    this.signal = options.signal;
    this.stopping = linkSignal(options.signal);
    this.redactor = options.redactor ?? new Redactor();
    this.late = options.late;
    this.locks = cacheLocks(plan);
    const { sink } = options;
    this.sink = (event) => {
      if (event.type === "status") for (const warning of event.warnings) this.warnings.push(warning);
      this.late?.saw(event);
      this.network?.take(event);
      this.explaining?.take(event);
      sink?.(event);
    };
    this.sink.ready = () => sink?.ready?.();
  }

  warn(text: string): void {
    this.sink({ type: "message", level: "warning", text });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stopping[Symbol.dispose]();
    this.judge?.close();
    await this.images?.close();
    for (const lock of this.locks.values()) await lock.close();
  }
}
