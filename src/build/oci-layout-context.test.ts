import { execFileSync } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseOciLayout } from "./oci-layout-context.js";

let layout: string;
beforeEach(async () => {
  layout = await mkdtemp(join(tmpdir(), "slipway-layout-context-"));
});
afterEach(async () => {
  await rm(layout, { recursive: true, force: true });
});

const digestOf = (digit: string) => `sha256:${digit.repeat(64)}`;
const put = (...manifests: unknown[]) =>
  writeFile(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
const entry = (digit: string, annotations?: Record<string, unknown>) => ({
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  digest: digestOf(digit),
  size: 1,
  ...(annotations && { annotations }),
});
const refName = "org.opencontainers.image.ref.name";
const imageName = "io.containerd.image.name";

test("finds a manifest by its tag, by the end of an image's name, or the only one", async () => {
  await put(
    entry("a", { [refName]: "one" }),
    entry("b", { [imageName]: "docker.io/library/x:two" }),
    entry("c"),
  );
  expect(await parseOciLayout(`oci-layout://${layout}:one`)).toMatchObject({
    digest: digestOf("a"),
    tag: "one",
  });
  expect(await parseOciLayout(`oci-layout://${layout}:two`)).toMatchObject({ digest: digestOf("b") });
  await expect(parseOciLayout(`oci-layout://${layout}`)).rejects.toThrow(/no manifest with the tag latest/);
  await put(entry("d", { [refName]: "other" }));
  expect(await parseOciLayout(`oci-layout://${layout}`)).toMatchObject({ digest: digestOf("d") });
});

test("SEC-67 refuses what is no index, or lists what is no manifest, by name", async () => {
  const refused = expect.objectContaining({
    code: "INVALID_ARGUMENT",
    message: expect.stringContaining(join(layout, "index.json")) as string,
  });
  const parse = () => parseOciLayout(`oci-layout://${layout}`);
  await expect(parse()).rejects.toEqual(refused);
  for (const digest of ["../../etc/passwd", "", "sha256:", `${digestOf("a")}\n`, "__proto__", 1]) {
    await put({ ...entry("a"), digest });
    await expect(parse(), String(digest)).rejects.toEqual(refused);
  }
  for (const broken of [
    { size: -1 },
    { size: 1e300 },
    { annotations: { [refName]: {} } },
    { mediaType: 1 },
  ]) {
    await put({ ...entry("a"), ...broken });
    await expect(parse(), JSON.stringify(broken)).rejects.toEqual(refused);
  }
  await rm(join(layout, "index.json"));
  await symlink("/dev/zero", join(layout, "index.json"));
  await expect(parse()).rejects.toEqual(refused);
  await rm(join(layout, "index.json"));
  execFileSync("mkfifo", [join(layout, "index.json")]);
  await expect(parse()).rejects.toEqual(refused);
});
