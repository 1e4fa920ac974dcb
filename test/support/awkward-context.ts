import { isUtf8 } from "node:buffer";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import { once } from "node:events";
import path from "node:path";

/** A build context made to be hard on whoever sends it. */
export interface AwkwardContext {
  directory: string;
  /** Arguments of `build` besides outputs: the Dockerfile in use, named contexts. */
  args: string[];
}

/** What {@link writeAwkwardContext} varies. */
export interface AwkwardOptions {
  /** Equal seeds give equal contexts. */
  seed: number;
  /** Where the ignore patterns stand, if anywhere. */
  ignore: "none" | ".dockerignore" | "Dockerfile.dockerignore";
  /** Fifos and sockets too; a local export of a fifo is refused (SEC-6). */
  special: boolean;
}

/** Sizes around the boundaries of packets, chunks and windows. */
const sizes = [0, 1, 32_767, 32_768, 32_769, 65_535, 65_536, 65_537, 1_048_575, 1_048_576, 1_048_577];

const modes = [0o644, 0o600, 0o755, 0o400, 0o000, 0o4755, 0o2750, 0o1644, 0o6711, 0o777];

/** Names in bytes: for every rule of naming, one that breaks it. */
const names: readonly Buffer[] = [
  ...[
    "plain",
    "with space",
    " leading space",
    "trailing space ",
    "new\nline",
    "tab\tand\rreturn",
    "back\\slash",
    "-dash",
    "--chown=1:1",
    "star*",
    "question?",
    "[bracket]",
    "{brace}",
    "bang!",
    "!bang",
    "#hash",
    "quote'\"`",
    "$HOME",
    "per%20cent+plus",
    "semi;colon&",
    "a",
    "a.txt",
    "a-b",
    "ab",
    "..dots",
    "...",
    ".hidden",
    "é",
    "e\u0301",
    "ﬀ日本語",
    // Their order in bytes is not that of UTF-16.
    "\u{E000}private",
    "\u{FFFD}replacement",
    "\u{10000}astral",
    "\u0001control\u007f",
    "\u{202E}rtl",
    "x".repeat(255),
  ].map((name) => Buffer.from(name)),
  Buffer.from("ff6c6174696e31fe", "hex"),
  Buffer.from("c3", "hex"),
  Buffer.from("eda080", "hex"),
];

const dates = [
  "@0",
  "@-1.5",
  "@1.000000001",
  "@1234567890.987654321",
  "@7258118400.5",
  "@1699999999.999999999",
];

/** Everything that reads `copyForms` below needs. */
const fixed = {
  "one.txt": "one\n",
  "many-1.txt": "1",
  "many-2.txt": "22",
  "many-3.md": "333",
  "name with space.txt": "space",
  "tree/top.txt": "top",
  "tree/keep.md": "keep",
  "tree/sub/deep/leaf.txt": "leaf",
  "tree/sub/deep/other.md": "other",
  "tree/sub2/leaf.txt": "leaf 2",
  "hidden/aaa-first": "linked",
  "hidden/keep/me": "kept",
  "ignored.log": "log",
  "important.log": "log",
  "ünïcode/datei.txt": "u",
  "ünïcode/weg.txt": "gone",
} as const;

const ignorePatterns =
  "\uFEFF# a comment after a byte order mark\n" +
  "\n   \n*.log\n!important.log\n**/*.md\n!tree/sub/**/other.md\n  hidden  \n!hidden/keep\n" +
  "ünïcode/weg*\n/generated/d0\n#not a pattern\nmany-[2-3].*\n**/..dots\ngenerated/**/a?b\n";

