import type { ShellCommand } from "./shell-commands.js";

/** What a rule knows besides the command. */
export interface RunScript {
  /** The whole script of the instruction. */
  text: string;
  commands: readonly ShellCommand[];
}

/** Why a command may give another result next time; undefined where nothing speaks for it. */
type Rule = (words: readonly string[], script: RunScript) => string | undefined;

const packagesOfTheDay = (manager: string) =>
  `${manager} takes the packages that its repositories have at the time`;

const rules: Readonly<Record<string, Rule>> = Object.assign(Object.create(null) as object, {
  "apt-get": apt,
  apt,
  aptitude: apt,
  apk: ([, ...args]: readonly string[]) => {
    const [verb, ...names] = operands(args);
    if (verb === "update" || verb === "upgrade") return packagesOfTheDay("apk");
    if (verb !== "add" || args.includes("--no-network")) return undefined;
    return names.every((name) => name.includes("=")) ? undefined : packagesOfTheDay("apk");
  },
  yum: system("yum"),
  dnf: system("dnf"),
  microdnf: system("microdnf"),
  zypper: system("zypper"),
  pacman: ([, ...args]: readonly string[]) =>
    args.some((word) => word.startsWith("-S")) ? packagesOfTheDay("pacman") : undefined,
  pip,
  pip3: pip,
  npm: ([, ...args]: readonly string[]) => {
    const [verb, ...names] = operands(args);
    if (!["install", "i", "add", "update", "up"].includes(verb ?? "")) return undefined;
    if (names.length > 0 && names.every(isPinnedPackage)) return undefined;
    return "npm takes newer versions that fit; npm ci goes by the lock file";
  },
  yarn: ([, ...args]: readonly string[]) => {
    const [verb = "install", ...names] = operands(args);
    if (args.some((word) => word === "--frozen-lockfile" || word === "--immutable")) return undefined;
    if (verb === "add" && names.every(isPinnedPackage)) return undefined;
    return ["install", "add", "upgrade"].includes(verb)
      ? "yarn may take newer versions; --immutable, or --frozen-lockfile of yarn 1, goes by the lock file"
      : undefined;
  },
  pnpm: ([, ...args]: readonly string[]) => {
    const [verb, ...names] = operands(args);
    if (args.includes("--frozen-lockfile")) return undefined;
    if (verb === "add" && names.every(isPinnedPackage)) return undefined;
    return ["install", "i", "add", "update"].includes(verb ?? "")
      ? "pnpm may take newer versions; --frozen-lockfile goes by the lock file"
      : undefined;
  },
  go: ([, ...args]: readonly string[]) =>
    args.some((word) => word.endsWith("@latest")) ? "@latest is another version another day" : undefined,
  cargo: ([, ...args]: readonly string[]) => {
    const [verb] = operands(args);
    if (verb === "update") return "cargo update takes the newest versions";
    return verb === "install" && !args.includes("--locked")
      ? "cargo install takes newer versions that fit; --locked goes by the lock file"
      : undefined;
  },
  gem: ([, ...args]: readonly string[]) =>
    operands(args)[0] === "install" && !args.some((word) => /^(?:-v|--version)/.test(word))
      ? "gem install takes the newest version; -v names one"
      : undefined,
  curl: download,
  wget: download,
  git: ([, ...args]: readonly string[], { text }: RunScript) => {
    const [verb] = operands(args);
    if (verb !== "clone" && verb !== "pull") return undefined;
    return /\b[0-9a-f]{40}\b/.test(text)
      ? undefined
      : `git ${verb} takes what the branch is at the time; check out a commit by its id`;
  },
  date: ([, ...args]: readonly string[]) =>
    args.some((word) => /^(?:-d|--date|-r|--reference|-u?d)/.test(word) || word.includes("SOURCE_DATE_EPOCH"))
      ? undefined
      : 'date tells the time of the build; date -d "@$SOURCE_DATE_EPOCH" does not',
  uuidgen: () => random,
  "ssh-keygen": ([, ...args]: readonly string[]) =>
    args.includes("-t") || args.includes("-A") ? random : undefined,
  openssl: ([, verb]: readonly string[]) =>
    ["rand", "genrsa", "genpkey", "req"].includes(verb ?? "") ? random : undefined,
});

const random = "random values are others each time";

/** Why what a RUN instruction does may be another next time, and where in its script. */
export function unreproducibleCommands(script: RunScript): { at: number; why: string }[] {
  const found: { at: number; why: string }[] = [];
  for (const { words, at } of script.commands) {
    const why = rules[words[0] ?? ""]?.(words, script);
    if (why !== undefined) found.push({ at, why });
    else if (words.some((word) => word.includes("/dev/urandom") || word.includes("/dev/random")))
      found.push({ at, why: random });
  }
  return found;
}

function apt([, ...args]: readonly string[], { text }: RunScript): string | undefined {
  const [verb] = operands(args);
  if (!["update", "upgrade", "dist-upgrade", "full-upgrade"].includes(verb ?? "")) return undefined;
  if (args.includes("--snapshot") || /snapshot\.(?:debian\.org|ubuntu\.com)/.test(text)) return undefined;
  return `${packagesOfTheDay("apt")}; snapshot.debian.org and snapshot.ubuntu.com have those of a day`;
}

function system(name: string): Rule {
  return ([, ...args]) => {
    const [verb = ""] = operands(args);
    return ["install", "in", "update", "up", "upgrade", "dup", "groupinstall", "makecache"].includes(verb)
      ? packagesOfTheDay(name)
      : undefined;
  };
}

function pip([, ...args]: readonly string[]): string | undefined {
  const [verb, ...names] = operands(args);
  if (verb !== "install") return undefined;
  if (args.some((word) => word === "--require-hashes" || word === "--no-index" || word === "--no-deps"))
    return undefined;
  const isPinned = names.length > 0 && !args.some((word) => /^(?:-r|--requirement)/.test(word));
  if (isPinned && names.every((name) => name.includes("=="))) return undefined;
  return "pip takes newer versions that fit; --require-hashes goes by the hashes of a requirements file";
}

function download(words: readonly string[], { text, commands }: RunScript): string | undefined {
  if (!words.some((word) => /^(?:https?|ftp):\/\//.test(word) || word.includes("$"))) return undefined;
  const isChecked = commands.some(
    ({ words: [name = "", ...args] }) =>
      /^(?:sha(?:1|224|256|384|512)sum|shasum|b2sum|b3sum|md5sum|cosign|minisign|gpgv|sqv)$/.test(name) ||
      (name === "gpg" && args.includes("--verify")) ||
      (name === "openssl" && args[0] === "dgst"),
  );
  return isChecked || /--checksum/.test(text)
    ? undefined
    : `${words[0]} takes what the server has at the time, and nothing checks it; ADD --checksum=sha256:… does, and so does sha256sum -c`;
}

/** `name@1.2.3`; a file or an address of an archive is what it is as well. */
function isPinnedPackage(name: string): boolean {
  return /.@v?\d+\.\d+\.\d+/.test(name) || name.startsWith("./") || name.startsWith("/");
}

/** Arguments that are no flags. */
function operands(args: readonly string[]): string[] {
  return args.filter((word) => !word.startsWith("-"));
}
