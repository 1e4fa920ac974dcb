// Public types of slipway/session, made by: npm run api

export interface AnnouncedFile {
    id: number;
    dir: DirNode;
    name: ByteString;
    size: number;
    mtimeNs: bigint;
    ctimeNs: bigint;
    dev: bigint;
    ino: bigint;
    socket: boolean;
}

export interface Attachable {
    readonly methods: readonly string[];
    handle(call: ServerCall): Promise<void>;
}

export interface AuthEntry {
    username?: string;
    password?: string;
    identityToken?: string;
    registryToken?: string;
}

export interface AuthOptions {
    env: Environment;
    dockerConfig?: DockerConfig | undefined;
    credentials?: CredentialsCallback | undefined;
    provider?: CredentialProvider | undefined;
    sink?: EventSink | undefined;
    seedDir?: string | undefined;
    hosts?: ReadonlyMap<string, HostTls> | undefined;
    onSecret?: ((secret: string) => unknown) | undefined;
}

export interface BlobInfo {
    digest: string;
    size: number;
    createdAt: Date;
    updatedAt: Date;
}

export type ByteString = string;

export declare class CacheLock implements AsyncDisposable {
    #private;
    constructor(directory: string);
    share(): Promise<void>;
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
    alone(work: () => Promise<void>, signal?: AbortSignal): Promise<boolean>;
}

export declare class ContentStore {
    #private;
    readonly path: string;
    readonly writable: boolean;
    constructor(path: string, given?: ContentStoreOptions);
    info(digest: string): Promise<BlobInfo>;
    has(digest: string): Promise<boolean>;
    list(): AsyncGenerator<BlobInfo>;
    open(digest: string): Promise<{
        handle: FileHandle;
        size: number;
    }>;
    writer(ref: string, total: number, expected: string): Promise<Ingest>;
    status(ref: string): Promise<IngestStatus>;
    statuses(): Promise<IngestStatus[]>;
    abort(ref: string): Promise<void>;
    delete(digest: string): Promise<void>;
    requireWritable(): void;
}

export interface ContentStoreOptions {
    access?: "read-only" | "read-write";
    beforeWrite?: () => Promise<void>;
    maxBytes?: number;
}

export interface CredentialProvider {
    (request: CredentialRequest): Promise<RegistryCredentials | undefined>;
    readonly source?: string;
}

export interface CredentialRequest {
    host: string;
    scopes: readonly string[];
    signal?: AbortSignal | undefined;
}

export type CredentialsCallback = (request: {
    host: string;
    scopes: readonly string[];
    signal?: AbortSignal | undefined;
}) => GivenCredentials | Promise<GivenCredentials>;

export interface Descriptor {
    mediaType: string;
    digest: string;
    size: number;
    annotations?: Record<string, string>;
    [field: string]: unknown;
}

export interface DirNode {
    readonly parent: DirNode | undefined;
    readonly name: ByteString;
}

export interface DirectoryTarget {
    type: "directory";
    path: string;
    mode?: "copy" | "delete";
}

export interface DockerConfig {
    dir: string;
    path: string;
    auths: Map<string, AuthEntry>;
    credsStore?: string;
    credHelpers: Map<string, string>;
    proxies: Map<string, ProxyConfig>;
    currentContext?: string;
    pruneFilters: string[];
    raw: unknown;
    problems: string[];
}

export interface EntryStat {
    mode: bigint;
    size: bigint;
    mtimeNs: bigint;
    ctimeNs: bigint;
    dev: bigint;
    ino: bigint;
    nlink: bigint;
    rdev: bigint;
}

export declare class ExportError extends SessionError {
    readonly code: ExportErrorCode;
    readonly path: string | undefined;
    constructor(code: ExportErrorCode, message: string, options?: ExportErrorOptions);
}

