import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const source = fileURLToPath(new URL(".", import.meta.url));

/** Packages that are installed with slipway, direct or not. */
function productionPackages(): string[] {
  const lock = JSON.parse(readFileSync(path.join(source, "..", "package-lock.json"), "utf8")) as {
    packages: Record<string, { dev?: boolean }>;
  };
  return Object.entries(lock.packages)
    .filter(([location, { dev }]) => location !== "" && dev !== true)
    .map(([location]) => location.slice(location.lastIndexOf("node_modules/") + "node_modules/".length));
}

test("SEC-9 SEC-27 nothing that unpacks archives or makes code of messages is installed with slipway", () => {
  const packages = productionPackages();
  expect(packages).toContain("undici");
  for (const unwanted of ["tar", "dockerode", "protobufjs", "@grpc/grpc-js"])
    expect(packages).not.toContain(unwanted);
});

test("every package of the lock file, for any platform, is held to its hash", () => {
  const { packages } = JSON.parse(readFileSync(path.join(source, "..", "package-lock.json"), "utf8")) as {
    packages: Record<string, { integrity?: string; link?: boolean }>;
  };
  const without = Object.entries(packages).filter(
    ([location, { integrity, link }]) => location !== "" && !link && !/^sha512-.{88}$/.test(integrity ?? ""),
  );
  expect(without).toEqual([]);
});

test("SEC-9 the source never extracts an archive to where its entries say", () => {
  for (const name of readdirSync(source, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts") || name.endsWith(".test.ts")) continue;
    const text = readFileSync(path.join(source, name), "utf8");
    const imports = [...text.matchAll(/import ([^;]*) from "tar-fs"/g)].map(([, what]) => what);
    for (const what of imports) expect(what, name).not.toMatch(/extract|\* as|^\w+$/);
  }
});
