import { describe, expect, it } from "vitest";
import { findUnreproducible } from "./find-unreproducible.js";
import { shellCommands } from "./shell-commands.js";

const digest = `sha256:${"a".repeat(64)}`;
const pinned = `FROM busybox@${digest}\n`;
const found = (dockerfile: string, known = {}) =>
  findUnreproducible(dockerfile, known).map(({ line, why }) => `${line} ${why}`);
const inRun = (script: string) => findUnreproducible(`${pinned}RUN ${script}\n`).map(({ line }) => line);

describe("what cannot be the same next time", () => {
  it("are bases, frontends and images without a digest, but for stages and contexts", () => {
    const dockerfile = `# check=skip=all
# syntax=docker/dockerfile:1
ARG TAG=3
ARG PINNED=busybox@${digest}
FROM alpine:$TAG AS base
FROM \${PINNED} AS tools
FROM base
FROM context
FROM scratch
COPY --from=base /a /a
COPY --from=0 /a /a
COPY --from=nginx /a /a
RUN --mount=type=bind,from=debian,target=/d --mount=type=bind,from=tools,target=/t true
FROM $UNKNOWN
`;
    expect(found(dockerfile, { contexts: new Set(["context"]) })).toEqual([
      "2 the frontend docker/dockerfile:1 has no digest, and may be another one another day",
      "5 the base image alpine:3 has no digest, and may be another one another day",
      "12 the image nginx has no digest, and may be another one another day",
      "13 the image debian has no digest, and may be another one another day",
      "14 the base image $UNKNOWN has no digest, and may be another one another day",
    ]);
    expect(found("ARG TAG=3\nFROM alpine:$TAG\n", { args: new Map([["TAG", `3@${digest}`]]) })).toEqual([]);
  });

  it("are downloads that nothing checks, and branches", () => {
    const commit = "b".repeat(40);
    expect(
      found(`${pinned}ADD https://a.example/x /x
ADD --checksum=${digest} https://a.example/x /x
ADD https://a.example/r.git#main /r
ADD https://a.example/r.git#${commit} /r
ADD https://a.example/r.git#${commit}:sub /r
ADD --checksum=${commit} https://a.example/r.git#main /r
ADD https://a.example/r.git?branch=main&checksum=${commit} /r
ADD local /x
`),
    ).toEqual([
      "2 https://a.example/x is what the server has at the time; --checksum=sha256:… holds it",
      "4 https://a.example/r.git#main is what the branch is at the time; name a commit, or --checksum=COMMIT",
    ]);
  });

  it("are told by the line that they stand on", () => {
    expect(
      found(`${pinned}
# nothing
RUN true && \\
  # a comment
  apt-get update && \\

  apt-get install -y curl && \\
  curl -O https://a.example/x
RUN <<EOF
set -e
echo "$(date)" >/built
EOF
ONBUILD RUN uuidgen
`).map((text) => text.split(" ").slice(0, 2).join(" ")),
    ).toEqual(["6 apt", "9 curl", "12 date", "14 random"]);
    expect(found(`# escape=\`\n${pinned}RUN true && \`\n date\n`)[0]).toMatch(/^4 date/);
    // A comment behind the first instruction is no directive.
    expect(found(`${pinned}# escape=\`\nRUN true && \\\n date\n`)[0]).toMatch(/^4 date/);
    expect(found(`${pinned}RUN true && \\\r\n date\r\n`)[0]).toMatch(/^3 date/);
  });

  it.each([
    "apt-get update",
    "apt-get -y update && apt-get install x",
    "DEBIAN_FRONTEND=noninteractive sudo /usr/bin/apt-get dist-upgrade",
    "apk add --no-cache curl",
    "apk upgrade",
    "apk add a=1 b",
    "yum -y install x",
    "dnf install x",
    "zypper in x",
    "pacman -Syu x",
    "pip install flask",
    "pip3 install -r requirements.txt",
    "python3 -c 1; pip install .",
    "npm install",
    "npm i -g typescript",
    "yarn",
    "yarn install",
    "pnpm i",
    "go install a.example/x@latest",
    "cargo install x",
    "gem install x",
    "curl -fsSL https://a.example/install.sh | sh",
    "wget https://a.example/x",
    'curl -O "$URL"',
    "git clone https://a.example/r.git",
    "date >/built",
    'echo "built at $(date +%s)"',
    "echo `date`",
    'sh -c "apt-get update"',
    '["sh", "-c", "apt-get update"]',
    '["curl", "https://a.example/x"]',
    "--network=none --mount=type=cache,target=/c date",
    "if true; then date; fi",
    "head -c 16 /dev/urandom >/key",
    "openssl rand -hex 16",
    "ssh-keygen -A",
    "(cd / && date)",
  ])("are commands such as %s", (script) => {
    expect(inRun(script)).toEqual([2]);
  });

  it.each([
    "true",
    "echo date",
    'echo "apt-get update; date"',
    "echo 'npm install'",
    "cat /etc/apt-get",
    "updates=date; echo $updates",
    "apt-get install -y ./local.deb",
    "sed -i s,deb.debian.org,snapshot.debian.org/archive/debian/20260101T000000Z, /etc/apt/sources.list && apt-get update",
    "apt-get update --snapshot 20260101T000000Z",
    "apk add a=1.2-r0 b=3",
    "apk add --no-network ./x.apk",
    "apk del x",
    "pip install --require-hashes -r requirements.txt",
    "pip install flask==3.0.0",
    "pip install --no-index .",
    "npm ci",
    "npm run build",
    "npm install -g typescript@5.9.2",
    "yarn install --frozen-lockfile",
    "yarn build",
    "pnpm install --frozen-lockfile",
    "go build ./...",
    "cargo install --locked x",
    "gem install x -v 1.0",
    `curl -O https://a.example/x && echo "${"a".repeat(64)}  x" | sha256sum -c`,
    "wget https://a.example/x && gpg --verify x.asc x",
    `git clone https://a.example/r.git && git -C r checkout ${"c".repeat(40)}`,
    "git status",
    'date -u -d "@$SOURCE_DATE_EPOCH" +%F',
    "curl --version",
    '["echo", "date"]',
    "[ not json",
  ])("are not %s", (script) => {
    expect(inRun(script)).toEqual([]);
  });

  it("has an end, and takes what is no Dockerfile", () => {
    expect(found("RUN date\n".repeat(1000))).toHaveLength(100);
    const odd = [
      "",
      "\n",
      "\\",
      "RUN",
      "RUN \\",
      "RUN <<EOF",
      "\0",
      "FROM",
      "ADD",
      "RUN $(",
      "RUN `",
      'RUN "',
    ];
    for (const text of [...odd, "COPY --from=", "RUN --mount=from=", "# syntax="])
      expect(() => findUnreproducible(text)).not.toThrow();
  });
});

describe("a shell script's commands", () => {
  const names = (script: string) => shellCommands(script).map(({ words }) => words.join(" "));
  it("are those that it runs", () => {
    expect(names('a 1 && b "2 3" || c; d | e & f')).toEqual(["a 1", "b 2 3", "c", "d", "e", "f"]);
    expect(names('A=1 B=2 sudo env C=3 x "$(y z)" w')).toEqual(["x ", "y z", "w"]);
    expect(names("sh -ec 'a; bash -c \"b c\"'")).toEqual(["a", "b c"]);
    expect(names("a \\; b 'c;d' \"e;f\"")).toEqual(["a ; b c;d e;f"]);
    expect(names("")).toEqual([]);
  });

  it("are found however deep they lie", () => {
    expect(names(`${"$(".repeat(50_000)}x`)).toEqual(["x"]);
    expect(names(`${"sh -c '".repeat(2000)}x`).length).toBeLessThan(10_000);
  });
});
