import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runCredentialHelper } from "./credential-helper.js";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-helper-"));
});
afterEach(() => rm(dir, { recursive: true }));

async function run(script: string, options: { timeoutMilliseconds?: number; signal?: AbortSignal } = {}) {
  const path = join(dir, "docker-credential-test");
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return await runCredentialHelper("test", "r.example", {
    env: { PATH: `relative:${dir}:/usr/bin:/bin` },
    ...options,
  });
}

test("asks with the key on stdin", async () => {
  const script = `[ "$1" = get ] && read -r key || [ -n "$key" ] && printf '{"ServerURL":"%s","Username":"me","Secret":"for %s"}' "$key" "$key"`;
  expect(await run(script)).toEqual({ username: "me", password: "for r.example" });
});

test("the user name <token> marks an identity token", async () => {
  expect(await run(`echo '{"Username":"<token>","Secret":"idt"}'`)).toEqual({ identityToken: "idt" });
});

test("a helper that does not know the registry has no credentials", async () => {
  expect(await run("echo 'credentials not found in native keychain'; exit 1")).toBeUndefined();
});

test("SEC-20 a failure names the helper and what it said, but never credentials", async () => {
  await expect(run("echo 'keychain is locked'; exit 3")).rejects.toMatchObject({
    code: "REGISTRY_CREDENTIAL_HELPER",
    message: "credential helper docker-credential-test failed with 3: keychain is locked",
  });
  const leak = await run(`echo '{"Secret":"hunter2"}'; exit 1`).catch((error: unknown) => error);
  expect(String(leak)).not.toContain("hunter2");
  const garbage = await run("echo hunter2").catch((error: unknown) => error);
  expect(String(garbage)).toContain("is not credentials");
  expect(String(garbage)).not.toContain("hunter2");
  await expect(run("head -c 2000000 /dev/zero")).rejects.toThrow("printed too much");
});

test("FLT-25 a helper that hangs is killed", async () => {
  await expect(run("echo $$ > $0.pid; exec sleep 600", { timeoutMilliseconds: 200 })).rejects.toMatchObject({
    code: "DEADLINE",
    message: expect.stringContaining("docker-credential-test"),
  });
  const controller = new AbortController();
  const running = run("exec sleep 600", { signal: controller.signal });
  controller.abort(new Error("stop"));
  await expect(running).rejects.toMatchObject({ code: "ABORTED" });
});

test("SEC-35 only plain names, found in absolute directories of PATH", async () => {
  const options = { env: { PATH: dir } };
  for (const name of ["../x", "a b", "a;b", "", "/bin/sh"]) {
    await expect(runCredentialHelper(name, "h", options)).rejects.toThrow("invalid credential helper name");
  }
  await expect(runCredentialHelper("none", "h", options)).rejects.toThrow(
    "credential helper docker-credential-none is not installed",
  );
  await mkdir(join(dir, "docker-credential-dir"));
  await expect(runCredentialHelper("dir", "h", options)).rejects.toThrow("not installed");
});