/** Every form of COPY and ADD, each into a place of its own. */
const copyForms = `
FROM busybox AS made
RUN mkdir -p /made/d && echo hi >/made/f && ln -s f /made/l && ln /made/f /made/d/h && chmod 4711 /made/d/h
COPY tree /made/tree

FROM scratch AS empty

FROM empty
COPY . /all/
COPY tree /dir
COPY tree/ /dir-slash/
COPY tree/sub tree/sub2 /two-dirs/
COPY one.txt /file
COPY one.txt many-*.txt /wild/
COPY tree/sub* /wild-dirs/
COPY tre?/*/deep /wild-deep/
COPY ["name with space.txt", "/json form/"]
COPY --chown=1000:1001 tree /owned/
COPY --chmod=0640 one.txt /chmod-file
COPY --chmod=0750 tree /chmod-dir
COPY --chmod=u=rwX,g=rX,o= --chown=7:8 tree /chmod-text
COPY --link tree /linked/
COPY --link --chown=5:6 one.txt /linked/one/
COPY --parents tree/sub*/leaf.txt tree/sub/./deep /parents/
COPY --parents ./tree/**/*.txt /parents-deep/
COPY --exclude=*.txt --exclude=sub2 tree /excluded/
ADD one.txt /added/
ADD --chown=9:9 --chmod=0600 tree /added-dir/
ADD archive.tar /unpacked/
ADD --unpack=false archive.tar /packed/
COPY link-to-file /link-file
COPY link-to-dir /link-dir
COPY link-to-dir/sub /link-sub
COPY links /links
COPY --from=made /made /from/
COPY --from=made /made/d/h /made/tree/t*.txt /from-files/
COPY --from=made --chown=3:4 --link /made/tree /from-linked/
COPY --from=other . /named/
COPY --from=other many-1.txt /named-one/
COPY <<one.conf <<"two.conf" /heredoc/
a \${HOME:-home}
one.conf
b \${HOME:-home}
two.conf
COPY --chmod=0755 <<-script /heredoc/run
	#!/bin/sh
	echo hi
script
`;

/** Writes a context into `directory`, which must not exist. Needs the rights to make what it is told to make. */
export async function writeAwkwardContext(
  directory: string,
  { seed, ignore, special }: AwkwardOptions,
): Promise<AwkwardContext> {
  const random = mulberry32(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const root = path.join(directory, "context");
  const made: Buffer[] = [];
  const make = (file: Buffer, action: () => void) => {
    action();
    made.push(file);
  };

  for (const [name, content] of Object.entries(fixed)) {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), content);
  }
  // The first of these names in the walk is ignored, so that the second must carry the content.
  fs.linkSync(path.join(root, "hidden/aaa-first"), path.join(root, "zz-second"));
  fs.linkSync(path.join(root, "hidden/aaa-first"), path.join(root, "zz-third"));
  fs.linkSync(path.join(root, "tree/top.txt"), path.join(root, "tree/sub2/top-again.txt"));
  fs.symlinkSync("one.txt", path.join(root, "link-to-file"));
  fs.symlinkSync("tree", path.join(root, "link-to-dir"));
  writeLinks(path.join(root, "links"));
  writeArchive(root);

  const generated = Buffer.from(path.join(root, "generated"));
  fs.mkdirSync(generated);
  const directories = [generated];
  const files: Buffer<ArrayBuffer>[] = [];
  for (let index = 0; index < 6; index++) {
    const parent = pick(directories);
    const child = join(parent, index === 0 ? Buffer.from("d0") : freshName(parent));
    make(child, () => fs.mkdirSync(child));
    directories.push(child);
  }
  for (const [index, name] of names.entries()) {
    const file = join(index % 2 ? generated : pick(directories), name);
    if (fs.existsSync(file)) continue;
    const content = Buffer.alloc(sizes[index] ?? Math.floor(random() * 5000), Math.floor(random() * 256));
    make(file, () => fs.writeFileSync(file, content));
    files.push(file);
  }
  for (let index = 0; index < 8; index++) {
    const link = join(pick(directories), Buffer.from(`link-${index}`));
    const target = pick([
      ...files.map((file) => file.subarray(file.lastIndexOf(0x2f) + 1)),
      Buffer.from(".."),
    ]);
    make(link, () => fs.symlinkSync(target, link));
    const other = join(pick(directories), Buffer.from(`hard-${index}`));
    make(other, () => fs.linkSync(pick(files), other));
  }
  if (special) {
    execFileSync("mkfifo", ["-m", "0640", path.join(root, "a fifo")]);
    await writeSocket(path.join(directory, "s"), path.join(root, "a socket"));
  }
  for (const file of files) fs.chmodSync(file, pick(modes));
  for (const entry of directories.slice(1)) fs.chmodSync(entry, pick([0o755, 0o700, 0o1777, 0o2755, 0o3770]));

  const dockerfile = ignore === "none" ? "Dockerfile" : "build/Dockerfile";
  fs.mkdirSync(path.dirname(path.join(root, dockerfile)), { recursive: true });
  fs.writeFileSync(path.join(root, dockerfile), copyForms);
  if (ignore === ".dockerignore") fs.writeFileSync(path.join(root, ".dockerignore"), ignorePatterns);
  if (ignore === "Dockerfile.dockerignore") {
    fs.writeFileSync(path.join(root, "build/Dockerfile.dockerignore"), ignorePatterns);
    fs.writeFileSync(path.join(root, ".dockerignore"), "*\n");
  }
  const other = path.join(directory, "other context");
  fs.mkdirSync(other);
  for (const name of ["many-1.txt", "two.txt"]) fs.writeFileSync(path.join(other, name), name);
  fs.writeFileSync(path.join(other, ".dockerignore"), "two.*\n");

  setDates(made, random);
  return {
    directory: root,
    args: ["-f", path.join(root, dockerfile), "--build-context", `other=${other}`, root],
  };

  /** For a directory: buildx fails to export those whose names are not UTF-8 (Go's os.Root). */
  function freshName(parent: Buffer): Buffer {
    for (;;) {
      const name = pick(names);
      if (name.length < 200 && isUtf8(name) && !fs.existsSync(join(parent, name))) return name;
    }
  }
}

