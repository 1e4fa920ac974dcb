/** What may stand at the end of a command line. */
export interface Completions {
  candidates: Candidate[];
  directive: number;
}

/** One possible word. */
export interface Candidate {
  value: string;
  description?: string | undefined;
}

/** What a shell is to do besides (cobra ShellCompDirective; docker knows the numbers too). */
export const directives = { files: 0, noSpace: 2, noFiles: 4, directories: 16 } as const;
