import { join } from "node:path";
import type { LocalState } from "./local-state.js";
import type { NodeGroup } from "./node-group.js";
import type { StoreDir } from "./store-dir.js";

/** What a transaction needs of the store it changes. */
export interface StoreView {
  readonly dir: StoreDir;
  readonly localState: LocalState;
  readonly now: () => number;
  get(name: string): Promise<NodeGroup | undefined>;
  warn(text: string): void;
}

/** Path of a builder's file; `name` is in lower case. */
export function instanceFile(name: string): string {
  return join("instances", name);
}

/** Path of the file with a builder's last use. */
export function activityFile(name: string): string {
  return join("activity", name);
}

/** Content of that file: Go's RFC3339 in UTC, whole seconds. */
export function formatActivity(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, "Z");
}
