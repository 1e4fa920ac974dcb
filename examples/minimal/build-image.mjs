// Builds an image of Node, the libraries that it is linked with, slipway's one file, and nothing else; or of slipway as a single
// executable (`npm run executable` in slipway's repository) with its libraries.
// usage: node build-image.mjs [TAG [EXECUTABLE]]
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Builder, build, files } from "slipway";

const [tag = "slipway:minimal", executable] = process.argv.slice(2);

/** The libraries of a program and their loader, at the paths where the program looks for them. */
function librariesOf(program) {
  const listed = execFileSync("ldd", [program], { encoding: "utf8" });
  return [...listed.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path);
}

const programs = executable
  ? [["/slipway", executable]]
  : [
      ["/node", process.execPath],
      ["/slipway.mjs", new URL("dist/slipway.mjs", import.meta.resolve("slipway/package.json"))],
    ];
const entryPoint = programs.map(([path]) => path);
const content = new Map([...programs, ...librariesOf(programs[0][1]).map((path) => [path, path])]);

const root = {};
let bytes = 0;
for (const [path, from] of content) {
  const data = readFileSync(from);
  root[`root${path}`] = { content: data, mode: 0o755 };
  bytes += data.length;
  console.log(`${(data.length / 1e6).toFixed(1).padStart(6)} MB  ${path}`);
}
console.log(`${(bytes / 1e6).toFixed(1).padStart(6)} MB`);

await Builder.ensure({ name: "minimal" });
await build({
  builder: "minimal",
  context: files({
    ...root,
    Dockerfile: `FROM scratch\nCOPY root /\nENTRYPOINT ${JSON.stringify(entryPoint)}\n`,
  }),
  tags: [tag],
  load: true,
});
console.log(`the engine has ${tag}`);