export type ExportErrorCode = "SESSION_EXPORT_PROTOCOL" | "SESSION_EXPORT_IO" | "SESSION_EXPORT_INCOMPLETE" | "SESSION_EXPORT_REMOTE" | "SESSION_EXPORT_REFUSED";

export interface ExportErrorOptions extends SessionErrorOptions {
    path?: string;
}

export interface ExportLimits {
    maxEntries?: number;
    maxBytes?: number;
    maxDepth?: number;
}

export type ExportTarget = StreamTarget | DirectoryTarget;

export interface FileSendOptions extends ExportLimits {
    onBegin?(exporterId: number): void;
    onFailure?(error: Error, exporterId: number): void;
}

export interface FileSyncOptions {
    onProgress?: (dirName: string, progress: SyncProgress) => unknown;
    onWarning?: (message: string) => unknown;
    onError?: (error: Error, dirName: string) => unknown;
    onRace?: "error" | "warn";
    onOlder?: {
        than: Date;
        told: (dirName: string, count: number, path: string) => unknown;
    };
}

export type GivenCredentials = {
    username: string;
    password: string;
} | {
    identityToken: string;
} | {
    registryToken: string;
} | undefined | null;

export declare class GrpcError extends SlipwayError {
    readonly grpcCode: number;
    readonly details?: Uint8Array;
    constructor(grpcCode: number, message: string, options?: GrpcErrorOptions, code?: SlipwayErrorCode);
}

export interface GrpcErrorOptions extends SlipwayErrorOptions {
    details?: Uint8Array;
}

export interface GrpcStatus {
    code: number;
    message?: string;
    details?: Uint8Array;
}

export interface HostTls {
    ca?: readonly string[];
    keyPairs?: readonly {
        key: string;
        cert: string;
    }[];
    insecure?: boolean;
    http?: boolean;
}

export declare class Ingest {
    #private;
    readonly startedAt: Date;
    updatedAt: Date;
    total: number;
    static open(root: string, ref: string, total: number, hooks: IngestHooks): Promise<Ingest>;
    private constructor();
    get offset(): number;
    digest(): string;
    write(data: Buffer): Promise<void>;
    truncate(): Promise<void>;
    commit(size: number, expected: string): Promise<void>;
    remove(): Promise<void>;
    close(): Promise<void>;
}

export interface IngestHooks {
    charge(bytes: number): void;
    committed(digest: string): void;
    closed(): void;
}

export interface IngestStatus {
    ref: string;
    offset: number;
    total: number;
    startedAt: Date;
    updatedAt: Date;
}

export interface KeepAliveOptions {
    idleMilliseconds?: number;
    timeoutMilliseconds?: number;
}

export type MemoryContent = Uint8Array | string | (() => Uint8Array | string | Promise<Uint8Array | string>);

export interface MemoryEntry {
    content?: MemoryContent;
    mode?: number;
    mtime?: Date;
    symlink?: string;
}

export interface MessageOptions {
    maxBytes?: number;
}

export type MethodInput<M extends DescMethod> = M["methodKind"] extends "unary" | "server_streaming" ? MessageShape<M["input"]> : AsyncIterable<MessageShape<M["input"]>>;

export type MethodOutput<M extends DescMethod> = M["methodKind"] extends "unary" | "client_streaming" ? MessageInitShape<M["output"]> | Promise<MessageInitShape<M["output"]>> : AsyncIterable<MessageInitShape<M["output"]>>;

export interface OciIndex {
    schemaVersion: 2;
    mediaType?: string;
    manifests: Descriptor[];
    [field: string]: unknown;
}

export interface OpenFile {
    readSync(target: Buffer, at: number, length: number): void;
    read(target: Buffer, at: number, length: number): Promise<void>;
    verify(): void;
    close(): void;
}

export type OpenFileAt = (file: AnnouncedFile, path: ByteString) => OpenFile;

export interface OpenedDir {
    tree: TreeSource;
    openFile: OpenFileAt;
    close(): void;
}

