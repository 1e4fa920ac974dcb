import { resolve } from "node:path";
import { parseCsvFields, parseGoBool, parseSize } from "../../config/index.js";
import { InvalidArgumentError } from "../../core/index.js";
import type { MountRequest } from "../../engine-api/index.js";

const types = ["bind", "volume", "tmpfs", "npipe", "cluster", "image"] as const;

/** Keys with a value, and what they set (docker/cli opts MountOpt.Set). */
const setters: Readonly<Record<string, (mount: MountRequest, value: string, key: string) => void>> = {
  type: (mount, value) => {
    const type = types.find((name) => name === value.toLowerCase());
    if (type === undefined) throw new InvalidArgumentError(`invalid mount type ${JSON.stringify(value)}`);
    mount.Type = type;
  },
  source: (mount, value) => (mount.Source = value),
  target: (mount, value) => (mount.Target = value),
  readonly: (mount, value, key) => (mount.ReadOnly = readBoolean(key, value)),
  consistency: (mount, value) => (mount.Consistency = value.toLowerCase()),
  "bind-propagation": (mount, value) =>
    (mount.BindOptions = { ...mount.BindOptions, Propagation: value.toLowerCase() }),
  "bind-create-src": (mount, value, key) =>
    (mount.BindOptions = { ...mount.BindOptions, CreateMountpoint: readBoolean(key, value) }),
  "volume-nocopy": (mount, value, key) =>
    (mount.VolumeOptions = { ...mount.VolumeOptions, NoCopy: readBoolean(key, value) }),
  "volume-subpath": (mount, value) => (mount.VolumeOptions = { ...mount.VolumeOptions, Subpath: value }),
  "volume-label": (mount, value) => {
    const { VolumeOptions } = mount;
    mount.VolumeOptions = { ...VolumeOptions, Labels: { ...VolumeOptions?.Labels, ...pair(value) } };
  },
  "volume-driver": (mount, value) => {
    const { VolumeOptions } = mount;
    mount.VolumeOptions = { ...VolumeOptions, DriverConfig: { ...VolumeOptions?.DriverConfig, Name: value } };
  },
  "volume-opt": (mount, value) => {
    const driver = mount.VolumeOptions?.DriverConfig;
    const Options = { ...driver?.Options, ...pair(value) };
    mount.VolumeOptions = { ...mount.VolumeOptions, DriverConfig: { ...driver, Options } };
  },
  "tmpfs-size": (mount, value) =>
    (mount.TmpfsOptions = { ...mount.TmpfsOptions, SizeBytes: parseSize(value) }),
  "tmpfs-mode": (mount, value) => {
    if (!/^[0-7]{1,4}$/.test(value)) throw new InvalidArgumentError(`invalid value for tmpfs-mode: ${value}`);
    mount.TmpfsOptions = { ...mount.TmpfsOptions, Mode: Number.parseInt(value, 8) };
  },
};

const otherNames: Readonly<Record<string, string>> = {
  src: "source",
  dst: "target",
  destination: "target",
  ro: "readonly",
};

/** Keys that may stand alone. */
const switches = new Set(["readonly", "volume-nocopy", "bind-create-src"]);

/** A value of `--mount`, such as `type=bind,source=/here,target=/there`. @throws InvalidArgumentError */
export function readMount(text: string): MountRequest {
  const mount: MountRequest = { Type: "volume", Target: "" };
  for (const field of parseCsvFields(text)) {
    const at = field.indexOf("=");
    const given = (at < 0 ? field : field.slice(0, at)).toLowerCase();
    const key = otherNames[given] ?? given;
    if (at < 0 && !switches.has(key))
      throw new InvalidArgumentError(`invalid field '${field}' must be a key=value pair`);
    const set = Object.hasOwn(setters, key) ? setters[key] : undefined;
    if (!set) throw new InvalidArgumentError(`unexpected key '${given}' in '${field}'`);
    set(mount, at < 0 ? "true" : field.slice(at + 1), key);
  }
  if (mount.Target === "") throw new InvalidArgumentError("target is required");
  const { Type, Source } = mount;
  if (Type === "bind" && Source?.startsWith(".")) mount.Source = resolve(Source);
  return mount;
}

function readBoolean(key: string, text: string): boolean {
  const value = parseGoBool(text);
  if (value === undefined) throw new InvalidArgumentError(`invalid value for ${key}: ${text}`);
  return value;
}

function pair(text: string): Record<string, string> {
  const at = text.indexOf("=");
  return Object.fromEntries([at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)]]);
}
