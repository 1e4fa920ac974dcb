import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { files, git, parseCache, plan } from "./index.js";
import { metadataOf } from "./build-result.js";

test("SEC-16 a plan holds no secret: neither tokens of caches nor passwords in URLs", async () => {
  const dir = await mkdtemp(join(tmpdir(), "slipway-plan-"));
  await writeFile(
    join(dir, "config.json"),
    '{"proxies":{"default":{"httpProxy":"http://u:canary-a@proxy.example"}}}',
  );
  const made = await plan({
    context: git("https://u:canary-b@example.com/r.git"),
    buildArgs: { NPM_TOKEN: "canary-c", MIRROR: "https://canary-d@mirror.example" },
    cacheFrom: [{ type: "gha", attrs: { token: "canary-e", url: "https://g.example" } }],
    cacheTo: parseCache(
      "type=s3,bucket=b,region=r,secret_access_key=canary-f,access_key_id=canary-g,session_token=canary-h",
    ),
    secrets: { a: "canary-i" },
    outputs: [{ type: "cacheonly" }],
    env: { DOCKER_CONFIG: dir },
  });
  expect(JSON.stringify(made)).not.toContain("canary");
  expect(made.attrs["context"]).toBe("https://*****@example.com/r.git");
  expect(JSON.parse(made.attrs["cache-imports"] ?? "")).toMatchObject([
    { Type: "gha", Attrs: { token: "*****" } },
  ]);
  await rm(dir, { recursive: true });
});

test("SEC-16 a build's metadata holds neither", () => {
  const provenance = {
    invocation: {
      parameters: { args: { "build-arg:NPM_TOKEN": "canary", context: "https://u:canary@x.example/r.git" } },
    },
  };
  const metadata = metadataOf(new Map([["containerimage.digest", "sha256:1"]]), [
    ["buildx.build.provenance", provenance],
  ]);
  expect(JSON.stringify(metadata)).not.toContain("canary");
  expect(metadata["containerimage.digest"]).toBe("sha256:1");
});

test("a plan with policies says that these are not in its digest", async () => {
  const options = { context: files({ Dockerfile: "FROM scratch\n" }), env: {} };
  const [plain, judged] = [await plan(options), await plan({ ...options, policy: () => "allow" })];
  expect(plain.warnings).toEqual([]);
  expect(judged.warnings).toEqual(["what policies convert is not part of the input digest"]);
  expect(judged.inputDigest).toBe(plain.inputDigest);
});
