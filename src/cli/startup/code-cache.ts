import type { Script } from "node:vm";
import type { Environment } from "../../config/index.js";
import { setAside } from "../../fs/index.js";

// As in start.ts.
const fs = process.getBuiltinModule("node:fs");
const path = process.getBuiltinModule("node:path");

/** V8's compiled form of one script, kept between runs. */
export interface CodeCache {
  /** What earlier runs left; `undefined` if there is none that can be trusted. */
  read(): CachedCode | undefined;
  /** Keeps the functions compiled so far, and by which modules. A cache that cannot be written is no error. */
  write(script: Script, modules: ModuleSet): void;
}

/** What a cache holds. */
export interface CachedCode {
  data: Buffer;
  /** A few runs have added to it: others would find little more, and writing takes its time. */
  complete: boolean;
  /** What the runs have used that have added to it. */
  modules: ModuleSet;
}

/** Modules of a program by their numbers, a bit each. Of those beyond it nothing is known. */
export class ModuleSet {
  /** A multiple of 8 ({@link headLength}). */
  static readonly byteLength = 256;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array = new Uint8Array(ModuleSet.byteLength)) {
    this.bytes = bytes;
  }

  add(module: number): void {
    const byte = module >> 3;
    if (byte < ModuleSet.byteLength) this.bytes[byte] = (this.bytes[byte] ?? 0) | (1 << (module & 7));
  }

  /** Adds those of another set; tells whether there was one among them that was not here. */
  addAll(other: ModuleSet): boolean {
    let isNew = false;
    for (const [index, byte] of other.bytes.entries()) {
      const before = this.bytes[index] ?? 0;
      isNew ||= (byte & ~before) !== 0;
      this.bytes[index] = before | byte;
    }
    return isNew;
  }
}

/** Runs that write a cache in any case: the first may have failed early or printed a help text only. */
const mostWrites = 3;
/** The first byte counts the runs that have written it; V8 need not copy what follows to align it. */
const countLength = 8;
const headLength = countLength + ModuleSet.byteLength;
/** Files that are kept, so that every upgrade does not leave some for good: two for each Node that runs slipway, of a few versions. */
const mostFiles = 16;

/**
 * The code cache of the script whose content hashes to `key`, in `$XDG_CACHE_HOME/slipway` or `~/.cache/slipway`. V8 does
 * not verify what it is given, so the directory must be the user's alone: owned by them, mode 0700, no symbolic link. It is
 * made that way, and one that is not is left alone and not used.
 */
export function codeCache(key: string, env: Environment): CodeCache {
  const directory = cacheDirectory(env);
  // Flags and processor features change what V8 makes; it checks for that itself and rejects the cache.
  const file = directory && path.join(directory, `code-${key}-${process.version}-${process.arch}`);
  let writes = 0;
  return {
    read() {
      if (!directory || !file) return undefined;
      try {
        if (!isPrivate(directory)) return undefined;
        const content = fs.readFileSync(file);
        writes = content[0] ?? 0;
        return {
          data: content.subarray(headLength),
          complete: writes >= mostWrites,
          modules: new ModuleSet(content.subarray(countLength, headLength)),
        };
      } catch {
        return undefined;
      }
    },
    write(script, modules) {
      if (!directory || !file) return;
      try {
        // Not recursive: that turns for ever below directories such as /proc.
        for (const each of [path.dirname(directory), directory])
          if (!fs.existsSync(each)) fs.mkdirSync(each, { mode: 0o700 });
        if (!isPrivate(directory)) return;
        const unfinished = `${file}.${process.pid}`;
        const head = Buffer.alloc(headLength);
        head[0] = Math.min(writes + 1, mostWrites);
        head.set(modules.bytes, countLength);
        const fd = fs.openSync(unfinished, "wx", 0o600);
        try {
          fs.writeFileSync(fd, head);
          fs.writeFileSync(fd, script.createCachedData());
        } finally {
          fs.closeSync(fd);
        }
        fs.renameSync(unfinished, file);
        for (const old of setAside(directory, { most: mostFiles, prefix: "code-" }))
          fs.rmSync(old, { force: true });
      } catch {
        // Read-only homes and full disks must not keep anybody from building.
      }
    },
  };
}

function cacheDirectory(env: Environment): string | undefined {
  const base = env["XDG_CACHE_HOME"] || (env["HOME"] && path.join(env["HOME"], ".cache"));
  return base && path.isAbsolute(base) ? path.join(base, "slipway") : undefined;
}

function isPrivate(directory: string): boolean {
  const stat = fs.lstatSync(directory, { throwIfNoEntry: false });
  return stat?.isDirectory() === true && stat.uid === process.getuid?.() && (stat.mode & 0o777) === 0o700;
}
