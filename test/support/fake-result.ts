import { type MessageInitShape, create, toBinary } from "@bufbuild/protobuf";
import { once } from "node:events";
import { control, gateway, rpc } from "../../src/buildkit/index.js";
import { GrpcError, type ServerCall, grpcCodes } from "../../src/http2/index.js";
import { service } from "../../src/session/index.js";
import { FakeBuilder } from "./fake-builder.js";

type Init<S extends Parameters<typeof create>[0]> = MessageInitShape<S>;

/** What the daemon tells of a process. */
export type ExecAnswer = NonNullable<Init<typeof gateway.ExecMessageSchema>["Input"]>;

/** What the daemon does at each call in place of what it would do; each may throw, wait, or answer nonsense. */
export interface ResultScript {
  /** The frontend's answer, or that to a graph. */
  solve?: (
    call: ServerCall,
    request: gateway.SolveRequest,
  ) => Promise<Init<typeof gateway.SolveResponseSchema>> | Init<typeof gateway.SolveResponseSchema>;
  /** Has a part of a result built. */
  evaluate?: (call: ServerCall, request: gateway.EvaluateRequest) => Promise<object> | object;
  /** What exporters say of a build that went well. */
  exports?: (
    request: control.SolveRequest,
    call: ServerCall,
  ) => Promise<Record<string, string>> | Record<string, string>;
  status?: (request: control.StatusRequest, call: ServerCall) => AsyncIterable<object>;
  history?: (request: control.BuildHistoryRequest, call: ServerCall) => AsyncIterable<object>;
  /** Is told with what a build was ended by this side. */
  ended?: (request: gateway.ReturnRequest, call: ServerCall) => void;
  ping?: (call: ServerCall) => Promise<object> | object;
  newContainer?: (request: gateway.NewContainerRequest, call: ServerCall) => Promise<object> | object;
  releaseContainer?: (call: ServerCall) => Promise<object> | object;
  /** A process: what it is told after the first message, and what it tells. */
  exec?: (requests: AsyncIterable<gateway.ExecMessage>, call: ServerCall) => AsyncIterable<ExecAnswer>;
  readFile?: (request: { FilePath: string }, call: ServerCall) => Promise<object> | object;
  readDir?: (request: { DirPath: string }, call: ServerCall) => Promise<object> | object;
  statFile?: (request: { Path: string; MountIndex: number }, call: ServerCall) => Promise<object> | object;
}

/** A builder `b` whose daemon keeps what a build made, as the script says. */
export class FakeResult implements AsyncDisposable {
  script: ResultScript = {};
  /** First messages of processes, in order. */
  readonly begun: gateway.InitMessage[] = [];
  /** Containers that are there, with their mounts. */
  readonly containers = new Map<string, gateway.NewContainerRequest>();
  /** How builds were ended by this side. */
  readonly returned: gateway.ReturnRequest[] = [];
  /** Builds that were asked for, in order. */
  readonly solves: control.SolveRequest[] = [];
  /** What the daemons say they are. */
  version = "v0.34.2";
  #fake: FakeBuilder | undefined;
  readonly #ends = new Map<string, Later<gateway.ReturnRequest>>();

  get builder(): FakeBuilder {
    if (!this.#fake) throw new Error("not open yet");
    return this.#fake;
  }

  /** @param platforms a node for each; default one node. */
  static async open(platforms: readonly string[] = []): Promise<FakeResult> {
    const fake = new FakeResult();
    fake.#fake = await FakeBuilder.open(fake.#services(), platforms);
    return fake;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#fake?.[Symbol.asyncDispose]();
  }

  /** A build's end as the gateway is told it; either call may come first. */
  #end(ref: string): Later<gateway.ReturnRequest> {
    const end = this.#ends.get(ref) ?? later<gateway.ReturnRequest>();
    this.#ends.set(ref, end);
    return end;
  }

