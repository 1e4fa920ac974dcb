import { readFileSync } from "node:fs";
import { InvalidArgumentError, messageOf, percentDecode } from "../core/index.js";

/** What a machine or an image is (OCI image-spec platform). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** `v7`, `v8`…; absent where the architecture has none or it is the usual one. */
  readonly variant?: string;
  readonly osVersion?: string;
  readonly osFeatures?: readonly string[];
}

const knownSystems = new Set(
  "aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris windows zos".split(
    " ",
  ),
);
const knownArchitectures = new Set(
  "386 amd64 amd64p32 arm armbe arm64 arm64be ppc64 ppc64le loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le ppc riscv riscv64 s390 s390x sparc sparc64 wasm".split(
    " ",
  ),
);
const component = /^[A-Za-z0-9_.-]+$/;
const system = /^([A-Za-z0-9_-]+)(?:\(([A-Za-z0-9_.%-]*)((?:\+[A-Za-z0-9_.%-]+)*)\))?$/;

/**
 * Reads `os`, `arch`, `os/arch` or `os/arch/variant`, with `os(version+feature)` for the first part (containerd
 * platforms.Parse). What is missing is this machine's.
 *
 * @throws InvalidArgumentError
 */
export function parsePlatform(specifier: string): Platform {
  const quoted = JSON.stringify(specifier);
  if (specifier.includes("*")) throw invalid(`${quoted}: wildcards not yet supported`);
  const [first = "", architecture, variant, ...rest] = specifier.split("/");
  const match = system.exec(first);
  if (!match) {
    throw invalid(
      `${JSON.stringify(first)} is an invalid OS component of ${quoted}: OSAndVersion specifier component must match ${JSON.stringify(system.source)}`,
    );
  }
  for (const part of [architecture, variant, rest[0]]) {
    if (part !== undefined && !component.test(part)) {
      throw invalid(
        `${JSON.stringify(part)} is an invalid component of ${quoted}: platform specifier component must match ${JSON.stringify(component.source)}`,
      );
    }
  }
  if (rest.length > 0) throw invalid(`${quoted}: cannot parse platform specifier`);
  const os = normalizeSystem(match[1] ?? "");
  const version = decodeOption(match[2] ?? "", (text) => `${quoted} has an invalid OS version ${text}`);
  const features = (match[3] ?? "")
    .split("+")
    .filter(Boolean)
    .map((feature) =>
      decodeOption(feature, (text) => `${quoted} has invalid OS features: invalid os feature ${text}`),
    );
  const more = {
    ...(version && { osVersion: version }),
    ...(features.length > 0 && { osFeatures: features }),
  };
  if (architecture === undefined) return { ...parseSingle(specifier, first, os), ...more };
  const normal = normalizeArchitecture(architecture, variant ?? "");
  if (variant === undefined && isUsualArm(normal)) delete normal.variant;
  if (variant !== undefined && normal.architecture === "arm64") normal.variant ??= "v8";
  return { os, ...normal, ...more };
}

/** Reads a list as `--platform` gives it: each value may hold several, `local` is this machine. All normalised. */
export function parsePlatforms(specifiers: readonly string[]): Platform[] {
  return specifiers
    .flatMap((specifier) => specifier.split(","))
    .map((specifier) =>
      normalizePlatform(specifier.toLowerCase() === "local" ? localPlatform() : parsePlatform(specifier)),
    );
}

/** The canonical form: `aarch64` becomes `arm64`, `arm` gets `v7`, `arm64/v8` loses its variant. */
export function normalizePlatform(platform: Platform): Platform {
  const { osVersion, osFeatures } = platform;
  return {
    os: normalizeSystem(platform.os),
    ...normalizeArchitecture(platform.architecture, platform.variant ?? ""),
    ...(osVersion && { osVersion }),
    ...(osFeatures && osFeatures.length > 0 && { osFeatures: [...new Set(osFeatures)].sort() }),
  };
}

/** `os/arch[/variant]`; `unknown` without an operating system. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return os === "" ? "unknown" : [os, architecture, variant].filter(Boolean).join("/");
}

/** {@link formatPlatform} with version and features of the system: `windows(10.0.17763+win32k)/amd64`. */
export function formatPlatformFully(platform: Platform): string {
  const { os, osVersion = "", osFeatures = [] } = platform;
  const features = [...new Set(osFeatures)].filter(Boolean).sort();
  if (os === "" || (osVersion === "" && features.length === 0)) return formatPlatform(platform);
  const options = encodeOption(osVersion) + features.map((feature) => `+${encodeOption(feature)}`).join("");
  return formatPlatform({ ...platform, os: `${os}(${options})` });
}

