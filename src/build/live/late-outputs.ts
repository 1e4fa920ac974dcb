import { abortError, randomId } from "../../core/index.js";
import type { BuildEvent, EventSink, NetworkReport } from "../../core/index.js";
import { type Attachable, type ContentStore, type Session, fileSend } from "../../session/index.js";
import type { BuildResult } from "../build-result.js";
import { contentStores } from "../content-stores.js";
import { openTargets } from "../export-targets.js";
import type { PlannedExport } from "../outputs.js";
import type { JudgedSource } from "../policy/source-policy.js";
import { planForNode } from "../plan-for-node.js";
import { nodeFacts, pushesItself } from "../settle-on-node.js";
import { type SolveOutcome, solve } from "../solve.js";
import type { SolvePlan } from "../solve-plan.js";
import { targetResult } from "../target-result.js";
import { TargetRun } from "../target-run.js";
import { Turns } from "../turns.js";

/** A build that is held, and the session that serves it. */
export interface LateBuild {
  plan: SolvePlan;
  run: TargetRun;
  session: Session;
  saveRef?: ((plan: SolvePlan) => Promise<void>) | undefined;
}

/** What one export is told. */
export interface LateExport {
  sink?: EventSink | undefined;
  signal: AbortSignal;
}

/**
 * Exports a build that is held. BuildKit takes exporters only with a solve, so each export is one more of the same plan in the same
 * session: the sources and steps of the first are still live in the daemon, which shares them with every solve that asks for the
 * same. Nothing is sent or run again, also with `--no-cache` and when the context has changed meanwhile (BK solver/jobs.go).
 */
export class LateOutputs {
  /** Blobs that the session serves; outputs as layouts are added here. */
  stores = new Map<string, ContentStore>();
  readonly receiver: Attachable;
  #current: Attachable = fileSend(new Map());
  #build: LateBuild | undefined;
  readonly #turns = new Turns(1);
  readonly #told = new Set<string>();

  constructor() {
    this.receiver = { methods: this.#current.methods, handle: (call) => this.#current.handle(call) };
  }

  /** What the build, and commands that run in its result, have asked of the network by now, when that is watched. */
  get network(): NetworkReport | undefined {
    return this.#build?.run.network?.report();
  }

  /** What its policies have said by now. */
  get judged(): JudgedSource[] | undefined {
    return this.#build?.run.judge?.report();
  }

  begin(build: LateBuild): void {
    this.#build = build;
  }

  /** What was told of the build is not told again with an export, for which the daemon repeats it. */
  readonly saw = (event: BuildEvent): void => {
    if (event.type !== "status") return;
    for (const { digest, completed } of event.vertexes) if (completed) this.#told.add(digest);
  };

  /** Exports the build, after what was asked for before: a session knows exporters by their numbers only. */
  export(exports: Promise<readonly PlannedExport[]>, options: LateExport): Promise<BuildResult> {
    return this.#turns.take(options.signal, async () => {
      const planned = await exports;
      // It may have ended meanwhile.
      if (options.signal.aborted) throw abortError(options.signal);
      return await this.#export(planned, options);
    });
  }

  #newTo(sink: EventSink | undefined): EventSink | undefined {
    if (!sink) return undefined;
    const isNew = (digest: string) => !this.#told.has(digest);
    const only: EventSink = (event) => {
      if (event.type !== "status") return sink(event);
      sink({
        ...event,
        vertexes: event.vertexes.filter(({ digest }) => isNew(digest)),
        statuses: event.statuses.filter(({ vertex }) => isNew(vertex)),
        logs: event.logs.filter(({ vertex }) => isNew(vertex)),
        warnings: event.warnings.filter(({ vertex }) => isNew(vertex)),
      });
    };
    only.ready = () => sink.ready?.();
    return only;
  }

  async #export(exports: readonly PlannedExport[], { sink, signal }: LateExport): Promise<BuildResult> {
    const build = this.#build;
    if (!build) throw new Error("nothing is held");
    const { node, resources, redactor } = build.run;
    const facts = await nodeFacts(node, signal);
    // What the cache exporters write is written once, at the end of the build that is held.
    const caches = { ...build.plan.caches, exports: [] };
    const plan = planForNode({ ...build.plan, ref: randomId(), caches, exports }, facts);
    await using run = new TargetRun(plan, { resources, node, sink: this.#newTo(sink), signal, redactor });
    const opened = await openTargets(plan, run);
    const layout = (
      await contentStores({ ...plan, inputs: { ...plan.inputs, ociLayouts: new Map() } }, run.locks)
    ).get("export");
    if (layout) this.stores.set("export", layout);
    this.#current = fileSend(opened.targets, { onFailure: run.failures.addFatal });
    await build.saveRef?.(plan);
    const before = build.run.failures.all.length;
    let outcome: SolveOutcome;
    try {
      const spec = { ...plan, exports: opened.exports };
      outcome = await solve({
        client: node.client,
        plan: spec,
        session: build.session,
        sink: run.sink,
        signal,
        redactor,
      });
    } catch (error) {
      // Policies are those of the build that is held.
      throw signal.aborted ? error : (run.failures.all[0] ?? build.run.failures.all[before] ?? error);
    } finally {
      this.#current = fileSend(new Map());
      this.stores.delete("export");
    }
    const ref = `${node.builderName}/${node.nodeName}/${plan.ref}`;
    return targetResult(outcome, { plan, run, opened, enginePushes: pushesItself(node, facts), ref });
  }
}