export type PolicyDecision = {
    action: "allow";
} | {
    action: "deny";
    messages: readonly string[];
} | {
    action: "convert";
    update: pb.SourceOp;
} | {
    action: "resolve";
    request: MessageInitShape<typeof gateway.ResolveSourceMetaRequestSchema>;
};

export type PolicyRequest = policysession.CheckPolicyRequest;

export interface ProxyConfig {
    httpProxy?: string;
    httpsProxy?: string;
    noProxy?: string;
    ftpProxy?: string;
    allProxy?: string;
}

export interface PutDescriptorOptions {
    tag?: string;
    name?: string;
    signal?: AbortSignal | undefined;
}

export type RacePolicy = "error" | ((path: ByteString) => void);

export type RegistryCredentials = AuthEntry;

export type SecretSource = {
    type: "file";
    path: string;
} | {
    type: "env";
    name: string;
    env: Readonly<Record<string, string | undefined>>;
} | {
    type: "value";
    value: Uint8Array;
} | {
    type: "callback";
    read(signal: AbortSignal): Promise<Uint8Array | string>;
};

export interface SecretsOptions {
    onSecret?: ((value: Uint8Array) => unknown) | undefined;
}

export interface ServerCall {
    readonly path: string;
    header(name: string): string | undefined;
    headerValues(name: string): string[];
    headerNames(): Iterable<string>;
    readonly signal: AbortSignal;
    messages(options?: MessageOptions): AsyncIterable<Buffer>;
    bytesField(): AsyncIterable<Buffer>;
    write(chunks: Uint8Array | readonly Uint8Array[]): boolean;
    drained(): Promise<void>;
    end(status?: GrpcStatus): void;
    reset(): void;
}

export type ServiceHandlers<S extends DescService> = {
    [Name in keyof S["method"]]?: (request: MethodInput<S["method"][Name]>, call: ServerCall) => MethodOutput<S["method"][Name]>;
};

