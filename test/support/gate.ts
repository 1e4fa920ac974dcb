/** Something that a test waits for, until it lets it go on. */
export interface Gate {
  readonly opened: Promise<void>;
  /** May be called again, and taken off. */
  readonly open: () => void;
}

export function gate(): Gate {
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}
