// Public types of slipway/buildkit, made by: npm run api

export interface BuildkitCallOptions {
    signal?: AbortSignal | undefined;
}

export declare class BuildkitClient implements AsyncDisposable {
    #private;
    readonly control: RpcClient<typeof Control>;
    readonly content: RpcClient<typeof Content>;
    readonly closed: Promise<Error | undefined>;
    static connect(dial: Dial, options?: BuildkitConnectOptions): Promise<BuildkitClient>;
    private constructor();
    gateway(ref: string, headers?: Record<string, string>): RpcClient<typeof LLBBridge>;
    openSession(options: OpenSessionOptions): Promise<Duplex>;
    openBlob(digest: string, options?: BuildkitCallOptions): Readable;
    info(options?: BuildkitCallOptions): Promise<DaemonInfo>;
    workers(options?: BuildkitCallOptions & {
        filter?: string[];
    }): Promise<WorkerRecord[]>;
    sendSpans(spans: readonly ClientSpan[], options?: BuildkitCallOptions): Promise<void>;
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

export interface BuildkitConnectOptions {
    windows?: Windows | undefined;
    signal?: AbortSignal | undefined;
}

export declare class BuildkitError extends SlipwayError {
    readonly code: BuildkitErrorCode;
    readonly status: Status;
    readonly details: readonly ErrorDetail[];
    constructor(code: BuildkitErrorCode, status: Status, options?: SlipwayErrorOptions);
    get grpcCode(): number;
    detail<T extends ErrorDetail["type"]>(type: T): Extract<ErrorDetail, {
        type: T;
    }> | undefined;
}

export type BuildkitErrorCode = "BUILDKIT_STATUS" | "BUILDKIT_CONNECTION_LOST" | "BUILDKIT_PROTOCOL" | "BUILDKIT_LIMIT";

export declare class BuildkitTooOldError extends SlipwayError {
    readonly version: string;
    readonly oldest: string;
    constructor(version: string);
}

export interface BuildkitVersionNumber {
    major: number;
    minor: number;
    patch: number;
    prerelease: string;
}

export interface ClientSpan {
    traceId: string;
    spanId: string;
    parentSpanId?: string | undefined;
    traceState?: string | undefined;
    name: string;
    kind: "internal" | "client" | "server";
    started: bigint;
    ended: bigint;
    attributes: Readonly<Record<string, string>>;
    error?: string | undefined;
}

export declare class ContentError extends SlipwayError {
    readonly code: ContentErrorCode;
    readonly digest: string;
    constructor(code: ContentErrorCode, digest: string, message: string);
}

export type ContentErrorCode = "CONTENT_DIGEST" | "CONTENT_TOO_LARGE" | "CONTENT_GAP";

export type ContentReader = Pick<BuildkitClient, "content">;

export interface DaemonInfo {
    version: string | undefined;
    revision: string;
    package: string;
    dockerfileVersion: string;
}

export type ErrorDetail = {
    type: "vertex";
    digest: string;
} | {
    type: "source";
    source?: SourceInfo;
    ranges: SourceRange[];
} | {
    type: "exit";
    code: number;
} | {
    type: "subrequest";
    name: string;
} | {
    type: "frontend-cap";
    name: string;
} | {
    type: "frontend";
    name: string;
    source: string;
} | {
    type: "compatibility";
    version: number;
    feature: string;
} | {
    type: "policy";
    action: "allow" | "deny" | "convert";
    messages: string[];
} | {
    type: "solve";
    inputIds: string[];
    mountIds: string[];
    exec?: ExecOp;
} | {
    type: "other";
    typeUrl: string;
    value: Uint8Array;
};

export interface KeepAliveOptions {
    idleMilliseconds?: number;
    timeoutMilliseconds?: number;
}

export interface OpenSessionOptions extends BuildkitCallOptions {
    id: string;
    sharedKey: string;
    methods: readonly string[];
    keepAlive?: KeepAliveOptions | undefined;
}

export interface ReadContentOptions {
    limit?: number;
    signal?: AbortSignal | undefined;
}

export interface RpcCallOptions {
    signal?: AbortSignal | undefined;
    timeoutMs?: number | undefined;
    headers?: Readonly<Record<string, string>> | undefined;
    onHeader?: ((headers: Headers) => void) | undefined;
    onTrailer?: ((trailers: Headers) => void) | undefined;
}

export type RpcClient<S extends DescService> = {
    [Name in keyof S["method"]]: S["method"][Name] extends DescMethodUnary<infer I, infer O> ? (request: MessageInitShape<I>, options?: RpcCallOptions) => Promise<MessageShape<O>> : S["method"][Name] extends DescMethodServerStreaming<infer I, infer O> ? (request: MessageInitShape<I>, options?: RpcCallOptions) => AsyncIterable<MessageShape<O>> : S["method"][Name] extends DescMethodClientStreaming<infer I, infer O> ? (request: AsyncIterable<MessageInitShape<I>>, options?: RpcCallOptions) => Promise<MessageShape<O>> : S["method"][Name] extends DescMethodBiDiStreaming<infer I, infer O> ? (request: AsyncIterable<MessageInitShape<I>>, options?: RpcCallOptions) => AsyncIterable<MessageShape<O>> : never;
};

export interface WaitReadyOptions extends BuildkitConnectOptions {
    milliseconds?: number;
    interval?: number;
    onRetry?: (error: unknown) => void | Promise<void>;
}

export interface Windows {
    stream: number;
    connection: number;
}

export declare namespace apicaps {} // generated from proto/

export declare namespace auth {} // generated from proto/

export declare function compareVersions(a: BuildkitVersionNumber, b: BuildkitVersionNumber): number;

export declare namespace content {} // generated from proto/

export declare namespace control {} // generated from proto/

export declare namespace errdefs {} // generated from proto/

export declare namespace exporter {} // generated from proto/

export declare namespace filesync {} // generated from proto/

export declare namespace fsutil {} // generated from proto/

export declare namespace gateway {} // generated from proto/

export declare function grpcCodeName(code: number): string;

export declare namespace health {} // generated from proto/

export declare const localWindows: Windows;

export declare const oldestVersion = "v0.12.5";

export declare function parseVersion(text: string): BuildkitVersionNumber | undefined;

export declare namespace pb {} // generated from proto/

export declare namespace policysession {} // generated from proto/

export declare function readContent(client: ContentReader, digest: string, options?: ReadContentOptions): Promise<Buffer>;

export declare const remoteWindows: Windows;

export declare function requireSupportedVersion(version: string | undefined): void;

export declare namespace rpc {} // generated from proto/

export declare namespace secrets {} // generated from proto/

export declare namespace sourcepolicy {} // generated from proto/

export declare namespace sshforward {} // generated from proto/

export declare function streamContent(client: ContentReader, digest: string, options?: ReadContentOptions): AsyncGenerator<Uint8Array, void, undefined>;

export declare function toBuildkitError(error: unknown): SlipwayError;

export declare function toStatusUpdate(response: StatusResponse): StatusUpdate;

export declare namespace upload {} // generated from proto/

export declare function waitReady(dial: Dial, options?: WaitReadyOptions): Promise<BuildkitClient>;

export declare namespace worker {} // generated from proto/

// Not exported by this module, but named above.

class SlipwayError extends Error {
    readonly code: SlipwayErrorCode;
    get retryable(): boolean;
    get shortMessage(): string;
    constructor(code: SlipwayErrorCode, message: string, options?: SlipwayErrorOptions);
}

interface ProgressGroup {
    id: string;
    name: string;
    weak: boolean;
}

interface SlipwayErrorOptions {
    cause?: unknown;
}

interface SourceInfo {
    filename: string;
    data: Uint8Array;
    language: string;
    path?: string;
}

interface SourceRange {
    start: {
        line: number;
        character: number;
    };
    end: {
        line: number;
        character: number;
    };
}

interface StatusUpdate {
    vertexes: Vertex[];
    statuses: VertexStatus[];
    logs: VertexLog[];
    warnings: VertexWarning[];
}

interface Vertex {
    digest: string;
    name: string;
    inputs: string[];
    cached: boolean;
    started?: Date;
    completed?: Date;
    error?: string;
    progressGroup?: ProgressGroup;
}

interface VertexLog {
    vertex: string;
    stream: number;
    data: Uint8Array;
    timestamp: Date;
}

interface VertexStatus {
    id: string;
    vertex: string;
    name: string;
    current: number;
    total: number;
    timestamp: Date;
    started?: Date;
    completed?: Date;
}

interface VertexWarning {
    vertex: string;
    level: number;
    short: string;
    detail: string[];
    url: string;
    source?: SourceInfo;
    ranges: SourceRange[];
}

type Dial = (signal?: AbortSignal) => Promise<Duplex>;

type SlipwayErrorCode = "ABORTED" | "ACTION_ARTIFACT" | "BAKE_DEFINITION" | "BAKE_PRIVILEGES" | "BUILDER_CLAIM" | "BUILDER_LOST" | "BUILDER_REMOVE" | "BUILDKIT_CONNECTION_LOST" | "BUILDKIT_CONTAINER" | "BUILDKIT_LIMIT" | "BUILDKIT_PROTOCOL" | "BUILDKIT_STATUS" | "BUILDKIT_TOO_OLD" | "BUILD_FAILED" | "BUILD_TOO_LARGE" | "CACHE_MOUNT" | "CALL_ANSWER" | "CHECK_FAILED" | "CONFIG_INVALID" | "CONFIG_UNREADABLE" | "CONTENT_DIGEST" | "CONTENT_GAP" | "CONTENT_TOO_LARGE" | "CONTEXT_NOT_FOUND" | "DEADLINE" | "DRIVER_API" | "DRIVER_BOOT" | "DRIVER_CONNECT" | "DRIVER_FOREIGN_CONTAINER" | "DRIVER_KUBECONFIG" | "DRIVER_NOT_RUNNING" | "DRIVER_OPTION" | "DRIVER_PACKAGE" | "DRIVER_UNSUPPORTED" | "DRIVER_UNUSABLE" | "ENGINE_CLOSED" | "ENGINE_CONFLICT" | "ENGINE_CONNECT" | "ENGINE_CONNECTION_LOST" | "ENGINE_EMPTY_BODY" | "ENGINE_EXEC" | "ENGINE_IMAGE" | "ENGINE_NOT_FOUND" | "ENGINE_PROTOCOL" | "ENGINE_STATUS" | "ENGINE_STREAM" | "ENGINE_TOO_LARGE" | "ENGINE_UPGRADE_REFUSED" | "ENGINE_VERSION" | "FS_FOLLOW" | "FS_LOCK" | "FS_READ" | "FS_SHARED" | "FS_WALK" | "FS_WRITE" | "GRPC_CANCELLED" | "GRPC_STATUS" | "HISTORY_DESKTOP" | "HISTORY_INVALID" | "HISTORY_MISSING" | "HISTORY_NOT_FOUND" | "HISTORY_REMOVE" | "HISTORY_TOO_LARGE" | "HTTP2_CLOSED" | "HTTP2_GOAWAY" | "HTTP2_HEADERS_TOO_LARGE" | "HTTP2_LOST" | "HTTP2_NOT_RESPONDING" | "HTTP2_PROTOCOL" | "INVALID_ARGUMENT" | "POLICY_FAILED" | "REGISTRY_CONNECT" | "REGISTRY_CREDENTIAL_HELPER" | "REGISTRY_DIGEST" | "REGISTRY_NOT_FOUND" | "REGISTRY_PROTOCOL" | "REGISTRY_REALM" | "REGISTRY_STATUS" | "REGISTRY_UNAUTHORIZED" | "REPLAY_CONTEXT_CHANGED" | "REPLAY_EXTRA_SECRET" | "REPLAY_EXTRA_SSH" | "REPLAY_LOCAL_CONTEXT" | "REPLAY_MATERIAL_NOT_FOUND" | "REPLAY_MIN_PROVENANCE" | "REPLAY_MISMATCH" | "REPLAY_MISSING_SECRET" | "REPLAY_MISSING_SSH" | "REPLAY_NO_PROVENANCE" | "REPLAY_PREDICATE" | "REPLAY_SIGNATURE" | "REPLAY_SUBJECT" | "REPLAY_UNPINNED_CONTEXT" | "REPLAY_UNSUPPORTED" | "RESULT_CLOSED" | "RESULT_EXEC" | "RESULT_FILE" | "SESSION_AUTH" | "SESSION_CONTENT_IO" | "SESSION_EXPORT_INCOMPLETE" | "SESSION_EXPORT_IO" | "SESSION_EXPORT_PROTOCOL" | "SESSION_EXPORT_REFUSED" | "SESSION_EXPORT_REMOTE" | "SESSION_LOST" | "SESSION_NOT_FOUND" | "SESSION_OCI_INDEX" | "SESSION_SECRET" | "SESSION_SSH_AGENT" | "SESSION_SUSPENDED" | "SESSION_SYNC_CHANGED" | "SESSION_SYNC_PROTOCOL" | "SESSION_SYNC_READ" | "SESSION_SYNC_REFUSED" | "SESSION_SYNC_REMOTE" | "STORE_CORRUPT" | "STORE_NEWER" | "STORE_NO_BUILDER" | "STORE_REFUSED" | "STORE_SHARED" | "STORE_UNREADABLE" | "STORE_UNWRITABLE" | "TARGETS_FAILED" | "TARGET_LINK";
