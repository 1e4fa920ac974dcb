import fs from "node:fs";
import { execFileSync } from "node:child_process";
import { platformImage, programWithLibraries } from "./image.mjs";

export const path = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"];

/** The shell and its applets, with the few files that a program expects to find; `local` is a busybox that runs here. */
export function shellFiles(busybox, local) {
  const applets = execFileSync(local, ["--list"], { encoding: "utf8" }).trim().split("\n");
  const files = {
    "/bin/busybox": { from: busybox, mode: 0o755 },
    "/etc/passwd": { content: "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n" },
    "/etc/group": { content: "root:x:0:\nnogroup:x:65534:\n" },
    "/tmp": { dir: true, mode: 0o1777 },
    "/root": { dir: true, mode: 0o700 },
  };
  // An applet named busybox would be a link to itself: "too many levels of symbolic links".
  for (const applet of applets) if (applet !== "busybox") files[`/bin/${applet}`] = { link: "busybox" };
  return files;
}

/** BuildKit as a builder: `programs` is the directory of buildkitd and buildctl. */
export function builderImage(programs, busybox, buildkitd = { from: `${programs}/buildkitd` }) {
  const git = execFileSync("git", ["--exec-path"], { encoding: "utf8" }).trim();
  const helpers = ["git-remote-http", "git-remote-https"].filter((name) => fs.existsSync(`${git}/${name}`));
  return platformImage({
    architecture: "amd64",
    files: Object.assign(
      shellFiles(busybox, busybox),
      { "/usr/bin/buildkitd": { ...buildkitd, mode: 0o755 } },
      { "/usr/bin/buildctl": { from: `${programs}/buildctl`, mode: 0o755 } },
      programWithLibraries("/usr/sbin/runc", "/usr/bin/buildkit-runc"),
      programWithLibraries("/usr/bin/git"),
      ...helpers.map((name) => programWithLibraries(`${git}/${name}`)),
      // Another name of git, by which BuildKit before 0.31 takes a commit out of its own copy of a repository.
      { "/usr/bin/git-upload-pack": { from: "/usr/bin/git", mode: 0o755 } },
      // Git contexts get their submodules by this script, also where there are none.
      ...["git-submodule", "git-sh-setup", "git-sh-i18n"]
        .filter((name) => fs.existsSync(`${git}/${name}`))
        .map((name) => ({ [`${git}/${name}`]: { from: `${git}/${name}`, mode: 0o755 } })),
      { "/etc/ssl/certs/ca-certificates.crt": { from: "/etc/ssl/certs/ca-certificates.crt", mode: 0o644 } },
    ),
    config: {
      Env: path,
      Entrypoint: ["buildkitd"],
      Volumes: { "/var/lib/buildkit": {} },
    },
  });
}
