// Public types of slipway/report, made by: npm run api

export type BuildOutcome = "succeeded" | "failed" | "canceled";

export interface CriticalStretch extends TimeSpan {
    step: number;
}

export interface ReportCollector extends EventSink {
    model(outcome?: ReportOutcome): ReportModel;
}

export interface ReportFailure {
    message: string;
    step: number;
    sources: string[];
}

export interface ReportImage {
    platform: string;
    digest: string;
    layers: readonly ReportLayer[];
}

export interface ReportLayer {
    digest: string;
    size: number;
    createdBy?: string;
}

export interface ReportModel {
    title: string;
    outcome: BuildOutcome;
    failure?: ReportFailure;
    builder: string;
    ref: string;
    begun: Date;
    milliseconds: number;
    platforms: string[];
    steps: ReportStep[];
    criticalPath: CriticalStretch[];
    warnings: ReportWarning[];
    messages: string[];
    images: ReportImage[];
    network?: NetworkReport;
    explained?: BuildExplanation;
}

export interface ReportOutcome {
    title?: string;
    result?: {
        ref?: string;
        names?: readonly string[];
        platforms?: readonly ReportImage[];
    };
    error?: unknown;
}

export interface ReportStep {
    number: number;
    digest: string;
    name: string;
    commonName: string;
    platform: string;
    group: string;
    state: StepState;
    runs: TimeSpan[];
    milliseconds: number;
    inputs: number[];
    critical: boolean;
    transfers: ReportTransfer[];
    log: string;
    omittedBytes: number;
    error: string;
}

export interface ReportTransfer {
    step: number;
    name: string;
    bytes: number;
    milliseconds: number;
    completed: boolean;
}

export interface ReportWarning extends VertexWarning {
    step: number;
}

export type StepState = "done" | "cached" | "failed" | "canceled" | "unused";

export interface TimeSpan {
    start: number;
    end: number;
}

export declare function collectReport(): ReportCollector;

export declare function reportHtml(model: ReportModel): string;

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