  #services() {
    const { containers, returned } = this;
    const files = {
      readFile: (request: { FilePath: string }, call: ServerCall) =>
        this.script.readFile?.(request, call) ?? {},
      readDir: (request: { DirPath: string }, call: ServerCall) => this.script.readDir?.(request, call) ?? {},
      statFile: (request: { Path: string; MountIndex: number }, call: ServerCall) =>
        this.script.statFile?.(request, call) ?? {},
    };
    return [
      service(control.Control, {
        info: () => ({ buildkitVersion: { version: this.version } }),
        listWorkers: () => ({ record: [{ ID: "w", BuildkitVersion: { version: this.version } }] }),
        solve: async (request, call) => {
          this.solves.push(request);
          // As a daemon does, until the gateway was told the result.
          const { error } = await Promise.race([this.#end(request.Ref).promise, cancelled(call)]);
          if (error) throw new GrpcError(error.code, error.message);
          return { ExporterResponse: (await this.script.exports?.(request, call)) ?? {} };
        },
        status: (request, call) => this.script.status?.(request, call) ?? nothing(),
        listenBuildHistory: (request, call) => this.script.history?.(request, call) ?? nothing(),
      }),
      service(gateway.LLBBridge, {
        ping: async (_request, call) => (await this.script.ping?.(call)) ?? {},
        solve: async (request, call) =>
          (await this.script.solve?.(call, request)) ?? {
            result: { result: { case: "ref" as const, value: { id: "r" } } },
          },
        evaluate: async (request, call) => (await this.script.evaluate?.(call, request)) ?? {},
        return: (request, call) => {
          returned.push(request);
          this.script.ended?.(request, call);
          this.#end(buildOf(call)).resolve(request);
          return {};
        },
        newContainer: async (request, call) => {
          const answer = (await this.script.newContainer?.(request, call)) ?? {};
          containers.set(request.ContainerID, request);
          return answer;
        },
        releaseContainer: async ({ ContainerID }, call) => {
          const answer = (await this.script.releaseContainer?.(call)) ?? {};
          containers.delete(ContainerID);
          return answer;
        },
        execProcess: (requests, call) => this.#exec(requests, call),
        ...files,
        readFileContainer: files.readFile,
        readDirContainer: files.readDir,
        statFileContainer: files.statFile,
      }),
    ];
  }

  async *#exec(requests: AsyncIterable<gateway.ExecMessage>, call: ServerCall) {
    const rest = requests[Symbol.asyncIterator]();
    const first = await rest.next();
    if (first.value?.Input.case === "Init") this.begun.push(first.value.Input.value);
    const answers = this.script.exec?.({ [Symbol.asyncIterator]: () => rest }, call) ?? ended(0);
    for await (const Input of answers) yield { ProcessID: "1", Input };
  }
}

interface Later<T> {
  promise: Promise<T>;
  resolve(value: T): void;
}

function later<T>(): Later<T> {
  let resolve: (value: T) => void = () => {};
  return { promise: new Promise<T>((done) => (resolve = done)), resolve: (value) => resolve(value) };
}

async function* nothing(): AsyncGenerator<object> {}

/** Id of the build that a call of the gateway belongs to. */
export function buildOf(call: ServerCall): string {
  return call.header("buildkit-controlapi-buildid") ?? "";
}

/** Of a process that prints, and ends with this code. */
export async function* ended(
  Code: number,
  ...printed: [Fd: number, text: string | Uint8Array][]
): AsyncGenerator<ExecAnswer> {
  yield { case: "Started", value: {} };
  for (const [Fd, text] of printed)
    yield { case: "File", value: { Fd, Data: typeof text === "string" ? Buffer.from(text) : text } };
  yield { case: "Exit", value: { Code } };
  yield { case: "Done", value: {} };
}

/** Waits for as long as the caller does. */
export async function cancelled(call: ServerCall): Promise<never> {
  if (!call.signal.aborted) await once(call.signal, "abort");
  throw new GrpcError(grpcCodes.cancelled, "the call was cancelled");
}

/** A step's failure as the daemon tells it: the mounts that it had, and how the process ended. */
export function failedStep(message: string, mountIDs: readonly string[], op: object): GrpcError {
  const detail = (name: string, value: object) => ({
    typeUrl: `github.com/moby/buildkit/${name}+json`,
    value: Buffer.from(JSON.stringify(value)),
  });
  const status = create(rpc.StatusSchema, {
    code: grpcCodes.unknown,
    message,
    details: [
      detail("errdefs.Vertex", { digest: "sha256:1" }),
      detail("gatewayapi.ExitMessage", { Code: 1 }),
      detail("errdefs.Solve", { inputIDs: [], mountIDs, op }),
    ],
  });
  return new GrpcError(grpcCodes.unknown, message, { details: toBinary(rpc.StatusSchema, status) });
}
