import type { TomlTable } from "smol-toml";
import { invalidConfig } from "./config-error.js";
import { parseGoDuration } from "./go-duration.js";
import { asTable, textsOf } from "./registry-tables.js";
import { parseSize } from "./size.js";

/** What a value of `buildkitd.toml` may be. */
type Kind = readonly [expected: string, isRight: (value: unknown) => boolean] | Table | ListOf;

/** A table of known keys; others are left to the daemon, which may be a newer one. */
interface Table {
  table: Readonly<Record<string, Kind>>;
}

/** A list of tables. */
interface ListOf {
  listOf: Table;
}

const flag: Kind = ["true or false", (value) => typeof value === "boolean"];
const text: Kind = ["a string", (value) => typeof value === "string"];
// Integers are read as bigint.
const integer: Kind = ["an integer", (value) => typeof value === "bigint"];
const texts: Kind = ["a list of strings", (value) => textsOf(value) !== undefined];
const textMap: Kind = [
  "a table of strings",
  (value) => Object.values(asTable(value) ?? { none: 0 }).every((one) => typeof one === "string"),
];
const size: Kind = [
  'a number of bytes, a size such as "20GB" or a share such as "10%"',
  (value) => isTextOf(value, (given) => /^-?\d+%$/.test(given) || succeeds(() => parseSize(given))),
];
const duration: Kind = [
  'a number of seconds or a duration such as "48h"',
  (value) => isTextOf(value, (given) => /^-?\d+$/.test(given) || succeeds(() => parseGoDuration(given))),
];

const gc = {
  gc: flag,
  gckeepstorage: size,
  reservedSpace: size,
  maxUsedSpace: size,
  minFreeSpace: size,
  gcpolicy: {
    listOf: {
      table: {
        all: flag,
        filters: texts,
        keepDuration: duration,
        keepBytes: size,
        reservedSpace: size,
        maxUsedSpace: size,
        minFreeSpace: size,
      },
    },
  },
};

const network = {
  networkMode: text,
  cniConfigPath: text,
  cniBinaryPath: text,
  cniPoolSize: integer,
  bridgeName: text,
  bridgeSubnet: text,
};

const worker = {
  enabled: flag,
  labels: textMap,
  platforms: texts,
  snapshotter: text,
  rootless: flag,
  "apparmor-profile": text,
  selinux: flag,
  "max-parallelism": integer,
  defaultCgroupParent: text,
  ...gc,
  ...network,
};

/** The configuration of buildkitd 0.34, without registries (buildkit cmd/buildkitd/config/config.go). */
const configuration: Table = {
  table: {
    debug: flag,
    trace: flag,
    root: text,
    "insecure-entitlements": texts,
    proxyNetwork: flag,
    provenanceEnvDir: text,
    log: { table: { format: text, level: text } },
    grpc: {
      table: {
        address: texts,
        debugAddress: text,
        uid: integer,
        gid: integer,
        securityDescriptor: text,
        tls: { table: { cert: text, key: text, ca: text } },
      },
    },
    otel: { table: { socketPath: text } },
    cdi: { table: { disabled: flag, specDirs: texts, autoAllowed: texts } },
    worker: {
      table: {
        oci: {
          table: {
            ...worker,
            noProcessSandbox: flag,
            userRemapUnsupported: text,
            binary: text,
            proxySnapshotterPath: text,
            stargzSnapshotter: { table: {} },
          },
        },
        containerd: {
          table: {
            ...worker,
            address: text,
            namespace: text,
            hypervIsolation: flag,
            runtime: { table: { name: text, path: text, options: { table: {} } } },
          },
        },
      },
    },
    dns: { table: { nameservers: texts, options: texts, searchDomains: texts } },
    history: { table: { maxAge: duration, maxEntries: integer } },
    frontend: {
      table: {
        "dockerfile.v0": { table: { enabled: flag } },
        "gateway.v0": { table: { enabled: flag, allowedRepositories: texts } },
      },
    },
    system: { table: { platformsCacheMaxAge: duration, maxRegistryConcurrency: integer } },
    cache: {
      table: {
        gha: { table: { sign: { table: { command: texts } }, verify: { table: { required: flag } } } },
      },
    },
  },
};

/**
 * Looks at the kinds of all keys that buildkitd knows: a daemon with a value of another kind does not start, and buildx refuses
 * the file (it reads it by BuildKit's own types).
 *
 * @throws ConfigError that names the key.
 */
export function checkBuildkitdKinds(path: string, table: TomlTable): void {
  checkTable(path, "", table, configuration);
}

function checkTable(path: string, prefix: string, table: TomlTable, { table: keys }: Table): void {
  for (const [key, value] of Object.entries(table)) {
    // Go's parser takes keys in any case, the exact one first.
    const known = Object.hasOwn(keys, key)
      ? key
      : Object.keys(keys).find((one) => one.toLowerCase() === key.toLowerCase());
    if (known !== undefined)
      check(path, prefix + (known.includes(".") ? `"${key}"` : key), value, keys[known] as Kind);
  }
}

function check(path: string, place: string, value: unknown, kind: Kind): void {
  if ("table" in kind) {
    const table = asTable(value);
    if (table === undefined) throw invalidConfig(path, `${place} must be a table`);
    checkTable(path, `${place}.`, table, kind);
  } else if ("listOf" in kind) {
    const list: unknown[] | undefined = Array.isArray(value) ? value : undefined;
    for (const one of list ?? [undefined]) {
      const table = asTable(one);
      if (table === undefined) throw invalidConfig(path, `${place} must be a list of tables`);
      checkTable(path, `${place}.`, table, kind.listOf);
    }
  } else if (!kind[1](value)) throw invalidConfig(path, `${place} must be ${kind[0]}`);
}

/** Go's types for sizes and durations take a string or a number, and nothing for the empty string. */
function isTextOf(value: unknown, isRight: (given: string) => boolean): boolean {
  if (typeof value === "string") return value === "" || isRight(value);
  return typeof value === "bigint" && isRight(String(value));
}

function succeeds(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch {
    return false;
  }
}