/** Each platform once, in the order of first appearance, normalised. */
export function dedupePlatforms(platforms: readonly Platform[]): Platform[] {
  const seen = new Map<string, Platform>();
  for (const platform of platforms.map(normalizePlatform)) {
    const key = formatPlatformFully(platform);
    if (!seen.has(key)) seen.set(key, platform);
  }
  return [...seen.values()];
}

/** The platform of this machine (containerd platforms.DefaultSpec). */
export function localPlatform(): Platform {
  const architecture = localArchitecture();
  const variant = architecture === "arm" || architecture === "arm64" ? armVariant() : undefined;
  return { os: localSystem(), architecture, ...(variant && { variant }) };
}

function parseSingle(specifier: string, first: string, os: string): Platform {
  if (knownSystems.has(os)) {
    const architecture = localArchitecture();
    const variant = architecture === "arm" ? armVariant() : undefined;
    return { os, architecture, ...(variant && variant !== "v7" && { variant }) };
  }
  const normal = normalizeArchitecture(first, "");
  if (isUsualArm(normal)) delete normal.variant;
  if (knownArchitectures.has(normal.architecture)) return { os: localSystem(), ...normal };
  throw invalid(`${JSON.stringify(specifier)}: unknown operating system or architecture`);
}

function isUsualArm({ architecture, variant }: { architecture: string; variant?: string }): boolean {
  return architecture === "arm" && variant === "v7";
}

function normalizeSystem(os: string): string {
  if (os === "") return localSystem();
  const lower = os.toLowerCase();
  return lower === "macos" ? "darwin" : lower;
}

function normalizeArchitecture(
  given: string,
  givenVariant: string,
): { architecture: string; variant?: string } {
  const architecture = given.toLowerCase();
  const variant = givenVariant.toLowerCase();
  const as = (name: string, version = variant) => ({
    architecture: name,
    ...(version && { variant: version }),
  });
  switch (architecture) {
    case "i386":
      return as("386", "");
    case "x86_64":
    case "x86-64":
    case "amd64":
      return as("amd64", variant === "v1" ? "" : variant);
    case "aarch64":
    case "arm64":
      if (["8", "v8", "v8.0"].includes(variant)) return as("arm64", "");
      return as("arm64", ["9", "9.0", "v9.0"].includes(variant) ? "v9" : variant);
    case "armhf":
      return as("arm", "v7");
    case "armel":
      return as("arm", "v6");
    case "arm":
      if (variant === "" || variant === "7") return as("arm", "v7");
      return as("arm", ["5", "6", "8"].includes(variant) ? `v${variant}` : variant);
    default:
      return as(architecture);
  }
}

function localSystem(): string {
  return process.platform === "win32" ? "windows" : process.platform;
}

/** Go's name for this machine's architecture, where Node's differs. */
function localArchitecture(): string {
  const names: Record<string, string> = { x64: "amd64", ia32: "386", ppc64: "ppc64le", mipsel: "mipsle" };
  return names[process.arch] ?? process.arch;
}

/** Version of the ARM instruction set, from /proc/cpuinfo as containerd reads it. */
function armVariant(): string | undefined {
  if (process.arch === "arm64") return "v8";
  try {
    const info = readFileSync("/proc/cpuinfo", "utf8");
    const version = /^cpu architecture\s*:\s*(\d)/im.exec(info)?.[1];
    // Raspberry Pi ARMv6 devices say 7.
    if (version === "7" && /^model name\s*:\s*armv6-compatible/im.test(info)) return "v6";
    return version && `v${version}`;
  } catch {
    return "v7"; // no /proc: the usual one
  }
}

function encodeOption(text: string): string {
  return text.replace(/[%+()/]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** @throws InvalidArgumentError in containerd's words. */
function decodeOption(text: string, explain: (quoted: string) => string): string {
  try {
    return percentDecode(text);
  } catch (cause) {
    throw new InvalidArgumentError(`${explain(JSON.stringify(text))}: ${messageOf(cause)}`, { cause });
  }
}

function invalid(message: string): InvalidArgumentError {
  return new InvalidArgumentError(`${message}: invalid argument`);
}
