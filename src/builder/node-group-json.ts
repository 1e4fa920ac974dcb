import { type JsonObject, JsonReader, isJsonObject, parseJsonObject } from "../config/index.js";
import { messageOf } from "../core/index.js";
import type { Node, NodeGroup } from "./node-group.js";
import type { Platform } from "./platform.js";
import { StoreError } from "./store-error.js";

/** The newest layout that is understood, in the optional field `Version`; buildx writes none. */
const version = 1;

/**
 * Reads a builder from its file (buildx store.NodeGroup as JSON).
 *
 * @throws StoreError `STORE_CORRUPT`, or `STORE_NEWER` for a layout of the future.
 */
export function decodeNodeGroup(path: string, content: Buffer): NodeGroup {
  const corrupt = (problem: string, cause?: unknown) =>
    new StoreError("STORE_CORRUPT", `${path}: ${problem}`, { path, cause });
  if (content.length === 0) throw corrupt("the file is empty");
  let stored: JsonObject;
  try {
    stored = parseJsonObject(path, content);
  } catch (cause) {
    throw new StoreError("STORE_CORRUPT", messageOf(cause), { path, cause });
  }
  const written = field(stored, "Version");
  if (typeof written === "number" && written > version) {
    const message = `${path}: was written by a later version (layout ${written}), this one understands ${version}`;
    throw new StoreError("STORE_NEWER", message, { path });
  }
  try {
    const reader = new JsonReader(path, stored);
    const name = reader.text("Name");
    if (name === undefined) throw corrupt("has no name");
    return {
      name,
      driver: reader.text("Driver") ?? "",
      nodes: objects(reader, stored, "Nodes").map((node) => decodeNode(path, node)),
      dynamic: reader.boolean("Dynamic") ?? false,
      dockerContext: false,
      stored,
    };
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError("STORE_CORRUPT", messageOf(error), { path, cause: error });
  }
}

/** A builder as JSON. Fields that did not change since it was read stay as they were, also those not understood. */
export function encodeNodeGroup(group: NodeGroup): string {
  const json = { ...group.stored };
  set(json, "Name", group.name);
  set(json, "Driver", group.driver);
  set(json, "Nodes", group.nodes.map(encodeNode));
  set(json, "Dynamic", group.dynamic);
  return JSON.stringify(json);
}

function decodeNode(path: string, stored: JsonObject): Node {
  const reader = new JsonReader(path, stored);
  const options = reader.object("DriverOpts");
  const files = reader.object("Files");
  return {
    name: reader.text("Name") ?? "",
    endpoint: reader.text("Endpoint") ?? "",
    platforms: objects(reader, stored, "Platforms").map((platform) => decodePlatform(path, platform)),
    driverOpts: Object.fromEntries(options.names().map((name) => [name, options.text(name) ?? ""])),
    flags: reader.texts("Flags"),
    files: new Map(files.names().map((name) => [name, Buffer.from(files.text(name) ?? "", "base64")])),
    stored,
  };
}

function encodeNode(node: Node): JsonObject {
  const json = { ...node.stored };
  const fields = nodeFields(node);
  const before: JsonObject = node.stored ? nodeFields(decodeNode("", node.stored)) : {};
  for (const [name, value] of Object.entries(fields)) {
    const isSame = node.stored !== undefined && JSON.stringify(before[name]) === JSON.stringify(value);
    if (!isSame || field(json, name) === undefined) set(json, name, value);
  }
  return json;
}

function nodeFields(node: Node) {
  const options = Object.entries(node.driverOpts);
  const files = [...node.files];
  return {
    Name: node.name,
    Endpoint: node.endpoint,
    Platforms: node.platforms.length > 0 ? node.platforms.map(encodePlatform) : null,
    DriverOpts: options.length > 0 ? Object.fromEntries(options.sort(byName)) : null,
    Flags: node.flags.length > 0 ? node.flags : null,
    Files:
      files.length > 0
        ? Object.fromEntries(
            files.sort(byName).map(([name, content]) => [name, Buffer.from(content).toString("base64")]),
          )
        : null,
  };
}

function decodePlatform(path: string, stored: JsonObject): Platform {
  const reader = new JsonReader(path, stored);
  const variant = reader.text("variant");
  const osVersion = reader.text("os.version");
  const osFeatures = reader.texts("os.features");
  return {
    os: reader.text("os") ?? "",
    architecture: reader.text("architecture") ?? "",
    ...(variant && { variant }),
    ...(osVersion && { osVersion }),
    ...(osFeatures.length > 0 && { osFeatures }),
  };
}

function encodePlatform({ os, architecture, variant, osVersion, osFeatures }: Platform): JsonObject {
  return {
    architecture,
    os,
    ...(osVersion && { "os.version": osVersion }),
    ...(osFeatures && osFeatures.length > 0 && { "os.features": osFeatures }),
    ...(variant && { variant }),
  };
}

/** A list of objects; null and absent are empty. */
function objects(reader: JsonReader, json: JsonObject, name: string): JsonObject[] {
  const value = field(json, name) ?? [];
  if (!Array.isArray(value) || !value.every(isJsonObject))
    throw reader.problem(name, "must be a list of objects");
  return value;
}

/** A field by its name in any case, as encoding/json finds it. */
function field(json: JsonObject, name: string): unknown {
  const key = keyOf(json, name);
  return key === undefined ? undefined : json[key];
}

function set(json: Record<string, unknown>, name: string, value: unknown): void {
  json[keyOf(json, name) ?? name] = value;
}

function keyOf(json: JsonObject, name: string): string | undefined {
  if (Object.hasOwn(json, name)) return name;
  return Object.keys(json).find((key) => key.toLowerCase() === name.toLowerCase());
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}
