import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { privilegeText } from "./privilege.js";
import { missingPrivileges } from "./privileges.js";

let root: string;
let cwd: string;
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "slipway-privileges-"));
  cwd = path.join(root, "here");
  for (const name of ["here", "beside", "beside-too"]) await mkdir(path.join(root, name));
  await symlink(path.join(root, "beside"), path.join(cwd, "link"));
});
afterAll(() => rm(root, { recursive: true }));

const missing = (target: object, ...allow: string[]) =>
  missingPrivileges([{ context: cwd, ...target }], allow, cwd).map(privilegeText);

test("what lies below the working directory is allowed, not what a link there leads to", () => {
  expect(missing({ outputs: [{ type: "local", dest: path.join(cwd, "new", "out") }] })).toEqual([]);
  expect(missing({ context: path.join(cwd, "link") })).toEqual([`fs.read=${root}/beside`]);
});

test("a path that does not exist yet counts as the place where it would be made", () => {
  expect(missing({ outputs: [{ type: "tar", dest: path.join(root, "beside", "a", "b.tar") }] })).toEqual([
    `fs.write=${root}/beside`,
  ]);
});

test("a directory is not covered by one of a similar name", () => {
  const target = { context: path.join(root, "beside-too") };
  expect(missing(target, "fs.read=../beside")).toEqual([`fs.read=${root}/beside-too`]);
  expect(missing(target, "fs=../beside-too")).toEqual([]);
  expect(missing(target, "fs.write=../beside-too")).not.toEqual([]);
});

test("reading and writing one place is one privilege; what lies in it needs none of its own", () => {
  const beside = path.join(root, "beside");
  const outputs = [{ type: "local", dest: beside, attrs: { mode: "delete" } }];
  expect(missing({ context: beside, outputs, file: path.join(beside, "Dockerfile") })).toEqual([
    `fs=${beside}`,
    "buildx.local.delete",
  ]);
});

test("all kinds are asked for by name", () => {
  const target = {
    allow: ["network.host", "security.insecure", "device=a"],
    ssh: ["default"],
    secrets: { s: { file: path.join(root, "beside") } },
    cacheTo: [{ type: "local", attrs: { dest: path.join(root, "beside") } }],
  };
  const all = ["network.host", "security.insecure", "device=a", "ssh", `fs=${root}/beside`];
  expect(missing(target)).toEqual(all);
  expect(missing(target, ...all)).toEqual([]);
  expect(missing(target, "fs=*", "device", "ssh", "network.host", "security.insecure")).toEqual([]);
});

test("what is no privilege is refused", () => {
  expect(() => missing({}, "foo")).toThrow('unknown entitlement key "foo"');
  expect(() => missing({}, "buildx.local.delete=x")).toThrow("buildx.local.delete does not accept a value");
});
