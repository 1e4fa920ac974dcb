import type { Browser, BrowserMessage } from "./browser.js";

/** How a page is shown. */
export interface PageView {
  /** CSS pixels; default 1280 by 900. */
  width?: number;
  height?: number;
  scheme?: "light" | "dark";
  media?: "screen" | "print";
  /** Default true. */
  scripts?: boolean;
}

/** Windows's virtual key codes, by which Chromium knows what a key does. */
const keyCodes: Readonly<Record<string, number>> = {
  Tab: 9,
  Enter: 13,
  Escape: 27,
  " ": 32,
  PageUp: 33,
  PageDown: 34,
  End: 35,
  Home: 36,
  ArrowLeft: 37,
  ArrowUp: 38,
  ArrowRight: 39,
  ArrowDown: 40,
};

/** A tab of a {@link Browser}. */
export class BrowserPage {
  /** Addresses that were asked for, the page's own first. */
  readonly requests: string[] = [];
  /** What went to the console or was thrown, what the policy refused, and dialogs. */
  readonly complaints: string[] = [];
  readonly #browser: Browser;
  readonly #session: string;
  #loaded = () => {};

  constructor(browser: Browser, session: string) {
    this.#browser = browser;
    this.#session = session;
    browser.listen((message) => {
      if (message.sessionId === session) this.#take(message);
    });
  }

  async load(url: string, view: PageView): Promise<void> {
    for (const domain of ["Page", "Network", "Runtime", "Log"]) await this.send(`${domain}.enable`);
    await this.show(view);
    const loaded = new Promise<void>((resolve) => (this.#loaded = resolve));
    await this.send("Page.navigate", { url });
    await loaded;
  }

  /** Shows the page in another way; what the view does not name is as by default. */
  async show(view: PageView): Promise<void> {
    const { width = 1280, height = 900, scheme = "light", media = "screen", scripts = true } = view;
    await this.send("Emulation.setScriptExecutionDisabled", { value: !scripts });
    const metrics = { width, height, deviceScaleFactor: 1, mobile: false };
    await this.send("Emulation.setDeviceMetricsOverride", metrics);
    const features = [{ name: "prefers-color-scheme", value: scheme }];
    await this.send("Emulation.setEmulatedMedia", { media, features });
  }

  /** The value of an expression in the page, as data; a promise is waited for. */
  async evaluate<T>(expression: string): Promise<T> {
    const options = { expression, returnByValue: true, awaitPromise: true };
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", options);
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { value: T }).value;
  }

  /** Presses keys one after the other, by their names (`ArrowDown`, `Tab`, `a`); the page has heard of each when this resolves. */
  async press(...keys: string[]): Promise<void> {
    for (const key of keys) {
      const text = key.length === 1 ? key : key === "Enter" ? "\r" : undefined;
      const code = keyCodes[key];
      const event = {
        key,
        ...(code !== undefined && { windowsVirtualKeyCode: code }),
        ...(text !== undefined && { text }),
      };
      const type = text === undefined ? "rawKeyDown" : "keyDown";
      await this.send("Input.dispatchKeyEvent", { type, ...event });
      await this.send("Input.dispatchKeyEvent", { type: "keyUp", ...event });
    }
  }

  /** A picture as PNG of what is to be seen. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.send("Page.captureScreenshot");
    return Buffer.from(data as string, "base64");
  }

  /** The page on paper. */
  async pdf(): Promise<Buffer> {
    const { data } = await this.send("Page.printToPDF");
    return Buffer.from(data as string, "base64");
  }

  send(method: string, params?: Record<string, unknown>): Promise<Record<string, unknown>> {
    return this.#browser.send(method, params, this.#session);
  }

  #take({ method, params = {} }: BrowserMessage): void {
    if (method === "Page.loadEventFired") this.#loaded();
    else if (method === "Network.requestWillBeSent")
      this.requests.push((params["request"] as { url: string }).url);
    else if (method === "Network.webSocketCreated") this.requests.push(params["url"] as string);
    else if (method === "Page.javascriptDialogOpening") this.complaints.push("a dialog");
    else if (
      method === "Runtime.exceptionThrown" ||
      method === "Runtime.consoleAPICalled" ||
      method === "Log.entryAdded"
    )
      this.complaints.push(JSON.stringify(params));
  }
}
