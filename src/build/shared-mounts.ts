import type { BuildkitClient } from "../buildkit/index.js";
import { Session, type SyncedDir, fileSync } from "../session/index.js";
import type { SolvePlan } from "./solve-plan.js";

/** Directories that one session serves for several targets. */
interface Layout {
  sharedKey: string;
  race: SolvePlan["serves"]["contextRace"];
  dirs: Map<string, SyncedDir>;
}

/** What of a plan says what it shares with others. */
type SharingPlan = Pick<SolvePlan, "inputs" | "serves">;

/** A plan's part in what is shared on its node. */
export interface SharedPart {
  /** Attributes by which the frontend finds the sessions. */
  attrs: Record<string, string>;
  /** What the build's own session still serves. */
  locals: SolvePlan["inputs"]["locals"];
  sessions: readonly Session[];
}

/** Hears why a transfer failed, and of what is sent otherwise than it is on disk. */
export interface MountListener {
  onError: (error: Error) => void;
  onWarning: (text: string) => void;
}

/**
 * Directories that several targets have: each is served by one session of its own on each node, so that the builder takes it for one
 * thing and it is walked and sent once (`local-sessionid:NAME`, BK frontend/dockerui/config.go). They are open until all targets
 * have ended.
 */
export class SharedMounts implements AsyncDisposable {
  readonly #layouts = new Map<string, Layout>();
  readonly #sessions = new Map<BuildkitClient, Map<Layout, Promise<Session>>>();
  /** Those that were opened, to be closed. */
  readonly #opened = new Set<Promise<Session>>();
  readonly #listeners = new Map<Layout, Set<MountListener>>();
  readonly #signal: AbortSignal;

  /** @param signal ends the sessions at once */
  constructor(plans: Iterable<SolvePlan>, signal: AbortSignal) {
    this.#signal = signal;
    const uses = new Map<string, { count: number; name: string; dir: SyncedDir; plan: SharingPlan }>();
    for (const plan of plans) {
      for (const [name, dir] of plan.inputs.locals) {
        const key = keyOf(name, dir, plan);
        if (key === undefined) continue;
        const use = uses.get(key) ?? { count: 0, name, dir, plan };
        uses.set(key, { ...use, count: use.count + 1 });
      }
    }
    const all: Layout[] = [];
    for (const [key, { count, name, dir, plan }] of uses) {
      if (count < 2) continue;
      const { sharedKey } = plan.inputs;
      const race = plan.serves.contextRace;
      const fits = (one: Layout) => one.sharedKey === sharedKey && one.race === race && !one.dirs.has(name);
      let layout = all.find(fits);
      if (!layout) all.push((layout = { sharedKey, race, dirs: new Map() }));
      layout.dirs.set(name, dir);
      this.#layouts.set(key, layout);
    }
  }

  /** What of a plan's directories is shared on a node; opens the sessions that are not there yet. */
  async join(plan: SharingPlan, client: BuildkitClient, listener: MountListener): Promise<SharedPart> {
    const { inputs } = plan;
    const attrs: Record<string, string> = {};
    const locals = new Map(inputs.locals);
    const sessions = new Set<Session>();
    for (const [name, dir] of inputs.locals) {
      const layout = this.#layouts.get(keyOf(name, dir, plan) ?? "");
      if (!layout) continue;
      this.#listenersOf(layout).add(listener);
      const session = await this.#open(layout, client);
      attrs[`local-sessionid:${name}`] = session.id;
      locals.delete(name);
      sessions.add(session);
    }
    return { attrs, locals, sessions: [...sessions] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [...this.#opened].map(async (session) => (await session.catch(() => undefined))?.close()),
    );
  }

  #open(layout: Layout, client: BuildkitClient): Promise<Session> {
    const own = this.#sessions.get(client) ?? new Map<Layout, Promise<Session>>();
    this.#sessions.set(client, own);
    const known = own.get(layout);
    if (known) return known;
    const tell = this.#listenersOf(layout);
    const { sharedKey, race: onRace } = layout;
    const served = fileSync(layout.dirs, {
      onRace,
      onError: (error) => {
        for (const { onError } of tell) onError(error);
      },
      // Once is enough.
      onWarning: (text) => [...tell][0]?.onWarning(text),
    });
    const session = Session.open(client, { attachables: [served], sharedKey, signal: this.#signal });
    own.set(layout, session);
    this.#opened.add(session);
    // One that was lost cannot be taken up again: a part that is built once more gets another.
    session
      .then(({ closed }) => closed)
      .then(
        () => own.delete(layout),
        () => own.delete(layout),
      );
    return session;
  }

  #listenersOf(layout: Layout): Set<MountListener> {
    const listeners = this.#listeners.get(layout) ?? new Set<MountListener>();
    this.#listeners.set(layout, listeners);
    return listeners;
  }
}

/** Mounts with equal keys are one thing; what is in memory is each target's own. */
function keyOf(name: string, dir: SyncedDir, { inputs, serves }: SharingPlan): string | undefined {
  if (dir.type !== "directory") return undefined;
  return JSON.stringify([name, dir.path, dir.only ?? null, inputs.sharedKey, serves.contextRace]);
}
