import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const checkout = join(import.meta.dirname, "../..");

/** What `npm pack` makes. */
export interface PackedPackage {
  /** Path of the tarball. */
  tarball: string;
  /** Paths in it. */
  files: string[];
}

/** Builds the library, unless `npm test` has done that: it takes 15 s of the processor. `testbed/with` has built the command. */
export async function buildLibrary(): Promise<void> {
  if (process.env["SLIPWAY_TEST_BUILT"] !== "1")
    await run("npm", ["run", "-s", "build:lib"], { cwd: checkout });
}

/** Packs the package as `npm publish` would, into `dir`. */
export async function pack(dir: string): Promise<PackedPackage> {
  await buildLibrary();
  const flags = ["--json", "--ignore-scripts", "--pack-destination", dir];
  const { stdout } = await run("npm", ["pack", ...flags], { cwd: checkout });
  const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  return { tarball: join(dir, packed.filename), files: packed.files.map(({ path }) => path) };
}

interface LockedPackage {
  dev?: boolean;
  [key: string]: unknown;
}

/**
 * Installs a packed slipway and its dependencies into an empty project, by npm. Their versions and contents are those of this
 * checkout's lock file, so npm finds them in its cache and needs no network.
 */
export async function install({ tarball }: PackedPackage, project: string): Promise<void> {
  const manifest = JSON.parse(await readFile(join(checkout, "package.json"), "utf8")) as Record<
    string,
    unknown
  >;
  const lock = JSON.parse(await readFile(join(checkout, "package-lock.json"), "utf8")) as {
    packages: Record<string, LockedPackage>;
  };
  const integrity = `sha512-${createHash("sha512")
    .update(await readFile(tarball))
    .digest("base64")}`;
  const { version, bin, engines, dependencies } = manifest;
  const resolved = `file:${basename(tarball)}`;
  const empty = { name: "project", version: "1.0.0", private: true, dependencies: { slipway: resolved } };
  const packages: Record<string, unknown> = {
    "": empty,
    "node_modules/slipway": { version, resolved, integrity, bin, engines, dependencies },
  };
  for (const [path, locked] of Object.entries(lock.packages))
    if (path !== "" && !locked.dev) packages[path] = locked;
  await mkdir(project, { recursive: true });
  await copyFile(tarball, join(project, basename(tarball)));
  await writeFile(join(project, "package.json"), JSON.stringify(empty));
  await writeFile(
    join(project, "package-lock.json"),
    JSON.stringify({ name: "project", version: "1.0.0", lockfileVersion: 3, requires: true, packages }),
  );
  await run("npm", ["ci", "--offline", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: project });
}

/** Lends a project packages that this checkout has for its own tests. */
export async function lend(project: string, ...names: string[]): Promise<void> {
  for (const name of names) {
    const target = join(project, "node_modules", name);
    await mkdir(join(target, ".."), { recursive: true });
    await symlink(join(checkout, "node_modules", name), target);
  }
}