export declare class Session implements AsyncDisposable {
    #private;
    readonly id: string;
    readonly closed: Promise<Error | undefined>;
    static open(client: BuildkitClient, options: SessionOptions): Promise<Session>;
    private constructor();
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

export declare class SessionError extends GrpcError {
    constructor(code: SessionErrorCode, message: string, options?: SessionErrorOptions);
}

export type SessionErrorCode = Extract<SlipwayErrorCode, `SESSION_${string}`>;

export interface SessionErrorOptions extends GrpcErrorOptions {
    grpcCode?: number;
}

export interface SessionOptions {
    attachables: readonly Attachable[];
    sharedKey: string;
    id?: string | undefined;
    windows?: Windows | undefined;
    keepAlive?: KeepAliveOptions | undefined;
    signal?: AbortSignal | undefined;
}

export interface SshAgent {
    connect(signal: AbortSignal): Promise<SshAgentConnection>;
}

export interface SshAgentConnection extends Disposable {
    request(message: Buffer): Promise<Buffer>;
}

export interface SshAgentSpec {
    id: string;
    paths: readonly string[];
}

export interface StreamTarget {
    type: "stream";
    open(metadata: ReadonlyMap<string, string>, signal: AbortSignal): Promise<Writable | undefined>;
}

export declare class SyncError extends SessionError {
    readonly code: SyncErrorCode;
    readonly path: string | undefined;
    constructor(code: SyncErrorCode, message: string, options?: SessionErrorOptions & {
        path?: string;
    });
}

export type SyncErrorCode = "SESSION_SYNC_READ" | "SESSION_SYNC_CHANGED" | "SESSION_SYNC_PROTOCOL" | "SESSION_SYNC_REMOTE" | "SESSION_SYNC_REFUSED";

export interface SyncProgress {
    bytes: number;
    files: number;
    entries: number;
}

export type SyncedDir = {
    type: "directory";
    path: string;
    only?: readonly string[];
} | {
    type: "memory";
    entries: ReadonlyMap<string, MemoryEntry>;
};

export interface TreeEntry {
    path: string;
    type: "file" | "directory" | "symlink";
    mode: number;
    mtime: Date;
    target?: string;
    content?: AsyncIterable<Buffer>;
}

export interface TreeSource {
    list(path: ByteString): ByteString[];
    batches?(path: ByteString): Generator<ByteString[], void>;
    lstat(path: ByteString): EntryStat | undefined;
    readlink(path: ByteString): ByteString | undefined;
}

export declare function auth(options: AuthOptions): Attachable;

export declare function content(stores: ReadonlyMap<string, ContentStore>): Attachable;

export declare function dirOpener(dir: SyncedDir): (race: RacePolicy) => Promise<OpenedDir>;

export declare function fileSend(outputs: ReadonlyMap<number, ExportTarget>, given?: FileSendOptions): Attachable;

export declare function fileSync(dirs: ReadonlyMap<string, SyncedDir>, given?: FileSyncOptions): Attachable;

export declare function fileTarget(path: string): StreamTarget;

export declare function findDescriptor(layout: string, nameOrTag: string): Promise<Descriptor | undefined>;

export declare const healthMethods: readonly string[];

export declare function loadSshAgents(specs: readonly SshAgentSpec[], env: Readonly<Record<string, string | undefined>>): Promise<Map<string, SshAgent>>;

export declare const maxSecretBytes: number;

export declare function openOutputFile(path: string, signal?: AbortSignal): Promise<Writable>;

export declare function parseSshSpec(text: string): SshAgentSpec;

export declare function policyVerifier(check: (request: PolicyRequest, signal: AbortSignal) => Promise<PolicyDecision> | PolicyDecision): Attachable;

export declare function putDescriptor(layout: string, descriptor: Descriptor, options?: PutDescriptorOptions): Promise<void>;

export declare function readOciIndex(layout: string, options?: {
    followLinks?: boolean;
}): Promise<OciIndex | undefined>;

export declare function removeUnreferencedBlobs(layout: string, signal?: AbortSignal): Promise<number>;

export declare function secrets(sources: ReadonlyMap<string, SecretSource>, options?: SecretsOptions): Attachable;

export declare function service<S extends DescService>(desc: S, handlers: ServiceHandlers<S>): Attachable;

export declare function ssh(agents: ReadonlyMap<string, SshAgent>): Attachable;

export declare function upload(sources: ReadonlyMap<string, Readable | Uint8Array>, options?: {
    onError?: (error: Error) => void;
}): Attachable;

export declare function writeTree(dest: string, entries: AsyncIterable<TreeEntry>, signal?: AbortSignal): Promise<void>;

// Not exported by this module, but named above.

class BuildkitClient implements AsyncDisposable {
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

class SlipwayError extends Error {
    readonly code: SlipwayErrorCode;
    get retryable(): boolean;
    get shortMessage(): string;
    constructor(code: SlipwayErrorCode, message: string, options?: SlipwayErrorOptions);
}

interface BuildExplanation {
    steps: ExplainedStep[];
    earlier?: string;
    unknown?: string;
}

interface BuildkitCallOptions {
    signal?: AbortSignal | undefined;
}

interface BuildkitConnectOptions {
    windows?: Windows | undefined;
    signal?: AbortSignal | undefined;
}

interface ClientSpan {
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

interface DaemonInfo {
    version: string | undefined;
    revision: string;
    package: string;
    dockerfileVersion: string;
}

interface EventSink {
    (event: BuildEvent): void;
    ready?(): Promise<void> | undefined;
}

interface ExplainedStep {
    digest: string;
    name: string;
    causes: StepCause[];
}

interface NetworkReport {
    requests: NetworkRequest[];
    left: number;
    cachedSteps: string[];
}

interface NetworkRequest {
    url: string;
    allowed: boolean;
    method?: string;
    status?: number;
    step?: string;
}

interface OpenSessionOptions extends BuildkitCallOptions {
    id: string;
    sharedKey: string;
    methods: readonly string[];
    keepAlive?: KeepAliveOptions | undefined;
}

interface ProgressGroup {
    id: string;
    name: string;
    weak: boolean;
}

interface RpcCallOptions {
    signal?: AbortSignal | undefined;
    timeoutMs?: number | undefined;
    headers?: Readonly<Record<string, string>> | undefined;
    onHeader?: ((headers: Headers) => void) | undefined;
    onTrailer?: ((trailers: Headers) => void) | undefined;
}

interface SlipwayErrorOptions {
    cause?: unknown;
}

interface SolveFailure {
    message: string;
    sources: readonly SourceLocation[];
}

interface SourceInfo {
    filename: string;
    data: Uint8Array;
    language: string;
    path?: string;
}

interface SourceLocation {
    info: SourceInfo;
    ranges: SourceRange[];
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

interface Windows {
    stream: number;
    connection: number;
}

type BuildEvent = {
    type: "start";
    builder: string;
    driver: string;
} | ({
    type: "status";
} & StatusUpdate) | {
    type: "message";
    level: "info" | "warning";
    text: string;
} | ({
    type: "network";
} & NetworkReport) | ({
    type: "explained";
} & BuildExplanation) | {
    type: "end";
    failure?: SolveFailure;
};

type Dial = (signal?: AbortSignal) => Promise<Duplex>;

type Environment = Readonly<Record<string, string | undefined>>;

type RpcClient<S extends DescService> = {
    [Name in keyof S["method"]]: S["method"][Name] extends DescMethodUnary<infer I, infer O> ? (request: MessageInitShape<I>, options?: RpcCallOptions) => Promise<MessageShape<O>> : S["method"][Name] extends DescMethodServerStreaming<infer I, infer O> ? (request: MessageInitShape<I>, options?: RpcCallOptions) => AsyncIterable<MessageShape<O>> : S["method"][Name] extends DescMethodClientStreaming<infer I, infer O> ? (request: AsyncIterable<MessageInitShape<I>>, options?: RpcCallOptions) => Promise<MessageShape<O>> : S["method"][Name] extends DescMethodBiDiStreaming<infer I, infer O> ? (request: AsyncIterable<MessageInitShape<I>>, options?: RpcCallOptions) => AsyncIterable<MessageShape<O>> : never;
};

type SlipwayErrorCode = "ABORTED" | "ACTION_ARTIFACT" | "BAKE_DEFINITION" | "BAKE_PRIVILEGES" | "BUILDER_CLAIM" | "BUILDER_LOST" | "BUILDER_REMOVE" | "BUILDKIT_CONNECTION_LOST" | "BUILDKIT_CONTAINER" | "BUILDKIT_LIMIT" | "BUILDKIT_PROTOCOL" | "BUILDKIT_STATUS" | "BUILDKIT_TOO_OLD" | "BUILD_FAILED" | "BUILD_TOO_LARGE" | "CACHE_MOUNT" | "CALL_ANSWER" | "CHECK_FAILED" | "CONFIG_INVALID" | "CONFIG_UNREADABLE" | "CONTENT_DIGEST" | "CONTENT_GAP" | "CONTENT_TOO_LARGE" | "CONTEXT_NOT_FOUND" | "DEADLINE" | "DRIVER_API" | "DRIVER_BOOT" | "DRIVER_CONNECT" | "DRIVER_FOREIGN_CONTAINER" | "DRIVER_KUBECONFIG" | "DRIVER_NOT_RUNNING" | "DRIVER_OPTION" | "DRIVER_PACKAGE" | "DRIVER_UNSUPPORTED" | "DRIVER_UNUSABLE" | "ENGINE_CLOSED" | "ENGINE_CONFLICT" | "ENGINE_CONNECT" | "ENGINE_CONNECTION_LOST" | "ENGINE_EMPTY_BODY" | "ENGINE_EXEC" | "ENGINE_IMAGE" | "ENGINE_NOT_FOUND" | "ENGINE_PROTOCOL" | "ENGINE_STATUS" | "ENGINE_STREAM" | "ENGINE_TOO_LARGE" | "ENGINE_UPGRADE_REFUSED" | "ENGINE_VERSION" | "FS_FOLLOW" | "FS_LOCK" | "FS_READ" | "FS_SHARED" | "FS_WALK" | "FS_WRITE" | "GRPC_CANCELLED" | "GRPC_STATUS" | "HISTORY_DESKTOP" | "HISTORY_INVALID" | "HISTORY_MISSING" | "HISTORY_NOT_FOUND" | "HISTORY_REMOVE" | "HISTORY_TOO_LARGE" | "HTTP2_CLOSED" | "HTTP2_GOAWAY" | "HTTP2_HEADERS_TOO_LARGE" | "HTTP2_LOST" | "HTTP2_NOT_RESPONDING" | "HTTP2_PROTOCOL" | "INVALID_ARGUMENT" | "POLICY_FAILED" | "REGISTRY_CONNECT" | "REGISTRY_CREDENTIAL_HELPER" | "REGISTRY_DIGEST" | "REGISTRY_NOT_FOUND" | "REGISTRY_PROTOCOL" | "REGISTRY_REALM" | "REGISTRY_STATUS" | "REGISTRY_UNAUTHORIZED" | "REPLAY_CONTEXT_CHANGED" | "REPLAY_EXTRA_SECRET" | "REPLAY_EXTRA_SSH" | "REPLAY_LOCAL_CONTEXT" | "REPLAY_MATERIAL_NOT_FOUND" | "REPLAY_MIN_PROVENANCE" | "REPLAY_MISMATCH" | "REPLAY_MISSING_SECRET" | "REPLAY_MISSING_SSH" | "REPLAY_NO_PROVENANCE" | "REPLAY_PREDICATE" | "REPLAY_SIGNATURE" | "REPLAY_SUBJECT" | "REPLAY_UNPINNED_CONTEXT" | "REPLAY_UNSUPPORTED" | "RESULT_CLOSED" | "RESULT_EXEC" | "RESULT_FILE" | "SESSION_AUTH" | "SESSION_CONTENT_IO" | "SESSION_EXPORT_INCOMPLETE" | "SESSION_EXPORT_IO" | "SESSION_EXPORT_PROTOCOL" | "SESSION_EXPORT_REFUSED" | "SESSION_EXPORT_REMOTE" | "SESSION_LOST" | "SESSION_NOT_FOUND" | "SESSION_OCI_INDEX" | "SESSION_SECRET" | "SESSION_SSH_AGENT" | "SESSION_SUSPENDED" | "SESSION_SYNC_CHANGED" | "SESSION_SYNC_PROTOCOL" | "SESSION_SYNC_READ" | "SESSION_SYNC_REFUSED" | "SESSION_SYNC_REMOTE" | "STORE_CORRUPT" | "STORE_NEWER" | "STORE_NO_BUILDER" | "STORE_REFUSED" | "STORE_SHARED" | "STORE_UNREADABLE" | "STORE_UNWRITABLE" | "TARGETS_FAILED" | "TARGET_LINK";

type StepCause = {
    kind: "file";
    context: string;
    path: string;
    change: "changed" | "added" | "removed";
} | {
    kind: "base";
    before: string;
    after: string;
} | {
    kind: "argument";
    name: string;
} | {
    kind: "instruction";
    before: string;
    after: string;
} | {
    kind: "step";
    name: string;
} | {
    kind: "no-cache";
} | {
    kind: "evicted";
} | {
    kind: "unknown";
    why: string;
};
