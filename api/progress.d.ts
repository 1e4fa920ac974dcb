// Public types of slipway/progress, made by: npm run api

export interface Annotation {
    level: "error" | "warning";
    text: string;
    title: string;
    source?: SourceLocation | undefined;
}

export interface BuildTotals {
    steps: {
        done: number;
        total: number;
    };
    bytes: {
        done: number;
        total: number;
    };
    bytesPerSecond: number;
}

export type CiSystem = "github" | "gitlab";

export interface GroupedOptions extends RenderOptions {
    system?: CiSystem;
}

export type LogReader = "github" | "gitlab";

export declare class LogSanitizer {
    #private;
    constructor(options?: {
        returns?: "drop" | "break";
    });
    push(data: Uint8Array): string;
}

export type ProgressMode = "auto" | "tty" | "plain" | "rawjson" | "quiet" | "none";

export interface ProgressSink extends EventSink {
    close(): Promise<void>;
    ready(): Promise<void> | undefined;
}

export type ProgressStream = Writable & {
    readonly isTTY?: boolean;
    readonly columns?: number;
    readonly rows?: number;
};

export interface RenderOptions {
    env?: Environment;
    now?: () => number;
    debug?: boolean;
    phase?: string;
    sanitize?: "auto" | "always";
}

export interface TotalsSink extends EventSink {
    totals(): BuildTotals;
}

export interface WarningOptions {
    debug?: boolean;
    color?: boolean;
}

export declare function causeText(cause: StepCause): string;

export declare function ciSystem(env: Environment): CiSystem | undefined;

export declare function countTotals(onChange?: (totals: BuildTotals) => void, now?: () => number): TotalsSink;

export declare function cutToWidth(text: string, columns: number): string;

export declare function dedupeWarnings(warnings: readonly VertexWarning[]): VertexWarning[];

export declare function display(mode: string, stream: ProgressStream, env?: Environment, options?: Omit<RenderOptions, "env">): ProgressSink;

export declare function formatAmount(bytes: number): string;

export declare function formatBinaryBytes(bytes: number): string;

export declare function formatBytes(bytes: number): string;

export declare function formatMessage(level: "info" | "warning", text: string): string;

export declare function formatSource(info: SourceInfo, ranges: readonly SourceRange[]): string;

export declare function formatStatusJson(update: StatusUpdate): string;

export declare function formatWarnings(warnings: readonly VertexWarning[], options?: WarningOptions): string;

export declare function goDuration(milliseconds: number): string;

export declare function goTimestamp(date: Date): string;

export declare function grouped(stream: ProgressStream, given?: GroupedOptions): ProgressSink;

export declare function guardLog(text: string, env: Environment): string;

export declare function guardWorkflowCommands(text: string, reader?: LogReader): string;

export declare function humanDuration(milliseconds: number): string;

export declare function hyperlink(url: string, text: string, options: {
    enabled: boolean;
}): string;

export declare function joinSinks(...sinks: readonly EventSink[]): EventSink;

export declare function padToWidth(text: string, columns: number): string;

export declare function plain(stream: ProgressStream, given?: RenderOptions): ProgressSink;

export declare function prefixVertices(sink: EventSink, target: string): EventSink;

export declare function quiet(stream?: ProgressStream): ProgressSink;

export declare function rawjson(stream: ProgressStream): ProgressSink;

export declare function sanitizeName(text: string): string;

export declare function sanitizeText(text: string, known?: ReadonlySet<string>): string;

export declare function shareLogs(sink: EventSink): () => EventSink;

export declare function shiftToLocalClock(sink: EventSink, now?: () => number): EventSink;

export declare function terminal(stream: ProgressStream, given?: RenderOptions): ProgressSink;

export declare function textWidth(text: string): number;

export declare function warningJson(warning: VertexWarning): {
    vertex: string | undefined;
    level: number | undefined;
    short: string | undefined;
    detail: string[] | undefined;
    url: string | undefined;
    sourceInfo: {
        filename: string | undefined;
        data: string | undefined;
        language: string | undefined;
    } | undefined;
    range: {
        start: {
            line: number | undefined;
            character: number | undefined;
        };
        end: {
            line: number | undefined;
            character: number | undefined;
        };
    }[] | undefined;
};

export declare function workflowAnnotation(annotation: Annotation, env: Environment): string;

// Not exported by this module, but named above.

interface BuildExplanation {
    steps: ExplainedStep[];
    earlier?: string;
    unknown?: string;
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

interface ProgressGroup {
    id: string;
    name: string;
    weak: boolean;
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

type Environment = Readonly<Record<string, string | undefined>>;

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
