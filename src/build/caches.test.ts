import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { planCaches } from "./caches.js";
import { parseCache } from "./parse/cache.js";

/** What an export to and an import from this cache come to. */
async function plan(text: string, env: Record<string, string> = {}) {
  const caches = parseCache(text);
  const home = { HOME: "/none", ...env };
  const { exports, imports, attrs } = await planCaches(
    { context: ".", cacheTo: caches, cacheFrom: caches },
    home,
    false,
  );
  expect(imports).toEqual(exports);
  const sent = JSON.parse(attrs["cache-imports"] ?? "[]") as { Type: string; Attrs: object }[];
  expect(sent).toEqual(imports.map(({ type, attrs: given }) => ({ Type: type, Attrs: given })));
  return exports.map(({ attrs: given }) => given);
}

test("gha takes token and addresses from the workflow's environment, and is left out without", async () => {
  const env = {
    ACTIONS_RUNTIME_TOKEN: "t",
    ACTIONS_CACHE_URL: "http://old",
    ACTIONS_RESULTS_URL: "http://new",
  };
  expect(await plan("type=gha,scope=main", env)).toEqual([{ scope: "main", token: "t", url: "http://old" }]);
  const { ACTIONS_CACHE_URL: _old, ...results } = env;
  expect(await plan("type=gha", results)).toEqual([{ token: "t", url: "http://new" }]);
  const both = { token: "t", url: "http://old", url_v2: "http://new" };
  expect(await plan("type=gha", { ...env, ACTIONS_CACHE_SERVICE_V2: "true" })).toEqual([both]);
  expect(await plan("type=gha,version=2", env)).toEqual([{ ...both, version: "2" }]);
  expect(await plan("type=gha,version=1", { ...env, ACTIONS_CACHE_SERVICE_V2: "1" })).toEqual([
    { token: "t", url: "http://old", version: "1" },
  ]);
  expect(await plan("type=gha,token=x,url=http://mine", env)).toEqual([{ token: "x", url: "http://mine" }]);
  expect(await plan("type=gha", { ACTIONS_RUNTIME_TOKEN: "t" })).toEqual([]);
  expect(await plan("type=gha", { ACTIONS_CACHE_URL: "http://old" })).toEqual([]);
});

test("s3 takes keys from the environment or the credentials file, a session token only with its key", async () => {
  const place = { bucket: "b", region: "r" };
  const keys = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "key", AWS_SESSION_TOKEN: "session" };
  const filled = { access_key_id: "id", secret_access_key: "key", session_token: "session" };
  expect(await plan("type=s3,bucket=b,region=r", keys)).toEqual([{ ...place, ...filled }]);
  expect(await plan("type=s3", { AWS_BUCKET: "b", AWS_REGION: "r" })).toEqual([place]);
  const given = { access_key_id: "mine", secret_access_key: "too" };
  expect(
    await plan("type=s3,bucket=b,region=r,access_key_id=mine,secret_access_key=too,prefix=p/", keys),
  ).toEqual([{ ...place, ...given, prefix: "p/" }]);

  const home = await mkdtemp(join(tmpdir(), "slipway-aws-"));
  try {
    const file = join(home, "credentials");
    await writeFile(
      file,
      "# mine\n[default]\naws_access_key_id = a\naws_secret_access_key=b\n[ci]\naws_access_key_id=c\naws_secret_access_key=d=\naws_session_token = e\n",
    );
    const env = { AWS_SHARED_CREDENTIALS_FILE: file };
    expect(await plan("type=s3,bucket=b,region=r", env)).toEqual([
      { ...place, access_key_id: "a", secret_access_key: "b" },
    ]);
    expect(await plan("type=s3,bucket=b,region=r", { ...env, AWS_PROFILE: "ci" })).toEqual([
      { ...place, access_key_id: "c", secret_access_key: "d=", session_token: "e" },
    ]);
  } finally {
    await rm(home, { recursive: true });
  }
});

test("azblob takes its account from the environment", async () => {
  const env = { BUILDKIT_AZURE_STORAGE_ACCOUNT_URL: "https://a" };
  expect(await plan("type=azblob,name=n", env)).toEqual([{ name: "n", account_url: "https://a" }]);
  expect(await plan("type=azblob,account_url=https://b,container=c", env)).toEqual([
    { account_url: "https://b", container: "c" },
  ]);
});

test("what is missing or wrong is told by name", async () => {
  for (const [text, message] of [
    ["type=registry", "registry cache importer requires ref"],
    ["type=s3,bucket=,region=r", "s3 cache importer requires bucket"],
    ["type=azblob,account_url=", "azblob cache importer requires account_url"],
  ] as const)
    await expect(plan(text)).rejects.toThrow(message);
  expect(() => parseCache("dest=x")).toThrow('type required for "dest=x"');
  expect(() => parseCache("type=local,dest")).toThrow("invalid value dest");
});
