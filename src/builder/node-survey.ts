import { type EngineSurvey, engineEndpoint, surveyEndpoint } from "../driver/index.js";
import type { BuilderContext } from "./builder-context.js";
import type { BuilderNode } from "./builder-node.js";

/** Asks the engines of many nodes, each once for all of its nodes. */
export class NodeSurvey {
  readonly #context: BuilderContext;
  readonly #options: { volumes: boolean; signal?: AbortSignal | undefined };
  /** By endpoint, as nodes name it. */
  readonly #surveys = new Map<string, Promise<EngineSurvey>>();

  /** `volumes`: ask for state volumes, too. `signal` ends all questions. */
  constructor(context: BuilderContext, options: { volumes: boolean; signal?: AbortSignal | undefined }) {
    this.#context = context;
    this.#options = options;
  }

  /** What there is on a node's engine; undefined for a node of another driver. Rejects when the engine cannot be asked. */
  async of(node: BuilderNode): Promise<EngineSurvey | undefined> {
    if (node.driver !== "docker-container") return undefined;
    const { endpoint } = node.node;
    let survey = this.#surveys.get(endpoint);
    if (!survey) {
      survey = engineEndpoint(this.#context.env, this.#context.config, endpoint).then((found) =>
        surveyEndpoint(found, this.#context.env, this.#options),
      );
      this.#surveys.set(endpoint, survey);
    }
    return survey;
  }
}
