import { join } from "node:path";
import { JsonReader, parseJsonObject } from "../config/index.js";
import { InvalidArgumentError, blankSecrets } from "../core/index.js";
import type { StoreDir } from "./store-dir.js";

/** Where a build's input came from, kept beside its entry in the build history (buildx localstate.State). */
export interface LocalBuildState {
  /** Empty: `default`. */
  target: string;
  /** Absolute path of the context directory, or the address of a remote one. */
  localPath: string;
  /** Absolute, or relative in a remote context. */
  dockerfilePath: string;
  /** Id of the group of builds that this one belongs to. */
  groupRef?: string;
}

/** Builds that were started as one. Refs are `builder/node/id`. */
export interface LocalBuildGroup {
  targets?: readonly string[];
  refs: readonly string[];
}

const refs = "refs";
const groups = join(refs, "__group__");
const layoutVersion = 2;

/** The files under `refs/`, shared with buildx. */
export class LocalState {
  readonly #dir: StoreDir;

  constructor(dir: StoreDir) {
    this.#dir = dir;
  }

  async saveRef(builder: string, node: string, id: string, state: LocalBuildState): Promise<void> {
    const { target, localPath, dockerfilePath, groupRef } = state;
    const json = JSON.stringify({
      Target: target,
      // Of a URL only what finds it again: the password that came with it goes nowhere (SEC-16).
      LocalPath: blankSecrets(localPath),
      DockerfilePath: dockerfilePath,
      ...(groupRef && { GroupRef: groupRef }),
    });
    await this.#dir.write(refPath(builder, node, id), json);
  }

  /** Undefined when there is no such ref. @throws ConfigError when its file is broken. */
  async readRef(builder: string, node: string, id: string): Promise<LocalBuildState | undefined> {
    const path = refPath(builder, node, id);
    const content = await this.#dir.read(path);
    if (content === undefined) return undefined;
    const reader = new JsonReader(path, parseJsonObject(path, content));
    const groupRef = reader.text("GroupRef");
    return {
      target: reader.text("Target") ?? "",
      localPath: reader.text("LocalPath") ?? "",
      dockerfilePath: reader.text("DockerfilePath") ?? "",
      ...(groupRef && { groupRef }),
    };
  }

  async saveGroup(id: string, group: LocalBuildGroup): Promise<void> {
    await this.migrate();
    await this.#dir.write(groupPath(id), encodeGroup(group));
  }

  async readGroup(id: string): Promise<LocalBuildGroup | undefined> {
    const path = groupPath(id);
    const content = await this.#dir.read(path);
    if (content === undefined) return undefined;
    const reader = new JsonReader(path, parseJsonObject(path, content));
    const targets = reader.texts("Targets");
    return { refs: reader.texts("Refs"), ...(targets.length > 0 && { targets }) };
  }

  /** Removes the refs of all nodes of a builder, and the groups that thereby lose their last. */
  async removeBuilder(builder: string): Promise<void> {
    const dir = join(refs, part(builder, "builder name"));
    for (const node of await this.#dir.directories(dir)) await this.removeNode(builder, node);
    await this.#dir.remove(dir);
  }

  /** Removes the refs of one node. */
  async removeNode(builder: string, node: string): Promise<void> {
    const dir = join(refs, part(builder, "builder name"), part(node, "node name"));
    const removed = new Map<string, number>();
    for (const id of await this.#dir.files(dir)) {
      // A broken ref must not keep the builder from being removed.
      const state = await this.readRef(builder, node, id).catch(() => undefined);
      if (state?.groupRef) removed.set(state.groupRef, (removed.get(state.groupRef) ?? 0) + 1);
    }
    for (const [id, count] of removed) {
      const group = await this.readGroup(id).catch(() => undefined);
      if (group?.refs.length === count) await this.#dir.remove(groupPath(id));
    }
    await this.#dir.remove(dir);
  }

  /** Brings group files of old versions of buildx into today's form, once (buildx localstate migration 2). */
  async migrate(): Promise<void> {
    const file = join(refs, "version");
    const written = Number((await this.#dir.read(file))?.toString() ?? 1);
    if (written >= layoutVersion) return;
    for (const id of await this.#dir.files(groups)) {
      const group = await this.readGroup(id).catch(() => undefined);
      if (group) await this.#dir.write(groupPath(id), encodeGroup(group));
    }
    await this.#dir.write(file, String(layoutVersion));
  }
}

function encodeGroup({ targets, refs }: LocalBuildGroup): string {
  return JSON.stringify({ ...(targets && targets.length > 0 && { Targets: targets }), Refs: refs });
}

function refPath(builder: string, node: string, id: string): string {
  return join(refs, part(builder, "builder name"), part(node, "node name"), part(id, "ref ID"));
}

function groupPath(id: string): string {
  return join(groups, part(id, "group ref"));
}

/** A name that stays inside its directory. */
function part(name: string, what: string): string {
  if (name === "") throw new InvalidArgumentError(`${what} empty`);
  if (name === "." || name === ".." || /[/\\\0]/.test(name))
    throw new InvalidArgumentError(`invalid ${what} ${JSON.stringify(name)}`);
  return name;
}
