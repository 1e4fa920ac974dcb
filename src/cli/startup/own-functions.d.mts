/** The bundle with its modules' functions as parts of what initializes them; `used` is called when something was moved. */
export function ownFunctions(text: string, used?: () => void): string;