function join(directory: Buffer, name: Buffer): Buffer<ArrayBuffer> {
  return Buffer.concat([directory, Buffer.from("/"), name]);
}

/** Links of every kind, for COPY to keep as they are. */
function writeLinks(directory: string): void {
  fs.mkdirSync(directory);
  const links: Record<string, string | Buffer> = {
    absolute: "/etc/passwd",
    relative: "../one.txt",
    outside: "../../../../etc/passwd",
    dangling: "no/such/file",
    loop: "loop",
    "loop-a": "loop-b",
    "loop-b": "loop-a",
    up: "..",
    self: ".",
    odd: "a//b/./../c/",
    bytes: Buffer.from("ff00fe".replace("00", "01"), "hex"),
    long: "l/".repeat(1000),
  };
  for (const [name, target] of Object.entries(links)) fs.symlinkSync(target, path.join(directory, name));
}

function writeArchive(root: string): void {
  execFileSync("tar", [
    ...["--sort=name", "--owner=11", "--group=12", "--numeric-owner", "--mtime=@1600000000"],
    ...["-cf", path.join(root, "archive.tar"), "-C", root, "tree", "link-to-file", "links/loop"],
  ]);
}

/** A socket's file stays when it was renamed before the server closes. */
async function writeSocket(temporary: string, file: string): Promise<void> {
  const server = net.createServer().listen(temporary);
  await once(server, "listening");
  fs.renameSync(temporary, file);
  server.close();
  await once(server, "close");
}

/** Times that Node's own functions cannot set to the nanosecond: `touch` does, in a few calls. */
function setDates(files: readonly Buffer[], random: () => number): void {
  const byDate = new Map<string, Buffer[]>();
  for (const file of files) {
    const date = dates[Math.floor(random() * dates.length)] as string;
    byDate.set(date, [...(byDate.get(date) ?? []), file]);
  }
  // Linking and renaming changed the directories' times; they are in the list too, and nothing is written after this.
  for (const [date, list] of byDate)
    execFileSync("xargs", ["-0", "touch", "-h", "-d", date, "--"], {
      input: Buffer.concat(list.flatMap((file) => [file, Buffer.from([0])])),
    });
}

/** A small generator of numbers in [0, 1), the same ones for the same seed. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
