/** What a conversion or a function refuses, in go-cty's words. Evaluation turns it into a diagnostic. */
export class CtyError extends Error {}

/** A refusal that is about one argument of a function, counted from 0. */
export class ArgumentError extends CtyError {
  readonly index: number;

  constructor(index: number, message: string) {
    super(message);
    this.index = index;
  }
}
