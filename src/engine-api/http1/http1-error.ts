/** How an exchange failed: the request cannot be sent, the peer's bytes are not HTTP, it is gone, or its owner closed it. */
export type Http1Failure = "invalid" | "protocol" | "lost" | "closed";

/** Why an exchange got no answer, or no end of it. Whoever asked turns it into an error that users see. */
export class Http1Error extends Error {
  readonly failure: Http1Failure;

  constructor(failure: Http1Failure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "Http1Error";
    this.failure = failure;
  }
}
