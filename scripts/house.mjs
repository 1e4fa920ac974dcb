/**
 * The folders of src, from the top down: the one place where they are listed. `scripts/floors.mjs` checks imports by
 * it and draws CONTRIBUTING.md's table from it (`node scripts/floors.mjs --write`). A new folder is one more row.
 *
 * `floor` names the group that begins with a row. `uses` is what a folder may import besides the ground; `only`, of the
 * ground itself, is all that it may import.
 */
export const house = [
  {
    floor: "faces",
    folder: "index",
    is: "the library",
    uses: ["bake", "build", "manage", "progress", "builder", "driver"],
  },
  {
    folder: "cli",
    is: "the command",
    uses: ["index", "bake", "build", "manage", "report", "progress", "builder", "driver"],
  },
  {
    folder: "docker-cli",
    is: "the command `slipway-docker`",
    uses: ["cli", "manage", "builder", "driver", "registry", "engine-api", "progress"],
  },
  {
    folder: "action",
    is: "the GitHub action",
    uses: ["build", "manage", "report", "progress", "builder"],
  },
  {
    folder: "testcontainers",
    is: "containers and images for tests",
    uses: ["index", "build", "manage", "progress", "builder", "buildkit", "engine-api"],
  },
  {
    floor: "what is asked",
    folder: "manage",
    is: "disk usage, history, images in registries",
    uses: ["build", "builder", "driver", "session", "buildkit", "registry", "engine-api"],
  },
  {
    folder: "build",
    is: "builds: plan, solve, outputs, loading",
    uses: ["progress", "builder", "driver", "session", "buildkit", "registry", "engine-api"],
  },
  {
    folder: "bake",
    is: "bake: definitions, and many targets in one go",
    uses: ["build", "builder", "progress"],
  },
  { folder: "report", is: "a build as a page", uses: ["progress"] },
  { folder: "progress", is: "what a build shows while it runs", uses: [] },
  { floor: "where it runs", folder: "builder", is: "the store, builders and their nodes", uses: ["driver"] },
  {
    folder: "driver",
    is: "making, reaching and removing a daemon",
    uses: ["buildkit", "registry", "engine-api"],
  },
  {
    floor: "what is spoken",
    folder: "session",
    is: "services for BuildKit during a build",
    uses: ["buildkit", "http2", "registry"],
  },
  { folder: "buildkit", is: "BuildKit's API, with the generated code", uses: ["http2"] },
  { folder: "http2", is: "HTTP/2 and gRPC", uses: [] },
  { folder: "registry", is: "registries and credentials", uses: [] },
  { folder: "engine-api", is: "Docker's Engine API", uses: [] },
  {
    floor: "ground",
    folder: "hcl",
    is: "the language of bake's definitions: values, syntax, functions",
    only: ["core"],
  },
  {
    folder: "config",
    is: "docker's and BuildKit's configuration, environment",
    only: ["core", "fs"],
  },
  { folder: "fs", is: "trees, patterns, locks, atomic files", only: ["core"] },
  { folder: "core", is: "errors, signals, events", only: [] },
];

const ground = house.filter((row) => row.only).map((row) => row.folder);

/** What each folder may import, by its name; `index` is the library's face, src/index.ts. */
export const mayImport = Object.fromEntries(
  house.map((row) => [row.folder, row.only ?? [...row.uses, ...ground]]),
);

/** The table as CONTRIBUTING.md shows it. */
export function houseTable() {
  const head = ["| floor | folder | what it is | may import, besides the ground |", "|---|---|---|---|"];
  return [
    ...head,
    ...house.map((row) => `| ${row.floor ?? ""} | ${path(row)} | ${row.is} | ${imports(row)} |`),
  ]
    .map((line) => line.replace("|  |", "| |"))
    .join("\n");
}

function path({ folder }) {
  return folder === "index" ? "`src/index.ts`" : `\`src/${folder}\``;
}

function imports({ uses, only }) {
  if (only) return only.length > 0 ? `${names(only)} only` : "nothing";
  return uses.length > 0 ? names(uses) : "–";
}

function names(folders) {
  return folders.map((folder) => (folder === "index" ? "`index.ts`" : `\`${folder}\``)).join(", ");
}
