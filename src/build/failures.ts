/** What failed on this side of a build. */
export class Failures {
  /** Comes back from the daemon as its error; this says what and where (FLT-37). */
  readonly all: Error[] = [];
  /** Of exports that were received, and of policies. Ends the build whatever the daemon says of it. */
  readonly fatal: Error[] = [];

  readonly add = (error: Error): void => void this.all.push(error);

  readonly addFatal = (error: Error): void => {
    this.add(error);
    this.fatal.push(error);
  };
}
