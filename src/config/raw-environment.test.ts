import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { expect, test } from "vitest";
import { checkArgumentBytes, variableBytes } from "./raw-environment.js";

/** What a process prints that was started with bytes in its environment or arguments, which only a shell can give. */
function inShell(before: string, code: string, after = ""): string {
  const { outputFiles } = buildSync({
    entryPoints: [join(import.meta.dirname, "raw-environment.ts")],
    bundle: true,
    write: false,
    platform: "node",
    format: "cjs",
  });
  const program = `${outputFiles[0]?.text ?? ""};${code}`;
  const script = `${before} exec "$0" -e "$PROGRAM" -- ${after}`;
  const env = { ...process.env, PROGRAM: program };
  return execFileSync("bash", ["-c", script, process.execPath], { encoding: "utf8", env }).trim();
}

const isLinux = process.platform === "linux";

test.runIf(isLinux)("a variable that is not UTF-8 comes byte for byte", () => {
  const code = `console.log(variableBytes(process.env, "X").toString("hex"))`;
  expect(inShell("export X=$'p\\xe4ss\\xff';", code)).toBe("70e47373ff");
});

test.runIf(isLinux)("an argument that is not UTF-8 is refused by its name", () => {
  const code = `try { checkArgumentBytes(process.argv.slice(1)); console.log("taken") } catch (error) { console.log(error.message) }`;
  expect(inShell("", code, "$'gr\\xf6\\xdfe'")).toMatch(/^the argument "gr.*" is not UTF-8/);
  expect(inShell("", code, "größe '\ufffd'")).toBe("taken");
});

test("a text with the replacement character that the program has set is that text", () => {
  expect(variableBytes({ A: "x\ufffd" }, "A")?.toString()).toBe("x\ufffd");
  expect(variableBytes({}, "A")).toBeUndefined();
  expect(() => checkArgumentBytes(["größe"])).not.toThrow();
});
