import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { type HttpTestServer, type ReceivedRequest, httpServer } from "./http-server.js";

/** A repository that is made on the way. */
export interface TestRepository {
  readonly dir: string;
  git(...args: string[]): string;
  /** Writes files and commits them; gives the commit. */
  commit(files: Readonly<Record<string, string>>, message: string): string;
}

/** Makes an empty repository with the branch `main`. */
export function makeRepository(dir: string): TestRepository {
  mkdirSync(dir, { recursive: true });
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...args], {
      cwd: dir,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }).trim();
  git("init", "--quiet", "--initial-branch=main");
  // Commits that no branch has are fetched by their id.
  git("config", "uploadpack.allowAnySHA1InWant", "true");
  return {
    dir,
    git,
    commit(files, message) {
      for (const [name, content] of Object.entries(files)) {
        mkdirSync(path.join(dir, path.dirname(name)), { recursive: true });
        writeFileSync(path.join(dir, name), content);
      }
      git("add", "--all");
      git("commit", "--quiet", "--message", message);
      return git("rev-parse", "HEAD");
    },
  };
}

/**
 * Serves the repositories below a directory by git's own CGI program (gitprotocol-http), on 127.0.0.1. With `authorize`
 * others than those whose Authorization header it likes are refused.
 */
export async function gitServer(
  root: string,
  options: { authorize?: (header: string | undefined) => boolean } = {},
): Promise<HttpTestServer> {
  const { stdout } = await promisify(execFile)("git", ["--exec-path"]);
  const program = path.join(stdout.trim(), "git-http-backend");
  return httpServer(async (request) => {
    if (options.authorize && !options.authorize(request.headers.authorization))
      return { status: 401, headers: { "www-authenticate": 'Basic realm="git"' }, body: "who are you?" };
    return runCgi(program, root, request);
  });
}

async function runCgi(program: string, root: string, { method, url, headers, body }: ReceivedRequest) {
  const [pathInfo = "", query = ""] = url.split("?");
  const child = spawn(program, {
    stdio: ["pipe", "pipe", "ignore"],
    env: {
      PATH: process.env["PATH"],
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      // Tests may run as another user than the one that made the repositories.
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "safe.directory",
      GIT_CONFIG_VALUE_0: "*",
      REQUEST_METHOD: method,
      PATH_INFO: pathInfo,
      QUERY_STRING: query,
      CONTENT_TYPE: headers["content-type"] ?? "",
      CONTENT_LENGTH: String(body.length),
      HTTP_CONTENT_ENCODING: headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(headers["git-protocol"] ?? ""),
    },
  });
  child.stdin.on("error", () => {}); // it need not read all
  child.stdin.end(body);
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
  const output = Buffer.concat(chunks);
  const end = output.indexOf("\r\n\r\n");
  const lines = output.subarray(0, end).toString().split("\r\n");
  const fields = Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(":");
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
    }),
  );
  const { status = "200", ...rest } = fields;
  return { status: Number.parseInt(status, 10), headers: rest, body: output.subarray(end + 4) };
}
