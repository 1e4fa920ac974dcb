import { expect, test } from "vitest";
import { BakeError } from "./bake-error.js";
import { type ReadBakeOptions, readBake } from "./read-bake.js";

const read = (content: string, options: Omit<ReadBakeOptions, "files"> = {}, name = "docker-bake.hcl") =>
  readBake({ files: [{ name, content }], env: {}, ...options }).then((plan) => plan.toJSON());

test("variables, functions, inheritance and groups come to whole targets", async () => {
  const source = `
variable "TAG" { default = "latest" }
variable "COUNT" { default = 2 }
function "ref" {
  params = [name]
  result = "example/\${name}:\${TAG}"
}
group "default" { targets = ["app", "db"] }
target "_base" { args = { A = "1", B = COUNT } }
target "app" {
  inherits = ["_base"]
  tags = [ref("app")]
  args = { B = null, C = target._base.args.A }
}
target "db" {
  inherits = ["_base"]
  platforms = ["linux/amd64", "linux/amd64"]
}
`;
  expect(await read(source, { env: { TAG: "v1" }, vars: { COUNT: "3" } })).toEqual({
    group: { default: { targets: ["app", "db"] } },
    target: {
      app: {
        args: { A: "1", B: "3", C: "1" }, context: ".", dockerfile: "Dockerfile", tags: ["example/app:v1"],
      }, // prettier-ignore
      db: { args: { A: "1", B: "3" }, context: ".", dockerfile: "Dockerfile", platforms: ["linux/amd64"] },
    },
  });
});

test("a matrix makes a target of each combination, and a group of all", async () => {
  const source = `
target "t" {
  name = "t-\${x}-\${y}"
  matrix = { x = ["a", "b"], y = [1, 2] }
  args = { XY = "\${x}\${y}" }
}
`;
  const plan = await read(source, { targets: ["t"] });
  expect(plan.group?.["t"]?.targets).toEqual(["t-a-1", "t-b-1", "t-a-2", "t-b-2"]);
  expect(plan.target["t-b-2"]?.["args"]).toEqual({ XY: "b2" });
});

test("--set changes, adds and clears", async () => {
  const source = 'target "default" {\n  tags = ["a"]\n  output = ["type=image"]\n  args = { A = "1" }\n}\n';
  const set = [
    "*.tags+=b,c",
    "default.args.A=2",
    "*.platform=linux/arm64",
    "*.push=true",
    "default.network=host",
  ];
  expect((await read(source, { set })).target["default"]).toEqual({
    args: { A: "2" }, context: ".", dockerfile: "Dockerfile", entitlements: ["network.host"], network: "host",
    output: [{ push: "true", type: "image" }], platforms: ["linux/arm64"], tags: ["a", "b,c"],
  }); // prettier-ignore
  await expect(read(source, { set: ["x*.tags=a"] })).rejects.toThrow(
    "could not find any target matching 'x*'",
  );
  await expect(read(source, { set: ["default.nosuch=a"] })).rejects.toThrow("unknown key: nosuch");
  await expect(read(source, { set: ["default.args=a"] })).rejects.toThrow(
    "invalid key default.args, arg requires name",
  );
});

test("JSON says the same as native syntax", async () => {
  const native = 'variable "V" { default = "x" }\ntarget "default" { args = { A = "${V}" } }\n';
  const json = '{"variable": {"V": {"default": "x"}}, "target": {"default": {"args": {"A": "${V}"}}}}';
  expect(await read(json, {}, "docker-bake.json")).toEqual(await read(native));
});

test.each([
  ['target "default" { tags = [NOPE] }\n', 'docker-bake.hcl:1,28-32: Unknown variable; There is no variable named "NOPE"., and 1 other diagnostic(s)'],
  ['target "default" { tags = "a" }\n', "docker-bake.hcl:1,28-29: Unsuitable value type; Unsuitable value: list of string required, but have string"],
  ['variable "A" { default = B }\nvariable "B" { default = A }\n', "docker-bake.hcl:2,26-27: Invalid expression; variable cycle not allowed for A"],
  ['target "a" { tags = target.b.tags }\ntarget "b" { tags = target.a.tags }\n', "reference cycle not allowed for target.b.tags"],
  ['target "a.b" {}\n', 'docker-bake.hcl:1,8-13: Invalid name; only "[a-zA-Z0-9_-]+" are allowed'],
  ['function "f" { params = [] }\n', "Invalid function; empty result not allowed for f"],
  ['target "a" {}\n', "failed to find target default"],
])("%j is refused", async (source, message) => {
  const failure = await read(source).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(BakeError);
  expect((failure as BakeError).message).toContain(message);
}); // prettier-ignore
