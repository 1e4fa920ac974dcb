import { InvalidArgumentError } from "../../core/index.js";

/** A template cannot be parsed or executed; the message is as Go's text/template begins it, wrapped as docker/cli does. */
export class TemplateError extends InvalidArgumentError {
  constructor(position: string, problem: string) {
    super(`template parsing error: template: :${position}: ${problem}`);
  }
}
