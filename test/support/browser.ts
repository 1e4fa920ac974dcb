import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Readable, Writable } from "node:stream";
import { BrowserPage, type PageView } from "./browser-page.js";

/** What the browser says: the answer to a call, or an event. */
export interface BrowserMessage {
  id?: number;
  method?: string;
  sessionId?: string;
  params?: Record<string, unknown>;
  result?: Record<string, unknown>;
  error?: { message: string };
}

interface Call {
  method: string;
  resolve: (result: Record<string, unknown>) => void;
  reject: (error: Error) => void;
}

/** The testbed's headless Chromium, spoken to over a pipe (DevTools protocol, JSON texts that end in NUL). */
export class Browser implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #profile: string;
  readonly #calls = new Map<number, Call>();
  readonly #listeners = new Set<(message: BrowserMessage) => void>();
  #last = 0;
  #ended = false;

  private constructor(child: ChildProcess, profile: string) {
    this.#child = child;
    this.#profile = profile;
    let rest = "";
    (child.stdio[4] as Readable).setEncoding("utf8").on("data", (text: string) => {
      const messages = (rest + text).split("\0");
      rest = messages.pop() ?? "";
      for (const message of messages) this.#take(JSON.parse(message) as BrowserMessage);
    });
    (child.stdio[3] as Writable).on("error", () => {}); // calls fail when it has ended
    let said = "";
    (child.stdio[2] as Readable).setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-2000);
    });
    this.#exited = once(child, "close").then(() => {
      this.#ended = true;
      for (const { method, reject } of this.#calls.values())
        reject(new Error(`the browser ended during ${method}:\n${said}`));
    });
  }

  /** @throws Error that says why there is no browser. */
  static async start(): Promise<Browser> {
    const program = process.env["TESTBED_BROWSER"];
    if (program === undefined) throw new Error("TESTBED_BROWSER is not set: run this by testbed/with");
    await access(program).catch(() => {
      throw new Error(`there is no browser at ${program}: testbed/with has said why when it began`);
    });
    const profile = await mkdtemp(path.join(tmpdir(), "slipway-browser-"));
    // The testbed runs as root in namespaces of its own, where Chromium's sandbox cannot be.
    const flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"];
    const child = spawn(program, [...flags, "--remote-debugging-pipe", `--user-data-dir=${profile}`], {
      stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
      detached: true, // a process group of its own, which is ended as one
      env: { ...process.env, HOME: profile },
    });
    const browser = new Browser(child, profile);
    try {
      await once(child, "spawn");
      await browser.send("Browser.getVersion");
      return browser;
    } catch (error) {
      await browser[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Opens an address in a tab of its own, and waits until it is loaded. */
  async open(url: string, view: PageView = {}): Promise<BrowserPage> {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const page = new BrowserPage(this, sessionId as string);
    await page.load(url, view);
    return page;
  }

  listen(listener: (message: BrowserMessage) => void): void {
    this.#listeners.add(listener);
  }

  send(
    method: string,
    params: Record<string, unknown> = {},
    sessionId?: string,
  ): Promise<Record<string, unknown>> {
    const id = ++this.#last;
    if (this.#ended) return Promise.reject(new Error(`the browser has ended before ${method}`));
    const text = JSON.stringify({ id, method, params, ...(sessionId !== undefined && { sessionId }) });
    (this.#child.stdio[3] as Writable).write(`${text}\0`);
    return new Promise((resolve, reject) => this.#calls.set(id, { method, resolve, reject }));
  }

  /** Ends the browser with all its processes. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { pid } = this.#child;
    if (pid !== undefined && !this.#ended) {
      process.kill(-pid, "SIGKILL");
      await this.#exited;
    }
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  #take(message: BrowserMessage): void {
    if (message.id === undefined) {
      for (const listener of this.#listeners) listener(message);
      return;
    }
    const call = this.#calls.get(message.id);
    this.#calls.delete(message.id);
    if (message.error) call?.reject(new Error(`${call.method}: ${message.error.message}`));
    else call?.resolve(message.result ?? {});
  }
}
