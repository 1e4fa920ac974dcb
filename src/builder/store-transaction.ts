import { join } from "node:path";
import { checkBuilderName, randomBuilderName } from "./builder-name.js";
import { type CurrentChoice, currentFile, defaultFile, encodeCurrent } from "./current-file.js";
import { encodeNodeGroup } from "./node-group-json.js";
import type { NodeGroup } from "./node-group.js";
import { type SlipwayOptions, encodeSlipwayOptions, slipwayOptionsFile } from "./slipway-options.js";
import { StoreError } from "./store-error.js";
import { type StoreView, activityFile, formatActivity, instanceFile } from "./store-view.js";

/** Changes of the store under its lock. Reading goes through `store`. */
export class StoreTransaction {
  readonly store: StoreView;

  constructor(store: StoreView) {
    this.store = store;
  }

  /** Writes a builder, new or changed, and notes that it was used. A broken file under its name is set aside. */
  async save(group: NodeGroup): Promise<void> {
    const name = checkBuilderName(group.name);
    await this.#setAsideIfBroken(name);
    const { dir, now } = this.store;
    await dir.write(activityFile(group.name), formatActivity(now()));
    await dir.write(instanceFile(name), encodeNodeGroup(group));
  }

  /** Removes a builder and all that is kept with it; nothing happens when there is none. */
  async remove(name: string): Promise<void> {
    const file = checkBuilderName(name);
    await this.#setAsideIfBroken(file);
    const { dir, localState } = this.store;
    await dir.remove(activityFile(file));
    await localState.removeBuilder(file);
    await dir.remove(instanceFile(file));
    await dir.remove(slipwayOptionsFile(file));
  }

  /** Chooses a builder; with `default` also as the default of the endpoint, which otherwise loses its default. */
  async setCurrent(choice: CurrentChoice, options: { default?: boolean } = {}): Promise<void> {
    const { dir } = this.store;
    await dir.write(currentFile, encodeCurrent(choice));
    const file = defaultFile(choice.key);
    if (options.default) await dir.write(file, choice.name);
    // The choice stands even if the old default cannot be removed (buildx ignores this too).
    else await dir.remove(file).catch(() => {});
  }

  /** Forgets the choice: the endpoint's own builder is current. The endpoint keeps its default. */
  async resetCurrent(key: string): Promise<void> {
    await this.store.dir.write(currentFile, encodeCurrent({ key, name: "", global: false }));
  }

  /** Keeps what buildx must not see of a builder. */
  async saveSlipwayOptions(name: string, options: SlipwayOptions): Promise<void> {
    const file = slipwayOptionsFile(checkBuilderName(name));
    const content = encodeSlipwayOptions(options);
    if (content === undefined) await this.store.dir.remove(file);
    else await this.store.dir.write(file, content);
  }

  /** A random name that no builder has. */
  async freeName(): Promise<string> {
    for (let attempt = 0; attempt < 6; attempt++) {
      const name = randomBuilderName(attempt);
      if ((await this.store.dir.read(instanceFile(name))) === undefined) return name;
    }
    throw new StoreError("STORE_REFUSED", "failed to generate random name");
  }

  /** Not in `instances/`: buildx stumbles over any file there that is no builder. */
  async #setAsideIfBroken(name: string): Promise<void> {
    const { dir, now } = this.store;
    try {
      await this.store.get(name);
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== "STORE_CORRUPT") throw error;
      const content = (await dir.read(instanceFile(name))) ?? "";
      const copy = join("slipway", "corrupt", `${name}.corrupt-${now()}`);
      await dir.write(copy, content);
      this.store.warn(`${error.message}; kept as ${join(dir.path, copy)}`);
    }
  }
}
